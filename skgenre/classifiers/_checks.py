"""Checks of what classifiers are given: clips, genres, weights, groups."""

import math
import reprlib
from collections.abc import Iterable, Sized
from numbers import Real
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    assert_all_finite,
    check_array,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from skgenre._sklearn_compat import check_sample_weight
from skgenre._text import format_list
from skgenre.classifiers._several_genres import (
    ONE,
    Target,
    in_columns_of,
    read_several,
)
from skgenre.features._lazy_rows import CHUNK_BYTES, LazyRows
from skgenre.features._missing_clips import missing_clips

Rows = NDArray | LazyRows
"""Spectrograms (n_clips, n_frames, n_mels), in memory or read when needed."""

FLOATS = [np.float32, np.float64, np.float16]


def check_spectrograms(estimator: BaseEstimator, X: ArrayLike, *, reset: bool) -> Rows:
    """Return X as finite floats of shape (n_clips, n_frames, n_mels).

    A two-dimensional array (n_clips, n_features) becomes a series of one band. With
    ``reset=False`` the clips must be as large as those `estimator` was fitted on.
    """
    spectrograms = as_spectrograms(estimator, X, reset=reset)
    check_finite(estimator, spectrograms)
    return spectrograms


def as_spectrograms(estimator: BaseEstimator, X: ArrayLike, *, reset: bool) -> Rows:
    """Return X as `check_spectrograms` does, but don't look at its values."""
    # scikit-learn would look for NaN in all clips at once; in float16, by a copy.
    try:
        rows: Rows = validate_data(
            estimator,
            X,
            reset=reset,
            dtype=FLOATS,
            allow_nd=True,
            ensure_all_finite=False,
            skip_check_array=isinstance(X, LazyRows),
        )
    except ValueError as error:
        if "setting an array element with a sequence" in str(error):
            raise ValueError(
                f"{type(estimator).__name__} takes clips of one size, as one array. If "
                "yours have different lengths, set n_frames in the "
                "MelSpectrogramTransformer, or put the classifier into a "
                "SegmentClassifier."
            ) from error
        if "could not convert string" in str(error):
            refuse_strings(estimator)
        raise
    spectrograms = as_three_axes(estimator, rows)
    if not reset:
        _check_clip_shape(estimator, spectrograms)
    return spectrograms


