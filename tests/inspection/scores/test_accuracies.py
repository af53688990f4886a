import numpy as np
import pytest

from skgenre.inspection import accuracy_scores

TRUE = ["folk", "folk", "folk", "pop", "rock", "rock"]
PREDICTED = ["folk", "folk", "rock", "rock", "rock", "pop"]
ARTISTS = ["a", "a", "b", "c", "c", "d"]


def test_each_counts_the_same():
    scores = accuracy_scores(TRUE, PREDICTED, groups=ARTISTS, merge={"pop": "rock"})
    assert scores.accuracy == pytest.approx(3 / 6)
    assert scores.macro_accuracy == pytest.approx((2 / 3 + 0 + 1 / 2) / 3)
    assert scores.artist_accuracy == pytest.approx((1 + 0 + 1 / 2 + 0) / 4)
    assert scores.merged_accuracy == pytest.approx(5 / 6)
    assert (
        np.isnan(scores.top_2_accuracy)
        and np.isnan(scores.top_2_accuracy_interval).all()
    )
    assert scores.n_groups == 4
    assert scores.n_effective_groups == pytest.approx(36 / (4 + 1 + 4 + 1))
    for name in ("accuracy", "macro_accuracy", "artist_accuracy", "merged_accuracy"):
        low, high = scores[f"{name}_interval"]
        assert 0 <= low < scores[name] < high <= 1


def test_two_guesses():
    proba = [[0.5, 0.3, 0.2], [0.3, 0.5, 0.2], [0.1, 0.4, 0.5], [0.4, 0.4, 0.2]]
    scores = accuracy_scores(
        ["a", "a", "a", "d"],
        ["a", "b", "c", "a"],
        y_proba=proba,
        labels=["a", "b", "c"],
    )
    assert scores.top_2_accuracy == 0.5  # a genre that has no column is never guessed
    flat = accuracy_scores([*"abc"], [*"aaa"], y_proba=np.full((3, 3), 1 / 3))
    assert flat.top_2_accuracy == pytest.approx(2 / 3)  # no tie counts for both
    assert np.isnan(scores.artist_accuracy)
    assert scores.n_groups == scores.n_effective_groups == 4


def test_one_artist_has_no_interval():
    scores = accuracy_scores(["a", "b"], ["a", "a"], groups=["x", "x"])
    assert scores.accuracy == 0.5
    intervals = [limits for name, limits in scores.items() if "_interval" in name]
    assert len(intervals) == 5 and np.isnan(intervals).all()


def test_a_genre_without_clips_may_be_merged():
    labels = ["folk", "metal", "pop", "rock"]
    scores = accuracy_scores(TRUE, PREDICTED, labels=labels, merge={"metal": "rock"})
    assert scores.merged_accuracy == scores.accuracy


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"merge": {"pop": "metal"}}, "merge names 'metal'"),
        ({"merge": {"pop": "rock", "rock": "folk"}}, "'pop' as 'rock', and 'rock' as"),
        ({"merge": {"pop": "rock", "folk": "rock"}}, "leaves a single genre"),
        ({"y_proba": np.ones((6, 2))}, r"y_proba must have shape \(6, 3\)"),
        ({"groups": ARTISTS[1:]}, "inconsistent numbers"),
    ],
    ids=["merge", "chain", "single", "proba", "groups"],
)
def test_what_does_not_fit(more, match):
    with pytest.raises(ValueError, match=match):
        accuracy_scores(TRUE, PREDICTED, **more)
