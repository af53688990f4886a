import numpy as np
import pytest

from skgenre.clustering._neighbors import exact_search
from skgenre.clustering._turns import nearest_in_turn


def turns(E, liked, k, excluded=(), metric="euclidean", search=None):
    E, liked = (np.array(values, dtype=np.float32)[:, None] for values in (E, liked))
    is_excluded = np.isin(np.arange(len(E)), excluded)
    search = search or exact_search(E, metric)
    found = nearest_in_turn(search, E, liked, k, excluded=is_excluded, metric=metric)
    return [values.tolist() for values in found]


def test_each_liked_track_has_its_turn():
    """A dense style takes no places from a sparse one."""
    rows, by, distances = turns([1, 1.1, 1.2, 1.3, 50, 60], [0.99, 45], k=4)
    assert rows == [0, 4, 1, 5]
    assert by == [0, 1, 0, 1]
    np.testing.assert_allclose(distances, [0.01, 5, 0.11, 15], rtol=1e-4)


def test_a_track_near_two_liked_ones_is_named_once():
    rows, by, _ = turns([10, 20, 30], [9, 11.5], k=3)
    assert rows == [0, 1, 2]
    assert by[0] == 0  # its nearer one


def test_excluded_tracks_and_copies_give_way():
    E = [10, 10, 10.0000001, 10.1, 10.2, 30]
    rows, _, _ = turns(E, [10], k=2, excluded=[3])
    assert rows == [4, 5]


def test_a_copy_of_one_liked_track_is_not_named_by_another():
    rows, _, _ = turns([10, 11, 12], [10, 10.5], k=3)
    assert rows == [1, 2]


def test_the_search_goes_on_where_copies_took_the_places():
    asked = []
    E = np.array([5.0] * 40 + [6, 7])

    def search(Q, n):
        asked.append(n)
        return exact_search(E[:, None], "euclidean")(Q, n)

    assert turns(E, [5], k=2, search=search)[0] == [40, 41]
    assert asked == [2, 4, 8, 16, 32, 42]


def test_what_a_search_does_not_find_is_passed_over():
    rows, _, _ = turns(
        [1, 2, 3], [0.9], k=3, search=lambda Q, n: np.array([[2, 0, -1]])
    )
    assert rows == [0, 2]


@pytest.mark.parametrize("k", [1, 5])
def test_nothing_is_left(k):
    assert turns([1, 2], [3], k=k, excluded=[0, 1]) == [[], [], []]
