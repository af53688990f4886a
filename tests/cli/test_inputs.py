"""Files as shells name them: by arguments, playlists, lists and pipes."""

import json
import os
import shutil
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import soundfile
from archive_server import serve
from typer.testing import CliRunner

from skgenre.audio._remote import is_url
from skgenre.cli import app
from skgenre.cli._inputs import files_and_standard_input, files_named


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Folder with three songs; playlists name two of them, and one that is gone."""
    folder = tmp_path_factory.mktemp("music")
    (folder / "rock").mkdir()
    rng = np.random.default_rng(0)
    for name in ("a.flac", "b.flac", "rock/c ü.flac"):
        soundfile.write(folder / name, rng.normal(0, 0.1, 16000), 16000)
    (folder / "it.m3u8").write_text("#EXTM3U\nrock/c ü.flac\ngone.flac\na.flac\n")
    return folder


def scan(*arguments, **options):
    command = ["scan", *map(str, arguments), "--format", "json"]
    return CliRunner().invoke(app, command, **options)


def test_a_playlist_stands_for_its_entries(music):
    result = scan(music / "it.m3u8")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    names = [os.path.relpath(row["path"], music) for row in report]
    assert names == ["gone.flac", "a.flac", "rock/c ü.flac"]
    assert [row["status"] for row in report] == ["error", "ok", "ok"]
    assert "no such file" in report[0]["cause"]


def test_a_list_is_as_arguments_are(music, monkeypatch):
    monkeypatch.chdir(music)
    (music / "list.txt").write_text("b.flac\nrock\nit.m3u8\nlost.flac\n")
    expected = ["gone.flac", "lost.flac", "a.flac", "b.flac", "rock/c ü.flac"]
    for result in (
        scan("--from-file", "list.txt"),
        scan("--from-file", "-", input=(music / "list.txt").read_bytes()),
        scan("b.flac", "rock", "it.m3u8", "lost.flac"),
        scan("it.m3u8", "--from-file", "list.txt"),
    ):
        found = [row["path"] for row in json.loads(result.stdout)]
        assert sorted(found) == sorted(expected)


def test_an_address_is_refused_with_what_to_do():
    result = scan("https://example.org/song.mp3")
    assert result.exit_code == 1
    assert "is an address" in result.stderr and "Download the" in result.stderr


@pytest.mark.parametrize("name", ["radio.m3u", "list.txt", "-"])
def test_what_a_list_names_is_never_fetched(music, tmp_path, monkeypatch, name):
    # In the current folder, whose own name is not before those of its files.
    monkeypatch.chdir(tmp_path)
    with serve(music) as server:
        url = f"{server.url}a.flac"
        local = (music / "a.flac").as_uri()
        lines = [url, url.upper(), f"simplecache::{url}", f"file://{url}"]
        lines += [f"file://{quote(url)}", local.replace("file", "LOCAL")]
        lines += [f"filecache::{local}", "memory://a.flac", "http:/127.0.0.1/a.flac"]
        contents = "\n".join(lines)
        (tmp_path / name).write_text(contents)
        named = [name] if name == "radio.m3u" else ["--from-file", name]
        result = scan(*named, input=contents if name == "-" else None)
        assert not server.requests
    causes = [row["cause"] for row in json.loads(result.stdout)]
    assert set(causes) == {"there is no such file"}


def test_a_list_in_a_folder_that_is_named_like_a_protocol(music, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    song = tmp_path / "http:" / "127.0.0.1" / "a.flac"
    song.parent.mkdir(parents=True)
    shutil.copy(music / "a.flac", song)
    (tmp_path / "list.txt").write_text("http://127.0.0.1/a.flac\n")
    (found,) = files_named(None, Path("list.txt")).files
    assert os.path.samefile(found, song) and not is_url(found)


def test_a_folder_s_playlists_are_no_music(music):
    assert len(files_named([music]).files) == 3
    assert files_named([music / "no such.m3u"]).files == [str(music / "no such.m3u")]


def test_sound_and_list_can_not_both_be_the_standard_input():
    with pytest.raises(ValueError, match="can't be both a sound file"):
        files_and_standard_input(["-"], "-")


@pytest.mark.parametrize("command", ["scan", "tag"])
def test_nothing_is_named(command):
    result = CliRunner().invoke(app, [command])
    assert result.exit_code == 2
    assert "Name audio files, folders or playlists" in result.stderr


def test_errors_are_one_clear_line(music, tmp_path):
    (tmp_path / "empty.txt").touch()
    for arguments, message in (
        (["--from-file", tmp_path / "empty.txt"], "empty.txt' names no file"),
        (["--from-file", music / "a.flac"], "is no text"),
        (["--from-file", "/no/such/list"], "/no/such/list"),
        (["--from-file", tmp_path], "Is a directory"),
    ):
        result = scan(*arguments)
        assert result.exit_code == 1
        assert message in result.stderr.replace("\n", "")
        assert "Traceback" not in result.output and not result.stdout


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX")
def test_find_pipes_names_that_are_not_unicode(music, tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff.flac"
    os.symlink(os.fsencode(music / "a.flac"), name)
    result = scan("--from-file", "-", input=name + b"\n")
    assert result.exit_code == 0, result.output
    assert "1 of 1 files can be read" in result.stderr