def check_finite(
    estimator: BaseEstimator, X: Rows, name: str = "X", *, first: int = 0
) -> None:
    """Refuse NaN and infinity; large arrays are read some clips at a time.

    Nothing is read where scikit-learn's `assume_finite` is set. Where X is only some of
    the clips that the user gave, `first` is the index of its first clip among these.
    """
    if get_config()["assume_finite"]:
        return
    n_bytes = max(1, math.prod(X.shape[1:]) * X.dtype.itemsize)
    step = max(1, CHUNK_BYTES // n_bytes)
    for start in range(0, len(X), step):
        clips = np.asarray(X[start : start + step])
        try:
            assert_all_finite(
                clips, estimator_name=type(estimator).__name__, input_name=name
            )
        except ValueError as error:
            refuse_missing_clips(estimator, X, name, first=first)
            finite = np.isfinite(clips.reshape(len(clips), -1)).all(axis=1)
            error.add_note(
                f"The first such clip has index {first + start + finite.argmin()}."
            )
            raise


def refuse_missing_clips(
    estimator: BaseEstimator, X: Any, name: str, *, first: int = 0
) -> None:
    """Refuse clips that could not be read, if there are any, by their indices."""
    rows = first + np.flatnonzero(missing_clips(X))
    if len(rows):
        kind = type(estimator).__name__
        raise ValueError(
            f"{kind} can't take clips that are NaN throughout, as audio steps return "
            f"them for files that can't be read: clips {format_list(rows)} of {name}. "
            f"Use MissingClipClassifier({kind}(...)), which leaves them out, or leave "
            "these files out yourself with skgenre.datasets.check_audio."
        )


def refuse_strings(estimator: BaseEstimator) -> NoReturn:
    """Refuse X that is made of strings."""
    raise ValueError(
        f"{type(estimator).__name__} takes spectrograms, got strings. If these are "
        "paths, put a MelSpectrogramTransformer in front, in a Pipeline."
    )


def as_float_rows(X: ArrayLike, name: str) -> Rows:
    """Return X as floats of any shape, without a look at its values."""
    if isinstance(X, LazyRows):
        return X
    return check_array(
        X, dtype=FLOATS, allow_nd=True, ensure_all_finite=False, input_name=name
    )


def as_three_axes(estimator: BaseEstimator, X: Rows) -> Rows:
    """Return X of shape (n_clips, n_frames, n_mels); a table has one band."""
    if X.ndim > 3 or 0 in X.shape:
        raise ValueError(
            f"{type(estimator).__name__} takes spectrograms of shape (n_clips, "
            f"n_frames, n_mels), none of them 0; got an array of shape {X.shape}."
        )
    return X[:, :, np.newaxis] if X.ndim == 2 else X


def _check_clip_shape(estimator: Any, X: Rows) -> None:
    n_frames, n_mels = estimator.network_parameters_["input_shape"]
    if X.shape[1:] != (n_frames, n_mels):
        raise ValueError(
            f"X has clips of {X.shape[1]} frames x {X.shape[2]} mel bands, but "
            f"{type(estimator).__name__} was fitted on clips of {n_frames} x {n_mels}. "
            "Make them with the same spectrogram settings."
        )


def check_target(
    estimator: BaseEstimator, X: Sized, y: ArrayLike, name: str = "y"
) -> Target:
    """Return the genres of the clips: one each as a 1-D array, several in columns."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires {name} to be passed, but the target "
            "y is None."
        )
    if may_be_several(y) and (several := read_several(name, y)) is not None:
        check_consistent_length(X, several.values)
        return several
    genres = check_labels(name, y, warn=True)
    check_consistent_length(X, genres)
    check_classification_targets(genres)
    return Target(genres, np.unique(genres), ONE)


def may_be_several(y: Any) -> bool:
    """Return whether y may have several genres a clip: it is no array of one axis."""
    return not isinstance(y, np.ndarray) or y.ndim != 1 or y.dtype == object


def keep_target(estimator: Any, target: Target) -> None:
    """Set an estimator's genres and, where clips may have several, the form of y."""
    for name in ("y_type_", "thresholds_"):
        estimator.__dict__.pop(name, None)
    estimator.classes_ = target.classes
    if target.y_type != ONE:
        estimator.y_type_ = target.y_type


def check_classes(
    estimator: BaseEstimator,
    classes: ArrayLike | None,
    known: NDArray | None,
    *,
    ordered: bool = False,
) -> NDArray:
    """Return the genres of all calls of `partial_fit`; `known` are from the first.

    They are sorted, unless they are ordered as columns of y are.
    """
    if classes is None:
        if known is None:
            raise ValueError(
                "classes must be passed on the first call to partial_fit of "
                f"{type(estimator).__name__}: the genres of all calls."
            )
        return known
    genres = check_labels("classes", classes)
    if not ordered:
        genres = np.unique(genres)
    elif len(set(genres.tolist())) < len(genres):
        raise ValueError(
            f"classes has two columns of one genre: {sorted(genres.tolist())}."
        )
    if known is not None and not np.array_equal(genres, known):
        raise ValueError(
            f"classes={genres.tolist()} differ from those of the first call to "
            f"partial_fit or fit, {known.tolist()}. They can't change."
        )
    return genres


def check_two_genres(estimator: BaseEstimator, classes: NDArray) -> None:
    """Refuse to learn fewer than two genres."""
    if len(classes) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs clips of at least 2 genres, but got "
            f"only 1 class: {classes.tolist()}."
        )


def check_extra_label(name: str, label: Any, classes: NDArray) -> None:
    """Refuse a label for no genre that is a genre itself, or of another type."""
    genres = classes.tolist()
    if label in genres:
        raise ValueError(
            f"{name}={label!r} is one of the genres. Choose another label."
        )
    if isinstance(label, str) != isinstance(genres[0], str):
        kind = "a string" if isinstance(genres[0], str) else "a number"
        raise ValueError(
            f"{name}={label!r} must be {kind}, as the genres are: scorers can't "
            "compare labels of two types. Choose another label."
        )


