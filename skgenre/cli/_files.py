"""What a model makes of many files, some of which may be broken."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from skgenre.audio import AudioError
from skgenre.cli._quiet import import_networks_quietly
from skgenre.cli._tables import ranked
from skgenre.datasets import find_audio_files
from skgenre.datasets._check_audio import decode_all

# Enough clips to keep all cores busy, few enough to be held in memory. While the
# network answers for some, the next are decoded.
_CLIPS_AT_A_TIME = 32
_CHUNKS_AT_A_TIME = 2


def files_named(music: Sequence[Path]) -> list[str]:
    """List the files and those in the folders, and first what is not there at all."""
    missing = [str(path) for path in music if not path.exists()]
    there = [path for path in music if path.exists()]
    return [*missing, *(find_audio_files(there) if there else [])]


def prepare(
    model: Any, *, n_jobs: int, cache_dir: Path | None, time_limit: float | None
) -> None:
    """Make a model ready for many files: networks imported, audio steps told how.

    The steps raise errors, of which the commands tell.
    """
    import_networks_quietly(model)
    parameters = model.get_params()
    steps = {name for name, value in parameters.items() if hasattr(value, "transform")}
    how = {
        "n_jobs": n_jobs,
        "cache_dir": cache_dir,
        "time_limit": time_limit,
        "on_error": "raise",
    }
    model.set_params(
        **{
            f"{step}__{name}": value
            for step in steps
            for name, value in how.items()
            if f"{step}__{name}" in parameters
        }
    )


def apply_in_chunks(
    function: Callable[[Sequence[str]], Any],
    paths: Sequence[str],
    *,
    n_jobs: int,
    time_limit: float | None,
    title: str,
    console: Console,
) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Yield, for some files at a time, what a function makes of them, and errors.

    Parameters
    ----------
    function : callable
        Takes a list of paths and returns as many things, such as a model's
        `predict_proba`.
    paths : sequence of str
        Files.
    n_jobs : int
        Threads in which broken files are looked for.
    time_limit : float or None
        Seconds for each of them, in worker processes.
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

    def apply(chunk: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
        return _apply_to_readable(function, chunk, n_jobs, time_limit)

    yield from track(
        _in_threads(apply, chunks),
        title,
        total=len(chunks),
        console=console,
        disable=not console.is_terminal,
    )


def _in_threads(
    function: Callable[[Sequence[str]], Any], chunks: Sequence[Sequence[str]]
) -> Iterator[Any]:
    """Yield what a function makes of each chunk, in order."""
    with ThreadPoolExecutor(_CHUNKS_AT_A_TIME) as pool:
        started: deque[Future] = deque()
        for chunk in chunks:
            started.append(pool.submit(function, chunk))
            if len(started) == _CHUNKS_AT_A_TIME:
                yield started.popleft().result()
        while started:
            yield started.popleft().result()


def apply_to_files(
    function: Callable[[Sequence[str]], Any],
    paths: Sequence[str],
    *,
    n_jobs: int,
    time_limit: float | None,
    title: str,
    console: Console,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what `apply_in_chunks` yields as one."""
    results: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for some, broken in apply_in_chunks(
        function,
        paths,
        n_jobs=n_jobs,
        time_limit=time_limit,
        title=title,
        console=console,
    ):
        results |= some
        errors |= broken
    return results, errors


def _apply_to_readable(
    function: Callable[[Sequence[str]], Any],
    paths: Sequence[str],
    n_jobs: int,
    time_limit: float | None,
) -> tuple[dict[str, Any], dict[str, str]]:
    errors: dict[str, str] = {}
    while good := [path for path in paths if path not in errors]:
        try:
            results = function(good)
        except AudioError as error:
            if not errors:  # find the other broken ones in one go
                found = decode_all(
                    good, n_jobs=n_jobs, time_limit=time_limit, verbose=False
                )
                errors = {
                    path: str(outcome.error)
                    for path, outcome in zip(good, found, strict=True)
                    if outcome.error is not None
                }
            errors[error.path] = str(error)
        else:
            return dict(zip(good, results, strict=True)), errors
    return {}, errors


def predict_files(
    model: Any,
    paths: Sequence[str],
    *,
    top: int,
    n_jobs: int,
    cache_dir: Path | None = None,
    time_limit: float | None = None,
    console: Console,
) -> list[dict[str, Any]]:
    """Return one dict a file: 'path', and 'genres' or what is wrong ('error')."""
    prepare(model, n_jobs=n_jobs, cache_dir=cache_dir, time_limit=time_limit)
    probabilities, errors = apply_to_files(
        model.predict_proba,
        paths,
        n_jobs=n_jobs,
        time_limit=time_limit,
        title="Predicting",
        console=console,
    )
    genres = model.classes_.tolist()
    return [
        {"path": path, "error": errors[path]}
        if path in errors
        else {"path": path, "genres": ranked(probabilities[path], genres, top)}
        for path in paths
    ]
