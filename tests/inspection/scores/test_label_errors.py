import numpy as np
import pytest

from skgenre.inspection import suspected_label_errors


def test_wrong_labels_are_suspected_and_hard_clips_are_not():
    rng = np.random.default_rng(0)
    place = np.repeat([0, 1], 60)
    X = 4 * np.eye(5)[place] + rng.normal(size=(120, 5))
    true = np.where(place, "rock", "folk")
    labels, predicted = true.copy(), true.copy()
    labels[:5] = "rock"  # wrong
    predicted[60:65] = "folk"  # the model errs
    suspected = suspected_label_errors(X, labels, predicted)
    assert suspected[:5].mean() > 0.7 and not suspected[5:].any()


def test_an_artists_own_clips_do_not_vouch_for_each_other():
    X = [[0.0, 1], [0.0, 1], [0.1, 1], [1, 0], [1, 0], [1, 0.1]]
    labels = ["rock", "folk", "folk", "rock", "rock", "rock"]
    predicted = ["folk", "folk", "folk", "rock", "rock", "rock"]
    artists = ["a", "a", "a", "b", "c", "d"]
    alone = suspected_label_errors(X, labels, predicted, n_neighbors=2)
    assert alone.tolist() == [True] + 5 * [False]
    assert not suspected_label_errors(X, labels, predicted, artists).any()


def test_all_clips_by_one_artist_have_no_neighbours():
    X = np.eye(4)
    assert not suspected_label_errors(X, list("abab"), list("baba"), ["x"] * 4).any()
    with pytest.raises(ValueError, match="n_neighbors"):
        suspected_label_errors(X, list("abab"), list("baba"), n_neighbors=0)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        suspected_label_errors(X[1:], list("abab"), list("baba"))
