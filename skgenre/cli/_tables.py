"""Results as tables for people, and as CSV or JSON for programs."""

import csv
import io
import json
import os
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from sklearn.utils import Bunch

from skgenre._text import csv_cell
from skgenre.cli._console import plain

if TYPE_CHECKING:
    import pandas

_UNFOLDED = 100_000  # characters of a line, which no table has
_N_PAIRS = 15
_ENDS = "start", "end"  # of a window
_N_TYPICAL = 3


def report_table(scores: Bunch, title: str) -> Table:
    """Return precision, recall, F1 and number of clips of each genre as a table.

    Parameters
    ----------
    scores : Bunch
        What `skgenre.inspection.score_intervals` returns.
    title : str
        Printed above.
    """
    table = Table(title=title, caption="with 95 % intervals")
    table.add_column("Genre")
    names = ["precision", "recall", "f1"]
    headings = ["Precision", "Recall", "F1 score"]
    if "average_precision" in scores:  # of several genres a clip
        names.insert(0, "average_precision")
        headings.insert(0, "Average precision")
    for heading in (*headings, "Clips"):
        table.add_column(heading, justify="right")
    for row, (genre, n_clips) in enumerate(
        zip(scores.labels, scores.support, strict=True)
    ):
        cells = (
            with_interval(scores[name][row], scores[f"{name}_interval"][row])
            for name in names
        )
        table.add_row(plain(genre), *cells, str(n_clips))
    table.add_section()
    means = (
        with_interval(scores[f"macro_{name}"], scores[f"macro_{name}_interval"])
        if f"macro_{name}" in scores
        else ""
        for name in names
    )
    table.add_row("mean", *means, str(scores.support.sum()))
    return table


def with_interval(score: float, limits: NDArray) -> str:
    """Return a score and its interval, if it has one of any width."""
    if np.isnan(score):
        return "·"
    low, high = limits
    return f"{score:.2f}" + (f" {low:.2f}–{high:.2f}" if high > low else "")


def confusion_table(
    target: NDArray, predicted: NDArray, genres: NDArray, console: Console
) -> Table:
    """Return a confusion matrix as a table: rows are true, columns predicted.

    Where the console is too narrow for it, the most confused pairs of genres.
    """
    from sklearn.metrics import confusion_matrix

    matrix = confusion_matrix(target, predicted, labels=genres)
    # "unknown" is predicted, but never true.
    is_true = np.isin(genres, target) | matrix.any(axis=1)
    table = _matrix_table(
        "Confusion (rows: true, columns: predicted)", matrix, genres, is_true
    )
    if _fits(table, console):
        return table
    return _commonest_pairs("Most confused genres", matrix, genres, matrix.sum(axis=1))


def cooccurrence_table(scores: Bunch, console: Console) -> Table:
    """Return as a table which genres are predicted for clips of each genre.

    Where the console is too narrow for it, the commonest pairs of different genres.
    """
    matrix, genres = scores.cooccurrence, scores.labels
    table = _matrix_table(
        "Clips of a genre (rows) for which one is predicted (columns)",
        matrix,
        genres,
        scores.support > 0,
    )
    if _fits(table, console):
        return table
    return _commonest_pairs("Most common pairs", matrix, genres, scores.support)


def _matrix_table(
    title: str, matrix: NDArray, genres: NDArray, is_true: NDArray
) -> Table:
    table = Table(title=title)
    table.add_column("")
    for genre in genres:
        table.add_column(plain(genre), justify="right")
    for genre, row in zip(genres[is_true], matrix[is_true], strict=True):
        table.add_row(plain(genre), *(str(n) if n else "·" for n in row))
    return table


def _fits(table: Table, console: Console) -> bool:
    wide = console.options.update(width=_UNFOLDED)
    return Measurement.get(console, wide, table).maximum <= console.width


