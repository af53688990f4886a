"""Predictions need few packages, and what needs the others says so."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

import skgenre
from skgenre import _install
from skgenre.cli import app
from skgenre.datasets import make_genre_clips
from skgenre.features._pretrained._musicnn_weights import has_weights, weights_folder
from skgenre.inspection import TimelineDisplay

ROOT = Path(__file__).parents[1]
LARGEST = 600e6
"""Bytes of its packages."""


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


def test_without_tensorflow_the_other_runtime_is_named():
    assert "runtime='onnx'" in _install.missing("tensorflow")
    assert "runtime" not in _install.missing("pandas")


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


@pytest.fixture
def bare_python(tmp_path, monkeypatch):
    """Return the Python of a new environment with the small install."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    folder = "Scripts" if os.name == "nt" else "bin"
    python = tmp_path / "env" / folder / "python"
    install = [python, "-m", "pip", "install", "--quiet"]
    for what in (["-r", ROOT / "requirements" / "serve.txt"], ["--no-deps", ROOT]):
        done = subprocess.run([*install, *what], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"pip can't install it here: {done.stderr[-300:]}")
    return python


@pytest.mark.slow
def test_a_bare_environment_predicts_tags_and_serves(
    bare_python, tmp_path, monkeypatch
):
    clips = make_genre_clips(
        8, ["rock", "techno"], duration=6, random_state=0, folder=tmp_path / "clips"
    )
    crnn = skgenre.CRNNClassifier(
        filters=(4, 4), lstm_units=4, epochs=1, validation_fraction=0, random_state=0
    )
    mel = skgenre.MelSpectrogramTransformer()
    model = make_pipeline(mel, skgenre.SegmentClassifier(crnn))
    model.fit(clips.paths, clips.target)
    skgenre.save(model, tmp_path / "it.model")
    skgenre.export_onnx(model[-1], tmp_path / "it.onnx")
    expected = model.predict_proba(clips.paths)
    song = clips.paths[0]

    def run(*arguments):
        done = subprocess.run(
            [bare_python, *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    found = "print([n for n in sys.argv[1:] if importlib.util.find_spec(n)])"
    lacking = sorted(_install._FULL_ONLY)
    assert run("-c", f"import importlib.util, sys; {found}", *lacking) == "[]\n"

    def command(*arguments):
        return json.loads(run("-m", "skgenre.cli", *arguments, "--format", "json"))

    predicted = command("predict", "it.model", *clips.paths, "--top", 2)
    by_path = {each["path"]: each["genres"] for each in predicted}
    for path, probabilities in zip(clips.paths, expected, strict=True):
        values = {each["genre"]: each["probability"] for each in by_path[path]}
        assert [values["rock"], values["techno"]] == pytest.approx(
            probabilities, abs=1e-4
        )
    assert len(command("similar", song, "--model", "it.model", "--among", "clips")) > 1
    lines = run(ROOT / "examples" / "onnx_alone.py", "it.onnx", song).splitlines()
    values = dict(line.split() for line in lines)
    assert float(values["rock"]) == pytest.approx(expected[0, 0], abs=1e-3)
    if has_weights():  # in the data folder, or in this environment's packages
        (tmp_path / "data").mkdir()
        kept = tmp_path / "data" / "musicnn-0.1.0"
        kept.symlink_to(weights_folder("msd").parent, target_is_directory=True)
        monkeypatch.setenv("SKGENRE_DATA", str(tmp_path / "data"))
        (tagged,) = command("tag", song)
        assert len(tagged["tags"]) == 5
        (timeline,) = command("tag", song, "--timeline")
        assert len(timeline["windows"]) == 2

    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from _services import Service, make_requests

    upload = {"it": Path(song).read_bytes()}
    request, *_ = make_requests(upload, [None], takes_forms=True)
    with Service("asgi", str(tmp_path / "it.model"), python=bare_python) as service:
        response = json.loads(service.send(request).body)
    assert [*response["probabilities"].values()] == pytest.approx(expected[0], abs=1e-4)

    (packages,) = (tmp_path / "env").rglob("site-packages")
    size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file())
    print(f"The small install has {size / 1e6:.0f} MB.")
    assert size < LARGEST
