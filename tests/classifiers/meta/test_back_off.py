import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skgenre.classifiers._meta._back_off import likeliest_branches
from skgenre.datasets import GenreTree

TREE = GenreTree({"Punk": "Rock", "Oi!": "Punk", "Metal": "Rock"})
CLASSES = np.array(["Jazz", "Metal", "Oi!", "Punk"])


def deepest(probabilities, threshold, tree=TREE, classes=CLASSES):
    branches = likeliest_branches([probabilities], classes, tree)
    genres, is_given = branches.deepest(threshold)
    return genres[0] if is_given[0] else None


@pytest.mark.parametrize(
    ("probabilities", "genres"),
    [
        # Several genres of one family outweigh the one that is the most probable.
        ([0.4, 0.35, 0.15, 0.1], {0.61: None, 0.5: "Rock", 0.35: "Metal"}),
        # As Punk without a subgenre it is the most probable.
        ([0.1, 0.1, 0.2, 0.6], {0.95: None, 0.9: "Rock", 0.8: "Punk", 0.0: "Punk"}),
        ([0.1, 0.1, 0.6, 0.2], {0.8: "Punk", 0.6: "Oi!", 0.0: "Oi!"}),
        ([0.7, 0.1, 0.1, 0.1], {0.8: None, 0.7: "Jazz", 0.0: "Jazz", np.inf: None}),
    ],
    ids=["family", "itself", "leaf", "top"],
)
def test_examples(probabilities, genres):
    assert {at: deepest(probabilities, at) for at in genres} == genres


def test_a_genre_above_the_right_one_is_right():
    branches = likeliest_branches([[0.1, 0.1, 0.6, 0.2]] * 3, CLASSES, TREE)
    assert branches.genres[branches.places[0]].tolist() == ["Rock", "Punk", "Oi!"]
    right = branches.right(np.array(["Oi!", "Metal", "Jazz"]), TREE)
    assert right.tolist() == [[True] * 3, [True, False, False], [False] * 3]


@st.composite
def predictions(draw):
    """A tree, some of its genres as classes, and probabilities of two clips."""
    n = draw(st.integers(2, 8))
    above = [draw(st.integers(-1, i - 1)) for i in range(n)]
    tree = GenreTree(
        {f"g{i}": f"g{a}" if a >= 0 else None for i, a in enumerate(above)}
    )
    classes = sorted(draw(st.sets(st.sampled_from(list(tree)), min_size=2)))
    counts = st.lists(st.integers(0, 5), min_size=len(classes), max_size=len(classes))
    table = np.array(draw(st.lists(counts.filter(any), min_size=2, max_size=2)), float)
    return tree, np.array(classes), table / table.sum(axis=1, keepdims=True)


@settings(max_examples=80, deadline=None)
@given(predictions(), st.floats(0, 1), st.floats(0, 1))
def test_predictions_are_coherent(found, one, other):
    tree, classes, probabilities = found
    branches = likeliest_branches(probabilities, classes, tree)
    low, high = sorted([one, other])
    sums, genres = tree.sum_probabilities(probabilities, classes)
    for clip in range(2):
        names = genres[branches.places[clip][branches.places[clip] >= 0]]
        # A branch from the top, ending in a class; genres above are as probable.
        assert tuple(names) == tree.lineage(names[-1])
        assert names[-1] in classes
        assert (np.diff(branches.probabilities[clip][: len(names)]) <= 0).all()
    (lower, is_low), (higher, is_high) = branches.deepest(low), branches.deepest(high)
    for clip in range(2):
        # A higher threshold never goes deeper, nor elsewhere.
        assert is_low[clip] or not is_high[clip]
        assert not is_high[clip] or higher[clip] in tree.lineage(lower[clip])
        # Above one half: the deepest genre that is probable enough.
        enough = [g for g, p in zip(genres, sums[clip], strict=True) if p >= high]
        if high > 0.5 and enough:
            assert higher[clip] == max(enough, key=lambda g: len(tree.lineage(g)))
        # A class of more than one half is where the branch ends.
        if probabilities[clip].max() > 0.5:
            assert branches.deepest(0)[0][clip] == classes[probabilities[clip].argmax()]


@settings(max_examples=30)
@given(predictions())
def test_without_a_tree_it_is_the_most_probable_genre(found):
    _, classes, probabilities = found
    branches = likeliest_branches(probabilities, classes, GenreTree({}))
    assert_array_equal(branches.genres, classes)
    assert_array_equal(branches.places[:, 0], probabilities.argmax(axis=1))
    assert_array_equal(branches.probabilities[:, 0], probabilities.max(axis=1))