def _commonest_pairs(
    title: str, matrix: NDArray, genres: NDArray, support: NDArray
) -> Table:
    """Return the commonest pairs of a true genre and another that is predicted."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_N_PAIRS]
    table = Table(
        title=title, caption=f"{np.count_nonzero(wrong)} pairs, {wrong.sum()} clips"
    )
    table.add_column("True")
    table.add_column("Predicted")
    table.add_column("Clips", justify="right")
    table.add_column("Of", justify="right")
    for true, other in zip(*np.unravel_index(order, wrong.shape), strict=True):
        if wrong[true, other]:
            numbers = str(wrong[true, other]), str(support[true])
            table.add_row(plain(genres[true]), plain(genres[other]), *numbers)
    return table


def ranked(
    probabilities: NDArray,
    genres: Sequence[Any],
    top: int | None,
    thresholds: NDArray | None = None,
) -> list[dict[str, Any]]:
    """Return the most probable genres of one clip, the best first.

    The `top` best; or, for None, all that reach their threshold, where there are
    thresholds, and else one.
    """
    order = np.argsort(probabilities, kind="stable")[::-1]
    if top is None and thresholds is not None:
        order = order[probabilities[order] >= thresholds[order]]
    else:
        order = order[: top or 1]
    return [
        {"genre": genres[i], "probability": round(float(probabilities[i]), 4)}
        for i in order
    ]


def write_predictions(
    predictions: list[dict[str, Any]], file_format: str, stream: IO[str]
) -> None:
    """Write predictions: dicts as `predict_files` returns them."""
    text = io.StringIO()
    if file_format == "json":
        json.dump(predictions, text, indent=2, default=str)
        text.write("\n")
    elif file_format == "csv":
        _write_csv(predictions, text)
    else:
        _write_table(predictions, stream)
    _write(text.getvalue(), stream)


def write_tagged(
    songs: list[dict[str, Any]], file_format: str, stream: IO[str]
) -> None:
    """Write songs: dicts with 'path', and 'genre', 'confidence', 'tags' or an 'error'.

    A song may have a 'status' and a 'note', too, and without music nothing else.
    """
    text = io.StringIO()
    shown = [song for song in songs if "error" not in song]
    if file_format == "json":
        json.dump(songs, text, indent=2)
        text.write("\n")
    elif file_format == "csv":
        rows = [
            song | {"tags": ";".join(pair["tag"] for pair in song.get("tags", []))}
            for song in songs
        ]
        columns = ["path", "genre", "confidence", "tags", "error", "status", "note"]
        _write_rows(rows, columns, text)
    elif shown:
        table = Table()
        for name in ("File", "Genre", "Tags"):
            table.add_column(name, overflow="fold")
        for song in shown:
            if "genre" not in song:
                table.add_row(plain(song["path"]), f"[dim]{song['status']}[/]", "")
                continue
            genre = f"{song['genre']} {song['confidence']:.0%}"
            tags = ", ".join(pair["tag"] for pair in song["tags"])
            table.add_row(plain(song["path"]), plain(genre), plain(tags))
        _print_table(table, stream)
    _write(text.getvalue(), stream)


def write_timelines(
    songs: list[dict[str, Any]], file_format: str, stream: IO[str]
) -> None:
    """Write songs: dicts with 'path', 'status', and 'windows' or an 'error'.

    A song may have a 'note', too, and without music nothing else.
    """
    text = io.StringIO()
    rows = [
        {name: value for name, value in song.items() if name != "windows"} | window
        for song in songs
        for window in song.get("windows", [{}])
    ]
    if file_format == "json":
        json.dump(songs, text, indent=2)
        text.write("\n")
    elif file_format == "csv":
        columns = ["path", "start", "end", "genre", "confidence", "error"]
        columns += ["status", "note"]
        _write_rows(rows, columns, text)
    elif good := [row for row in rows if "error" not in row]:
        table = Table()
        table.add_column("File", overflow="fold")
        for name in ("From", "To"):
            table.add_column(name, justify="right")
        table.add_column("Genre", overflow="fold")
        for row in good:
            if "genre" not in row:
                table.add_row(plain(row["path"]), "", "", f"[dim]{row['status']}[/]")
                continue
            times = (f"{row[name] // 60:.0f}:{row[name] % 60:04.1f}" for name in _ENDS)
            genre = f"{row['genre']} {row['confidence']:.0%}"
            table.add_row(plain(row["path"]), *times, plain(genre))
        _print_table(table, stream)
    _write(text.getvalue(), stream)


def write_recommendations(
    recommendations: list[dict[str, Any]], file_format: str, stream: IO[str]
) -> None:
    """Write recommendations: dicts with 'path', 'distance' and 'like', a song."""
    is_one = len({found["like"] for found in recommendations}) == 1
    table = Table(title=f"Like {plain(recommendations[0]['like'])}" if is_one else None)
    table.add_column("File", overflow="fold")
    table.add_column("Distance", justify="right")
    if not is_one:
        table.add_column("Like", overflow="fold")
    for found in recommendations:
        cells = plain(found["path"]), f"{found['distance']:.3f}", plain(found["like"])
        table.add_row(*cells[: len(table.columns)])
    columns = "path", "distance", "like"
    _write_rows_as(file_format, recommendations, columns, table, stream)


def write_path(songs: list[dict[str, Any]], file_format: str, stream: IO[str]) -> None:
    """Write the songs of a path: dicts with 'path' and 'distance', a step's."""
    table = Table()
    table.add_column("File", overflow="fold")
    table.add_column("Step", justify="right")
    for i, song in enumerate(songs):
        table.add_row(plain(song["path"]), f"{song['distance']:.3f}" if i else "")
    _write_rows_as(file_format, songs, ("path", "distance"), table, stream)


