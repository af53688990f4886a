"""The record of genres that were written, and the command that takes them back."""

import json
import os
import shlex
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import typer
from rich.console import Console

from skgenre._files import open_regular, sync_folder
from skgenre.cli._console import console, end, fail, plain
from skgenre.cli._options import DryRun

if TYPE_CHECKING:
    from skgenre.datasets._library._write_genre import GenreChange

# A record of a million songs has a third of it.
_MAX_BYTES = 1 << 30


class WrittenGenre(NamedTuple):
    """What was written into one file."""

    path: str
    old: list[str] | None
    new: list[str] | None
    sha256: str


class UndoFile:
    """A record that is on the disk before a file is changed: one line of JSON each.

    Parameters
    ----------
    path : Path
        A new file; made with the first line.
    console : rich.console.Console
        Where to print, in the end or when it is interrupted, how to use it.
    """

    def __init__(self, path: Path, console: Console) -> None:
        self._path, self._console = path, console
        self._file: IO[str] | None = None

    def add(self, change: "GenreChange") -> None:
        """Write what is to be changed, and wait until it is on the disk.

        Raises
        ------
        OSError
            If it can't be written, or the file is there already.
        """
        if self._file is None:
            self._file = open(self._path, "x", encoding="ascii", newline="\n")
            sync_folder(self._path.parent)
        entry = WrittenGenre(str(change.path), change.old, change.new, change.digest)
        self._file.write(json.dumps(entry._asdict()) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            name = plain(shlex.quote(str(self._path)))
            self._console.print(
                f"To take it back: [bold]skgenre undo {name}[/]", soft_wrap=True
            )


def read_undo_file(path: Path) -> list[WrittenGenre]:
    """Return the entries of a record; an incomplete last line is none.

    Raises
    ------
    OSError
        If it can't be read.
    ValueError
        If it is no such record, with the number of the line.
    """
    if not path.exists():
        raise FileNotFoundError(f"There is no undo file {str(path)!r}. Check the path.")
    with open(open_regular(os.path.realpath(path)), "rb") as file:
        if os.fstat(file.fileno()).st_size > _MAX_BYTES:
            raise ValueError(f"{str(path)!r} is too large for an undo file.")
        # Every file was changed after its line was complete.
        *lines, _ = file.read().split(b"\n")
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entries.append(_entry(json.loads(line)))
        except (RecursionError, ValueError):
            raise ValueError(
                f"Line {number} of {str(path)!r} is none of an undo file. Give the "
                "file that `--write-tags` has named."
            ) from None
    if not entries:
        raise ValueError(
            f"{str(path)!r} holds no line of an undo file: nothing was changed, or it "
            "is another file."
        )
    return entries


def _entry(value: Any) -> WrittenGenre:
    if not isinstance(value, dict) or value.keys() != set(WrittenGenre._fields):
        raise ValueError
    entry = WrittenGenre(**value)
    for values in (entry.old, entry.new):
        if values is not None and not (isinstance(values, list) and _all_text(values)):
            raise ValueError
    if not _all_text([entry.path, entry.sha256]):
        raise ValueError
    return entry


def _all_text(values: list) -> bool:
    return all(isinstance(value, str) for value in values)


def undo(
    record: Annotated[
        Path, typer.Argument(help="Undo file that --write-tags has reported.")
    ],
    dry_run: DryRun = False,
) -> None:
    """Restore the genres that files had before --write-tags.

    Files that have changed since then, or can't be written to, are reported and left as
    they are; the exit code is then 1.
    """
    from skgenre.datasets._library._write_genre import require_mutagen, restore_genres

    try:
        require_mutagen()
        entries = read_undo_file(record)
    except (ImportError, OSError, ValueError) as error:
        raise fail(error) from None
    n_restored, errors = 0, []
    for entry in reversed(entries):
        try:
            change = restore_genres(entry.path, entry.old, digest=entry.sha256)
            if change is not None:
                if not dry_run:
                    change.write()
                n_restored += 1
        except (OSError, ValueError) as error:
            errors.append(str(error))
    n_as_before = len(entries) - n_restored - len(errors)
    did = "would get" if dry_run else "got"
    console.print(
        f"{n_restored} of {len(entries)} files {did} their earlier genre back; "
        f"{n_as_before} had it already.",
        soft_wrap=True,
    )
    end(errors)
