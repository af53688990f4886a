import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fma_miniature import SHORT, SILENT, UNREADABLE, clip_path, lay_out_fma, make_fma
from sklearn.metrics import label_ranking_average_precision_score
from sklearn.model_selection import PredefinedSplit, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer

from skgenre import MFCCStandardizer, genre_pipeline, load_audio
from skgenre.datasets import load_fma, load_fma_features

GENRES = ["Electronic", "Hip-Hop", "Rock"]


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Data home with the clips of all subsets."""
    folder = tmp_path_factory.mktemp("large")
    return folder, make_fma(folder, 6, genres=GENRES, duration=1, archive="large")


@pytest.fixture
def home(large, tmp_path):
    """Data home of one's own with the clips of the small subset."""
    folder, tracks = large
    shutil.copytree(folder / "fma_metadata", tmp_path / "fma_metadata")
    for track in tracks:
        if track.subset == "small":
            target = clip_path(tmp_path / "fma_small", track.track_id)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(clip_path(folder / "fma_large", track.track_id), target)
    return tmp_path


def test_small(home, large):
    good = [t for t in large[1] if t.subset == "small" and t.track_id < 90_000]
    tracks = load_fma(home)
    assert tracks.track_ids.tolist() == [t.track_id for t in good]
    assert tracks.target.tolist() == [t.genre for t in good]
    assert tracks.split.tolist() == [t.split for t in good]
    assert tracks.groups.tolist() == [t.artist for t in good]
    assert tracks.albums.tolist() == [t.album for t in good]
    assert tracks.target_names.tolist() == GENRES
    for members in (tracks.track_ids, tracks.groups, tracks.albums):
        assert members.dtype.kind == "i"
    for members in (tracks.target, tracks.split, tracks.target_names):
        assert members.dtype.kind == "U"
    for path, track_id in zip(tracks.paths, tracks.track_ids, strict=True):
        assert Path(path) == clip_path(home / "fma_small", track_id)
        assert type(path) is str
        assert 0.9 < len(load_audio(path)) / 22050 < 1.2
    assert "FMA, subset small: 18 tracks by 9 artists" in tracks.DESCR
    assert "6 Electronic, 6 Hip-Hop, 6 Rock" in tracks.DESCR
    assert "3 are left out" in tracks.DESCR


def test_all_genres_as_the_target(large, home):
    folder = large[0]
    single = load_fma(folder, subset="large")
    tracks = load_fma(folder, subset="large", target="genres")
    # The one without a top-level genre has genres.
    assert set(tracks.track_ids) - set(single.track_ids) == {151_000}
    assert tracks.target[tracks.track_ids.tolist().index(151_000)] == (
        "Electronic",
        "Rock",
    )
    assert {"Post-Punk", "Rock"} < set(tracks.target_names)
    assert "Post-Punk" in tracks.DESCR
    tree = tracks.genre_tree
    assert tree.lineage("Post-Punk") == ("Rock", "Punk", "Post-Punk")
    of_all = load_fma(folder, subset="large", target="genres_all")
    for some, every in zip(tracks.target, of_all.target, strict=True):
        assert set(every) == {genre for name in some for genre in tree.lineage(name)}
    X, y = load_fma(home, target="genres", return_X_y=True, as_frame=True)
    assert X.index.name == "track_id" and y.index.equals(X.index)
    assert {type(genres) for genres in y} == {tuple}


def test_table_of_genres(home):
    tracks = load_fma(home)
    assert tracks.genres.loc[89].to_dict() == {
        **{"#tracks": 1, "parent": 25, "title": "Post-Punk", "top_level": 12},
        "color": "#000059",
    }
    assert len(tracks.genres) == len(tracks.genre_tree) == 11
    raw = home / "fma_metadata" / "raw_genres.csv"
    raw.write_text("id,genre_color\n12,#000059\n")
    with pytest.raises(
        ValueError, match="raw_genres.csv' is not .*2017: Index genre_id"
    ):
        load_fma(home)
    raw.write_text("genre_id,genre_color\n12,#000059\n12,#000059\n")
    with pytest.raises(ValueError, match="raw_genres.csv' .*: genre 12 is listed more"):
        load_fma(home)
    raw.unlink()
    assert load_fma(home).genres["color"].isna().all()
    table = home / "fma_metadata" / "genres.csv"
    text = table.read_text()
    table.write_text(text.replace("89,1,25,Post-Punk,12\n", ""))
    assert len(load_fma(home).genre_tree) == 10
    with pytest.raises(ValueError, match="ids that are not in genres.csv: 89"):
        load_fma(home, target="genres")
    tracks = home / "fma_metadata" / "tracks.csv"
    tracks.write_text(HEADER + ROW.replace("[21]", "\"[21, 'Rock', 5]\""))
    with pytest.raises(ValueError, match="not in genres.csv: .*'Rock'"):
        load_fma(home, target="genres")
    table.write_text(text.replace("title", "name"))
    with pytest.raises(ValueError, match="genres.csv' is not a table .* column title"):
        load_fma(home)
    table.unlink()
    with pytest.raises(FileNotFoundError, match="genres.csv'. To get it, delete"):
        load_fma(home)


