import copy
import math
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skgenre.datasets import GenreTree
from skgenre.datasets._genres._tree import MOST_GENRES, MOST_LEVELS

ROCK = GenreTree({"Rock": None, "Punk": "rock", "Oi!": "PUNK", "Metal": "Rock"})


@st.composite
def trees(draw):
    """Trees of up to eight genres, each below one of those before it or none."""
    n = draw(st.integers(1, 8))
    above = [draw(st.integers(-1, i - 1)) for i in range(n)]
    return GenreTree(
        {f"g{i}": f"g{a}" if a >= 0 else None for i, a in enumerate(above)}
    )


def test_it_is_a_mapping_and_spelling_does_not_matter():
    assert dict(ROCK) == {"Rock": None, "Punk": "Rock", "Oi!": "Punk", "Metal": "Rock"}
    assert ROCK["OI"] == "Punk" and "pUNK" in ROCK and "Folk" not in ROCK
    assert 3 not in ROCK and None not in ROCK
    assert ROCK.get("Folk", "?") == "?"
    assert ROCK.lineage("oi") == ("Rock", "Punk", "Oi!")
    assert ROCK.lineage(3) == (3,)
    assert GenreTree(ROCK) == ROCK == copy.deepcopy(ROCK)
    assert pickle.loads(pickle.dumps(ROCK)) == ROCK
    assert repr(ROCK) == "GenreTree(4 genres, 1 at the top)"
    assert GenreTree({}).top_genres == []