def put_label(genres: NDArray, rows: NDArray, label: Any) -> NDArray:
    """Return genres in which some rows, a mask, have a label for no genre."""
    if not rows.any():
        return genres
    # NumPy takes Python's str for a type of its own length.
    dtype = object if label is None else np.asarray(label).dtype
    result = genres.astype(np.result_type(genres.dtype, dtype))
    result[rows] = label
    return result


def genre_codes(estimator: Any, target: Target, name: str) -> NDArray:
    """Return the number of each clip's genre, or of several a column of 0 and 1 each.

    Parameters
    ----------
    estimator : classifier
        Its `y_type_` and `classes_` are those of `fit`.
    target : Target
        Genres of clips.
    name : str
        Their name in messages.
    """
    if (target.y_type == ONE) != (estimator.y_type_ == ONE):
        wanted = "one genre" if estimator.y_type_ == ONE else "several genres"
        raise ValueError(
            f"{name} must have {wanted} for each clip, as in fit. Give it in that form."
        )
    if target.y_type != ONE:
        return in_columns_of(estimator.classes_, target, name).astype(np.float32)
    unknown = np.setdiff1d(target.values, estimator.classes_)
    if len(unknown):
        raise ValueError(
            f"{name} has genres that are not among the classes "
            f"{estimator.classes_.tolist()}: {unknown.tolist()}."
        )
    return np.searchsorted(estimator.classes_, target.values)


def check_weights(
    estimator: Any, X: Rows, codes: NDArray, sample_weight: ArrayLike | None
) -> NDArray:
    """Return one weight per clip: its `sample_weight`, times that of its one class."""
    weights = check_sample_weight(
        sample_weight, X, dtype=np.float32, ensure_non_negative=True
    )
    if codes.ndim == 1:  # of several genres, see `several_weights`
        weights = weights * _class_weights(estimator, codes[weights > 0])[codes]
    if not weights.any():
        raise ValueError(
            "All clips have weight 0 (sample_weight times class_weight): there is "
            "nothing to train on."
        )
    return weights


def several_weights(estimator: Any, codes: NDArray, weights: NDArray) -> NDArray | None:
    """Return the weights of clips without and with each genre, (2, n_classes).

    None where all are 1. 'balanced' makes both count the same.
    """
    if estimator.class_weight is None:
        return None
    if isinstance(estimator.class_weight, dict):
        with_genre = _class_weights(estimator, codes)
        return np.array([np.ones_like(with_genre), with_genre])
    codes = codes[weights > 0]
    counts = np.array([(codes == 0).sum(axis=0), (codes == 1).sum(axis=0)])
    return (len(codes) / (2 * np.maximum(counts, 1))).astype(np.float32)


def _class_weights(estimator: Any, codes: NDArray) -> NDArray:
    """Return the weight of each class; `codes` are of the clips of positive weight."""
    class_weight, classes = estimator.class_weight, estimator.classes_
    weights = np.ones(len(classes), np.float32)
    if class_weight is None:
        return weights
    if isinstance(class_weight, str):  # 'balanced'
        counts = np.bincount(codes, minlength=len(classes))
        n_present = np.count_nonzero(counts)
        weights[:] = len(codes) / (n_present * np.maximum(counts, 1))
        return weights
    unknown = [genre for genre in class_weight if genre not in classes.tolist()]
    if unknown:
        raise ValueError(
            f"class_weight has weights of {unknown}, which are not among the classes "
            f"{classes.tolist()}."
        )
    for genre, weight in class_weight.items():
        if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
            raise ValueError(
                "The weights in class_weight must be numbers >= 0, got "
                f"{genre!r}: {weight!r}."
            )
        weights[classes.tolist().index(genre)] = weight
    return weights


