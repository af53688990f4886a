import csv
import io
import json

import pandas as pd
import pytest

from skgenre.audio._outcome import Outcome, outcome_report
from skgenre.cli._tables import (
    write_path,
    write_predictions,
    write_recommendations,
    write_scan,
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
    return outcome_report([ODD, "-0.5"], [Outcome(), Outcome()])


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
