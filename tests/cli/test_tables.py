import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from skgenre.audio._outcome import Outcome, outcome_records, records_frame
from skgenre.cli._tables import (
    confusion_table,
    write_path,
    write_predictions,
    write_recommendations,
    write_scan,
    write_suspects,
    write_tagged,
)

ODD = "=a\x1b[31m\u202eb\n.mp3"
CELL = r"'=a\x1b[31m\u202eb\n.mp3"


def predictions():
    genres = [{"genre": ODD, "probability": 0.5}, {"genre": -0.5, "probability": 0.5}]
    return [{"path": ODD, "genres": genres}, {"path": "b", "error": ODD}]


def recommendations():
    return [{"path": ODD, "distance": -0.5, "like": ODD}]


def path():
    return [{"path": ODD, "distance": 0}, {"path": "b", "distance": 0.5}]


def report():
    return records_frame(outcome_records([ODD, "-0.5"], [Outcome(), Outcome()]))


WRITERS = [
    (write_predictions, predictions),
    (write_recommendations, recommendations),
    (write_path, path),
    (write_scan, report),
]


def rows_of(write, make):
    stream = io.StringIO()
    write(make(), "csv", stream)
    return list(csv.DictReader(io.StringIO(stream.getvalue())))


def test_csv_holds_no_formulas_and_prints():
    first, second = rows_of(write_predictions, predictions)
    assert (first["path"], first["genre"], first["genre_2"]) == (CELL, CELL, "-0.5")
    assert second["error"] == CELL
    (row,) = rows_of(write_recommendations, recommendations)
    assert row == {"path": CELL, "distance": "-0.5", "like": CELL}
    first, second = rows_of(write_scan, report)
    assert (first["path"], second["path"]) == (CELL, "-0.5")
    assert first["duration"] == first["channels"] == ""


@pytest.mark.parametrize(("write", "make"), WRITERS)
def test_json_holds_names_as_they_are(write, make):
    stream = io.StringIO()
    write(make(), "json", stream)
    assert json.loads(stream.getvalue())[0]["path"] == ODD
    assert stream.getvalue().replace("\n", "").isprintable()


@pytest.mark.parametrize(("write", "make"), WRITERS)
def test_tables_print(write, make):
    data = make()
    if isinstance(data, pd.DataFrame):
        data["status"] = "error"
    stream = io.StringIO()
    write(data, "table", stream)
    assert stream.getvalue()
    assert stream.getvalue().replace("\n", "").isprintable()


def test_confusion_of_many_genres_is_readable_at_80_columns():
    genres = np.array([f"genre {i:02}" for i in range(30)])
    target = np.repeat(genres, 10)
    predicted = target.copy()
    predicted[:7] = genres[1]
    predicted[10:13] = genres[29]
    predicted[20] = genres[0]
    console = Console(file=io.StringIO(), width=80)
    console.print(confusion_table(target, predicted, genres, console))
    lines = console.file.getvalue().splitlines()
    rows = [line.split("│")[1:-1] for line in lines if line.startswith("│")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["genre 00", "genre 01", "7", "10"],
        ["genre 01", "genre 29", "3", "10"],
        ["genre 02", "genre 00", "1", "10"],
    ]
    assert "3 pairs, 11 clips" in console.file.getvalue()
    # Few genres, or a wide console, have the matrix.
    for n, width in ((4, 80), (30, 500)):
        console = Console(file=io.StringIO(), width=width)
        some = target[: 10 * n], predicted[: 10 * n], genres[:n]
        console.print(confusion_table(*some, console))
        assert "rows: true" in console.file.getvalue()


def test_a_pipe_gets_each_row_in_one_line():
    path = "music/" + "long name " * 30 + ".mp3"
    genre = {"genre": "rock", "confidence": 0.5, "of_tag": 0.1, "probability": 0.5}
    song = {"path": path, "tag": "folk", "genre": "rock", "like": path, "distance": 1}
    for write, row in (
        (write_predictions, {"path": path, "genres": [genre]}),
        (write_suspects, song | genre),
        (write_tagged, song | genre | {"tags": []}),
        (write_recommendations, song),
    ):
        stream = io.StringIO()
        write([row], "table", stream)
        assert path in stream.getvalue()
