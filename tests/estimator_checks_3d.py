"""Checks of estimators on spectrograms, (n_clips, n_frames, n_mels).

scikit-learn's common suite knows tables only; these hold its promises on three axes.
`checks_3d()` yields functions of an unfitted estimator, to be run by `parametrize`:
classifiers and transformers, of this package or another.
"""

import copy
import pickle
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone

from skgenre import SpectrogramFile

METHODS = ("predict", "predict_proba", "transform")
N_CLIPS, N_FRAMES, N_MELS = 36, 12, 5


def spectrograms() -> tuple[np.ndarray, np.ndarray]:
    """Return clips of three genres that differ in level, and the genres."""
    rng = np.random.default_rng(0)
    y = np.array(["folk", "jazz", "rock"])[np.arange(N_CLIPS) % 3]
    level = 10.0 * (np.arange(N_CLIPS) % 3)
    X = rng.normal(-60, 4, size=(N_CLIPS, N_FRAMES, N_MELS)) + level[:, None, None]
    return X.astype(np.float32), y


def outputs(estimator: BaseEstimator, X: np.ndarray) -> dict[str, np.ndarray]:
    """Return what every method of the estimator makes of the clips."""
    return {
        name: getattr(estimator, name)(X)
        for name in METHODS
        if hasattr(estimator, name)
    }


def assert_same(one: dict, other: dict, *, atol: float = 0) -> None:
    assert one.keys() == other.keys()
    for name in one:
        if one[name].dtype.kind == "f" and atol:
            assert_allclose(one[name], other[name], atol=atol, err_msg=name)
        else:
            assert_array_equal(one[name], other[name], err_msg=name)


def check_dtypes(estimator: BaseEstimator) -> None:
    """Float16, 32 and 64 and integers are taken, with the same result."""
    X, y = spectrograms()
    X = X.round()  # whole decibels are exact in all of them
    expected = outputs(clone(estimator).fit(X, y), X)
    for dtype in (np.float16, np.float64, np.int32, np.int64):
        fitted = clone(estimator).fit(X.astype(dtype), y)
        assert_same(outputs(fitted, X.astype(dtype)), expected, atol=1e-5)


def check_memory_layouts(estimator: BaseEstimator) -> None:
    """Any strides and read-only memory give the same result."""
    X, y = spectrograms()
    expected = outputs(clone(estimator).fit(X, y), X)
    wide = np.repeat(np.repeat(X, 2, axis=0), 2, axis=2)
    frozen = X.copy()
    frozen.flags.writeable = False
    layouts = {
        "Fortran order": np.asfortranarray(X),
        "every other value": wide[::2, :, ::2],
        "reversed": X[:, :, ::-1].copy()[:, :, ::-1],
        "read-only": frozen,
        "nested lists": X.tolist(),
    }
    for name, same in layouts.items():
        assert_array_equal(np.asarray(same, np.float32), X, err_msg=name)
        assert_same(outputs(clone(estimator).fit(same, y), same), expected)


def check_memory_map(estimator: BaseEstimator) -> None:
    """A read-only memory map and a file on disk give the same result."""
    X, y = spectrograms()
    expected = outputs(clone(estimator).fit(X, y), X)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "X.npy"
        np.save(path, X)
        for stored in (np.load(path, mmap_mode="r"), SpectrogramFile(path)):
            assert_same(outputs(clone(estimator).fit(stored, y), stored), expected)
        del stored


def check_other_shapes_are_refused(estimator: BaseEstimator) -> None:
    """Clips of another size, or other axes, are a ValueError.

    One that cuts windows takes clips of any length.
    """
    X, y = spectrograms()
    fitted = clone(estimator).fit(X, y)
    odd_ones = [X[:, :, :-1], X[:, :, 0], X[..., None], X[0, 0]]
    if "window" not in estimator.get_params():
        odd_ones.append(X[:, :-1])
    for odd in odd_ones:
        for name in outputs(fitted, X):
            with pytest.raises(ValueError):
                getattr(fitted, name)(odd)
    for odd in (X[..., None], X[:, :0], X[:, :, :0], X[:0]):
        with pytest.raises(ValueError):
            clone(estimator).fit(odd, y[: len(odd)])


def check_not_finite_is_refused(estimator: BaseEstimator) -> None:
    """NaN and infinity are a ValueError that says so, in fit and afterwards."""
    X, y = spectrograms()
    fitted = clone(estimator).fit(X, y)
    for value in (np.nan, np.inf, -np.inf):
        odd = X.copy()
        odd[3, 4, 2] = value
        with pytest.raises(ValueError, match="NaN|infinity"):
            clone(estimator).fit(odd, y)
        for name in outputs(fitted, X):
            with pytest.raises(ValueError, match="NaN|infinity"):
                getattr(fitted, name)(odd)


def check_subset_and_order(estimator: BaseEstimator) -> None:
    """A clip's result depends neither on the others nor on their order."""
    X, y = spectrograms()
    fitted = clone(estimator).fit(X, y)
    expected = outputs(fitted, X)
    order = np.random.default_rng(1).permutation(N_CLIPS)
    shuffled = outputs(fitted, X[order])
    assert_same(shuffled, {k: v[order] for k, v in expected.items()}, atol=1e-6)
    for rows in (slice(0, 1), slice(5, 6), slice(3, 10), slice(None, None, 7)):
        part = outputs(fitted, X[rows])
        assert_same(part, {k: v[rows] for k, v in expected.items()}, atol=1e-6)
        for name, values in part.items():
            assert values.ndim == expected[name].ndim, name


def check_fit_idempotent(estimator: BaseEstimator) -> None:
    """Fitting twice is fitting once; fitting on other clips forgets the first."""
    X, y = spectrograms()
    expected = outputs(clone(estimator).fit(X, y), X)
    assert_same(outputs(clone(estimator).fit(X, y).fit(X, y), X), expected)
    other = clone(estimator).fit(X[:, ::2, :3], np.roll(y, 1))
    assert_same(outputs(other.fit(X, y), X), expected)


def check_inputs_are_not_changed(estimator: BaseEstimator) -> None:
    """Clips, genres and weights are as before."""
    X, y = spectrograms()
    weight = np.linspace(0.5, 1, N_CLIPS)
    before = X.copy(), y.copy(), weight.copy()
    fitted = clone(estimator).fit(X, y, sample_weight=weight)
    state = pickle.dumps(vars(fitted))
    outputs(fitted, X)
    for now, then in zip((X, y, weight), before, strict=True):
        assert_array_equal(now, then)
    assert pickle.dumps(vars(fitted)) == state


def check_copies(estimator: BaseEstimator) -> None:
    """Pickled and deep-copied estimators, fitted or not, are the same."""
    X, y = spectrograms()
    unfitted = pickle.loads(pickle.dumps(clone(estimator)))
    fitted = clone(estimator).fit(X, y)
    expected = outputs(fitted, X)
    assert_same(outputs(unfitted.fit(X, y), X), expected)
    assert_same(outputs(pickle.loads(pickle.dumps(fitted)), X), expected)
    assert_same(outputs(copy.deepcopy(fitted), X), expected)


def checks_3d() -> Iterator[Callable[[BaseEstimator], None]]:
    """Yield every check of this module."""
    yield from (
        value
        for name, value in globals().items()
        if name.startswith("check_") and callable(value)
    )
