"""Predict many files, some of which may be broken."""

from collections.abc import Sequence
from typing import Any

import numpy as np
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
    predictions: list[dict[str, Any]] = []
    chunks = [
        paths[start : start + _CLIPS_AT_A_TIME]
        for start in range(0, len(paths), _CLIPS_AT_A_TIME)
    ]
    for chunk in track(
        chunks, "Predicting", console=console, disable=not console.is_terminal
    ):
        probabilities, errors = _probabilities(model, chunk, n_jobs)
        for path in chunk:
            if path in errors:
                predictions.append({"path": path, "error": errors[path]})
            else:
                genres = ranked(probabilities[path], model.classes_.tolist(), top)
                predictions.append({"path": path, "genres": genres})
    return predictions


def _probabilities(
    model: Any, paths: Sequence[str], n_jobs: int
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return probabilities of the files that can be read, and errors of the others."""
    errors: dict[str, str] = {}
    while good := [path for path in paths if path not in errors]:
        try:
            probabilities = model.predict_proba(good)
        except AudioError as error:
            if not errors:  # find the other broken ones in one go
                found = decoding_errors(good, n_jobs=n_jobs, verbose=False)
                errors = {p: e for p, e in zip(good, found, strict=True) if e}
            errors[error.path] = str(error)
        else:
            return dict(zip(good, probabilities, strict=True)), errors
    return {}, errors
