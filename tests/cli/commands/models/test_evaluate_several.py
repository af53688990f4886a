"""``skgenre train --multi-label``, and what other commands do with its models."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

from skgenre import MFCCStandardizer, load, save
from skgenre.cli import app
from skgenre.datasets._library._tags import read_tags

TONES = {"low": 200, "middle": 900, "high": 4000}


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Sounds of one or two of three pitches, by 20 artists, and one bad file."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    seconds = np.arange(16000) / 16000
    rows = [("path", "genre", "artist")]
    for i in range(60):
        genres = [*TONES][i % 3 : i % 3 + 1 + i // 3 % 2]
        clip = rng.normal(0, 0.02, len(seconds))
        for genre in genres:
            pitch = TONES[genre] * rng.uniform(0.8, 1.25)
            clip += 0.2 * np.sin(2 * np.pi * pitch * seconds)
        soundfile.write(folder / f"{i}.wav", clip, 16000)
        rows.append((f"{i}.wav", " | ".join(genres), i // 3))
    (folder / "bad.wav").write_bytes(b"no music")
    rows.append(("bad.wav", "low|ska", 0))
    with open(folder / "tracks.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


def invoke(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "120"})


@pytest.fixture(scope="module")
def model(music, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "it.model"
    result = invoke(
        *("train", music, "-o", path, "--model", "baseline", "--multi-label"),
        *("--no-refit", "-j", 2),
    )
    assert result.exit_code == 0, result.output
    assert "ska (1 by 1)" in result.output  # too rare for a threshold
    assert "Label-ranking average precision on" in result.output
    return path


def test_train_learns_all_genres(model, music):
    pipeline = load(model)
    assert pipeline.classes_.tolist() == ["high", "low", "middle"]
    assert pipeline.predict([music / "3.wav"]).tolist() == [("low", "middle")]
    facts = json.loads(invoke("info", model).stdout)
    assert facts["metrics"]["ranking_precision"] > 0.9
    assert facts["training"]["genres"]["middle"] > 10


def test_predict_shows_genres_above_their_threshold(model, music, tmp_path):
    files = [music / "3.wav", music / "0.wav", music / "bad.wav"]
    result = invoke("predict", model, *files, "--format", "json")
    found = {each["path"]: each for each in json.loads(result.stdout)}
    assert {g["genre"] for g in found[str(files[0])]["genres"]} == {"low", "middle"}
    assert [g["genre"] for g in found[str(files[1])]["genres"]] == ["low"]
    assert found[str(files[2])]["status"] == "error"
    table = invoke("predict", model, *files[:2]).stdout
    assert "low" in table and "%, " in table  # two genres in a row
    # --top shows so many, whatever their probability.
    result = invoke("predict", model, files[1], "--format", "json", "--top", 3)
    assert len(json.loads(result.stdout)[0]["genres"]) == 3
    # A playlist has each song once, under its most probable genre.
    assert invoke(
        *("predict", model, *files[:2], "--format", "m3u", "-o", tmp_path / "lists")
    ).exit_code in (0, 1)
    lines = [
        line
        for path in (tmp_path / "lists").iterdir()
        for line in path.read_text().splitlines()
        if line.endswith(".wav")
    ]
    assert len(lines) == 2


def test_all_genres_are_written_into_tags_and_taken_back(model, music, tmp_path):
    songs = {name: tmp_path / f"{name}.wav" for name in ("3", "0")}
    for name, song in songs.items():
        shutil.copy(music / f"{name}.wav", song)
    record, untagged = tmp_path / "it.jsonl", songs["3"].read_bytes()
    command = ["predict", model, *songs.values(), "--write-tags", "--undo-file", record]
    command += ["--min-confidence"]
    # However few are shown, all are written that reach their thresholds.
    dry = invoke(*command, 0, "--dry-run", "--top", 1)
    assert "'middle; low' in place of" in dry.stderr or "'low; middle'" in dry.stderr
    result = invoke(*command, 0)
    assert result.exit_code == 0 and "written into 2 files" in result.stderr
    genres = {name: read_tags(str(song)).genres for name, song in songs.items()}
    assert {*genres["3"]} == {"low", "middle"} and genres["0"] == ("low",)
    assert invoke("undo", record).exit_code == 0
    assert read_tags(str(songs["3"])).genres == ()
    frames = soundfile.read(songs["3"])[0]
    np.testing.assert_array_equal(frames, soundfile.read(io.BytesIO(untagged))[0])
    record.unlink()
    assert "written into 0 files" in invoke(*command, 1).stderr  # nothing is so sure


def test_evaluate(model, music, tmp_path):
    page = tmp_path / "page.html"
    result = invoke("evaluate", model, music, "--report", page, "--format", "json")
    assert result.exit_code == 1  # of the bad file
    figures = json.loads(result.stdout)
    assert figures["n_clips"] == 60
    assert figures["n_artists"] == 20
    low, high = figures["ranking_precision_interval"]
    assert 0.9 < low <= figures["ranking_precision"] <= high
    assert [genre["genre"] for genre in figures["genres"]] == ["high", "low", "middle"]
    assert all(genre["average_precision"] > 0.9 for genre in figures["genres"])
    counts = np.array(figures["cooccurrence"])
    assert (counts.diagonal() > 10).all()
    assert any("'ska'" in note for note in figures["notes"])
    assert "Genres predicted together" in page.read_text(encoding="utf-8")
    table = " ".join(invoke("evaluate", model, music).stdout.split())
    assert "Average precision" in table
    assert "Label-ranking average precision: " in table
    assert "for which one is predicted" in table


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Low and middle are below deep, and ska, which no model knows, below low."""
    path = tmp_path_factory.mktemp("tree") / "tree.csv"
    path.write_text("genre,parent\nlow,deep\nmiddle,deep\nska,low\n")
    return path


