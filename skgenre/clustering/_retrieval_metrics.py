"""Retrieval metrics: how many neighbours of a track share its genre."""

from collections.abc import Callable
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import pairwise_distances_chunked
from sklearn.utils import check_array, check_consistent_length

from skgenre._sklearn_compat import Interval, StrOptions, validate_params
from skgenre.classifiers._checks import check_groups, check_labels

_CONSTRAINTS: dict[str, list[Any]] = {
    "E": ["array-like"],
    "y": ["array-like"],
    "groups": ["array-like", None],
    "metric": [StrOptions({"cosine", "euclidean"})],
    "average": ["boolean"],
}


@validate_params(
    _CONSTRAINTS | {"k": [Interval(Integral, 1, None, closed="left")]},
    prefer_skip_nested_validation=True,
)
def precision_at_k(
    E: ArrayLike,
    y: ArrayLike,
    *,
    k: int = 5,
    groups: ArrayLike | None = None,
    metric: str = "cosine",
    average: bool = True,
) -> float | NDArray:
    r"""Return the share of a track's `k` nearest neighbours that have its genre.

    Each track in turn is the query. It is never its own neighbour and, where `groups`
    are given, neither are other tracks of its artist: their sound and voices make them
    near, whatever the embedding knows of genres [2]_.

    Parameters
    ----------
    E : array-like of shape (n_tracks, n_features)
        Embeddings.
    y : array-like of shape (n_tracks,)
        Genres.
    k : int, default=5
        Number of neighbours.
    groups : array-like of shape (n_tracks,), default=None
        Artists. With None, only the query itself is left out.
    metric : {'cosine', 'euclidean'}, default='cosine'
        Distance.
    average : bool, default=True
        Return the mean over all queries; with False, the value of each.

    Returns
    -------
    float or ndarray of shape (n_tracks,)
        In [0, 1]; 1 is best.

    Raises
    ------
    ValueError
        If lengths do not match, values are not finite, or a track has fewer than `k`
        tracks of other artists to be compared with.

    See Also
    --------
    mean_average_precision : Looks at the whole ranking.
    TrackRecommender : Recommends the neighbours.

    Notes
    -----
    With :math:`r_{qi} = 1` where the track at rank :math:`i` has the genre of the query
    :math:`q`, and else 0 [1]_:

    .. math:: P@k(q) = \frac{1}{k} \sum_{i=1}^{k} r_{qi}

    Tracks at equal distances are ranked in their order in `E`.

    References
    ----------
    .. [1] C. D. Manning, P. Raghavan and H. Schütze, "Introduction to Information
           Retrieval", Cambridge University Press, 2008, section 8.4.
    .. [2] A. Flexer and D. Schnitzer, "Effects of Album and Artist Filters in Audio
           Similarity Computed for Very Large Music Databases", Computer Music Journal
           34(3), 2010.

    Examples
    --------
    >>> from skgenre.clustering import precision_at_k
    >>> E = [[0.0], [0.1], [0.3], [9.0], [9.1], [9.3]]
    >>> genres = ["jazz", "jazz", "jazz", "rock", "rock", "rock"]
    >>> precision_at_k(E, genres, k=2, metric="euclidean")
    1.0
    >>> artists = ["a", "a", "b", "c", "c", "c"]
    >>> precision_at_k(
    ...     E, genres, k=1, groups=artists, metric="euclidean", average=False
    ... ).tolist()
    [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    """
    values = _for_each_query(
        E, y, groups, metric, least=k, measure=partial(_precision, k=k)
    )
    return float(values.mean()) if average else values


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def mean_average_precision(
    E: ArrayLike,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    metric: str = "cosine",
    average: bool = True,
) -> float | NDArray:
    r"""Return the mean average precision of tracks ranked by distance.

    Each track in turn is the query, and all others are ranked; with `groups`, all of
    other artists.

    Parameters
    ----------
    E : array-like of shape (n_tracks, n_features)
        Embeddings.
    y : array-like of shape (n_tracks,)
        Genres.
    groups : array-like of shape (n_tracks,), default=None
        Artists. With None, only the query itself is left out.
    metric : {'cosine', 'euclidean'}, default='cosine'
        Distance.
    average : bool, default=True
        Return the mean over the queries; with False, the value of each, which is NaN
        where no other artist has a track of the genre.

    Returns
    -------
    float or ndarray of shape (n_tracks,)
        In [0, 1]; 1 is best.

    Raises
    ------
    ValueError
        If lengths do not match, values are not finite, or no track has one of its
        genre by another artist.

    See Also
    --------
    precision_at_k : Looks at the nearest only.

    Notes
    -----
    With :math:`r_{qi} = 1` where the track at rank :math:`i` has the genre of the query
    :math:`q`, and else 0, the average precision of a query is [1]_

    .. math:: AP(q) = \frac{\sum_i r_{qi} \, P@i(q)}{\sum_i r_{qi}}

    and the mean is over the queries for which it is defined. Tracks at equal distances
    are ranked in their order in `E`.

    References
    ----------
    .. [1] C. D. Manning, P. Raghavan and H. Schütze, "Introduction to Information
           Retrieval", Cambridge University Press, 2008, section 8.4.

    Examples
    --------
    >>> from skgenre.clustering import mean_average_precision
    >>> E = [[0.0], [0.1], [0.3], [9.0], [9.1], [9.3]]
    >>> genres = ["jazz", "jazz", "rock", "rock", "rock", "rock"]
    >>> round(mean_average_precision(E, genres, metric="euclidean"), 2)
    0.91
    """
    values = _for_each_query(E, y, groups, metric, least=0, measure=_average_precision)
    if not average:
        return values
    if np.isnan(values).all():
        raise ValueError(
            "No track has one of its genre by another artist, so there is nothing to "
            "find. Give more tracks."
        )
    return float(np.nanmean(values))