def check_all_genres_count(estimator: Any, codes: NDArray, weights: NDArray) -> None:
    """Refuse weights that leave fewer than two genres to learn."""
    left = codes[weights > 0]
    left = np.unique(left) if left.ndim == 1 else np.flatnonzero(left.any(axis=0))
    if len(left) < 2:
        raise ValueError(
            "Only clips of positive weight are trained on (sample_weight times "
            "class_weight), and they have fewer than 2 classes: "
            f"{estimator.classes_[left].tolist()}."
        )


def check_groups(X: Sized, groups: ArrayLike | None) -> NDArray | None:
    """Return one group per clip, or None."""
    if groups is None:
        return None
    check_consistent_length(X, groups)
    return check_labels("groups", groups)


def check_labels(name: str, values: ArrayLike, *, warn: bool = False) -> NDArray:
    """Return labels as a 1-D array; refuse missing ones, of whatever library."""
    # First, as NumPy makes the text 'nan' of a NaN in a list of strings.
    if isinstance(values, (list, tuple)):
        _refuse_missing(name, values)
    labels = column_or_1d(values, warn=warn)
    if labels.dtype.kind in "OfmMT":
        _refuse_missing(name, labels)
    return labels


def _refuse_missing(name: str, values: Iterable[Any]) -> None:
    for row, value in enumerate(values):
        if _is_missing(value):
            raise ValueError(
                f"Input {name} contains NaN or None in row {row}. Fill it in, or leave "
                "these clips out."
            )


def _is_missing(value: Any) -> bool:
    """Return whether this is None, NaN, NaT or pandas's NA."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:  # as of pandas's NA alone
        return True
    except ValueError:  # of an array
        return False


def check_validation_data(
    estimator: Any, validation_data: tuple[ArrayLike, ArrayLike]
) -> tuple[Rows, NDArray]:
    """Return the spectrograms and the genres' codes of ``(X, y)``."""
    X, y = check_pair(validation_data)
    X = as_three_axes(estimator, as_float_rows(X, "X of validation_data"))
    _check_clip_shape(estimator, X)
    check_finite(estimator, X, "X of validation_data")
    name = "y of validation_data"
    return X, genre_codes(estimator, check_target(estimator, X, y, name), name)


def check_pair(validation_data: Any) -> tuple[ArrayLike, ArrayLike]:
    """Return X and y of ``validation_data=(X, y)``."""
    if isinstance(validation_data, tuple | list):
        if len(validation_data) == 2:
            X, y = validation_data
            return X, y
        got = f"{type(validation_data).__name__} of length {len(validation_data)}"
    else:
        shown = " ".join(reprlib.repr(validation_data).split())
        got = f"{type(validation_data).__name__}: {shown}"
    raise ValueError(f"validation_data must be a tuple (X, y), got {got}.")


def check_integers(
    name: str, value: ArrayLike, *, shape: tuple[int | None, ...]
) -> NDArray:
    """Return a parameter's value as an array of positive integers.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : array-like
        Its value.
    shape : tuple of (int or None)
        Shape it must have; None stands for any length from 1.
    """
    try:
        numbers = np.asarray(value)
    except ValueError:  # rows of different lengths
        numbers = np.empty(0, object)
    fits = len(shape) == numbers.ndim and all(
        got > 0 and wanted in (None, got)
        for got, wanted in zip(numbers.shape, shape, strict=True)
    )
    if not fits or numbers.dtype.kind not in "iu" or numbers.min() < 1:
        wanted = " x ".join("n" if n is None else str(n) for n in shape)
        raise ValueError(
            f"The {name!r} parameter must be a sequence of {wanted} integers >= 1. "
            f"Got {value!r} instead."
        )
    return numbers


def scaled(
    X: NDArray, mean: NDArray, scale: NDArray, *, out: NDArray | None = None
) -> NDArray:
    """Return ``(X - mean) / scale`` as float32; in `out`, if it is given."""
    if out is None:
        out = np.empty(X.shape, np.float32)
    # What leaves float32's range shows in the loss, or in the network's output.
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        out[...] = X
        out -= mean
        out /= scale
    return out
