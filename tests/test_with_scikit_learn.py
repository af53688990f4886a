"""The networks in scikit-learn's hands: metadata, containers, searches, ensembles."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    accuracy_score,
    confusion_matrix,
    make_scorer,
)
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    cross_val_predict,
    learning_curve,
)
from sklearn.pipeline import make_pipeline

from skgenre import (
    CRNNClassifier,
    EmbeddingKMeans,
    MelSpectrogramTransformer,
    ParallelCNNRNNClassifier,
)

FAST = {"epochs": 6, "learning_rate": 0.02, "batch_size": 16, "random_state": 0}
CRNN = CRNNClassifier(filters=(8,), lstm_units=8, embedding_units=8, **FAST)
PARALLEL = ParallelCNNRNNClassifier(
    filters=(8,), pool_sizes=((2, 2),), gru_units=8, **FAST
)
MEL = MelSpectrogramTransformer(sample_rate=2000, n_fft=64, hop_length=50, n_frames=20)
MEL.set_params(n_mels=8)
MODEL = make_pipeline(MEL, CRNN)
both = pytest.mark.parametrize("network", [CRNN, PARALLEL], ids=["crnn", "parallel"])


@pytest.fixture(scope="module")
def waves():
    """Half a second of noise, muffled in one genre and sharp in the other; artists."""
    rng = np.random.default_rng(0)
    y = np.array(["dub", "noise"])[np.arange(48) % 2]
    X = rng.normal(size=(48, 1000))
    X[y == "dub"] = (X + np.roll(X, 1, axis=1) + np.roll(X, 2, axis=1))[y == "dub"]
    return X, y, np.arange(48) // 4


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def assert_same_weights(one, other):
    for a, b in zip(one.weights_, other.weights_, strict=True):
        np.testing.assert_array_equal(a, b)


class TestMetadata:
    """What is passed to a pipeline or a search reaches the network."""

    def test_through_a_pipeline(self, waves, routing):
        X, y, artists = waves
        weight = np.random.default_rng(0).uniform(0.5, 2, 48)
        model = make_pipeline(MEL, clone(CRNN).set_fit_request(sample_weight=True))
        model.fit(X, y, sample_weight=weight, groups=artists)
        spectrograms = MEL.transform(X)
        expected = clone(CRNN).fit(spectrograms, y, weight, groups=artists)
        assert_same_weights(model[-1], expected)
        assert_same_weights(
            make_pipeline(MEL, clone(CRNN)).fit(X, y, groups=artists)[-1],
            clone(CRNN).fit(spectrograms, y, groups=artists),
        )

    def test_validation_clips_through_a_pipeline(self, waves, routing):
        X, y, _ = waves
        held_out = MEL.transform(X[36:]), y[36:]
        model = make_pipeline(MEL, clone(CRNN).set_fit_request(validation_data=True))
        model.fit(X[:36], y[:36], validation_data=held_out)
        expected = clone(CRNN).fit(
            MEL.transform(X[:36]), y[:36], validation_data=held_out
        )
        assert_same_weights(model[-1], expected)

    def test_through_a_search_fold_by_fold(self, waves, routing):
        X, y, artists = waves
        weight = np.random.default_rng(0).uniform(0.5, 2, 48)
        held_out = MEL.transform(X), y
        network = clone(CRNN).set_fit_request(sample_weight=True, validation_data=True)
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
        search = GridSearchCV(
            make_pipeline(MEL, network),
            {"crnnclassifier__lstm_units": [4]},
            scoring=scorer,
            cv=GroupKFold(2),
            error_score="raise",
        ).fit(X, y, sample_weight=weight, groups=artists, validation_data=held_out)
        scores = []
        for train, test in GroupKFold(2).split(X, y, artists):
            model = make_pipeline(MEL, clone(network).set_params(lstm_units=4))
            model.fit(
                X[train],
                y[train],
                sample_weight=weight[train],
                groups=artists[train],
                validation_data=held_out,
            )
            predicted = model.predict(X[test])
            scores.append(
                accuracy_score(y[test], predicted, sample_weight=weight[test])
            )
        results = search.cv_results_
        assert [results[f"split{i}_test_score"][0] for i in (0, 1)] == scores

    def test_what_nobody_asked_for_is_refused(self, waves, routing):
        X, y, _ = waves
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="weight"):
            clone(MODEL).fit(X, y, sample_weight=np.ones(48))


class TestContainers:
    """Data frames go in, and come out where a table can."""

    @pytest.mark.parametrize(
        ("output", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)]
    )
    @both
    def test_embeddings_as_a_data_frame(self, network, output, frame, waves):
        X, y, _ = waves
        model = make_pipeline(MEL, network, EmbeddingKMeans(2, random_state=0))
        model = clone(model).set_output(transform=output).fit(X, y)
        embeddings = model[:-1].transform(X)
        assert isinstance(embeddings, frame)
        assert list(embeddings.columns) == list(model[1].get_feature_names_out())
        assert embeddings.columns[0] == f"{type(network).__name__.lower()}0"
        assert isinstance(model.transform(X), frame)
        assert isinstance(MEL.set_output(transform=output).transform(X), np.ndarray)
        network = model[1].set_output(transform="default")
        np.testing.assert_array_equal(
            embeddings.to_numpy(), network.transform(MEL.transform(X))
        )

    @both
    def test_names_of_columns(self, network, waves):
        X, y, _ = waves
        table = pd.DataFrame(X[:, :12], columns=list("abcdefghijkl"))
        fitted = clone(network).fit(table, y)
        assert list(fitted.feature_names_in_) == list("abcdefghijkl")
        with pytest.raises(ValueError, match="feature names should match"):
            fitted.predict(table[table.columns[::-1]])
        assert not hasattr(fitted.fit(X[:, :12], y), "feature_names_in_")

    def test_notebooks_show_every_step(self, waves):
        X, y, _ = waves
        for model in (clone(MODEL), clone(MODEL).fit(X, y)):
            html = model._repr_html_()
            assert "MelSpectrogramTransformer" in html
            assert "CRNNClassifier" in html


class TestLikeAnyClassifier:
    def test_integer_cv_is_stratified(self, waves):
        X, y, _ = waves
        X, y = MEL.transform(X), np.sort(y)
        by_number = cross_val_predict(clone(CRNN), X, y, cv=3)
        by_folds = cross_val_predict(clone(CRNN), X, y, cv=StratifiedKFold(3))
        np.testing.assert_array_equal(by_number, by_folds)

    def test_cross_val_predict_of_probabilities(self, waves):
        X, y, _ = waves
        probabilities = cross_val_predict(MODEL, X, y, cv=2, method="predict_proba")
        assert probabilities.shape == (48, 2)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        assert (probabilities.argmax(axis=1) == (y == "noise")).mean() > 0.8

    def test_confusion_matrix_display(self, waves):
        import matplotlib.pyplot as plt

        X, y, _ = waves
        model = clone(MODEL).fit(X, y)
        display = ConfusionMatrixDisplay.from_estimator(model, X, y)
        np.testing.assert_array_equal(
            display.confusion_matrix, confusion_matrix(y, model.predict(X))
        )
        assert list(display.display_labels) == ["dub", "noise"]
        plt.close("all")

    def test_soft_vote_is_the_mean_of_probabilities(self, waves):
        X, y, _ = waves
        X = MEL.transform(X)
        vote = VotingClassifier([("c", CRNN), ("p", PARALLEL)], voting="soft").fit(X, y)
        mean = np.mean([e.predict_proba(X) for e in vote.estimators_], axis=0)
        np.testing.assert_allclose(vote.predict_proba(X), mean)
        np.testing.assert_array_equal(vote.predict(X), vote.classes_[mean.argmax(1)])

    @pytest.mark.parametrize("ensemble", [True, False])
    def test_calibration(self, ensemble, waves):
        X, y, _ = waves
        model = CalibratedClassifierCV(MODEL, cv=2, ensemble=ensemble).fit(X, y)
        assert model.score(X, y) > 0.8

    def test_stacking(self, waves):
        X, y, _ = waves
        model = StackingClassifier(
            [("c", MODEL), ("p", make_pipeline(MEL, PARALLEL))],
            LogisticRegression(),
            cv=2,
        ).fit(X, y)
        assert model.score(X, y) > 0.8
        assert model.transform(X).shape == (48, 2)

    def test_learning_curve(self, waves):
        X, y, _ = waves
        sizes, _, scores = learning_curve(
            MODEL, X, y, cv=2, train_sizes=[0.5, 1.0], error_score="raise"
        )
        assert sizes.tolist() == [12, 24]
        assert scores[-1].mean() > 0.7

    def test_permutation_importance(self, waves):
        X, y, _ = waves
        table = MEL.transform(X).mean(axis=1)
        result = permutation_importance(
            clone(CRNN).fit(table, y), table, y, n_repeats=2, random_state=0
        )
        assert result.importances_mean.shape == (8,)
        assert result.importances_mean.max() > 0


GRID = {
    "melspectrogramtransformer__n_mels": [6, 8],
    "crnnclassifier__lstm_units": [4, 8],
}


@pytest.mark.slow
def test_searches_in_processes_find_what_one_does(waves):
    """The second time, the processes have networks of the first."""
    X, y, _ = waves
    search = GridSearchCV(MODEL, GRID, cv=2, error_score="raise")
    alone = clone(search).fit(X, y)
    for _ in range(2):
        together = clone(search).set_params(n_jobs=2).fit(X, y)
        assert together.best_params_ == alone.best_params_
        np.testing.assert_array_equal(
            together.cv_results_["mean_test_score"],
            alone.cv_results_["mean_test_score"],
        )
        np.testing.assert_array_equal(together.predict_proba(X), alone.predict_proba(X))