@pytest.fixture(scope="module")
def model_of_tree(music, tree, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tree.model"
    result = invoke(
        *("train", music, "-o", path, "--model", "baseline", "--multi-label"),
        *("--no-refit", "--genre-tree", tree, "-j", 2),
    )
    assert result.exit_code == 0, result.output
    assert "of the genres above theirs, too: deep (41)." in result.output
    return path


def test_genres_of_a_tree(model, model_of_tree, music, tree, tmp_path):
    pipeline = load(model_of_tree)
    assert pipeline.classes_.tolist() == ["deep", "high", "low", "middle"]
    assert pipeline.predict([music / "3.wav"]).tolist() == [("deep", "low", "middle")]
    command = "evaluate", model_of_tree, music, "--format", "json"
    flat = json.loads(invoke(*command).stdout)
    assert "hierarchical" not in flat
    figures = json.loads(invoke(*command, "--genre-tree", tree).stdout)
    # Without the tree, no clip is deep.
    assert figures["accuracy"] > 0.8 > flat["accuracy"]
    low, high = figures["hierarchical"]["f1_interval"]
    assert 0.9 < low <= figures["hierarchical"]["f1"] <= high
    # A model of the lowest genres has the scores of those above, too.
    figures = json.loads(
        invoke("evaluate", model, *command[2:], "--genre-tree", tree).stdout
    )
    assert [genre["genre"] for genre in figures["genres"]] == ["high", "low", "middle"]
    assert figures["hierarchical"]["recall"] > 0.9
    page = tmp_path / "page.html"
    options = "--genre-tree", tree, "--report", page
    assert "Hierarchical F1: " in invoke(*command[:3], *options).stdout
    assert "In the tree of genres" in page.read_text(encoding="utf-8")


def test_genres_that_count_as_others(model, music):
    options = "--merge", "low=middle"
    figures = json.loads(
        invoke("evaluate", model, music, "--format", "json", *options).stdout
    )
    assert figures["merged"]["accuracy"] >= figures["accuracy"]
    assert figures["merged"]["ranking_precision"] > 0.9
    table = invoke("evaluate", model, music, *options).stdout
    assert "Label-ranking average precision, low as middle: " in table


def test_two_models_are_compared(model, model_of_tree, music, tmp_path):
    page = tmp_path / "page.html"
    command = "evaluate", model_of_tree, music, "--compare", model
    figures = json.loads(invoke(*command, "--format", "json", "--report", page).stdout)
    # On the genres that both know, and clips that have some of these.
    assert any("not all of the models know" in note for note in figures["notes"])
    assert [genre["genre"] for genre in figures["genres"]] == ["high", "low", "middle"]
    found = figures["comparison"]
    itself = json.loads(
        invoke("evaluate", model, *command[2:], "--format", "json").stdout
    )
    difference = figures["ranking_precision"] - itself["ranking_precision"]
    assert found["difference"] == pytest.approx(difference)
    low, high = found["difference_interval"]
    assert low <= found["difference"] <= high
    better = found["first_better"], found["second_better"]
    assert sum(better) <= 60
    assert itself["comparison"] == {
        "difference": 0,
        "difference_interval": [0, 0],
        "first_better": 0,
        "second_better": 0,
    }
    line = f"this one is better on {better[0]} clips, the other on {better[1]}."
    assert line in page.read_text(encoding="utf-8")
    assert line in invoke(*command).stdout


def test_what_is_refused(model, music, tmp_path):
    one = tmp_path / "one.model"
    pipeline = make_pipeline(MFCCStandardizer(), LogisticRegression())
    save(pipeline.fit([music / "0.wav", music / "1.wav"], ["low", "middle"]), one)
    for options, message in (
        (["--compare", one], "predicts several genres a clip, and the other model one"),
        (["--merge", "low=ska"], "merge names 'ska', which is none of the genres"),
        (["--merge", "low=high", "--merge", "middle=high"], "leaves a single genre"),
    ):
        result = invoke("evaluate", model, music, *options)
        assert result.exit_code == 1
        assert message in " ".join(result.output.split())
