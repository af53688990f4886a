"""Real file systems that are full or read-only, and what is left on them."""

import errno
import functools
import shutil
import subprocess
import warnings
import zipfile

import numpy as np
import pytest
import soundfile
from archive_server import serve
from sklearn.dummy import DummyClassifier
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

import skgenre
from skgenre import MelSpectrogramTransformer
from skgenre.cli import app
from skgenre.cli._commands._embeddings._index import LibraryIndex
from skgenre.datasets import load_audio_folder, make_genre_clips
from skgenre.datasets._download import download
from skgenre.datasets._extract import extract_zip

CLIPS = np.random.default_rng(0).uniform(-0.5, 0.5, (4, 22050))


@pytest.fixture
def disk(tmp_path):
    """Folder of a file system of two megabytes."""
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


def make_read_only(disk):
    """Refuse every write, root's too."""
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_an_older_model_is_kept(disk):
    path = disk / "it.model"
    model = StandardScaler()
    skgenre.save(model.fit([[0]]), path)
    old = path.read_bytes()
    fill(disk)
    model.fit(np.zeros((2, 10**6)))
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


def test_a_download_of_unknown_length(disk, tmp_path):
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "file").write_bytes(bytes(3 * 10**6))
    with serve(tmp_path / "served") as server:
        server.tells_length = False
        with pytest.raises(OSError, match="No space left") as caught:
            download(f"{server.url}/file", str(disk / "file"))
    assert caught.value.errno == errno.ENOSPC
    assert not (disk / "file").exists()


def test_an_archive_whose_blocks_are_more_than_its_bytes(disk, tmp_path):
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for i in range(1000):
            file.writestr(f"data/{i}", b"music")
    with pytest.raises(OSError, match="No space left") as caught:
        extract_zip(str(archive), str(disk), "data")
    assert caught.value.errno == errno.ENOSPC
    assert names(disk) == []


class TestReadOnly:
    def test_all_is_refused_before_work_begins(self, disk):
        make_read_only(disk)
        step = MelSpectrogramTransformer(n_frames=20)
        for write in (
            lambda: skgenre.save(DummyClassifier().fit([[0]], [0]), disk / "it.model"),
            lambda: step.transform_to(disk / "X.npy", ["is not read.wav"]),
            lambda: step.set_params(cache_dir=disk / "cache").transform(CLIPS),
            lambda: make_genre_clips(4, duration=1, folder=disk / "music"),
            lambda: LibraryIndex(disk, "it", disk / "it.index").update([__file__]),
        ):
            with pytest.raises(OSError, match=r"can't be written|Read-only") as caught:
                write()
            assert str(disk) in str(caught.value)

    def test_a_download(self, disk, tmp_path):
        (tmp_path / "file").write_bytes(b"music")
        make_read_only(disk)
        with serve(tmp_path) as server:
            with pytest.raises(OSError, match="Read-only file system.*file.part"):
                download(f"{server.url}/file", str(disk / "file"))
            assert len(server.requests) <= 1

    def test_an_older_model_loads_and_stays(self, disk):
        model = DummyClassifier().fit([[0]], [1])
        skgenre.save(model, disk / "it.model")
        make_read_only(disk)
        with pytest.raises(PermissionError, match="can't be written to. Choose"):
            skgenre.save(model, disk / "it.model")
        assert skgenre.load(disk / "it.model").predict([[0]]) == [1]

    def test_a_cache_is_read_and_what_is_new_computed(self, disk):
        step = MelSpectrogramTransformer(n_frames=20, cache_dir=disk / "cache")
        expected = step.transform(CLIPS)
        before = names(disk)
        make_read_only(disk)
        with warnings.catch_warnings(action="error"):
            np.testing.assert_array_equal(step.transform(CLIPS), expected)
        with pytest.warns(UserWarning, match="can't be kept in the cache.*Read-only"):
            np.testing.assert_array_equal(
                step.transform(CLIPS[:, ::-1]),
                (step.set_params(cache_dir=None).transform(CLIPS[:, ::-1])),
            )
        assert names(disk) == before

    def test_commands(self, disk, tmp_path):
        music, model = str(tmp_path / "music"), str(tmp_path / "it.model")
        clips = make_genre_clips(
            12, ["ambient", "techno"], duration=2, random_state=0, folder=music
        )
        train = ["train", music, "--model", "fast", "-o"]
        assert CliRunner().invoke(app, [*train, model]).exit_code == 0
        make_read_only(disk)
        for command in (
            [*train, str(disk / "it.model")],
            ["evaluate", model, music, "--report", str(disk / "it.html")],
            ["similar", clips.paths[0], "--model", model, "--among", music]
            + ["--index", str(disk / "it.index")],
        ):
            result = CliRunner().invoke(app, command)
            said = " ".join(result.output.split())
            assert result.exit_code == 1, said
            assert "can't be written" in said or "Read-only file system" in said
            assert "Traceback" not in said
