"""Results as tables for people, and as CSV or JSON for programs."""

import csv
import json
from collections.abc import Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def report_table(report: dict[str, Any]) -> Table:
    """Return scikit-learn's classification report (as a dict) as a table."""
    table = Table(title="Held-out clips")
    table.add_column("Genre")
    for name in ("Precision", "Recall", "F1 score", "Clips"):
        table.add_column(name, justify="right")
    for genre, scores in report.items():
        if isinstance(scores, dict):
            table.add_row(
                escape(genre),
                *(f"{scores[s]:.2f}" for s in ("precision", "recall", "f1-score")),
                f"{scores['support']:.0f}",
            )
    return table


def confusion_table(matrix: NDArray, genres: Sequence[Any]) -> Table:
    """Return a confusion matrix as a table: rows are true, columns predicted."""
    table = Table(title="Confusion (rows: true, columns: predicted)")
    table.add_column("")
    for genre in genres:
        table.add_column(escape(str(genre)), justify="right")
    for genre, row in zip(genres, matrix, strict=True):
        table.add_row(escape(str(genre)), *(str(n) if n else "·" for n in row))
    return table


def ranked(
    probabilities: NDArray, genres: Sequence[Any], top: int
) -> list[dict[str, Any]]:
    """Return the `top` most probable genres of one clip, the best first."""
    order = np.argsort(probabilities, kind="stable")[::-1][:top]
    return [
        {"genre": genres[i], "probability": round(float(probabilities[i]), 4)}
        for i in order
    ]


def write_predictions(
    predictions: list[dict[str, Any]], file_format: str, stream: IO[str]
) -> None:
    """Write predictions: dicts with a 'path' and either 'genres' or an 'error'."""
    if file_format == "json":
        json.dump(predictions, stream, indent=2, ensure_ascii=False, default=str)
        stream.write("\n")
    elif file_format == "csv":
        _write_csv(predictions, stream)
    else:
        _write_table(predictions, stream)


def _write_csv(predictions: list[dict[str, Any]], stream: IO[str]) -> None:
    n_ranks = max((len(p.get("genres", [])) for p in predictions), default=1)
    suffixes = ["", *(f"_{rank}" for rank in range(2, n_ranks + 1))]
    header = [f"{name}{s}" for s in suffixes for name in ("genre", "probability")]
    writer = csv.DictWriter(stream, ["path", *header, "error"], lineterminator="\n")
    writer.writeheader()
    for prediction in predictions:
        row = {"path": prediction["path"], "error": prediction.get("error", "")}
        for suffix, genre in zip(suffixes, prediction.get("genres", []), strict=False):
            row |= {f"{name}{suffix}": value for name, value in genre.items()}
        writer.writerow(row)


def _write_table(predictions: list[dict[str, Any]], stream: IO[str]) -> None:
    table = Table()
    table.add_column("File", overflow="fold")
    table.add_column("Genre", overflow="fold")
    for prediction in predictions:
        if "genres" in prediction:
            genres = ", ".join(
                f"{g['genre']} {g['probability']:.0%}" for g in prediction["genres"]
            )
            table.add_row(escape(prediction["path"]), escape(genres))
    if table.row_count:
        Console(file=stream).print(table)