@pytest.mark.parametrize(
    ("parents", "message"),
    [
        ({"a": "b", "b": "c", "c": "A"}, "leads in a circle: a, b, c, a"),
        (
            {"Hip Hop": "Pop", "hip-hop": "Rap"},
            "'Hip Hop' below two genres, .*'hip-hop'",
        ),
        ({"Rock": 3}, "got 'Rock': 3"),
        ({1: "Rock"}, "got 1: 'Rock'"),
        ({"Rock": " - "}, "got 'Rock': ' - '"),
        ({"Rock": "x" * 201}, "A genre tree maps names"),
        ({f"{i}a": f"{i + 1}a" for i in range(MOST_LEVELS)}, "more than 32 levels"),
        ({f"{i}a": None for i in range(MOST_GENRES + 1)}, "more than 10000"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value[:20],
)
def test_what_is_no_tree_is_refused(parents, message):
    with pytest.raises(ValueError, match=message):
        GenreTree(parents)


def test_only_mappings_are_trees():
    with pytest.raises(TypeError, match="got str. GenreTree.from_file reads files"):
        GenreTree("genres.csv")


def test_largest_trees():
    deep = GenreTree({f"{i}a": f"{i + 1}a" for i in range(MOST_LEVELS - 1)})
    assert len(deep.lineage("0a")) == MOST_LEVELS
    assert len(GenreTree({f"{i}a": None for i in range(MOST_GENRES)})) == MOST_GENRES


def test_levels_have_a_row_for_each_clip():
    assert ROCK.levels([]).shape == (0, 0)
    table = ROCK.levels(np.array(["Oi!", "Jazz"], dtype=object))
    assert table.tolist() == [["Rock", "Punk", "Oi!"], ["Jazz", "", ""]]
    # Tracks without a genre, as load_music_library and pandas have them.
    table = ROCK.levels(np.array(["Punk", None, np.nan, pd.NA], dtype=object))
    assert table.tolist() == [["Rock", "Punk"], *[["", ""]] * 3]
    assert ROCK.levels(["Punk", math.nan, "Jazz"])[1].tolist() == ["", ""]
    with pytest.raises(ValueError, match="genres must have one genre for each clip"):
        ROCK.levels([["Punk", "Jazz"], ["Jazz"]])


@settings(max_examples=100, deadline=None)
@given(trees(), st.data())
def test_a_genre_is_as_probable_as_all_below_it(tree, data):
    genres = list(tree)
    classes = data.draw(st.permutations(genres))[
        : data.draw(st.integers(1, len(genres)))
    ]
    weights = st.floats(0, 1, allow_subnormal=False)
    proba = np.array(
        [data.draw(st.lists(weights, min_size=len(classes)))[: len(classes)]]
    )
    sums, names = tree.sum_probabilities(proba, classes)
    assert names.tolist() == sorted({g for c in classes for g in tree.lineage(c)})
    found = dict(zip(names.tolist(), sums[0], strict=True))
    for genre, probability in found.items():
        below = [
            p
            for c, p in zip(classes, proba[0], strict=True)
            if genre in tree.lineage(c)
        ]
        assert probability == pytest.approx(sum(below))
        # Not approximately: rounding must not turn it around.
        assert tree[genre] is None or found[tree[genre]] >= probability


def test_classes_keep_their_spelling_and_may_be_numbers():
    sums, genres = ROCK.sum_probabilities(
        [[0.5, 0.5]], np.array(["oi", "ROCK"], object)
    )
    assert genres.tolist() == ["Punk", "ROCK", "oi"] and genres.dtype == object
    assert sums.tolist() == [[0.5, 1, 0.5]]
    sums, genres = ROCK.sum_probabilities([[0.5, 0.5]], [1, 2])
    assert sums.tolist() == [[0.5, 0.5]] and genres.tolist() == [1, 2]


def test_classes_outside_the_tree_are_as_they_are():
    # Classifiers have always told these apart.
    _, genres = ROCK.sum_probabilities([[0.5, 0.25, 0.25]], ["Folk", "folk", "-"])
    assert genres.tolist() == ["-", "Folk", "folk"]
    assert ROCK.fold_rare(["Folk", "folk"], min_clips=2).tolist() == ["Folk", "folk"]


def test_wrong_classes_are_refused():
    with pytest.raises(ValueError, match="2 columns for 1 classes"):
        ROCK.sum_probabilities([[0.5, 0.5]], ["Punk"])
    with pytest.raises(ValueError, match="'Punk' and 'punk', which are one genre"):
        ROCK.sum_probabilities([[0.5, 0.5]], ["Punk", "punk"])


def test_rare_subgenres_become_those_above():
    y = ["Oi!"] * 2 + ["Punk"] * 2 + ["Metal"] * 3 + ["Jazz", "rock"]
    expected = ["Punk"] * 4 + ["Metal"] * 3 + ["Jazz", "rock"]
    assert ROCK.fold_rare(y, min_clips=3).tolist() == expected
    # What was folded is counted above, and takes the spelling that is there.
    expected = ["rock"] * 7 + ["Jazz", "rock"]
    assert ROCK.fold_rare(y, min_clips=5).tolist() == expected
    assert ROCK.fold_rare(y).tolist() == y


def test_subgenres_of_few_artists_become_those_above():
    y, artists = ["Punk", "Punk", "Metal", "Metal"], ["a", "a", "b", "c"]
    folded = ROCK.fold_rare(y, groups=artists, min_groups=2)
    assert folded.tolist() == ["Rock", "Rock", "Metal", "Metal"]
    with pytest.raises(ValueError, match="min_groups=2 counts artists: pass groups"):
        ROCK.fold_rare(y, min_groups=2)
    with pytest.raises(ValueError, match="inconsistent"):
        ROCK.fold_rare(y, groups=["a"], min_groups=2)


def test_clips_of_several_genres_or_none_are_folded():
    several = ROCK.fold_rare([("Punk", "Folk"), ("Metal", "Punk"), ()], min_clips=3)
    assert several.tolist() == [("Rock", "Folk"), ("Rock",), ()]
    assert ROCK.fold_rare(["Punk", None], min_clips=2).tolist() == ["Rock", None]
    with_nan = pd.Series(["Punk", np.nan], dtype=object)
    assert ROCK.fold_rare(with_nan, min_clips=2).tolist() == ["Rock", None]
    assert ROCK.fold_rare([], min_clips=2).shape == (0,)


@settings(max_examples=50, deadline=None)
@given(trees(), st.data())
def test_sets_of_genres_are_closed_upwards(tree, data):
    names = st.sampled_from([*tree, "other"])
    given = data.draw(st.lists(st.lists(names, max_size=4), min_size=1, max_size=4))
    closed = tree.with_genres_above(given)
    assert closed.shape == (len(given),)
    for before, after in zip(given, closed, strict=True):
        assert len(set(after)) == len(after)
        assert after[:1] == tuple(before[:1])
        assert {*after} == {name for genre in before for name in tree.lineage(genre)}
    assert tree.with_genres_above(closed).tolist() == closed.tolist()


def test_genres_above_are_spelt_as_the_others():
    several = ROCK.with_genres_above([("oi",), ("rock", "Folk"), ()])
    assert several.tolist() == [("oi", "Punk", "rock"), ("rock", "Folk"), ()]
    assert ROCK.with_genres_above(["Metal", None]).tolist() == [("Metal", "Rock"), ()]


@pytest.mark.parametrize(
    ("genres", "message"),
    [
        ("Punk", "a list of genres, for each clip, got 'Punk'. Of one clip"),
        (3, "for each clip, got 3"),
        ([("Punk",), "Metal"], "has lists of genres, but 'Metal' in row 1"),
        ([None, ["Punk"]], "has lists of genres, but None in row 0"),
        (np.array([["Punk", "Metal"]]), "1d array"),
    ],
    ids=["text", "number", "mixed", "missing", "table"],
)
def test_genres_that_are_none_of_clips(genres, message):
    with pytest.raises(ValueError, match=message):
        ROCK.fold_rare(genres)


@settings(max_examples=100, deadline=None)
@given(trees(), st.data())
def test_no_subgenre_is_rare_after_folding(tree, data):
    genres = st.sampled_from(list(tree))
    y = data.draw(st.lists(genres, min_size=1, max_size=30))
    least = data.draw(st.integers(1, 6))
    folded = tree.fold_rare(y, min_clips=least).tolist()
    for genre in set(folded):
        assert tree[genre] is None or folded.count(genre) >= least
    for before, after in zip(y, folded, strict=True):
        assert after in tree.lineage(before)