def write_suspects(
    suspects: list[dict[str, Any]], file_format: str, stream: IO[str]
) -> None:
    """Write tracks whose tags look wrong: dicts as `check_tags` makes them."""
    table = Table()
    for name in ("File", "Tag", "Sounds like"):
        table.add_column(name, overflow="fold")
    for track in suspects:
        genre = f"{track['genre']} {track['confidence']:.0%}"
        table.add_row(*map(plain, (track["path"], track["tag"], genre)))
    columns = "path", "tag", "genre", "confidence", "of_tag", "artist", "album"
    _write_rows_as(file_format, suspects, columns, table, stream)


def _write_rows_as(
    file_format: str,
    rows: list[dict[str, Any]],
    columns: Sequence[str],
    table: Table,
    stream: IO[str],
) -> None:
    """Write rows as JSON or CSV, or the table that shows them."""
    text = io.StringIO()
    if file_format == "json":
        json.dump(rows, text, indent=2)
        text.write("\n")
    elif file_format == "csv":
        _write_rows(rows, columns, text)
    elif rows:
        _print_table(table, stream)
    _write(text.getvalue(), stream)


def write_clusters(found: dict[str, Any], file_format: str, stream: IO[str]) -> None:
    """Write what `cluster_songs` returns; as a table, the most typical songs."""
    if file_format == "json":
        _write(json.dumps(found, indent=2) + "\n", stream)
        return
    table = Table()
    for name in ("#", "Songs"):
        table.add_column(name, justify="right")
    table.add_column("Cluster")
    table.add_column("Most typical songs", overflow="fold")
    rows = []
    for cluster in found["clusters"]:
        number, name, songs = (cluster[key] for key in ("cluster", "name", "songs"))
        rows += [{"cluster": number, "name": name, **song} for song in songs]
        typical = (os.path.basename(song["path"]) for song in songs[:_N_TYPICAL])
        cells = str(number), str(len(songs)), plain(name), plain("; ".join(typical))
        table.add_row(*cells)
    columns = "path", "cluster", "name", "distance"
    _write_rows_as(file_format, rows, columns, table, stream)


def write_scan(report: "pandas.DataFrame", file_format: str, stream: IO[str]) -> None:
    """Write the report of `skgenre.datasets.check_audio`; as a table, what is wrong."""
    if file_format == "json":
        known = report.astype(object).where(report.notna(), None)
        text = json.dumps(known.to_dict("records"), indent=2) + "\n"
        _write(text, stream)
    elif file_format == "csv":
        known = report.astype(object).where(report.notna(), "")
        table_text = io.StringIO()
        _write_rows(known.to_dict("records"), list(known.columns), table_text)
        _write(table_text.getvalue(), stream)
    elif len(faults := report[report["status"] != "ok"]):
        table = Table()
        table.add_column("File", overflow="fold")
        table.add_column("Status")
        table.add_column("What is wrong", overflow="fold")
        columns = (faults[name] for name in ("path", "status", "cause"))
        for cells in zip(*columns, strict=True):
            table.add_row(*map(plain, cells))
        _print_table(table, stream)


def _print_table(table: Table, stream: IO[str]) -> None:
    """Print a table; into a file or pipe each row as one line, however long."""
    console = Console(file=stream)
    if not console.is_terminal:
        console.width = _UNFOLDED
    console.print(table)


def _write(text: str, stream: IO[str]) -> None:
    # All at once, and what is not Unicode in a file's name spelt out.
    stream.write(text.encode("utf-8", "backslashreplace").decode())
    stream.flush()


def _write_csv(predictions: list[dict[str, Any]], stream: IO[str]) -> None:
    n_ranks = max((len(p.get("genres", [])) for p in predictions), default=1)
    suffixes = ["", *(f"_{rank}" for rank in range(2, n_ranks + 1))]
    header = [f"{name}{s}" for s in suffixes for name in ("genre", "probability")]
    rows = []
    for prediction in predictions:
        names = "path", "error", "status", "note"
        row = {name: prediction.get(name, "") for name in names}
        for suffix, genre in zip(suffixes, prediction.get("genres", []), strict=False):
            row |= {f"{name}{suffix}": value for name, value in genre.items()}
        rows.append(row)
    _write_rows(rows, ["path", *header, "error", "status", "note"], stream)


def _write_rows(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], stream: IO[str]
) -> None:
    """Write CSV in which no cell is a formula, and everything prints."""
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: csv_cell(value) for name, value in row.items()})


def _write_table(predictions: list[dict[str, Any]], stream: IO[str]) -> None:
    table = Table()
    table.add_column("File", overflow="fold")
    table.add_column("Genre", overflow="fold")
    for prediction in predictions:
        if "genres" in prediction:
            genres = ", ".join(
                f"{g['genre']} {g['probability']:.0%}" for g in prediction["genres"]
            )
            table.add_row(plain(prediction["path"]), plain(genres))
        elif "note" in prediction:
            table.add_row(plain(prediction["path"]), f"[dim]{prediction['status']}[/]")
    if table.row_count:
        _print_table(table, stream)