def _precision(relevant: NDArray, k: int) -> NDArray:
    return relevant[:, :k].mean(axis=1)


def _average_precision(relevant: NDArray) -> NDArray:
    found = np.cumsum(relevant, axis=1)
    precision = found / np.arange(1, relevant.shape[1] + 1)
    n_relevant = relevant.sum(axis=1)
    sums = (precision * relevant).sum(axis=1)
    undefined = np.full(len(relevant), np.nan)
    return np.divide(sums, n_relevant, out=undefined, where=n_relevant > 0)


def _for_each_query(
    E: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None,
    metric: str,
    *,
    least: int,
    measure: Callable[[NDArray], NDArray],
) -> NDArray:
    """Return the measure of each query's ranking.

    A ranking is a row of bool: whether each rank has the query's genre. Tracks that may
    not be found come last, as irrelevant ones.
    """
    E = np.asarray(check_array(E, dtype=[np.float64, np.float32], input_name="E"))
    genres = check_labels("y", y)
    check_consistent_length(E, genres)
    genres = np.unique(genres, return_inverse=True)[1]
    artists = check_groups(E, groups)
    artists = np.arange(len(E)) if artists is None else artists
    artists, sizes = np.unique(artists, return_inverse=True, return_counts=True)[1:]
    n_left = len(E) - sizes.max()
    if n_left < least:
        raise ValueError(
            f"k={least} neighbours are wanted, but {n_left} of {len(E)} tracks are "
            "left to find for a track, without it and the others of its artist. Choose "
            "a smaller k, or give more tracks."
        )

    def ranked(distances: NDArray, start: int) -> NDArray:
        query = np.arange(start, start + len(distances))
        own = artists[query, np.newaxis] == artists
        order = np.argsort(np.where(own, np.inf, distances), axis=1, kind="stable")
        relevant = (genres[query, np.newaxis] == genres) & ~own
        return measure(np.take_along_axis(relevant, order, axis=1))

    chunks = pairwise_distances_chunked(E, reduce_func=ranked, metric=metric)
    return np.concatenate(list(chunks))
