"""Predict many files, some of which may be broken."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.progress import track

from skgenre.audio import AudioError
from skgenre.cli._decoding import decoding_errors
from skgenre.cli._quiet import import_networks_quietly
from skgenre.cli._tables import ranked

# Enough clips to keep all cores busy, few enough to be held in memory.
_CLIPS_AT_A_TIME = 64


def predict_files(
    model: Any,
    paths: Sequence[str],
    *,
    top: int,
    n_jobs: int,
    console: Console,
) -> list[dict[str, Any]]:
    """Return one dict a file: 'path', and 'genres' or what is wrong ('error')."""
    prepare(model, n_jobs)
    probabilities, errors = apply_to_files(
        model.predict_proba, paths, n_jobs=n_jobs, console=console
    )
    genres = model.classes_.tolist()
    return [
        {"path": path, "error": errors[path]}
        if path in errors
        else {"path": path, "genres": ranked(probabilities[path], genres, top)}
        for path in paths
    ]


def prepare(model: Any, n_jobs: int) -> None:
    """Make a model ready for many files: networks imported, files decoded at a time."""
    import_networks_quietly(model)
    parameters = model.get_params()
    steps = {name for name, value in parameters.items() if hasattr(value, "transform")}
    model.set_params(
        **{
            f"{step}__n_jobs": n_jobs
            for step in steps
            if f"{step}__n_jobs" in parameters
        }
    )


def apply_to_files(
    function: Callable[[Sequence[str]], Sequence[Any]],
    paths: Sequence[str],
    *,
    n_jobs: int,
    console: Console,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what the function makes of each file, and errors of those it can't read.

    It takes a list of paths and returns as many things.
    """
    results: dict[str, Any] = {}
    errors: dict[str, str] = {}
    chunks = [
        paths[start : start + _CLIPS_AT_A_TIME]
        for start in range(0, len(paths), _CLIPS_AT_A_TIME)
    ]
    for chunk in track(
        chunks, "Predicting", console=console, disable=not console.is_terminal
    ):
        of_chunk, broken = _apply_to_readable(function, chunk, n_jobs)
        results |= of_chunk
        errors |= broken
    return results, errors


def _apply_to_readable(
    function: Callable[[Sequence[str]], Sequence[Any]],
    paths: Sequence[str],
    n_jobs: int,
) -> tuple[dict[str, Any], dict[str, str]]:
    errors: dict[str, str] = {}
    while good := [path for path in paths if path not in errors]:
        try:
            results = function(good)
        except AudioError as error:
            if not errors:  # find the other broken ones in one go
                found = decoding_errors(good, n_jobs=n_jobs, verbose=False)
                errors = {p: e for p, e in zip(good, found, strict=True) if e}
            errors[error.path] = str(error)
        else:
            return dict(zip(good, results, strict=True)), errors
    return {}, errors