def test_known_faults_are_listed_or_kept(home):
    left_out = load_fma(home).left_out
    assert left_out.columns.tolist() == ["track_id", "reason"]
    assert left_out.set_index("track_id")["reason"].to_dict() == {
        SHORT: "the clip is much shorter than 30 s",
        UNREADABLE: "the clip holds no audio",
        SILENT: "the clip is nearly silent",
    }
    tracks = load_fma(home, keep_faulty=True)
    assert {SHORT, SILENT, UNREADABLE} <= set(tracks.track_ids)
    assert tracks.left_out.empty
    assert tracks.left_out.columns.tolist() == ["track_id", "reason"]


def test_clips_that_sound_the_same_are_listed(home):
    assert load_fma(home).duplicates.empty
    table = home / "fma_metadata" / "tracks.csv"
    names = {"\n2,": "\n45102,", "\n39,": "\n51785,", "\n76,": "\n57371,"}
    text = table.read_text(encoding="utf-8")
    for old, new in names.items():
        assert old in text
        text = text.replace(old, new)
        source = clip_path(home / "fma_small", int(old[1:-1]))
        target = clip_path(home / "fma_small", int(new[1:-1]))
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
    table.write_text(text, encoding="utf-8")
    duplicates = load_fma(home).duplicates
    assert duplicates.to_dict("records") == [{"track_id": 51785, "duplicate_of": 45102}]


def test_features_have_either_header(home):
    table = home / "fma_metadata" / "features.csv"
    text = table.read_text()
    before = load_fma_features(home)
    assert text.startswith("feature,")
    table.write_text("features," + text.removeprefix("feature,"))
    pd.testing.assert_frame_equal(load_fma_features(home), before)


def test_a_faulty_clip_may_be_missing(home):
    clip_path(home / "fma_small", UNREADABLE).unlink()
    assert len(load_fma(home).paths) == 18
    with pytest.raises(FileNotFoundError, match="1 of 21 clips are not in"):
        load_fma(home, keep_faulty=True)


def test_subsets_hold_the_smaller_ones(large):
    home, rows = large
    small, medium, all_tracks = (
        load_fma(home, subset=subset) for subset in ("small", "medium", "large")
    )
    # Only the folder of the large archive is there, and serves all three.
    assert "fma_large" in small.paths[0]
    assert set(medium.track_ids) - set(small.track_ids) == {150_000}
    # The large subset has one more, without a genre.
    assert all_tracks.track_ids.tolist() == medium.track_ids.tolist()
    reasons = all_tracks.left_out.set_index("track_id")["reason"]
    assert "no single top-level genre" in reasons[151_000]
    assert len(all_tracks.track_ids) + len(reasons) == len(rows)
    for tracks in (small, medium, all_tracks):
        assert set(tracks.target) == set(tracks.target_names)


def test_full_has_no_faulty_clips(tmp_path):
    make_fma(tmp_path, 1, genres=GENRES, duration=1, archive="full")
    tracks = load_fma(tmp_path, subset="full")
    assert {SHORT, UNREADABLE, SILENT} <= set(tracks.track_ids)
    assert tracks.left_out["track_id"].tolist() == [151_000]
    # Untrimmed tracks are no clips.
    with pytest.raises(FileNotFoundError, match="no folder fma_large. Download it"):
        load_fma(tmp_path, subset="large")


def test_frame_has_the_types_of_its_columns(home):
    tracks = load_fma(home)
    frame = tracks.frame
    assert frame.shape == (18, 52)
    assert frame.index.name == "track_id"
    assert frame.index.tolist() == tracks.track_ids.tolist()
    assert frame["track", "genres"].iloc[0] == [15]
    assert frame["track", "tags"].iloc[0] == []
    assert frame["artist", "tags"].iloc[0] == ["awol", "field recordings"]
    assert frame["artist", "bio"].iloc[0].startswith("<p>Born in Zürich,\n")
    assert frame["track", "date_created"].iloc[0] == pd.Timestamp("2008-11-26 01:48:12")
    assert frame["track", "date_recorded"].isna().all()
    assert frame["set", "subset"].cat.ordered
    assert (frame["set", "subset"] < "medium").all()


