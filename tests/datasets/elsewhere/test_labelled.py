import numpy as np
import pytest

from skgenre.datasets._elsewhere._labelled import labelled


def test_one_genre_for_each_clip():
    clips = ["a.wav", b"\x00", ([0.0, 0.1], 8000)]
    tracks = labelled(clips, ["rock", "folk", "rock"], ["x", None, "x"], "a test")
    assert tracks.paths.shape == (3,) and tracks.paths[2] == ([0.0, 0.1], 8000)
    assert tracks.target.dtype.kind == "U" and tracks.target_names.tolist() == [
        "folk",
        "rock",
    ]
    assert tracks.groups.tolist() == ["x", "clip 1", "x"]
    assert tracks.DESCR == "3 clips by 2 artists from a test: 2 rock, 1 folk."


def test_several_genres_or_none():
    several = labelled(
        "abc", [["rock", "folk", "rock", ""], np.array([]), None], None, "a test"
    )
    assert several.target.tolist() == [("rock", "folk"), (), ()]
    assert several.groups is None and "2 without a genre" in several.DESCR
    one = labelled("ab", ["rock", np.nan], [np.nan, None], "a test")
    assert one.target.tolist() == ["rock", None] and one.target.dtype == object
    assert one.groups.tolist() == ["clip 0", "clip 1"]
    assert labelled("ab", [3, 1], None, "a test").target.tolist() == [3, 1]
    with pytest.raises(ValueError, match="a test has no clips"):
        labelled([], [], None, "a test")
