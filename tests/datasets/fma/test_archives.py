import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from archive_server import serve
from fma_miniature import make_fma

from skgenre.datasets import _download, fetch_fma, load_fma
from skgenre.datasets._fma import _archives

GENRES = ["Electronic", "Rock"]


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """Folder with the archives of a miniature FMA, and their checksums."""
    source = tmp_path_factory.mktemp("source")
    make_fma(source, 3, genres=GENRES, duration=1)
    folder = tmp_path_factory.mktemp("mirror")
    sums = {}
    for name in ("fma_metadata", "fma_small"):
        with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_BZIP2) as file:
            for path in sorted((source / name).rglob("*")):
                file.write(path, path.relative_to(source))
        content = (folder / f"{name}.zip").read_bytes()
        sums[name] = hashlib.sha1(content).hexdigest()
    return folder, sums


@pytest.fixture
def server(mirror, monkeypatch):
    folder, sums = mirror
    # The miniature's archives can't have the checksums of the real ones.
    for name, checksum in sums.items():
        monkeypatch.setitem(_archives.SHA1, name, checksum)
    monkeypatch.setattr(_download, "_DELAY", 0.01)
    with serve(folder) as server:
        yield server


@pytest.fixture
def home(tmp_path):
    return tmp_path / "not" / "yet" / "there"


def names(home):
    return sorted(path.name for path in home.iterdir())


COMPLETE = ["fma_metadata", "fma_metadata.zip", "fma_small", "fma_small.zip"]


def test_published_checksums():
    assert set(_archives.SHA1) == {
        f"fma_{name}" for name in ("metadata", "small", "medium", "large", "full")
    }
    assert all(len(bytes.fromhex(sha1)) == 20 for sha1 in _archives.SHA1.values())
    small = "ade154f733639d52e35e32f5593efe5be76c6d70"
    assert _archives.SHA1["fma_small"] == small


def test_download(server, home):
    tracks = fetch_fma(home, base_url=server.url)
    assert tracks.target_names.tolist() == GENRES
    assert len(tracks.paths) == 6
    assert names(home) == COMPLETE
    # All is there: nobody is asked again, not even a server.
    n_requests = len(server.requests)
    fetch_fma(home, base_url="http://127.0.0.1:9")
    load_fma(home)
    assert len(server.requests) == n_requests == 2


def test_archives_that_are_there_are_not_downloaded_again(server, home, mirror):
    fetch_fma(home, base_url=server.url.rstrip("/"))
    os.rename(home / "fma_small", home / "elsewhere")
    with pytest.raises(FileNotFoundError, match="Download it by fetch_fma"):
        load_fma(home)
    fetch_fma(home, base_url=server.url)
    assert len(server.requests) == 2


def test_interrupted(server, home):
    """A connection that breaks for good, and a second call."""
    piece = _download._PIECE
    server.limits = [10**9, piece, 0, 0, 0, 0]
    with pytest.raises(ConnectionError, match="fma_small.zip broke off after 16"):
        fetch_fma(home, base_url=server.url)
    assert names(home) == ["fma_metadata", "fma_metadata.zip", "fma_small.zip.part"]
    fetch_fma(home, base_url=server.url)
    assert server.requests[-1] == ("/fma_small.zip", f"bytes={piece}-")
    assert names(home) == COMPLETE


def test_corrupted(server, home):
    server.change = lambda body: body[:500] + bytes([body[500] ^ 1]) + body[501:]
    with pytest.raises(ValueError) as caught:
        fetch_fma(home, base_url=server.url)
    message = str(caught.value)
    assert "fma_metadata.zip is not the archive that was published" in message
    assert "The download is deleted" in message
    assert "name another mirror by base_url" in message
    assert names(home) == []
    server.change = bytes
    fetch_fma(home, base_url=server.url)
    assert names(home) == COMPLETE


def test_corrupted_half_of_a_download_that_goes_on(server, home):
    home.mkdir(parents=True)
    (home / "fma_metadata.zip.part").write_bytes(b"x" * 100)
    with pytest.raises(ValueError, match="not the archive that was published"):
        fetch_fma(home, base_url=server.url)
    assert names(home) == []
    fetch_fma(home, base_url=server.url)


def test_a_damaged_archive_of_the_users_is_replaced(server, home):
    home.mkdir(parents=True)
    (home / "fma_metadata.zip").write_bytes(b"half of it")
    fetch_fma(home, base_url=server.url)
    assert names(home) == COMPLETE


def test_stopped_while_the_sum_is_checked(server, home, monkeypatch):
    """Minutes of work on a large archive, in which nothing of it may be lost."""

    def stop(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pooch.file_hash", stop)
        with pytest.raises(KeyboardInterrupt):
            fetch_fma(home, base_url=server.url)
    assert names(home) == ["fma_metadata.zip"]
    fetch_fma(home, base_url=server.url)
    assert [path for path, _ in server.requests] == [
        "/fma_metadata.zip",
        "/fma_small.zip",
    ]


@pytest.mark.slow
def test_killed_while_extracting(server, home):
    """What a killed process leaves is not taken for the data."""
    code = (
        "import os, shutil, sys\n"
        "from skgenre.datasets import _extract\n"
        "from skgenre.datasets._fma import _archives\n"
        "copy = shutil.copyfileobj\n"
        "def kill(source, target, *args):\n"
        "    copy(source, target, *args)\n"
        "    os.kill(os.getpid(), 9)\n"
        "shutil.copyfileobj = kill\n"
        "_extract.extract_zip(sys.argv[1], sys.argv[2], 'fma_metadata')\n"
    )
    home.mkdir(parents=True)
    archive = Path(server.folder, "fma_metadata.zip")
    command = [sys.executable, "-c", code, archive, home]
    assert subprocess.run(command, stderr=subprocess.DEVNULL).returncode == -9
    (leftover,) = names(home)
    assert leftover.startswith("fma_metadata.part-")
    tracks = fetch_fma(home, base_url=server.url)
    assert len(tracks.paths) == 6


def test_no_folder_in_the_place_of_one(server, tmp_path):
    """It is said before the download, not after."""
    (tmp_path / "fma_metadata").symlink_to(tmp_path / "gone")
    with pytest.raises(FileExistsError, match="fma_metadata' is a file, or a link"):
        fetch_fma(tmp_path, base_url=server.url)
    assert not server.requests


def test_no_such_mirror(server, home):
    with pytest.raises(ConnectionError, match="404.*base_url"):
        fetch_fma(home, base_url=server.url + "elsewhere")
    assert names(home) == []