def test_features_are_what_the_standardizer_takes(home):
    tracks = load_fma(home)
    features = load_fma_features(home, track_ids=tracks.track_ids)
    assert features.shape == (18, 140)
    assert features.index.tolist() == tracks.track_ids.tolist()
    table = MFCCStandardizer(input="features").fit(features)
    audio = MFCCStandardizer().fit(tracks.paths)
    assert (
        table.get_feature_names_out().tolist() == audio.get_feature_names_out().tolist()
    )
    np.testing.assert_allclose(
        table.transform(features), audio.transform(tracks.paths), atol=1e-6
    )


def test_features_of_all_tracks_and_in_any_order(home, large):
    features = load_fma_features(home)
    assert features.index.tolist() == [t.track_id for t in large[1]]
    two = load_fma_features(home, track_ids=[39, 2])
    pd.testing.assert_frame_equal(two, features.loc[[39, 2]])
    with pytest.raises(ValueError, match="no features of 1 of the track_ids: 7"):
        load_fma_features(home, track_ids=[2, 7])


def test_features_in_other_column_order(home):
    path = home / "fma_metadata" / "features.csv"
    expected = load_fma_features(home)
    rows = [line.split(",") for line in path.read_text().splitlines()]
    order = [0, *range(len(rows[0]) - 1, 0, -1)]
    path.write_text("\n".join(",".join(row[i] for i in order) for row in rows))
    pd.testing.assert_frame_equal(load_fma_features(home), expected)


def test_official_split_in_scikit_learn(home):
    tracks = load_fma(home)
    fold = PredefinedSplit(np.where(tracks.split == "test", 0, -1))
    pipeline = make_pipeline(MFCCStandardizer(), KNeighborsClassifier(1))
    (score,) = cross_val_score(pipeline, tracks.paths, tracks.target, cv=fold)
    assert score > 1 / 3
    train, test = (tracks.groups[tracks.split == part] for part in ("training", "test"))
    assert not set(train) & set(test)


def test_data_home(home, monkeypatch, tmp_path_factory):
    expected = load_fma(home).paths.tolist()
    monkeypatch.setenv("SKGENRE_DATA", str(home))
    assert load_fma().paths.tolist() == expected
    assert len(load_fma_features()) == 23
    monkeypatch.delenv("SKGENRE_DATA")
    user = tmp_path_factory.mktemp("user")
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("USERPROFILE", str(user))
    with pytest.raises(FileNotFoundError, match="skgenre_data.*call fetch_fma"):
        load_fma()
    (user / "skgenre_data").symlink_to(home)
    assert len(load_fma().paths) == len(load_fma("~/skgenre_data").paths) == 18


def test_missing_files(home):
    for track_id in (2, 39, 76):
        clip_path(home / "fma_small", track_id).unlink()
    with pytest.raises(FileNotFoundError) as caught:
        load_fma(home)
    message = str(caught.value)
    assert "3 of 18 clips are not in" in message
    assert "000002.mp3" in message
    assert "delete it, and call fetch_fma, or extract" in message
    shutil.rmtree(home / "fma_small")
    with pytest.raises(FileNotFoundError, match="fma_small or fma_medium or fma_large"):
        load_fma(home)
    for name in ("tracks.csv", "features.csv"):
        (home / "fma_metadata" / name).unlink()
    for load in (load_fma, load_fma_features):
        with pytest.raises(FileNotFoundError, match="delete .*fma_metadata' and call"):
            load(home)
    shutil.rmtree(home / "fma_metadata")
    for load in (load_fma, load_fma_features):
        with pytest.raises(FileNotFoundError, match="call fetch_fma"):
            load(home)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "No columns|empty"),
        ("a,b\n1,2\n", "no column|Passed header|Header"),
        (",album,artist\n,id,id\ntrack_id,,\n2,1,1\n", r"no column \('set', 'split'\)"),
        ("\x00\xff", "."),
    ],
)
def test_other_tables_are_refused(home, text, reason):
    for name in ("tracks.csv", "features.csv"):
        (home / "fma_metadata" / name).write_text(text, encoding="latin-1")
    with pytest.raises(
        ValueError, match=f"tracks.csv' is not a table of.*: .*{reason}"
    ):
        load_fma(home)
    with pytest.raises(ValueError, match="features.csv' is not a table of"):
        load_fma_features(home)


