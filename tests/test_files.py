"""Files that are written whole or not at all, and what is checked of others."""

import errno
import hashlib
import io
import os
import stat
import time
import zipfile

import numpy as np
import pytest

from skgenre import _files
from skgenre._files import (
    OLD_TEMPORARY,
    check_space,
    check_stored,
    check_writable,
    digest,
    open_regular,
    read_array,
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


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_nothing_that_everybody_may_write_to(tmp_path):
    before = os.umask(0)
    try:
        write_atomically(tmp_path / "it", b"music")
        os.close(open_regular(tmp_path / "other", os.O_RDWR | os.O_CREAT))
    finally:
        os.umask(before)
    for name in ("it", "other"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o664


def test_only_regular_files_are_opened(tmp_path):
    (tmp_path / "it").write_bytes(b"music")
    with open(open_regular(tmp_path / "it"), "rb") as file:
        assert file.read() == b"music"
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "no")


@pytest.mark.skipif(os.name != "posix", reason="files of POSIX")
@pytest.mark.parametrize("kind", ["pipe", "device", "link", "link to device", "folder"])
def test_pipes_devices_and_links_are_not_opened(kind, tmp_path):
    path = tmp_path / "it"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = "/dev/zero"
    elif kind == "folder":
        path.mkdir()
    else:
        (tmp_path / "mine").write_bytes(b"music")
        path.symlink_to("/dev/zero" if "device" in kind else tmp_path / "mine")
    with pytest.raises(OSError, match="it|zero"):
        open_regular(path)


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


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


NODES = np.dtype([("left", "<i8"), ("value", "<f8")])


@pytest.mark.parametrize(
    "array",
    [
        *(np.ones(3, kind) for kind in "b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split()),
        np.array(["a", "é𝄞"]),
        np.array("one"),
        np.float64(1.5),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(24).reshape(2, 3, 4)[:, ::2],
        np.empty((0, 7)),
        np.empty(0, "<U3"),
    ],
)
def test_an_array_is_read_as_numpy_does(array):
    read = read_array(npy(array))
    expected = np.load(io.BytesIO(npy(array)))
    assert read.dtype == expected.dtype
    assert read.flags.f_contiguous == expected.flags.f_contiguous
    np.testing.assert_array_equal(read, expected, strict=True)
    assert read.flags.owndata and read.flags.writeable and read.flags.aligned


def test_one_structured_type_may_be_allowed():
    array = np.array([(1, 0.5), (2, 0.25)], NODES)
    assert (read_array(npy(array), structured=NODES) == array).all()
    assert read_array(npy(np.ones(2)), structured=NODES).tolist() == [1, 1]
    other = array.astype([("left", "<i8"), ("other", "<f8")])
    with pytest.raises(ValueError, match="V16, which is refused"):
        read_array(npy(other), structured=NODES)


def with_header(text, body=b"", version=b"\1\0"):
    text = text.encode("latin1")
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text + body


def header(descr, shape, order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "header is damaged"),
        (npy(np.ones(3))[:20], "header is damaged"),
        (b"no" + npy(np.ones(3)), "header is damaged"),
        (with_header(header("'<f8'", "()"), version=b"\3\0"), "version 1.0"),
        (with_header("{" * 5000), "header is damaged"),
        (with_header("-" * 9000 + "1"), "header is damaged"),
        (with_header(header("'<f8'", "(1,)") + " " * 20_000), "header is damaged"),
        (with_header(header("'<f8'", "(1.5,)")), "header is damaged"),
        (npy(np.ones(3))[:-1], "takes 24 bytes, and there are 23"),
        (npy(np.ones(3)) + b"\0", "takes 24 bytes, and there are 25"),
        (with_header(header("'<f8'", "(10**30,)")), "header is damaged"),
        (with_header(header("'<f8'", f"({10**30},)")), "and there are 0"),
        (with_header(header("'<f8'", "(-1, -1)"), bytes(8)), "and there are 8"),
        (with_header(header("'<f8'", f"(0, {10**15})")), "without elements"),
        (with_header(header("'|u1'", f"({'1,' * 99})"), b"1"), "shape"),
        (with_header(header("'<U0'", f"({10**9},)")), "<U0, which is refused"),
        (with_header(header("'|V0'", f"({10**9},)")), "V0, which is refused"),
        (with_header(header("'|S0'", f"({10**9},)")), "S0, which is refused"),
        (with_header(header("'(0,)f8'", f"({10**9},)")), "V0, which is refused"),
        (with_header(header("'|O'", "(1,)"), bytes(8)), "O, which is refused"),
        (npy(np.array(b"abc")), "S3, which is refused"),
        (npy(np.ones(2, complex)), "c16, which is refused"),
        (npy(np.ones(2, "M8[s]")), r"M8\[s\], which is refused"),
        (npy(np.ones(2, ">f8")), ">f8, which is refused"),
        (npy(np.ones(2, NODES)), "V16, which is refused"),
        (with_header(header("'|b1'", "(2,)"), b"\1\2"), "booleans holds other"),
        (with_header(header("'<U1'", "(1,)"), b"\xff" * 4), "no Unicode"),
    ],
)
def test_forged_arrays_are_refused(contents, message):
    with pytest.raises(ValueError, match=message):
        read_array(contents)
