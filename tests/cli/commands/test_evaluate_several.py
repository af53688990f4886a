"""``skgenre train --multi-label``, and what other commands do with its models."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from skgenre import load
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


def test_what_is_refused(model, music):
    for options, message in (
        (["--compare", model], "--compare is for models of one genre"),
        (["--merge", "low=high"], "--merge is for models of one genre"),
    ):
        result = invoke("evaluate", model, music, *options)
        assert result.exit_code == 1
        assert message in " ".join(result.output.split())
