"""Predictions need few packages, and what needs the others says so."""

import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import skgenre
from skgenre import _install
from skgenre.cli import app
from skgenre.inspection import TimelineDisplay

ROOT = Path(__file__).parents[1]


def requirements(lines):
    """Return what is said of each package, by its name."""
    return {re.match(r"[\w-]+", line)[0]: line for line in lines}


def test_it_is_the_full_one_without_some_packages():
    lines = (ROOT / "requirements" / "serve.txt").read_text().splitlines()
    small = requirements(line for line in lines if not line.startswith("#"))
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    full = requirements(project["dependencies"])
    assert full.keys() - small.keys() == _install._FULL_ONLY
    extras = project["optional-dependencies"]
    known = requirements(extras["test"]) | requirements(extras["onnx"]) | full
    assert small == {name: known[name] for name in small}


def refusal_of_command(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == 1
    return result.output


@pytest.fixture
def without(monkeypatch):
    def remove(package):
        # Python then doesn't find it.
        monkeypatch.setitem(sys.modules, package, None)

    return remove


def test_commands_name_the_install_that_has_what_they_need(without, tmp_path):
    without("matplotlib")  # an error that no command expects
    without("pandas")  # one that some do
    for arguments in (["demo", "-o", tmp_path], ["train", tmp_path, "--labels=tags"]):
        (line,) = refusal_of_command(*arguments).splitlines()[-1:]
        assert re.fullmatch(
            r"Error: This needs \w+, which the small .* `python -m pip install "
            "skgenre`.",
            line,
        )


def test_other_errors_of_imports_are_no_advice(without):
    without("skgenre.cli._commands._demo")
    result = CliRunner().invoke(app, ["demo"])
    assert isinstance(result.exception, ModuleNotFoundError)


def test_functions_name_the_install_that_has_what_they_need(without):
    without("matplotlib")
    timeline = TimelineDisplay(np.ones((1, 1)), np.array([[0, 3]]), classes=["rock"])
    with pytest.raises(ImportError, match="needs matplotlib, .* pip install skgenre"):
        timeline.plot()


def test_what_came_of_clips_is_known_without_pandas(without):
    without("pandas")
    step = skgenre.MelSpectrogramTransformer(on_error="ignore")
    step.transform(["missing.wav", np.zeros(22050, np.float32)])
    missing, silent = step.extraction_records_
    assert (missing["status"], silent["status"]) == ("error", "silent")
    assert missing["path"] == "missing.wav" and silent["sample_rate"] == 22050
    with pytest.raises(ImportError, match="needs pandas"):
        step.extraction_report_.head()
