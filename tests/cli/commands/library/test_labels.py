"""``train`` and ``evaluate`` with genres and artists from the tags of files."""

import json

import numpy as np
import pytest
from music_library import music, write_track
from typer.testing import CliRunner

from skgenre.cli import app
from skgenre.cli._commands._library._labels import some_tracks
from skgenre.datasets import load_audio_folder, make_genre_clips
from skgenre.persistence import read_info

PITCHES = {"Hip-Hop": 110, "Jazz": 1760}


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Two genres by three artists each, one by a single artist, and other files."""
    folder = tmp_path_factory.mktemp("library")
    rng = np.random.default_rng(0)
    for genre, pitch in PITCHES.items():
        for artist in range(3):
            for i in range(2):
                name = f"{genre} {artist}"
                path = folder / name / "Album" / f"{i}.flac"
                tags = {"genre": [genre.lower() if i else genre], "artist": [name]}
                write_track(path, music(rng, pitch), **tags)
    for i in range(5):
        write_track(folder / f"polka{i}.flac", genre=["Polka"], artist=["Only One"])
    write_track(folder / "untagged.flac")
    write_track(folder / "junk.flac", genre=["Other"])
    (folder / "broken.mp3").write_text("no music")
    return folder


@pytest.fixture(scope="module")
def trained(library, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "it.model"
    command = ["train", library, "--labels", "tags", "--model", "baseline", "-o", path]
    result = invoke(*command, "--test-size", 0.4)
    assert result.exit_code == 0, result.output
    return path, " ".join(result.stderr.split())


def test_that_no_tag_names_a_genre_is_said_once(tmp_path):
    write_track(tmp_path / "junk.flac", genre=["Other"])
    (tmp_path / "broken.mp3").write_text("no music")
    result = invoke("train", tmp_path, "--labels", "tags", "--model", "baseline")
    assert result.exit_code == 1
    news = " ".join(result.stderr.split())
    assert news.count(" genre in its tags") == 1 and "tracks have a genre" not in news
    assert "1 of 2 files can't be read" in news
    assert "Taken for no genre: 'Other'." in news


def test_some_tracks_of_a_folder(tmp_path):
    # As the demo does: what a loader returns, not what labelled_tracks makes of it.
    make_genre_clips(4, duration=1, random_state=0, folder=tmp_path / "music")
    tracks = load_audio_folder(tmp_path / "music")
    chosen = some_tracks(tracks, np.array([2, 0]))
    assert chosen.target.tolist() == tracks.target[[2, 0]].tolist()
    assert chosen.genres.tolist() == [[genre] for genre in chosen.target]
    assert chosen.target_names.tolist() == sorted(chosen.target)


def test_train_reports_what_the_tags_were_taken_for(trained):
    path, messages = trained
    assert (
        "Tags: 17 of 20 tracks have a genre, by 7 artists. The other 3 are" in messages
    )
    assert "'hip-hop' is 'Hip-Hop'" in messages and "'jazz' is 'Jazz'" in messages
    assert "Taken for no genre: 'Other'." in messages
    assert "fewer than 5 tracks by 2 artists: Polka (5 by 1)." in messages
    assert "Warning: 1 of 20 files can't be read: " in messages
    assert "broken.mp3" in messages and "_labels.py" not in messages
    info = read_info(path)
    assert info["genres"] == ["Hip-Hop", "Jazz"]
    assert info["metrics"]["protocol"].startswith("clips of held-out artists")
    assert info["metrics"]["n_clips"] == 4  # two artists, with both of their songs


def test_evaluate_spells_genres_as_the_model_does(trained, library, tmp_path):
    path, _ = trained
    other = tmp_path / "library"
    rng = np.random.default_rng(1)
    for i in range(2):
        tags = {"genre": ["HIP HOP"], "artist": ["New"]}
        write_track(other / f"{i}.flac", music(rng, PITCHES["Hip-Hop"]), **tags)
    tags = {"genre": ["jazz"], "artist": ["Newer"]}
    write_track(other / "2.flac", music(rng, PITCHES["Jazz"]), **tags)
    command = ["evaluate", path, other, "--labels", "tags", "--format", "json"]
    result = invoke(*command)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["n_clips"], found["n_artists"], found["accuracy"]) == (3, 2, 1.0)


def test_folders_of_artists_are_warned_of_with_the_option_to_use(library, tmp_path):
    command = ["train", library, "--model", "baseline", "-o", tmp_path / "it.model"]
    messages = " ".join(invoke(*command).stderr.split())
    assert "look like artists, not genres" in messages and "`--labels tags`" in messages


def test_refusals(library, trained, tmp_path):
    model, _ = trained
    write_track(tmp_path / "one" / "a.flac", genre=["Rock"], artist=["A"])
    write_track(tmp_path / "none" / "a.flac")
    table = tmp_path / "tracks.csv"
    table.write_text("path,genre\n")
    for source, match in (
        (tmp_path / "one", "At least two genres are needed with 5 tracks by 2 artists"),
        (tmp_path / "none", "has a genre in its tags"),
        (table, "is no folder"),
        (tmp_path / "nowhere", "There is no folder"),
    ):
        output = tmp_path / "new.model"
        result = invoke("train", source, "--labels", "tags", "-o", output)
        assert result.exit_code == 1
        assert match in " ".join(result.stderr.split())
        assert not output.exists()
    result = invoke("evaluate", table, library, "--labels", "tags")
    assert result.exit_code == 1 and "is not a model file" in result.stderr


def test_rare_genres_count_as_those_above(library, tmp_path):
    tree = tmp_path / "tree.json"
    tree.write_text('{"Jazz": ["polka", "Bebop"]}')
    path = tmp_path / "it.model"
    options = ["--labels", "tags", "--model", "baseline", "--test-size", 0]
    result = invoke("train", library, *options, "--genre-tree", tree, "-o", path)
    assert result.exit_code == 0, result.output
    messages = " ".join(result.stderr.split())
    assert "Rare genres count as those above: Polka as Jazz (5)." in messages
    assert "Genres left out" not in messages
    assert read_info(path)["genres"] == ["Hip-Hop", "Jazz"]
    result = invoke("train", library, *options, "--genre-tree", path, "-o", "b.model")
    assert result.exit_code == 1 and "must end in .csv" in result.stderr
