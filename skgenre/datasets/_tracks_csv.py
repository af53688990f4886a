"""Tables of tracks: path, genre and, where it is known, the artist."""

import csv
import io
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TextIO

from skgenre._text import format_list
from skgenre.audio._remote import is_url, read_at_host, unescaped

GROUP_COLUMNS = ("group", "artist_id", "artist")
"""Names of the column of artists; the first that is there counts."""

STORES = frozenset(
    "abfs abfss adl az file gcs gs hf local memory oci oss s3 s3a".split()
)
"""Protocols whose places and credentials come only from the user's configuration.

A URL of another protocol names the machine that is called. In a stranger's table, it
could make the reader's machine ask for what only that one may see.
"""

SEPARATOR = "|"
"""Of several genres in a cell."""

_N_NAMED = 5
# Bytes of a table that a URL names; one of a million tracks has a fifth of it.
_MAX_BYTES = 1 << 29


class Track(NamedTuple):
    """A file, its genres and its artist."""

    path: str
    genres: tuple[str, ...]
    group: str | None

    @property
    def genre(self) -> str:
        """The first of its genres."""
        return self.genres[0]


def quoted(names: Sequence[str]) -> str:
    """Return the first few names in quotes, and how many more there are."""
    return format_list([repr(name) for name in names], limit=_N_NAMED)


def read_tracks_csv(path: str, *, must_exist: bool = True) -> list[Track]:
    """Read a table of tracks.

    Parameters
    ----------
    path : str
        A CSV file in UTF-8 with a header, or its URL; see `load_audio_folder`.
    must_exist : bool, default=True
        Refuse tables that list files that don't exist.

    Returns
    -------
    list of Track
        In the file's order. Relative paths begin with the file's folder; URLs are as
        they are.

    Raises
    ------
    FileNotFoundError
        If files are listed that don't exist and must.

    ValueError
        If the table is not of that form; if it is remote and can't be read, or its host
        redirects to another one, or from https to http.
    """
    if is_url(path):
        path = unescaped(path)  # to which names of files are added
    try:
        with _open(path) as file:
            tracks = list(_tracks(file, path))
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path!r} is not UTF-8 text ({error.reason} at byte {error.start}). Save "
            "it as CSV in UTF-8."
        ) from None
    except csv.Error as error:
        raise ValueError(f"{path!r} is not a CSV file: {error}.") from None
    if not tracks:
        raise ValueError(f"{path!r} lists no tracks. Add a row for each audio file.")
    missing = [
        track.path
        for track in tracks
        if not is_url(track.path) and not os.path.isfile(track.path)
    ]
    if missing and must_exist:
        raise FileNotFoundError(
            f"{path!r} lists {len(missing)} files that don't exist: {quoted(missing)}. "
            "Relative paths begin at the CSV's folder; correct or delete these rows."
        )
    genres: dict[str, str] = {}
    for track in tracks:
        name, cell = _one_name(track.path), SEPARATOR.join(track.genres)
        known = genres.setdefault(name, cell)
        if known.casefold() != cell.casefold():  # case is folded later
            raise ValueError(
                f"{path!r} lists {track.path!r} as {known!r} and as {cell!r}. Delete "
                "one of the rows."
            )
    counts = Counter(_one_name(track.path) for track in tracks)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        warnings.warn(
            f"{path!r} lists {len(twice)} files more than once: {quoted(twice)}. A "
            "model may be judged on clips that it was trained on.",
            stacklevel=4,  # past `load_audio_folder` and its validation
        )
    return tracks


def _open(path: str) -> TextIO:
    if is_url(path):
        text = read_at_host(path, _MAX_BYTES).decode("utf-8-sig")
        return io.StringIO(text, newline="")
    return open(path, encoding="utf-8-sig", newline="")


def _one_name(path: str) -> str:
    return path if is_url(path) else os.path.normpath(path)


def _track_path(cell: str, table: str) -> str:
    """Return the path or URL that a cell of a table names."""
    if is_url(cell):
        protocol = cell.split("://")[0].lower()
        if protocol not in STORES and _host(cell) != _host(table):
            raise ValueError(
                f"{table!r} lists {cell!r}, which would call another machine. Tables "
                "may list local files, URLs of their own host, and those of object "
                f"stores ({', '.join(sorted(STORES))}). If you trust it, read it with "
                "pandas and pass its column of URLs."
            )
        return cell
    if is_url(table):
        return f"{table.rpartition('/')[0]}/{cell}"
    return os.path.join(os.path.dirname(table), cell)


def _host(path: str) -> list[str]:
    """Return the protocol and the host or bucket of a URL."""
    return path.split("/")[:3] if is_url(path) else []


def _tracks(file: Iterator[str], path: str) -> Iterator[Track]:
    # Not by `DictReader`, which takes as long for a row of two cells as for one of all
    # columns, of which there may be millions.
    reader = csv.reader(file, skipinitialspace=True)
    found = next(reader, [])
    columns = {name.strip().lower(): i for i, name in enumerate(found)}
    if not {"path", "genre"} <= set(columns):
        raise ValueError(
            f"{path!r} needs the columns 'path' and 'genre' in its first line, "
            f"separated by commas; found [{quoted(found)}]. Name them so or, if it is "
            "no list of tracks, rename the file: a folder without tracks.csv is read "
            "by its sub-folders."
        )
    group_column = next((columns[c] for c in GROUP_COLUMNS if c in columns), None)
    wanted = [columns["path"], columns["genre"]]
    if group_column is not None:
        wanted.append(group_column)
    for row in filter(None, reader):
        if len(row) > len(found):
            raise ValueError(
                f"Line {reader.line_num} of {path!r} has more cells than the first "
                "line. Put cells that hold a comma in double quotes."
            )
        cells = [row[i].strip() if i < len(row) else "" for i in wanted]
        parts = (part.strip() for part in cells[1].split(SEPARATOR))
        genres = tuple(dict.fromkeys(part for part in parts if part))
        cells[1] = SEPARATOR.join(genres)
        if "" in cells:
            column = found[wanted[cells.index("")]]
            raise ValueError(
                f"Line {reader.line_num} of {path!r} has no {column!r}. Fill the cell "
                "or delete the row."
            )
        group = cells[2] if group_column is not None else None
        yield Track(_track_path(cells[0], path), genres, group)
