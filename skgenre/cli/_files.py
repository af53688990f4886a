"""What a model makes of many files, some of which may be broken."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import track

from skgenre.audio._clip import FileClip, clip_name
from skgenre.audio._reading import Reading
from skgenre.classifiers import GenreTagger
from skgenre.classifiers._several_genres import genre_thresholds
from skgenre.cli._commands._cache import set_cache
from skgenre.cli._commands._weights import offer_weights
from skgenre.cli._console import plain
from skgenre.cli._quiet import import_networks_quietly
from skgenre.cli._tables import ranked
from skgenre.features import MusicnnEmbedding
from skgenre.features._base import audio_steps
from skgenre.features._precompute import (
    CLIPS_AT_A_TIME,
    FileResults,
    results_in_chunks,
)


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
    yield from track(
        results_in_chunks(function, model, paths, n_jobs=n_jobs),
        title,
        total=-(-len(paths) // CLIPS_AT_A_TIME),
        console=console,
        disable=not console.is_terminal,
    )


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


def process_files(
    function: Callable[[Sequence[Any]], Any],
    model: Any,
    paths: Sequence[str | FileClip],
    *,
    title: str,
    console: Console,
    n_jobs: int,
    cache_dir: Path | None = None,
    time_limit: float | None = None,
    yes: bool = False,
) -> FileResults:
    """Prepare a model, apply a function of it to files, and print what is odd."""
    prepare(model, n_jobs=n_jobs, cache_dir=cache_dir, time_limit=time_limit, yes=yes)
    found = apply_to_files(
        function, model, paths, n_jobs=n_jobs, title=title, console=console
    )
    print_notes(found.readings, console)
    return found


def print_notes(readings: Mapping[str | FileClip, Reading], console: Console) -> None:
    """Print which files are damaged, silent or too short."""
    for path, reading in readings.items():
        print_note(path, reading.status, reading.cause, console)


def print_note(path: str | FileClip, status: str, cause: str, console: Console) -> None:
    """Print that a file is damaged, silent or too short."""
    name = os.fsdecode(clip_name(path))
    console.print(
        f"[yellow]Note:[/] {plain(repr(name))} is {status}: {plain(cause)}.",
        soft_wrap=True,
    )


class Predicted(NamedTuple):
    """What a model predicts for files."""

    files: list[dict[str, Any]]
    """One dict a file, to be shown: 'path', 'status', and 'genres', 'error' or 'note'.

    The status is that of the reports. There are genres where there is music, an error
    where the file can't be read, and a note on what is odd.
    """
    genres: dict[str, list[dict[str, Any]]]
    """The prediction of each file with music: the best genre, or all that reach their
    thresholds, however many are shown."""


def predict_files(
    model: Any,
    paths: Sequence[str | FileClip],
    *,
    top: int | None,
    console: Console,
    **how: Any,
) -> Predicted:
    """Return what a model predicts for files, and the `top` genres to show of each."""
    model = getattr(model, "best_estimator_", model)  # of a search
    probabilities, errors, readings = process_files(
        model.predict_proba, model, paths, title="Predicting", console=console, **how
    )
    classes, thresholds = model.classes_.tolist(), genre_thresholds(model)
    genres: dict[str, list[dict[str, Any]]] = {}

    def prediction(path: str | FileClip) -> dict[str, Any]:
        name = os.fsdecode(clip_name(path))
        if path in errors:
            return {"path": name, "status": "error", "error": errors[path]}
        found: dict[str, Any] = {"path": name, "status": "ok"}
        reading = readings.get(path)
        if reading is None or reading.has_music:
            of_path = probabilities[path]
            found["genres"] = ranked(of_path, classes, top, thresholds)
            genres[name] = ranked(of_path, classes, None, thresholds)
        if reading is not None:
            found |= {"status": reading.status, "note": reading.cause}
        return found

    return Predicted([prediction(path) for path in paths], genres)
