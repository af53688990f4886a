"""Plot of the silhouette score over the number of clusters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from skgenre._install import require
from skgenre.clustering import EmbeddingKMeans
from skgenre.inspection._fitted_parts import split_model

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class SilhouetteCurveDisplay:
    """Silhouette score over the number of clusters; the best number is marked.

    Make it by `from_estimator` or `from_embeddings`.

    Parameters
    ----------
    silhouette_by_k : dict of int to float
        Score, in [-1, 1], for each number of clusters.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the curve is.
    figure_ : matplotlib Figure
        Figure that holds it.
    line_ : matplotlib Line2D
        The curve.

    See Also
    --------
    SilhouetteDisplay : The clips behind one score.
    skgenre.EmbeddingKMeans : Chooses the best number with ``n_clusters='auto'``.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skgenre.inspection import SilhouetteCurveDisplay
    >>> E, _ = make_blobs(100, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)
    >>> display = SilhouetteCurveDisplay.from_embeddings(E, random_state=0)
    >>> display.line_.get_xdata()
    array([2, 3, 4, 5, 6, 7, 8, 9])
    >>> max(display.silhouette_by_k, key=display.silhouette_by_k.get)
    3
    """

    def __init__(self, silhouette_by_k: Mapping[int, float]) -> None:
        self.silhouette_by_k = silhouette_by_k

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: "Axes | None" = None, name: str | None = None
    ) -> Self:
        """Draw the scores by which a fitted clusterer chose its number of clusters.

        Parameters
        ----------
        estimator : estimator
            `EmbeddingKMeans` fitted with ``n_clusters='auto'``, or a Pipeline that
            ends with one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        name : str, default=None
            Label of the curve.

        Returns
        -------
        SilhouetteCurveDisplay

        Raises
        ------
        ValueError
            If the estimator tried only one number of clusters, or is no such estimator.
        """
        check_is_fitted(estimator)
        _, last = split_model(estimator)
        silhouette_by_k = getattr(last, "silhouette_by_k_", {})
        if len(silhouette_by_k) < 2:
            raise ValueError(
                f"{cls.__name__}.from_estimator needs an EmbeddingKMeans that was "
                "fitted with n_clusters='auto' and tried several numbers, or a "
                f"Pipeline that ends with one. Got {last!r}. from_embeddings tries "
                "them on embeddings."
            )
        return cls(silhouette_by_k).plot(ax=ax, name=name)

    @classmethod
    def from_embeddings(
        cls,
        E: ArrayLike,
        *,
        k_range: tuple[int, int] = (2, 9),
        random_state: int | np.random.RandomState | None = None,
        ax: "Axes | None" = None,
        name: str | None = None,
    ) -> Self:
        """Cluster embeddings into several numbers of clusters and draw the scores.

        Parameters
        ----------
        E : array-like of shape (n_clips, n_features)
            Embeddings, or any table of features.
        k_range : tuple of (int, int), default=(2, 9)
            The lowest and the highest number of clusters to try.
        random_state : int, RandomState instance or None, default=None
            Decides the starting centres.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        name : str, default=None
            Label of the curve.

        Returns
        -------
        SilhouetteCurveDisplay

        Raises
        ------
        ValueError
            If there are too few clips, values are not finite, or `k_range` is no
            range from 2 on.
        """
        kmeans = EmbeddingKMeans("auto", k_range=k_range, random_state=random_state)
        return cls(kmeans.fit(E).silhouette_by_k_).plot(ax=ax, name=name)

    def plot(self, *, ax: "Axes | None" = None, name: str | None = None) -> Self:
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure. Several curves may share it.
        name : str, default=None
            Label of the curve.

        Returns
        -------
        SilhouetteCurveDisplay
        """
        require("matplotlib")
        import matplotlib.pyplot as plt
        from matplotlib.ticker import MaxNLocator

        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        numbers = np.array(sorted(self.silhouette_by_k))
        scores = np.array([self.silhouette_by_k[k] for k in numbers])
        (self.line_,) = ax.plot(numbers, scores, marker="o", markersize=4, label=name)
        if not np.isnan(scores).all():
            best = np.nanargmax(scores)
            ax.plot(
                numbers[best],
                scores[best],
                marker="*",
                markersize=16,
                linestyle="none",
                color=self.line_.get_color(),
                label=f"best: {numbers[best]} clusters",
            )
        ax.set(xlabel="Number of clusters", ylabel="Silhouette score")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if ax.get_legend_handles_labels()[1]:
            ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
