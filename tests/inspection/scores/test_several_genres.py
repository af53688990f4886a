import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    label_ranking_average_precision_score,
    precision_score,
    recall_score,
)

from skgenre.inspection import multilabel_score_intervals
from skgenre.inspection._scores._bootstrap import bootstrap_draws

NAMES = np.array(["folk", "jazz", "rock", "techno"])
rng = np.random.default_rng(0)
TRUE = (rng.random((120, 4)) < [0.5, 0.3, 0.2, 0.1]).astype(int)
# Rounded: clips and genres that are equally probable count as scikit-learn has them.
PROBA = (0.6 * rng.random((120, 4)) + 0.4 * TRUE).round(1)
PREDICTED = (PROBA > 0.45).astype(int)
ARTISTS = np.arange(120) // 3


def scored(rows=slice(None), **more):
    return multilabel_score_intervals(TRUE[rows], PROBA[rows], PREDICTED[rows], **more)


def test_scores_are_those_of_scikit_learn():
    scores = scored(groups=ARTISTS)
    expected = {
        "ranking_precision": label_ranking_average_precision_score(TRUE, PROBA),
        "average_precision": average_precision_score(TRUE, PROBA, average=None),
        "macro_average_precision": average_precision_score(TRUE, PROBA),
        "precision": precision_score(TRUE, PREDICTED, average=None),
        "recall": recall_score(TRUE, PREDICTED, average=None),
        "f1": f1_score(TRUE, PREDICTED, average=None),
        "macro_f1": f1_score(TRUE, PREDICTED, average="macro"),
        "accuracy": accuracy_score(TRUE, PREDICTED),
        "support": TRUE.sum(axis=0),
        "cooccurrence": TRUE.T @ PREDICTED,
    }
    for name, value in expected.items():
        assert_allclose(scores[name], value, err_msg=name)
    assert scores.n_groups.tolist() == [
        len(np.unique(ARTISTS[TRUE[:, genre] > 0])) for genre in range(4)
    ]


def test_intervals_are_over_samples_of_artists():
    scores = scored(groups=ARTISTS)
    samples = []
    for times in next(bootstrap_draws(40))[:2000]:
        weight = times[ARTISTS]
        samples.append(
            [
                *average_precision_score(
                    TRUE, PROBA, average=None, sample_weight=weight
                ),
                label_ranking_average_precision_score(
                    TRUE, PROBA, sample_weight=weight
                ),
            ]
        )
        if len(samples) == 100:
            break
    few = np.array(samples)
    for genre in range(4):
        low, high = scores.average_precision_interval[genre]
        inside = (few[:, genre] >= low) & (few[:, genre] <= high)
        assert 0.85 < inside.mean() <= 1
    low, high = scores.ranking_precision_interval
    assert 0.85 < ((few[:, 4] >= low) & (few[:, 4] <= high)).mean() <= 1
    width = np.diff(scores.f1_interval, axis=1)
    assert (width > np.diff(scored().f1_interval, axis=1)).sum() <= 4


def test_lists_need_labels_and_count_the_same():
    def lists(y):
        return [tuple(NAMES[row > 0].tolist()) for row in y]

    scores = multilabel_score_intervals(
        lists(TRUE), PROBA, lists(PREDICTED), labels=NAMES
    )
    expected = scored()
    assert scores.labels.tolist() == NAMES.tolist()
    assert_allclose(scores.f1_interval, expected.f1_interval)
    with pytest.raises(ValueError, match=r"y_true has genres .*\['ska'\]"):
        multilabel_score_intervals(
            [("ska", "folk")], PROBA[:1], [("folk",)], labels=NAMES
        )


def test_a_genre_without_clips_or_by_one_artist():
    rows = TRUE[:, 3] == 0
    scores = scored(rows, groups=ARTISTS[rows])
    assert np.isnan(scores.average_precision[3])
    assert np.isnan(scores.average_precision_interval[3]).all()
    assert scores.macro_average_precision == pytest.approx(
        scores.average_precision[:3].mean()
    )
    alone = scored(slice(0, 3), groups=["Ann"] * 3)
    assert np.isnan(alone.ranking_precision_interval).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_proba": PROBA + 1}, "y_proba must be from 0 to 1"),
        ({"labels": NAMES[:3]}, "4 columns, and there are 3 labels"),
        ({"y_pred": PREDICTED[:, :3]}, "y_pred has 3 columns"),
        ({"y_pred": PREDICTED[:7]}, "inconsistent numbers"),
        ({"y_true": NAMES[TRUE.argmax(axis=1)]}, "y_true must have several genres"),
        ({"y_proba": PROBA[:0]}, "0 sample"),
    ],
    ids=["proba", "labels", "columns", "lengths", "one", "none"],
)
def test_what_is_refused(change, message):
    given = {"y_true": TRUE, "y_proba": PROBA, "y_pred": PREDICTED} | change
    with pytest.raises(ValueError, match=message):
        multilabel_score_intervals(**given)
