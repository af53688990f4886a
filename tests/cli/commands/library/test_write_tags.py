"""``predict`` and ``tag`` with --missing-only and --write-tags."""

import csv
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from music_library import music, write_track
from published_weights import needs_weights
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

from skgenre import MFCCStandardizer, save
from skgenre.cli import app
from skgenre.datasets._library._tags import read_tags

PITCHES = {"Hip-Hop": 150, "Jazz": 2400}
# Song, its genre by its sound, and its tag.
SONGS = [
    ("tagged.mp3", "Jazz", "Rock"),
    ("other.flac", "Jazz", "Other"),
    ("none.ogg", "Hip-Hop", None),
    ("none.m4a", "Jazz", None),
]
MISSING = {name: genre for name, genre, tag in SONGS if tag in ("Other", None)}


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    rng = np.random.default_rng(0)
    genres = ["hip hop", "Jazz"] * 10  # which ID3's list spells otherwise
    pitches = [*PITCHES.values()] * 10
    clips = [(music(rng, pitch).astype(np.float32), 44100) for pitch in pitches]
    path = tmp_path_factory.mktemp("models") / "it.model"
    pipeline = make_pipeline(MFCCStandardizer(), LogisticRegression())
    save(pipeline.fit(clips, genres), path)
    return path


@pytest.fixture
def library(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    folder = tmp_path / "library"
    for name, genre, tag in SONGS:
        texts = {"title": [name]} | ({} if tag is None else {"genre": [tag]})
        write_track(folder / name, music(rng, PITCHES[genre]), **texts)
    monkeypatch.chdir(tmp_path)  # where undo files are written
    return folder


def genres_in(library):
    return {
        path.name: next(iter(read_tags(str(path)).genre_names), None)
        for path in library.iterdir()
    }


def test_missing_genres_are_written_and_taken_back(model, library):
    before = genres_in(library)
    options = "--missing-only", "--write-tags", "--min-confidence", 0.6
    command = ["predict", model, library, *options, "--format", "csv"]
    dry = invoke(*command, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "1 of 4 files have a genre in their tags" in dry.stderr
    assert "other.flac: 'Jazz' in place of 'Other'" in dry.stderr
    assert "none.ogg: 'Hip-Hop' in place of no genre" in dry.stderr
    assert "would be written into 3 files" in dry.stderr
    assert genres_in(library) == before and os.listdir() == ["library"]

    result = invoke(*command)
    assert result.exit_code == 0, result.output
    rows = csv.DictReader(io.StringIO(result.stdout))
    assert {Path(row["path"]).name for row in rows} == set(MISSING)
    assert genres_in(library) == before | MISSING
    (record,) = Path().glob("skgenre-undo-*.jsonl")
    assert f"skgenre undo {record}" in result.stderr

    assert invoke("undo", record, "--dry-run").exit_code == 0
    assert genres_in(library) == before | MISSING
    result = invoke("undo", record)
    assert result.exit_code == 0, result.output
    assert "3 of 3 files got their earlier genre back" in result.stderr
    assert genres_in(library) == before
    assert "3 had it already" in invoke("undo", record).stderr


def test_only_what_is_sure_is_written_and_the_rest_named(model, library):
    write = "--write-tags", "--undo-file", "it.jsonl", "--min-confidence"
    result = invoke("predict", model, library, *write, 1)
    assert result.exit_code == 0 and "into 0 files" in result.stderr
    assert not Path("it.jsonl").exists()
    read_only = library / "none.m4a"
    read_only.chmod(0o444)
    result = invoke("predict", model, library, *write, 0)
    assert result.exit_code == 1
    assert "into 3 files; 0 have them already, 1 can't" in result.stderr
    assert result.stderr.count("read-only") == 1
    assert genres_in(library)["tagged.mp3"] == "Jazz"  # in place of rock
    result = invoke("predict", model, library, *write, 0)
    assert result.exit_code == 1 and "is there already" in result.stderr


def test_the_standard_input_is_no_file_to_write_to(model, library, tmp_path):
    song = (library / "none.ogg").read_bytes()
    (tmp_path / "-").write_bytes(song)
    command = ["predict", str(model), "-", "--write-tags", "--min-confidence", "0"]
    result = CliRunner().invoke(app, command, input=song)
    assert result.exit_code == 0, result.output
    assert "hip hop" in result.stdout and "into 0 files" in result.stderr
    assert (tmp_path / "-").read_bytes() == song


@needs_weights
def test_tag(library):
    options = "--missing-only", "--write-tags", "--min-confidence", 0
    genres = "--genres", "Klassik,rock"
    command = ["tag", library, *options, *genres, "--format", "json"]
    result = invoke(*command)
    assert result.exit_code == 0, result.output
    found = genres_in(library)
    for song in json.loads(result.stdout):
        name = Path(song["path"]).name
        expected = {"rock": "Rock", "Klassik": "Klassik"}[song["genre"]]
        assert name in MISSING and found[name] == expected
    result = invoke(*command)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == [] and "4 of 4 files have" in result.stderr


@pytest.mark.slow
def test_a_killed_run_leaves_whole_files_and_what_undoes_it(model, library):
    rng = np.random.default_rng(2)
    for i in range(40):
        write_track(library / f"{i}.flac", music(rng, 150), genre=["Polka"])
    before = genres_in(library)
    command = [sys.executable, "-m", "skgenre.cli", "predict", model, library]
    command += ["--write-tags", "--min-confidence", "0", "--undo-file", "it.jsonl"]
    process = subprocess.Popen([str(each) for each in command])
    record = Path("it.jsonl")
    while process.poll() is None and not (record.exists() and record.stat().st_size):
        time.sleep(0.001)
    process.kill()
    process.wait()
    now = genres_in(library)
    changed = {name for name in before if now[name] != before[name]}
    lines = record.read_text().splitlines()
    named = {Path(json.loads(line)["path"]).name for line in lines}
    assert changed <= named and len(named - changed) <= 1 and len(named) < len(before)
    result = invoke("undo", record)
    assert result.exit_code == 0, result.output
    after = genres_in(library)
    assert {name: after[name] for name in before} == before


def test_refusals(model, library, tmp_path, monkeypatch):
    for arguments, match in (
        (("--write-tags",), "--write-tags needs --min-confidence"),
        (("--dry-run",), "--dry-run is for --write-tags"),
        (("--undo-file", "it"), "--undo-file is for --write-tags"),
        (
            ("--write-tags", "--min-confidence", 1, "--undo-file", "no/it"),
            "There is no folder",
        ),
    ):
        result = invoke("predict", model, library, *arguments)
        assert result.exit_code == 1 and not result.stdout
        assert match in " ".join(result.stderr.split())
    options = "--write-tags", "--min-confidence", 1
    result = invoke("tag", library, "--timeline", *options)
    assert result.exit_code == 1 and "Leave out --timeline" in result.stderr
    monkeypatch.setitem(sys.modules, "mutagen", None)
    for command in (("predict", model, library, *options), ("undo", model)):
        result = invoke(*command)
        assert result.exit_code == 1 and "GPL" in result.stderr
        assert "skgenre[tags]" in result.stderr
