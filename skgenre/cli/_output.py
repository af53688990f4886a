"""Where results go: the standard output, a file, or a folder of playlists."""

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from skgenre._files import check_writable, write_atomically
from skgenre.cli._console import console, plain
from skgenre.datasets._audio_files import is_audio
from skgenre.datasets._library._playlists import (
    WRITTEN_SUFFIX,
    Entry,
    file_names,
    write_playlist,
)


def check_output(
    output: Path | None,
    inputs: Iterable[str | os.PathLike[str] | None],
    *,
    option: str = "--output",
    is_folder: bool = False,
) -> None:
    """Check, before the work, that its results can be written.

    Parameters
    ----------
    output : Path or None
        What `option` names, which need not exist; None is the standard output.
    inputs : iterable of str, PathLike or None
        Files that are read, and must not be replaced. Songs need not be among them:
        no file whose name ends like audio is replaced.
    option : str, default='--output'
        What errors call it.
    is_folder : bool, default=False
        Whether it is a folder for playlists, which is made. Any of those in it may be
        replaced.

    Raises
    ------
    OSError
        If it can't be written to.
    ValueError
        If it would replace what is to be read, or a song.
    """
    if output is None:
        return
    read = {os.path.realpath(path) for path in inputs if path}
    if is_folder:
        if output.exists() and not output.is_dir():
            raise FileExistsError(
                f"{option} {str(output)!r} is a file, and with m3u a folder is needed. "
                "Choose another name."
            )
        output.mkdir(parents=True, exist_ok=True)
        check_writable(output / f"any{WRITTEN_SUFFIX}")
        for name in sorted(os.listdir(output)):
            is_written = name.lower().endswith(WRITTEN_SUFFIX)
            if is_written and os.path.realpath(output / name) in read:
                raise ValueError(
                    f"Playlists in {option} {str(output)!r} may replace {name!r} in "
                    "it, which is to be read. Choose another folder."
                )
        return
    target = check_writable(output)
    if str(target) in read:
        raise ValueError(
            f"{option} {str(output)!r} would replace what is to be read. Choose "
            "another name."
        )
    if target.exists() and is_audio(target.name):
        raise ValueError(
            f"{option} {str(output)!r} would replace an audio file. Choose another "
            "name."
        )


@contextmanager
def results_to(output: Path | None) -> Iterator[IO[str]]:
    """Return a stream for results; a file is written as a whole in the end."""
    if output is None:
        yield sys.stdout
        return
    text = io.StringIO()
    yield text
    write_atomically(check_writable(output), text.getvalue().encode("utf-8"))
    console.print(f"Saved to [bold]{plain(output)}[/].", soft_wrap=True)


def write_songs(
    songs: Sequence[dict[str, Any]],
    write: Callable[[Any, str, IO[str]], None],
    file_format: str,
    output: Path | None,
) -> list[str]:
    """Write songs, dicts with a 'path', as a playlist or else by `write`.

    Returns
    -------
    list of str
        What is wrong with songs that can't be in a playlist.
    """
    with results_to(output) as stream:
        if file_format == "m3u":
            return write_playlist((Entry(song["path"]) for song in songs), stream)
        write(songs, file_format, stream)
    return []


def write_grouped(entries: Iterable[Entry], output: Path | None) -> list[str]:
    """Write a playlist for each group of songs into a folder, or one of all.

    Parameters
    ----------
    entries : iterable of Entry
        Songs; a group's come in their order.
    output : Path or None
        The folder, which exists; None writes one playlist to the standard output, group
        after group.

    Returns
    -------
    list of str
        What is wrong with songs that can't be in a playlist.
    """
    groups: dict[str, list[str]] = {}
    for path, group in entries:
        groups.setdefault(group, []).append(path)
    if output is None:
        return write_playlist(
            (Entry(path, group) for group in sorted(groups) for path in groups[group]),
            sys.stdout,
        )
    errors: list[str] = []
    for group, name in file_names(sorted(groups)).items():
        text = io.StringIO()
        errors += write_playlist(map(Entry, groups[group]), text)
        target = check_writable(output / name)
        write_atomically(target, text.getvalue().encode("utf-8"))
    console.print(
        f"Playlists in [bold]{plain(output)}[/]: {len(groups)}.", soft_wrap=True
    )
    return errors
