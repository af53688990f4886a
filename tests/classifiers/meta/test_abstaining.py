import warnings

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skgenre import (
    AbstainingClassifier,
    CRNNClassifier,
    MelSpectrogramTransformer,
    load,
    save,
)
from skgenre.classifiers import risk_coverage_curve
from skgenre.classifiers._meta._back_off import likeliest_branches
from skgenre.datasets import GenreTree
from skgenre.pipelines import embedding_pipeline


@pytest.fixture
def clips():
    """Two genres whose features overlap."""
    rng = np.random.default_rng(0)
    y = np.repeat(["folk", "techno"], 300)[rng.permutation(600)]
    return rng.normal(size=(600, 2)) + 1.5 * (y == "techno")[:, None], y


def test_precision_is_reached_on_other_clips():
    rng = np.random.default_rng(0)
    y = np.array(["folk", "techno"])[rng.integers(2, size=4000)]
    X = rng.normal(size=(4000, 2)) + 1.5 * (y == "techno")[:, None]
    plain = LogisticRegression().fit(X[:2000], y[:2000])
    careful = AbstainingClassifier(LogisticRegression(), target_precision=0.95)
    careful.fit(X[:2000], y[:2000])
    predicted = careful.predict(X[2000:])
    given = predicted != "unknown"
    assert plain.score(X[2000:], y[2000:]) < 0.9
    assert (predicted[given] == y[2000:][given]).mean() > 0.935
    assert given.mean() == pytest.approx(careful.coverage_, abs=0.05)
    assert careful.precision_ >= 0.95
    assert_array_equal(careful.predict_proba(X), plain.predict_proba(X))
    assert list(careful.classes_) == ["folk", "techno"]


def test_threshold_is_that_of_the_curve_on_folds(clips):
    X, y = clips
    from sklearn.model_selection import cross_val_predict

    careful = AbstainingClassifier(LogisticRegression(), target_precision=0.95)
    careful.fit(X, y)
    probabilities = cross_val_predict(
        LogisticRegression(), X, y, cv=5, method="predict_proba"
    )
    right = careful.classes_[probabilities.argmax(axis=1)] == y
    given = probabilities.max(axis=1) >= careful.threshold_
    assert careful.coverage_ == pytest.approx(given.mean())
    assert careful.precision_ == pytest.approx(right[given].mean())
    more = probabilities.max(axis=1) >= np.sort(probabilities.max(axis=1)[~given])[-1]
    assert right[more].mean() < 0.95 or more.sum() > given.sum()


def test_every_genre_is_predicted_where_all_are_precise_enough(clips):
    X, y = clips
    careful = AbstainingClassifier(LogisticRegression(), target_precision=0.5)
    careful.fit(X, y)
    assert careful.threshold_ == 0 and careful.coverage_ == 1
    assert set(careful.predict(X)) == {"folk", "techno"}


def test_no_genre_is_predicted_where_none_is_precise_enough(clips):
    X = np.zeros((40, 1))
    careful = AbstainingClassifier(LogisticRegression(), target_precision=0.9)
    with pytest.warns(UserWarning, match="No threshold reaches target_precision=0.9"):
        careful.fit(X, ["a", "b"] * 20)
    assert set(careful.predict(X)) == {"unknown"}
    assert np.isnan(careful.precision_) and careful.coverage_ == 0


@pytest.mark.parametrize(
    ("labels", "unknown", "kind"),
    [
        (["a", "b"], "who knows?", "U"),
        (["a", "b"], None, "U"),
        ([1, 2], 9, "i"),
        ([1, 2], None, "i"),
        ([-1, 2], None, "i"),
        ([False, True], None, "i"),
    ],
)
def test_labels_of_any_type(clips, labels, unknown, kind):
    X, y = clips
    y = np.array(labels)[(y == "techno").astype(int)]
    careful = AbstainingClassifier(
        LogisticRegression(), target_precision=0.97, unknown=unknown
    ).fit(X, y)
    predicted = careful.predict(X)
    assert predicted.dtype.kind == kind
    assert set(predicted.tolist()) == {*labels, careful.unknown_}
    assert unknown in (None, careful.unknown_)
    assert careful.unknown_ not in labels
    assert 0 < careful.score(X, y) < 1
    assert np.isfinite(cross_val_score(careful, X, y, cv=2)).all()


