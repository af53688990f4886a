import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from music_library import music as sound
from music_library import write_track
from typer.testing import CliRunner

from skgenre import MelSpectrogramTransformer, MFCCStandardizer, load
from skgenre.cli import app
from skgenre.cli._commands._cache import default_folder, set_cache

runner = CliRunner()


def invoke(*arguments, env=None):
    return runner.invoke(app, [str(argument) for argument in arguments], env=env)


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Five clips each of low and of high sounds."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    seconds = np.arange(22050) / 22050
    for genre, pitch in (("low", 110), ("high", 1760)):
        (folder / genre).mkdir()
        for i in range(5):
            tone = np.sin(2 * np.pi * pitch * rng.uniform(0.9, 1.1) * seconds)
            soundfile.write(folder / genre / f"{i}.flac", 0.3 * tone, 22050)
    return folder


@pytest.fixture
def decoded(monkeypatch):
    opened = []
    init = soundfile.SoundFile.__init__

    def counting_init(self, *args, **kwargs):
        opened.append(args)
        init(self, *args, **kwargs)

    monkeypatch.setattr(soundfile.SoundFile, "__init__", counting_init)
    return opened


def test_commands_share_what_was_computed(music, decoded, tmp_path):
    cache, model = tmp_path / "cache", tmp_path / "it.model"
    train = "train", music, "-o", model, "--model", "baseline", "--cache-dir", cache
    assert invoke(*train).exit_code == 0
    assert len(decoded) == 10
    result = invoke(*train)
    assert result.exit_code == 0, result.output
    assert len(decoded) == 10

    # The model file names no folder.
    assert invoke("predict", model, music / "low").exit_code == 0
    assert len(decoded) == 15
    option = "--cache-dir", cache
    for command in (
        ("predict", model, music, *option),
        ("evaluate", model, music, *option),
        ("similar", music / "low" / "0.flac", "--model", model)
        + ("--among", music, *option),
    ):
        result = invoke(*command)
        assert result.exit_code == 0, result.output
    environment = {"SKGENRE_CACHE_DIR": str(cache)}
    assert invoke("predict", model, music, env=environment).exit_code == 0
    assert len(decoded) == 15


