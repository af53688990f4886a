"""``skgenre train``: what is read, left out, held out and learnt from."""

import csv
import shutil

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from published_weights import needs_weights
from typer.testing import CliRunner

from skgenre import genre_pipeline, load
from skgenre.classifiers._training._data import validation_rows
from skgenre.cli import app
from skgenre.datasets import load_audio_folder
from skgenre.persistence import read_info

BAD = {
    "low/empty.flac": b"",
    "high/text.mp3": b"no music " * 99,
    "low/wave.wav": b"RIFF\0\0\0\0WAVEfmt ",
}


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Eight clips each of low and high sounds, by four artists, and three bad files."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    seconds = np.arange(22050) / 22050
    rows = [("path", "genre", "artist")]
    for genre, pitch in (("low", 220), ("high", 880)):
        (folder / genre).mkdir()
        for i in range(8):
            tone = np.sin(2 * np.pi * pitch * rng.uniform(0.3, 2) * seconds)
            clip = 0.3 * tone + rng.normal(0, 0.05, len(tone))
            soundfile.write(folder / genre / f"{i}.flac", clip, 22050)
            rows.append((f"{genre}/{i}.flac", genre, f"{genre} {i % 4}"))
    for name, content in BAD.items():
        (folder / name).write_bytes(content)
        rows.append((name, name.split("/")[0], "nobody"))
    with open(folder / "tracks.csv", "w", newline="") as file:
        csv.writer(file).writerows(sorted(rows[1:], key=lambda row: row[0]))
    text = (folder / "tracks.csv").read_text()
    (folder / "tracks.csv").write_text("path,genre,artist\n" + text)
    return folder


@pytest.fixture(scope="module")
def good(music):
    """Bunch of the files that can be read."""
    tracks = load_audio_folder(music)
    readable = [not any(path.endswith(name) for name in BAD) for path in tracks.paths]
    for name in ("paths", "target", "groups"):
        tracks[name] = tracks[name][readable]
    return tracks


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


def test_silent_and_short_files_are_left_out(music, tmp_path):
    for i in range(3):
        shutil.copytree(music / "low", tmp_path / f"genre {i}")
        soundfile.write(tmp_path / f"genre {i}" / "silence.wav", np.zeros(22050), 22050)
        soundfile.write(tmp_path / f"genre {i}" / "click.wav", np.ones(99) / 2, 22050)
    printed = train(tmp_path, "--model", "baseline", "-o", tmp_path / "a.model")
    for i in range(3):
        assert f"genre {i}/silence.wav' is silent: no sample is above" in printed
        assert f"genre {i}/click.wav' is too short: " in printed
    assert read_info(tmp_path / "a.model")["training"]["n_clips"] == 24


def train(music, *arguments):
    command = ["train", music, *arguments]
    result = CliRunner().invoke(app, [str(argument) for argument in command])
    assert result.exit_code == 0, result.output
    return " ".join(result.stderr.split())


@pytest.mark.parametrize(
    "model",
    [
        "baseline",
        "fast",
        pytest.param(
            "best",
            marks=needs_weights,
        ),
        "scratch",
        "paper",
    ],
)
def test_each_file_is_decoded_once(music, opened, tmp_path, model):
    options = ["--epochs", 1] if model in ("scratch", "paper") else []
    train(music, "-o", tmp_path / "it.model", "--model", model, *options)
    assert len(opened) == 16


def test_each_file_is_decoded_once_with_all_folders(music, opened, tmp_path):
    command = [music, "-o", tmp_path / "it.model", "--model", "scratch", "--epochs", 1]
    folders = ["--work-dir", tmp_path / "work", "--checkpoint-dir", tmp_path / "kept"]
    messages = train(*command, *folders)
    assert len(opened) == 16
    # The next time, the spectrograms are there, and what is wrong is said again.
    again = train(*command, *folders)
    assert len(opened) == 16
    train(*command, "--no-refit", "--cache-dir", tmp_path / "cache")
    assert len(opened) == 32
    train(*command, "--no-refit", "--cache-dir", tmp_path / "cache")
    assert len(opened) == 32
    for name in BAD:
        assert messages.count(f"{name}': ") == again.count(f"{name}': ") == 1
    assert "the file is empty (0 bytes)" in again


def test_what_was_left_out_and_why_is_said_before_training(music, tmp_path):
    messages = train(music, "-o", tmp_path / "it.model", "--model", "baseline")
    before, _, after = messages.partition("Training on ")
    assert before.count("Left out: Cannot read ") == 3
    for name in BAD:
        assert f"{name}': " in before
    assert "empty.flac': the file is empty (0 bytes). Replace it" in before
    assert after.startswith("12 clips, 4 held out.")


