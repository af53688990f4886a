"""Songs, and what their tags and tables say of them."""

import os
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from explored import MARKUP, write_songs

from skgenre.explore._collection import Collection


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    paths, genres = write_songs(folder, 6, duration=1.0)
    return folder, paths, genres


def test_tags_of_a_folder(songs):
    folder, paths, genres = songs
    found = Collection(folder)
    assert found.paths == paths and found.title == folder.name
    assert [g.lower() for g in found.genres] == genres
    assert found.titles[:2] == [f"{MARKUP} 0", "Song 1"]
    assert found.columns["artist"][0].startswith("Artist ")
    assert found.columns["album"] == found.columns["year"] == [None] * 6
    assert all(group.startswith("by artist ") for group in found.groups)


def test_columns_of_its_own_in_the_order_of_the_files(songs):
    _, paths, _ = songs
    frame = pd.DataFrame({"mood": ["calm", None, "x\n"], "bpm": [90, 100.5, None]})
    chosen = [paths[4], paths[0], paths[2]]
    found = Collection(
        chosen, ["dub", float("nan"), None], artists=["Ann", None, "ann "], frame=frame
    )
    assert found.paths == chosen and found.genres == ["dub", None, None]
    assert found.columns["mood"] == ["calm", None, "x"]
    assert found.columns["bpm"] == [90.0, 100.5, None]
    assert found.groups.tolist() == ["by ann", f"in {paths[0]}", "by ann"]


def test_missing_values_of_pandas_are_none(songs):
    _, paths, _ = songs
    frame = pd.DataFrame(
        {
            "mood": pd.array([1, None, 3], "Int64"),
            "when": pd.to_datetime(["2020-01-02", None, None]),
            "share": pd.Series([Fraction(1, 2), np.float32(3), pd.NA], dtype=object),
        }
    )
    genres = pd.Series(["dub", pd.NA, None], dtype="string")
    found = Collection(paths[:3], genres, artists=genres, frame=frame)
    assert found.genres == found.artists == ["dub", None, None]
    assert found.columns["mood"] == [1.0, None, 3.0]
    assert found.columns["when"] == ["2020-01-02 00:00:00", None, None]
    assert found.columns["share"] == [0.5, 3.0, None]


def test_a_name_that_is_no_unicode(songs, tmp_path):
    name = os.fsencode(tmp_path) + b"/no\xff.flac"
    try:
        with open(name, "wb") as file:
            file.write(b"x")
    except OSError:
        pytest.skip("this file system refuses such names")
    found = Collection(tmp_path)
    assert found.titles == ["no\\udcff"]


def test_a_column_that_the_page_has_anyway(songs):
    _, paths, _ = songs
    with pytest.raises(ValueError, match="frame has a column 'cluster'"):
        Collection(paths, frame=pd.DataFrame({"cluster": range(6)}))
    with pytest.raises(ValueError, match="artists has 1 rows, and there are 6 songs"):
        Collection(paths, artists=["a"])
