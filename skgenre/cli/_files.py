"""What a model makes of many files, some of which may be broken."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from skgenre.classifiers import GenreTagger
from skgenre.cli._commands._weights import offer_weights
from skgenre.cli._quiet import import_networks_quietly
from skgenre.cli._tables import ranked
from skgenre.datasets import find_audio_files
from skgenre.features import MusicnnEmbedding
from skgenre.features._base import audio_steps
from skgenre.features._precompute import read_once

# Enough clips to keep all cores busy, few enough to be held in memory. While the
# network predicts some, the next are decoded.
_CLIPS_AT_A_TIME = 32
_CHUNKS_AT_A_TIME = 2


def files_named(music: Sequence[Path]) -> list[str]:
    """List the files and those in the folders, and first what is not there at all."""
    missing = [str(path) for path in music if not path.exists()]
    there = [path for path in music if path.exists()]
    return [*missing, *(find_audio_files(there) if there else [])]


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
        step.set_params(
            n_jobs=n_jobs, cache_dir=cache_dir, time_limit=time_limit, on_error="raise"
        )


def apply_in_chunks(
    function: Callable[[Sequence[str]], Any],
    model: Any,
    paths: Sequence[str],
    *,
    n_jobs: int,
    title: str,
    console: Console,
) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Yield the results of a function for some files at a time, and errors.

    Each file is read once, for all audio steps of the model.

    Parameters
    ----------
    function : callable
        Takes a list of paths that can be read and returns as many results, such as
        the model's `predict_proba`.
    model : estimator, or list of estimators
        What the function calls.
    paths : sequence of str
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

    def apply(chunk: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
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
    function: Callable[[Sequence[str]], Any], chunks: Sequence[Sequence[str]]
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
    function: Callable[[Sequence[str]], Any],
    model: Any,
    paths: Sequence[str],
    *,
    n_jobs: int,
    title: str,
    console: Console,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what `apply_in_chunks` yields as one."""
    results: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for some, broken in apply_in_chunks(
        function, model, paths, n_jobs=n_jobs, title=title, console=console
    ):
        results |= some
        errors |= broken
    return results, errors


def predict_files(
    model: Any,
    paths: Sequence[str],
    *,
    top: int,
    n_jobs: int,
    cache_dir: Path | None = None,
    time_limit: float | None = None,
    yes: bool = False,
    console: Console,
) -> list[dict[str, Any]]:
    """Return one dict a file: 'path', and 'genres' or what is wrong ('error')."""
    model = getattr(model, "best_estimator_", model)  # of a search
    prepare(model, n_jobs=n_jobs, cache_dir=cache_dir, time_limit=time_limit, yes=yes)
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
        {"path": path, "error": errors[path]}
        if path in errors
        else {"path": path, "genres": ranked(probabilities[path], genres, top)}
        for path in paths
    ]
