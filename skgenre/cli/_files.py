"""What a model makes of many files, some of which may be broken."""

import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, cast

from rich.console import Console
from rich.progress import track

from skgenre.audio._clip import FileClip, clip_name
from skgenre.audio._remote import MAX_BYTES
from skgenre.cli._quiet import import_networks_quietly
from skgenre.cli._tables import ranked
from skgenre.datasets import find_audio_files
from skgenre.features._base import audio_steps
from skgenre.features._precompute import read_once

STANDARD_INPUT = "-"
_BLOCK = 1 << 20
_IN_MEMORY = 1 << 26  # bytes of the standard input; more are written to the disk

# Enough clips to keep all cores busy, few enough to be held in memory. While the
# network predicts some, the next are decoded.
_CLIPS_AT_A_TIME = 32
_CHUNKS_AT_A_TIME = 2


def files_named(music: Sequence[Path]) -> list[str]:
    """List the files and those in the folders, and first what is not there at all."""
    missing = [str(path) for path in music if not path.exists()]
    there = [path for path in music if path.exists()]
    return [*missing, *(find_audio_files(there) if there else [])]


def files_and_standard_input(music: Sequence[Path]) -> list[str | FileClip]:
    """List files as `files_named` does, and the standard input where ``-`` stands.

    Raises
    ------
    ValueError
        If the standard input is a terminal, or larger than 2 GiB.
    """
    named = [path for path in music if str(path) != STANDARD_INPUT]
    files: list[str | FileClip] = [*(files_named(named) if named else [])]
    if len(named) < len(music):
        files.insert(0, _standard_input())
    return files


def _standard_input() -> FileClip:
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


def prepare(
    model: Any, *, n_jobs: int, cache_dir: Path | None, time_limit: float | None
) -> None:
    """Import a model's networks, and set how its audio steps work."""
    import_networks_quietly(model)
    for step in audio_steps(model):
        step.set_params(
            n_jobs=n_jobs, cache_dir=cache_dir, time_limit=time_limit, on_error="raise"
        )


def apply_in_chunks(
    function: Callable[[Sequence[Any]], Any],
    model: Any,
    paths: Sequence[str | FileClip],
    *,
    n_jobs: int,
    title: str,
    console: Console,
) -> Iterator[tuple[dict[Any, Any], dict[Any, str]]]:
    """Yield the results of a function for some files at a time, and errors.

    Each file is read once, for all audio steps of the model.

    Parameters
    ----------
    function : callable
        Takes a list of paths that can be read and returns as many results, such as
        the model's `predict_proba`.
    model : estimator, or list of estimators
        What the function calls.
    paths : sequence of str or FileClip
        Files.
    n_jobs : int
        Files read at a time, in threads.
    title : str
        What the progress bar says.
    console : rich.console.Console
        Where it is drawn, if that is a terminal.

    Yields
    ------
    results : dict of str to object
        By path, for the files that can be read.
    errors : dict of str to str
        By path, what is wrong with the others.
    """
    chunks = [
        paths[start : start + _CLIPS_AT_A_TIME]
        for start in range(0, len(paths), _CLIPS_AT_A_TIME)
    ]

    def apply(chunk: Sequence[str | FileClip]) -> tuple[dict[Any, Any], dict[Any, str]]:
        with read_once(model, chunk, n_jobs=n_jobs) as read:
            good = read.good(chunk)
            results = function(good) if good else []
        errors = {path: str(error) for path, error in read.errors.items()}
        return dict(zip(good, results, strict=True)), errors

    yield from track(
        _in_threads(apply, chunks),
        title,
        total=len(chunks),
        console=console,
        disable=not console.is_terminal,
    )


def _in_threads(
    function: Callable[[Sequence[Any]], Any], chunks: Sequence[Sequence[Any]]
) -> Iterator[Any]:
    """Yield the function's result for each chunk, in order."""
    with ThreadPoolExecutor(_CHUNKS_AT_A_TIME) as pool:
        started: deque[Future] = deque()
        for chunk in chunks:
            started.append(pool.submit(function, chunk))
            if len(started) == _CHUNKS_AT_A_TIME:
                yield started.popleft().result()
        while started:
            yield started.popleft().result()


def apply_to_files(
    function: Callable[[Sequence[Any]], Any],
    model: Any,
    paths: Sequence[str | FileClip],
    *,
    n_jobs: int,
    title: str,
    console: Console,
) -> tuple[dict[Any, Any], dict[Any, str]]:
    """Return what `apply_in_chunks` yields as one."""
    results: dict[Any, Any] = {}
    errors: dict[Any, str] = {}
    for some, broken in apply_in_chunks(
        function, model, paths, n_jobs=n_jobs, title=title, console=console
    ):
        results |= some
        errors |= broken
    return results, errors


def predict_files(
    model: Any,
    paths: Sequence[str | FileClip],
    *,
    top: int,
    n_jobs: int,
    cache_dir: Path | None = None,
    time_limit: float | None = None,
    console: Console,
) -> list[dict[str, Any]]:
    """Return one dict a file: 'path', and 'genres' or what is wrong ('error')."""
    model = getattr(model, "best_estimator_", model)  # of a search
    prepare(model, n_jobs=n_jobs, cache_dir=cache_dir, time_limit=time_limit)
    probabilities, errors = apply_to_files(
        model.predict_proba,
        model,
        paths,
        n_jobs=n_jobs,
        title="Predicting",
        console=console,
    )
    genres = model.classes_.tolist()
    return [
        {"path": clip_name(path), "error": errors[path]}
        if path in errors
        else {
            "path": clip_name(path),
            "genres": ranked(probabilities[path], genres, top),
        }
        for path in paths
    ]
