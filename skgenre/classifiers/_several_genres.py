"""Clips of several genres each: how targets are read, and predictions written."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.preprocessing import MultiLabelBinarizer
from sklearn.utils import check_consistent_length

from skgenre._estimators import nested, split_last_step

ONE, INDICATOR, LISTS = "multiclass", "multilabel-indicator", "multilabel-lists"
"""The forms of y: a genre each, columns of 0 and 1, or lists of genres."""


class Target(NamedTuple):
    """The genres of clips, checked."""

    values: NDArray
    """Genres, (n_clips,), or of several 0 and 1 in a column each, (n_clips, n)."""
    classes: NDArray
    """The genres, sorted; of several those of the columns."""
    y_type: str
    """The form in which they came, and in which predictions are returned."""


class SeveralGenres:
    """Mixin of the classifiers that take several genres a clip."""

    classes_: NDArray
    thresholds_: NDArray
    y_type_ = ONE
    """Set by `fit` only where clips may have several genres."""

    def _written(self, chosen: NDArray, *, nothing: tuple = ()) -> NDArray:
        """Return chosen genres, (n_clips, n_classes), in the form of y.

        A list without a genre is `nothing`.
        """
        if self.y_type_ == INDICATOR:
            return chosen.astype(int)
        lists = (tuple(self.classes_[row].tolist()) or nothing for row in chosen)
        return np.fromiter(lists, dtype=object, count=len(chosen))

    def score(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the accuracy; of several genres, all of a clip's must be right.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Clips, as in `fit`.
        y : array-like of shape (n_clips,) or (n_clips, n_classes)
            Genres, in the form of `fit`.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips.

        Returns
        -------
        float
            From 0 to 1.
        """
        if self.y_type_ == ONE:
            return super().score(X, y, sample_weight)  # type: ignore[misc]
        right = self._all_right(y, self.predict(X))  # type: ignore[attr-defined]
        weights = None if sample_weight is None else np.asarray(sample_weight)
        return float(np.average(right, weights=weights))

    def _all_right(self, y: ArrayLike, predicted: NDArray) -> NDArray:
        """Return for each clip whether its genres are those predicted, no others."""
        target = read_several("y", y)
        if target is None or target.y_type != self.y_type_:
            raise ValueError(
                "y must have several genres for each clip in the form of fit: "
                f"{self.y_type_}."
            )
        check_consistent_length(target.values, predicted)
        if self.y_type_ == INDICATOR:
            true = in_columns_of(self.classes_, target, "y")
            return (true == predicted).all(axis=1)
        pairs: Any = zip(y, predicted, strict=True)  # type: ignore[arg-type]
        return np.array([set(true) == set(found) for true, found in pairs])


def read_several(name: str, y: Any) -> Target | None:
    """Return several genres a clip in columns of 0 and 1; None for one genre each.

    Parameters
    ----------
    name : str
        Name of `y` in messages.
    y : array-like
        An array, sparse array or data frame with a column for each genre, or lists of
        genres. Nested lists of numbers, all of one length, count as such an array.

    Raises
    ------
    ValueError
        If columns have other values than 0 and 1, or a list other than genres.
    """
    if issparse(y):
        y = y.toarray()
    shape = getattr(y, "shape", None)  # of series and data frames of any library
    if isinstance(y, Iterable) and (shape is None or len(shape) == 1):
        items = list(y)
        kinds = [isinstance(item, Iterable) and not _is_text(item) for item in items]
        if not any(kinds):
            return None
        columns = _as_numbers(items) if shape is None else None
        if columns is None:
            return _read_lists(name, items)
        y = columns
    values = np.asarray(y)
    if values.ndim != 2 or values.shape[1] == 1:
        return None
    if values.dtype == object and all(isinstance(v, Integral) for v in values.flat):
        values = values.astype(int)  # pandas's integers that may be missing
    is_indicator = values.dtype.kind in "biuf" and ((values == 0) | (values == 1)).all()
    if not is_indicator:
        raise ValueError(
            f"{name} has {values.shape[1]} columns, whose values must be 0 and 1: "
            "whether a clip is of the column's genre. Give those, or one list of "
            "genres for each clip, or one genre for each."
        )
    classes = np.arange(values.shape[1])
    names = list(getattr(y, "columns", []))
    if names and all(isinstance(each, str) for each in names):
        if len(set(names)) < len(names):
            raise ValueError(f"{name} has two columns of one genre: {sorted(names)}.")
        classes = np.array(names)
    return Target(values.astype(int), classes, INDICATOR)


def _is_text(value: Any) -> bool:
    return isinstance(value, str | bytes)


def _as_numbers(items: list) -> NDArray | None:
    """Return nested lists of numbers as an array; None where they are something else.

    Lists of one number each are an array, too: a column of genres.
    """
    try:
        array = np.asarray(items)
    except ValueError:  # of different lengths
        return None
    is_table = array.ndim == 2 and array.size and array.dtype.kind in "biuf"
    return array if is_table else None


