"""The commands name a file that crashes the decoder, and go on with the others."""

import json

import hazards
import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from skgenre import load
from skgenre.audio._isolation._task import _idle
from skgenre.cli import app


def invoke(*arguments):
    wide = {"COLUMNS": "500"}  # or names would be cut into lines
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=wide)


def end_workers():
    while _idle:
        _idle.pop()[0].end()


@pytest.fixture
def crashing_workers(tmp_path, monkeypatch):
    end_workers()
    hazards.write_crashing_soundfile(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    end_workers()


@pytest.mark.slow
def test_a_decoder_that_crashes(tmp_path, crashing_workers):
    music, model = tmp_path / "music", tmp_path / "it.model"
    rng = np.random.default_rng(0)
    seconds = np.arange(22050) / 22050
    for genre, pitch in (("low", 110), ("high", 1760)):
        (music / genre).mkdir(parents=True)
        for i in range(4):
            tone = np.sin(2 * np.pi * pitch * rng.uniform(0.9, 1.1) * seconds)
            soundfile.write(music / genre / f"{i}.flac", 0.3 * tone, 22050)
    # For six channels, libsndfile crashes in the workers.
    bad = music / "low" / "bad.flac"
    soundfile.write(bad, np.zeros((22050, 6)), 22050)

    option = "--time-limit", 60, "--jobs", 1
    train = "train", music, "-o", model, "--model", "baseline", *option
    result = invoke(*train)
    assert result.exit_code == 0, result.output
    assert "bad.flac': it crashes the decoder (SIGSEGV)" in result.output
    # The model serves in other programs, which have chosen no limit.
    assert load(model)[0].time_limit is None

    for command in (
        ("predict", model, music, "--format", "json"),
        ("evaluate", model, music, "--format", "json"),
        ("similar", music / "low" / "0.flac", "--model", model)
        + ("--among", music, "-k", "8"),
        ("scan", music),
    ):
        result = invoke(*command, *option)
        assert result.exit_code == 1, result.output
        assert "bad.flac" in result.output
        assert "it crashes the decoder (SIGSEGV)" in " ".join(result.output.split())
        assert "Traceback" not in result.output
        if command[0] == "predict":
            found = json.loads(result.stdout)
            assert len(found) == 9 and sum("error" in row for row in found) == 1
        if command[0] == "evaluate":
            assert json.loads(result.stdout)["n_clips"] == 8
        if command[0] == "similar":
            assert result.stdout.count(".flac") >= 7


def test_limits_that_are_refused(tmp_path):
    result = invoke("predict", tmp_path / "model", tmp_path, "--time-limit", 0)
    assert result.exit_code == 2 and "--time-limit" in result.output