HEADER = """\
,album,artist,set,set,track,track,track
,id,id,split,subset,genre_top,genres,date_created
track_id,,,,,,,
"""
ROW = "2,1,1,training,small,Hip-Hop,[21],2008-11-26 01:48:12\n"


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_of_one_row_and_of_other_editors(home, bom, end):
    text = (bom + HEADER + ROW).replace("\n", end)
    (home / "fma_metadata" / "tracks.csv").write_text(text, "utf-8", newline="")
    tracks = load_fma(home)
    assert tracks.target.tolist() == ["Hip-Hop"]
    assert tracks.groups.tolist() == [1]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("", "lists no tracks"),
        (ROW + ROW, "track 2 is listed more than once"),
        ("2.0" + ROW[1:], "first column holds more than track ids"),
        (ROW.replace("training", ""), r"split'\) of track 2 is 'nan', not one of"),
        (ROW.replace("training", "train"), r"split'\) of track 2 is 'train', not"),
        (ROW.replace("small", "tiny"), r"subset'\) of track 2 is 'tiny', not one"),
        (
            ROW + ROW.replace("2,1,1,tr", "3,1,1,tr")[:15],
            "of track 3 is 'nan', not",
        ),
        (ROW.replace("2,1,1", "2,1,"), r"\('artist', 'id'\) holds more than whole"),
        (ROW.replace("2,1,1", "2,x,1"), r"\('album', 'id'\) holds more than whole"),
        (ROW.replace("[21]", "Rock"), r"in column \('track', 'genres'\), malformed"),
        (ROW.replace("[21]", "[21"), r"in column \('track', 'genres'\), '\['"),
        (ROW.replace("[21]", "21"), r"'genres'\), 21 is not a list"),
        (ROW.replace("[21]", "[[21]]"), r"'genres'\), '\[\[21\]\]' is not a list"),
        (ROW.replace("[21]", "{[]}"), r"in column \('track', 'genres'\), unhashable"),
        (ROW.replace("2008-11-26", "once"), r"in column \('track', 'date_created'\)"),
    ],
)
def test_damaged_rows_are_refused(home, rows, reason):
    path = home / "fma_metadata" / "tracks.csv"
    path.write_text(HEADER + rows)
    with pytest.raises(ValueError, match=f"is not a table of.*: .*{reason}"):
        load_fma(home)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda lines: lines[:4], "No columns|lists no tracks"),
        (lambda lines: lines[:2], "."),
        (lambda lines: lines[:3] + lines[4:], "line 4 does not begin with 'track_id'"),
        (lambda lines: [*lines, lines[-1]], "track 151000 is listed more than once"),
        (lambda lines: [*lines[:4], "x" + lines[4]], "more than track ids"),
        (
            lambda lines: [*lines[:4], "2" + ",x" * lines[4].count(",")],
            "holds more than numbers",
        ),
    ],
)
def test_damaged_features_are_refused(home, change, reason):
    path = home / "fma_metadata" / "features.csv"
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(ValueError, match=f"features.csv' is not a table of.*{reason}"):
        load_fma_features(home)


def test_track_ids_are_one_column(home):
    with pytest.raises(ValueError, match="1d array"):
        load_fma_features(home, track_ids=[[2, 39]])
    assert load_fma_features(home, track_ids=[]).shape == (0, 140)


def test_nothing_left(home):
    path = home / "fma_metadata" / "tracks.csv"
    path.write_text(path.read_text().replace(",small,", ",medium,"))
    with pytest.raises(ValueError, match=r"no usable track of subset='small' \(0 are"):
        load_fma(home)


def test_bad_parameters(home):
    with pytest.raises(ValueError, match="'subset' parameter"):
        load_fma(home, subset="huge")
    with pytest.raises(ValueError, match="'data_home' parameter"):
        load_fma(3)


def test_clips_that_exist_in_the_form_of_fma(home, tmp_path_factory):
    source = load_fma(home)
    for copy in (False, True):
        folder = tmp_path_factory.mktemp("layout")
        artists = [f"artist {i}" for i in source.groups]
        lay_out_fma(folder, source.paths, source.target, artists, copy=copy)
        tracks = load_fma(folder)
        assert tracks.target.tolist() == source.target.tolist()
        assert [Path(p).read_bytes() for p in tracks.paths] == [
            Path(p).read_bytes() for p in source.paths
        ]
        assert Path(tracks.paths[0]).is_symlink() is not copy
        assert set(tracks.split) == {"training", "validation", "test"}
        assert len(load_fma_features(folder, track_ids=tracks.track_ids)) == 18


def test_several_genres_of_a_track_are_learnt(large):
    tracks = load_fma(large[0], subset="large", target="genres_all")
    assert any(len(genres) > 1 for genres in tracks.target)
    model = genre_pipeline("baseline", multi_label=True)
    model.fit(tracks.paths, tracks.target, multilabelclassifier__groups=tracks.groups)
    assert model.classes_.tolist() == tracks.target_names.tolist()
    is_of = MultiLabelBinarizer().fit_transform(tracks.target)
    probabilities = model.predict_proba(tracks.paths)
    assert label_ranking_average_precision_score(is_of, probabilities) > 0.8
    assert {*map(type, model.predict(tracks.paths[:3]))} == {tuple}
