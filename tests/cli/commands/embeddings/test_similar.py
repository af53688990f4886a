"""`skgenre similar`, as a shell runs it, on real files."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mutagen.flac import FLAC
from rich.console import Console
from sklearn.metrics.pairwise import cosine_distances
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from typer.testing import CliRunner

from skgenre import (
    CRNNClassifier,
    GenreTagger,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    save,
)
from skgenre.cli import app
from skgenre.cli._commands._embeddings._index import LibraryIndex
from skgenre.cli._commands._embeddings._similar import similar_songs
from skgenre.cli._commands._embeddings._songs import (
    Embedded,
    Embedder,
    _add_embeddings,
    tag_embedding,
)
from skgenre.datasets import load_audio_folder
from skgenre.datasets._library._playlists import read_playlist
from skgenre.features._pretrained._musicnn_weights import has_weights

PITCHES = {"low": 110, "high": 1760}


def invoke(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


def similar(model, *arguments):
    return invoke("similar", *arguments, "--model", model)


def recommended(*arguments, exit_code=0):
    result = similar(*arguments, "--format", "json")
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def write_song(path, pitch, rng):
    seconds = np.arange(2 * 22050) / 22050
    tone = np.sin(2 * np.pi * pitch * rng.uniform(0.9, 1.1) * seconds)
    soundfile.write(path, 0.3 * tone + rng.normal(0, 0.02, len(tone)), 22050)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Eight songs each, low and high, by two artists each; two names are odd."""
    folder = tmp_path_factory.mktemp("library")
    rng = np.random.default_rng(0)
    rows = [("path", "genre", "artist")]
    for genre, pitch in PITCHES.items():
        (folder / genre).mkdir()
        for i in range(8):
            name = f"{genre}/{i}.flac" if i else f"{genre}/ü 音 [bold].flac"
            write_song(folder / name, pitch, rng)
            rows.append((name, genre, f"{genre} {i % 2}"))
    with open(folder / "tracks.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.fixture
def library(original, tmp_path):
    shutil.copytree(original, tmp_path / "library")
    return tmp_path / "library"


@pytest.fixture(scope="module")
def model(original, tmp_path_factory):
    """Path of MFCCs and a support vector machine."""
    tracks = load_audio_folder(original)
    path = tmp_path_factory.mktemp("models") / "it.model"
    pipeline = make_pipeline(MFCCStandardizer(n_mfcc=5), SVC())
    save(pipeline.fit(tracks.paths, tracks.target), path)
    return path


def names(found):
    return [f"{Path(f['path']).parent.name}/{Path(f['path']).name}" for f in found]


def test_songs_of_the_library(model, library):
    song = library / "low" / "1.flac"
    found = recommended(model, song, "--among", library, "-k", 4, "--same-artist")
    assert len(found) == 4
    assert all(name.startswith("low/") for name in names(found))
    assert "low/1.flac" not in names(found)
    assert {f["like"] for f in found} == {str(song)}
    distances = [f["distance"] for f in found]
    assert distances == sorted(distances)


def test_the_same_artist_is_left_out_where_artists_are_known(model, library):
    liked = library / "low" / "1.flac", "--among", library, "-k", 4
    assert set(names(recommended(model, *liked))) == {
        "low/ü 音 [bold].flac",
        *(f"low/{i}.flac" for i in (2, 4, 6)),
    }
    (library / "tracks.csv").unlink()
    found = recommended(model, *liked)
    assert found == recommended(model, *liked, "--same-artist")


def test_files_that_the_table_does_not_know_and_those_that_are_gone(model, library):
    (library / "low" / "3.flac").unlink()
    write_song(library / "low" / "new.flac", 110, np.random.default_rng(1))
    song = library / "low" / "1.flac"
    found = recommended(model, song, "--among", library, "-k", 5)
    assert "low/new.flac" in names(found)
    (library / "tracks.csv").write_text("title\nsong\n")
    result = similar(model, song, "--among", library)
    assert result.exit_code == 1
    assert "needs the columns 'path' and 'genre'" in result.stderr
    recommended(model, song, "--among", library, "--same-artist")


def test_files_without_music_are_not_recommended(model, library, tmp_path):
    silence, click = library / "low" / "silence.wav", tmp_path / "click.wav"
    soundfile.write(silence, np.zeros(22050), 22050)
    soundfile.write(click, np.ones(99) / 2, 22050)
    options = "--among", library, "-k", 20, "--same-artist", "--format", "json"
    index = "--index", tmp_path / "it.npz"
    for where in ((), index, index):
        result = similar(model, library / "low" / "1.flac", *options, *where)
        assert result.exit_code == 0, result.output
        assert len(json.loads(result.stdout)) == 15
        assert "silence.wav' is silent" in result.stderr.replace("\n", "")
    for liked, why in ((silence, "silent"), (click, "too short")):
        result = similar(model, liked, *options)
        assert (result.exit_code, json.loads(result.stdout)) == (0, [])
        assert f"{liked.name}' is {why}" in result.stderr.replace("\n", "")


def test_new_songs_of_two_styles(model, library, tmp_path):
    songs = [tmp_path / f"{genre}.flac" for genre in PITCHES]
    for song, pitch in zip(songs, PITCHES.values(), strict=True):
        write_song(song, pitch, np.random.default_rng(2))
    found = recommended(model, *songs, "--among", library, "-k", 6)
    assert sum(name.startswith("low/") for name in names(found)) == 3
    assert all(Path(f["like"]).stem == Path(f["path"]).parent.name for f in found)


def test_a_copy_of_the_song_is_not_recommended(model, library, tmp_path):
    song = tmp_path / "copy.flac"
    shutil.copy(library / "low" / "1.flac", song)
    link = tmp_path / "link.flac"
    link.symlink_to(library / "low" / "1.flac")
    for liked in (song, link):
        found = recommended(model, liked, "--among", library, "-k", 12)
        assert "low/1.flac" not in names(found)


def test_formats_agree(model, library):
    arguments = model, library / "low" / "ü 音 [bold].flac", "--among", library, "-k", 3
    expected = recommended(*arguments)
    rows = csv.DictReader(io.StringIO(similar(*arguments, "--format", "csv").stdout))
    assert [{**row, "distance": float(row["distance"])} for row in rows] == expected
    table = "".join(similar(*arguments).stdout.split())
    assert "ü音[bold].flac" in table
    for found in expected:
        assert f"{found['distance']:.3f}" in table


def test_the_index_is_updated(model, library, tmp_path):
    index = tmp_path / "it.npz"
    arguments = model, library / "low" / "1.flac", "--among", library, "--index", index
    first = similar(*arguments, "--format", "csv")
    assert "Index: 16 new, 0 changed, 0 removed, 0 as they were." in first.stderr
    written = index.stat().st_mtime_ns
    again = similar(*arguments, "--format", "csv")
    assert "Index: 0 new, 0 changed, 0 removed, 16 as they were." in again.stderr
    assert again.stdout == first.stdout
    assert index.stat().st_mtime_ns == written

    (library / "high" / "2.flac").unlink()
    shutil.copy(library / "high" / "3.flac", library / "high" / "4.flac")
    write_song(library / "low" / "new.flac", 110, np.random.default_rng(1))
    (library / "low" / "broken.mp3").write_text("no music " * 100)
    third = similar(*arguments, "--format", "csv")
    assert "Index: 2 new, 1 changed, 1 removed, 14 as they were." in third.stderr
    assert third.exit_code == 1
    assert "broken.mp3" in third.stderr
    without = similar(*arguments[:-2], "--format", "csv")
    assert third.stdout == without.stdout
    fourth = similar(*arguments, "--format", "csv")
    assert "Index: 1 new, 0 changed, 0 removed, 16 as they were." in fourth.stderr


def test_an_interrupted_run_keeps_what_it_has(library, tmp_path):
    """The second chunk of 32 files is interrupted."""
    for i in range(60):
        (library / f"{i}.flac").symlink_to(library / "low" / "1.flac")
    paths = sorted(map(str, library.rglob("*.flac")))
    mfcc = MFCCStandardizer(n_mfcc=3).fit(paths[-4:])

    def embed(files):
        if wanted[32] in files:
            raise KeyboardInterrupt
        return mfcc.transform(files)

    file = tmp_path / "it.npz"
    index = LibraryIndex(library, "it", file)
    wanted, _ = index.update(paths)
    with pytest.raises(KeyboardInterrupt):
        embedder = Embedder(mfcc, "it", embed)
        _add_embeddings(index, embedder, wanted, 1, Console(stderr=True))
    wanted, counts = LibraryIndex(library, "it", file).update(paths)
    assert len(wanted) == 44
    assert counts == "44 new, 0 changed, 0 removed, 32 as they were"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--among", "/no/such/folder"], "--among must be a folder of music"),
        (["--among", __file__], "--among must be a folder of music"),
        (["--among", "{library}", "--index", "{library}/tracks.csv"], "is no index of"),
        (["--among", "{library}", "--index", "/no/such/it.npz"], "There is no folder"),
        (["--among", "{empty}"], "No audio files in"),
        (["--among", "{broken}"], "No file in"),
    ],
)
def test_errors_are_one_clear_line(model, library, tmp_path, options, message):
    for name in ("empty", "broken"):
        (tmp_path / name).mkdir()
    (tmp_path / "broken" / "song.mp3").write_text("no music")
    options = [
        option.format(
            library=library, empty=tmp_path / "empty", broken=tmp_path / "broken"
        )
        for option in options
    ]
    result = similar(model, library / "low" / "1.flac", *options)
    assert result.exit_code == 1
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_broken_and_missing_songs_are_named(model, library, tmp_path):
    broken = library / "low" / "broken.mp3"
    broken.write_text("no music")
    songs = broken, "no such song.mp3"
    result = similar(model, *songs, "--among", library, "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == []
    assert result.stderr.count("broken.mp3") == 1
    assert result.stderr.count("no such song.mp3") == 1
    good = library / "low" / "1.flac"
    found = recommended(model, good, *songs, "--among", library, exit_code=1)
    assert {f["like"] for f in found} == {str(good)}


def test_fewer_than_k_are_left(model, library):
    result = similar(model, library / "low", "--among", library, "--format", "csv")
    assert result.exit_code == 0
    assert "Only 8 of the 10 tracks asked for: there are no more" in result.stderr
    assert len(result.stdout.splitlines()) == 9


def test_another_model_is_refused(model, library, tmp_path):
    index = tmp_path / "it.npz"
    song = library / "low" / "1.flac"
    assert not similar(model, song, "--among", library, "--index", index).exit_code
    other = tmp_path / "other.model"
    tracks = load_audio_folder(library)
    pipeline = make_pipeline(MFCCStandardizer(n_mfcc=6), SVC())
    save(pipeline.fit(tracks.paths, tracks.target), other)
    result = similar(other, song, "--among", library, "--index", index)
    assert result.exit_code == 1
    assert "made with another model" in result.stderr


@pytest.mark.slow
def test_a_network(library, tmp_path):
    tracks = load_audio_folder(library)
    mel = MelSpectrogramTransformer(n_frames=40, n_mels=8)
    crnn = CRNNClassifier(
        filters=(4,), lstm_units=4, embedding_units=4, epochs=1, random_state=0
    )
    network = make_pipeline(mel, crnn).fit(tracks.paths, tracks.target)
    save(network, tmp_path / "network.model")
    song = library / "low" / "1.flac"
    found = recommended(tmp_path / "network.model", song, "--among", library, "-k", 3)
    assert len(found) == 3


def test_what_has_no_embedding(library, tmp_path):
    song = library / "low" / "1.flac"
    mel = MelSpectrogramTransformer(n_frames=40, n_mels=8).fit([str(song)])
    save(mel, tmp_path / "mel.model")
    result = similar(tmp_path / "mel.model", song, "--among", library)
    assert result.exit_code == 1
    assert "it makes arrays of shape (40, 8)" in result.stderr
    save(SVC().fit([[0], [1]], [0, 1]), tmp_path / "svc.model")
    result = similar(tmp_path / "svc.model", song, "--among", library)
    assert result.exit_code == 1
    assert "SVC makes no embedding" in result.stderr


def test_in_a_shell_with_any_file_name(model, library):
    name = os.fsencode(library) + b"/low/no\xff utf-8\x1b[31m.flac"
    os.rename(os.fsencode(library / "low" / "3.flac"), name)
    run = [sys.executable, "-m", "skgenre.cli", "similar", name, "--model", model]
    for file_format in ("csv", "table"):
        found = subprocess.run(
            [*run, "--among", library, "--format", file_format],
            env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
            capture_output=True,
        )
        assert found.returncode == 0, found.stderr
        assert "flac" in found.stdout.decode()
        assert b"\x1b[31m" not in found.stdout or file_format == "csv"


def test_songs_nearer_to_a_disliked_one_are_left_out(model, library, tmp_path):
    """Liked is a low and a high song, disliked a high one: low ones are left."""
    liked = library / "low" / "1.flac", library / "high" / "1.flac"
    disliked = tmp_path / "new.flac"
    shutil.copy(liked[1], disliked)
    options = "--among", library, "-k", 5, "--same-artist"
    found = recommended(model, *liked, *options, "--less-like", disliked)
    assert all(name.startswith("low/") for name in names(found))
    (error,) = similar(
        model, *liked, *options, "--less-like", liked[1]
    ).stderr.splitlines()
    assert "is to be both liked and disliked" in error
    gone = similar(model, *liked, *options, "--less-like", "gone.flac")
    assert gone.exit_code == 1 and "gone.flac" in gone.stderr
    assert len(gone.stdout.splitlines()) > 5


def test_artists_come_from_the_tags_where_no_table_names_them(model, library):
    (library / "tracks.csv").unlink()
    for song, artist in (("1", "The Lows"), ("2", "THE  LOWS"), ("3", "Others")):
        file = FLAC(library / "low" / f"{song}.flac")
        file["artist"] = artist
        file.save()
    arguments = library / "low" / "1.flac", "--among", library, "-k", 14
    assert "low/2.flac" in names(recommended(model, *arguments, "--same-artist"))
    found = names(recommended(model, *arguments, "--other-artists"))
    assert "low/2.flac" not in found and "low/3.flac" in found
    for path in sorted((library / "low").iterdir())[:-2]:  # all but 7 and an odd name
        file = FLAC(path)
        file["artist"] = "the lows"
        file.save()
    found = recommended(model, *arguments[:-1], 2)
    assert sorted(names(found)) == ["low/7.flac", "low/ü 音 [bold].flac"]


def test_a_library_of_one_artist_takes_few_rounds():
    rng = np.random.default_rng(0)
    embeddings = {f"{i}.mp3": rng.random(4) for i in range(500)}
    rounds = []

    class OneArtist:
        def of(self, paths):
            rounds.append(paths)
            return dict.fromkeys(paths, "the same")

    songs = Embedded(embeddings, {"0.mp3": "0.mp3"}, [])
    console = Console(stderr=True)
    found = similar_songs(
        songs, ["0.mp3"], [], k=1, artists=OneArtist(), console=console
    )
    assert found == []
    assert len(rounds) < 12 and len(set(sum(rounds, []))) == 500


def test_a_playlist_of_what_is_found(model, library, tmp_path):
    song = library / "low" / "1.flac"
    among = tmp_path / "some.m3u8"
    some = [library / genre / f"{i}.flac" for genre in PITCHES for i in (1, 2, 4, 6)]
    among.write_text("".join(f"{path}\n" for path in some))
    options = "--among", among, "-k", 3, "--same-artist"
    result = similar(
        model, song, *options, "--format", "m3u", "-o", tmp_path / "it.m3u8"
    )
    assert result.exit_code == 0, result.output
    listed = read_playlist(tmp_path / "it.m3u8")
    assert listed == [f["path"] for f in recommended(model, song, *options)]
    assert {*listed} <= {*map(str, some)}
    again = similar(model, song, "--among", tmp_path / "it.m3u8", "--format", "csv")
    assert again.exit_code == 0 and again.stdout.count(".flac") == 6


def path_of(*arguments):
    result = invoke("path", *arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_path_from_low_to_high(model, library, tmp_path):
    ends = library / "low" / "1.flac", tmp_path / "end.flac"
    write_song(ends[1], 1760, np.random.default_rng(3))
    options = "--among", library, "--model", model, "-k", 5
    found = path_of(*ends, *options)
    assert len(found) == 5
    assert (found[0]["path"], found[-1]["path"]) == tuple(map(str, ends))
    assert found[0]["distance"] == 0
    (_, direct) = path_of(*ends, "--among", library, "--model", model, "-k", 2)
    assert max(song["distance"] for song in found) <= direct["distance"]
    rows = csv.DictReader(
        io.StringIO(invoke("path", *ends, *options, "--format", "csv").stdout)
    )
    assert [{**row, "distance": float(row["distance"])} for row in rows] == found
    table = "".join(invoke("path", *ends, *options).stdout.split())
    assert "1.flac" in table and f"{found[1]['distance']:.3f}" in table
    target = tmp_path / "it.m3u8"
    assert not invoke(
        "path", *ends, *options, "--format", "m3u", "-o", target
    ).exit_code
    assert read_playlist(target) == [song["path"] for song in found]


def test_a_path_needs_two_songs(model, library):
    song = library / "low" / "1.flac"
    options = "--among", library, "--model", model
    result = invoke("path", song, library / "low" / ".." / "low" / "1.flac", *options)
    assert result.exit_code == 1 and "A path needs two songs" in result.stderr
    result = invoke("path", song, "gone.flac", *options, "--format", "json")
    assert result.exit_code == 1 and json.loads(result.stdout) == []
    assert result.stderr.count("gone.flac") == 1
    result = invoke("path", song, library / "low" / "2.flac", *options, "-k", 30)
    assert "of the 30 tracks asked for" in result.stderr and result.exit_code == 0


@pytest.mark.skipif(not has_weights(), reason="no weights of musicnn")
def test_without_a_model_songs_are_compared_by_their_tags(library, tmp_path):
    songs = [*map(str, sorted((library / "low").iterdir()))]
    song, *others = songs
    options = "--among", library / "low", "-k", 7, "--index", tmp_path / "it"
    result = invoke("similar", song, *options, "--format", "json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    E = tag_embedding(GenreTagger().transform(songs))
    distances = cosine_distances(E[:1], E[1:])[0]
    assert [f["path"] for f in found] == [others[i] for i in distances.argsort()]
    again = invoke("similar", song, *options, "--format", "json")
    assert again.stdout == result.stdout and "8 as they were" in again.stderr


def test_without_weights(library, no_weights):
    song = library / "low" / "1.flac"
    for command in (["similar", song], ["path", song, library / "low" / "2.flac"]):
        result = invoke(*command, "--among", library)
        assert result.exit_code == 1
        assert "Get them by `skgenre weights`" in " ".join(result.stderr.split())
