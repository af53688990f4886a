"""The X of an audio step as a list of clips."""

import inspect
import io
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skgenre._text import shorten
from skgenre.audio._clip import Clip, FileClip, Waveform, WaveformClip, full_scale
from skgenre.audio._remote import is_upath, upath_to_url

_MOST_CHANNELS = 64  # as FFmpeg's layouts have; a spectrogram has more columns
_LONGEST_PATH = 4096  # bytes, of Linux; others allow less
_KEYS = {"array", "sampling_rate"}


def _is_path(element: Any) -> bool:
    if isinstance(element, (str, bytes, os.PathLike)):
        return True
    return not hasattr(element, "__len__") and is_upath(element)  # no list or array


def _is_array(X: Any) -> bool:
    return hasattr(X, "__array__") or hasattr(X, "shape")


def _is_file(element: Any) -> bool:
    return callable(getattr(element, "read", None)) and not _is_array(element)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool | np.bool_):
        return False
    if isinstance(value, Real):
        return True
    is_scalar = _is_array(value) and np.ndim(value) == 0  # such as a tensor
    return is_scalar and np.asarray(value).dtype.kind in "fiu"


def _is_pair(element: Any) -> bool:
    """Return whether this is (samples, sample_rate), or the other way round."""
    if isinstance(element, Waveform):
        return True
    if not isinstance(element, (tuple, list)) or len(element) != 2:
        return False
    return _is_number(element[0]) != _is_number(element[1])


def _is_row(element: Any) -> bool:
    """Return whether this is a clip of Hugging Face's datasets, decoded or to be."""
    if isinstance(element, Mapping):
        return element.keys() >= _KEYS
    is_decoder = callable(getattr(element, "get_all_samples", None))
    return is_decoder and hasattr(element, "__getitem__")


def is_clip(element: Any) -> bool:
    """Return whether this is one clip by its type, and no sequence of clips.

    Parameters
    ----------
    element : object
        Anything.

    Returns
    -------
    bool
        True for a path, an open file and a waveform with its rate. An array may be
        anything.
    """
    return (
        _is_path(element)
        or isinstance(element, FileClip | WaveformClip | bytearray | memoryview)
        or _is_file(element)
        or _is_pair(element)
        or _is_row(element)
    )


def _column(X: Any) -> list | None:
    """Return the elements of an array-like that isn't numeric, else None."""
    array = np.asarray(X)
    if array.ndim == 1 and not array.size:
        return []
    is_object = array.dtype.kind == "O" and array.size > 0
    if is_object and array.ndim == 2 and array.shape[1] == 2:
        pairs = [tuple(row) for row in array]
        if all(map(_is_pair, pairs)):  # NumPy makes two columns of a list of pairs
            return pairs
    has_clips = array.dtype.kind in "UST" or (
        is_object and any(is_clip(element) for element in array.flat)
    )
    has_arrays = is_object and array.ndim == 1 and _is_array(array[0])
    if not has_clips and not has_arrays:
        return None
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"X is an array of clips of shape {array.shape}; expected one column. "
            "Select the column that holds the paths or clips."
        )
    return list(array) if is_object else array.tolist()


def _elements(X: Any, expected: str) -> list | None:
    """Return clips one by one; None for X as one numeric array."""
    if issparse(X):
        return None
    if _is_array(X):
        return _column(X)
    # Columns of Hugging Face's datasets can be indexed, whether Sequence or not.
    is_sequence = hasattr(X, "__len__") and hasattr(X, "__getitem__")
    if not is_sequence or isinstance(X, Mapping):
        raise TypeError(f"X is of type {type(X).__name__}. {expected}")
    elements = list(X)
    if any(is_clip(element) or _is_array(element) for element in elements):
        return elements
    if elements and all(isinstance(element, (list, tuple)) for element in elements):
        is_ragged = len({len(element) for element in elements}) > 1
        return elements if is_ragged else None
    is_numeric = elements and all(isinstance(element, Real) for element in elements)
    return None if is_numeric else elements


def _as_array(samples: Any, name: str) -> np.ndarray:
    """Return samples as an array of floats or integers, of any shape."""
    try:
        array = np.asarray(samples)
    except ValueError:  # nested lists of different lengths
        array = np.empty((0, 0), dtype=object)
    except Exception as error:  # tensors on other devices, or with gradients
        raise ValueError(
            f"{name} is of type {type(samples).__name__}, and NumPy makes no array of "
            f"it ({shorten(str(error))}). Pass a NumPy array."
        ) from error
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} is complex.")
    return array


