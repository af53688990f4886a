import numpy as np
import pandas
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier

from skgenre import (
    AbstainingClassifier,
    MissingClipClassifier,
    MultiLabelClassifier,
    SegmentClassifier,
)
from skgenre.classifiers._meta._base import folds_by_group

NAMES = np.array(["rock", "folk", "jazz"])


@pytest.fixture(scope="module")
def clips():
    """Three genres, the last of them rare and faint; artists have four clips each."""
    rng = np.random.default_rng(0)
    y = (rng.random((400, 3)) < [0.5, 0.3, 0.15]).astype(int)
    X = y * [2, 2, 1] + rng.normal(scale=0.7, size=(400, 3))
    return X, y, np.arange(400) // 4


def in_lists(y):
    return [tuple(NAMES[row > 0].tolist()) for row in y]


def logistic():
    return OneVsRestClassifier(LogisticRegression())


def test_predictions_have_the_form_of_the_genres(clips):
    X, y, groups = clips
    model = MultiLabelClassifier(logistic())
    of_columns = model.fit(X, y, groups=groups).predict(X)
    thresholds, probabilities = model.thresholds_, model.predict_proba(X)
    assert model.classes_.tolist() == [0, 1, 2]

    frame = pandas.DataFrame(y, columns=NAMES)
    assert_array_equal(model.fit(X, frame, groups=groups).predict(X), of_columns)
    assert model.classes_.tolist() == NAMES.tolist()
    accuracy = model.score(X, frame)
    assert accuracy == (of_columns == y).all(axis=1).mean() > 0.5

    lists = in_lists(y)
    found = model.fit(X, lists, groups=groups).predict(X)
    assert model.classes_.tolist() == ["folk", "jazz", "rock"]
    assert [*map(set, found)] == [*map(set, in_lists(of_columns))]
    # The columns are those of the sorted genres; nothing else differs.
    order = np.argsort(NAMES)
    assert_allclose(model.thresholds_, thresholds[order])
    assert_allclose(model.predict_proba(X), probabilities[:, order])
    assert model.score(X, lists) == accuracy
    with pytest.raises(ValueError, match="multilabel-lists"):
        model.score(X, y)


def test_thresholds_find_more_of_a_rare_genre(clips):
    X, y, groups = clips
    model = MultiLabelClassifier(logistic()).fit(X[:200], y[:200], groups=groups[:200])
    assert model.thresholds_[2] < 0.5
    found = model.predict(X[200:])[:, 2]
    at_half = model.predict_proba(X[200:])[:, 2] >= 0.5
    scores = [f1_score(y[200:, 2], each) for each in (found, at_half)]
    assert scores[0] > scores[1] + 0.1


def test_folds_keep_artists_and_share_out_genres(clips):
    _, y, groups = clips
    counts = []
    for train, test in folds_by_group(5, y, groups):
        assert not {*groups[train]} & {*groups[test]}
        counts.append(y[test].sum(axis=0))
    rare = np.array(counts)[:, 2]
    assert rare.sum() == y[:, 2].sum()
    assert rare.max() - rare.min() <= 4  # of an artist's clips


def test_estimators_of_one_genre_are_refused(clips):
    X, y, _ = clips
    for model in (
        MultiLabelClassifier(LogisticRegression()),
        AbstainingClassifier(LogisticRegression()),
        MissingClipClassifier(LogisticRegression()),
        SegmentClassifier(LogisticRegression(), window=2, hop=1),
    ):
        with pytest.raises(ValueError, match="y has several .*OneVsRestClassifier"):
            model.fit(X, y)


def test_one_genre_a_clip_is_passed_on(clips):
    X, y, _ = clips
    genres = NAMES[y.argmax(axis=1)]
    model = MultiLabelClassifier(LogisticRegression()).fit(X, genres)
    assert not hasattr(model, "thresholds_")
    expected = LogisticRegression().fit(X, genres).predict(X)
    assert_array_equal(model.predict(X), expected)
    # Nothing of an earlier fit is left.
    again = MultiLabelClassifier(logistic()).fit(X, y).fit(X, genres)
    assert not hasattr(again, "thresholds_")
    assert again.predict(X).dtype.kind == "U"


