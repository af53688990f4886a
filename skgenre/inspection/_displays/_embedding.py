"""Plot of embeddings in two dimensions, coloured by genre."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_array, check_is_fitted

from skgenre._install import require
from skgenre._sklearn_compat import (
    HasMethods,
    StrOptions,
    validate_parameter_constraints,
)
from skgenre.inspection._displays._style import (
    check_clip_labels,
    legend_beside,
    point_style,
)
from skgenre.pipelines import embedding_pipeline
from skgenre.runtime._greetings import no_greetings

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class EmbeddingDisplay:
    """Map of clips in two dimensions, where similar clips should lie together.

    Make it by `from_estimator` or `from_embeddings`.

    Parameters
    ----------
    points : ndarray of shape (n_clips, 2)
        Where the clips lie.
    y : ndarray of shape (n_clips,), default=None
        Genres; None where they are not known.
    axis_names : tuple of (str, str), default=("", "")
        Labels of the two axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the map is.
    figure_ : matplotlib Figure
        Figure that holds it.
    legend_ : matplotlib Legend or None
        Colour and marker of each genre, right of the map; None without genres.

    See Also
    --------
    ClusterDisplay : Which clusters hold which genres.
    sklearn.decomposition.PCA : The default map.

    Notes
    -----
    Genres differ in colour and in marker, up to 56 of them.

    Two dimensions show only part of the variance; the axes of a PCA say how much.
    UMAP [1]_ keeps neighbours together; distances between its groups mean little.

    References
    ----------
    .. [1] L. McInnes, J. Healy, J. Melville, "UMAP: Uniform Manifold Approximation
       and Projection for Dimension Reduction", 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skgenre.inspection import EmbeddingDisplay
    >>> E, genres = load_iris(return_X_y=True)
    >>> display = EmbeddingDisplay.from_embeddings(E, genres)
    >>> display.ax_.get_xlabel()
    'Component 1 (92% of the variance)'
    """

    def __init__(
        self,
        points: NDArray,
        y: NDArray | None = None,
        *,
        axis_names: tuple[str, str] = ("", ""),
    ) -> None:
        self.points = points
        self.y = y
        self.axis_names = axis_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike | None = None,
        *,
        reduction: Any = "pca",
        random_state: int | np.random.RandomState | None = None,
        ax: "Axes | None" = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the embeddings that a fitted estimator computes from clips.

        Parameters
        ----------
        estimator : estimator
            Fitted transformer, such as a network, or a Pipeline. If a Pipeline ends
            with a clusterer, or with a classifier that has no `transform`, the
            embeddings are what this last step is given.
        X : array-like of shape (n_clips, ...)
            What the estimator takes.
        y : array-like of shape (n_clips,), default=None
            Genres; None draws all clips alike, without a legend.
        reduction : {'pca', 'umap'} or transformer, default='pca'
            As for `from_embeddings`.
        random_state : int, RandomState instance or None, default=None
            As for `from_embeddings`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed on to `plot`.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        ValueError
            If the estimator makes no embeddings.
        """
        check_is_fitted(estimator)
        embedder = embedding_pipeline(estimator)
        if y is not None:  # refused before hours of decoding
            y = check_clip_labels(y, "y", X)
        return cls.from_embeddings(
            embedder.transform(X),
            y,
            reduction=reduction,
            random_state=random_state,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_embeddings(
        cls,
        E: ArrayLike,
        y: ArrayLike | None = None,
        *,
        reduction: Any = "pca",
        random_state: int | np.random.RandomState | None = None,
        ax: "Axes | None" = None,
        **kwargs: Any,
    ) -> Self:
        """Draw given embeddings.

        Parameters
        ----------
        E : array-like of shape (n_clips, n_features)
            Embeddings, or any table of features. They are not scaled.
        y : array-like of shape (n_clips,), default=None
            Genres, or other labels such as clusters; None draws all clips alike,
            without a legend.
        reduction : {'pca', 'umap'} or transformer, default='pca'
            Reduces to two dimensions: PCA, UMAP, or any transformer to two components,
            such as ``TSNE()`` or ``UMAP(n_neighbors=50)``.
        random_state : int, RandomState instance or None, default=None
            Seed of the PCA or of UMAP.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed on to `plot`.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        ValueError
            If there are fewer than two clips or features, values are not finite, or
            lengths do not match.
        ImportError
            If UMAP is asked for and not installed.
        """
        validate_parameter_constraints(
            {
                "reduction": [StrOptions({"pca", "umap"}), HasMethods("fit_transform")],
                "random_state": ["random_state"],
            },
            {"reduction": reduction, "random_state": random_state},
            caller_name=f"{cls.__name__}.from_embeddings",
        )
        E = _check_embeddings(E)
        if y is not None:
            y = check_clip_labels(y, "y", E)
        points, axis_names = reduce_to_plane(E, reduction, random_state)
        return cls(points, y, axis_names=axis_names).plot(ax=ax, **kwargs)

    def plot(self, *, ax: "Axes | None" = None, **kwargs: Any) -> Self:
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed on to `matplotlib.axes.Axes.scatter` (``s``, ``alpha``, ...).

        Returns
        -------
        EmbeddingDisplay
        """
        require("matplotlib")
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(8, 5), layout="constrained")
        points = np.asarray(self.points)
        # Thousands of points are smaller, so as not to hide each other.
        size = float(np.clip(20_000 / len(points), 2, 35))
        look = {"s": size, "alpha": 0.8, "linewidth": size / 90, "edgecolor": "white"}
        ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        ax.set_aspect("equal", adjustable="datalim")
        self.legend_ = None
        if self.y is None:
            ax.scatter(*points.T, **point_style(0) | look | kwargs)
        else:
            genres, numbers = np.unique(np.asarray(self.y), return_inverse=True)
            artists, names = [], [str(genre) for genre in genres]
            for i, name in enumerate(names):
                style = {"label": name} | point_style(i) | look | kwargs
                artists.append(ax.scatter(*points[numbers == i].T, **style))
            scale = (35 / size) ** 0.5  # keeps the markers in the legend large
            self.legend_ = legend_beside(ax, artists, names, markerscale=scale)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _check_embeddings(E: ArrayLike) -> NDArray:
    if getattr(E, "ndim", 2) != 2:
        raise ValueError(
            "Embeddings are an array of shape (n_clips, n_features), got one of shape "
            f"{np.shape(E)}. Networks turn spectrograms into embeddings."
        )
    return check_array(
        E,
        dtype=[np.float64, np.float32],
        ensure_min_samples=2,
        ensure_min_features=2,
        input_name="E",
    )


def reduce_to_plane(
    E: NDArray, reduction: Any, random_state: Any
) -> tuple[NDArray, tuple[str, str]]:
    """Return the points of a map, (n_clips, 2), and the names of its axes.

    Parameters are those of `EmbeddingDisplay.from_embeddings`.
    """
    if reduction == "pca":
        reduction = PCA(2, random_state=random_state)
    elif isinstance(reduction, str):
        reduction = _umap(E, random_state)
    with np.errstate(invalid="ignore"):  # of no variance, shares are 0 / 0
        points = np.asarray(reduction.fit_transform(E))
    if points.shape != (len(E), 2):
        raise ValueError(
            f"The map has two dimensions, but {type(reduction).__name__} made an array "
            f"of shape {points.shape}. Set its n_components to 2."
        )
    return points, _axis_names(reduction)


def _umap(E: NDArray, random_state: Any) -> Any:
    if len(E) < 4:
        raise ValueError(f"reduction='umap' needs at least 4 clips, got {len(E)}.")
    try:
        with no_greetings():  # it imports TensorFlow, where that is installed
            from umap import UMAP
    except ImportError as error:
        raise ImportError(
            "reduction='umap' requires umap-learn. You can install it with "
            '`pip install "skgenre[umap]"`.'
        ) from error
    return UMAP(
        n_neighbors=min(15, len(E) - 1),
        # With a seed, UMAP uses one thread, and warns unless told to.
        n_jobs=-1 if random_state is None else 1,
        random_state=random_state,
    )


def _axis_names(reduction: Any) -> tuple[str, str]:
    if isinstance(reduction, PCA):
        first, second = np.nan_to_num(reduction.explained_variance_ratio_)
        return (
            f"Component 1 ({first:.0%} of the variance)",
            f"Component 2 ({second:.0%} of the variance)",
        )
    name = type(reduction).__name__
    return f"{name} 1", f"{name} 2"
