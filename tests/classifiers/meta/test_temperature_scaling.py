import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skgenre import TemperatureScalingClassifier
from skgenre.classifiers._meta._temperature_scaling import _temperature

PAIRWISE = SVC(decision_function_shape="ovo")


def made(n_genres, n_clips, spread, seed=0):
    """Return clips around the centres of their genres, and test clips."""
    rng = np.random.default_rng(seed)
    centers = spread * rng.normal(size=(n_genres, 20))
    for n in (n_clips, 40):
        y = np.repeat([f"genre {i}" for i in range(n_genres)], n)
        yield np.repeat(centers, n, axis=0) + rng.normal(size=(len(y), 20))
        yield y


class Recorder(ClassifierMixin, BaseEstimator):
    """Keep the groups of each fit; decide by the first feature."""

    fits: list = []  # noqa: RUF012

    def fit(self, X, y, sample_weight=None, groups=None):
        self.classes_ = np.unique(y)
        self.fits.append((len(X), groups))
        return self

    def decision_function(self, X):
        return np.repeat(np.asarray(X)[:, :1], len(self.classes_), axis=1)


def test_temperature_has_the_least_loss_on_folds():
    X, y, _, _ = made(4, 10, 0.5)
    inner = LogisticRegression()
    model = TemperatureScalingClassifier(inner).fit(X, y)
    scores = cross_val_predict(inner, X, y, cv=5, method="decision_function")
    right = y[:, np.newaxis] == model.classes_
    targets = np.where(right, 41 / 42, 1 / 42 / 3)

    def loss(temperature):
        return -(targets * log_softmax(scores / temperature, axis=1)).sum()

    best = model.temperature_
    assert loss(best) < min(loss(1.01 * best), loss(best / 1.01))
    expected = softmax(model.estimator_.decision_function(X) / best, axis=1)
    assert_allclose(model.predict_proba(X), expected)
    assert_array_equal(model.predict(X), inner.fit(X, y).predict(X))


def test_no_certainty_where_no_clip_is_predicted_wrongly():
    X, y, X_test, y_test = made(2, 10, 2)
    model = TemperatureScalingClassifier(SVC()).fit(X, y)
    assert model.score(X_test, y_test) == 1
    assert 0.9 < model.predict_proba(X_test).max() < 0.999
    noise = np.random.default_rng(1).normal(scale=5, size=(100, 20))
    assert model.predict_proba(noise).max() < 0.7


def test_pairs_of_genres_are_no_votes():
    X, y, X_test, y_test = made(5, 12, 0.5)
    model = TemperatureScalingClassifier(make_pipeline(StandardScaler(), PAIRWISE))
    proba = model.fit(X, y).predict_proba(X_test)
    decisions = model.estimator_.decision_function(X_test)
    products = np.ones((len(X_test), 5))
    pairs = [(i, j) for i in range(5) for j in range(i + 1, 5)]
    for (i, j), decision in zip(pairs, decisions.T, strict=True):
        products[:, i] *= expit(2 * decision)
        products[:, j] *= expit(-2 * decision)
    powers = products ** (1 / model.temperature_)
    assert_allclose(proba, powers / powers.sum(axis=1, keepdims=True))
    votes = TemperatureScalingClassifier(SVC()).fit(X, y)
    noise = np.random.default_rng(1).normal(scale=5, size=(100, 20))
    sure = [each.predict_proba(noise).max(axis=1).mean() for each in (votes, model)]
    assert sure[1] < 0.75 * sure[0]
    accuracy = SVC().fit(X, y).score(X_test, y_test)
    assert model.score(X_test, y_test) == pytest.approx(accuracy, abs=0.02)


@pytest.mark.parametrize("factor", [1e-12, 1.0, 1e12])
def test_scores_of_any_size(factor):
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=60)
    scores = np.eye(3)[codes] + rng.normal(size=(60, 3))
    plain = _temperature(scores, codes, None)
    assert _temperature(factor * scores, codes, None) == pytest.approx(factor * plain)
    assert _temperature(np.zeros((60, 3)), codes, None) == 1


def test_a_weight_is_a_number_of_clips():
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=60)
    scores = np.eye(3)[codes] + rng.normal(size=(60, 3))
    weights = rng.integers(4, size=60)
    repeated = np.repeat(np.arange(60), weights)
    expected = _temperature(scores[repeated], codes[repeated], None)
    assert _temperature(scores, codes, weights) == pytest.approx(expected)


