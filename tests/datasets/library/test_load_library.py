import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from skgenre import MissingClipClassifier
from skgenre.datasets import audit, load_music_library

pytest.importorskip("mutagen")
from music_library import DAMAGED, make_music_library, write_track


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The folder, and its tracks."""
    folder = tmp_path_factory.mktemp("Müsic")
    return folder, make_music_library(folder)


@pytest.fixture(scope="module")
def loaded(library):
    with pytest.warns(UserWarning, match="3 of 168 files can't be read"):
        return load_music_library(library[0])


def test_every_track_and_nothing_else(library, loaded):
    assert len(library[1]) == 168
    assert loaded.paths.tolist() == [track.path for track in library[1]]
    assert all(type(path) is str for path in loaded.paths)


def test_genres(library, loaded):
    expected = [list(track.genres) for track in library[1]]
    found = loaded.genres
    # The order of several in a WMA is that of the file.
    for path, ours, theirs in zip(loaded.paths, found, expected, strict=True):
        if path.endswith(".wma"):
            assert sorted(ours) == sorted(theirs), path
        else:
            assert ours == theirs, path
    assert loaded.target.tolist() == [names[0] if names else None for names in found]
    assert loaded.has_genre.tolist() == [bool(names) for names in found]
    assert loaded.has_genre.dtype == bool
    assert loaded.has_genre.sum() == 158
    assert loaded.target_names.tolist() == sorted(set(loaded.target) - {None})
    assert "10 without a genre" in loaded.DESCR


def test_artists_are_groups_and_a_track_without_one_is_its_own(library, loaded):
    for track, artist, group in zip(
        library[1], loaded.artists, loaded.groups, strict=True
    ):
        if track.artist is None:
            assert (artist, group) == (None, track.path)
        else:
            assert artist.casefold() == group == track.artist.casefold()
    counts = Counter(loaded.groups)
    assert counts["ella blue"] == 15  # one of them far from the others
    assert counts["björk jónsdóttir"] == counts["椎名 林檎"] == 14
    for train, test in GroupKFold(3).split(loaded.paths, groups=loaded.groups):
        assert not {*loaded.groups[train]} & {*loaded.groups[test]}


def test_other_texts(loaded):
    frame = loaded.frame
    song = frame[frame["path"].str.endswith("02 Song 1.opus")].iloc[0]
    assert (song["album"], song["title"], song["year"]) == ("Gravel", "Song 1", 1999)
    assert frame.columns.tolist() == [
        *("path", "genre", "artist", "album", "title", "year", "duration")
    ]
    for column, member in {
        "path": "paths",
        "genre": "target",
        "artist": "artists",
        "album": "albums",
        "title": "titles",
        "year": "years",
        "duration": "durations",
    }.items():
        pd.testing.assert_series_equal(
            frame[column],
            pd.Series(loaded[member], dtype=frame[column].dtype, name=column),
        )
    assert frame["genre"].isna().sum() == 10


def test_durations(loaded):
    known = ~np.isnan(loaded.durations)
    assert {Path(path).name for path in loaded.paths[~known]} == set(DAMAGED)
    np.testing.assert_allclose(loaded.durations[known], 0.5, atol=0.07)


def test_what_cannot_be_read_is_named(loaded):
    names = [Path(path).name for path in loaded.unreadable["path"]]
    assert names == sorted(DAMAGED)
    reasons = dict(zip(names, loaded.unreadable["reason"], strict=True))
    assert "empty" in reasons["empty.mp3"]
    assert "no decoder reads it" in reasons["half a download.mp3"]
    assert "tags are damaged" in reasons["damaged.flac"]


def test_what_was_folded_is_listed(loaded):
    rows = {
        (row.written, row.genre): row.n_tracks
        for row in loaded.spellings.itertuples(index=False)
    }
    assert rows["DnB", "Drum & Bass"] == 5
    assert rows["(4)Eurodisco", "Disco"] == rows["(4)Eurodisco", "Eurodisco"] == 1
    assert rows["Other", None] == rows["255", None] == rows["N/A", None] == 1
    total = sum(count for (_, genre), count in rows.items() if genre == "Hip-Hop")
    assert total == Counter(loaded.target)["Hip-Hop"] == 14
    assert loaded.spellings["n_tracks"].is_monotonic_decreasing


def test_subgenres_count_as_top_genres(library):
    tree = {"Drum and Bass": "Electronic", "Rock & Roll": "Rock"}
    with pytest.warns(UserWarning, match="can't be read"):
        tracks = load_music_library(library[0], genre_tree=tree)
    counts = Counter(tracks.target)
    assert counts["Electronic"] == 28
    assert "Drum & Bass" not in counts
    assert "Rock & Roll" not in tracks.target_names


def test_all_genres_as_the_target(library, loaded):
    with pytest.warns(UserWarning, match="can't be read"):
        X, y = load_music_library(
            library[0], target="genres", return_X_y=True, as_frame=True
        )
    assert X.tolist() == loaded.paths.tolist()
    assert y.tolist() == [tuple(names) for names in loaded.genres]
    assert y.index.equals(loaded.frame.index) and (y.name, X.name) == ("genre", "path")
    assert y[~loaded.has_genre].map(len).eq(0).all()


def test_results_do_not_depend_on_n_jobs(library, loaded):
    with pytest.warns(UserWarning, match="can't be read"):
        again = load_music_library(str(library[0]), n_jobs=2)
    pd.testing.assert_frame_equal(again.frame, loaded.frame)


def test_classifiers_refuse_a_missing_genre_and_take_the_others(loaded):
    X = np.random.default_rng(0).normal(size=(len(loaded.paths), 3))
    with pytest.raises(ValueError, match="contains NaN or None in row"):
        MissingClipClassifier(LogisticRegression()).fit(X, loaded.target)
    with pytest.raises((TypeError, ValueError)):
        LogisticRegression().fit(X, loaded.target)
    kept = loaded.has_genre
    classifier = LogisticRegression().fit(X[kept], loaded.target[kept])
    assert set(classifier.classes_) == set(loaded.target_names)


def test_audit_takes_the_tracks(library, loaded):
    findings = audit(loaded)
    assert (findings["problem"] == "undecodable").sum() == 3


def test_links_are_followed_and_broken_ones_named(tmp_path):
    write_track(tmp_path / "elsewhere" / "a.mp3", genre=["Rock"])
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "music" / "self").symlink_to(tmp_path / "music")
    (tmp_path / "music" / "gone.mp3").symlink_to(tmp_path / "nothing.mp3")
    with pytest.warns(UserWarning, match=r"1 of 2 files can't be read: .*gone\.mp3"):
        tracks = load_music_library(tmp_path / "music")
    assert tracks.target.tolist() == [None, "Rock"]
    assert tracks.unreadable["reason"].tolist() == ["there is no such file"]


def test_refusals_and_warnings(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder '.*nothing'"):
        load_music_library(tmp_path / "nothing")
    with pytest.raises(ValueError, match="No audio files below"):
        load_music_library(tmp_path)
    write_track(tmp_path / "a.mp3")
    with pytest.raises(ValueError, match="is no folder. Give the one"):
        load_music_library(tmp_path / "a.mp3")
    with pytest.warns(
        UserWarning, match="None of the 1 tracks .* has a genre"
    ) as record:
        tracks = load_music_library(tmp_path)
    assert record[0].filename == __file__
    assert tracks.target.tolist() == [None]
    assert tracks.target_names.tolist() == []
    with pytest.raises(ValueError, match="leads in a circle: Rock, Pop, Rock"):
        load_music_library(tmp_path, genre_tree={"Rock": "Pop", "Pop": "Rock"})
    with pytest.raises(ValueError, match="'genre_tree' parameter"):
        load_music_library(tmp_path, genre_tree="tree.csv")
    with pytest.raises(ValueError, match="'path' parameter"):
        load_music_library([tmp_path])


def test_a_store(tmp_path):
    fs = pytest.importorskip("fsspec").filesystem("memory")
    fs.store.clear()
    write_track(tmp_path / "a.ogg", genre=["Rock"], artist=["Ann"])
    fs.pipe_file("/bucket/ann/a.ogg", (tmp_path / "a.ogg").read_bytes())
    fs.pipe_file("/bucket/@eaDir/a.ogg", b"")
    tracks = load_music_library("memory://bucket")
    fs.store.clear()
    assert tracks.paths.tolist() == ["memory://bucket/ann/a.ogg"]
    assert (tracks.target.tolist(), tracks.groups.tolist()) == (["Rock"], ["ann"])


def test_it_is_quick(library):
    start = time.perf_counter()
    with pytest.warns(UserWarning, match="can't be read"):
        load_music_library(library[0])
    assert (time.perf_counter() - start) / 168 < 0.03


def test_no_decoder_is_loaded_for_the_import():
    code = (
        "import sys, skgenre.datasets; skgenre.datasets.load_audio_folder;"
        "assert not {'tensorflow', 'av', 'mutagen'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