def check_waveform(waveform: Any, name: str, *, rate: int | None = None) -> np.ndarray:
    """Check one waveform and make it float32.

    Parameters
    ----------
    waveform : array-like of shape (n_samples,)
        One channel. Integers of up to 32 bits are fractions of their type's full scale.

    name : str
        What to call it in messages.

    rate : int or None, default=None
        Hertz that it has to be at; for messages.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32
        The same samples.

    Raises
    ------
    ValueError
        If the waveform is empty, not 1-D, not numeric or not finite.
    """
    waveform = _as_array(waveform, name)
    if waveform.dtype.kind not in "fiu" or waveform.ndim != 1:
        at_rate = "" if rate is None else f" of samples at {rate} Hz"
        raise ValueError(
            f"{name} is an array of shape {waveform.shape} and dtype "
            f"{waveform.dtype}; expected a 1-D numeric array{at_rate}. Mix several "
            "channels down to one first, or pass (samples, sample_rate)."
        )
    if not len(waveform):
        raise ValueError(f"{name} has 0 samples. Leave it out.")
    if waveform.dtype.kind in "iu" and waveform.dtype.itemsize == 8:
        _warn_of_no_scale(waveform)
    waveform = full_scale(waveform)
    if not np.isfinite(waveform).all():
        raise ValueError(
            f"{name} contains NaN, infinity or a value too large for float32. Repair "
            "it or leave it out."
        )
    return waveform


def _warn_of_no_scale(waveform: np.ndarray) -> None:
    """Warn of integers of 64 bits, unless they can be floats in -1 to 1."""
    if waveform.min() < -1 or waveform.max() > 1:
        warnings.warn(
            "Waveforms of 64-bit integers have no full scale, and are taken as they "
            "are. Convert them to the type that they were recorded in, such as int16, "
            "or to floats in -1 to 1.",
            stacklevel=3,
        )


def _waveform_clip(samples: Any, sample_rate: Any, name: str) -> WaveformClip:
    """Check the kind of a waveform with its rate; its values are checked when read."""
    if _is_number(samples) and not _is_number(sample_rate):
        raise TypeError(
            f"{name} is a pair of sample rate and samples, as scipy.io.wavfile returns "
            "it. Turn it round: (samples, sample_rate)."
        )
    if not _is_number(sample_rate):
        raise TypeError(
            f"The sample rate of {name} must be a number of Hz, got "
            f"{shorten(repr(sample_rate), 60)}."
        )
    array = _as_array(samples, name)
    shape = array.shape
    if array.dtype.kind not in "fiu" or array.ndim not in (1, 2):
        raise ValueError(
            f"{name} has samples of shape {shape} and dtype {array.dtype}; expected "
            "numbers of shape (n_samples,), (n_channels, n_samples) or (n_samples, "
            "n_channels)."
        )
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        raise ValueError(
            f"{name} has samples of dtype {array.dtype}, which has no full scale. "
            "Convert them to the type that they were recorded in, such as int16, or to "
            "floats in -1 to 1."
        )
    if array.ndim == 2:
        n_channels = min(shape)
        if shape[0] == shape[1] > 1 or n_channels > _MOST_CHANNELS:
            raise ValueError(
                f"{name} has samples of shape {shape}; expected (n_channels, n_samples)"
                " or (n_samples, n_channels), with fewer channels than samples and at "
                f"most {_MOST_CHANNELS}."
            )
        array = array if shape[1] == n_channels else array.T
        array = array if array.size else array.reshape(0, 1)
    return WaveformClip(array, float(np.asarray(sample_rate)), _inside(name))


def _file_clip(file: Any, name: str) -> FileClip:
    """Check that a file object can be read and sought."""
    kind = f"{name} is an open file ({type(file).__name__})"
    if inspect.iscoroutinefunction(file.read):
        raise TypeError(
            f"{name} is read asynchronously ({type(file).__name__}). Pass the file "
            "inside it: upload.file."
        )
    if isinstance(file, io.TextIOBase):
        raise TypeError(f"{kind} of text. Open it in binary mode, 'rb'.")
    if getattr(file, "closed", False):
        raise ValueError(f"{kind} that is closed. Pass it before it is closed.")
    if not _can(file, "readable"):
        raise ValueError(f"{kind} for writing alone. Open it in mode 'rb' or 'w+b'.")
    if not (hasattr(file, "seek") and hasattr(file, "tell") and _can(file, "seekable")):
        raise ValueError(
            f"{kind} that can't be sought, such as a pipe or a response of a server. "
            "Read it first: io.BytesIO(file.read())."
        )
    path = getattr(file, "name", None)
    if not isinstance(path, str | bytes) or not path:
        return FileClip(file, _inside(name))
    return FileClip(file, os.fsdecode(path), path)


def _inside(name: str) -> str:
    """Return a name that begins a sentence as it is inside one."""
    return name[0].lower() + name[1:]


def _can(file: Any, what: str) -> bool:
    """Return what `readable` or `seekable` returns, True where there is none."""
    method: Callable[[], bool] = getattr(file, what, lambda: True)
    return bool(method())