def test_weights_reach_the_estimator_and_the_temperature():
    X, y, _, _ = made(2, 30, 0.6)
    wrong = np.arange(60) % 10 == 0
    y = np.where(wrong, y[::-1], y)
    even = TemperatureScalingClassifier(LogisticRegression()).fit(X, y)
    trusting = TemperatureScalingClassifier(LogisticRegression())
    trusting.fit(X, y, sample_weight=np.where(wrong, 0.0, 1.0))
    assert trusting.temperature_ < 0.8 * even.temperature_
    assert not np.allclose(trusting.estimator_.coef_, even.estimator_.coef_)
    with pytest.raises(TypeError, match="sample_weight was given, but KNeighbors"):
        TemperatureScalingClassifier(KNeighborsClassifier()).fit(
            X, y, sample_weight=np.ones(60)
        )


@pytest.mark.parametrize(
    ("artists", "n_folds"), [(None, 4), ("several", 3), ("one of a genre", 4)]
)
def test_folds_are_those_that_the_rarest_genre_allows(artists, n_folds, monkeypatch):
    monkeypatch.setattr(Recorder, "fits", [])
    y = np.array(["folk"] * 8 + ["rock"] * 4)
    groups = None
    if artists is not None:  # of rock there are three, or one
        groups = np.r_[np.arange(8) // 2, [10, 10, 11, 12]]
    if artists == "one of a genre":
        groups[8:] = 10
    X = np.random.default_rng(0).normal(size=(12, 2))
    model = TemperatureScalingClassifier(Recorder()).fit(X, y, groups=groups)
    assert model.cv == 5
    *folds, everything = Recorder.fits
    assert len(folds) == n_folds and everything[0] == 12
    if artists == "several":
        assert all(np.isin(groups, of_fold).sum() == n for n, of_fold in folds)


def test_groups_reach_the_folds_of_a_pipeline_with_routing():
    X, y, _, _ = made(3, 12, 0.3)
    model = make_pipeline(StandardScaler(), TemperatureScalingClassifier(PAIRWISE))
    groups = np.arange(36) % 12 // 4
    alone = model.fit(X, y)[-1].temperature_
    with sklearn.config_context(enable_metadata_routing=True):
        routed = model.fit(X, y, groups=groups)[-1].temperature_
    directly = model[-1].fit(model[0].transform(X), y, groups=groups).temperature_
    assert routed == directly != alone


def test_a_genre_that_a_fold_does_not_learn_is_predicted_wrongly():
    X, y, _, _ = made(3, 10, 2)
    sure = TemperatureScalingClassifier(PAIRWISE).fit(X, y)
    cv = GroupKFold(3)
    groups = np.repeat([0, 1, 2], 10)
    unsure = TemperatureScalingClassifier(PAIRWISE, cv=cv).fit(X, y, groups=groups)
    assert unsure.temperature_ > 100 * sure.temperature_
    assert_allclose(unsure.predict_proba(X), 1 / 3, atol=0.05)


def test_probabilities_may_be_0():
    X, y, X_test, y_test = made(3, 10, 0.8)
    nearest = KNeighborsClassifier(1)
    model = TemperatureScalingClassifier(nearest).fit(X, y)
    assert_array_equal(model.predict(X_test), nearest.fit(X, y).predict(X_test))
    assert 0 < model.predict_proba(X_test).min()


def test_what_is_refused():
    X, y, _, _ = made(2, 5, 1)
    with pytest.raises(ValueError, match="Genre 'genre 1' has 1 clip to train on"):
        TemperatureScalingClassifier(SVC()).fit(X[:6], y[:6])
    with pytest.raises(ValueError, match="never tests some of the clips"):
        cv = [(np.arange(1, 10), np.arange(1))]
        TemperatureScalingClassifier(SVC(), cv=cv).fit(X, y)
    with pytest.raises(ValueError, match="Recorder gives scores that are not finite"):
        TemperatureScalingClassifier(Recorder()).fit(X + np.inf, y)
    model = TemperatureScalingClassifier(SVC()).fit(X, y)
    with pytest.raises(ValueError, match="at least 2 genres"):
        model.fit(X, y[:1].repeat(10))
    with pytest.raises(NotFittedError):
        model.predict(X)
    with pytest.raises(ValueError, match="'estimator' parameter"):
        TemperatureScalingClassifier(StandardScaler()).fit(X, y)