def test_groups_stay_together(clips):
    X, y = clips
    artists = np.arange(600) // 4
    X = X + np.random.default_rng(1).normal(size=(150, 2))[artists]
    nearest = KNeighborsClassifier(1)
    alone = AbstainingClassifier(nearest, target_precision=0.6).fit(X, y)
    apart = AbstainingClassifier(nearest, target_precision=0.6)
    apart.fit(X, y, groups=artists)
    splits = list(GroupKFold(5).split(X, y, artists))
    assert apart.precision_ != alone.precision_
    given = AbstainingClassifier(nearest, target_precision=0.6, cv=splits).fit(X, y)
    assert given.precision_ == pytest.approx(
        cross_val_score(nearest, X, y, cv=splits).mean(), abs=0.02
    )
    with sklearn.config_context(enable_metadata_routing=True):
        routed = make_pipeline(StandardScaler(), apart).fit(X, y, groups=artists)
    assert routed[-1].precision_ == pytest.approx(apart.precision_, abs=0.03)


def test_weights_and_groups_reach_the_estimator_and_the_curve(clips):
    fits = []

    class Recorder(LogisticRegression):
        def fit(self, X, y, sample_weight=None, groups=None):
            fits.append((len(X), sample_weight, groups))
            return super().fit(X, y, sample_weight)

    X, y = clips
    weights, artists = np.linspace(0.1, 2, 600), np.arange(600) // 4
    careful = AbstainingClassifier(Recorder(), target_precision=0.95, cv=3)
    careful.fit(X, y, weights, groups=artists)
    *folds, (n_clips, all_weights, all_artists) = fits
    assert n_clips == 600
    assert_array_equal(all_weights, weights)
    assert_array_equal(all_artists, artists)
    seen = []
    for n_clips, fold_weights, fold_artists in folds:
        (train,) = np.nonzero(np.isin(artists, fold_artists))
        assert len(train) == n_clips
        assert_array_equal(fold_weights, weights[train])
        seen += [*set(artists) - set(fold_artists)]
    assert sorted(seen) == list(range(150))  # each artist is tested once
    # The threshold is that of the weighted clips.
    probabilities = np.empty((600, 2))
    for train, test in StratifiedGroupKFold(3).split(X, y, artists):
        fitted = LogisticRegression().fit(X[train], y[train], weights[train])
        probabilities[test] = fitted.predict_proba(X[test])
    given = probabilities.max(axis=1) >= careful.threshold_
    right = careful.classes_[probabilities.argmax(axis=1)] == y
    assert careful.coverage_ == pytest.approx(weights[given].sum() / weights.sum())
    precision = np.average(right[given], weights=weights[given])
    assert careful.precision_ == pytest.approx(precision)


