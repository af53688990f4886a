"""Playlists as programs write them, and lists of files."""

import io
import os

import pytest

from skgenre.datasets._library._playlists import (
    Entry,
    file_names,
    is_playlist,
    parse_list,
    read_playlist,
    write_playlist,
)


def write(folder, contents, name="it.m3u"):
    path = folder / name
    path.write_bytes(contents)
    return path


def test_entries_are_relative_to_the_playlist(tmp_path):
    contents = b"#EXTM3U\r\n#EXTINF:12,A - B\r\nrock/a.mp3\r\n\r\n../b.mp3\n/c.mp3"
    assert read_playlist(write(tmp_path, contents)) == [
        str(tmp_path / "rock/a.mp3"),
        str(tmp_path / "../b.mp3"),
        "/c.mp3",
    ]


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("it.m3u8", "\ufeff#EXTM3U\nÜ 音.mp3".encode()),
        ("it.M3U", "Ü 音.mp3\n".encode()),
        ("it.m3u", "\ufeffÜ 音.mp3".encode()),
    ],
    ids=["mark", "no mark", "mark in m3u"],
)
def test_playlists_in_utf8(tmp_path, name, contents):
    path = write(tmp_path, contents, name)
    assert is_playlist(path)
    assert read_playlist(path) == [str(tmp_path / "Ü 音.mp3")]


def test_latin1_is_for_m3u_alone(tmp_path):
    contents = "Ü\x85 é.mp3".encode("latin-1")
    assert read_playlist(write(tmp_path, contents)) == [str(tmp_path / "Ü\x85 é.mp3")]
    with pytest.raises(ValueError, match=r"it.m3u8' is not in UTF-8"):
        read_playlist(write(tmp_path, contents, "it.m3u8"))


@pytest.mark.skipif(os.name != "posix", reason="paths are those of POSIX")
def test_urls_of_files_and_names_of_windows(tmp_path):
    (tmp_path / "jazz").mkdir()
    for name in ("jazz/a.mp3", r"with\back.mp3"):
        (tmp_path / name).touch()
    contents = (
        b"file:///music/a%20b%23.mp3\nFILE://localhost/c.mp3\n"
        b"jazz\\a.mp3\nwith\\back.mp3\nno\\such.mp3\nhttp://example.org/d.mp3"
    )
    assert read_playlist(write(tmp_path, contents)) == [
        "/music/a b#.mp3",
        "/c.mp3",
        str(tmp_path / "jazz/a.mp3"),
        str(tmp_path / r"with\back.mp3"),
        str(tmp_path / r"no\such.mp3"),
        f"{tmp_path}/http://example.org/d.mp3",
    ]


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX")
def test_a_list_has_any_names():
    contents = b"\xef\xbb\xbf#1 hit.mp3\r\n no\xff utf-8.mp3\n\n./-\n"
    names = ["#1 hit.mp3", os.fsdecode(b" no\xff utf-8.mp3"), "./-"]
    assert parse_list(contents, "The list") == names


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "names no file"),
        (b"\n\r\n", "names no file"),
        (b"RIFF\0\0WAVE", "is no text: it holds zero bytes"),
        (b"a\n" * (1 << 25) + b"a", "is larger than 64 MiB"),
    ],
    ids=["empty", "blank", "sound", "large"],
)
def test_what_is_no_list(tmp_path, contents, message):
    with pytest.raises(ValueError, match=f"^The list {message}"):
        parse_list(contents, "The list")
    with pytest.raises(ValueError, match=rf"^The playlist '.*it\.m3u' {message}"):
        read_playlist(write(tmp_path, contents))


def test_comments_alone_name_no_file(tmp_path):
    with pytest.raises(ValueError, match="names no file"):
        read_playlist(write(tmp_path, b"#EXTM3U\n#EXTINF:-1,a\n"))


def test_a_playlist_is_read_as_it_was_written(tmp_path):
    songs = [str(tmp_path / name) for name in ("a #1.mp3", "b\u3000é.mp3", "..", "c;")]
    text = io.StringIO()
    entries = [
        Entry(song, "R&B\n/etc/passwd" if i else "") for i, song in enumerate(songs)
    ]
    assert write_playlist(entries, text) == []
    path = write(tmp_path, text.getvalue().encode(), "it.m3u8")
    assert read_playlist(path) == list(map(os.path.abspath, songs))


@pytest.mark.parametrize("name", ["a\nb.mp3", "a\u2028b.mp3", "a\udcff.mp3"], ids=ascii)
def test_names_that_a_playlist_can_not_hold(name):
    text = io.StringIO()
    (error,) = write_playlist([Entry(name), Entry("good.mp3")], text)
    assert "can't be in a playlist" in error
    assert text.getvalue().splitlines() == [
        *("#EXTM3U", "#EXTINF:-1,good", os.path.abspath("good.mp3"))
    ]


@pytest.mark.parametrize(
    "titles",
    [
        ["rock", "Rock", "ROCK 2", "ROCK"],
        ["../../etc/passwd", "a/b", "a\\b", "", ".", "..", " "],
        ["CON", "lpt1", "nul.txt", "console"],
        ["音" * 300, "音" * 299, "a\nb", "a\0b", "x\udcff"],
    ],
    ids=["case", "folders", "devices", "odd"],
)
def test_names_of_playlists_are_safe_and_differ(titles, tmp_path):
    names = file_names(titles)
    assert [*names] == titles
    assert len({name.casefold() for name in names.values()}) == len(titles)
    for name in names.values():
        (tmp_path / name).touch(exist_ok=False)
        assert (tmp_path / name).parent == tmp_path and not name.startswith(".")


@pytest.mark.parametrize("name", ["a.m3u8", "a.m3u"])
def test_more_paths_than_any_library_has_are_refused_before_they_are_looked_up(
    tmp_path, name
):
    (tmp_path / name).write_bytes(b"a\n" * 1_000_001)
    with pytest.raises(ValueError, match="more than 1000000 paths. Split it"):
        read_playlist(tmp_path / name)
