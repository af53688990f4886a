"""What a model makes of many files, some of which may be broken."""

import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from rich.console import Console
from rich.progress import track

from skgenre.audio._clip import FileClip, clip_name
from skgenre.audio._reading import Reading
from skgenre.audio._remote import MAX_BYTES
from skgenre.classifiers import GenreTagger
from skgenre.cli._commands._cache import set_cache
from skgenre.cli._commands._weights import offer_weights
from skgenre.cli._console import plain
from skgenre.cli._quiet import import_networks_quietly
from skgenre.cli._tables import ranked
from skgenre.datasets import find_audio_files
from skgenre.features import MusicnnEmbedding
from skgenre.features._base import audio_steps
from skgenre.features._precompute import read_once

STANDARD_INPUT = "-"
_BLOCK = 1 << 20
_IN_MEMORY = 1 << 26  # bytes of the standard input; more are written to the disk

# Enough clips to keep all cores busy, few enough to be held in memory. While the
# network predicts some, the next are decoded.
_CLIPS_AT_A_TIME = 32
_CHUNKS_AT_A_TIME = 2


class FileResults(NamedTuple):
    """What a function made of files, and what there is to say about them, by path."""

    results: dict[Any, Any]
    """Of the files that can be read."""
    errors: dict[Any, str]
    """What is wrong with the others."""
    readings: dict[Any, Reading]
    """Of the files that are read, those that are damaged, silent or too short."""


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
    model: Any,
    *,
    n_jobs: int,
    cache_dir: Path | None,
    time_limit: float | None,
    yes: bool = False,
) -> None:
    """Import a model's networks, and set how its audio steps work.

    Weights that it needs are offered, or got without a question with `yes`.
    """
    if any(
        isinstance(step, (GenreTagger, MusicnnEmbedding)) for step in audio_steps(model)
    ):
        offer_weights(yes=yes)
    import_networks_quietly(model)
    for step in audio_steps(model):
        step.set_params(n_jobs=n_jobs, time_limit=time_limit, on_error="raise")
        set_cache(step, cache_dir)


def apply_in_chunks(
    function: Callable[[Sequence[Any]], Any],
    model: Any,
    paths: Sequence[str | FileClip],
    *,
    n_jobs: int,
    title: str,
    console: Console,
) -> Iterator[FileResults]:
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
    FileResults
    """
    chunks = [
        paths[start : start + _CLIPS_AT_A_TIME]
        for start in range(0, len(paths), _CLIPS_AT_A_TIME)
    ]

    def apply(chunk: Sequence[str | FileClip]) -> FileResults:
        with read_once(model, chunk, n_jobs=n_jobs) as read:
            good = read.good(chunk)
            results = function(good) if good else []
        errors = {path: str(error) for path, error in read.errors.items()}
        return FileResults(dict(zip(good, results, strict=True)), errors, read.readings)

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
) -> FileResults:
    """Return what `apply_in_chunks` yields as one."""
    found = FileResults({}, {}, {})
    for some in apply_in_chunks(
        function, model, paths, n_jobs=n_jobs, title=title, console=console
    ):
        pairs: Iterable[tuple[dict, dict]] = zip(found, some, strict=True)
        for own, other in pairs:
            own.update(other)
    return found


def print_notes(readings: Mapping[str, Reading], console: Console) -> None:
    """Print which files are damaged, silent or too short."""
    for path, reading in readings.items():
        console.print(
            f"[yellow]Note:[/] {plain(repr(path))} is {reading.status}: "
            f"{plain(reading.cause)}.",
            soft_wrap=True,
        )


def predict_files(
    model: Any,
    paths: Sequence[str | FileClip],
    *,
    top: int,
    n_jobs: int,
    cache_dir: Path | None = None,
    time_limit: float | None = None,
    yes: bool = False,
    console: Console,
) -> list[dict[str, Any]]:
    """Return one dict a file: 'path', 'status', and 'genres', 'error' or 'note'.

    The status is that of the reports. There are genres where there is music, an error
    where the file can't be read, and a note on what is odd.
    """
    model = getattr(model, "best_estimator_", model)  # of a search
    prepare(model, n_jobs=n_jobs, cache_dir=cache_dir, time_limit=time_limit, yes=yes)
    probabilities, errors, readings = apply_to_files(
        model.predict_proba,
        model,
        paths,
        n_jobs=n_jobs,
        title="Predicting",
        console=console,
    )
    print_notes(readings, console)
    genres = model.classes_.tolist()

    def prediction(path: str | FileClip) -> dict[str, Any]:
        name = clip_name(path)
        if path in errors:
            return {"path": name, "status": "error", "error": errors[path]}
        found: dict[str, Any] = {"path": name, "status": "ok"}
        reading = readings.get(path)
        if reading is None or reading.has_music:
            found["genres"] = ranked(probabilities[path], genres, top)
        if reading is not None:
            found |= {"status": reading.status, "note": reading.cause}
        return found

    return [prediction(path) for path in paths]
