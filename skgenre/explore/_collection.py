"""The songs that are explored, and what is known of them before any is heard."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skgenre._text import printable
from skgenre.datasets import GenreTree, find_audio_files
from skgenre.datasets._library._fold_genres import fold_genres
from skgenre.datasets._library._load_library import artist_key
from skgenre.datasets._library._tags import read_all_tags

# Names of columns that the page has anyway.
TAKEN = "label", "prediction", "confidence", "cluster", "artist", "album", "year"
"""Columns that are made here, whose names a table can't have."""


class Collection:
    """Songs with their tags, labels and further columns.

    Parameters
    ----------
    paths : str, PathLike, or sequence of them
        Files and folders.
    genres : array-like of shape (n_songs,) or None
        Labels in the order of the files; None and NaN where there is none. None takes
        those of the files' tags.
    artists : array-like of shape (n_songs,) or None
        Artists; None takes those of the tags.
    frame : DataFrame of shape (n_songs, n_columns) or None
        More columns by which the map can be coloured.
    n_jobs : int or None
        Files whose tags are read at a time.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If a path does not exist, is of another type or holds no music, or lengths
        don't match.
    """

    def __init__(
        self,
        paths: Any,
        genres: Any = None,
        *,
        artists: Any = None,
        frame: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        given = {"genres": genres, "artists": artists, "frame": frame}
        in_order = any(column is not None for column in given.values())
        self.paths = _files(paths, in_order=in_order)
        for name, column in given.items():
            if column is not None and len(column) != len(self.paths):
                raise ValueError(
                    f"{name} has {len(column)} rows, and there are {len(self.paths)} "
                    "songs. Give a row for each path, in the same order."
                )
        tags = read_all_tags(self.paths, n_jobs)
        if genres is None:
            folded, _ = fold_genres([each.genres for each in tags], GenreTree({}))
            genres = [names[0] if names else None for names in folded]
        self.genres = [_text(genre) for genre in genres]
        if artists is None:
            artists = [each.artist for each in tags]
        self.artists = [_text(artist) for artist in artists]
        self.titles = [
            printable(each.title or Path(path).stem)
            for path, each in zip(self.paths, tags, strict=True)
        ]
        self.columns: dict[str, list[Any]] = {
            "artist": [None if a is None else printable(a) for a in self.artists],
            "album": [each.album and printable(each.album) for each in tags],
            "year": [_number(each.year) for each in tags],
        }
        for name in () if frame is None else frame.columns:
            if name in TAKEN:
                raise ValueError(
                    f"frame has a column {name!r}, which the page has, too. Rename it."
                )
            self.columns[printable(str(name))] = _column(frame[name].tolist())
        self.groups = np.array(
            [
                f"in {path}" if artist is None else f"by {artist_key(artist)}"
                for path, artist in zip(self.paths, self.artists, strict=True)
            ]
        )
        folders = {os.path.dirname(path) for path in self.paths}
        top = os.path.commonpath(folders) if _have_common(folders) else ""
        self.title = printable(os.path.basename(os.path.abspath(top)) or "music")

    def __len__(self) -> int:
        return len(self.paths)


def _files(paths: Any, *, in_order: bool) -> list[str]:
    """Return the files; those with columns of their own are as they were given."""
    if not in_order or isinstance(paths, (str, os.PathLike)):
        return find_audio_files(paths)
    names = [os.fspath(path) for path in paths]
    for name in names:
        if not os.path.isfile(name):
            raise FileNotFoundError(f"There is no file {name!r}. Check the path.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"paths has {twice!r} twice. Leave one of them out.")
    if not names:
        raise ValueError("paths is empty. Give at least one file.")
    return names


def _have_common(folders: set[str]) -> bool:
    try:
        return bool(os.path.commonpath(folders))
    except ValueError:  # of several drives, or absolute and not
        return False


def _text(value: Any) -> str | None:
    if value is None or value != value:  # NaN
        return None
    return str(value).strip() or None


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _column(values: Sequence[Any]) -> list[Any]:
    """Return numbers as floats, if that is all that there is, else text."""
    if all(value is None or isinstance(value, (int, float)) for value in values):
        return [None if value is None else _number(value) for value in values]
    texts = map(_text, values)
    return [None if text is None else printable(text) for text in texts]
