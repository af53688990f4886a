"""The commands on one library, as people have them, with musicnn's real weights."""

import csv
import json
import os

import numpy as np
import pytest
from music_library import DAMAGED, make_music_library
from typer.testing import CliRunner

from skgenre.audio._array_store import usage
from skgenre.cli import app
from skgenre.datasets import make_genre_clips
from skgenre.datasets._library._playlists import read_playlist
from skgenre.features._pretrained._musicnn_weights import has_weights


def invoke(*arguments, exit_code):
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == exit_code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.mark.slow
@pytest.mark.skipif(not has_weights(), reason="no weights of musicnn")
def test_one_extraction_serves_all_commands(tmp_path):
    library, cache = tmp_path / "library", tmp_path / "cache"
    tracks = make_music_library(library)
    make_genre_clips(
        12,
        ["ambient", "techno", "rock"],
        duration=4,
        random_state=0,
        folder=library / "Synthetic",
    )
    for path in library.rglob("1? Song *"):
        path.unlink()  # there are enough
    tracks = [track for track in tracks if os.path.exists(track.path)]
    synthetic = [*map(str, (library / "Synthetic").rglob("*.flac"))]
    readable = (t.path for t in tracks if os.path.basename(t.path) not in DAMAGED)
    good = {*readable, *synthetic}
    options = "--cache-dir", cache

    def computed():
        return sum(kind.n_arrays for kind in usage(cache))

    tagged = tmp_path / "tagged.csv"
    invoke("tag", library, *options, "--format", "csv", "-o", tagged, exit_code=1)
    with open(tagged, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["path"] for row in rows if row["genre"]} == good
    assert sum(bool(row["error"]) for row in rows) == len(DAMAGED)
    n_computed = computed()
    assert n_computed > 20

    lists = tmp_path / "lists"
    command = "cluster", library, "-k", 4, *options
    found = invoke(*command, "--format", "m3u", "-o", lists, exit_code=1)
    assert "Silhouette" in found.stderr and "half a download.mp3" in found.stderr
    listed = [path for each in lists.iterdir() for path in read_playlist(each)]
    assert len(listed) == len(good) and {*listed} == good
    assert len([*lists.iterdir()]) == 4

    page = tmp_path / "map.html"
    invoke("map", lists / min(os.listdir(lists)), *options, "-o", page, exit_code=0)
    invoke("map", library, *options, "--color", "tags", "-o", page, exit_code=1)
    text = page.read_text(encoding="utf-8")
    assert text.count("</title></path>") == len(good)
    assert "Björk Jónsdóttir" in text and "<bdi>Jazz</bdi>" in text

    techno = min(path for path in synthetic if "techno" in path)
    among = "--among", library, *options, "--format", "json"
    near = json.loads(invoke("similar", techno, *among, "-k", 3, exit_code=1).stdout)
    assert all("techno" in song["path"] for song in near)
    ella = [track.path for track in tracks if track.artist == "Ella Blue"]
    for flag, is_left_out in (("--other-artists", True), ("--same-artist", False)):
        result = invoke("similar", ella[0], *among, "-k", 150, flag, exit_code=1)
        paths = {song["path"] for song in json.loads(result.stdout)}
        assert (not paths & {*ella}) == is_left_out

    rock = min(path for path in synthetic if "rock" in path)
    songs = json.loads(
        invoke("path", techno, rock, *among, "-k", 5, exit_code=1).stdout
    )
    assert (songs[0]["path"], songs[-1]["path"]) == (techno, rock)
    assert len(songs) == 5 and np.diff([s["distance"] for s in songs[:2]]) > 0
    assert computed() == n_computed


@pytest.mark.skipif(not has_weights(), reason="no weights of musicnn")
@pytest.mark.parametrize("command", ["map", "cluster"])
def test_why_there_are_too_few_songs(command, tmp_path):
    (tmp_path / "text.mp3").write_text("no music")
    files = tmp_path / "text.mp3", tmp_path / "nowhere.mp3"
    result = invoke(command, *files, exit_code=1)
    assert "songs with music, and there are 0" in result.stderr
    for name, why in (("text", "no decoder reads it"), ("nowhere", "there is no such")):
        assert f"{name}.mp3': {why}" in " ".join(result.stderr.split())


def test_what_is_no_number_of_clusters():
    for value in ("1", "many", "-3"):
        result = invoke("cluster", ".", "-k", value, exit_code=2)
        assert "is neither 'auto' nor a number from 2 on" in " ".join(
            result.stderr.replace("│", "").split()
        )


def test_without_weights(no_weights, tmp_path):
    song = tmp_path / "song.mp3"
    song.touch()
    for command in ("cluster", "map"):
        result = invoke(command, song, exit_code=1)
        assert "Get them by `skgenre weights`" in " ".join(result.stderr.split())
