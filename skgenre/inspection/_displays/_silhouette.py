"""Plot of the silhouette of each clip, by cluster."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_clusterer
from sklearn.metrics import silhouette_samples
from sklearn.utils.validation import check_array, check_is_fitted

from skgenre._estimators import apply_steps
from skgenre._install import require
from skgenre.clustering._embedding_kmeans import has_silhouette, silhouette_rows
from skgenre.inspection._displays._style import (
    COLORS,
    check_clip_labels,
    write_literally,
)
from skgenre.inspection._fitted_parts import split_model

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class SilhouetteDisplay:
    """Silhouette of each clip, cluster by cluster, and their mean.

    A clip's silhouette compares its distance to the clips of its cluster with that to
    the clips of the nearest other one: 1 is deep inside, 0 between the two, and below
    0 it lies nearer to the other.

    Make it by `from_estimator` or `from_predictions`.

    Parameters
    ----------
    silhouettes : ndarray of shape (n_clips,)
        Silhouette of each clip, in [-1, 1].
    labels : ndarray of shape (n_clips,)
        Cluster of each clip.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the silhouettes are.
    figure_ : matplotlib Figure
        Figure that holds them.
    line_ : matplotlib Line2D
        Mean of all clips: the silhouette score.

    See Also
    --------
    SilhouetteCurveDisplay : The score over the number of clusters.
    sklearn.metrics.silhouette_samples : Computes them.

    Notes
    -----
    With more than 10,000 clips, a random 10,000 are drawn, the same by which
    `EmbeddingKMeans` scores itself.

    References
    ----------
    .. [1] P. J. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and
       validation of cluster analysis", Journal of Computational and Applied
       Mathematics 20, 1987.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skgenre import EmbeddingKMeans
    >>> from skgenre.inspection import SilhouetteDisplay
    >>> E, _ = make_blobs(100, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)
    >>> kmeans = EmbeddingKMeans(3, random_state=0).fit(E)
    >>> display = SilhouetteDisplay.from_estimator(kmeans, E)
    >>> display.ax_.get_title()
    'Mean silhouette 0.79'
    """

    def __init__(self, silhouettes: NDArray, labels: NDArray) -> None:
        self.silhouettes = silhouettes
        self.labels = labels

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, *, ax: "Axes | None" = None
    ) -> Self:
        """Draw the clusters that a fitted clusterer predicts for clips.

        Parameters
        ----------
        estimator : estimator
            Fitted clusterer with `predict`, such as `EmbeddingKMeans`, or a Pipeline
            that ends with one; distances are those between what this step is given.
        X : array-like of shape (n_clips, ...)
            What the estimator takes.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        SilhouetteDisplay

        Raises
        ------
        ValueError
            If the estimator is no clusterer, or one without `predict`.
        """
        check_is_fitted(estimator)
        front, last = split_model(estimator)
        if not is_clusterer(last) or not hasattr(last, "predict"):
            raise ValueError(
                f"{cls.__name__}.from_estimator needs a clusterer with predict, such "
                "as EmbeddingKMeans, or a Pipeline that ends with one. Got "
                f"{type(estimator).__name__}. Where you have clusters already, use "
                "from_predictions."
            )
        E = apply_steps(front, X)
        return cls.from_predictions(E, last.predict(E), ax=ax)

    @classmethod
    def from_predictions(
        cls, E: ArrayLike, labels: ArrayLike, *, ax: "Axes | None" = None
    ) -> Self:
        """Draw given clusters.

        Parameters
        ----------
        E : array-like of shape (n_clips, n_features)
            Embeddings, or any table of features; distances are Euclidean.
        labels : array-like of shape (n_clips,)
            Cluster of each clip; or its genre, to see how well genres are separated.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        SilhouetteDisplay

        Raises
        ------
        ValueError
            If there is one cluster, or each clip is one, also among those that are
            drawn, which leaves nothing to compare, or if lengths do not match.
        """
        table: NDArray = check_array(E, dtype=[np.float64, np.float32], input_name="E")
        clusters = check_clip_labels(labels, "labels", table)
        rows = silhouette_rows(len(table))
        shown = clusters[rows]
        if has_silhouette(clusters) and not has_silhouette(shown):
            raise ValueError(
                f"Of {len(table)} clips {len(rows)} are drawn, and these are all of "
                "one cluster, or each of its own. Give a choice of clips with several "
                "of each cluster."
            )
        return cls(silhouette_samples(table[rows], shown), shown).plot(ax=ax)

    def plot(self, *, ax: "Axes | None" = None) -> Self:
        """Draw the silhouettes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        SilhouetteDisplay
        """
        require("matplotlib")
        import matplotlib.pyplot as plt

        silhouettes, labels = np.asarray(self.silhouettes), np.asarray(self.labels)
        clusters = np.unique(labels)
        if ax is None:
            size = 6, max(4, 1.5 + 0.3 * len(clusters))
            _, ax = plt.subplots(figsize=size, layout="constrained")
        gap = max(1, len(labels) // 50)
        first, middles = 0, []
        for i, cluster in enumerate(clusters):
            of_cluster = np.sort(silhouettes[labels == cluster])[::-1]
            edges = first + np.arange(len(of_cluster) + 1)
            ax.stairs(
                of_cluster,
                edges,
                orientation="horizontal",
                fill=True,
                color=COLORS[i % len(COLORS)],
            )
            middles.append(edges.mean())
            first = edges[-1] + gap
        mean = float(silhouettes.mean())
        self.line_ = ax.axvline(mean, color="black", linestyle="--", label="mean")
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set(
            xlabel="Silhouette",
            ylabel="Clips of each cluster",
            yticks=middles,
            yticklabels=clusters,
            ylim=(first, -gap),
            title=f"Mean silhouette {mean:z.2f}",
        )
        write_literally(ax.get_yticklabels())
        self.ax_, self.figure_ = ax, ax.figure
        return self