def as_clip(element: Any, name: str, *, rate: int | None = None) -> Clip:
    """Return one clip as tasks take it.

    Parameters
    ----------
    element : object
        A path or URL, a binary file, a waveform with its rate, or a bare waveform.
    name : str
        What messages call it.
    rate : int or None, default=None
        Hertz of bare waveforms; for messages.

    Returns
    -------
    Clip
        Paths as they came; bare waveforms as float32 arrays of shape (n_samples,).

    Raises
    ------
    TypeError
        If it is something else.

    ValueError
        If a file is closed or can't be sought, samples have the wrong shape or type,
        or a bare waveform is empty or not finite.
    """
    if isinstance(element, FileClip | WaveformClip):
        return element
    if isinstance(element, bytearray | memoryview) or (
        isinstance(element, bytes)
        and (b"\0" in element or len(element) > _LONGEST_PATH)
    ):
        raise TypeError(
            f"{name} is {len(element):,} bytes that can't be a path. The contents of a "
            "file are passed as a file: io.BytesIO(contents)."
        )
    if _is_path(element):
        return element if isinstance(element, str | bytes) else upath_to_url(element)
    if _is_file(element):
        return _file_clip(element, name)
    if _is_pair(element):
        samples, sample_rate = element
        return _waveform_clip(samples, sample_rate, name)
    if isinstance(element, Mapping) and not _is_row(element):
        raise TypeError(
            f"{name} is a {type(element).__name__} with the keys "
            f"{shorten(str(list(element)), 80)}; expected 'array' and 'sampling_rate'."
        )
    if _is_row(element):
        return _waveform_clip(element["array"], element["sampling_rate"], name)
    if _is_array(element) or isinstance(element, Sequence):
        return check_waveform(element, name, rate=rate)
    raise TypeError(
        f"{name} is of type {type(element).__name__}; expected a path, a binary file, "
        "(samples, sample_rate) or an array. Leave missing clips out."
    )


def check_clips(
    X: Any, *, estimator: BaseEstimator | None = None, reset: bool = False
) -> list[Clip]:
    """Turn the X of an audio step into a list of clips.

    What X is comes from the types in it, never from what the paths look like.

    Parameters
    ----------
    X : sequence
        In a list, 1-D array, Series or one column, in any mixture: paths (str, bytes,
        os.PathLike) or URLs (str); open binary files; waveforms with their rate, as
        `Waveform`, as a pair or as a mapping of 'array' and 'sampling_rate'; arrays of
        shape (n_samples,). Or a 2-D numeric array of shape (n_clips, n_samples).

    estimator : estimator or None, default=None
        Gets `n_features_in_` and `feature_names_in_` where X has columns, and is
        named in messages, as is its `sample_rate`.

    reset : bool, default=False
        Whether to set these attributes (in `fit`) or to compare X with them.

    Returns
    -------
    clips : list
        Paths as they came, `FileClip`, `WaveformClip`, or float32 arrays of shape
        (n_samples,).

    Raises
    ------
    TypeError
        If X is a single clip, no sequence or sparse, or an element of it is no clip.

    ValueError
        If X is empty, a bare waveform is empty, not 1-D, not numeric or not finite, or
        a waveform with its rate has another shape or type.
    """
    rate = getattr(estimator, "sample_rate", None)
    if is_clip(X) and not isinstance(X, list):
        _refuse_single(X)
    if estimator is not None and reset:
        # A fit on columns must not speak for a later one on a list.
        for name in ("n_features_in_", "feature_names_in_"):
            vars(estimator).pop(name, None)
    elements = _elements(X, _expected(rate))
    if elements is not None and not elements:
        raise ValueError(
            "Found array with 0 sample(s) (shape=(0,)) while a minimum of 1 is "
            "required: X is empty. Pass at least one path or waveform."
        )
    if elements is not None:
        if estimator is not None and getattr(X, "ndim", 1) == 2:
            validate_data(estimator, X, reset=reset, skip_check_array=True)
        return [
            as_clip(element, f"Clip {i} of X", rate=rate)
            for i, element in enumerate(elements)
        ]
    if estimator is None:
        table = check_array(X, order="C", ensure_all_finite=False)
    else:
        table = validate_data(
            estimator, X, order="C", ensure_all_finite=False, reset=reset
        )
    return [
        check_waveform(row, f"Clip {i} of X", rate=rate) for i, row in enumerate(table)
    ]


def _expected(rate: int | None) -> str:
    at_rate = "" if rate is None else f" at {rate} Hz"
    return (
        "Expected a sequence (list, 1-D array, Series or one column) of paths, binary "
        "files or waveforms with their rate, (samples, sample_rate); or of waveforms"
        f"{at_rate}: a 2-D numeric array (n_clips, n_samples) or a list of 1-D arrays."
    )


def _refuse_single(X: Any) -> None:
    if isinstance(X, bytes | bytearray | memoryview):
        as_clip(X, "X")  # perhaps no path
    if not _is_path(X):
        raise TypeError(
            f"X is a single clip, of type {type(X).__name__}; expected a sequence of "
            "clips. Wrap it in a list: [X]."
        )
    text = shorten(repr(X))
    raise TypeError(
        f"X is a single path, {text}; expected a sequence of paths. Wrap it in a list: "
        f"[{text}]."
    )
