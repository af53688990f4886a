"""A clip that could not be read, in the output of a step: a row that is NaN throughout.

What `audio` knows of such a clip, its outcome, is in the step's report; the row is what
an array can carry through a scikit-learn pipeline, from the step to a classifier.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

MISSING = np.nan
"""Every value of a clip that could not be read, in the array that a step returns."""


def missing_clips(X: Any) -> NDArray:
    """Return which clips could not be read: those that are NaN throughout.

    Parameters
    ----------
    X : array-like of shape (n_clips, ...), or list of array-like
        A table, spectrograms of one length or of any. Of a memory map, only the clips
        that begin with NaN are read.

    Returns
    -------
    ndarray of shape (n_clips,), bool
        All False where X is no sequence of clips; to refuse that is not done here.
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
