import sys

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances

from skgenre.clustering import _neighbors
from skgenre.clustering._neighbors import (
    approximate_search,
    choose_algorithm,
    exact_search,
)


@pytest.fixture(scope="module")
def E():
    """Embeddings of 4,000 tracks of 200 artists, one of them silent."""
    rng = np.random.default_rng(0)
    artists = rng.normal(size=(200, 16))
    E = artists[rng.integers(200, size=4000)] + 0.5 * rng.normal(size=(4000, 16))
    E[7] = 0
    return E.astype(np.float32)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_both_find_the_nearest(E, metric):
    queries = E[:50]
    nearest = np.argsort(pairwise_distances(queries, E, metric=metric))[:, :20]
    exact = exact_search(E, metric)(queries, 20)
    approximate = approximate_search(E, metric)(queries, 20)
    for found, share in ((exact, 0.999), (approximate, 0.95)):
        right = [len(set(a) & set(b)) / 20 for a, b in zip(found, nearest, strict=True)]
        right.pop(7)  # all are as far from silence
        assert np.mean(right) >= share


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_approximate_search_finds_all_where_all_are_wanted(E, metric):
    found = approximate_search(E, metric)(E[:2], len(E))
    assert (np.sort(found) == np.arange(len(E))).all()


def test_only_some_cells_are_searched(E, monkeypatch):
    monkeypatch.setattr(_neighbors, "_N_CELLS_SEARCHED", 1)
    found = approximate_search(E, "euclidean")(E[:200], 10)
    nearest = exact_search(E, "euclidean")(E[:200], 10)
    assert 0.2 < (found == nearest).mean() < 0.9


def test_auto_is_approximate_for_many_tracks_where_faiss_is_there(monkeypatch):
    assert choose_algorithm("auto", 100_000) == "exact"
    assert choose_algorithm("auto", 100_001) == "approximate"
    assert choose_algorithm("exact", 10**7) == "exact"
    monkeypatch.setitem(sys.modules, "faiss", None)  # Python then doesn't find it
    monkeypatch.setattr(_neighbors.importlib.util, "find_spec", lambda name: None)
    assert choose_algorithm("auto", 10**7) == "exact"
    with pytest.raises(ImportError, match=r"skgenre\[ann\]"):
        choose_algorithm("approximate", 5)
