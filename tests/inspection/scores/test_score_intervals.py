"""Scores against scikit-learn's, intervals against resampling one by one."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from skgenre.inspection import score_intervals

GENRES = np.array(["folk", "jazz", "rock"])


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(0)
    groups = rng.integers(12, size=150)
    y = GENRES[groups % 3]
    return y, np.where(rng.random(150) < 0.6, y, rng.choice(GENRES, 150)), groups


def test_scores_are_scikit_learns(predictions):
    y, predicted, groups = predictions
    scores = score_intervals(y, predicted, groups=groups)
    expected = precision_recall_fscore_support(y, predicted)
    for name, values in zip(
        ("precision", "recall", "f1", "support"), expected, strict=True
    ):
        np.testing.assert_allclose(scores[name], values)
    assert scores.accuracy == accuracy_score(y, predicted)
    assert scores.macro_f1 == pytest.approx(expected[2].mean())
    assert scores.n_groups.tolist() == [4, 4, 4]


@pytest.mark.slow
def test_intervals_are_those_of_resampled_artists(predictions):
    y, predicted, groups = predictions
    scores = score_intervals(y, predicted, groups=groups)
    artists = np.unique(groups)
    draws = np.random.default_rng(0).integers(len(artists), size=(2000, len(artists)))
    of_artist = [np.flatnonzero(groups == artist) for artist in artists]
    sampled, overall = [], []
    for draw in draws:
        rows = np.concatenate([of_artist[i] for i in draw])
        sampled.append(
            precision_recall_fscore_support(
                y[rows], predicted[rows], labels=GENRES, zero_division=np.nan
            )[:3]
        )
        present = np.unique(y[rows])
        macro_f1 = f1_score(y[rows], predicted[rows], labels=present, average="macro")
        overall.append((accuracy_score(y[rows], predicted[rows]), macro_f1))
    expected = np.nanpercentile(np.array(sampled), [2.5, 97.5], axis=0)
    for i, name in enumerate(("precision", "recall", "f1")):
        np.testing.assert_allclose(scores[f"{name}_interval"], expected[:, i].T)
    expected = np.percentile(overall, [2.5, 97.5], axis=0).T
    for i, name in enumerate(("accuracy", "macro_f1")):
        np.testing.assert_allclose(scores[f"{name}_interval"], expected[i])


def test_what_is_not_known_is_nan_and_warns_of_nothing():
    y, predicted = ["folk", "folk", "jazz"], ["folk", "rock", "folk"]
    with warnings.catch_warnings(action="error"):
        scores = score_intervals(
            y, predicted, labels=["folk", "jazz", "rock", "soul"], groups=[1, 2, 3]
        )
    np.testing.assert_array_equal(scores.precision, [0.5, np.nan, 0, np.nan])
    np.testing.assert_array_equal(scores.recall, [0.5, 0, np.nan, np.nan])
    np.testing.assert_array_equal(scores.f1, [0.5, 0, 0, np.nan])
    assert scores.macro_f1 == 0.25
    assert not np.isnan(scores.recall_interval[0]).any()
    assert np.isnan(scores.recall_interval[1]).all()  # one artist
    assert np.isnan(scores.precision_interval[2]).all()


def test_f1_has_an_interval_if_clips_or_predictions_are_by_several_artists():
    scores = score_intervals(
        ["folk", "folk", "jazz", "jazz"],
        ["folk", "folk", "folk", "jazz"],
        groups=[1, 1, 2, 3],
    )
    assert np.isnan(scores.recall_interval[0]).all()  # folk is by one artist
    assert not np.isnan(scores.f1_interval[0]).any()


def test_one_clip_and_one_artist_have_no_interval():
    scores = score_intervals(["folk"], ["folk"])
    assert scores.accuracy == 1
    assert np.isnan(scores.accuracy_interval).all()
    scores = score_intervals([1, 0, 1], [1, 1, 1], groups=["a"] * 3)
    assert np.isnan(scores.macro_f1_interval).all()


@pytest.mark.parametrize("labels", [[], ["a", "a"], ["a", None]])
def test_labels_that_are_refused(labels):
    with pytest.raises(ValueError, match="labels"):
        score_intervals(["a", "b"], ["a", "b"], labels=labels)


@pytest.mark.parametrize("container", [list, pd.Series, pl.Series])
def test_containers(container, predictions):
    expected = score_intervals(*predictions[:2], groups=predictions[2])
    y, predicted, groups = (container(values.tolist()) for values in predictions)
    scores = score_intervals(y, predicted, groups=groups)
    np.testing.assert_array_equal(scores.f1_interval, expected.f1_interval)


@pytest.mark.parametrize(
    ("y", "predicted", "message"),
    [
        ([], [], "no clips"),
        (["a"], ["a", "b"], "inconsistent"),
        (["a", None], ["a", "b"], "y_true contains NaN or None in row 1"),
        (["a", "b"], [1, 2], "Mix of label input types"),
    ],
)
def test_what_is_refused(y, predicted, message):
    with pytest.raises(ValueError, match=message):
        score_intervals(y, predicted)
