"""Nearest neighbours: exact by scikit-learn, or approximate by Faiss."""

import importlib.util
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

Search = Callable[[NDArray, int], NDArray]
"""From queries (n_queries, n_features) and a number to the rows of so many neighbours
(n_queries, number), the nearest first and -1 where fewer were found."""

# Up to here, looking at every track takes a fraction of a second.
_N_EXACT = 100_000
# Cells searched. With as many cells as the square root of the tracks, these hold nearly
# all neighbours, however many tracks there are.
_N_CELLS_SEARCHED = 64
_INSTALL = 'pip install "skgenre[ann]"'


def choose_algorithm(algorithm: str, n_tracks: int) -> str:
    """Return 'exact' or 'approximate'.

    Raises
    ------
    ImportError
        If 'approximate' is wanted and Faiss is not installed.
    """
    has_faiss = importlib.util.find_spec("faiss") is not None
    if algorithm == "approximate" and not has_faiss:
        raise ImportError(
            f"algorithm='approximate' needs Faiss. Install it, `{_INSTALL}`, or choose "
            "algorithm='exact'."
        )
    if algorithm == "auto":
        return "approximate" if has_faiss and n_tracks > _N_EXACT else "exact"
    return algorithm


def exact_search(E: NDArray, metric: str) -> Search:
    """Return a search that finds the true nearest neighbours."""
    neighbors = NearestNeighbors(metric=metric).fit(E)
    return lambda Q, n: neighbors.kneighbors(Q, n, return_distance=False)


def approximate_search(E: NDArray, metric: str) -> Search:
    """Return a search in the k-means cells nearest to the query."""
    import faiss

    n_tracks, n_features = E.shape
    n_cells = int(np.sqrt(n_tracks))
    is_cosine = metric == "cosine"
    cells = (faiss.IndexFlatIP if is_cosine else faiss.IndexFlatL2)(n_features)
    kind = faiss.METRIC_INNER_PRODUCT if is_cosine else faiss.METRIC_L2
    index = faiss.IndexIVFFlat(cells, n_features, n_cells, kind)
    index.cp.seed, index.cp.min_points_per_centroid = 0, 1  # without a warning
    rows = _vectors(E, metric)
    index.train(rows)
    index.add(rows)

    def search(Q: NDArray, n: int) -> NDArray:
        # Where many are wanted, the cells must hold several times as many.
        n_searched = max(_N_CELLS_SEARCHED, -(-4 * n * n_cells // n_tracks))
        settings = faiss.SearchParametersIVF()
        settings.nprobe = min(n_searched, n_cells)
        return index.search(_vectors(Q, metric), n, params=settings)[1]

    return search


def _vectors(E: NDArray, metric: str) -> NDArray:
    E = normalize(E) if metric == "cosine" else E
    return np.ascontiguousarray(E, dtype=np.float32)
