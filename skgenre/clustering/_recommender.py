"""Recommendation of tracks near those that someone likes."""

import warnings
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import pairwise_distances
from sklearn.preprocessing import normalize
from sklearn.utils import Bunch, check_scalar
from sklearn.utils.validation import check_is_fitted

from skgenre._sklearn_compat import HasMethods, StrOptions, fit_context
from skgenre._text import format_list
from skgenre.classifiers._checks import check_groups
from skgenre.clustering._checks import (
    check_embeddings,
    check_rows,
    check_same_kind,
)
from skgenre.clustering._neighbors import (
    Search,
    approximate_search,
    choose_algorithm,
    exact_search,
)


class TrackRecommender(BaseEstimator):
    """Recommend the tracks of a collection that lie near those that someone likes.

    Fitted on the embeddings of the collection, from any transformer. Each liked track
    in turn adds its nearest neighbour, then its second nearest, and so on: listeners of
    two styles get tracks of both, not those that lie between them. `path` leads from
    one track to another.

    Parameters
    ----------
    metric : {'cosine', 'euclidean'}, default='cosine'
        Distance between embeddings.
    algorithm : {'auto', 'exact', 'approximate'}, default='auto'
        How neighbours are found: 'exact' by scikit-learn, 'approximate' by Faiss (the
        extra ``ann``), which may miss some and is faster for large
        collections. 'auto' is approximate above 100,000 tracks if Faiss is installed,
        else exact.
    clusterer : estimator or None, default=None
        Such as :class:`EmbeddingKMeans`: a copy is fitted on the embeddings, and its
        `predict` returns the clusters that recommendations may share with liked tracks.

    Attributes
    ----------
    embeddings_ : ndarray of shape (n_tracks, n_features)
        Embeddings of the collection.
    groups_ : ndarray of shape (n_tracks,)
        Artists. Only if `fit` was given groups.
    clusterer_ : estimator
        The fitted clusterer. Only if one is set.
    labels_ : ndarray of shape (n_tracks,)
        Clusters of the tracks. Only if a clusterer is set.
    algorithm_ : {'exact', 'approximate'}
        How neighbours are found.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features seen in `fit`; only for string names.

    See Also
    --------
    precision_at_k : How often neighbours share a genre.
    EmbeddingKMeans : Clusters of embeddings.
    sklearn.neighbors.NearestNeighbors : The exact search.

    Notes
    -----
    Liked tracks are never recommended, and neither are copies of them: tracks whose
    embedding differs from that of a liked one by less than a ten-thousandth of its
    length.

    A disliked track keeps away those that are nearer to it than to the liked track
    that they would be recommended for. (Rocchio's feedback [2]_ moves one query away
    from the mean of the disliked tracks instead. It has weights to choose, and may
    recommend a disliked track's nearest neighbour all the same.)

    The approximate search looks through the k-means cells nearest to the query [1]_. It
    is built anew when a fitted recommender has been copied or loaded.

    References
    ----------
    .. [1] H. Jégou, M. Douze and C. Schmid, "Product Quantization for Nearest Neighbor
           Search", IEEE Transactions on Pattern Analysis and Machine Intelligence
           33(1), 2011 (inverted file).
    .. [2] C. D. Manning, P. Raghavan and H. Schütze, "Introduction to Information
           Retrieval", Cambridge University Press, 2008, section 9.1.1.

    Examples
    --------
    >>> from skgenre import TrackRecommender
    >>> E = [[0.0, 0.1], [0.0, 0.2], [0.1, 0.3], [9.0, 9.1], [9.1, 9.3], [9.5, 9.5]]
    >>> artists = ["ella", "ella", "nina", "abc", "xyz", "xyz"]
    >>> recommender = TrackRecommender(metric="euclidean").fit(E, groups=artists)
    >>> found = recommender.recommend([0, 3], k=2)
    >>> found.rows.tolist(), found.liked.tolist(), found.distances.round(2).tolist()
    ([2, 4], [0, 3], [0.22, 0.22])

    A new song, which is not in the collection:

    >>> recommender.recommend_by_embedding([[9.2, 9.2]], k=2).rows.tolist()
    [4, 3]

    Four songs, from the first to the last one of the collection:

    >>> recommender.path(0, 5, k=4).rows.tolist()
    [0, 2, 3, 5]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "metric": [StrOptions({"cosine", "euclidean"})],
        "algorithm": [StrOptions({"auto", "exact", "approximate"})],
        "clusterer": [HasMethods(["fit", "predict"]), None],
    }

    def __init__(
        self,
        *,
        metric: str = "cosine",
        algorithm: str = "auto",
        clusterer: BaseEstimator | None = None,
    ) -> None:
        self.metric = metric
        self.algorithm = algorithm
        self.clusterer = clusterer

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        E: ArrayLike,
        y: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Learn a collection, among whose tracks `recommend` chooses.

        Parameters
        ----------
        E : array-like of shape (n_tracks, n_features)
            Embeddings.
        y : array-like of shape (n_tracks,), default=None
            Genres, which are passed to the clusterer and not used otherwise.
        groups : array-like of shape (n_tracks,), default=None
            Artists, so that `recommend` can leave out those of the liked tracks.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        self.embeddings_ = check_embeddings(self, E, reset=True)
        for name in ("groups_", "clusterer_", "labels_"):
            if hasattr(self, name):  # of another fit
                delattr(self, name)
        if groups is not None:
            self.groups_: Any = check_groups(self.embeddings_, groups)
        if self.clusterer is not None:
            self.clusterer_ = clone(self.clusterer).fit(self.embeddings_, y)
            self.labels_ = self.clusterer_.predict(self.embeddings_)
        self.algorithm_ = choose_algorithm(self.algorithm, len(self.embeddings_))
        self._search = self._make_search()
        return self

    def recommend(
        self,
        liked: ArrayLike,
        k: int = 10,
        *,
        disliked: ArrayLike | None = None,
        exclude_groups: bool = True,
    ) -> Bunch:
        """Recommend tracks near liked tracks of the collection.

        Parameters
        ----------
        liked : int or array-like of int
            Rows of the liked tracks in the embeddings that `fit` was given, from 0.
        k : int, default=10
            Number of tracks to recommend.
        disliked : int or array-like of int, default=None
            Rows of disliked tracks. They, copies of them, and tracks that are nearer to
            one of them than to their liked track are left out.
        exclude_groups : bool, default=True
            Leave out the other tracks of the artists of liked tracks, where `fit` was
            given groups.

        Returns
        -------
        found : :class:`~sklearn.utils.Bunch`
            One value for each recommendation, the best first:

            rows : ndarray of shape (n_found,)
                Rows of the recommended tracks.
            liked : ndarray of shape (n_found,)
                Row of the liked track that each is recommended for: the one among
                whose neighbours it comes first.
            distances : ndarray of shape (n_found,)
                Distance to that liked track.
            clusters : ndarray of shape (n_found,)
                Cluster of each. Only with a clusterer, as is the next.
            shares_cluster : ndarray of shape (n_found,), bool
                Whether the liked track is in the same cluster.

        Raises
        ------
        ValueError
            If `liked` or `disliked` is empty or holds anything but rows of the
            collection, or a track is both.

        Warns
        -----
        UserWarning
            If fewer than `k` tracks are left to recommend.
        """
        check_is_fitted(self)
        n_tracks = len(self.embeddings_)
        rows = check_rows(liked, n_tracks, "liked")
        excluded = np.zeros(n_tracks, dtype=bool)
        excluded[rows] = True
        unwanted = None
        if disliked is not None:
            not_liked = check_rows(disliked, n_tracks, "disliked")
            if len(both := np.intersect1d(rows, not_liked)):
                raise ValueError(
                    f"liked and disliked must have no row in common, got "
                    f"{format_list(both)} in both. Leave it out of one of them."
                )
            excluded[not_liked] = True
            unwanted = self.embeddings_[not_liked]
        if exclude_groups and hasattr(self, "groups_"):
            excluded |= np.isin(self.groups_, self.groups_[rows])
        found = self._near(self.embeddings_[rows], k, excluded, unwanted)
        if self.clusterer is not None:
            self._add_clusters(found, self.labels_[rows])
        found.liked = rows[found.liked]
        return found

    def recommend_by_embedding(
        self,
        E: ArrayLike,
        k: int = 10,
        *,
        disliked: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Bunch:
        """Recommend tracks near songs that are not in the collection.

        Parameters
        ----------
        E : array-like of shape (n_songs, n_features)
            Embeddings of the liked songs.
        k : int, default=10
            Number of tracks to recommend.
        disliked : array-like of shape (n_disliked, n_features), default=None
            Embeddings of disliked songs, as of `recommend`.
        groups : array-like of shape (n_songs,), default=None
            Artists of the songs, whose tracks are left out.

        Returns
        -------
        found : :class:`~sklearn.utils.Bunch`
            As that of `recommend`, but `liked` holds rows of `E`.

        Raises
        ------
        ValueError
            If `E` or `disliked` is not as wide as the embeddings of the collection, or
            groups are given and `fit` was given none.

        Warns
        -----
        UserWarning
            If fewer than `k` tracks are left to recommend.
        """
        check_is_fitted(self)
        E = check_embeddings(self, E, reset=False)
        excluded = np.zeros(len(self.embeddings_), dtype=bool)
        if groups is not None:
            if not hasattr(self, "groups_"):
                raise ValueError(
                    "groups are given, but the artists of the collection are not "
                    "known. Give fit its groups, too."
                )
            artists: Any = check_groups(E, groups)
            check_same_kind(artists, self.groups_)
            excluded = np.isin(self.groups_, artists)
        unwanted = None
        if disliked is not None:
            unwanted = check_embeddings(self, disliked, reset=False)
        found = self._near(E, k, excluded, unwanted)
        if self.clusterer is not None:
            self._add_clusters(found, self.clusterer_.predict(E))
        return found

    def path(self, start: int, end: int, k: int = 10) -> Bunch:
        """Return songs that lead from one track to another in small steps.

        Between the two, points are spaced evenly on the line from one embedding to the
        other; with the cosine metric, both have the length 1. Each point in turn adds
        the track that lies nearest to it, of those that are not farther from the track
        before, or from the end, than the start is from the end.

        Parameters
        ----------
        start, end : int
            Rows of the first and the last track.
        k : int, default=10
            Number of tracks, with these two.

        Returns
        -------
        found : :class:`~sklearn.utils.Bunch`
            One value for each track of the path, from the start to the end:

            rows : ndarray of shape (n_found,)
                Rows of the tracks, each once, and no copies of one another.
            distances : ndarray of shape (n_found,)
                Distance to the track before; 0 at the start. None is larger than that
                between start and end.

        Raises
        ------
        ValueError
            If `start` and `end` are not two rows of the collection, or `k` is less
            than 2.

        Warns
        -----
        UserWarning
            If no more tracks fit in between, so that there are fewer than `k`.
        """
        check_is_fitted(self)
        check_scalar(k, "k", Integral, min_val=2)
        rows = check_rows([start, end], len(self.embeddings_), "start and end")
        if len(rows) < 2:
            raise ValueError(
                f"start and end must be two tracks, got {start} for both. Choose "
                "another one."
            )
        first, last = rows
        found = path_between(self.embeddings_, first, last, k, metric=self.metric)
        if len(found.rows) < k:
            warnings.warn(
                f"Only {len(found.rows)} of the {k} tracks asked for: no other one "
                "fits in between.",
                stacklevel=2,
            )
        return found

    def _near(
        self, liked: NDArray, k: int, excluded: NDArray, disliked: NDArray | None
    ) -> Bunch:
        check_scalar(k, "k", Integral, min_val=1)
        if not hasattr(self, "_search"):  # copied or loaded
            self._search = self._make_search()
        rows, by, distances = nearest_in_turn(
            self._search,
            self.embeddings_,
            liked,
            k,
            excluded=excluded,
            disliked=disliked,
            metric=self.metric,
        )
        if len(rows) < k:
            others = "" if disliked is None else ", nearer to disliked ones"
            warnings.warn(
                f"Only {len(rows)} of the {k} tracks asked for: there are no more that "
                f"are neither liked, copies of liked ones{others}, nor in excluded "
                "groups.",
                stacklevel=3,
            )
        return Bunch(rows=rows, liked=by, distances=distances)

    def _add_clusters(self, found: Bunch, of_liked: NDArray) -> None:
        found.clusters = self.labels_[found.rows]
        found.shares_cluster = found.clusters == of_liked[found.liked]

    def _make_search(self) -> Search:
        make = exact_search if self.algorithm_ == "exact" else approximate_search
        return make(self.embeddings_, self.metric)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the search, which is no plain data."""
        return {k: v for k, v in super().__getstate__().items() if k != "_search"}


