"""``skgenre check-tags``: wrong tags are found, by models of other artists."""

import csv
import io
import json

import numpy as np
import pytest
import soundfile
from music_library import music, write_track
from typer.testing import CliRunner

from skgenre.cli import app

PITCHES = {"Folk": 150, "Rock": 600, "Techno": 2400}
WRONG = {"Folk 1/2.flac": "Techno", "Rock 0/0.flac": "Folk"}


def check(*arguments):
    command = ["check-tags", *arguments, "--model", "baseline"]
    return CliRunner().invoke(app, [str(argument) for argument in command])


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Three genres by three artists each; two wrong tags, and one with two genres."""
    folder = tmp_path_factory.mktemp("library")
    rng = np.random.default_rng(0)
    for genre, pitch in PITCHES.items():
        for artist in range(3):
            for i in range(4):
                name = f"{genre} {artist}/{i}.flac"
                tags = [WRONG.get(name, genre)]
                if name == "Techno 2/3.flac":
                    tags = ["Rock", "Techno"]
                texts = {"genre": tags, "artist": [f"{genre} {artist}"]}
                write_track(folder / name, music(rng, pitch), **texts, album=["One"])
    return folder


def test_wrong_tags_are_found_and_no_file_is_changed(library, tmp_path):
    before = {path: path.read_bytes() for path in library.rglob("*.flac")}
    page = tmp_path / "page.html"
    result = check(library, "--format", "json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {track["path"]: track["tag"] for track in found} == {
        str(library / name): tag for name, tag in WRONG.items()
    }
    for track in found:
        assert track["artist"].startswith(track["genre"].lower())
        assert track["of_tag"] < track["confidence"] <= 1
    assert found[0]["confidence"] >= found[1]["confidence"]
    assert "2 of 36 tags look wrong" in result.stderr
    assert "agree with 94% of them" in result.stderr  # with "Rock; Techno", too
    result = check(library, "--format", "html", "-o", page)
    assert result.exit_code == 0 and not result.stdout
    text = page.read_text(encoding="utf-8")
    assert "trained on the tags of other artists" in text and "One" in text
    assert {path: path.read_bytes() for path in library.rglob("*.flac")} == before


def test_table_and_csv(library, tmp_path, monkeypatch):
    opened, init = [], soundfile.SoundFile.__init__

    def counting_init(self, *args, **kwargs):
        opened.append(args)
        init(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(soundfile.SoundFile, "__init__", counting_init)
        result = check(library, "--format", "csv")
    assert len(opened) == 36  # each file once, for all folds
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {row["tag"] for row in rows} == set(WRONG.values())
    assert check(library, "--min-confidence", 1).stdout == ""
    assert check(library, "-o", tmp_path / "it.txt").stdout == ""
    table = (tmp_path / "it.txt").read_text(encoding="utf-8")
    assert "Sounds like" in table and "Folk 1/2.flac" in table


def test_an_artist_is_predicted_from_others_alone(tmp_path):
    """Folk that sounds more like rock than like other folk, and like itself most."""
    rng = np.random.default_rng(0)
    pitches = {"Folk 0": 150, "Folk 1": 150, "Rock 0": 2400, "Rock 1": 2400}
    for artist, pitch in (pitches | {"Folk odd": 1500}).items():
        for i in range(5):
            tags = {"genre": [artist[:4]], "artist": [artist]}
            write_track(tmp_path / artist / f"{i}.flac", music(rng, pitch), **tags)
    result = check(tmp_path, "--format", "json")
    assert result.exit_code == 0, result.output
    assert "agree with 80% of them" in result.stderr  # all but the odd one's


def test_tracks_without_others_of_their_genre_are_told(tmp_path):
    """Of the five waltzes, one artist has four: his have but one to be learnt from."""
    rng = np.random.default_rng(0)
    artists = {"Folk 0": 3, "Folk 1": 3, "Rock 0": 3, "Rock 1": 3, "Waltz 0": 4}
    for artist, n_tracks in (artists | {"Waltz 1": 1}).items():
        for i in range(n_tracks):
            tags = {"genre": [artist[:-2]], "artist": [artist]}
            pitch = {"F": 150, "R": 2400, "W": 600}[artist[0]]
            write_track(tmp_path / artist / f"{i}.flac", music(rng, pitch), **tags)
    result = check(tmp_path, "--format", "json")
    assert result.exit_code == 0, result.output
    assert "4 tracks are not checked" in result.stderr
    assert "of 13 tags look wrong" in result.stderr


def test_broken_files_are_named(library, tmp_path):
    for artist in library.iterdir():
        (tmp_path / artist.name).symlink_to(artist)
    broken = tmp_path / "broken.flac"
    write_track(broken, genre=["Rock"], artist=["New"])
    broken.write_bytes(broken.read_bytes()[:600])  # tags and no sound
    result = check(tmp_path, "--format", "json")
    assert result.exit_code == 1
    assert result.stderr.count("Left out:") == result.stderr.count("broken.flac") == 1
    assert len(json.loads(result.stdout)) == len(WRONG)


def test_refusals(tmp_path):
    for i in range(5):
        for genre in ("Rock", "Folk"):
            tags = {"genre": [genre], "artist": ["The Same"]}
            write_track(tmp_path / f"{genre}{i}.flac", **tags)
    result = check(tmp_path)
    assert result.exit_code == 1
    assert "5 tracks by 2 artists each" in " ".join(result.stderr.split())
    result = check(tmp_path, "-o", tmp_path / "nowhere" / "page.html")
    assert result.exit_code == 1 and "There is no folder" in result.stderr