@pytest.fixture
def user_cache(tmp_path, monkeypatch):
    """Folder of the user's caches, in which the commands keep results by themselves."""
    monkeypatch.delenv("SKGENRE_CACHE_DIR")
    for variable in ("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "user"))
    assert default_folder().is_relative_to(tmp_path / "user")
    return default_folder()


def test_all_commands_on_a_library_decode_it_once(decoded, user_cache, tmp_path):
    rng = np.random.default_rng(0)
    library = tmp_path / "library"
    for genre, pitch in (("Folk", 150), ("Rock", 1760)):
        for i in range(6):
            tags = {"genre": [genre], "artist": [f"{genre} {i % 2}"]}
            write_track(library / f"{genre}{i}.flac", sound(rng, pitch), **tags)
    model, tags = tmp_path / "it.model", ("--labels", "tags")
    decoded.clear()  # writing opens files, too
    for command in (
        ("check-tags", library, "--model", "baseline"),
        ("train", library, *tags, "--model", "baseline", "-o", model),
        ("evaluate", model, library, *tags),
        ("predict", model, library),
        ("similar", library / "Rock0.flac", "--model", model, "--among", library),
    ):
        result = invoke(*command)
        assert result.exit_code == 0, result.output
    assert len(decoded) == 12
    facts = json.loads(invoke("cache", "info").stdout)
    assert facts["folder"] == str(user_cache)
    assert [kind["clips"] for kind in facts["results"]] == [12]

    # Only the rest is decoded after a run that was cut off.
    for path in list(user_cache.rglob("*.npy"))[:5]:
        path.unlink()
    assert invoke("predict", model, library).exit_code == 0
    assert len(decoded) == 17
    environment = {"SKGENRE_CACHE_DIR": "off"}
    assert invoke("predict", model, library, env=environment).exit_code == 0
    assert len(decoded) == 29
    assert invoke("cache", "clear").exit_code == 0
    assert list(user_cache.iterdir()) == []
    assert json.loads(invoke("cache", "info").stdout)["bytes"] == 0


def test_spectrograms_are_kept_where_a_folder_is_named(user_cache, tmp_path):
    steps = MelSpectrogramTransformer(), MFCCStandardizer()
    for folder, expected in (
        (tmp_path, [tmp_path, tmp_path]),
        (user_cache, [None, user_cache]),
        (None, [None, None]),
    ):
        for step in steps:
            set_cache(step, folder)
        assert [step.cache_dir for step in steps] == expected


def test_a_cache_folder_that_can_not_be_made_is_no_error(music, user_cache, tmp_path):
    (tmp_path / "user").write_text("no folder")
    train = "train", music, "-o", tmp_path / "it.model", "--model", "baseline"
    result = invoke(*train)
    assert result.exit_code == 0, result.output
    result = invoke(*train, "--cache-dir", tmp_path / "user" / "cache")
    assert result.exit_code == 1 and "no cache folder" in result.stderr


def test_broken_files_are_named_each_time(music, tmp_path):
    for genre in ("low", "high"):
        (tmp_path / genre).mkdir()
        for source in (music / genre).iterdir():
            (tmp_path / genre / source.name).symlink_to(source)
    (tmp_path / "low" / "bad.mp3").write_text("no music")
    model, cache = tmp_path / "it.model", tmp_path / ".cache"
    for _ in range(2):
        result = invoke(
            *("train", tmp_path, "-o", model, "--model", "baseline"),
            *("--cache-dir", cache),
        )
        assert result.exit_code == 0, result.output
        assert "Left out:" in result.stderr and "bad.mp3" in result.stderr


@pytest.mark.slow
def test_two_trainings_share_a_cache(music, tmp_path):
    command = [sys.executable, "-m", "skgenre.cli", "train", music]
    command += ["--model", "fast", "--cache-dir", tmp_path / "cache"]
    models = [tmp_path / "1.model", tmp_path / "2.model"]
    processes = [subprocess.Popen([*command, "-o", model]) for model in models]
    assert [process.wait() for process in processes] == [0, 0]
    paths = [str(path) for path in music.rglob("*.flac")]
    alone = tmp_path / "3.model"
    subprocess.run([*command[:-2], "-o", alone], check=True)
    for model in models:
        np.testing.assert_array_equal(
            load(model).predict_proba(paths), load(alone).predict_proba(paths)
        )


def test_info_and_clear(music, tmp_path):
    cache, model = tmp_path / "cache", tmp_path / "it.model"
    train = "train", music, "-o", model, "--model", "baseline", "--cache-dir", cache
    assert invoke(*train).exit_code == 0
    (cache / "mine.txt").write_text("mine")
    facts = json.loads(invoke("cache", "info", "--dir", cache).stdout)
    assert facts["folder"] == str(cache)
    assert facts["limit"] == 50_000_000_000
    kinds = {kind["kind"].split("-")[0]: kind for kind in facts["results"]}
    assert set(kinds) == {"MFCCStandardizer"}
    assert kinds["MFCCStandardizer"]["clips"] == 10
    size = sum(path.stat().st_size for path in cache.rglob("*.npy"))
    assert facts["bytes"] == sum(kind["bytes"] for kind in facts["results"]) == size

    environment = {"SKGENRE_CACHE_DIR": str(cache)}
    result = invoke("cache", "clear", env=environment)
    assert result.exit_code == 0, result.output
    assert "Deleted 10 results" in result.stderr
    assert [path.name for path in cache.iterdir()] == ["mine.txt"]
    facts = json.loads(invoke("cache", "info", env=environment).stdout)
    assert facts["results"] == []


def test_refusals(tmp_path):
    for command in ("info", "clear"):
        result = invoke("cache", command, "--dir", "off")
        assert result.exit_code == 1
        assert "No cache is used" in result.stderr
    (tmp_path / "file").write_text("mine")
    result = invoke("cache", "info", "--dir", tmp_path / "file")
    assert result.exit_code == 1
    result = invoke("cache", "info", "--dir", tmp_path, env={"SKGENRE_CACHE_SIZE": "x"})
    assert result.exit_code == 1
    assert "SKGENRE_CACHE_SIZE must be a number" in result.stderr
