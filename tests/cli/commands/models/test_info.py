import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

import skgenre
from skgenre.cli import app
from skgenre.cli._commands._models._info import model_card
from skgenre.datasets import make_genre_clips
from skgenre.persistence import read_info


def invoke(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    make_genre_clips(
        16, ["hip-hop", "rock"], duration=1, random_state=0, folder=folder / "clips"
    )
    path = folder / "it.model"
    options = ("--model", "baseline", "--test-size", 0.5, "--note", "First | *try*")
    result = invoke("train", folder / "clips", "-o", path, *options)
    assert result.exit_code == 0, result.output
    return path


def test_card_has_what_info_shows(trained, tmp_path):
    info = json.loads(invoke("info", trained).stdout)
    card = invoke("card", trained).stdout
    training, metrics = info["training"], info["metrics"]
    assert card.startswith("# Model card of it.model\n\n")
    assert (
        "which of 2 genres a song has: hip-hop, rock." in card
        and r"> First \| \*try\*" in card
    )
    assert "16 clips by 8 artists; genres from sub-folders or a CSV." in card
    assert "| hip-hop | 8 |" in card and training["digest"] in card
    assert "8 clips by 4 artists: clips of held-out artists" in card
    low, high = metrics["accuracy_interval"]
    score = f"{metrics['accuracy']:.2f}"
    assert low <= metrics["accuracy"] <= high
    shown = f"{score} ({low:.2f}–{high:.2f})" if low < high else score
    assert f"**Accuracy: {shown}**" in card
    for genre, scores in metrics["genres"].items():
        assert f"| {genre} | " in card and 0 <= scores["recall"] <= 1
        assert f"| {scores['recall']:.2f}" in card
    for table in re.findall(r"(?:^\|.*\n)+", card, re.MULTILINE):
        first, dashes, *rows = (line.count("|") for line in table.splitlines())
        assert {first, dashes} == {first, *rows}
    assert "4 artists are few" in card and "musicnn" not in card
    assert invoke("card", trained, "-o", tmp_path / "card.md").exit_code == 0
    assert (tmp_path / "card.md").read_text() == card


def test_card_of_a_file_that_says_little(tmp_path):
    path = tmp_path / "tags.model"
    skgenre.save(skgenre.GenreTagger(), path)
    card = invoke("card", path).stdout
    assert "does not say what it was trained on" in card
    assert "not evaluated" in card and "artists" not in card.partition("Limits")[2]
    assert "musicnn msd, musicnn mtt; ISC" in card


def test_a_note_stays_a_note():
    note = "# Big\n---\n    - a\n10. b\n===\n1.5 <b>"
    card = model_card({"training": {"note": note}}, "it.model")
    expected = [
        "> \\# Big",
        "> \\---",
        "> \\- a",
        "> 10\\. b",
        "> \\===",
        "> 1.5 \\<b\\>",
    ]
    assert [line for line in card.splitlines() if line.startswith(">")] == expected


def test_card_of_what_predicts_no_genres(tmp_path):
    path = tmp_path / "mel.model"
    skgenre.save(skgenre.MelSpectrogramTransformer(), path)
    card = invoke("card", path).stdout
    assert "without genres" in card
    assert "skgenre predict" not in card and "Limits" not in card


@pytest.mark.parametrize(
    "metrics",
    [
        {"accuracy": 0.64},
        {"accuracy": None, "accuracy_interval": [None, "x"], "n_clips": "<b>"},
        {"genres": {"a": {"f1": [1]}, "b": 3}, "n_artists": -1, "protocol": {}},
        {"<script>": ["|"] * 10_000, "accuracy": np.nan, "\n# x": 1},
        {"accuracy": 10**400, "genres": {"a": {"f1": 1, "f1_interval": [0, 10**400]}}},
        {"# x": 1},
    ],
)
def test_whatever_a_file_says_is_text(metrics, tmp_path):
    path = tmp_path / "it.model"
    skgenre.save(skgenre.MFCCStandardizer(), path, metrics=metrics)
    card = model_card(read_info(path), "a|<i>\n.model")
    assert card.startswith("# Model card of a\\|\\<i\\>\\\\n.model\n")
    assert "<script" not in card.replace("\\<script", "") and "- #" not in card
    assert [line for line in card.splitlines() if line.startswith("# ")] == [
        card.splitlines()[0]
    ]
    assert len(card) < 5000 and ("0.64" in card) == (metrics == {"accuracy": 0.64})


def test_a_card_does_not_replace_its_model(trained):
    before = trained.read_bytes()
    result = invoke("card", trained, "-o", trained)
    assert result.exit_code == 1 and "would replace" in result.stderr
    assert trained.read_bytes() == before