class Levels(ClassifierMixin, BaseEstimator):
    """Predicts the first feature as the probability of genre 1, whatever it learns."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 0], X[:, 0]])


def test_the_threshold_itself_is_enough():
    """Precision is 1, 1, 2/3, 3/4 and 3/5 at 0.9, 0.8, 0.7, 0.6 and 0.55."""
    X = np.array([[0.9], [0.2], [0.7], [0.4], [0.55]] * 4)
    y = np.array([1, 0, 0, 0, 0] * 4)
    for target, threshold, coverage, precision in [
        (1.0, 0.8, 2 / 5, 1),
        (0.76, 0.8, 2 / 5, 1),
        (0.75, 0.6, 4 / 5, 3 / 4),
        (0.61, 0.6, 4 / 5, 3 / 4),
        (0.6, 0, 1, 3 / 5),
    ]:
        careful = AbstainingClassifier(Levels(), target_precision=target, cv=2)
        careful.fit(X, y)
        assert careful.threshold_ == pytest.approx(threshold)
        assert careful.coverage_ == pytest.approx(coverage)
        assert careful.precision_ == pytest.approx(precision)
        given = careful.predict(X[:5]) != -1
        assert given.mean() == pytest.approx(coverage)


def test_embeddings_are_those_of_the_network():
    rng = np.random.default_rng(0)
    y = np.repeat(["folk", "rock"], 8)
    waves = rng.normal(size=(16, 2000)).astype(np.float32)
    waves[:8] = waves[:8].cumsum(axis=1) / 20
    network = CRNNClassifier(
        filters=(4,), lstm_units=4, embedding_units=4, epochs=1, random_state=0
    )
    careful = AbstainingClassifier(network, target_precision=0, cv=2)
    mel = MelSpectrogramTransformer(sample_rate=2000, n_fft=64, n_mels=8, n_frames=16)
    model = make_pipeline(mel, careful).fit(waves, y)
    embed = embedding_pipeline(model)
    assert embed is model
    embeddings = embed.transform(waves)
    assert embeddings.shape == (16, 4)
    X = mel.transform(waves)
    assert_array_equal(embeddings, model[-1].estimator_.transform(X))
    names = [f"abstainingclassifier{i}" for i in range(4)]
    assert embed[-1].get_feature_names_out().tolist() == names


def test_saved_and_loaded(clips, tmp_path):
    X, y = clips
    careful = AbstainingClassifier(LogisticRegression()).fit(X, y)
    save(careful, tmp_path / "it.model")
    assert_array_equal(load(tmp_path / "it.model").predict(X), careful.predict(X))


class TestRefusals:
    def test_unknown_is_a_genre(self, clips):
        with pytest.raises(ValueError, match="unknown='folk' is one of the genres"):
            AbstainingClassifier(LogisticRegression(), unknown="folk").fit(*clips)

    def test_unknown_of_another_type_than_the_genres(self, clips):
        X, y = clips
        with pytest.raises(ValueError, match="unknown=-1 must be a string"):
            AbstainingClassifier(LogisticRegression(), unknown=-1).fit(X, y)
        with pytest.raises(ValueError, match="unknown='x' must be a number"):
            AbstainingClassifier(LogisticRegression(), unknown="x").fit(X, y == "folk")

    def test_no_probabilities(self, clips):
        with pytest.raises(ValueError, match="'estimator' parameter"):
            AbstainingClassifier(SVC()).fit(*clips)

    def test_weights_that_are_not_taken(self, clips):
        with pytest.raises(TypeError, match="KNeighborsClassifier.fit does not take"):
            AbstainingClassifier(KNeighborsClassifier()).fit(*clips, np.ones(600))

    def test_folds_that_leave_clips_out(self, clips):
        careful = AbstainingClassifier(
            LogisticRegression(), cv=[(np.arange(300), np.arange(300, 500))]
        )
        with pytest.raises(ValueError, match="never tests some of the clips"):
            careful.fit(*clips)

    def test_parameters(self, clips):
        for parameters in ({"target_precision": 1.1}, {"unknown": []}, {"cv": "a"}):
            (name,) = parameters
            careful = AbstainingClassifier(LogisticRegression(), **parameters)
            with pytest.raises(ValueError, match=f"'{name}' parameter"):
                careful.fit(*clips)

    def test_failed_refit_leaves_an_unfitted_estimator(self, clips):
        X, y = clips
        careful = AbstainingClassifier(LogisticRegression()).fit(X, y)
        with pytest.raises(ValueError, match="NaN"):
            careful.fit(X * np.nan, y)
        assert not hasattr(careful, "estimator_")
        with pytest.raises(NotFittedError):
            careful.predict(X)


def test_no_warning_where_there_is_nothing_to_warn_of(clips):
    with warnings.catch_warnings(action="error", category=UserWarning):
        AbstainingClassifier(LogisticRegression()).fit(*clips).predict(clips[0])


def test_weight_0_is_absence():
    rng = np.random.default_rng(0)
    right, confidence = rng.uniform(size=600) > 0.3, rng.normal(size=600)
    weights = (np.arange(600) < 200).astype(float)
    for weighted, few in zip(
        risk_coverage_curve(right, confidence, weights),
        risk_coverage_curve(right[:200], confidence[:200]),
        strict=True,
    ):
        assert_allclose(weighted, few)


def test_equal_confidences():
    coverage, risk, thresholds = risk_coverage_curve([1, 0, 1], [0.5, 0.5, 0.5])
    assert_allclose([*coverage, *risk, *thresholds], [1, 1 / 3, 0.5])


def test_refusals():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        risk_coverage_curve([1, 1, 0], [0.9, 0.8])
    with pytest.raises(ValueError, match="All weights are 0|at least one non-zero"):
        risk_coverage_curve([1, 1], [0.9, 0.8], [0, 0])
    with pytest.raises(ValueError, match="confidence contains NaN"):
        risk_coverage_curve([1, 0], [0.9, np.nan])


TREE = GenreTree({"house": "dance", "techno": "dance", "dance": None})


@pytest.fixture
def families():
    """Folk, and two subgenres of dance music that can't be told apart."""
    rng = np.random.default_rng(0)
    y = np.array(["folk", "house", "techno"])[rng.integers(3, size=600)]
    return rng.normal(size=(600, 2)) + 4 * (y != "folk")[:, None], y


