"""Checks of clips of one length or of several, for an estimator of windows."""

import os
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, validate_data

from skgenre.classifiers._checks import (
    FLOATS,
    Rows,
    as_float_rows,
    as_three_axes,
    check_finite,
    refuse_missing_clips,
    refuse_strings,
)
from skgenre.classifiers._meta._windows import Clips


def check_windowed_clips(
    estimator: Any, X: ArrayLike, *, reset: bool, name: str = "X"
) -> Clips:
    """Return X as one float array, or as a list of them where lengths may differ.

    A table (n_clips, n_features) becomes a series of one band, and its columns must be
    those of `fit`, as in any estimator. Other clips may differ in length from those of
    `fit`, but not in bands.

    Parameters
    ----------
    estimator : estimator
        Named in messages. With ``reset=True`` its `n_mels_` is set, and for a table
        what scikit-learn keeps of the columns.
    X : array-like
        Spectrograms.
    reset : bool
        Whether `estimator` is being fitted on them.
    name : str, default='X'
        Their name in messages.

    Returns
    -------
    ndarray or LazyRows of shape (n_clips, n_frames, n_mels), or list of ndarray of \
            shape (n_frames_i, n_mels)
        Finite values. A memory map or a `SpectrogramFile` is returned as it is.

    Raises
    ------
    ValueError
        If clips are empty, not finite, or have different bands.
    """
    if reset:  # of an earlier fit, perhaps on a table
        for attribute in ("n_features_in_", "feature_names_in_", "n_mels_"):
            estimator.__dict__.pop(attribute, None)
    items = _items(estimator, X)
    clips: Clips
    if items is not None:
        try:
            clips = [_check_clip(clip, i, name) for i, clip in enumerate(items)]
        except ValueError:
            refuse_missing_clips(estimator, items, name)
            raise
        _check_same_bands(clips, name)
    else:
        clips = _check_array(estimator, X, reset=reset, name=name)
    n_mels = clips[0].shape[1]
    if reset:
        estimator.n_mels_ = n_mels
    elif n_mels != estimator.n_mels_:
        raise ValueError(
            f"{name} has clips of {n_mels} mel bands, but {type(estimator).__name__} "
            f"was fitted on clips of {estimator.n_mels_}. Make them with the same "
            "spectrogram settings."
        )
    return clips


def select_clips(clips: Clips, rows: NDArray) -> list[NDArray]:
    """Return the clips of these rows."""
    return [clips[i] for i in rows]  # not clips[rows]: that would copy an array


def _items(estimator: BaseEstimator, X: Any) -> list | None:
    """Return the clips one by one; None where X is one numeric array or a table."""
    if isinstance(X, list | tuple):
        values = list(X)
    elif getattr(X, "ndim", None) == 1:
        values = list(np.asarray(X))
    else:
        return None
    if any(isinstance(value, str | bytes | os.PathLike) for value in values):
        refuse_strings(estimator)
    if isinstance(X, list | tuple):
        if any(isinstance(value, np.ndarray) and value.ndim == 2 for value in values):
            return values
        try:
            np.asarray(X)
        except ValueError:  # nested lists of different lengths
            return values
        return None
    is_array = [isinstance(value, np.ndarray | list | tuple) for value in values]
    return values if any(is_array) else None


def _check_clip(clip: Any, i: int, name: str) -> NDArray:
    """Return one clip as a float array of shape (n_frames, n_mels)."""
    try:
        clip = np.asarray(clip)
    except ValueError:
        raise ValueError(
            f"Clip {i} of {name} has frames of different lengths. A clip is an array "
            "of shape (n_frames, n_mels)."
        ) from None
    if clip.ndim != 2 or 0 in clip.shape:
        raise ValueError(
            f"Clip {i} of {name} has shape {clip.shape}. A clip is an array of shape "
            "(n_frames, n_mels), neither of them 0."
        )
    return check_array(clip, dtype=FLOATS, input_name=f"clip {i} of {name}")


def _check_same_bands(clips: list[NDArray], name: str) -> None:
    n_mels = clips[0].shape[1]
    for i, clip in enumerate(clips):
        if clip.shape[1] != n_mels:
            raise ValueError(
                f"Clip {i} of {name} has {clip.shape[1]} mel bands and clip 0 has "
                f"{n_mels}. Make them with the same spectrogram settings."
            )


def _check_array(estimator: Any, X: Any, *, reset: bool, name: str) -> Rows:
    if isinstance(X, list | tuple):
        X = np.asarray(X)
    if getattr(X, "ndim", 2) > 2:
        # Not `validate_data`, which would count the frames as features.
        X = as_float_rows(X, name)
    else:
        X = validate_data(
            estimator, X, reset=reset, dtype=FLOATS, ensure_all_finite=False
        )
    clips = as_three_axes(estimator, X)
    check_finite(estimator, clips, name)
    return clips