def _read_lists(name: str, items: list) -> Target:
    """Return lists of genres in columns of 0 and 1."""
    for row, genres in enumerate(items):
        if not isinstance(genres, Iterable) or _is_text(genres):
            raise ValueError(
                f"{name} has lists of genres, but {genres!r} in row {row}. Give a list "
                "for each clip, of one genre or of none, too."
            )
        odd = [each for each in genres if not isinstance(each, str | Integral)]
        if odd:
            raise ValueError(
                f"{name} has {odd[0]!r} in the list of row {row}. Genres are strings "
                "or integers; leave out what is missing."
            )
    binarizer = MultiLabelBinarizer()
    try:
        values = binarizer.fit_transform(items)
    except TypeError:
        raise ValueError(
            f"{name} has genres that are strings and others that are numbers. Make "
            "them all strings."
        ) from None
    return Target(values, np.array(binarizer.classes_.tolist()), LISTS)


def in_columns_of(classes: NDArray, target: Target, name: str) -> NDArray:
    """Return several genres a clip in the columns of these classes.

    Raises
    ------
    ValueError
        If there are others, or, in an indicator array, not as many.
    """
    if target.y_type == INDICATOR and target.values.shape[1] != len(classes):
        raise ValueError(
            f"{name} has {target.values.shape[1]} columns, but there are "
            f"{len(classes)} genres: {classes.tolist()}."
        )
    if target.y_type == INDICATOR and target.classes.dtype.kind == "i":
        return target.values  # columns without names
    unknown = np.setdiff1d(target.classes, classes)
    if len(unknown):
        raise ValueError(
            f"{name} has genres that are not among the classes {classes.tolist()}: "
            f"{unknown.tolist()}."
        )
    values = np.zeros((len(target.values), len(classes)), int)
    place = {genre: i for i, genre in enumerate(classes.tolist())}
    values[:, [place[genre] for genre in target.classes.tolist()]] = target.values
    return values


def best_thresholds(
    y: NDArray, probabilities: NDArray, sample_weight: NDArray | None = None
) -> NDArray:
    """Return for each genre the least probability at which to predict it.

    That of the highest F1 on these clips, half way to the next clip below. A genre
    that none of the clips has, or none with a probability above 0, gets what is best
    for all genres taken together.

    Parameters
    ----------
    y : ndarray of shape (n_clips, n_classes)
        0 and 1; at least one of them 1, or all thresholds are 0.5.
    probabilities : ndarray of shape (n_clips, n_classes)
        Of clips that were not trained on.
    sample_weight : ndarray of shape (n_clips,), default=None
        Weights of the clips.

    Returns
    -------
    ndarray of shape (n_classes,)
    """
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    y, probabilities = y[weights > 0], probabilities[weights > 0]
    weights = weights[weights > 0]
    n_classes = y.shape[1]
    of_all = _best_threshold(
        y.ravel(), probabilities.ravel(), np.repeat(weights, n_classes)
    )
    pairs = zip(y.T, probabilities.T, strict=True)
    of_each = [_best_threshold(*pair, weights) for pair in pairs]
    return np.array([each or of_all or 0.5 for each in of_each])


def _best_threshold(y: NDArray, scores: NDArray, weights: NDArray) -> float:
    """Return the threshold of the highest F1; 0 where nothing can be known of it."""
    if not y.any():
        return 0.0
    # Its module imports scipy.stats, which slows the start of commands.
    from sklearn.metrics import precision_recall_curve

    precision, recall, thresholds = precision_recall_curve(
        y, scores, sample_weight=weights
    )
    with np.errstate(invalid="ignore"):
        f1 = np.nan_to_num(2 * precision * recall / (precision + recall))[:-1]
    best = int(f1.argmax())
    below = thresholds[best - 1] if best else 0.0
    return float((thresholds[best] + below) / 2)


def genre_thresholds(model: Any) -> NDArray | None:
    """Return the probability from which a fitted model predicts each genre.

    None for a model that predicts one genre a clip; 0.5 where it says nothing else.
    """
    last = split_last_step(model)[1]
    if getattr(last, "y_type_", ONE) == ONE:
        return None
    found = (each.thresholds_ for each in nested(last) if hasattr(each, "thresholds_"))
    return next(found, np.full(len(last.classes_), 0.5))


def splitting_classes(values: NDArray) -> NDArray:
    """Return one class for each clip, by which folds are stratified.

    Of several genres it is the clip's rarest one, whose clips are the hardest to spread
    evenly; clips without a genre are a class of their own.
    """
    if values.ndim == 1:
        return values
    counts = np.where(values, values.sum(axis=0), len(values) + 1)
    rarest = counts.argmin(axis=1)
    return np.where(values.any(axis=1), rarest, values.shape[1])
