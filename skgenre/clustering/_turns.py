"""The neighbours of several liked tracks, in one order that serves all of them."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances

from skgenre.clustering._neighbors import Search

# Embeddings of one recording differ by rounding only, those of two recordings by more.
_SAME_RECORDING = 1e-4


def nearest_in_turn(
    search: Search,
    E: NDArray,
    liked: NDArray,
    k: int,
    *,
    excluded: NDArray,
    metric: str,
) -> tuple[NDArray, NDArray, NDArray]:
    """Let each liked track in turn name its nearest neighbour that is left.

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
        Tracks that may not be named; copies of the liked tracks may not either.
    metric : str
        Distance.

    Returns
    -------
    rows : ndarray of shape (n_found,)
        The neighbours: first all that are the nearest of a liked track, then all that
        are a second nearest; within a turn by distance. At most `k`.
    by : ndarray of shape (n_found,)
        The liked track that named each.
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
            left[rows[_is_copy(E[rows], query)]] = False
        found = [rows[left[rows]] for rows in found]
        if n_searched == n_tracks or min(map(len, found)) >= k:
            break
        n_searched *= 2  # copies took their places

    # In double precision, in which a search doesn't always compute.
    distances = []
    for i, (query, rows) in enumerate(zip(liked, found, strict=True)):
        of_rows = (
            pairwise_distances(
                E[rows].astype(float), query[np.newaxis].astype(float), metric=metric
            )[:, 0]
            if len(rows)
            else np.empty(0)
        )
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


def _is_copy(E: NDArray, query: NDArray) -> NDArray:
    length = np.linalg.norm(query)
    return np.linalg.norm(E - query, axis=1) <= _SAME_RECORDING * length
