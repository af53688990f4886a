import random
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from skgenre.datasets._library._tags import read_tags

pytest.importorskip("mutagen")
from music_library import (
    SECONDS,
    id3v1,
    id3v2_frames,
    write_ape,
    write_id3,
    write_riff_info,
    write_track,
)

SUFFIXES = [".mp3", ".flac", ".ogg", ".opus", ".wav", ".aiff", ".m4a", ".wma", ".wv"]
TEXTS = {
    "genre": ["Rock", "Pop"],
    "artist": ["Björk"],
    "albumartist": ["The Sugarcubes"],
    "album": ["Ísland"],
    "title": ["Jóga ♫"],
    "date": ["1997-09-22"],
}


@pytest.fixture
def mp3(tmp_path):
    write_track(tmp_path / "a.mp3")
    return tmp_path / "a.mp3"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_format(tmp_path, suffix):
    path = tmp_path / f"song{suffix}"
    write_track(path, **TEXTS)
    tags = read_tags(str(path))
    if suffix == ".wma":  # all values but the first lie in a part that comes before
        assert sorted(tags.genres) == ["Pop", "Rock"]
    else:
        assert tags.genres == ("Rock", "Pop")
    assert tags.artist == "The Sugarcubes"
    assert tags.track_artist == "Björk"
    assert (tags.album, tags.title, tags.year) == ("Ísland", "Jóga ♫", 1997)
    assert tags.problem == ""
    if suffix not in (".wv", ".ogg", ".opus"):  # of which the loader asks a decoder
        assert tags.duration == pytest.approx(SECONDS, abs=0.07)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".aac"])
def test_no_tags(tmp_path, suffix):
    path = tmp_path / f"song{suffix}"
    write_track(path)
    tags = read_tags(str(path))
    assert tags._replace(duration=0) == tags._replace(
        genres=(), artist=None, duration=0
    )
    assert (tags.album, tags.title, tags.problem) == (None, None, "")
    assert np.isnan(tags.year)


def test_a_file_of_another_format_than_its_name(tmp_path):
    write_track(tmp_path / "a.flac", genre=["Rock"])
    path = (tmp_path / "a.flac").rename(tmp_path / "a.mp3")
    assert read_tags(str(path)).genres == ("Rock",)
    write_track(tmp_path / "b.mp3", genre=["Pop"])
    path = (tmp_path / "b.mp3").rename(tmp_path / "b.wav")
    assert read_tags(str(path)).genres == ("Pop",)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("encoding", [0, 1])
def test_versions_of_id3(mp3, version, encoding):
    texts = TEXTS | {"title": ["Jóga"]}
    write_id3(mp3, texts, version=version, encoding=encoding)
    tags = read_tags(str(mp3))
    assert tags.genres == (("Rock", "Pop") if version == 4 else ("Rock/Pop",))
    assert (tags.artist, tags.title, tags.year) == ("The Sugarcubes", "Jóga", 1997)


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("flags", [0, 0x80])
def test_tags_byte_by_byte(mp3, version, flags):
    name = b"TCO" if version == 2 else b"TCON"
    texts = b"\1" + "Żółć ÿ\0(4)Eurodisco".encode("utf-16")
    tag = id3v2_frames(version, (name, texts), flags=flags)
    mp3.write_bytes(tag + mp3.read_bytes())
    assert read_tags(str(mp3)).genres == ("Żółć ÿ", "(4)Eurodisco")


def test_an_extended_header(mp3):
    tag = bytearray(id3v2_frames(3, (b"TCON", b"\0Rock")))
    extended = (6).to_bytes(4) + bytes(6)
    tag[5] |= 0x40
    tag[9] += len(extended)
    tag[10:10] = extended
    mp3.write_bytes(tag + mp3.read_bytes())
    assert read_tags(str(mp3)).genres == ("Rock",)


def test_id3v1_is_the_last_to_be_believed(mp3):
    song = mp3.read_bytes()
    v1 = id3v1(139, "Artist whose name is cut off a")
    mp3.write_bytes(song + v1)
    assert read_tags(str(mp3)).genres == ("139",)
    assert read_tags(str(mp3)).artist == "Artist whose name is cut off a"
    mp3.write_bytes(song)
    write_ape(
        mp3, {"genre": ["Techno", "House"], "artist": ["Artist whose name is long"]}
    )
    mp3.write_bytes(mp3.read_bytes() + v1)
    assert read_tags(str(mp3)).genres == ("Techno", "House")
    assert read_tags(str(mp3)).artist == "Artist whose name is long"
    mp3.write_bytes(id3v2_frames(3, (b"TCON", b"\0Folk")) + mp3.read_bytes())
    assert read_tags(str(mp3)).genres == ("Folk",)


