from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator

from skgenre.audio._check_clips import check_clips

NAMES = ["a.mp3", "b/c.wav", "ü.flac"]


@pytest.mark.parametrize(
    "X",
    [
        NAMES,
        tuple(NAMES),
        np.array(NAMES),
        np.array(NAMES, dtype=object),
        np.array(NAMES)[:, np.newaxis],
        pd.Series(NAMES, index=[5, 3, 9]),
        pd.Series(NAMES, dtype="string"),
        pd.Series(NAMES, dtype="category"),
        pd.DataFrame({"path": NAMES}),
        pl.Series(NAMES),
        pl.DataFrame({"path": NAMES}),
    ],
    ids=lambda X: f"{type(X).__module__}.{type(X).__name__}",
)
def test_sequences_of_text(X):
    assert check_clips(X) == NAMES


@pytest.mark.parametrize("container", [list, pd.Series])
def test_other_path_types(container):
    paths = [Path("a.mp3"), "b.mp3", b"c.mp3"]
    assert check_clips(container(paths)) == paths


def test_paths_are_not_looked_at():
    assert check_clips(["not audio at all", ""]) == ["not audio at all", ""]


@pytest.mark.parametrize("X", ["song.mp3", b"song.mp3", Path("song.mp3")])
def test_single_path(X):
    with pytest.raises(TypeError, match=r"single path.*Wrap it in a list: \[.*song"):
        check_clips(X)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i8", object])
def test_waveform_table(dtype):
    X = np.eye(3, 4).astype(dtype)
    clips = check_clips(X)
    assert all(clip.dtype == np.float32 for clip in clips)
    assert_array_equal(clips, X.astype(float))
    assert_array_equal(check_clips(X.tolist()), X.astype(float))
    assert_array_equal(check_clips(pd.DataFrame(X)), X.astype(float))


def test_waveforms_of_any_length():
    X = [np.zeros(3), np.ones(5, dtype=np.int16), [0.5, 0.25]]
    for form in (X, tuple(X), pd.Series(X)):
        clips = check_clips(form)
        assert [len(clip) for clip in clips] == [3, 5, 2]
        assert all(clip.dtype == np.float32 for clip in clips)
    ragged = check_clips([[1.0, 2.0], [3.0]])
    assert [clip.tolist() for clip in ragged] == [[1, 2], [3]]


def test_input_is_not_changed():
    X = [np.ones(3), np.ones(4)]
    check_clips(X)
    assert X[0].dtype == np.float64


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([], ValueError, r"0 sample\(s\).*at least one path"),
        (np.array([], dtype=str), ValueError, r"0 sample\(s\).*at least one path"),
        (pd.Series([], dtype=object), ValueError, r"0 sample\(s\).*at least one path"),
        (np.empty((0, 3)), ValueError, r"0 sample\(s\)"),
        (np.empty((3, 0)), ValueError, r"0 feature\(s\)"),
        (np.ones(5), ValueError, "Reshape your data"),
        ([1.0, 2.0], ValueError, "Reshape your data"),
        (np.ones((2, 3, 4)), ValueError, "dim 3"),
        (np.array([[1, np.nan]]), ValueError, "NaN"),
        (np.array([[1, np.inf]]), ValueError, "infinity"),
        (np.ones((2, 3), dtype=complex), ValueError, "Complex data not supported"),
        (csr_array(np.eye(3)), TypeError, "[Ss]parse"),
        (None, TypeError, "NoneType.*Expected a sequence"),
        ({"a": 1}, TypeError, "dict.*Expected a sequence"),
        ((p for p in NAMES), TypeError, "generator.*Expected a sequence"),
        (["a.mp3", None], TypeError, "Clip 1 of X is of type NoneType.*Leave"),
        ([None, None], TypeError, "Clip 0 of X is of type NoneType.*Leave"),
        (pd.Series(["a.mp3", np.nan]), TypeError, "Clip 1 of X is of type float"),
        (np.array([NAMES, NAMES]), ValueError, r"shape \(2, 3\).*one column"),
        ([np.ones(3), np.ones((2, 3))], ValueError, "Clip 1.*expected a 1-D"),
        ([np.ones(3), np.ones(0)], ValueError, "Clip 1 of X has 0 samples"),
        ([np.ones(3), np.array([1, np.nan])], ValueError, "Clip 1 of X contains NaN"),
        ([np.ones(3), np.array([1e300])], ValueError, "Clip 1 .*too large"),
        ([np.ones(3), np.ones(2, complex)], ValueError, "Complex.*Clip 1"),
        ([np.ones(3), np.array(["a", "b"])], ValueError, "Clip 1.*numeric"),
        ([np.ones(3), [[1.0], [1.0, 2.0]]], ValueError, "Clip 1"),
        ([np.ones(3), 7], TypeError, "Clip 1 of X is of type int"),
    ],
)
def test_refusals(X, error, message):
    with pytest.raises(error, match=message):
        check_clips(X)


def test_attributes_of_the_estimator():
    estimator = BaseEstimator()
    check_clips(np.ones((2, 7)), estimator=estimator, reset=True)
    assert estimator.n_features_in_ == 7
    with pytest.raises(ValueError, match="X has 3 features.*expecting 7"):
        check_clips(np.ones((2, 3)), estimator=estimator)
    check_clips(["a.mp3"], estimator=estimator)  # lists have no columns to compare

    check_clips(["a.mp3"], estimator=estimator, reset=True)
    assert not hasattr(estimator, "n_features_in_")
    check_clips(np.ones((2, 3)), estimator=estimator)

    check_clips(pd.DataFrame({"path": NAMES}), estimator=estimator, reset=True)
    assert estimator.n_features_in_ == 1
    assert list(estimator.feature_names_in_) == ["path"]