@pytest.mark.parametrize(
    ("model", "refit"), [("baseline", False), ("baseline", True), ("scratch", False)]
)
def test_the_model_is_that_of_the_pipeline(music, good, tmp_path, model, refit):
    """The same clips are held out, and before a refit nothing is learnt from them."""
    options = ["--epochs", 2] if model == "scratch" else []
    options += [] if refit else ["--no-refit"]
    file = tmp_path / "it.model"
    train(music, "-o", file, "--model", model, "--seed", 3, *options)
    codes = np.unique(good.target, return_inverse=True)[1]
    rng = np.random.RandomState(3)
    held_out = validation_rows(codes, good.groups, 0.2, rng)
    kept = np.setdiff1d(np.arange(16), held_out)
    expected = genre_pipeline(model, random_state=3)
    if model == "scratch":
        expected[-1].set_params(epochs=2)
    groups = f"{expected.steps[-1][0]}__groups"
    expected.fit(good.paths[kept], good.target[kept], **{groups: good.groups[kept]})
    accuracy = np.mean(expected.predict(good.paths[held_out]) == good.target[held_out])
    info = read_info(file)
    assert info["metrics"]["accuracy"] == accuracy
    assert ("trained on these clips, too" in info["metrics"]["protocol"]) == refit
    assert info["training"]["n_clips"] == (16 if refit else len(kept))
    if refit:
        expected.fit(good.paths, good.target, **{groups: good.groups})
    actual = load(file)
    assert_allclose(
        actual.predict_proba(good.paths), expected.predict_proba(good.paths), atol=1e-6
    )
    if model == "baseline":
        assert_array_equal(actual[0].mean_, expected[0].mean_)


def test_what_the_model_was_trained_on(music, tmp_path):
    moved = shutil.copytree(music, tmp_path / "moved")
    renamed = shutil.copytree(music, tmp_path / "renamed")
    table = (renamed / "tracks.csv").read_text()
    (renamed / "tracks.csv").write_text(table.replace("low 0", "someone"))
    digests = []
    for folder in (music, moved, renamed):
        file, note = tmp_path / "it.model", "Größe"
        options = "--model", "baseline", "--seed", 7, "--note", note
        messages = train(folder, "-o", file, *options)
        assert "Training once more on all 16 clips" in messages
        training = read_info(file)["training"]
        digests.append(training.pop("digest"))
        assert training == {
            "recipe": "baseline",
            "labels": "folders",
            "seed": 7,
            "n_clips": 16,
            "n_artists": 8,
            "genres": {"high": 8, "low": 8},
            "refit": True,
            "note": note,
        }
    assert digests[0] == digests[1] != digests[2]


def test_scores_without_artists_come_with_a_note(music, tmp_path):
    shutil.copytree(music / "low", tmp_path / "music" / "low")
    shutil.copytree(music / "high", tmp_path / "music" / "high")
    for folder, is_noted in ((music, False), (tmp_path / "music", True)):
        printed = train(
            folder, "--model", "fast", "--no-refit", "-o", tmp_path / "it.model"
        )
        assert ("Artists are not known" in printed) == is_noted


def test_a_note_that_is_too_long_is_refused_before_training(music, tmp_path):
    command = ["train", music, "-o", tmp_path / "it.model", "--note", "x" * 9999]
    result = CliRunner().invoke(app, [str(each) for each in command])
    assert result.exit_code == 1 and "'note': expected a text of up to" in result.stderr
    assert "Training" not in result.stderr


def test_spectrograms_written_before_a_file_was_repaired(music, tmp_path):
    """A file that can be read now, but could not then, is read and written."""
    from skgenre.cli._commands._models._work_dir import _spectrograms_on_disk
    from skgenre.cli._console import console

    mel = genre_pipeline("scratch")[0]
    paths = [str(music / "low" / f"{i}.flac") for i in range(2)]
    _, errors = _spectrograms_on_disk(mel, paths, tmp_path, console)
    assert not errors
    stored = np.lib.format.open_memmap(tmp_path / "spectrograms.npy", mode="r+")
    expected = stored.copy()
    stored[1] = np.nan
    stored.flush()
    spectrograms, errors = _spectrograms_on_disk(mel, paths, tmp_path, console)
    assert not errors
    np.testing.assert_array_equal(np.asarray(spectrograms), expected)
    assert mel.on_error == "raise"
