import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
import soundfile
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skgenre import (
    AbstainingClassifier,
    CRNNClassifier,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    MissingClipClassifier,
    SegmentClassifier,
    load,
    save,
)

BAD = np.array([0, 5, 33])
GOOD = np.delete(np.arange(40), BAD)

pytestmark = pytest.mark.filterwarnings("ignore:.*missing and were left out")


@pytest.fixture
def clips():
    """A table of two genres, and three clips that could not be read."""
    rng = np.random.default_rng(0)
    y = np.repeat(["folk", "techno"], 20)
    X = rng.normal(size=(40, 3)) + 2 * (y == "techno")[:, None]
    X[BAD] = np.nan
    return X, y


def test_equals_the_estimator_on_the_others(clips):
    X, y = clips
    plain = LogisticRegression().fit(X[GOOD], y[GOOD])
    classifier = MissingClipClassifier(LogisticRegression())
    with pytest.warns(UserWarning, match="3 of 40 clips are missing.*: 0, 5, 33"):
        classifier.fit(X, y)
    assert classifier.n_missing_ == 3
    assert_array_equal(classifier.estimator_.coef_, plain.coef_)
    predicted = classifier.predict(X)
    assert predicted.dtype == object
    assert predicted[BAD].tolist() == [None] * 3
    assert_array_equal(predicted[GOOD], plain.predict(X[GOOD]))
    probabilities = classifier.predict_proba(X)
    assert np.isnan(probabilities[BAD]).all()
    assert_array_equal(probabilities[GOOD], plain.predict_proba(X[GOOD]))
    right = (predicted[GOOD] == y[GOOD]).sum()
    assert classifier.score(X, y) == pytest.approx(right / 40)
    assert classifier.score(X, y, np.arange(40) != 0) == pytest.approx(right / 39)


def test_nothing_changes_where_nothing_is_missing(clips):
    X, y = clips
    X, y = X[GOOD], y[GOOD]
    with warnings.catch_warnings(action="error"):
        classifier = MissingClipClassifier(SVC()).fit(X, y)
    assert classifier.n_missing_ == 0
    predicted = classifier.predict(X)
    assert predicted.dtype == y.dtype
    assert_array_equal(predicted, SVC().fit(X, y).predict(X))
    assert not hasattr(classifier, "predict_proba")
    assert not hasattr(classifier, "transform")


def test_only_missing_clips(clips):
    X, y = clips
    classifier = MissingClipClassifier(LogisticRegression()).fit(X, y)
    assert classifier.predict(X[BAD]).tolist() == [None] * 3
    assert classifier.predict_proba(X[BAD]).shape == (3, 2)
    with pytest.raises(ValueError, match="All clips of X are missing"):
        MissingClipClassifier(LogisticRegression()).fit(X[BAD], y[BAD])


@pytest.mark.parametrize(
    ("genres", "label"),
    [(["a", "b"], "no sound"), ([1, 2], -1), ([False, True], -1), (["a", "b"], None)],
)
def test_labels_of_any_type(clips, genres, label):
    X, y = clips
    y = np.array(genres)[(y == "techno").astype(int)]
    classifier = MissingClipClassifier(LogisticRegression(), missing_label=label)
    predicted = classifier.fit(X, y).predict(X)
    assert set(predicted.tolist()) == {*genres, label}
    assert set(classifier.classes_.tolist()) == set(genres)


def test_scorers_take_a_label(clips):
    classifier = MissingClipClassifier(LogisticRegression(), missing_label="missing")
    scores = cross_val_score(classifier, *clips, cv=4, scoring="accuracy")
    assert_array_equal(scores, cross_val_score(classifier, *clips, cv=4))
    assert 0 < scores.mean() < 1


def test_search(clips):
    X, y = clips
    grid = {"estimator__C": [1e-6, 1.0], "estimator__class_weight": [None, "balanced"]}
    search = GridSearchCV(MissingClipClassifier(SVC()), grid, cv=3).fit(X, y)
    assert search.best_params_["estimator__C"] == 1
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(X)[5] is None


def test_weights_and_groups_stay_with_their_clips(clips):
    class Recorder(DummyClassifier):
        def fit(self, X, y, sample_weight=None, groups=None, validation_data=None):
            self.seen_ = sample_weight, groups, validation_data
            return super().fit(X, y)

    X, y = clips
    groups = np.array([f"artist {i}" for i in range(40)])
    recorder = MissingClipClassifier(Recorder())
    rows, kept = [1, 0, 30, 5, 2, 25], [1, 30, 2, 25]
    validation_data = X[rows], y[rows]
    recorder.fit(X, y, np.arange(40), groups=groups, validation_data=validation_data)
    weights, seen_groups, (X_val, y_val) = recorder.estimator_.seen_
    assert_array_equal(weights, GOOD)
    assert_array_equal(seen_groups, groups[GOOD])
    assert_array_equal(X_val, X[kept])
    assert_array_equal(y_val, y[kept])
    with sklearn.config_context(enable_metadata_routing=True):
        routed = make_pipeline(StandardScaler(), recorder).fit(X, y, groups=groups)
    assert_array_equal(routed[-1].estimator_.seen_[1], groups[GOOD])


def test_data_frames(clips):
    X, y = clips
    frame = pd.DataFrame(X, columns=["a", "b", "c"], index=np.arange(40) + 7)
    classifier = MissingClipClassifier(LogisticRegression()).fit(frame, pd.Series(y))
    assert classifier.feature_names_in_.tolist() == ["a", "b", "c"]
    with warnings.catch_warnings(action="error"):
        predicted = classifier.predict(frame)
    assert_array_equal(predicted, MissingClipClassifier(SVC()).fit(X, y).predict(X))


