"""Any estimator can be taken apart, whatever it is made of."""

from typing import ClassVar

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from skgenre import AbstainingClassifier, CRNNClassifier, SegmentClassifier
from skgenre._estimators import (
    apply_steps,
    describe_estimator,
    fit_takes,
    fit_with_groups,
    fitted_inside,
    nested,
    parts,
    set_in_parts,
    split_last_step,
    steps,
    takes_three_axes,
)


@pytest.fixture
def search():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), np.array(["a", "b"] * 20)
    inner = make_pipeline(MinMaxScaler(), LogisticRegression())
    model = Pipeline(
        [
            ("inner", Pipeline([("same", "passthrough"), ("scale", StandardScaler())])),
            ("nothing", None),
            ("careful", AbstainingClassifier(inner, target_precision=0)),
        ]
    )
    return GridSearchCV(model, {"careful__cv": [2]}, cv=2).fit(X, y), X


def test_pipelines_and_searches_are_taken_apart(search):
    search, X = search
    front, last = split_last_step(search)
    assert [type(step) for step in front] == [StandardScaler]
    assert last is search.best_estimator_[-1]
    assert_allclose(last.predict_proba(apply_steps(front, X)), search.predict_proba(X))


def test_classes_around_others_are_taken_off_where_asked(search):
    search, X = search
    front, last = split_last_step(search, through=(AbstainingClassifier,))
    assert [type(step) for step in front] == [StandardScaler, MinMaxScaler]
    assert last is search.best_estimator_[-1].estimator_[-1]
    assert_allclose(last.predict_proba(apply_steps(front, X)), search.predict_proba(X))
    careful = search.estimator[-1]  # not fitted
    front, last = split_last_step(careful, through=(AbstainingClassifier,))
    assert [*front, last] == [step for _, step in careful.estimator.steps]


def test_other_estimators_are_left_whole():
    model = LogisticRegression()
    nothing = Pipeline([("same", "passthrough")])
    assert split_last_step(nothing) == ([], nothing)
    assert split_last_step(model) == ([], model)
    only = Pipeline([("only", model), ("same", "passthrough")])
    assert split_last_step(only) == ([], model)
    assert steps(nothing) == [] and steps(model) == [model]


def test_nested_estimators_come_last_step_first(search):
    search, _ = search
    best = search.best_estimator_
    careful = best[-1]
    assert [*nested(search)] == [
        search,
        best,
        careful,
        careful.estimator_,
        careful.estimator_[-1],
        careful.estimator_[0],
        best[0][-1],
    ]
    assert fitted_inside(careful) is careful.estimator_
    assert fitted_inside(search) is best
    assert fitted_inside(careful.estimator) is None


def test_descriptions_name_what_is_inside(search):
    search, _ = search
    assert describe_estimator(SVC()) == "SVC"
    text = "GridSearchCV of Pipeline of Pipeline, NoneType, AbstainingClassifier"
    assert describe_estimator(search) == text
    careful = search.best_estimator_[-1]
    assert describe_estimator(careful).endswith(
        "Pipeline of MinMaxScaler, LogisticRegression"
    )


class Holder(BaseEstimator):
    """Of another package, whose parts are its own concern."""

    def __init__(self, inside=None):
        self.inside = inside


def test_parts_are_yielded_once_and_only_of_known_packages():
    svc, scaler = SVC(), StandardScaler()
    model = make_pipeline(scaler, FeatureUnion([("a", scaler), ("b", Holder(svc))]))
    model.array_ = np.array([LinearRegression(), 3], dtype=object)
    kinds = [type(part) for part in parts(model)]
    assert kinds.count(StandardScaler) == kinds.count(LinearRegression) == 1
    assert Holder in kinds and SVC not in kinds


def test_parameters_are_set_in_copies_too(search):
    search, _ = search
    set_in_parts(search, lambda part: hasattr(part, "transform"), copy=False, cv=3)
    best = search.best_estimator_
    for scaler in (best[0][-1], best[-1].estimator_[0], best[-1].estimator[0]):
        assert scaler.copy is False
    assert best[-1].cv == 2  # it has no transform


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (CRNNClassifier(), True),
        (SVC(), False),
        (SegmentClassifier(SVC()), True),
        (GridSearchCV(CRNNClassifier(), {}), True),
        (GridSearchCV(SVC(), {}), False),
        (CalibratedClassifierCV(CRNNClassifier()), True),
        (VotingClassifier([("a", "drop"), ("b", CRNNClassifier())]), True),
        (VotingClassifier([("a", "drop"), ("b", SVC())]), False),
        (VotingClassifier([("a", SVC()), ("b", CRNNClassifier())]), True),
        (make_pipeline(CRNNClassifier(), SVC()), True),
        (make_pipeline(StandardScaler(), SVC()), False),
        (Pipeline([("same", "passthrough")]), False),
    ],
)
def test_what_takes_three_axes(estimator, expected):
    assert takes_three_axes(estimator) is expected


def test_what_fit_takes():
    assert fit_takes(SVC(), "sample_weight") and not fit_takes(SVC(), "groups")
    assert not fit_takes(KNeighborsClassifier(), "sample_weight")
    assert fit_takes(make_pipeline(StandardScaler(), SVC()), "sample_weight")
    ends_without = make_pipeline(StandardScaler(), KNeighborsClassifier())
    assert not fit_takes(ends_without, "sample_weight")
    assert fit_takes(MultiOutputRegressor(SVC()), "sample_weight")


def test_groups_reach_those_that_take_them():
    class Grouped(LogisticRegression):
        __metadata_request__fit: ClassVar = {"groups": True}

        def fit(self, X, y, groups=None):
            self.groups_ = groups
            return super().fit(X, y)

    X, y, groups = [[0.0], [1.0]], ["a", "b"], ["c", "d"]
    model = make_pipeline(StandardScaler(), Grouped())
    fit_with_groups(model, X, y, groups)
    assert model[-1].groups_ == groups
    fit_with_groups(model, X, y, None)
    assert model[-1].groups_ is None
    other = LogisticRegression()
    fit_with_groups(other, X, y, groups)
    assert other.classes_.tolist() == y
