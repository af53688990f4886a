import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags

from skgenre import (
    AbstainingClassifier,
    CRNNClassifier,
    MissingClipClassifier,
    SegmentClassifier,
    TemperatureScalingClassifier,
)
from skgenre.classifiers._meta._base import (
    check_all_tested,
    check_clip_weights,
    check_fit_takes,
    class_probabilities,
    fit_with,
    folds_by_group,
    hard_votes,
)

AT_ANY_PRECISION = {AbstainingClassifier: {"target_precision": 0}}
META = [AbstainingClassifier, MissingClipClassifier, TemperatureScalingClassifier]
GENRES = np.array(["folk", "jazz", "rock"])


class Recorder(ClassifierMixin, BaseEstimator):
    def fit(self, X, y, sample_weight=None, groups=None):
        self.given_ = {"sample_weight": sample_weight, "groups": groups}
        self.classes_ = np.unique(y)
        return self


class TestFitWith:
    X, y = np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1])

    def test_only_what_fit_takes_and_what_is_given(self):
        weight = np.ones(4)
        given = fit_with(
            Recorder(), self.X, self.y, sample_weight=weight, groups=None, other=3
        ).given_
        assert given["sample_weight"] is weight
        assert given["groups"] is None
        fit_with(KNeighborsClassifier(2), self.X, self.y, sample_weight=weight)

    @pytest.mark.parametrize("routing", [False, True])
    def test_every_step_of_a_pipeline(self, routing):
        weight, groups = np.array([1.0, 1, 0, 0]), np.arange(4)
        model = make_pipeline(StandardScaler(), MinMaxScaler(), "passthrough")
        model.steps.append(("last", Recorder()))
        with sklearn.config_context(enable_metadata_routing=routing):
            fit_with(model, self.X, self.y, sample_weight=weight, groups=groups)
        assert_array_equal(model[0].mean_, self.X[:2].mean(axis=0))
        assert model[-1].given_["sample_weight"] is weight
        assert model[-1].given_["groups"] is groups


class TestFolds:
    y = np.array(["folk", "rock"] * 12)

    def test_groups_stay_whole(self):
        groups = np.arange(24) % 12  # without them, folds would be of neighbours
        folds = list(folds_by_group(3, self.y, groups))
        assert len(folds) == 3
        for train, test in folds:
            assert not set(groups[train]) & set(groups[test])
            assert len(train) + len(test) == 24
            assert (self.y[test] == "folk").sum() == 4
        assert sorted(np.concatenate([test for _, test in folds])) == list(range(24))

    def test_without_groups_they_are_stratified(self):
        y = np.sort(self.y)
        expected = StratifiedKFold(3).split(y, y)
        for fold, wanted in zip(folds_by_group(3, y, None), expected, strict=True):
            assert_array_equal(fold[0], wanted[0])
            assert_array_equal(fold[1], wanted[1])

    def test_a_splitter_gets_the_groups(self):
        groups = np.arange(24) // 6
        folds = list(folds_by_group(LeaveOneGroupOut(), self.y, groups))
        assert [test.tolist() for _, test in folds] == [
            list(range(6 * i, 6 * i + 6)) for i in range(4)
        ]

    def test_refusals(self):
        with pytest.raises(ValueError, match=r"one genre only .*: \['rock'\]"):
            list(folds_by_group([([1, 3], [0, 2])], self.y, None))
        check_all_tested(3, np.zeros((3, 2)))
        tested = np.zeros((3, 2))
        tested[1] = np.nan
        with pytest.raises(ValueError, match="cv=3 never tests some"):
            check_all_tested(3, tested)


