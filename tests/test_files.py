"""Files that are written whole or not at all, and what is checked of others."""

import errno
import hashlib
import os
import stat
import time
import zipfile

import pytest

from skgenre import _files
from skgenre._files import (
    OLD_TEMPORARY,
    check_space,
    check_stored,
    check_writable,
    digest,
    size_text,
    write_atomically,
)


@pytest.fixture
def calls(monkeypatch):
    """Record what is synced, how large it is then, and what is renamed, in order."""
    recorded = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(descriptor):
        status = os.fstat(descriptor)
        kind = "folder" if stat.S_ISDIR(status.st_mode) else status.st_size
        recorded.append(("fsync", kind))
        fsync(descriptor)

    def record_replace(source, target):
        recorded.append(("replace", target))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    return recorded


def test_a_file_is_on_the_disk_before_its_name_is(calls, tmp_path):
    path = tmp_path / "it"
    write_atomically(path, b"music")
    expected = [("fsync", 5), ("replace", path), ("fsync", "folder")]
    assert calls == (expected if os.name == "posix" else expected[:2])
    assert path.read_bytes() == b"music"
    assert os.listdir(tmp_path) == ["it"]


def test_nothing_is_waited_for_where_a_crash_does_no_harm(calls, tmp_path):
    write_atomically(tmp_path / "it", b"music", survive_crash=False)
    assert calls == [("replace", tmp_path / "it")]


def test_a_folder_that_cannot_be_synced_is_no_error(monkeypatch, tmp_path):
    fsync = os.fsync

    def refuse_folders(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    write_atomically(tmp_path / "it", b"music")
    assert (tmp_path / "it").read_bytes() == b"music"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_what_fails_changes_nothing(error, monkeypatch, tmp_path):
    path = tmp_path / "it"
    path.write_bytes(b"old")

    def fail(*args):
        raise error

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(type(error)) as caught:
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["it"]
    if isinstance(error, OSError):
        assert caught.value.errno == errno.ENOSPC
        assert caught.value.filename == str(path)
        assert "Nothing was changed; make room" in str(caught.value)


@pytest.mark.parametrize("survive_crash", [True, False])
def test_old_temporary_files_are_deleted(survive_crash, tmp_path):
    names = {
        "old": ".skgenre-0123456789abcdef",
        "new": ".skgenre-0123456789abcdee",
        "longer": ".skgenre-0123456789abcdefa",
        "other": "x.skgenre-0123456789abcdef",
    }
    for name in names.values():
        (tmp_path / name).touch()
        age = 0 if name == names["new"] else OLD_TEMPORARY + 60
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    write_atomically(tmp_path / "it", b"", survive_crash=survive_crash)
    gone = {names["old"]} if survive_crash else set()
    assert {*os.listdir(tmp_path)} == {"it", *names.values()} - gone


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_the_mode_of_an_older_file_is_kept(mode, tmp_path):
    path = tmp_path / "it"
    path.touch()
    path.chmod(mode)
    write_atomically(path, b"music")
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_where_a_file_will_be_written(tmp_path):
    (tmp_path / "folder").mkdir()
    path = tmp_path / "folder" / ".." / "it"
    assert check_writable(path) == check_writable(str(path)) == tmp_path / "it"
    with pytest.raises(FileNotFoundError, match="There is no folder .*no.*Make it"):
        check_writable(tmp_path / "no" / "it")
    with pytest.raises(FileExistsError, match="exists and is no file"):
        check_writable(tmp_path / "folder")


def test_space(tmp_path, monkeypatch):
    check_space(tmp_path, 1, "It")
    usage = _files.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(
        _files.shutil, "disk_usage", lambda folder: usage._replace(free=2048)
    )
    check_space(tmp_path, 2048, "It")
    with pytest.raises(OSError, match="It needs 2.001 KiB, but only 2 KiB are") as no:
        check_space(str(tmp_path), 2049, "It")
    assert no.value.errno == errno.ENOSPC and no.value.filename == str(tmp_path)


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (2**20, "1 MiB"),
        (2**30, "1.0 GiB"),
        (5 * 2**40, "5,120.0 GiB"),
    ],
)
def test_size_text(n_bytes, text):
    assert size_text(n_bytes) == text


def test_digest(tmp_path):
    (tmp_path / "it").write_bytes(b"music")
    assert digest(tmp_path / "it") == hashlib.sha256(b"music").hexdigest()


def test_archives_hold_no_more_than_their_files(tmp_path):
    path = tmp_path / "it.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", bytes(1000))
        archive.writestr("b", bytes(500))
        check_stored(archive, 1500)
        with pytest.raises(ValueError, match="larger than the file"):
            check_stored(archive, 1499)
        archive.writestr("c", bytes(10), zipfile.ZIP_DEFLATED)
        with pytest.raises(ValueError, match="compressed, which is refused"):
            check_stored(archive, 10**6)
