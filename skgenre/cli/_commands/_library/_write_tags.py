"""Genres that a command has predicted, written into the files' tags."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from skgenre._files import check_writable
from skgenre.cli._commands._library._undo import UndoFile
from skgenre.cli._console import plain
from skgenre.cli._inputs import STANDARD_INPUT
from skgenre.datasets._library._genre_names import spelt
from skgenre.datasets._library._write_genre import (
    GenreChange,
    change_genres,
    require_mutagen,
)


class Writing(NamedTuple):
    """How predicted genres are written into tags."""

    min_confidence: float
    undo_file: Path
    dry_run: bool

    def write(
        self,
        predictions: Mapping[str, Sequence[tuple[str, float]]],
        console: Console,
    ) -> list[str]:
        """Write genres into files, and print what was done.

        A name of ID3's list is spelt as there. Files that have them already stay.

        Parameters
        ----------
        predictions : mapping of str to sequence of tuple
            Genres and their probabilities, by file. The standard input is left out,
            and so are genres with a probability below `min_confidence`.
        console : rich.console.Console
            Where to print.

        Returns
        -------
        list of str
            What is wrong with files that could not be written.

        Raises
        ------
        OSError
            If the undo file can't be written; no file is changed then, or none more.
        """
        genres = {
            path: list(
                dict.fromkeys(
                    spelt(genre)
                    for genre, confidence in found
                    if confidence >= self.min_confidence
                )
            )
            for path, found in predictions.items()
            if path != STANDARD_INPUT
        }
        genres = {path: names for path, names in genres.items() if names}
        n_changed, errors = 0, []
        with UndoFile(self.undo_file, console) as undo_file:
            for path, names in genres.items():
                try:
                    change = change_genres(path, names)
                except (OSError, ValueError) as error:
                    errors.append(str(error))
                    continue
                if change is None:
                    continue
                n_changed += 1
                if self.dry_run:
                    _print(path, change, console)
                    continue
                undo_file.add(change)
                try:
                    change.write()
                except OSError as error:
                    errors.append(str(error))
                    n_changed -= 1
        n_same = len(genres) - n_changed - len(errors)
        did = "would be" if self.dry_run else "were"
        console.print(
            f"Genres {did} written into {n_changed} files; {n_same} have them "
            f"already, {len(errors)} can't be written.",
            soft_wrap=True,
        )
        return errors


def _print(path: str, change: GenreChange, console: Console) -> None:
    """Print what would be written."""
    before, after = (
        "no genre" if values is None else repr("; ".join(values))
        for values in (change.old, change.new)
    )
    console.print(
        plain(f"{path}: {after} in place of {before}"), soft_wrap=True, highlight=False
    )


def check_writing(
    write_tags: bool,
    *,
    min_confidence: float | None,
    undo_file: Path | None,
    dry_run: bool,
) -> Writing | None:
    """Return how genres are to be written; None without ``--write-tags``.

    Raises
    ------
    ImportError
        Without mutagen.
    OSError
        If the undo file can't be written.
    ValueError
        If an option is missing, or of no use.
    """
    if not write_tags:
        if dry_run or undo_file is not None:
            option = "--dry-run" if dry_run else "--undo-file"
            raise ValueError(f"{option} is for --write-tags. Leave it out, or add it.")
        return None
    if min_confidence is None:
        raise ValueError(
            "--write-tags needs --min-confidence, the least probability of a genre "
            "that is written, such as 0.7."
        )
    require_mutagen()
    if undo_file is None:
        undo_file = Path(f"skgenre-undo-{datetime.now():%Y%m%d-%H%M%S-%f}.jsonl")
    if not dry_run:
        check_writable(undo_file)
        if undo_file.exists():
            raise FileExistsError(
                f"{str(undo_file)!r} is there already. Choose another name."
            )
    return Writing(min_confidence, undo_file, dry_run)
