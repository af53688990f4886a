"""Predict many files, some of which may be broken."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from skgenre.cli._files import apply_to_files, prepare
from skgenre.cli._tables import ranked


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
