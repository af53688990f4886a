import csv
import io
import json

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from skgenre.cli import app

runner = CliRunner()


def scan(*arguments):
    wide = {"COLUMNS": "500"}  # or names would be cut into lines
    return runner.invoke(app, ["scan", *map(str, arguments)], env=wide)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "album").mkdir()
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (22050, 2))
    for name in ("a.wav", "album/b.flac"):
        soundfile.write(tmp_path / name, noise, 22050)
    return tmp_path


def test_all_is_well(folder):
    result = scan(folder)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "2 of 2 files can be read; they last 0.03 minutes." in result.stderr


def test_bad_files(folder):
    (folder / "album" / "bad\x1b[31m.mp3").write_text("no music " * 99)
    result = scan(folder, folder / "gone.mp3", "--jobs", 1)
    assert result.exit_code == 1
    table = result.stdout
    assert "\x1b" not in table and r"bad\x1b[31m.mp3" in table
    assert "there is no such file" in table
    assert "a.wav" not in table
    assert "2 of 4 files can be read" in result.stderr


def test_json(folder):
    (folder / "bad.mp3").touch()
    result = scan(folder, "--format", "json")
    assert result.exit_code == 1
    rows = {row["path"]: row for row in json.loads(result.stdout)}
    assert len(rows) == 3
    bad = rows[str(folder / "bad.mp3")]
    assert (bad["status"], bad["duration"], bad["channels"]) == ("error", None, None)
    good = rows[str(folder / "a.wav")]
    assert (good["status"], good["cause"]) == ("ok", "")
    assert (good["duration"], good["channels"], good["sample_rate"]) == (1, 2, 22050)


def test_csv(folder):
    (folder / "bad.mp3").touch()
    result = scan(folder, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["status"] for row in rows] == ["ok", "ok", "error"]
    assert [row["channels"] for row in rows] == ["2", "2", ""]


def test_whole_files(folder):
    path = folder / "broken at its end.flac"
    rng = np.random.default_rng(0)
    soundfile.write(path, rng.uniform(-0.1, 0.1, 22050 * 60), 22050)
    content = bytearray(path.read_bytes())
    content[-2000:-1000] = bytes(1000)
    path.write_bytes(content)
    assert scan(path).stdout == ""
    result = scan(path, "--whole")
    assert result.exit_code == 0
    assert "damaged" in result.stdout and "of 60.00 s are lost" in result.stdout
    assert "Among them: 1 damaged." in result.stderr


def test_files_without_music(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(22050), 22050)
    soundfile.write(tmp_path / "click.wav", np.ones(100), 22050)
    result = scan(tmp_path)
    assert result.exit_code == 0
    assert "silent" in result.stdout and "too short" in result.stdout
    assert "Among them: 1 silent, 1 too short." in result.stderr
    rows = json.loads(scan(tmp_path, "--format", "json").stdout)
    assert [row["status"] for row in rows] == ["too short", "silent"]
    assert [row["lost"] for row in rows] == [0, 0]


def test_no_files(tmp_path):
    result = scan(tmp_path)
    assert result.exit_code == 1
    assert "No audio files" in result.stderr