def test_genres_above_are_predicted_where_subgenres_are_uncertain(families):
    X, y = families
    plain = AbstainingClassifier(LogisticRegression()).fit(X[:400], y[:400])
    careful = AbstainingClassifier(LogisticRegression(), genre_tree=TREE)
    careful.fit(X[:400], y[:400])
    predicted = careful.predict(X[400:])
    assert plain.coverage_ < 0.5 and careful.coverage_ > 0.9
    assert np.mean(predicted == "dance") > 0.3
    right = [p in TREE.lineage(t) for p, t in zip(predicted, y[400:], strict=True)]
    assert np.mean(right) > 0.8 and careful.precision_ >= 0.9
    assert list(careful.classes_) == ["folk", "house", "techno"]
    assert_array_equal(careful.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize("weighted", [False, True])
def test_threshold_of_a_tree_is_the_lowest_that_is_precise_enough(families, weighted):
    X, y = families
    weights = np.random.default_rng(1).integers(0, 3, len(y)) / 3 if weighted else None
    careful = AbstainingClassifier(
        LogisticRegression(), genre_tree=TREE, target_precision=0.8
    ).fit(X, y, sample_weight=weights)
    probabilities = np.empty((len(y), 3))
    for train, test in StratifiedKFold(5).split(X, y):
        inner = LogisticRegression().fit(
            X[train], y[train], None if weights is None else weights[train]
        )
        probabilities[test] = inner.predict_proba(X[test])
    branches = likeliest_branches(probabilities, careful.classes_, TREE)
    counts = np.ones(len(y)) if weights is None else weights

    def precision_and_coverage(threshold):
        genres, given = branches.deepest(threshold)
        right = [g in TREE.lineage(t) for g, t in zip(genres, y, strict=True)]
        kept = counts * given
        return (kept * right).sum() / kept.sum(), kept.sum() / counts.sum()

    precision, coverage = precision_and_coverage(careful.threshold_)
    assert careful.precision_ == pytest.approx(precision)
    assert careful.coverage_ == pytest.approx(coverage)
    lower = np.unique(branches.probabilities[counts > 0])
    lower = lower[(lower < careful.threshold_) & (lower > 0)]
    assert all(precision_and_coverage(threshold)[0] < 0.8 for threshold in lower)


def test_the_trees_genres_and_the_classes(families):
    X, y = families
    careful = AbstainingClassifier(LogisticRegression(), genre_tree={"house": "Dance"})
    with pytest.raises(ValueError, match="unknown='Dance' is one of the genres"):
        careful.set_params(unknown="Dance").fit(X, y)
    with pytest.raises(ValueError, match="leads in a circle"):
        careful.set_params(genre_tree={"a": "b", "b": "a"}).fit(X, y)
    with pytest.raises(ValueError, match="'genre_tree' parameter"):
        careful.set_params(genre_tree="genres.csv").fit(X, y)
    careful = AbstainingClassifier(LogisticRegression(), genre_tree=TREE, cv=2)
    with pytest.warns(UserWarning, match="None of the genres .* is in genre_tree"):
        numbers = careful.fit(X, (y != "folk") + 0)
    assert set(numbers.predict(X)) == {0, 1}
    cloned = clone(careful)
    assert cloned.genre_tree == TREE and cloned.genre_tree is not TREE


def test_a_tree_is_saved_and_loaded(families, tmp_path):
    X, y = families
    for tree in (TREE, dict(TREE)):
        careful = AbstainingClassifier(LogisticRegression(), genre_tree=tree).fit(X, y)
        save(careful, tmp_path / "it.model")
        loaded = load(tmp_path / "it.model")
        assert loaded.genre_tree == tree and type(loaded.genre_tree) is type(tree)
        assert_array_equal(loaded.predict(X), careful.predict(X))