def test_inner_transform(clips):
    X, y = clips
    analysis = MissingClipClassifier(LinearDiscriminantAnalysis()).fit(X, y)
    axis = analysis.transform(X)
    assert axis.shape == (40, 1)
    assert np.isnan(axis[BAD]).all()
    assert_array_equal(axis[GOOD], analysis.estimator_.transform(X[GOOD]))
    assert analysis.transform(X[BAD]).shape == (3, 1)
    assert_array_equal(clone(analysis).fit_transform(X, y), axis)
    frame = analysis.set_output(transform="pandas").transform(X)
    assert frame.columns.tolist() == ["missingclipclassifier0"]


def test_saved_and_loaded(clips, tmp_path):
    classifier = MissingClipClassifier(LogisticRegression()).fit(*clips)
    save(classifier, tmp_path / "it.model")
    loaded = load(tmp_path / "it.model")
    assert loaded.predict(clips[0]).tolist() == classifier.predict(clips[0]).tolist()


def test_around_other_meta_estimators(clips):
    X, y = clips
    careful = AbstainingClassifier(LogisticRegression(), target_precision=0.99)
    for inner in (careful, CalibratedClassifierCV(SVC(), cv=3), KNeighborsClassifier()):
        classifier = MissingClipClassifier(inner, missing_label="unknown").fit(X, y)
        assert (classifier.predict(X[BAD]) == "unknown").all()
        assert np.isfinite(classifier.predict_proba(X[GOOD])).all()


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    """Low and high tones, of two lengths, and two files that are none."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    paths = []
    for i in range(12):
        path = folder / f"{i}.wav"
        t = np.arange(22050 * (1 + i % 3 // 2)) / 22050
        tone = 0.3 * np.sin(2 * np.pi * (200 if i < 6 else 3000) * t)
        soundfile.write(path, tone + rng.normal(0, 0.01, len(t)), 22050)
        paths.append(str(path))
    for i in (2, 9):
        (folder / f"{i}.wav").write_bytes(b"RIFF and then nothing" * i)
    return paths, np.repeat(["low", "high"], 6)


class TestOnAudio:
    def test_table(self, tracks, tmp_path):
        paths, y = tracks
        model = make_pipeline(
            MFCCStandardizer(on_error="ignore"), MissingClipClassifier(SVC())
        ).fit(paths, y)
        expected = y.astype(object)
        expected[[2, 9]] = None
        assert model.predict(paths).tolist() == expected.tolist()
        save(model, tmp_path / "it.model")
        loaded = load(tmp_path / "it.model")
        assert loaded.predict(paths).tolist() == expected.tolist()
        assert loaded[0].extraction_report_["status"].value_counts()["error"] == 2

    def test_network(self, tracks):
        paths, y = tracks
        small = {"filters": (4,), "lstm_units": 4, "embedding_units": 4, "epochs": 1}
        model = make_pipeline(
            MelSpectrogramTransformer(n_frames=16, n_mels=16, on_error="ignore"),
            MissingClipClassifier(CRNNClassifier(**small, random_state=0)),
        ).fit(paths, y)
        assert np.isnan(model.predict_proba(paths)).any(axis=1).nonzero()[
            0
        ].tolist() == [2, 9]
        assert model.transform(paths).shape == (12, 4)

    def test_whole_clips(self, tracks):
        paths, y = tracks
        model = make_pipeline(
            MelSpectrogramTransformer(n_frames=None, n_mels=16, on_error="ignore"),
            MissingClipClassifier(
                SegmentClassifier(LogisticRegression(), window=8, hop=8)
            ),
        ).fit(paths, y)
        predicted = model.predict(paths)
        assert predicted[[2, 9]].tolist() == [None, None]
        assert model.score(paths, y) == pytest.approx(10 / 12)


class TestRefusals:
    def test_label_is_a_genre(self, clips):
        classifier = MissingClipClassifier(SVC(), missing_label="folk")
        with pytest.raises(ValueError, match="missing_label='folk' is one of"):
            classifier.fit(*clips)
        assert not hasattr(classifier, "estimator_")

    def test_label_of_another_type(self, clips):
        with pytest.raises(ValueError, match="missing_label=-1 must be a string"):
            MissingClipClassifier(SVC(), missing_label=-1).fit(*clips)

    def test_clips_that_are_nan_in_part(self, clips):
        X, y = clips
        classifier = MissingClipClassifier(SVC()).fit(X, y)
        X[7, 1] = np.nan
        for method in (classifier.predict, lambda X: classifier.fit(X, y)):
            with pytest.raises(ValueError, match="contains NaN"):
                method(X)

    def test_what_the_estimator_does_not_take(self, clips):
        X, y = clips
        with pytest.raises(TypeError, match="KNeighborsClassifier.fit does not take"):
            MissingClipClassifier(KNeighborsClassifier()).fit(X, y, np.ones(40))
        with pytest.raises(TypeError, match="validation_data was given"):
            MissingClipClassifier(SVC()).fit(X, y, validation_data=(X, y))

    def test_parameters(self, clips):
        with pytest.raises(ValueError, match="'estimator' parameter"):
            MissingClipClassifier(StandardScaler()).fit(*clips)
        with pytest.raises(ValueError, match="'missing_label' parameter"):
            MissingClipClassifier(SVC(), missing_label=[]).fit(*clips)