class TestAround:
    """The other classifiers around another one."""

    def test_abstaining(self, clips):
        X, y, groups = clips
        X = X * [1, 1, 0]  # jazz can't be heard
        model = AbstainingClassifier(logistic(), target_precision=0.95)
        with pytest.warns(UserWarning, match="these genres.*: jazz"):
            model.fit(X, in_lists(y), groups=groups)
        assert model.classes_[np.isinf(model.thresholds_)].tolist() == ["jazz"]
        found = model.predict(X)
        is_unknown = np.array([genres == ("unknown",) for genres in found])
        surest = model.predict_proba(X) >= model.thresholds_
        assert_array_equal(is_unknown, ~surest.any(axis=1))
        assert model.coverage_ == pytest.approx((~is_unknown).mean(), abs=0.05)
        right = sum(
            len({*genres} & {*true})
            for genres, true in zip(found, in_lists(y), strict=True)
        )
        assert right / surest.sum() == pytest.approx(model.precision_, abs=0.03)
        assert model.precision_ >= 0.95
        model.set_params(genre_tree={"jazz": "rock"})
        with pytest.raises(ValueError, match="genre_tree is for one genre a clip"):
            model.fit(X, in_lists(y))

    def test_missing_clips(self, clips):
        X, y, _ = clips
        X = X.copy()
        X[:3] = np.nan
        for estimator in (KNeighborsClassifier(), logistic()):
            model = MissingClipClassifier(estimator)
            with pytest.warns(UserWarning, match="3 of 400 clips"):
                found = model.fit(X, y).predict(X)
            expected = estimator.fit(X[3:], y[3:]).predict(X[3:])
            assert_array_equal(found[3:], expected)
            assert not found[:3].any()
            probabilities = model.predict_proba(X)
            assert probabilities.shape == y.shape
            assert np.isnan(probabilities[:3]).all()
            # A missing clip is wrong, even if it has no genre.
            right = (expected == y[3:]).all(axis=1).sum()
            assert model.score(X, y) == right / 400
        for label, prediction in ((None, ()), ("gone", ("gone",))):
            model = MissingClipClassifier(logistic(), missing_label=label)
            with pytest.warns(UserWarning, match="3 of 400 clips"):
                found = model.fit(X, in_lists(y)).predict(X)
            assert found[:3].tolist() == [prediction] * 3

    @pytest.mark.parametrize(
        ("final_estimator", "message"),
        [
            (LogisticRegression(), "LogisticRegression takes one each"),
            (RidgeClassifier(), "final_estimator needs predict_proba"),
        ],
    )
    def test_final_estimators_are_refused_before_anything_is_fitted(
        self, final_estimator, message, clips
    ):
        X, y, _ = clips
        model = SegmentClassifier(
            logistic(), window=1, voting="stack", final_estimator=final_estimator, cv=99
        )
        with pytest.raises(ValueError, match=message):
            model.fit(X[:, np.newaxis], y)

    @pytest.mark.parametrize("voting", ["soft", "hard", "stack"])
    def test_windows(self, voting, clips):
        X, y, groups = clips
        rng = np.random.default_rng(1)
        spectrograms = [
            np.repeat(x[None], n, axis=0) + rng.normal(scale=0.1, size=(n, 3))
            for x, n in zip(X, rng.integers(3, 8, size=len(X)), strict=True)
        ]
        model = SegmentClassifier(logistic(), window=3, hop=2, voting=voting)
        model.fit(spectrograms, in_lists(y), groups=groups)
        probabilities = model.predict_proba(spectrograms)
        assert probabilities.shape == y.shape
        found = model.predict(spectrograms)
        order = np.argsort(NAMES)
        for genre, name in enumerate(NAMES[order]):
            is_found = [name in genres for genres in found]
            assert_array_equal(is_found, probabilities[:, genre] >= 0.5)
        is_rock = y[:, 0] == [("rock" in genres) for genres in found]
        assert is_rock.mean() > 0.85
