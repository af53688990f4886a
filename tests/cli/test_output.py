"""Results of commands in files."""

import json
import os

import numpy as np
import pytest
import soundfile
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

from skgenre import MFCCStandardizer, save
from skgenre.cli import app
from skgenre.datasets._library._playlists import read_playlist


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    seconds = np.arange(8000) / 16000
    rng = np.random.default_rng(0)
    for i in range(6):
        tone = 0.3 * np.sin(2 * np.pi * (150 if i % 2 else 900) * seconds)
        soundfile.write(folder / f"{i}.wav", tone + rng.normal(0, 0.1, 8000), 16000)
    (folder / "broken.mp3").write_text("no music")
    return folder


@pytest.fixture(scope="module")
def model(music, tmp_path_factory):
    pipeline = make_pipeline(MFCCStandardizer(n_mfcc=4), GaussianNB())
    path = tmp_path_factory.mktemp("models") / "it.model"
    songs = [str(music / f"{i}.wav") for i in range(6)]
    save(pipeline.fit(songs, ["high/up", "low"] * 3), path)
    return path


def invoke(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.mark.parametrize("file_format", ["table", "csv", "json"])
def test_a_file_has_what_would_be_printed(model, music, tmp_path, file_format):
    command = "predict", model, music, "--format", file_format
    printed = invoke(*command)
    target = tmp_path / "it.txt"
    target.write_text("old")
    written = invoke(*command, "-o", target)
    assert (printed.exit_code, written.exit_code) == (1, 1)
    assert target.read_text() == printed.stdout and not written.stdout
    assert "broken.mp3" in written.stderr


def test_a_playlist_for_each_predicted_genre(model, music, tmp_path):
    found = json.loads(invoke("predict", model, music, "--format", "json").stdout)
    genres = {p["path"]: p["genres"][0]["genre"] for p in found if "genres" in p}
    result = invoke("predict", model, music, "--format", "m3u", "-o", tmp_path / "it")
    assert result.exit_code == 1 and not result.stdout
    high = read_playlist(tmp_path / "it" / "high_up.m3u8")
    low = read_playlist(tmp_path / "it" / "low.m3u8")
    assert dict.fromkeys(high, "high/up") | dict.fromkeys(low, "low") == genres
    printed = invoke("predict", model, music, "--format", "m3u").stdout
    assert [line for line in printed.splitlines() if line[0] != "#"] == high + low


def test_what_is_read_is_not_replaced(model, music, tmp_path):
    (tmp_path / "list.txt").write_text(f"{music}\n")
    os.symlink(model, tmp_path / "link")
    before = model.read_bytes()
    for output in (model, tmp_path / "link", music / "0.wav"):
        result = invoke("predict", model, music, "--output", output)
        assert result.exit_code == 1 and "would replace what is to be read" in (
            " ".join(result.stderr.split())
        )
    lists = tmp_path / "list.txt"
    assert invoke("scan", "--from-file", lists, "-o", lists).exit_code == 1
    assert lists.read_text() == f"{music}\n" and model.read_bytes() == before


@pytest.mark.parametrize("read", ["playlist", "list", "link", "playlist in a list"])
def test_a_playlist_that_is_read_is_not_replaced_in_a_folder(
    model, music, tmp_path, read
):
    lists = tmp_path / "lists"
    lists.mkdir()
    songs = tmp_path / "low.m3u8" if read == "link" else lists / "low.m3u8"
    songs.write_text(contents := f"{music / '0.wav'}\n{music / '1.wav'}\n")
    named = [songs]
    if read == "link":
        os.symlink(songs, lists / "low.m3u8")
    if read == "list":
        named = ["--from-file", songs]
    if read == "playlist in a list":
        (tmp_path / "list.txt").write_text(f"{songs}\n")
        named = ["--from-file", tmp_path / "list.txt"]
    result = invoke("predict", model, *named, "--format", "m3u", "-o", lists)
    assert result.exit_code == 1
    assert "may replace 'low.m3u8' in it, which is to be read" in (
        " ".join(result.stderr.split())
    )
    assert songs.read_text() == contents


def test_a_playlist_that_a_list_names_is_not_replaced(music, tmp_path):
    songs = tmp_path / "songs.m3u"
    songs.write_text(contents := f"{music / '0.wav'}\n")
    (tmp_path / "list.txt").write_text(f"{songs}\n")
    result = invoke("scan", "--from-file", tmp_path / "list.txt", "-o", songs)
    assert "would replace what is to be read" in " ".join(result.stderr.split())
    assert songs.read_text() == contents


def test_songs_are_not_replaced(model, tmp_path):
    (tmp_path / "library").mkdir()
    song = tmp_path / "library" / "Song.MP3"
    song.write_text("music")
    library = song.parent
    for command in (
        ("train", library, "-o", song),
        ("train", library, "--labels", "tags", "-o", song),
        ("evaluate", model, library, "--report", song),
        ("check-tags", library, "-o", song),
        ("map", model, "-o", song),
    ):
        options = ["--model", "fast"] if command[0] in ("train", "check-tags") else []
        result = invoke(*command, *options)
        assert result.exit_code == 1
        assert "would replace an audio file" in " ".join(result.stderr.split())
    assert song.read_text() == "music"
    table = tmp_path / "tracks.csv"
    table.write_text("path,genre\n")
    result = invoke("train", table, "-o", table, "--model", "fast")
    assert "would replace what is to be read" in " ".join(result.stderr.split())


def test_refusals_come_before_the_work(model, music, tmp_path):
    (tmp_path / "file").touch()
    for options, message in (
        (["-o", tmp_path / "no" / "it.csv"], "There is no folder"),
        (["-o", tmp_path], "exists and is no file"),
        (["--format", "m3u", "-o", tmp_path / "file"], "a folder is needed"),
        (["--format", "m3u", "-"], "'-' has none"),
    ):
        result = invoke("predict", model, music, *options)
        assert result.exit_code == 1
        assert message in " ".join(result.stderr.split())
        assert "broken.mp3" not in result.stderr
