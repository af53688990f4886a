"""The X of an audio step as a list of clips."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skgenre.audio._load import Clip
from skgenre.audio._remote import is_upath, upath_to_url

_EXPECTED = (
    "Expected a sequence (list, 1-D array, Series or one column) of paths, or "
    "waveforms: a 2-D numeric array (n_clips, n_samples) or a list of 1-D arrays."
)


def _is_path(element: Any) -> bool:
    if isinstance(element, (str, bytes, os.PathLike)):
        return True
    return not hasattr(element, "__len__") and is_upath(element)  # no list or array


def _is_array(X: Any) -> bool:
    return hasattr(X, "__array__") or hasattr(X, "shape")


def _column(X: Any) -> list | None:
    """Return the elements of an array-like that isn't numeric, else None."""
    array = np.asarray(X)
    if array.ndim == 1 and not array.size:
        return []
    is_object = array.dtype.kind == "O" and array.size > 0
    has_paths = array.dtype.kind in "UST" or (
        is_object and any(_is_path(element) for element in array.flat)
    )
    has_arrays = is_object and array.ndim == 1 and _is_array(array[0])
    if not has_paths and not has_arrays:
        return None
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"X is an array of paths of shape {array.shape}; expected one column. "
            "Select the column that holds the paths."
        )
    return list(array) if is_object else array.tolist()


def _elements(X: Any) -> list | None:
    """Return paths or 1-D waveforms one by one; None for X as one numeric array."""
    if issparse(X):
        return None
    if _is_array(X):
        return _column(X)
    if not isinstance(X, Sequence):
        raise TypeError(f"X is of type {type(X).__name__}. {_EXPECTED}")
    elements = list(X)
    if any(_is_path(element) or _is_array(element) for element in elements):
        return elements
    if all(isinstance(element, (list, tuple)) for element in elements):
        is_ragged = len({len(element) for element in elements}) > 1
        return elements if is_ragged else None
    return None


def check_waveform(waveform: Any, name: str) -> np.ndarray:
    """Check one waveform and make it float32.

    Parameters
    ----------
    waveform : array-like of shape (n_samples,)
        One channel.

    name : str
        What to call it in messages.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32
        The same samples.

    Raises
    ------
    ValueError
        If the waveform is empty, not 1-D, not numeric or not finite.
    """
    try:
        waveform = np.asarray(waveform)
    except ValueError:  # nested lists of different lengths
        waveform = np.empty((0, 0), dtype=object)
    if waveform.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} is complex.")
    if waveform.dtype.kind not in "fiu" or waveform.ndim != 1:
        raise ValueError(
            f"{name} is an array of shape {waveform.shape} and dtype "
            f"{waveform.dtype}; expected a 1-D numeric array. Mix several channels "
            "down to one first."
        )
    if not len(waveform):
        raise ValueError(f"{name} has 0 samples. Leave it out.")
    with np.errstate(over="ignore"):
        waveform = waveform.astype(np.float32, copy=False)
    if not np.isfinite(waveform).all():
        raise ValueError(
            f"{name} contains NaN, infinity or a value too large for float32. Repair "
            "it or leave it out."
        )
    return waveform


def _check_elements(elements: list) -> list[Clip]:
    is_path = [_is_path(element) for element in elements]
    if all(is_path):
        return [e if isinstance(e, str | bytes) else upath_to_url(e) for e in elements]
    if not any(is_path):
        return [
            check_waveform(element, f"Clip {i} of X")
            for i, element in enumerate(elements)
        ]
    odd = is_path.index(not is_path[0])
    kinds = [type(elements[i]).__name__ for i in (0, odd)]
    raise TypeError(
        f"X mixes paths with something else: clip 0 is of type {kinds[0]}, clip {odd} "
        f"of type {kinds[1]}. {_EXPECTED}"
    )


def check_clips(
    X: Any, *, estimator: BaseEstimator | None = None, reset: bool = False
) -> list[Clip]:
    """Turn the X of an audio step into a list of clips.

    What X is comes from the types in it, never from what the paths look like.

    Parameters
    ----------
    X : sequence
        Paths (str, bytes, os.PathLike) or URLs (str) in a list, 1-D array, Series or
        one column; or waveforms as a 2-D numeric array of shape (n_clips, n_samples)
        or as a list of 1-D arrays of any lengths.

    estimator : estimator or None, default=None
        Gets `n_features_in_` and `feature_names_in_` where X has columns, and is
        named in messages.

    reset : bool, default=False
        Whether to set these attributes (in `fit`) or to compare X with them.

    Returns
    -------
    clips : list
        Paths as they came, or float32 arrays of shape (n_samples,).

    Raises
    ------
    TypeError
        If X is a single path, no sequence, sparse, or mixes paths with waveforms.

    ValueError
        If X is empty, or a waveform is empty, not 1-D, not numeric or not finite.
    """
    if _is_path(X):
        raise TypeError(
            f"X is a single path, {X!r}; expected a sequence of paths. Wrap it in a "
            f"list: [{X!r}]."
        )
    if estimator is not None and reset:
        # A fit on columns must not speak for a later one on a list.
        for name in ("n_features_in_", "feature_names_in_"):
            vars(estimator).pop(name, None)
    elements = _elements(X)
    is_list = isinstance(X, Sequence)
    if (elements is not None or is_list) and not len(
        X if elements is None else elements
    ):
        raise ValueError(
            "Found array with 0 sample(s) (shape=(0,)) while a minimum of 1 is "
            "required: X is empty. Pass at least one path or waveform."
        )
    if elements is not None:
        if estimator is not None and getattr(X, "ndim", 1) == 2:
            validate_data(estimator, X, reset=reset, skip_check_array=True)
        return _check_elements(elements)
    if estimator is None:
        table = check_array(X, order="C", ensure_all_finite=False)
    else:
        table = validate_data(
            estimator, X, order="C", ensure_all_finite=False, reset=reset
        )
    return [check_waveform(row, f"Clip {i} of X") for i, row in enumerate(table)]
