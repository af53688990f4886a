"""Predict many files, some of which may be broken."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from skgenre.cli._files import answers_in_chunks, decode_in_threads
from skgenre.cli._quiet import import_networks_quietly
from skgenre.cli._tables import ranked


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
    decode_in_threads(model, n_jobs)
    found: dict[str, dict[str, Any]] = {}
    for probabilities, errors in answers_in_chunks(
        model.predict_proba, paths, n_jobs=n_jobs, title="Predicting", console=console
    ):
        for path, of_path in probabilities.items():
            found[path] = {"genres": ranked(of_path, model.classes_.tolist(), top)}
        found |= {path: {"error": message} for path, message in errors.items()}
    return [{"path": path, **found[path]} for path in paths]
