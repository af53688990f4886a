"""What a model answers for many files, some of which may be broken."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from skgenre.audio import AudioError
from skgenre.cli._decoding import decoding_errors
from skgenre.datasets import find_audio_files

# Enough clips to keep all cores busy, few enough to be held in memory.
_CLIPS_AT_A_TIME = 64


def files_named(music: Sequence[Path]) -> list[str]:
    """List the files and those in the folders, and first what is not there at all."""
    missing = [str(path) for path in music if not path.exists()]
    there = [path for path in music if path.exists()]
    return [*missing, *(find_audio_files(there) if there else [])]


def decode_in_threads(model: Any, n_jobs: int) -> None:
    """Set the number of threads of all steps that have one."""
    parameters = model.get_params()
    steps = {name for name, value in parameters.items() if hasattr(value, "transform")}
    model.set_params(
        **{
            f"{step}__n_jobs": n_jobs
            for step in steps
            if f"{step}__n_jobs" in parameters
        }
    )


def answers_in_chunks(
    method: Callable[[Sequence[str]], NDArray],
    paths: Sequence[str],
    *,
    n_jobs: int,
    title: str,
    console: Console,
) -> Iterator[tuple[dict[str, NDArray], dict[str, str]]]:
    """Yield, for so many files at a time, the answers and what is wrong with others.

    Parameters
    ----------
    method : callable
        Takes paths and returns one answer for each, such as a model's `predict_proba`.
    paths : sequence of str
        Files.
    n_jobs : int
        Threads in which broken files are looked for.
    title : str
        What the progress bar says.
    console : rich.console.Console
        Where it is drawn, if that is a terminal.

    Yields
    ------
    answers : dict of str to ndarray
        By path, those of the files that can be read.
    errors : dict of str to str
        By path, what is wrong with the others.
    """
    chunks = [
        paths[start : start + _CLIPS_AT_A_TIME]
        for start in range(0, len(paths), _CLIPS_AT_A_TIME)
    ]
    for chunk in track(chunks, title, console=console, disable=not console.is_terminal):
        yield _answers(method, chunk, n_jobs)


def _answers(
    method: Callable[[Sequence[str]], NDArray], paths: Sequence[str], n_jobs: int
) -> tuple[dict[str, NDArray], dict[str, str]]:
    errors: dict[str, str] = {}
    while good := [path for path in paths if path not in errors]:
        try:
            answers = method(good)
        except AudioError as error:
            if not errors:  # find the other broken ones in one go
                found = decoding_errors(good, n_jobs=n_jobs, verbose=False)
                errors = {p: e for p, e in zip(good, found, strict=True) if e}
            errors[error.path] = str(error)
        else:
            return dict(zip(good, answers, strict=True)), errors
    return {}, errors
