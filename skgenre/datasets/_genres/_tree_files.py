"""Files of genre trees: CSV, and names within names in JSON or YAML."""

import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from skgenre._files import size_text
from skgenre._text import shorten
from skgenre.datasets._fma._tables import genre_parents, read_genres
from skgenre.datasets._library._genre_names import genre_key

_FMA_COLUMNS = {"genre_id", "parent", "title"}
_MAX_BYTES = 1 << 20  # beets' own tree has 15 kB
# References of YAML may stand for many more names and lists than the file has.
_MAX_NODES = 200_000
_NOTHING = ("", "~", "null", "Null", "NULL")  # in YAML


def read_tree(path: str) -> dict[str, str | None]:
    """Return the genre above each genre in a file; None at the top.

    Parameters
    ----------
    path : str
        A file in one of the forms of `GenreTree.from_file`.

    Returns
    -------
    dict of str to str or None
        In the file's order.

    Raises
    ------
    OSError
        If the file can't be read.
    ImportError
        If it is YAML, and PyYAML is not installed.
    ValueError
        If it is of another form.
    """
    end = os.path.splitext(path)[1].lower()
    if end not in _READERS:
        raise ValueError(f"its name must end in {', '.join(_READERS)}")
    try:
        with open(path, "rb") as file:
            contents = file.read(_MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"There is no file {path!r}. Check the path."
        ) from error
    if len(contents) > _MAX_BYTES:
        raise ValueError(f"it is larger than {size_text(_MAX_BYTES)}")
    try:
        text = contents.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text ({error.reason})") from None
    return _READERS[end](text, path)


def _of_csv(text: str, path: str) -> dict[str, str | None]:
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        columns = {name.strip().lower(): name for name in reader.fieldnames or ()}
        if columns.keys() >= _FMA_COLUMNS:
            return genre_parents(read_genres(path))
        if not columns.keys() >= {"genre", "parent"}:
            raise ValueError(
                "its first line must name the columns genre and parent, or be that of "
                f"FMA's genres.csv; found {shorten(', '.join(columns))!r}"
            )
        cells = [
            [(row[columns[name]] or "").strip() for name in ("genre", "parent")]
            for row in reader
        ]
    except csv.Error as error:
        raise ValueError(f"it is not a CSV file: {error}") from None
    parents: dict[str, str | None] = {}
    for genre, parent in cells:
        if parents.setdefault(genre, parent or None) != (parent or None):
            raise ValueError(
                f"it has {shorten(genre)!r} below two genres, {parents[genre]!r} and "
                f"{shorten(parent)!r}. Delete one of the lines"
            )
    return parents


def _of_json(text: str, path: str) -> dict[str, str | None]:
    try:
        return _first_places(json.loads(text))
    except RecursionError:
        raise ValueError("its names are too deep in one another") from None


def _of_yaml(text: str, path: str) -> dict[str, str | None]:
    try:
        import yaml
    except ImportError as error:
        raise ImportError(
            f"To read {path!r}, install PyYAML: `python -m pip install "
            '"skgenre[yaml]"`; or write the tree as JSON or CSV.'
        ) from error
    try:
        # Makes texts, lists and dicts, and nothing else: some numbers take minutes, as
        # do merge keys. libyaml, where PyYAML has it, is ten times as fast.
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)(text)
        return _first_places(loader.get_single_data(), nothing=_NOTHING)
    except RecursionError:
        raise ValueError("its names are too deep in one another") from None
    except yaml.YAMLError as error:
        reason = shorten(" ".join(str(error).split()))
        raise ValueError(f"it is not YAML: {reason}") from None


_READERS = {
    ".csv": _of_csv,
    ".json": _of_json,
    ".yaml": _of_yaml,
    ".yml": _of_yaml,
}


def _first_places(nested: Any, *, nothing: Sequence[str] = ()) -> dict[str, str | None]:
    """Return the genre above each name of nested lists and dicts.

    Texts that mean no name are `nothing`.
    """
    if not isinstance(nested, (list, dict)):
        raise ValueError("it must be a list of names, or a mapping of names to such")
    parents: dict[str, str | None] = {}
    known: set[str] = set()
    for n_nodes, (name, parent) in enumerate(_nodes(nested, None)):
        if n_nodes >= _MAX_NODES:
            raise ValueError(f"it has more than {_MAX_NODES} names and lists")
        if name is None or name in nothing or isinstance(name, (list, dict)):
            continue
        if not isinstance(name, str):
            raise ValueError(
                f"{shorten(repr(name))} is no text. Put a name that looks like a "
                "number in quotes."
            )
        if genre_key(name) not in known:
            known.add(genre_key(name))
            parents[name] = parent
    return parents


def _nodes(nested: Any, parent: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each name, list and dict, and the name above it, from the top down."""
    yield nested, parent
    if isinstance(nested, dict):
        for name, below in nested.items():
            yield name, parent
            yield from _nodes(below, name)
    elif isinstance(nested, list):
        for item in nested:
            yield from _nodes(item, parent)
