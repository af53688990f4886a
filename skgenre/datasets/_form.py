"""What loaders return: a `Bunch`, a pair (X, y), or pandas' Series."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch, column_or_1d

from skgenre._text import shorten

FORM_CONSTRAINTS: dict[str, list] = {
    "return_X_y": ["boolean"],
    "as_frame": ["boolean"],
}
"""Constraints of the parameters that all loaders have, for `validate_params`."""

FORM_DOCS = {
    "return_X_y": """
    return_X_y : bool, default=%(return_X_y)s
        Return the pair ``(paths, target)`` rather than a Bunch. Artists, which splits
        need, are only in the Bunch.
    """,
    "as_frame": """
    as_frame : bool, default=%(as_frame)s
        Return clips and genres, and artists and split where they are known, as pandas'
        Series of one index, rather than as arrays.
    """,
    "frame": """
    frame : DataFrame of shape (n_clips, n_columns)
        Columns ``path`` and ``genre``, and ``group`` and ``split`` where they are
        known; only with `as_frame`.
    """,
}
"""Documentation that loaders share, for `substitute`."""

_COLUMNS = {"paths": "path", "target": "genre", "groups": "group", "split": "split"}


def in_form(tracks: Bunch, *, return_X_y: bool, as_frame: bool) -> Any:
    """Return what a loader found in the form that was asked for.

    Parameters
    ----------
    tracks : Bunch
        With 'paths', 'target', and maybe 'groups' and 'split', as arrays. A 'frame'
        that it has gives the index.
    return_X_y, as_frame : bool
        As the loader takes them.

    Returns
    -------
    Bunch or tuple
        The Bunch itself, or ``(paths, target)``.
    """
    if as_frame:
        import pandas as pd

        frame = tracks.get("frame")
        index = None if frame is None else frame.index
        columns = {}
        for member, column in _COLUMNS.items():
            if tracks.get(member) is not None:
                values = tracks[member]
                columns[column] = pd.Series(values, index, values.dtype, column)
                tracks[member] = columns[column]
        if frame is None:
            tracks["frame"] = pd.DataFrame(columns)
    return (tracks.paths, tracks.target) if return_X_y else tracks


def is_missing(value: Any) -> bool:
    """Return whether this is None, or NaN, NaT or NA of any library."""
    import pandas as pd

    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def object_array(values: list) -> NDArray:
    """Return a 1-D array of objects, whatever they are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def genres_of_clips(name: str, genres: Any) -> tuple[list[tuple], bool]:
    """Return the genres of each clip, and whether they came as lists.

    Parameters
    ----------
    name : str
        Name of `genres` in messages.
    genres : array-like of shape (n_clips,), or sequence of sequences of str
        A genre for each clip, or several. None and NaN are no genre.

    Raises
    ------
    ValueError
        If it is no such sequence, or has both genres and lists of genres.
    """
    if isinstance(genres, str | bytes) or not isinstance(genres, Iterable):
        raise ValueError(
            f"{name} must have a genre, or a list of genres, for each clip, got "
            f"{shorten(repr(genres))}. Of one clip, give a list of one genre."
        )
    items = list(column_or_1d(genres) if hasattr(genres, "ndim") else genres)
    are_lists = [isinstance(item, list | tuple | set) for item in items]
    if not any(are_lists):
        return [() if is_missing(item) else (item,) for item in items], False
    if not all(are_lists):
        row = are_lists.index(False)
        raise ValueError(
            f"{name} has lists of genres, but {shorten(repr(items[row]))} in row "
            f"{row}. Give a list for each clip, of one genre or of none, too."
        )
    return [tuple(item) for item in items], True
