import pickle
import warnings

import numpy as np
import pytest
from joblib import Parallel, delayed
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedGroupKFold,
    cross_val_predict,
    cross_val_score,
)

from skgenre import CRNNClassifier, SpectrogramFile

CRNN = CRNNClassifier(
    filters=(4,),
    lstm_units=4,
    embedding_units=4,
    epochs=2,
    batch_size=8,
    random_state=0,
)


@pytest.fixture(scope="module")
def clips():
    """Clips of two genres that differ in level, and the genres."""
    y = np.repeat(["folk", "techno"], 20)
    X = np.random.default_rng(0).normal(-40, 5, size=(40, 10, 4))
    return (X + 20 * (y == "techno")[:, None, None]).astype(np.float32), y


@pytest.fixture
def path(clips, tmp_path):
    np.save(tmp_path / "X.npy", clips[0])
    return tmp_path / "X.npy"


@pytest.mark.parametrize("key", [slice(3, 9), [5, 1, 2], np.arange(40)[::-1], [0]])
def test_reads_what_is_in_the_file(key, clips, path):
    X = SpectrogramFile(path)
    assert_array_equal(X[key], clips[0][key])
    assert_array_equal(pickle.loads(pickle.dumps(X[key])), clips[0][key])
    assert len(pickle.dumps(X)) < 1000


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8"])
def test_any_floats_in_any_layout(dtype, order, clips, path):
    values = np.asarray(clips[0], dtype=dtype, order=order)
    np.save(path, values)
    X = SpectrogramFile(path)
    assert X.dtype == values.dtype
    assert_array_equal(X[[30, 4]], values[[30, 4]])
    answers = clone(CRNN).fit(values, clips[1]).predict_proba(values)
    assert_array_equal(clone(CRNN).fit(X, clips[1]).predict_proba(X), answers)


def test_neighbours_are_a_view_and_can_not_be_written(path):
    X = SpectrogramFile(path)
    assert np.shares_memory(np.asarray(X), X._mapped)
    assert np.shares_memory(X[7], X._mapped)
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(X[2:5])[:] = 0


def test_repr_tells_file_and_shape(path):
    text = repr(SpectrogramFile(path)[:2])
    assert str(path) in text and "(2, 10, 4)" in text and "float32" in text


def test_other_files_are_refused(path, clips, tmp_path):
    with pytest.raises(FileNotFoundError):
        SpectrogramFile(tmp_path / "none.npy")
    odd = tmp_path / "odd.npy"
    for contents in (b"", b"RIFF" + bytes(200), path.read_bytes()[:-100]):
        odd.write_bytes(contents)
        with pytest.raises(ValueError, match="odd.npy' is no .npy file of numbers"):
            SpectrogramFile(odd)
    np.save(odd, np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="is no .npy file of numbers"):
        SpectrogramFile(odd)
    for values in (clips[0][0], clips[0].astype(int), clips[0].astype(complex)):
        np.save(odd, values)
        with pytest.raises(ValueError, match=f"{values.dtype} of shape"):
            SpectrogramFile(odd)


@pytest.mark.slow
def test_searches_and_folds_never_hold_a_fold(clips, path, monkeypatch):
    sizes = []

    class Watched(SpectrogramFile):
        def _read(self, rows):
            sizes.append(len(rows))
            return super()._read(rows)

    for module in ("_checks", "_training._data"):
        monkeypatch.setattr(f"skgenre.classifiers.{module}._CHUNK_BYTES", 10 * 4 * 8)
    artists = np.arange(40) // 4

    def results(X, y):
        folds = {"groups": artists, "cv": StratifiedGroupKFold(2)}
        search = GridSearchCV(CRNN, {"epochs": [1, 2]}, cv=2)
        return [
            cross_val_score(CRNN, X, y, **folds),
            cross_val_predict(CRNN, X, y, **folds, method="predict_proba"),
            search.fit(X, y).predict_proba(X),
        ]

    for expected, actual in zip(
        results(*clips), results(Watched(path), clips[1]), strict=True
    ):
        assert_array_equal(actual, expected)
    assert max(sizes) == 8


def test_worker_processes_open_the_file(clips, path):
    X = SpectrogramFile(path)
    parts = [X[[9, 2]], X[5:]]
    sums = Parallel(n_jobs=2)(delayed(np.sum)(part) for part in parts)
    assert_array_equal(sums, [np.asarray(part).sum() for part in parts])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_clip_that_is_not_finite_is_told(dtype, clips, path, monkeypatch):
    monkeypatch.setattr("skgenre.classifiers._checks._CHUNK_BYTES", 10 * 4 * 8)
    X, y = clips[0].astype(dtype), clips[1]
    fitted = clone(CRNN).fit(X, y)
    odd = X.copy()
    odd[29, 3, 1], odd[35] = np.nan, np.inf
    np.save(path, odd)
    bad = SpectrogramFile(path)
    for call in (
        lambda: clone(CRNN).fit(bad, y),
        lambda: clone(CRNN).fit(odd, y),
        lambda: fitted.predict(bad),
        lambda: fitted.transform(odd),
    ):
        with pytest.raises(ValueError, match="Input X contains NaN") as caught:
            call()
        assert caught.value.__notes__ == ["The first such clip has index 29."]
    with pytest.raises(ValueError, match="Input X of validation_data contains inf"):
        clone(CRNN).fit(X, y, validation_data=(bad[30:], y[30:]))


def test_large_float16_sums_are_no_error(clips):
    X = np.full((12, 10, 4), -4000, np.float16)  # their sum is -inf
    y = clips[1][14:26]
    with warnings.catch_warnings(action="error", category=RuntimeWarning):
        assert clone(CRNN).fit(X, y).predict_proba(X).shape == (12, 2)
