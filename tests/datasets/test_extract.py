import errno
import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from skgenre.datasets import _extract
from skgenre.datasets._extract import extract_zip


@pytest.fixture
def make(tmp_path):
    """Return a function that writes an archive of members (name or ZipInfo, bytes)."""

    def write(*members, compression=zipfile.ZIP_DEFLATED):
        path = tmp_path / "data.zip"
        with zipfile.ZipFile(path, "w", compression) as file:
            for name, content in members:
                file.writestr(name, content)
        return str(path)

    return write


def entry(name, mode):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def assert_nothing_extracted(folder):
    assert [path.name for path in folder.iterdir()] == ["data.zip"]


@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]
)
def test_extract(make, tmp_path, capsys, compression):
    path = make(
        ("data/", b""),
        ("data/000/000002.mp3", b"music" * 1000),
        ("data/empty/", b""),
        ("data/Zürich.txt", b""),
        compression=compression,
    )
    extract_zip(path, str(tmp_path), "data")
    assert (tmp_path / "data/000/000002.mp3").read_bytes() == b"music" * 1000
    assert (tmp_path / "data/empty").is_dir()
    assert (tmp_path / "data/Zürich.txt").read_bytes() == b""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "data.zip"]
    assert "100%" in capsys.readouterr().err
    # Readable for others, unlike temporary folders.
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o777 & ~umask


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "data/../../outside",
        "/tmp/outside",
        "other/file",
        "data//file",
        "data/./file",
        "data\\..\\..\\outside",
        "C:/outside",
        "data/C:outside",
        "data2/file",
        "",
    ],
)
def test_names_that_lead_elsewhere(make, tmp_path, name):
    path = make(("data/good", b"x"), (entry(name, stat.S_IFREG | 0o644), b"x"))
    with pytest.raises(ValueError, match="which is not in 'data'. Delete it"):
        extract_zip(path, str(tmp_path), "data")
    assert_nothing_extracted(tmp_path)
    assert not (tmp_path.parent / "outside").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices(make, tmp_path, kind):
    path = make((entry("data/link", kind | 0o777), b"/etc"), ("data/link/x", b"x"))
    with pytest.raises(ValueError, match="'data/link' is a link or device"):
        extract_zip(path, str(tmp_path), "data")
    assert_nothing_extracted(tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "names",
    [
        ["data/a", "data/a"],
        ["data"],
        ["data/a", "data/a/b"],
        ["data/a/b/c", "data/a"],
        ["data/a", "data/a/"],
        ["data/a/b/", "data/a"],
    ],
)
def test_two_members_in_one_place(make, tmp_path, names):
    path = make(*((name, b"x") for name in names))
    with pytest.raises(ValueError, match="more than once. Delete it"):
        extract_zip(path, str(tmp_path), "data")
    assert_nothing_extracted(tmp_path)


def test_encrypted(make, tmp_path):
    path = make(("data/secret", b"x" * 100))
    content = bytearray(Path(path).read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    Path(path).write_bytes(content)
    with pytest.raises(ValueError, match="'data/secret' is encrypted. Delete it"):
        extract_zip(path, str(tmp_path), "data")
    assert_nothing_extracted(tmp_path)


@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_damage_of_each_compression(make, tmp_path, compression):
    path = make(("data/a", b"music" * 1000), compression=compression)
    content = bytearray(Path(path).read_bytes())
    for place in range(45, 60):
        content[place] ^= 0xFF
    Path(path).write_bytes(content)
    with pytest.raises(ValueError, match="Cannot extract .*download it"):
        extract_zip(path, str(tmp_path), "data")
    assert_nothing_extracted(tmp_path)


def test_bomb(make, tmp_path):
    path = make(("data/zeros", bytes(10_000_000)))
    with pytest.raises(ValueError, match=r"would fill 9\.537 MiB of the disk"):
        extract_zip(path, str(tmp_path), "data")
    assert_nothing_extracted(tmp_path)


def claim_size(path, size):
    """Let the directory of the archive say that its one member has another size."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    place = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, place + 24, size)
    with open(path, "wb") as file:
        file.write(content)


def test_bomb_that_lies_about_its_size(make, tmp_path):
    path = make(("data/zeros", bytes(10_000_000)))
    claim_size(path, 1000)
    with pytest.raises(ValueError, match="Cannot extract .*CRC"):
        extract_zip(path, str(tmp_path), "data")
    assert_nothing_extracted(tmp_path)


def test_a_disk_that_is_too_small(make, tmp_path, monkeypatch):
    path = make(("data/x", os.urandom(1000)))
    # More than any disk holds would be refused as a bomb first.
    usage = type("usage", (), {"free": 999})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(
        OSError, match=r"needs 1000 B, but only 999 B are free"
    ) as caught:
        extract_zip(path, str(tmp_path), "data")
    assert caught.value.errno == errno.ENOSPC
    assert_nothing_extracted(tmp_path)


@pytest.mark.parametrize("damage", ["truncated", "byte", "no zip"])
def test_damaged_archives(make, tmp_path, damage):
    path = make(
        ("data/a", os.urandom(1000)),
        ("data/b", os.urandom(1000)),
        compression=zipfile.ZIP_STORED,
    )
    with open(path, "rb") as file:
        content = bytearray(file.read())
    if damage == "truncated":
        content = content[:1500]
    elif damage == "byte":
        content[1500] ^= 1
    else:
        content = b"<html>not found</html>"
    with open(path, "wb") as file:
        file.write(content)
    with pytest.raises(ValueError, match="Cannot extract .*data.zip'.*download it"):
        extract_zip(path, str(tmp_path), "data")
    # The first file had been extracted before the damage was met.
    assert_nothing_extracted(tmp_path)


def test_another_process_was_quicker(make, tmp_path):
    path = make(("data/x", b"new"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x").write_bytes(b"first")
    extract_zip(path, str(tmp_path), "data")
    assert (tmp_path / "data" / "x").read_bytes() == b"first"


def test_what_killed_processes_left_is_deleted(make, tmp_path):
    path = make(("data/a", b"music"))
    left, other = (tmp_path / f"{n}.part-x{n}" for n in ("data", "other"))
    new = tmp_path / "data.part-new"
    for folder in (left, new, other):
        (folder / "data").mkdir(parents=True)
        (folder / "data" / "a").write_bytes(b"mu")
        if folder is not new:
            os.utime(folder, (1e9, 1e9))
    alive = tmp_path / "data.part-alive"
    alive.mkdir()
    os.utime(alive, (1e9, 1e9))
    with _extract._lock(str(alive)) as is_ours:
        assert is_ours
        extract_zip(path, str(tmp_path), "data")
    names = {entry.name for entry in tmp_path.iterdir()}
    assert names == {"data", "data.zip", alive.name, new.name, other.name}
    assert (tmp_path / "data" / "a").read_bytes() == b"music"
