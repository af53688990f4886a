"""Checks of embeddings, rows of tracks and artists."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from skgenre._text import format_list

# Squares of larger numbers, summed up, come near the end of float32's range; beyond
# it distances would be NaN, and Faiss would end the process.
_LARGEST = 1e15


def check_embeddings(estimator: BaseEstimator, E: ArrayLike, *, reset: bool) -> NDArray:
    """Return E as a table of floats whose distances are finite."""
    values = np.asarray(
        validate_data(estimator, E, reset=reset, dtype=[np.float64, np.float32])
    )
    largest = np.abs(values).max()
    if largest > _LARGEST:
        raise ValueError(
            f"{type(estimator).__name__} takes embeddings of values up to "
            f"{_LARGEST:g}, got one of {largest:.3g}: distances would not be finite. "
            "Scale them, or leave out what is no embedding."
        )
    return values


def check_rows(values: ArrayLike, n_tracks: int, name: str) -> NDArray:
    """Return rows of the collection, each once, in their order."""
    try:
        rows = np.atleast_1d(np.asarray(values))
    except ValueError:  # lists of several lengths
        rows = np.atleast_1d(np.asarray(values, dtype=object))
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows):
        raise ValueError(
            f"{name} must hold rows of the collection, integers from 0 to "
            f"{n_tracks - 1}, and at least one; got an array of shape {rows.shape} and "
            f"type {rows.dtype}. Songs that are not in the collection are given to "
            "recommend_by_embedding, by their embeddings."
        )
    outside = rows[(rows < 0) | (rows >= n_tracks)]
    if len(outside):
        raise ValueError(
            f"{name} must hold rows of the collection, from 0 to {n_tracks - 1}; got "
            f"{format_list(outside)}."
        )
    return rows[np.sort(np.unique(rows, return_index=True)[1])]


def check_same_kind(groups: NDArray, known: NDArray) -> None:
    """Refuse artists by name where the collection's are numbers, or the reverse."""
    if _are_text(groups).isdisjoint(_are_text(known)):
        raise ValueError(
            f"groups are of type {groups.dtype}, and those of the collection of type "
            f"{known.dtype}: none would match. Give them as in fit."
        )


def _are_text(values: NDArray) -> set[bool]:
    """Return whether values are text; of objects, which may be both, of each."""
    if values.dtype.kind == "O":
        return {isinstance(value, str) for value in values}
    return {values.dtype.kind in "UT"}
