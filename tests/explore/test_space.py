"""Neighbours, maps and paths among songs of two planted styles."""

import sys

import joblib
import numpy as np
import pytest

from skgenre.classifiers._tagging._tag_genres import FEATURE_NAMES, TAG_NAMES
from skgenre.explore._kept import Kept
from skgenre.explore._space import Near, Space, reasons

NUMBERS = np.arange(10, 40)


def tags_of_two_styles():
    rng = np.random.default_rng(0)
    tags = rng.uniform(0.01, 0.05, (30, len(FEATURE_NAMES))).astype(np.float32)
    tags[:15, [name == "jazz" for name in TAG_NAMES]] = 0.8
    tags[15:, [name == "techno" for name in TAG_NAMES]] = 0.8
    return tags


@pytest.fixture(scope="module")
def space():
    tags = tags_of_two_styles()
    groups = np.array([f"by {i // 3}" for i in range(30)])
    return Space(NUMBERS, np.sqrt(tags), tags, groups)


def test_neighbours_are_of_the_same_style_and_say_why(space):
    near = space.near([12], 5)
    assert all(10 <= each.number < 25 and each.number != 12 for each in near)
    assert all(each.tags[0] == "jazz" for each in near)
    others = space.near([12], 14, other_artists=True)
    assert not {10, 11} & {each.number for each in others}
    disliked = [near[0].number]
    assert disliked[0] not in [n.number for n in space.near([12], 5, disliked=disliked)]
    assert reasons(near[0], {"artist": "Ella"})[-1] == "same artist: Ella"
    assert reasons(Near(1, 0.0, []), {}) == []


def test_the_map_names_what_lies_at_its_ends(space):
    points, (across, _) = space.map()
    assert points.shape == (30, 2)
    assert {across.split(": from ")[1].split(",")[0]} <= {"jazz", "techno"}
    assert ("jazz" in across) and ("techno" in across)
    truth = space.truth("pca")
    assert truth["trust"] > 0.6 and "Two directions" in truth["note"]
    styles = np.sign(points[:15, 0]), np.sign(points[15:, 0])
    assert len({*styles[0]}) == len({*styles[1]}) == 1


def test_a_path_and_clusters(space):
    path = space.path(10, 39, 4)
    assert (path[0], path[-1][0]) == ((10, 0.0), 39)
    names = space.clusters()
    assert len({*names[:15]}) == len({*names[15:]}) == 1 and names[0] != names[-1]


@pytest.mark.parametrize("n", [2, 3, 4])
def test_few_songs(n):
    tags = tags_of_two_styles()[:n]
    space = Space(np.arange(n), np.sqrt(tags), tags, np.array(["a"] * n))
    points, axes = space.map()
    assert points.shape == (n, 2) and np.isfinite(points).all()
    assert ("too few songs" in axes[1]) == (n < 4)
    assert len(space.near([0], 10)) == n - 1
    assert len(space.clusters()) == n


def test_without_tags():
    E = np.sqrt(tags_of_two_styles())
    space = Space(NUMBERS, E, None, np.array(["a"] * 30))
    assert space.near([10], 2)[0].tags == []
    assert len({*space.clusters()}) >= 2
    near = space.near_embedding(E[0], None, 3)
    assert len(near) == 3 and 10 not in [each.number for each in near]
    assert space.copies(E[0]) == [10]


def test_a_umap_of_the_same_songs_is_not_made_again(space, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)  # as if it were not there
    kept = Kept(tmp_path, None, [])
    points = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    kept.put(joblib.hash(space.E), "umap", points)
    groups = np.array(["a"] * 30)
    found, axes = Space(NUMBERS, space.E, None, groups, kept).map("umap")
    np.testing.assert_array_equal(found, points)
    assert axes == ("UMAP 1", "UMAP 2")
    with pytest.raises(ImportError, match="umap-learn"):  # of other songs
        Space(NUMBERS, space.E + 1, None, groups, kept).map("umap")
