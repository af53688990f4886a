"""A real file system of two megabytes that is full, and what is left on it."""

import functools
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
from sklearn.dummy import DummyClassifier
from typer.testing import CliRunner

import skgenre
from skgenre import MelSpectrogramTransformer
from skgenre.cli import app
from skgenre.datasets import load_audio_folder, make_genre_clips

CLIPS = np.random.default_rng(0).uniform(-0.5, 0.5, (4, 22050))


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=2m", "skgenre", folder]
    if mount is None or subprocess.run([mount, *options], stderr=-3).returncode:
        pytest.skip("no right to mount a file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(disk):
    free = shutil.disk_usage(disk).free
    (disk / "filling").write_bytes(bytes(free))


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_an_older_model_is_kept(disk):
    path = disk / "it.model"
    model = DummyClassifier(strategy="constant", constant=1).fit([[0]], [1])
    skgenre.save(model, path)
    old = path.read_bytes()
    fill(disk)
    model.big_ = np.zeros(10**6)
    with pytest.raises(OSError, match="Nothing was changed; make room") as caught:
        skgenre.save(model, path)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == old
    assert names(disk) == ["filling", "it.model"]


def test_results_come_though_none_can_be_kept(disk, tmp_path):
    step = MelSpectrogramTransformer(n_frames=20, n_mels=64)
    expected = step.transform(CLIPS)
    fill(disk)
    step.set_params(cache_dir=disk / "cache")
    with pytest.warns(UserWarning, match="can't be kept in the cache.*Make room"):
        np.testing.assert_array_equal(step.transform(CLIPS), expected)
    assert [name for name in names(disk) if name.endswith(".npy")] == []


def test_spectrograms_of_a_collection(disk):
    step = MelSpectrogramTransformer(n_frames=20)
    path = disk / "spectrograms.npy"
    fill(disk)
    with pytest.raises(OSError, match="only 0 B are free. Make room"):
        step.transform_to(path, CLIPS)
    (disk / "filling").unlink()
    np.testing.assert_array_equal(step.transform_to(path, CLIPS), step.transform(CLIPS))


def test_a_corpus(disk):
    (disk / "filling").write_bytes(bytes(10**6))
    make = functools.partial(
        make_genre_clips, 20, duration=3, random_state=0, folder=disk / "music"
    )
    with pytest.raises(OSError, match="No space left"):
        make()
    written = [path for path in (disk / "music").rglob("*") if path.is_file()]
    assert written and {path.suffix for path in written} == {".flac"}  # no table
    assert all(soundfile.info(path).duration == 3 for path in written)
    (disk / "filling").unlink()
    assert set(make().paths) == set(load_audio_folder(disk / "music").paths)


def test_a_training_of_the_shell(disk, tmp_path):
    make_genre_clips(
        12, ["ambient", "techno"], duration=2, random_state=0, folder=tmp_path / "music"
    )
    command = ["train", str(tmp_path / "music"), "--model", "fast", "-o"]
    fill(disk)
    result = CliRunner().invoke(app, [*command, str(disk / "it.model")])
    assert result.exit_code == 1
    assert "Nothing was changed; make room" in " ".join(result.output.split())
    assert "Traceback" not in result.output
    assert names(disk) == ["filling"]
