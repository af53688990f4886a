"""Plot of the genres in each cluster."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.base import is_clusterer
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.utils.validation import check_is_fitted

from skgenre._install import require
from skgenre._sklearn_compat import StrOptions, validate_parameter_constraints
from skgenre.inspection._displays._style import check_clip_labels, write_literally

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ClusterDisplay:
    """How many clips of each genre are in each cluster.

    Genres are rows, clusters are columns. Each cluster stands where its genre does:
    they are matched one to one so that as many clips as possible are on the diagonal.

    Make it by `from_estimator` or `from_predictions`.

    Parameters
    ----------
    cluster_matrix : ndarray of shape (n_genres, n_clusters)
        Clips of each genre in each cluster: counts, or shares.
    genres : ndarray of shape (n_genres,)
        Labels of the rows.
    clusters : ndarray of shape (n_clusters,)
        Labels of the columns.
    adjusted_rand : float, default=None
        Agreement of clusters and genres: 1 is perfect, 0 is chance.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the matrix is.
    figure_ : matplotlib Figure
        Figure that holds it.
    im_ : matplotlib AxesImage
        The matrix.
    text_ : ndarray of shape (n_genres, n_clusters) of matplotlib Text, or None
        The values in it.

    See Also
    --------
    skgenre.EmbeddingKMeans : Finds clusters.
    SilhouetteDisplay : How well clusters are separated, without genres.
    sklearn.metrics.ConfusionMatrixDisplay : The same for a classifier's predictions.

    Notes
    -----
    The matching is Kuhn's Hungarian assignment [1]_ on the counts. Rows are sorted by
    genre. With fewer clusters than genres, genres without a cluster come last; with
    more, clusters without a genre come last, sorted by the genre that each holds most
    of.

    References
    ----------
    .. [1] H. W. Kuhn, "The Hungarian method for the assignment problem", Naval
       Research Logistics Quarterly 2, 1955.

    Examples
    --------
    >>> from skgenre.inspection import ClusterDisplay
    >>> display = ClusterDisplay.from_predictions(
    ...     ["folk", "folk", "rock", "rock", "rock"], [1, 1, 0, 0, 1]
    ... )
    >>> display.cluster_matrix
    array([[2, 0],
           [1, 2]])
    >>> display.clusters.tolist()
    [1, 0]
    """

    def __init__(
        self,
        cluster_matrix: NDArray,
        *,
        genres: NDArray,
        clusters: NDArray,
        adjusted_rand: float | None = None,
    ) -> None:
        self.cluster_matrix = cluster_matrix
        self.genres = genres
        self.clusters = clusters
        self.adjusted_rand = adjusted_rand

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        normalize: str | None = None,
        ax: "Axes | None" = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the clusters that a fitted clusterer predicts for clips.

        Parameters
        ----------
        estimator : estimator
            Fitted clusterer with `predict`, such as `EmbeddingKMeans`, or a Pipeline
            that ends with one.
        X : array-like of shape (n_clips, ...)
            What the estimator takes.
        y : array-like of shape (n_clips,)
            Genres.
        normalize : {'true', 'pred', 'all'}, default=None
            As for `from_predictions`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed on to `plot`.

        Returns
        -------
        ClusterDisplay

        Raises
        ------
        ValueError
            If the estimator is no clusterer, or one without `predict`.
        """
        check_is_fitted(estimator)
        if not is_clusterer(estimator) or not hasattr(estimator, "predict"):
            raise ValueError(
                f"{cls.__name__}.from_estimator needs a clusterer with predict, such "
                "as EmbeddingKMeans, or a Pipeline that ends with one. Got "
                f"{type(estimator).__name__}. Where you have clusters already, use "
                "from_predictions."
            )
        check_clip_labels(y, "y", X)  # refused before hours of decoding
        return cls.from_predictions(
            y, estimator.predict(X), normalize=normalize, ax=ax, **kwargs
        )

    @classmethod
    def from_predictions(
        cls,
        y: ArrayLike,
        labels: ArrayLike,
        *,
        normalize: str | None = None,
        ax: "Axes | None" = None,
        **kwargs: Any,
    ) -> Self:
        """Draw given clusters and genres.

        Parameters
        ----------
        y : array-like of shape (n_clips,)
            Genres.
        labels : array-like of shape (n_clips,)
            Cluster of each clip.
        normalize : {'true', 'pred', 'all'}, default=None
            Shares instead of counts: of each genre's clips ('true'), of each
            cluster's ('pred'), or of all clips ('all').
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed on to `plot`.

        Returns
        -------
        ClusterDisplay

        Raises
        ------
        ValueError
            If lengths do not match, or `normalize` is something else.
        """
        validate_parameter_constraints(
            {"normalize": [StrOptions({"true", "pred", "all"}), None]},
            {"normalize": normalize},
            caller_name=f"{cls.__name__}.from_predictions",
        )
        labels = check_clip_labels(labels, "labels", np.asarray(labels))
        y = check_clip_labels(y, "y", labels)
        counts = contingency_matrix(y, labels)
        rows, columns = _matched(counts)
        matrix = counts[np.ix_(rows, columns)]
        if normalize is not None:
            # Each genre and each cluster has a clip, so that no sum is 0.
            axis = {"true": 1, "pred": 0, "all": None}[normalize]
            matrix = matrix / matrix.sum(axis=axis, keepdims=True)
        return cls(
            matrix,
            genres=np.unique(y)[rows],
            clusters=np.unique(labels)[columns],
            adjusted_rand=float(adjusted_rand_score(y, labels)),
        ).plot(ax=ax, **kwargs)

    def plot(
        self,
        *,
        ax: "Axes | None" = None,
        include_values: bool = True,
        values_format: str | None = None,
        cmap: Any = "Blues",
        colorbar: bool = True,
    ) -> Self:
        """Draw the matrix.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        include_values : bool, default=True
            Whether to write the values into the matrix.
        values_format : str, default=None
            Format of the values; None is 'd' for counts, '.2f' for shares.
        cmap : str or matplotlib Colormap, default='Blues'
            Colours, from few clips to many.
        colorbar : bool, default=True
            Whether to add the scale of the colours.

        Returns
        -------
        ClusterDisplay
        """
        require("matplotlib")
        import matplotlib.pyplot as plt
        from matplotlib.ticker import MaxNLocator

        matrix = np.asarray(self.cluster_matrix)
        is_count = matrix.dtype.kind in "iu"
        if ax is None:
            size = 3 + 0.5 * matrix.shape[1], 1.5 + 0.4 * matrix.shape[0]
            _, ax = plt.subplots(figsize=size, layout="constrained")
        self.im_ = ax.imshow(matrix, cmap=cmap, vmin=0, aspect="auto")
        self.text_ = None
        if include_values:
            values_format = values_format or ("d" if is_count else ".2f")
            self.text_ = self._write_values(ax, matrix, values_format)
        if colorbar:
            ax.figure.colorbar(
                self.im_,
                ax=ax,
                label="Clips" if is_count else "Share of the clips",
                ticks=MaxNLocator(integer=True) if is_count else None,
            )
        ax.set(
            xlabel="Cluster",
            ylabel="Genre",
            xticks=range(matrix.shape[1]),
            yticks=range(matrix.shape[0]),
            xticklabels=self.clusters,
            yticklabels=self.genres,
        )
        write_literally([*ax.get_xticklabels(), *ax.get_yticklabels()])
        if self.adjusted_rand is not None:
            ax.set_title(f"Adjusted Rand index {self.adjusted_rand:z.2f}")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _write_values(self, ax: "Axes", matrix: NDArray, values_format: str) -> NDArray:
        light, dark = self.im_.cmap(0.0), self.im_.cmap(1.0)
        # Four characters are 2.4 times as wide as high, and want some room.
        box = ax.get_window_extent()
        cell = min(box.width / matrix.shape[1], box.height / matrix.shape[0])
        font_size = min(10.0, cell * 72 / ax.figure.dpi / 2.8)
        texts = np.empty(matrix.shape, dtype=object)
        for (row, column), value in np.ndenumerate(matrix):
            texts[row, column] = ax.text(
                column,
                row,
                format(value, values_format),
                ha="center",
                va="center",
                fontsize=font_size,
                color=light if value > matrix.max() / 2 else dark,
            )
        return texts


def _matched(counts: NDArray) -> tuple[NDArray, NDArray]:
    """Return the orders of rows and columns with the largest diagonal sum."""
    rows, columns = linear_sum_assignment(counts, maximize=True)
    rows = np.concatenate([rows, np.setdiff1d(np.arange(counts.shape[0]), rows)])
    others = np.setdiff1d(np.arange(counts.shape[1]), columns)
    most = counts[np.ix_(rows, others)].argmax(axis=0)
    others = others[np.argsort(most, kind="stable")]
    return rows, np.concatenate([columns, others])
