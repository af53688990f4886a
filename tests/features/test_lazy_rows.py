import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.utils import _safe_indexing

from skgenre.features._lazy_rows import LazyRows


class Tens(LazyRows):
    """Rows of tens, which remembers what was read."""

    def __init__(self, n_rows):
        super().__init__((n_rows, 2, 3), np.float32)
        self.read = []

    def _read(self, rows):
        self.read.append(rows.tolist())
        return np.ones((len(rows), 2, 3), np.float32) * rows[:, None, None] * 10


WHOLE = np.asarray(Tens(7))
KEYS = [
    slice(None),
    slice(1, 5, 2),
    slice(None, None, -1),
    ...,
    [6, 0, 3],
    np.array([-1, 2, 2]),
    np.array([True, False] * 3 + [True]),
    [False] * 7,
    (np.array([4, 1]), ...),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_indexing_is_that_of_an_array(key):
    rows = Tens(7)
    some = rows[key]
    assert some.shape == WHOLE[key].shape and len(some) == len(WHOLE[key])
    assert some.ndim == 3 and some.dtype == np.float32
    assert not rows.read
    assert_array_equal(some, WHOLE[key])
    assert len(rows.read) == 1


def test_choices_of_choices():
    some = Tens(7)[::2][[3, 1, 0]][np.array([False, True, True])]
    assert_array_equal(some, WHOLE[[2, 0]])
    assert [row[0, 0] for row in some] == [20, 0]


def test_one_row_is_an_array():
    rows = Tens(7)
    for i in (0, -1, np.int64(3)):
        assert_array_equal(rows[i], WHOLE[i])
    assert rows.read == [[0], [6], [3]]
    with pytest.raises(IndexError, match="out of bounds"):
        rows[7]
    assert [row[0, 0] for row in rows[2:5]] == [20, 30, 40]


@pytest.mark.parametrize(
    "key", [(slice(None), 0), (0, 1, 2), (..., 0), (0, ..., 0)], ids=str
)
def test_other_axes_are_refused(key):
    with pytest.raises(IndexError, match="rows alone"):
        Tens(7)[key]


def test_rows_of_rows_are_refused():
    with pytest.raises(IndexError, match="one axis of rows, got an index of 2"):
        Tens(7)[[[0, 1], [2, 3]]]


def test_scikit_learn_indexes_without_reading():
    rows = Tens(7)
    assert isinstance(_safe_indexing(rows, np.array([5, 2])), Tens)
    assert isinstance(_safe_indexing(rows, slice(0, 2)), Tens)
    assert not rows.read


def test_numpy_reads():
    rows = Tens(3)
    assert np.asarray(rows, np.float64).dtype == np.float64
    assert np.array(rows).flags.owndata