def test_a_number_at_the_end_of_a_flac_is_not_its_genre(tmp_path):
    path = tmp_path / "a.flac"
    write_track(path, genre=["Jazz"])
    path.write_bytes(path.read_bytes() + id3v1(17))
    assert read_tags(str(path)).genres == ("Jazz",)


def test_riff_info(tmp_path):
    path = tmp_path / "a.wav"
    write_riff_info(path, genre="(17)", artist="Wave", title="Tide", album="Sea")
    tags = read_tags(str(path))
    assert tags.genres == ("(17)",)
    assert (tags.artist, tags.title, tags.album) == ("Wave", "Tide", "Sea")


@pytest.mark.parametrize(
    ("album_artist", "artist", "expected"),
    [
        (["Queen"], ["Freddie"], "Queen"),
        ([], ["Freddie"], "Freddie"),
        (["Various Artists"], ["Freddie"], "Freddie"),
        (["VA"], ["Unknown Artist"], None),
        (["  "], ["Freddie"], "Freddie"),
    ],
)
def test_the_artist(tmp_path, album_artist, artist, expected):
    path = tmp_path / "a.flac"
    write_track(path, albumartist=album_artist, artist=artist)
    assert read_tags(str(path)).artist == expected


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        (None, "there is no such file"),
        (b"", "the file is empty"),
        (b"fLaC\x04\0\0\x28\x20\0\0\0reference libFLAC", "its tags are damaged"),
    ],
)
def test_what_cannot_be_read(tmp_path, contents, problem):
    path = tmp_path / "a.flac"
    if contents is not None:
        path.write_bytes(contents)
    assert problem in read_tags(str(path)).problem


def test_a_search_for_frames_ends(tmp_path):
    path = tmp_path / "a.mp3"
    path.write_bytes(id3v2_frames(3, (b"TCON", b"\0Rock")) + bytes(20 << 20))
    start = time.perf_counter()
    tags = read_tags(str(path))
    assert time.perf_counter() - start < 2
    assert tags.genres == ("Rock",)
    assert np.isnan(tags.duration)


def test_no_memory_is_made_for_what_is_not_there(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "a.m4a"
    write_track(path, genre=["Rock"])
    contents = path.read_bytes().replace(b"\0\x1c\xa9gen", b"\xff\xff\xa9gen")
    atom = b"\0\0\0\x01\xa9gen" + (1 << 45).to_bytes(8)
    path.write_bytes(contents.replace(b"\xa9gen", b"\xa9gen", 1) + atom)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read_tags(str(path))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_tags_raise_nothing(tmp_path, suffix):
    path = tmp_path / f"song{suffix}"
    write_track(path, **TEXTS)
    contents = path.read_bytes()
    generator = random.Random(suffix)
    for _ in range(60):
        damaged = bytearray(contents)
        for _ in range(generator.choice([1, 4, 30])):
            # Near the ends, where tags are.
            at = generator.choice([1, -1]) * generator.randrange(1, 1500)
            damaged[at % len(damaged)] = generator.choice([0, 1, 0x7F, 0xFF, 0x80])
        if generator.random() < 0.3:
            del damaged[generator.randrange(len(damaged)) :]
        Path(path).write_bytes(damaged)
        tags = read_tags(str(path))
        assert all(type(text) is str for text in tags.genres)
        assert np.isnan(tags.duration) or tags.duration > 0


@pytest.mark.parametrize("end", ["id3", "ape"])
def test_of_a_million_genres_a_file_has_a_thousand(tmp_path, end):
    text = b"a\0" * 1_000_000
    if end == "id3":
        frame = b"TCON" + (60_000).to_bytes(4) + b"\0\0\3" + text[:59_999]
        size = len(frame) * 32
        sizes = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
        contents = b"ID3\3\0\0" + sizes + frame * 32
    else:
        item = struct.pack("<2I", len(text), 0) + b"genre\0" + text
        facts = b"APETAGEX", 2000, len(item) + 32, 1, 0
        contents = item + struct.pack("<8s4I8x", *facts)
    (tmp_path / "a.mp3").write_bytes(contents)
    assert 990 < len(read_tags(str(tmp_path / "a.mp3")).genres) <= 1000
