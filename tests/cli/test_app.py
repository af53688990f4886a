"""The commands as a shell runs them, on real files."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from typer.testing import CliRunner

from skgenre import (
    MFCCStandardizer,
    MissingClipClassifier,
    MusicnnEmbedding,
    load,
    save,
)
from skgenre.cli import app
from skgenre.cli._options import ModelName
from skgenre.persistence import read_info
from skgenre.pipelines import PIPELINES

PICTURES = Path(__file__).parents[2] / "docs" / "_static"

runner = CliRunner()


def invoke(*arguments):
    return runner.invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Twelve clips each of low and of high sounds, by four artists a genre."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    seconds = np.arange(3 * 22050) / 22050
    rows = []
    for genre, pitch in (("low", 110), ("high", 1760)):
        (folder / genre).mkdir()
        for i in range(12):
            tone = np.sin(2 * np.pi * pitch * rng.uniform(0.9, 1.1) * seconds)
            clip = 0.3 * tone + rng.normal(0, 0.02, len(tone))
            soundfile.write(folder / genre / f"{i}.flac", clip, 22050)
            rows.append((f"{genre}/{i}.flac", genre, f"{genre} artist {i % 4}"))
    with open(folder / "tracks.csv", "w", newline="") as file:
        csv.writer(file).writerows([("path", "genre", "artist_id"), *rows])
    return folder


@pytest.fixture(scope="module")
def svc(music, tmp_path_factory):
    """Path of a trained baseline."""
    path = tmp_path_factory.mktemp("models") / "svc.model"
    result = invoke("train", music, "-o", path, "--model", "baseline")
    assert result.exit_code == 0, result.output
    return path


def test_train_reports_on_held_out_artists(music, tmp_path):
    path = tmp_path / "it.model"
    result = invoke("train", music, "-o", path, "--model", "baseline")
    assert result.exit_code == 0, result.output
    assert "Training on 18 clips, 6 held out" in result.stderr
    assert "Accuracy on 6 clips of held-out artists" in result.stderr
    assert "Confusion" in result.stderr
    info = read_info(path)
    assert info["genres"] == ["high", "low"]
    assert info["metrics"]["accuracy"] == 1.0
    assert info["metrics"]["protocol"].startswith("clips of held-out artists")


@pytest.mark.parametrize("model", ["scratch", "paper", "crnn"])
def test_networks(music, tmp_path, model):
    path = tmp_path / "it.model"
    train = ["train", music, "-o", path, "--model", model, "--epochs", 2]
    result = invoke(*train, "--checkpoint-dir", tmp_path / "kept")
    assert result.exit_code == 0, result.output
    assert not list((tmp_path / "kept").iterdir())  # until training has ended
    pipeline = load(path)
    assert not any(
        value for name, value in pipeline.get_params().items() if "verbose" in name
    )
    result = invoke("predict", path, music / "low" / "0.flac", "--format", "json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)[0]["genres"][0]["genre"] in ("low", "high")


def test_every_pipeline_can_be_trained():
    assert set(ModelName) == set(PIPELINES)


def test_a_work_dir_changes_nothing_but_where_spectrograms_are(music, tmp_path):
    train = ("train", music, "--model", "scratch", "--epochs", 3, "--no-refit")
    for name in ("memory", "disk", "again"):
        place = () if name == "memory" else ("--work-dir", tmp_path / "new" / "work")
        result = invoke(*train, "-o", tmp_path / name, *place)
        assert result.exit_code == 0, result.output
        file = tmp_path / "new" / "work" / "spectrograms.npy"
        if name == "disk":
            assert str(file) in result.stderr
            written = file.stat().st_mtime_ns
    assert file.stat().st_mtime_ns == written
    assert np.load(file, mmap_mode="r").shape == (24, 640, 3 * 128)
    clips = sorted((music / "low").glob("*.flac"))
    expected = load(tmp_path / "memory").predict_proba(clips)
    for name in ("disk", "again"):
        np.testing.assert_array_equal(
            load(tmp_path / name).predict_proba(clips), expected
        )
        assert read_info(tmp_path / name)["metrics"]["n_clips"] == 6


def test_a_work_dir_is_for_networks_and_asked_for_when_needed(
    music, tmp_path, monkeypatch
):
    train = ("train", music, "-o", tmp_path / "it.model")
    result = invoke(*train, "--model", "fast", "--work-dir", tmp_path)
    assert result.exit_code == 1
    assert "--work-dir is for networks" in result.stderr
    monkeypatch.setattr(
        "skgenre.cli._commands._models._work_dir._memory_bytes", lambda: 9e6
    )
    result = invoke(*train, "--model", "scratch")
    assert result.exit_code == 1
    assert "24 clips take 22.5 MiB, and this machine has 8.583 MiB" in result.stderr
    assert "Give --work-dir" in result.stderr


def test_the_default_is_the_best_whose_weights_are_here(music, tmp_path, no_weights):
    result = invoke("train", music, "-o", tmp_path / "it.model")
    assert result.exit_code == 0, result.output
    said = " ".join(result.stderr.split())
    assert "Model: fast, as the pretrained weights that `best` needs are not" in said
    assert "`skgenre weights` gets them." in said
    result = invoke("train", music, "-o", tmp_path / "it.model", "--model", "fast")
    assert "Model: fast." in result.stderr


@pytest.mark.parametrize("option", ["--epochs", "--checkpoint-dir"])
def test_options_of_networks(option, music, tmp_path):
    train = ("train", music, "-o", tmp_path / "it.model", "--model", "fast")
    result = invoke(*train, option, 3)
    assert result.exit_code == 1
    assert f"{option} is for networks, and --model fast trains none" in result.stderr


def test_best_without_weights_fails_before_any_work(tmp_path, no_weights):
    command = ("train", tmp_path / "no music", "-o", tmp_path / "it.model")
    result = invoke(*command, "--model", "best")
    assert result.exit_code == 1
    said = " ".join(result.stderr.split())
    assert "weights are not here. Get them by `skgenre weights`" in said
    assert "no music" not in said


@pytest.mark.parametrize("command", ["predict", "evaluate", "similar"])
def test_a_model_without_its_weights(command, music, tmp_path, no_weights):
    embedding = MusicnnEmbedding()
    clips = [music / "low" / "0.flac", music / "high" / "0.flac"]
    classifier = DummyClassifier().fit(np.zeros((2, 200)), ["low", "high"])
    save(Pipeline([("a", embedding), ("b", classifier)]), tmp_path / "it.model")
    arguments = {
        "predict": [tmp_path / "it.model", *clips],
        "evaluate": [tmp_path / "it.model", music],
        "similar": [clips[0], "--among", music, "--model", tmp_path / "it.model"],
    }
    result = invoke(command, *arguments[command])
    assert result.exit_code == 1
    assert "Get them by `skgenre weights`" in " ".join(result.stderr.split())


def test_test_size_zero_trains_on_everything(music, tmp_path):
    path = tmp_path / "it.model"
    result = invoke("train", music, "-o", path, "--model", "baseline", "--test-size", 0)
    assert result.exit_code == 0, result.output
    assert "Training on 24 clips, 0 held out" in result.stderr
    assert "not evaluated" in result.stderr
    info = read_info(path)
    assert info["metrics"] == {}
    assert (info["training"]["n_clips"], info["training"]["refit"]) == (24, False)


def test_copies_among_artists_are_told(music, tmp_path):
    folder = tmp_path / "music"
    shutil.copytree(music, folder)
    for copy, first in (("low/1.flac", "low/0.flac"), ("high/4.flac", "high/0.flac")):
        shutil.copy(folder / first, folder / copy)
    train = ("train", folder, "-o", tmp_path / "it.model", "--model", "baseline")
    result = invoke(*train)
    assert result.exit_code == 0, result.output
    # Tracks 0 and 4 are by one artist, and so never parted.
    copy = str(folder / "low" / "1.flac")
    assert f"1 files are copies of other files of other artists: {copy!r}." in (
        result.stderr
    )
    assert "scores that are too good" in result.stderr
    (folder / "tracks.csv").unlink()
    assert "2 files are copies of other files: " in invoke(*train).stderr
    assert "are copies" not in invoke("train", music, *train[2:]).stderr


def test_predict_formats_agree(svc, music):
    clip = str(music / "high" / "3.flac")
    table = invoke("predict", svc, clip)
    assert "3.flac" in table.stdout
    assert "high" in table.stdout
    rows = list(
        csv.DictReader(
            io.StringIO(invoke("predict", svc, clip, "--format", "csv").stdout)
        )
    )
    assert len(rows) == 1
    assert (rows[0]["path"], rows[0]["genre"]) == (clip, "high")
    assert rows[0]["error"] == ""
    (found,) = json.loads(
        invoke("predict", svc, clip, "--format", "json", "--top", 2).stdout
    )
    assert [genre["genre"] for genre in found["genres"]] == ["high", "low"]
    probabilities = [genre["probability"] for genre in found["genres"]]
    assert probabilities[0] == pytest.approx(float(rows[0]["probability"]))
    assert sum(probabilities) == pytest.approx(1, abs=1e-3)


def test_predict_top_in_csv(svc, music):
    result = invoke("predict", svc, music / "low", "--format", "csv", "--top", 2)
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(rows) == 12
    assert {row["genre"] for row in rows} == {"low"}
    assert {row["genre_2"] for row in rows} == {"high"}


def test_broken_files_are_named_and_the_others_predicted(svc, music, tmp_path):
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "text.mp3").write_text("no music " * 100)
    os.symlink(music / "low" / "1.flac", tmp_path / "good.flac")
    result = invoke("predict", svc, tmp_path, "--format", "csv")
    assert result.exit_code == 1
    rows = {
        os.path.basename(row["path"]): row
        for row in csv.DictReader(io.StringIO(result.stdout))
    }
    assert rows["good.flac"]["genre"] == "low"
    for name in ("empty.mp3", "text.mp3"):
        assert rows[name]["genre"] == ""
        assert name in rows[name]["error"]
        assert name in result.stderr


def test_no_genre_where_there_is_no_music(svc, music, tmp_path):
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "noise.wav", rng.uniform(-0.3, 0.3, 100), 22050)
    soundfile.write(tmp_path / "silence.wav", np.zeros(30 * 22050), 22050)
    soundfile.write(tmp_path / "song.mp3", rng.uniform(-0.3, 0.3, 9 * 22050), 22050)
    content = (tmp_path / "song.mp3").read_bytes()
    (tmp_path / "song.mp3").write_bytes(content[: len(content) * 2 // 3])
    os.symlink(music / "low" / "1.flac", tmp_path / "good.flac")
    found = []
    for _ in range(2):  # the second time, the cache knows the others
        arguments = svc, tmp_path, "--cache-dir", tmp_path / "cache"
        result = invoke("predict", *arguments, "--format", "json")
        assert result.exit_code == 0
        found.append(
            {os.path.basename(p["path"]): p for p in json.loads(result.stdout)}
        )
        for name in ("noise.wav", "silence.wav", "song.mp3"):
            assert f"{name}' is {found[0][name]['status']}: " in result.stderr
    assert found[0] == found[1]
    found = found[0]
    assert {name: p["status"] for name, p in found.items()} == {
        "good.flac": "ok",
        "noise.wav": "too short",
        "silence.wav": "silent",
        "song.mp3": "damaged",
    }
    assert [name for name, p in found.items() if "genres" not in p] == [
        "noise.wav",
        "silence.wav",
    ]
    assert "of 9.00 s are lost" in found["song.mp3"]["note"]
    table = invoke("predict", svc, tmp_path).stdout
    assert "silent" in table and "too short" in table
    result = invoke("predict", svc, tmp_path, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [bool(row["genre"]) for row in rows] == [True, False, False, True]
    assert [row["status"] for row in rows] == [p["status"] for p in found.values()]


def test_broken_files_are_named_whatever_the_model_does_about_them(music, tmp_path):
    paths = [
        str(music / genre / f"{i}.flac") for genre in ("low", "high") for i in (1, 2)
    ]
    model = make_pipeline(
        MFCCStandardizer(on_error="ignore"), MissingClipClassifier(GaussianNB())
    )
    save(model.fit(paths, ["low", "low", "high", "high"]), tmp_path / "it.model")
    (tmp_path / "empty.mp3").touch()
    result = invoke(
        "predict",
        tmp_path / "it.model",
        tmp_path / "empty.mp3",
        *paths,
        "--format",
        "json",
    )
    assert result.exit_code == 1
    assert "empty.mp3" in result.stderr
    errors = {p["path"]: p.get("error", "") for p in json.loads(result.stdout)}
    assert len(errors) == 5
    assert "0 bytes" in errors[str(tmp_path / "empty.mp3")]
    assert not any(errors[path] for path in paths)


def test_training_leaves_broken_files_out_and_names_them(music, tmp_path):
    for genre in ("low", "high"):
        (tmp_path / genre).mkdir()
        for i in range(12):
            os.symlink(music / genre / f"{i}.flac", tmp_path / genre / f"{i}.flac")
    (tmp_path / "low" / "broken.mp3").write_text("no music")
    result = invoke(
        "train", tmp_path, "-o", tmp_path / "it.model", "--model", "baseline"
    )
    assert result.exit_code == 0, result.output
    assert "broken.mp3" in result.stderr
    assert "held-out clips" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "/no/such/folder"), "/no/such/folder"),
        (("train", ".", "-o", "/no/such/folder/it.model"), "There is no folder"),
        (("train", ".", "-o", "/"), "is no file"),
        (("predict", "/no/such.model", "song.mp3"), "There is no model file"),
        (("predict", __file__, "song.mp3"), "not a model file"),
        (("info", __file__), "not a model file"),
    ],
)
def test_errors_are_one_clear_line(arguments, message):
    result = invoke(*arguments)
    assert result.exit_code == 1
    assert message in result.stderr.replace("\n", "")
    assert "Traceback" not in result.output


def test_predict_refuses_what_gives_no_probabilities(music, tmp_path):
    from skgenre import EmbeddingKMeans

    save(EmbeddingKMeans(2), tmp_path / "it.model")
    result = invoke("predict", tmp_path / "it.model", music)
    assert result.exit_code == 1
    assert "has no predict_proba" in result.stderr


def test_missing_song_is_named_and_the_others_predicted(svc, music):
    songs = music / "low" / "0.flac", "no_such_song.mp3"
    result = invoke("predict", svc, *songs, "--format", "json")
    assert result.exit_code == 1
    assert "no_such_song.mp3" in result.stderr
    missing, found = json.loads(result.stdout)
    assert missing["path"] == "no_such_song.mp3"
    assert found["genres"][0]["genre"] == "low"


def test_any_classifier_of_audio_predicts(music, tmp_path):
    """A grid search, and an ensemble of whole pipelines."""
    from sklearn.ensemble import VotingClassifier
    from sklearn.model_selection import GridSearchCV
    from sklearn.naive_bayes import GaussianNB
    from sklearn.pipeline import make_pipeline

    from skgenre import MFCCStandardizer
    from skgenre.datasets import load_audio_folder

    tracks = load_audio_folder(music)
    pipeline = make_pipeline(MFCCStandardizer(n_mfcc=5), GaussianNB())
    for model in (
        GridSearchCV(pipeline, {"gaussiannb__var_smoothing": [1e-9, 1e-3]}, cv=2),
        VotingClassifier([("one", pipeline)], voting="soft"),
    ):
        save(model.fit(tracks.paths, tracks.target), tmp_path / "it.model")
        result = invoke("predict", tmp_path / "it.model", tracks.paths[0], "-j", 2)
        assert result.exit_code == 0, result.output
        assert tracks.target[0] in result.stdout


def test_models_of_spectrograms_are_refused_in_a_sentence(music, tmp_path):
    from skgenre import CRNNClassifier

    crnn = CRNNClassifier(filters=(2,), lstm_units=2, epochs=1)
    crnn.fit(np.zeros((4, 5, 2)), ["a", "b", "a", "b"])
    save(crnn, tmp_path / "it.model")
    result = invoke("predict", tmp_path / "it.model", music / "low" / "0.flac")
    assert result.exit_code == 1
    assert "put a MelSpectrogramTransformer in front" in result.stderr


@pytest.mark.slow
def test_genres_and_files_with_odd_names(music, tmp_path):
    genres = "accuracy", "[bold]macro avg"
    for genre, source in zip(genres, ("low", "high"), strict=True):
        (tmp_path / genre).mkdir()
        for i in range(6):
            os.symlink(music / source / f"{i}.flac", tmp_path / genre / f"{i}.flac")
    model = tmp_path / "it.model"
    result = invoke("train", tmp_path, "-o", model, "--model", "baseline", "--jobs", 1)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("accuracy") >= 3
    assert "[bold]macro avg" in result.stderr

    name = os.fsencode(tmp_path) + b"/no\xff utf-8\x1b[31m.flac"
    os.symlink(os.fsencode(music / "low" / "0.flac"), name)
    run = [sys.executable, "-m", "skgenre.cli", "predict", model, name]
    for file_format in ("json", "csv", "table"):
        found = subprocess.run(
            [*run, "--format", file_format],
            env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
            capture_output=True,
        )
        assert found.returncode == 0, found.stderr
        assert "accuracy" in found.stdout.decode()


@pytest.mark.parametrize(
    "options",
    [
        (),
        pytest.param(("--time-limit", "60"), marks=pytest.mark.slow),
        pytest.param(("--cache-dir", "c"), marks=pytest.mark.slow),
    ],
)
def test_predict_reads_the_standard_input(svc, music, tmp_path, options):
    song = music / "low" / "0.flac"
    run = [sys.executable, "-m", "skgenre.cli", "predict", svc, "--format", "json"]
    named = subprocess.run([*run, song], capture_output=True, check=True)
    with open(song, "rb") as file:
        writer = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
        piped = subprocess.run(
            [*run, *options, "-", song, "-"],
            stdin=writer.stdout,
            capture_output=True,
            cwd=tmp_path,
        )
        writer.stdout.close()
        writer.wait()
    assert piped.returncode == 0, piped.stderr
    (expected,) = json.loads(named.stdout)
    assert json.loads(piped.stdout) == [expected | {"path": "-"}, expected]


@pytest.mark.parametrize(
    ("contents", "message"),
    [(b"", "the file is empty"), (b"half a download", "no decoder reads it")],
)
def test_a_standard_input_that_is_no_sound(svc, music, contents, message):
    song = music / "high" / "0.flac"
    arguments = ["predict", str(svc), "-", str(song), "--format", "csv"]
    result = runner.invoke(app, arguments, input=contents)
    assert result.exit_code == 1
    assert f"Cannot read '-': {message}" in result.stderr
    assert [row["genre"] for row in csv.DictReader(io.StringIO(result.stdout))] == [
        "",
        "high",
    ]


def test_a_note_on_the_standard_input_names_it(svc):
    sound = io.BytesIO()
    soundfile.write(sound, np.zeros(22050), 22050, format="FLAC")
    result = runner.invoke(app, ["predict", str(svc), "-"], input=sound.getvalue())
    assert result.exit_code == 0
    assert "Note: '-' is silent: no sample is above" in result.stderr


def test_a_standard_input_that_never_ends(svc, monkeypatch):
    monkeypatch.setattr("skgenre.cli._inputs._BLOCK", 1000)
    monkeypatch.setattr("skgenre.cli._inputs.MAX_BYTES", 10_000)
    result = runner.invoke(app, ["predict", str(svc), "-"], input=bytes(20_000))
    assert result.exit_code == 1
    assert "The standard input is larger than" in result.stderr


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals")
def test_a_terminal_is_not_waited_for(svc):
    terminal, end = os.openpty()
    run = [sys.executable, "-m", "skgenre.cli", "predict", svc, "-"]
    found = subprocess.run(run, stdin=end, capture_output=True, timeout=60)
    os.close(terminal)
    os.close(end)
    assert found.returncode == 1
    assert b"is a terminal" in found.stderr.replace(b"\n", b" ")


def test_small_and_broken_corpora(music, tmp_path):
    for genre in ("low", "high"):
        (tmp_path / genre).mkdir()
        (tmp_path / genre / "x.mp3").write_text("no music")
    train = ("train", tmp_path, "-o", tmp_path / "it.model", "--model", "baseline")
    result = invoke(*train)
    assert result.exit_code == 1
    assert "none could be read of 'high', 'low'" in result.stderr
    for genre in ("low", "high"):
        os.symlink(music / genre / "0.flac", tmp_path / genre / "0.flac")
    result = invoke(*train)
    assert result.exit_code == 1
    assert "Genre 'high' has 1 clip to train on" in result.stderr
    for name in ("low/1.flac", "low/2.flac", "high/1.flac", "high/2.flac"):
        os.symlink(music / name, tmp_path / name)
    result = invoke(*train)
    assert result.exit_code == 0, result.output


def test_info(svc):
    info = json.loads(invoke("info", svc).stdout)
    assert info["estimator"] == "Pipeline"
    assert info["sample_rate"] == 22050


def test_info_of_a_stranger_s_file_drives_no_terminal(tmp_path):
    metrics = {"notes": "\x1b[31m\u202e\x9bé"}
    save(MFCCStandardizer(), tmp_path / "it.model", metrics=metrics)
    printed = invoke("info", tmp_path / "it.model").stdout
    assert json.loads(printed)["metrics"] == metrics
    assert printed.replace("\n", "").isprintable() and "é" in printed


def test_version_and_help():
    assert invoke("--version").stdout.startswith("skgenre ")
    assert "train" in invoke("--help").stdout


def test_command_is_installed_and_starts_without_tensorflow(svc, music):
    code = (
        "import sys; sys.argv = sys.argv[1:]\n"
        "from skgenre.cli import app\n"
        "try: app()\n"
        "except SystemExit as end: assert not end.code\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    clip = music / "low" / "0.flac"
    run = [sys.executable, "-c", code, "skgenre", "predict", svc, clip]
    assert b"low" in subprocess.run(run, check=True, capture_output=True).stdout


@pytest.mark.slow
def test_demo(tmp_path):
    folder = tmp_path / "demo"
    result = invoke("demo", "-o", folder)
    assert result.exit_code == 0, result.output
    names = {path.name for path in folder.glob("*.png")}
    info = read_info(folder / "genres.model")
    assert names == {
        "confusion_matrix.png",
        "learning_curves.png",
        "map.png",
        "timeline.png",
        *(f"spectrogram_{genre}.png" for genre in info["genres"]),
    }
    assert info["metrics"]["accuracy"] >= 0.8
    # The README shows the timeline: mirrored, it would differ by 0.19.
    shown, made = (plt.imread(path / "timeline.png") for path in (PICTURES, folder))
    assert shown.shape == made.shape and np.abs(shown - made).mean() < 0.09
    again = invoke("predict", folder / "genres.model", folder / "new")
    assert again.exit_code == 0, again.output
