"""K-means of embeddings, with scores of the clusters."""

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
)

from skgenre._sklearn_compat import Interval, StrOptions, fit_context
from skgenre.classifiers._checks import check_labels
from skgenre.clustering._checks import check_embeddings

# The silhouette compares every pair; beyond this many clips a sample is taken.
_SILHOUETTE_CLIPS = 10_000


class EmbeddingKMeans(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator
):
    """Cluster embeddings by k-means and score the clusters.

    Use it after a network in a `Pipeline`, or on any table of features. Genres, where
    given, are not learned from: the clusters are compared with them, as in the
    paper [1]_.

    Parameters
    ----------
    n_clusters : int or 'auto', default=8
        Number of clusters; 'auto' takes the number with the best silhouette.
    k_range : tuple of (int, int), default=(2, 9)
        With ``n_clusters='auto'``: the lowest and the highest number to try.
    n_init : int, default=10
        Runs of k-means from different starts; the best is kept.
    random_state : int, RandomState instance or None, default=None
        Decides the starting centres.

    Attributes
    ----------
    n_clusters_ : int
        Number of clusters found.
    labels_ : ndarray of shape (n_clips,)
        Cluster of each clip seen in `fit`.
    cluster_centers_ : ndarray of shape (`n_clusters_`, n_features)
        Mean embedding of each cluster.
    silhouette_score_ : float
        Silhouette of the clips seen in `fit`, in [-1, 1]; NaN where it is not defined
        (one cluster, or one clip each, also in the sample of many clips).
    silhouette_by_k_ : dict of int to float
        Silhouette for each number of clusters tried.
    adjusted_rand_score_ : float
        Agreement of the clusters with the genres: 1 is perfect, 0 is chance. Only if
        `fit` was given genres.
    kmeans_ : sklearn.cluster.KMeans
        The fitted clustering.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features seen in `fit`; only for string names.

    See Also
    --------
    sklearn.cluster.KMeans : The clustering itself.

    Notes
    -----
    With more than 10,000 clips, the silhouette is that of a sample of 10,000.

    References
    ----------
    .. [1] P. Dwivedi, "Deep Learning for Music Genre Recognition", section 4.2.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skgenre import EmbeddingKMeans
    >>> E, genres = make_blobs(100, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)
    >>> kmeans = EmbeddingKMeans("auto", random_state=0).fit(E, genres)
    >>> kmeans.n_clusters_, kmeans.adjusted_rand_score_
    (3, 1.0)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "k_range": ["array-like"],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_clusters: int | str = 8,
        *,
        k_range: tuple[int, int] = (2, 9),
        n_init: int = 10,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.k_range = k_range
        self.n_init = n_init
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, E: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Find the clusters.

        Parameters
        ----------
        E : array-like of shape (n_clips, n_features)
            Embeddings.
        y : array-like of shape (n_clips,), default=None
            Genres to compare the clusters with.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        E = check_embeddings(self, E, reset=True)
        random_state = check_random_state(self.random_state)
        seed = random_state.randint(2**31 - 1)

        fits = {
            k: KMeans(k, n_init=self.n_init, random_state=seed).fit(E)
            for k in self._numbers_to_try(len(E))
        }
        self.silhouette_by_k_ = {
            k: _silhouette(E, kmeans.labels_) for k, kmeans in fits.items()
        }
        self.n_clusters_ = max(
            fits, key=lambda k: np.nan_to_num(self.silhouette_by_k_[k], nan=-2)
        )
        self.silhouette_score_ = self.silhouette_by_k_[self.n_clusters_]
        self.kmeans_ = fits[self.n_clusters_]
        self.labels_ = self.kmeans_.labels_
        self.cluster_centers_ = self.kmeans_.cluster_centers_
        if y is not None:
            self.adjusted_rand_score_ = _adjusted_rand(y, self.labels_)
        elif hasattr(self, "adjusted_rand_score_"):
            del self.adjusted_rand_score_
        return self

    def fit_predict(self, E: ArrayLike, y: ArrayLike | None = None) -> NDArray:
        """Find the clusters and return that of each clip.

        Parameters
        ----------
        E : array-like of shape (n_clips, n_features)
            Embeddings.
        y : array-like of shape (n_clips,), default=None
            Genres to compare the clusters with.

        Returns
        -------
        ndarray of shape (n_clips,)
            Numbers of clusters: `labels_`.
        """
        return self.fit(E, y).labels_

    def predict(self, E: ArrayLike) -> NDArray:
        """Return the nearest cluster of each clip.

        Parameters
        ----------
        E : array-like of shape (n_clips, n_features)
            Embeddings.

        Returns
        -------
        ndarray of shape (n_clips,)
            Numbers of clusters.
        """
        check_is_fitted(self)
        E = check_embeddings(self, E, reset=False)
        return self.kmeans_.predict(E)

    def transform(self, E: ArrayLike) -> NDArray:
        """Return the distance of each clip to each cluster's centre.

        Parameters
        ----------
        E : array-like of shape (n_clips, n_features)
            Embeddings.

        Returns
        -------
        ndarray of shape (n_clips, `n_clusters_`)
            Euclidean distances.
        """
        check_is_fitted(self)
        E = check_embeddings(self, E, reset=False)
        return self.kmeans_.transform(E)

    def score(self, E: ArrayLike, y: ArrayLike | None = None) -> float:
        """Return how well the clusters fit the genres, or the embeddings.

        Parameters
        ----------
        E : array-like of shape (n_clips, n_features)
            Embeddings.
        y : array-like of shape (n_clips,), default=None
            Genres.

        Returns
        -------
        float
            Adjusted Rand index with the genres; without genres, the silhouette.
        """
        check_is_fitted(self)
        E = check_embeddings(self, E, reset=False)
        labels = self.kmeans_.predict(E)
        return _silhouette(E, labels) if y is None else _adjusted_rand(y, labels)

    def _numbers_to_try(self, n_clips: int) -> list[int]:
        if not isinstance(self.n_clusters, str):
            return [self.n_clusters]
        lowest, highest = _check_k_range(self.k_range)
        numbers = list(range(lowest, min(highest, n_clips - 1) + 1))
        if not numbers:
            raise ValueError(
                f"n_clusters='auto' needs more than {lowest} clips to try at least "
                f"{lowest} clusters (k_range={self.k_range!r}), got "
                f"n_samples = {n_clips}."
            )
        return numbers

    @property
    def _n_features_out(self) -> int:
        return self.n_clusters_

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn should know of the estimator."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _check_k_range(k_range: tuple[int, int]) -> tuple[int, int]:
    numbers = np.asarray(k_range)
    fits = numbers.shape == (2,) and numbers.dtype.kind in "iu"
    if not fits or not 2 <= numbers[0] <= numbers[1]:
        raise ValueError(
            "The 'k_range' parameter must be two integers (lowest, highest) with "
            f"2 <= lowest <= highest. Got {k_range!r} instead."
        )
    return int(numbers[0]), int(numbers[1])


def silhouette_rows(n_clips: int) -> NDArray:
    """Return the rows of the clips whose silhouette is computed: all, or a sample."""
    if n_clips <= _SILHOUETTE_CLIPS:
        return np.arange(n_clips)
    return check_random_state(0).permutation(n_clips)[:_SILHOUETTE_CLIPS]


def has_silhouette(labels: NDArray) -> bool:
    """Return whether there are several clusters, and not only clusters of one clip."""
    return 1 < len(np.unique(labels)) < len(labels)


def _silhouette(E: NDArray, labels: NDArray) -> float:
    """Return the silhouette, or NaN where it is not defined."""
    rows = silhouette_rows(len(labels))
    if not has_silhouette(labels[rows]):
        return float("nan")
    return float(silhouette_score(E[rows], labels[rows]))


def _adjusted_rand(y: ArrayLike, labels: NDArray) -> float:
    genres = check_labels("y", y)
    check_consistent_length(genres, labels)
    return float(adjusted_rand_score(genres, labels))
