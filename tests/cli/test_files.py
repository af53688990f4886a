"""What commands do with a model and many files, whatever is in the model."""

import json
import os

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline, make_union
from typer.testing import CliRunner

from skgenre import MFCCStandardizer, MissingClipClassifier, load, save
from skgenre.cli import app

GENRES = ["low", "high"] * 20


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Forty files, more than are read at a time."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    seconds = np.arange(8000) / 16000
    for i, genre in enumerate(GENRES):
        tone = 0.3 * np.sin(2 * np.pi * (150 if genre == "low" else 900) * seconds)
        soundfile.write(
            folder / f"{i}.wav", tone + rng.normal(0, 0.1, len(tone)), 16000
        )
    return [str(folder / f"{i}.wav") for i in range(40)]


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """Files that are broken in different ways; all but one were opened for it."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "empty.mp3").touch()
    (folder / "text.mp3").write_text("no music " * 99)
    return [str(folder / name) for name in ("empty.mp3", "text.mp3", "gone.flac")]


@pytest.fixture
def opened(monkeypatch):
    """List of the files that libsndfile has opened."""
    files = []
    init = soundfile.SoundFile.__init__

    def counting_init(self, *args, **kwargs):
        init(self, *args, **kwargs)
        files.append(self)

    monkeypatch.setattr(soundfile.SoundFile, "__init__", counting_init)
    return files


def members():
    return [
        ("few", make_pipeline(MFCCStandardizer(n_mfcc=4), PCA(3), GaussianNB())),
        ("more", make_pipeline(MFCCStandardizer(n_mfcc=6), LogisticRegression())),
    ]


MODELS = {
    "pipeline": lambda: members()[0][1],
    "union": lambda: make_pipeline(
        make_union(
            make_pipeline(MFCCStandardizer(n_mfcc=4), PCA(3)),
            MFCCStandardizer(n_mfcc=5, duration=0.2),
        ),
        GaussianNB(),
    ),
    "vote": lambda: VotingClassifier(members(), voting="soft"),
    "stack": lambda: StackingClassifier(members(), cv=2),
    "search": lambda: GridSearchCV(
        members()[0][1], {"mfccstandardizer__n_mfcc": [5, 6]}, cv=2
    ),
    "ignoring": lambda: make_pipeline(
        MFCCStandardizer(on_error="ignore"), MissingClipClassifier(GaussianNB())
    ),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request, paths, tmp_path_factory):
    file = tmp_path_factory.mktemp("models") / "it.model"
    save(MODELS[request.param]().fit(paths, GENRES), file)
    return file


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_each_file_is_read_once_and_the_broken_are_named(
    model, paths, bad, opened, n_jobs
):
    expected = load(model).predict_proba(paths)
    opened.clear()
    files = [bad[0], *paths[:20], *bad[1:], *paths[20:]]
    result = invoke("predict", model, *files, "--format", "json", "-j", n_jobs)
    assert result.exit_code == 1
    assert len(opened) == len(paths)
    found = {row["path"]: row for row in json.loads(result.stdout)}
    for path in bad:
        assert "genres" not in found[path]
        name = os.path.basename(path)
        assert f"{name}': " in found[path]["error"]
        assert result.stderr.count(f"{name}': ") == 1
    assert "0 bytes" in found[bad[0]]["error"]
    assert "no such file" in found[bad[2]]["error"]
    best = [found[path]["genres"][0]["probability"] for path in paths]
    assert_allclose(best, expected.max(axis=1), atol=1e-4)


def test_two_models_read_each_file_once(model, paths, bad, opened, tmp_path):
    other = tmp_path / "other.model"
    save(members()[1][1].fit(paths, GENRES), other)
    rows = [*zip(paths, GENRES, strict=True), (bad[0], "low"), (bad[1], "high")]
    table = tmp_path / "tracks.csv"
    lines = (f"{path},{genre}" for path, genre in rows)
    table.write_text("path,genre\n" + "\n".join(lines))
    opened.clear()
    result = invoke("evaluate", model, table, "--compare", other, "--format", "json")
    assert result.exit_code == 1, result.output
    assert len(opened) == len(paths)
    found = json.loads(result.stdout)
    assert found["n_clips"] == 40
    assert set(found["errors"]) == set(bad[:2])
    predicted = load(model).predict(paths)
    assert found["accuracy"] == np.mean(predicted == np.array(GENRES))


def test_only_broken_files(model, bad):
    result = invoke("predict", model, *bad, "--format", "json")
    assert result.exit_code == 1
    assert all("error" in row for row in json.loads(result.stdout))
