"""The files that a command is given: by name, folder, playlist, list or as input."""

import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import typer

from skgenre.audio._clip import FileClip
from skgenre.audio._remote import MAX_BYTES
from skgenre.datasets import find_audio_files
from skgenre.datasets._library._playlists import (
    MOST_BYTES,
    is_playlist,
    parse_list,
    read_playlist,
)

STANDARD_INPUT = "-"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:[/\\]")
"""The beginning of a URL, as a Path keeps it; one letter would be a drive."""
_BLOCK = 1 << 20
_IN_MEMORY = 1 << 26  # bytes of the standard input; more are written to the disk


class Named(NamedTuple):
    """What a command is given to read."""

    files: list[str]
    """Each once: first those that are not there at all, then the others, sorted."""
    lists: list[str]
    """The lists and playlists that name some of them."""


def files_named(music: Sequence[Path] | None, from_file: Path | None = None) -> Named:
    """List the files that are meant, and what names them.

    Parameters
    ----------
    music : sequence of Path or None
        Files, folders and playlists.
    from_file : Path or None, default=None
        A list of more of them, one a line; ``-`` is the standard input.

    Returns
    -------
    Named

    Raises
    ------
    typer.BadParameter
        If there is neither `music` nor `from_file`.
    ValueError
        If a list or playlist is no text, or names no file, or there is no audio file
        in the folders, or a name is an address in the Internet.
    """
    if not music and from_file is None:
        raise typer.BadParameter(
            "Name audio files, folders or playlists, or a list of them by --from-file.",
            param_hint="MUSIC",
        )
    names = [str(path) for path in music or []]
    for name in names:
        if _ADDRESS.match(name) and not os.path.exists(name):
            raise ValueError(
                f"{name!r} is an address, and commands read local files. Download the "
                "file, or pipe it: `curl -s ADDRESS | skgenre predict genres.model -`."
            )
    paths: list[str] = []
    lists: list[str] = []
    if from_file is not None:
        names += _read_list(from_file)
        if str(from_file) != STANDARD_INPUT:
            lists.append(str(from_file))
    for name in names:
        if is_playlist(name) and os.path.isfile(name):
            paths += read_playlist(name)
            lists.append(name)
        else:
            paths.append(name)
    missing = [path for path in paths if not os.path.exists(path)]
    there = [path for path in paths if os.path.exists(path)]
    files = [*dict.fromkeys(missing), *(find_audio_files(there) if there else [])]
    return Named(files, lists)


def files_and_standard_input(
    music: Sequence[Path] | None, from_file: Path | None = None
) -> tuple[list[str | FileClip], list[str]]:
    """List files as `files_named` does, and the sound in the standard input for ``-``.

    Returns
    -------
    files, lists : list
        As those of `Named`.

    Raises
    ------
    ValueError
        If the standard input is a terminal, is larger than 2 GiB, or is the list, too.
    """
    named = [path for path in music or [] if str(path) != STANDARD_INPUT]
    if not music or len(named) == len(music):
        files, lists = files_named(named, from_file)
        return [*files], lists
    if str(from_file) == STANDARD_INPUT:
        raise ValueError(
            "The standard input can't be both a sound file, as '-' says, and a list of "
            "files, as --from-file - says. Write one of them to a file."
        )
    files, lists = files_named(named, from_file) if named or from_file else ([], [])
    return [_sound_of_standard_input(), *files], lists


def _read_list(path: Path) -> list[str]:
    if str(path) != STANDARD_INPUT:
        with open(path, "rb") as file:
            return parse_list(file.read(MOST_BYTES + 1), f"The list {str(path)!r}")
    if sys.stdin.isatty():
        raise ValueError(
            "--from-file - reads a list of files from the standard input, which is a "
            "terminal. Pipe a list into the command, or name one."
        )
    contents = sys.stdin.buffer.read(MOST_BYTES + 1)
    return parse_list(contents, "The list in the standard input")


def _sound_of_standard_input() -> FileClip:
    """Return the standard input, copied to where it can be sought."""
    if sys.stdin.isatty():
        raise ValueError(
            "'-' reads a sound file from the standard input, which is a terminal. Pipe "
            "a file into the command, or name one."
        )
    # Deleted as soon as nobody holds it.
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)
    while block := sys.stdin.buffer.read(_BLOCK):
        file.write(block)
        if file.tell() > MAX_BYTES:
            raise ValueError(
                f"The standard input is larger than {MAX_BYTES >> 30} GiB. Write it to "
                "a file, and name that."
            )
    return FileClip(cast("BinaryIO", file), STANDARD_INPUT)