# Embeddings of one recording differ by rounding only, those of two recordings by more.
_SAME_RECORDING = 1e-4


def nearest_in_turn(
    search: Search,
    E: NDArray,
    liked: NDArray,
    k: int,
    *,
    excluded: NDArray,
    disliked: NDArray | None = None,
    metric: str,
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the nearest neighbours of liked tracks, each track in its turn.

    Parameters
    ----------
    search : callable
        Finds neighbours in `E`.
    E : ndarray of shape (n_tracks, n_features)
        Embeddings of the collection.
    liked : ndarray of shape (n_liked, n_features)
        Embeddings of the liked tracks.
    k : int
        Number of neighbours wanted.
    excluded : ndarray of shape (n_tracks,), bool
        Tracks that may not be returned; neither may copies of the liked tracks.
    disliked : ndarray of shape (n_disliked, n_features) or None, default=None
        Embeddings of disliked tracks. A neighbour that is as near to one of them as to
        the liked track is not returned.
    metric : str
        Distance.

    Returns
    -------
    rows : ndarray of shape (n_found,)
        The neighbours: first all that are the nearest of a liked track, then all that
        are a second nearest; within a turn by distance. At most `k`.
    by : ndarray of shape (n_found,)
        The liked track that each is near.
    distances : ndarray of shape (n_found,)
        Distance between the two.
    """
    n_tracks = len(E)
    n_searched = k + int(excluded.sum())
    while True:
        n_searched = min(n_searched, n_tracks)
        neighbors = search(liked, n_searched)
        # Of the numbers that a search doesn't find, the approximate one gives -1.
        found = [rows[rows >= 0] for rows in neighbors]
        left = ~excluded
        for query, rows in zip(liked, found, strict=True):
            left[rows[is_copy(E[rows], query)]] = False
        found = [rows[left[rows]] for rows in found]
        if disliked is not None:
            found = [
                rows[_is_nearer(E[rows], query, disliked, metric)]
                for query, rows in zip(liked, found, strict=True)
            ]
        if n_searched == n_tracks or min(map(len, found)) >= k:
            break
        n_searched *= 2  # copies and disliked neighbours took the others' places

    distances = []
    for i, (query, rows) in enumerate(zip(liked, found, strict=True)):
        of_rows = _distances(E[rows], query, metric)
        order = np.lexsort((rows, of_rows))[:k]
        found[i] = rows[order]
        distances.append(of_rows[order])
    turn = np.concatenate([np.arange(len(rows)) for rows in found])
    by = np.repeat(np.arange(len(liked)), [len(rows) for rows in found])
    row, distance = np.concatenate(found), np.concatenate(distances)
    order = np.lexsort((row, distance, turn))
    first = np.sort(np.unique(row[order], return_index=True)[1])[:k]
    chosen = order[first]
    return row[chosen], by[chosen], distance[chosen]


def is_copy(E: NDArray, query: NDArray) -> NDArray:
    """Return which rows are of the same recording as the query."""
    length = np.linalg.norm(query)
    return np.linalg.norm(E - query, axis=1) <= _SAME_RECORDING * length


def _distances(E: NDArray, query: NDArray, metric: str) -> NDArray:
    """Return distances in double precision, in which a search doesn't always compute.

    Of no tracks there are none.
    """
    if not len(E):
        return np.empty(0)
    one = query[np.newaxis].astype(float)
    return pairwise_distances(E.astype(float), one, metric=metric)[:, 0]


def _is_nearer(E: NDArray, query: NDArray, others: NDArray, metric: str) -> NDArray:
    """Return which rows are nearer to the query than to all others."""
    distances = _distances(E, query, metric)
    is_nearer = np.ones(len(E), dtype=bool)
    for other in others:
        is_nearer &= distances < _distances(E, other, metric)
    return is_nearer


def path_between(E: NDArray, start: int, end: int, k: int, *, metric: str) -> Bunch:
    """Return the tracks of a path, and their steps.

    Parameters
    ----------
    E : ndarray of shape (n_tracks, n_features)
        Embeddings of the collection.
    start, end : int
        Rows of the first and the last track, which differ.
    k : int
        Number of tracks wanted, at least 2.
    metric : {'cosine', 'euclidean'}
        Distance of the steps.

    Returns
    -------
    Bunch
        As `TrackRecommender.path` returns it.
    """
    E = E.astype(float)
    if metric == "cosine":  # for vectors of length 1, the nearest are the same
        E = normalize(E)
    to_end = _distances(E, E[end], metric)
    direct = to_end[start]
    is_left = (to_end <= direct) & ~is_copy(E, E[start]) & ~is_copy(E, E[end])
    rows, distances = [start], [0.0]
    for share in np.arange(1, k - 1) / (k - 1):
        steps = _distances(E, E[rows[-1]], metric)
        fits = np.flatnonzero(is_left & (steps <= direct))
        if not len(fits):
            break
        point = (1 - share) * E[start] + share * E[end]
        nearest = fits[_distances(E[fits], point, "euclidean").argmin()]
        rows.append(nearest)
        distances.append(steps[nearest])
        is_left &= ~is_copy(E, E[nearest])
    return Bunch(
        rows=np.array([*rows, end]), distances=np.array([*distances, to_end[rows[-1]]])
    )
