import csv
import io
import json

import numpy as np
import pytest
import soundfile
import typer
from music_library import write_track
from published_weights import needs_weights
from typer.testing import CliRunner

from skgenre import GenreTagger
from skgenre.classifiers._tagging._tag_genres import GENRES
from skgenre.cli import app
from skgenre.datasets._library._playlists import read_playlist


def invoke(*arguments):
    command = ["tag", *(str(argument) for argument in arguments)]
    return CliRunner().invoke(app, command)


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Three songs of 4 s, and a file that is none."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    t = np.arange(4 * 22050) / 22050
    for i, pitch in enumerate((110, 440, 1760)):
        clip = 0.3 * np.sin(2 * np.pi * pitch * t) + rng.normal(0, 0.02, len(t))
        soundfile.write(folder / f"{i}.flac", clip, 22050)
    (folder / "broken.mp3").write_text("no music")
    return folder


@pytest.fixture(scope="module")
def songs(music):
    return [str(music / f"{i}.flac") for i in range(3)]


@needs_weights
def test_json_has_what_the_tagger_predicts(music, songs):
    result = invoke(music, "--format", "json", "--top", 2)
    assert result.exit_code == 1
    tagged = {song["path"]: song for song in json.loads(result.stdout)}
    tagger = GenreTagger()
    probabilities = tagger.predict_proba(songs)
    for i, path in enumerate(songs):
        assert tagged[path]["genre"] == tagger.predict([path])[0]
        assert tagged[path]["confidence"] == round(probabilities[i].max(), 4)
        expected = [name for name, _ in tagger.top_tags([path], 2)[0]]
        assert [pair["tag"] for pair in tagged[path]["tags"]] == expected
    broken = str(music / "broken.mp3")
    assert "Cannot read" in tagged[broken]["error"]
    assert result.stderr.count("broken.mp3") == 1


@needs_weights
def test_silence_has_a_note_and_no_genre(songs, tmp_path):
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(5 * 16000), 16000)
    result = invoke(songs[0], silent, "--format", "json")
    assert result.exit_code == 0, result.output
    song, silence = json.loads(result.stdout)
    assert "genre" in song and "note" not in song
    assert silence.keys() == {"path", "status", "note"}
    assert (song["status"], silence["status"]) == ("ok", "silent")
    assert "silent.wav" in result.stderr
    result = invoke(silent, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert not row["genre"] and row["status"] == "silent" and row["note"]


@needs_weights
def test_csv_and_table(music, songs):
    genres = ("--genres", "Klassik, Rock,pop", "--min-confidence", 1)
    result = invoke(*songs, *genres, "--format", "csv")
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["path"] for row in rows] == songs
    assert {row["genre"] for row in rows} == {"unknown"}
    assert all(row["tags"].count(";") == 4 and not row["error"] for row in rows)
    result = invoke(*songs, "--genres", "Klassik,Rock")
    assert result.exit_code == 0
    assert "Klassik" in result.stdout or "Rock" in result.stdout


@needs_weights
def test_a_playlist_goes_genre_by_genre(music, songs):
    result = invoke(music, "--format", "m3u")
    assert result.exit_code == 1 and "broken.mp3" not in result.stdout
    first, *lines = result.stdout.splitlines()
    assert first == "#EXTM3U" and len(lines) == 9
    assert sorted(lines[2::3]) == songs
    genres = [line.removeprefix("#EXTGENRE:") for line in lines[1::3]]
    assert genres == sorted(genres)
    assert lines[0].startswith("#EXTINF:-1,")


@needs_weights
def test_a_playlist_for_each_genre(music, songs, tmp_path):
    folder = tmp_path / "new" / "lists"
    result = invoke(music, "--format", "m3u", "--output", folder)
    assert result.exit_code == 1 and not result.stdout
    tagger = GenreTagger()
    predicted = tagger.predict(songs)
    for genre in {*predicted}:
        listed = read_playlist(folder / f"{genre}.m3u8")
        assert {*listed} == {
            s for s, g in zip(songs, predicted, strict=True) if g == genre
        }
        confidence = tagger.predict_proba(listed).max(axis=1)
        assert (np.diff(confidence) <= 0).all()
    assert len([*folder.iterdir()]) == len({*predicted})


@needs_weights
def test_timeline(music, songs):
    result = invoke(music, "--timeline", "--format", "json", "--genres", "rock,jazz")
    assert result.exit_code == 1
    tagged = {song["path"]: song for song in json.loads(result.stdout)}
    for path in songs:
        (window,) = tagged[path]["windows"]
        assert (window["start"], window["end"]) == (0, 2.99)
        assert window["genre"] in ("rock", "jazz") and 0.5 <= window["confidence"] <= 1
    assert "Cannot read" in tagged[str(music / "broken.mp3")]["error"]
    result = invoke(*songs, "--timeline", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["path"] for row in rows] == songs
    assert "0:03.0" in invoke(*songs, "--timeline").stdout


@needs_weights
def test_silence_has_a_note_and_no_timeline(songs, tmp_path):
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(5 * 16000), 16000)
    result = invoke(songs[0], silent, "--timeline", "--format", "json")
    assert result.exit_code == 0, result.output
    song, silence = json.loads(result.stdout)
    assert (song["status"], silence["status"]) == ("ok", "silent")
    assert "windows" in song and silence.keys() == {"path", "status", "note"}
    assert "silent.wav' is silent: no sample is above -60 dB" in result.stderr
    result = invoke(silent, "--timeline", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert not row["genre"] and row["status"] == "silent" and row["note"]
    assert "silent" in invoke(silent, "--timeline").stdout.split("silent.wav")[1]


@needs_weights
@pytest.mark.parametrize("options", [[], ["--timeline"]], ids=["song", "timeline"])
def test_no_file_is_left_where_all_have_a_genre(tmp_path, options):
    write_track(tmp_path / "a.mp3", genre=["Jazz"])
    result = invoke(tmp_path, "--missing-only", "--format", "json", *options)
    assert result.exit_code == 0 and json.loads(result.stdout) == []


def test_the_help_names_the_genres():
    command = typer.main.get_command(app).commands["tag"]
    (genres,) = (option for option in command.params if option.name == "genres")
    assert genres.show_default == ", ".join(GENRES)


def test_refusals(music, no_weights):
    for arguments, match in (
        (("--genres", "rock,polka"), "'polka', and the genres to choose from are"),
        (("--genres", "rock"), "at least 2 genres"),
        (("--timeline", "--format", "m3u"), "A playlist has no timeline"),
        ((), "Get them by `skgenre weights`"),
    ):
        result = invoke(music, *arguments)
        assert result.exit_code == 1
        assert match in " ".join(result.stderr.split())
        assert not result.stdout


@needs_weights
def test_a_saved_tagger_is_a_model(music, songs, tmp_path):
    from skgenre import save

    save(GenreTagger(["rock", "jazz"]), tmp_path / "tagger.model")
    command = ["predict", tmp_path / "tagger.model", music, "--format", "json"]
    result = CliRunner().invoke(app, [str(each) for each in command])
    assert result.exit_code == 1
    tagged = {song["path"]: song for song in json.loads(result.stdout)}
    assert "error" in tagged[str(music / "broken.mp3")]
    assert tagged[songs[0]]["genres"][0]["genre"] in ("rock", "jazz")
