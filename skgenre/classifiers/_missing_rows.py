"""Clips that could not be read: rows that are NaN throughout."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

_NAMED = 10  # clips that a message names


def missing_clips(X: Any) -> NDArray:
    """Tell which clips are NaN throughout, as an audio step makes those it can't read.

    Parameters
    ----------
    X : array-like of shape (n_clips, ...), or list of array-like
        A table, spectrograms of one length or of any. Of a memory map, only the clips
        that begin with NaN are read.

    Returns
    -------
    ndarray of shape (n_clips,), bool
        All False where X is nothing that has clips; to refuse that is not done here.
    """
    if issparse(X):
        return np.zeros(X.shape[0], dtype=bool)
    if hasattr(X, "columns"):
        X = np.asarray(X)  # clips are its rows
    try:
        return np.array([_is_missing(clip) for clip in X], dtype=bool)
    except TypeError:  # no sequence
        return np.zeros(0, dtype=bool)


def _is_missing(clip: Any) -> bool:
    try:
        values = np.asarray(clip)
        if values.dtype == object:  # of a table of several types
            values = values.astype(np.float64)
    except (TypeError, ValueError):
        return False
    if values.dtype.kind != "f" or not values.size:
        return False
    return bool(np.isnan(values.flat[0]) and np.isnan(values).all())


def listed(rows: NDArray) -> str:
    """Name the first few of some clips."""
    numbers = ", ".join(map(str, rows[:_NAMED]))
    return numbers + (f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else "")


@contextmanager
def naming_missing_clips(
    estimator: Any, X: Any, name: str = "X", *, first: int = 0
) -> Iterator[None]:
    """Where a check inside refuses NaN, name the clips that could not be read.

    Where X is a part of what the user gave, `first` is where it begins there.
    """
    try:
        yield
    except ValueError as error:
        if "NaN" not in str(error):
            raise
        rows = first + np.flatnonzero(missing_clips(X))
        if not len(rows):
            raise
        kind = type(estimator).__name__
        raise ValueError(
            f"Clips of {name} are NaN throughout, as those are that could not be read, "
            f"and {kind} can't take them: {listed(rows)}. Wrap it, "
            f"MissingClipClassifier({kind}(...)), which leaves them out; or leave such "
            "files out before, by skgenre.datasets.check_audio."
        ) from error
