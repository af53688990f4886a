"""Labelled music on disk: folders or a CSV, to paths, genres and groups."""

import csv
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

AUDIO_SUFFIXES = frozenset(
    ".3gp .aac .aif .aifc .aiff .amr .au .avi .caf .flac .flv .m4a .m4b .mka .mkv .mov "
    ".mp2 .mp3 .mp4 .mpc .oga .ogg .opus .rf64 .snd .w64 .wav .webm .wma .wv".split()
)
"""Endings of the files that are taken for audio when a folder is searched."""

_TRACKS = "tracks.csv"
_GROUP_COLUMNS = ("group", "artist", "artist_id")


def find_audio_files(paths: Sequence[str | os.PathLike]) -> list[str]:
    """List the audio files among files and folders.

    Parameters
    ----------
    paths : sequence of str or PathLike
        Files, which are taken whatever their names are, and folders, which are
        searched at any depth for files with the endings of audio. Hidden files and
        folders are passed over, and links to folders are not followed.

    Returns
    -------
    list of str
        In the order of `paths`, those of a folder sorted by name; each file once.

    Raises
    ------
    ValueError
        If a folder holds no audio file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre.datasets import find_audio_files
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.mp3", "a.flac", "cover.jpg"):
    ...         Path(folder, name).touch()
    ...     [Path(path).name for path in find_audio_files([folder])]
    ['a.flac', 'b.mp3']
    """
    found: dict[str, None] = {}
    for path in map(Path, paths):
        if not path.is_dir():
            found[os.fspath(path)] = None
            continue
        inside = list(_audio_below(path))
        if not inside:
            raise ValueError(
                f"There is no audio file in {os.fspath(path)!r}: none of its files "
                "ends in .mp3, .wav, .flac or another ending of audio."
            )
        found |= dict.fromkeys(inside)
    return list(found)


def _audio_below(folder: Path) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            is_audio = Path(name).suffix.lower() in AUDIO_SUFFIXES
            if is_audio and not name.startswith("."):
                yield os.path.join(parent, name)


def load_audio_folder(path: str | os.PathLike) -> Bunch:
    """List labelled music: a folder with one sub-folder per genre, or a CSV.

    Nothing is decoded. A folder that holds a ``tracks.csv`` is read by that; else every
    sub-folder is a genre, with all audio files below it, at any depth.

    Parameters
    ----------
    path : str or PathLike
        The folder, or a CSV with the columns ``path`` and ``genre`` and, where artists
        are known, ``group`` (or ``artist``, ``artist_id``); others are ignored. Paths
        are relative to the CSV's folder.

    Returns
    -------
    Bunch
        With the attributes

        paths : ndarray of shape (n_clips,), str
            The audio files.
        target : ndarray of shape (n_clips,), str
            Their genres.
        target_names : list of str
            All genres, sorted.
        groups : ndarray of shape (n_clips,), str, or None
            Artists, for splits that don't part them; None where they are not given.

    Raises
    ------
    FileNotFoundError
        If there is no such path, or files that the CSV names are missing.
    ValueError
        If there are no genres or no audio files, or the CSV lacks a column or a value.

    See Also
    --------
    make_genre_clips : Synthetic music, for trying things out.

    Notes
    -----
    A clip without an artist is a group of its own.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre.datasets import load_audio_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("folk/a.mp3", "folk/b.mp3", "rock/live/c.flac"):
    ...         Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
    ...         Path(folder, name).touch()
    ...     load_audio_folder(folder).target.tolist()
    ['folk', 'folk', 'rock']
    """
    path = Path(path)
    if path.is_dir():
        tracks = path / _TRACKS
        rows = _from_csv(tracks) if tracks.is_file() else _from_folders(path)
    elif path.is_file():
        rows = _from_csv(path)
    else:
        raise FileNotFoundError(
            f"There is no folder or CSV file {os.fspath(path)!r}. Check the path."
        )
    paths, genres, groups = (np.array(column) for column in zip(*rows, strict=True))
    return Bunch(
        paths=paths,
        target=genres,
        target_names=sorted(set(genres.tolist())),
        groups=_groups(groups, paths),
    )


def _groups(groups: np.ndarray, paths: np.ndarray) -> np.ndarray | None:
    if not np.any(groups != ""):
        return None
    # A path can't be an artist: nothing is joined by chance.
    return np.where(groups == "", paths, groups)


def _from_folders(folder: Path) -> list[tuple[str, str, str]]:
    genres = sorted(
        entry.name
        for entry in os.scandir(folder)
        if entry.is_dir() and not entry.name.startswith(".")
    )
    if not genres:
        raise ValueError(
            f"{os.fspath(folder)!r} has no sub-folders. Put the audio files of each "
            "genre into a folder named after it, or list them in a CSV with the "
            "columns path and genre."
        )
    rows, empty = [], []
    for genre in genres:
        inside = list(_audio_below(folder / genre))
        rows += [(path, genre, "") for path in inside]
        if not inside:
            empty.append(genre)
    if not rows:
        raise ValueError(
            f"There is no audio file in the sub-folders of {os.fspath(folder)!r}: none "
            "ends in .mp3, .wav, .flac or another ending of audio."
        )
    if empty:
        warnings.warn(
            f"No audio files in these sub-folders, which are left out: {empty}.",
            stacklevel=3,
        )
    loose = [
        entry.name
        for entry in os.scandir(folder)
        if Path(entry.name).suffix.lower() in AUDIO_SUFFIXES and entry.is_file()
    ]
    if loose:
        warnings.warn(
            f"{len(loose)} audio files lie in {os.fspath(folder)!r} itself, outside "
            f"any genre, and are left out (one is {min(loose)!r}).",
            stacklevel=3,
        )
    return rows


def _from_csv(file: Path) -> list[tuple[str, str, str]]:
    name = os.fspath(file)
    try:
        # utf-8-sig: spreadsheets put a byte-order mark in front.
        with open(file, newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, skipinitialspace=True)
            columns = [column.strip() for column in reader.fieldnames or []]
            reader.fieldnames = columns
            table = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{name!r} can't be read as a CSV in UTF-8: {error}."
        ) from error
    missing = [column for column in ("path", "genre") if column not in columns]
    if missing:
        raise ValueError(
            f"{name!r} has no column {missing[0]!r}; its first line must name the "
            f"columns path,genre[,group]. Found {columns}."
        )
    group_column = next((c for c in _GROUP_COLUMNS if c in columns), None)
    rows = []
    for number, row in enumerate(table, start=2):
        path, genre = ((row[c] or "").strip() for c in ("path", "genre"))
        if not path or not genre:
            empty = "path" if not path else "genre"
            raise ValueError(f"{name!r} has no {empty} in line {number}. Fill it in.")
        group = (row[group_column] or "").strip() if group_column else ""
        rows.append((os.path.join(file.parent, path), genre, group))
    if not rows:
        raise ValueError(f"{name!r} lists no files below its first line.")
    lost = [path for path, _, _ in rows if not os.path.exists(path)]
    if lost:
        raise FileNotFoundError(
            f"{len(lost)} of the {len(rows)} files that {name!r} lists are missing, "
            f"the first of them {lost[0]!r}. Paths are relative to the CSV's folder."
        )
    return rows
