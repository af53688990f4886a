import numpy as np
import pytest

from skgenre.datasets import GenreTree
from skgenre.inspection import accuracy_scores, hierarchical_scores

TREE = GenreTree({"Punk": "Rock", "Oi!": "Punk", "Metal": "Rock"})


@pytest.mark.parametrize(
    ("true", "predicted", "precision", "recall"),
    [
        # By hand: {Rock, Punk, Oi!} and {Rock, Metal} have one genre in common.
        (["Oi!"], ["Metal"], 1 / 2, 1 / 3),
        (["Oi!"], ["Punk"], 1, 2 / 3),
        (["Punk"], ["Oi!"], 2 / 3, 1),
        (["Oi!", "Jazz"], ["oi", "Rock"], 3 / 4, 3 / 4),
        ([("Punk", "Jazz")], [("Metal",)], 1 / 2, 1 / 3),
        ([("Punk", "Metal")], [()], np.nan, 0),
        ([3, 4], [3, 3], 1 / 2, 1 / 2),
    ],
)
def test_examples(true, predicted, precision, recall):
    scores = hierarchical_scores(true, predicted, TREE)
    assert scores.precision == pytest.approx(precision, nan_ok=True)
    assert scores.recall == pytest.approx(recall)
    if precision > 0:
        f1 = 2 * precision * recall / (precision + recall)
        assert scores.f1 == pytest.approx(f1)


def test_unknown_is_no_genre():
    true, predicted = ["Punk", "Jazz"], ["Rock", "unknown"]
    scores = hierarchical_scores(true, predicted, TREE, unknown="unknown")
    assert (scores.precision, scores.recall) == (1, 1 / 3)
    nothing = hierarchical_scores(true, ["?", "?"], TREE, unknown="?")
    assert np.isnan(nothing.precision) and nothing.recall == nothing.f1 == 0
    assert np.isnan(nothing.precision_interval).all()


def test_scores_of_one_artist_have_no_interval():
    true, predicted = ["Punk", "Metal", "Jazz"], ["Rock", "Jazz", "?"]
    scores = hierarchical_scores(
        true, predicted, TREE, unknown="?", groups=["x", "x", "y"]
    )
    assert np.isnan(scores.precision_interval).all()  # only x has predictions
    assert not np.isnan([scores.recall_interval, scores.f1_interval]).any()


def test_without_a_tree_they_are_the_accuracy_and_its_interval():
    rng = np.random.default_rng(0)
    true, predicted = rng.choice(["a", "b"], (2, 60))
    artists = rng.integers(9, size=60)
    scores = hierarchical_scores(true, predicted, {}, groups=artists)
    expected = accuracy_scores(true, predicted, groups=artists)
    for name in ("precision", "recall", "f1"):
        assert scores[name] == pytest.approx(expected.accuracy)
        np.testing.assert_allclose(
            scores[f"{name}_interval"], expected.accuracy_interval
        )


def test_refusals():
    with pytest.raises(ValueError, match="There are no clips"):
        hierarchical_scores([], [], TREE)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        hierarchical_scores(["Punk"], ["Punk", "Rock"], TREE)
    with pytest.raises(ValueError, match="y_pred contains NaN or None in row 0"):
        hierarchical_scores(["Punk"], [None], TREE)
    with pytest.raises(ValueError, match="y_true has lists of genres, but 'Punk'"):
        hierarchical_scores([("Oi!",), "Punk"], ["Punk"] * 2, TREE)
    with pytest.raises(ValueError, match="y_pred must have a genre"):
        hierarchical_scores(["Punk"], "Punk", TREE)
    with pytest.raises(ValueError, match="leads in a circle"):
        hierarchical_scores(["Punk"], ["Punk"], {"a": "b", "b": "a"})
