import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array

from skgenre.features._missing_clips import MISSING, missing_clips

NAN = MISSING
TABLE = np.array([[1.0, 2.0], [NAN, NAN], [NAN, 1.0], [1.0, NAN]])
SPECTROGRAMS = np.stack([np.full((3, 2), value) for value in (1.0, NAN, 5.0, 2.0)])
SPECTROGRAMS[2, 0] = NAN
RAGGED = [np.ones((3, 2)), np.full((1, 2), NAN), np.ones((4, 2)), np.ones((1, 2))]


@pytest.mark.parametrize(
    "X",
    [
        TABLE,
        TABLE.astype(np.float16),
        TABLE.astype(object),
        TABLE.tolist(),
        np.asfortranarray(TABLE),
        pd.DataFrame(TABLE),
        pl.DataFrame(TABLE),
        SPECTROGRAMS,
        RAGGED,
        np.array([*RAGGED, None], dtype=object)[:-1],
        [clip.tolist() for clip in RAGGED],
    ],
    ids=lambda X: type(X).__name__,
)
def test_which_are_missing(X):
    assert missing_clips(X).tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    "X", [np.arange(4).reshape(2, 2), ["a", "b"], [[{}], [1]], np.empty((2, 0))]
)
def test_what_is_never_missing(X):
    assert missing_clips(X).tolist() == [False, False]


def test_what_has_no_clips():
    assert not missing_clips(5).any()
    assert not missing_clips(csr_array(TABLE)).any()