class TestProbabilities:
    X = np.array([[0.0], [0.1], [5.0], [5.1]])

    def test_columns_are_those_of_the_classes(self):
        """A fold may lack the genre in the middle, or the first."""
        for seen in (["folk", "rock"], ["jazz", "rock"]):
            fitted = GaussianNB().fit(self.X, np.repeat(seen, 2))
            result = class_probabilities(fitted, self.X, GENRES)
            missing = [genre not in seen for genre in GENRES]
            assert (result[:, missing] == 0).all()
            expected = fitted.predict_proba(self.X)
            assert_array_equal(result[:, np.logical_not(missing)], expected)

    def test_nan_is_refused(self):
        class Broken(GaussianNB):
            def predict_proba(self, X):
                return np.array([[0.5, 0.5], [np.nan, 0.5]])

        fitted = Broken().fit(self.X, [0, 0, 1, 1])
        with pytest.raises(ValueError, match="Broken gives probabilities that are NaN"):
            class_probabilities(fitted, self.X[:2], fitted.classes_)

    def test_votes(self):
        fitted = SVC().fit(self.X, np.repeat(["folk", "rock"], 2))
        votes = hard_votes(fitted, self.X[[0, 2, 1]], GENRES)
        assert_array_equal(votes, [[1, 0, 0], [0, 0, 1], [1, 0, 0]])

    def test_a_vote_for_none_of_the_genres_is_refused(self):
        class Unsure(SVC):
            def predict(self, X):
                return np.where(np.arange(len(X)) < 1, "folk", "unknown")

        fitted = Unsure().fit(self.X, np.repeat(["folk", "rock"], 2))
        with pytest.raises(ValueError, match="Unsure predicts .*'unknown'.*, which is"):
            hard_votes(fitted, self.X, GENRES)

    def test_votes_take_memory_for_the_clips_only(self):
        """A square of the classes would be 8 TB, in a model file of 4 MB."""
        fitted = SVC().fit(self.X, [3, 3, 7, 7])
        votes = hard_votes(fitted, self.X[[0, 2]], np.arange(10**6))
        assert votes.shape == (2, 10**6) and votes.argmax(axis=1).tolist() == [3, 7]


class TestRefusals:
    def test_arguments_that_fit_does_not_take(self):
        check_fit_takes(KNeighborsClassifier(), sample_weight=None)
        check_fit_takes(make_pipeline(StandardScaler(), SVC()), sample_weight=[1])
        model = make_pipeline(StandardScaler(), KNeighborsClassifier())
        with pytest.raises(TypeError, match="sample_weight was given, but Pipeline"):
            check_fit_takes(model, sample_weight=[1])

    def test_weights(self):
        weights = check_clip_weights(np.zeros(3), [0, 2, 1])
        assert weights.dtype == np.float64
        assert weights.tolist() == [0, 2, 1]
        with pytest.raises(ValueError, match="is 0 for all clips|non-zero"):
            check_clip_weights(np.zeros(3), [0, 0, 0])
        with pytest.raises(ValueError, match="(?i)negative"):
            check_clip_weights(np.zeros(3), [0, -1, 2])


class TestMetaClassifier:
    @pytest.mark.parametrize("around", META)
    @pytest.mark.parametrize("inner", [CRNNClassifier(), LogisticRegression()])
    def test_input_is_that_of_the_estimator_inside(self, around, inner):
        assert get_tags(around(inner)).input_tags == get_tags(inner).input_tags

    @pytest.mark.parametrize("around", META)
    def test_columns_are_those_of_the_last_fit(self, around):
        X = np.random.default_rng(0).normal(size=(40, 3))
        y = np.repeat(["folk", "rock"], 20)
        frame = pd.DataFrame(X, columns=["a", "b", "c"])
        model = around(LogisticRegression(), **AT_ANY_PRECISION.get(around, {}))
        assert model.fit(frame, y).feature_names_in_.tolist() == ["a", "b", "c"]
        model.fit(X[:, :2], y)
        assert not hasattr(model, "feature_names_in_")
        assert model.n_features_in_ == 2


@pytest.mark.parametrize("around", [*META, SegmentClassifier])
def test_methods_are_those_of_the_estimator_inside(around):
    """Before it is fitted, and after, when another may have been set."""
    X = np.random.default_rng(0).normal(size=(40, 6))
    y = np.repeat(["folk", "rock"], 20)
    logistic, discriminant = LogisticRegression(), LinearDiscriminantAnalysis()
    given = AT_ANY_PRECISION.get(around, {})
    model = around(logistic, **given)
    for name in ("transform", "fit_transform", "get_feature_names_out"):
        assert not hasattr(model, name)
        assert hasattr(around(discriminant), name)
    model.fit(X, y).set_params(estimator=discriminant)
    assert not hasattr(model, "transform")
    model.fit(X, y).set_params(estimator=logistic)
    assert model.transform(X).shape == (40, 1)
    if around is not AbstainingClassifier:
        return
    assert_array_equal(model.transform(X), model.estimator_.transform(X))
    frame = model.set_output(transform="pandas").transform(X)
    assert list(frame.columns) == ["abstainingclassifier0"]
