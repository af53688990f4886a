"""The predictions to report on, checked."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import unique_labels

from skgenre._text import shorten
from skgenre.audio._remote import is_url
from skgenre.classifiers._checks import check_groups
from skgenre.datasets._form import is_missing, object_array
from skgenre.inspection._scores._bootstrap import check_genres_of_clips
from skgenre.inspection._scores._score_intervals import (
    check_genre_list,
    genre_positions,
)

_TOLERANCE = 1e-3  # of sums of probabilities, which may be rounded


@dataclass
class Predictions:
    """True and predicted genres of clips, and what else is known of the clips.

    Genres are positions in `labels`; a prediction of -1 is the unknown label.
    """

    labels: NDArray
    true: NDArray
    predicted: NDArray
    unknown: Any = None
    proba: NDArray | None = None
    other: NDArray | None = None  # as it came
    groups: NDArray | None = None
    paths: list[str] | None = None
    albums: NDArray | None = None  # texts, and None

    @property
    def right(self) -> NDArray:
        """Whether the prediction is correct."""
        return self.true == self.predicted

    @property
    def given(self) -> NDArray:
        """Whether a genre was predicted."""
        return self.predicted >= 0

    @property
    def confidence(self) -> NDArray | None:
        """Probability of the predicted genre; NaN where none was predicted."""
        if self.proba is None:
            return None
        clips = np.arange(len(self.true))
        return np.where(self.given, self.proba[clips, self.predicted], np.nan)

    @property
    def y_true(self) -> NDArray:
        """True genres by name."""
        return self.labels[self.true]

    @property
    def y_pred(self) -> NDArray:
        """Predictions by name."""
        if self.given.all():
            return self.labels[self.predicted]
        return np.array([*self.labels.tolist(), self.unknown])[self.predicted]


def check_predictions(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None,
    y_proba: ArrayLike | None,
    unknown: Any,
    y_pred_other: ArrayLike | None,
    groups: ArrayLike | None,
    paths: ArrayLike | None,
    albums: ArrayLike | None,
) -> Predictions:
    """Return the checked predictions; errors name the parameter that is wrong."""
    true, predicted = check_genres_of_clips(y_true=y_true, y_pred=y_pred)
    other = None
    if y_pred_other is not None:
        other = check_genres_of_clips(y_true=true, y_pred_other=y_pred_other)[1]
    genres = _check_labels(labels, true, predicted, unknown)
    names = np.array([*genres.tolist(), unknown], dtype=object)
    of_true, of_prediction = (
        genre_positions(true, genres),
        genre_positions(predicted, names),
    )
    for name, number, values in (
        ("y_true", of_true, true),
        ("y_pred", of_prediction, predicted),
    ):
        if (number < 0).any():
            raise ValueError(
                f"{name} has genres that are not among labels={genres.tolist()}: "
                f"{np.unique(values[number < 0]).tolist()}. Add them to labels; "
                "name a label that means 'I don't know' by the parameter unknown."
            )
    return Predictions(
        labels=genres,
        true=of_true,
        predicted=np.where(of_prediction < len(genres), of_prediction, -1),
        unknown=unknown,
        proba=None if y_proba is None else _check_proba(y_proba, genres, len(true)),
        other=other,
        groups=check_groups(true, groups),
        paths=check_paths(paths, true),
        albums=_check_albums(albums, true),
    )


def _check_labels(
    labels: ArrayLike | None, true: NDArray, predicted: NDArray, unknown: Any
) -> NDArray:
    if labels is None:
        found = unique_labels(true, predicted)
        kept = [genre for genre in found.tolist() if genre != unknown]
        return np.array(kept, dtype=found.dtype)
    genres = check_genre_list(labels)
    if unknown in genres.tolist():
        raise ValueError(
            f"unknown={unknown!r} is one of the labels. It must differ from all genres."
        )
    return genres


def _check_proba(y_proba: ArrayLike, genres: NDArray, n_clips: int) -> NDArray:
    proba = check_array(y_proba, dtype=np.float64, input_name="y_proba")
    if proba.shape != (n_clips, len(genres)):
        raise ValueError(
            f"y_proba must have shape (n_clips, n_classes) = ({n_clips}, "
            f"{len(genres)}), got {proba.shape}. Its columns are the genres in the "
            f"order of labels, which are {genres.tolist()}: give the classifier's "
            "classes_ as labels."
        )
    sums = proba.sum(axis=1)
    wrong = (proba.min(axis=1) < -_TOLERANCE) | (np.abs(sums - 1) > _TOLERANCE)
    if wrong.any():
        row = wrong.argmax()
        raise ValueError(
            "y_proba must be probabilities, which are at least 0 and have the sum 1 in "
            f"each row; row {row} is {proba[row].tolist()}."
        )
    return np.clip(proba, 0, 1)


def check_paths(paths: Any, true: NDArray) -> list[str] | None:
    """Return the names of the clips' files as texts; None where there are none."""
    if paths is None:
        return None
    # Not as an array of NumPy's, which would cut zeros off the end of bytes.
    check_consistent_length(true, paths)
    names = []
    for row, path in enumerate(paths):
        try:
            name = os.fsdecode(path)
            names.append(name if is_url(name) else os.path.normpath(name))
        except TypeError:
            raise ValueError(
                f"paths must be names of files, got {shorten(repr(path))} in row {row}."
            ) from None
    return names


def _check_albums(albums: ArrayLike | None, true: NDArray) -> NDArray | None:
    if albums is None:
        return None
    # A track without an album is no mistake, unlike one without a genre.
    check_consistent_length(true, albums)
    names = column_or_1d(albums, dtype=object)  # of text, NaN would be 'nan'
    return object_array([None if is_missing(name) else str(name) for name in names])
