import os
from pathlib import Path

import pytest

from skgenre.datasets import find_audio_files
from skgenre.datasets._audio_files import audio_files_below, is_audio


def touch(folder, *names):
    for name in names:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.mp3", True), ("A.FLAC", True), ("a.b.m4a", True), ("a.Opus", True)]
    + [("a.jpg", False), ("mp3", False), ("._a.mp3", False), (".mp3", False)],
)
def test_is_audio(name, expected):
    assert is_audio(name) is expected


def test_files_at_any_depth_sorted_without_hidden_ones(tmp_path):
    touch(tmp_path, "z.wav", "b/c/d.mp3", "b/.e.mp3", ".f/g.mp3", "b/cover.jpg")
    names = [os.path.relpath(p, tmp_path) for p in audio_files_below(str(tmp_path))]
    assert names == [os.path.join("b", "c", "d.mp3"), "z.wav"]


def test_links_are_followed_but_not_in_circles(tmp_path):
    touch(tmp_path, "elsewhere/song.mp3", "music/own.mp3")
    (tmp_path / "music" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "music" / "self").symlink_to(tmp_path / "music")
    (tmp_path / "elsewhere" / "up").symlink_to(tmp_path)
    found = audio_files_below(str(tmp_path / "music"))
    assert {Path(p).name for p in found} == {"own.mp3", "song.mp3"}
    assert len(found) == 2
    inside = audio_files_below(str(tmp_path / "elsewhere"), root=str(tmp_path))
    assert [Path(p).name for p in inside] == ["song.mp3"]


def test_files_and_folders_together_each_file_once(tmp_path):
    touch(tmp_path, "b.mp3", "folder/a.wav", "odd.name")
    paths = [tmp_path / "odd.name", tmp_path / "folder", tmp_path / "folder/a.wav"]
    found = find_audio_files([*paths, str(tmp_path / "b.mp3")])
    assert found == sorted(str(tmp_path / n) for n in ("b.mp3", "folder/a.wav")) + [
        str(tmp_path / "odd.name")
    ]
    assert all(type(path) is str for path in found)


def test_one_path_instead_of_a_list(tmp_path):
    touch(tmp_path, "a.mp3")
    assert find_audio_files(tmp_path) == [str(tmp_path / "a.mp3")]
    assert find_audio_files(str(tmp_path / "a.mp3")) == [str(tmp_path / "a.mp3")]


def test_refusals(tmp_path):
    touch(tmp_path, "a.mp3", "empty/cover.jpg")
    with pytest.raises(FileNotFoundError, match=r"no file or folder '.*nothing'"):
        find_audio_files([tmp_path / "nothing"])
    with pytest.raises(ValueError, match=r"No audio files in '.*empty'.*\.mp3"):
        find_audio_files([tmp_path / "empty"])
    with pytest.raises(ValueError, match="an empty list"):
        find_audio_files([])
    with pytest.warns(UserWarning, match=r"No audio files in '.*empty'"):
        find_audio_files([tmp_path / "a.mp3", tmp_path / "empty"])


def test_urls_of_folders_and_songs():
    fs = pytest.importorskip("fsspec").filesystem("memory")
    for name in ("b.mp3", "x/a.FLAC", "x/.c.mp3", ".y/d.mp3", "e.txt"):
        fs.pipe_file(f"/music/{name}", b"x")
    try:
        files = find_audio_files(["memory://music", "memory://else/song.mp3"])
        with pytest.raises(FileNotFoundError, match="memory://none"):
            find_audio_files("memory://none")
    finally:
        fs.store.clear()
    assert files == [
        "memory://else/song.mp3",
        "memory://music/b.mp3",
        "memory://music/x/a.FLAC",
    ]
