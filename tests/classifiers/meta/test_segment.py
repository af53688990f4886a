import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils import assert_all_finite

import skgenre
from skgenre import (
    AbstainingClassifier,
    CRNNClassifier,
    EmbeddingKMeans,
    MelSpectrogramTransformer,
    SegmentClassifier,
    SpectrogramFile,
)
from skgenre.classifiers._meta._windows import Windows
from skgenre.classifiers._training._data import validation_rows

CRNN = CRNNClassifier(
    filters=(8,),
    lstm_units=8,
    embedding_units=8,
    epochs=6,
    learning_rate=0.02,
    batch_size=16,
    random_state=0,
)
MEL = MelSpectrogramTransformer(
    sample_rate=2000, n_fft=64, hop_length=50, n_mels=8, n_frames=None
)
SCALED = make_pipeline(StandardScaler(), LogisticRegression())


def cut_windows(clips, window, hop):
    """Return all windows at once, and how many each clip has."""
    windows = Windows(clips, window, hop)
    return np.asarray(windows), windows.counts


def make_clips(lengths, seed=0):
    """Return clips of two genres that differ in level, as a list, and the genres."""
    rng = np.random.default_rng(seed)
    y = np.array(["folk", "rock"])[np.arange(len(lengths)) % 2]
    X = [
        rng.normal(-40 + 3 * (genre == "rock"), 4, size=(n, 5)).astype(np.float32)
        for genre, n in zip(y, lengths, strict=True)
    ]
    return X, y


@pytest.fixture
def ragged():
    """Clips of 3 to 33 frames."""
    return make_clips(np.random.default_rng(1).integers(3, 34, size=30))


@pytest.fixture
def equal():
    """Clips of 21 frames, as one array."""
    X, y = make_clips([21] * 30)
    return np.stack(X), y


@pytest.fixture(scope="module")
def waves():
    """Noise of different lengths, muffled in one genre and sharp in the other."""
    rng = np.random.default_rng(0)
    y = np.array(["dub", "noise"])[np.arange(32) % 2]
    X = [rng.normal(size=n) for n in rng.integers(400, 3000, size=32)]
    X = [
        np.convolve(wave, [1, 1, 1]) if genre == "dub" else wave
        for wave, genre in zip(X, y, strict=True)
    ]
    return X, y, np.arange(32) // 4


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps the arguments of `fit`; predicts the share of values above -38."""

    given = None

    def fit(self, X, y, sample_weight=None, *, groups=None, validation_data=None):
        self.classes_ = np.unique(y)
        self.given_ = {"X": X, "y": y, "sample_weight": sample_weight}
        self.given_ |= {"groups": groups, "validation_data": validation_data}
        return self

    def predict_proba(self, X):
        share = (X > -38).reshape(len(X), -1).mean(axis=1)
        return np.column_stack([1 - share, share])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


class TestVoting:
    @pytest.mark.parametrize("window", [4, 10, 100])
    def test_soft_is_the_mean_of_probabilities(self, window, ragged):
        X, y = ragged
        model = SegmentClassifier(SCALED, window=window, hop=3).fit(X, y)
        for clip, actual in zip(X, model.predict_proba(X), strict=True):
            windows, _ = cut_windows([clip], window, 3)
            rows = windows.reshape(len(windows), -1)
            expected = model.estimator_.predict_proba(rows).mean(axis=0)
            assert_allclose(actual, expected, atol=1e-6)
        winners = model.predict_proba(X).argmax(axis=1)
        assert_array_equal(model.predict(X), model.classes_[winners])

    def test_hard_is_the_share_of_votes(self, ragged):
        X, y = ragged
        model = SegmentClassifier(SVC(), window=4, hop=3, voting="hard").fit(X, y)
        for clip, actual in zip(X, model.predict_proba(X), strict=True):
            windows, _ = cut_windows([clip], 4, 3)
            votes = model.estimator_.predict(windows.reshape(len(windows), -1))
            assert_allclose(actual, [(votes == c).mean() for c in model.classes_])

    def test_stack_learns_from_windows_not_trained_on(self, ragged):
        X, y = ragged
        # One neighbour knows all windows that it was trained on by heart: from these,
        # the final estimator would learn to believe it.
        model = SegmentClassifier(
            KNeighborsClassifier(1), window=4, hop=2, voting="stack", cv=3
        ).fit(X, y)
        summaries = np.empty((len(X), 6))
        for train, test in StratifiedKFold(3).split(y, y):
            windows, counts = cut_windows([X[i] for i in train], 4, 2)
            inner = KNeighborsClassifier(1)
            inner.fit(windows.reshape(len(windows), -1), np.repeat(y[train], counts))
            for i in test:
                windows, _ = cut_windows([X[i]], 4, 2)
                p = inner.predict_proba(windows.reshape(len(windows), -1))
                summaries[i] = [*p.mean(axis=0), *p.std(axis=0), *p.max(axis=0)]
        final = clone(SCALED).fit(summaries, y)
        assert_allclose(model.final_estimator_[1].coef_, final[1].coef_, atol=1e-6)
        by_heart = [[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1]]  # folk, then rock
        expected = final.predict_proba(by_heart)[(y == "rock").astype(int)]
        assert_allclose(model.predict_proba(X), expected, atol=1e-6)
        assert_array_equal(model.predict(X), y)

    @pytest.mark.parametrize("cv", [2, GroupKFold(2)])
    def test_folds_of_stacking_keep_groups_together(self, cv, equal):
        X, y = equal
        artists = np.arange(30) // 6
        fits = []

        class Watcher(Recorder):
            def fit(self, X, y, *, groups=None):
                fits.append(set(groups))
                return super().fit(X, y, groups=groups)

        model = SegmentClassifier(Watcher(), window=7, hop=7, voting="stack", cv=cv)
        model.fit(X, y, groups=artists)
        whole, *folds = fits
        assert whole == set(artists)
        assert len(folds) == 2
        assert folds[0] | folds[1] == set(artists)
        assert not folds[0] & folds[1]

    def test_what_the_folds_and_the_final_estimator_are_given(self, equal):
        """Also where a splitter doesn't sort its rows."""
        X, y = equal
        fits = []

        class Watcher(Recorder):
            def fit(self, X, y, sample_weight=None):
                fits.append((X, sample_weight))
                return super().fit(X, y, sample_weight)

        weight = np.linspace(1, 2, 30)
        folds = [(a[::-1], b[::-1]) for a, b in StratifiedKFold(2).split(y, y)]
        model = SegmentClassifier(
            Watcher(),
            window=7,
            hop=7,
            voting="stack",
            final_estimator=Recorder(),
            cv=folds,
        ).fit(X, y, sample_weight=weight)
        rows = [np.arange(30), *(train for train, _ in folds)]
        for (windows, weights), clips in zip(fits, rows, strict=True):
            assert_array_equal(windows, X[clips].reshape(-1, 7, 5))
            assert_allclose(weights, np.repeat(weight[clips], 3))
        given = model.final_estimator_.given_
        share = (X.reshape(30, 3, 35) > -38).mean(axis=2)
        p = np.stack([1 - share, share], axis=2)
        expected = np.hstack([p.mean(axis=1), p.std(axis=1), p.max(axis=1)])
        assert_allclose(given["X"], expected, rtol=1e-12)
        assert_array_equal(given["y"], y)
        assert_array_equal(given["sample_weight"], weight)

    def test_final_estimator(self, ragged):
        X, y = ragged
        model = SegmentClassifier(
            SCALED, window=4, hop=2, voting="stack", final_estimator=SVC(), cv=2
        )
        assert not hasattr(model, "predict_proba")
        assert model.fit(X, y).score(X, y) > 0.8
        assert isinstance(model.final_estimator_, SVC)
        model.set_params(final_estimator=RandomForestClassifier(random_state=0))
        weight = np.linspace(0.1, 1, len(y))
        probabilities = model.fit(X, y, weight).predict_proba(X)
        assert_allclose(probabilities.sum(axis=1), 1)

    def test_folds_that_leave_clips_out(self, equal):
        model = SegmentClassifier(
            SCALED, window=4, voting="stack", cv=ShuffleSplit(2, random_state=0)
        )
        with pytest.raises(ValueError, match="never tests some of the clips"):
            model.fit(*equal)

    @pytest.mark.parametrize("voting", ["soft", "hard", "stack"])
    @pytest.mark.parametrize(
        "kind", [np.array, lambda y: np.arange(3)[y] * 7 - 7, lambda y: y > 0]
    )
    def test_labels_of_any_kind(self, kind, voting, ragged):
        X, _ = ragged
        y = kind(np.arange(len(X)) % 3)
        model = SegmentClassifier(SCALED, window=4, hop=2, voting=voting, cv=2)
        model.fit(X, y)
        assert_array_equal(model.classes_, np.unique(y))
        assert model.predict(X).dtype == y.dtype
        assert model.predict_proba(X).shape == (len(X), len(np.unique(y)))

    def test_a_class_that_a_fold_lacks(self):
        X, y = make_clips([12] * 12)
        y = y.astype(object)
        y[0] = "jazz"
        model = SegmentClassifier(
            SCALED,
            window=4,
            voting="stack",
            cv=[(range(6, 12), range(6)), (range(6), range(6, 12))],
        )
        assert model.fit(X, y).predict_proba(X).shape == (12, 3)


class TestFit:
    """What the estimator inside is given."""

    def test_windows_of_a_clip_are_one_group(self, ragged):
        X, y = ragged
        given = (
            SegmentClassifier(Recorder(), window=4, hop=2).fit(X, y).estimator_.given_
        )
        windows, counts = cut_windows(X, 4, 2)
        assert_array_equal(given["X"], windows)
        assert_array_equal(given["y"], np.repeat(y, counts))
        assert_array_equal(given["groups"], np.repeat(np.arange(len(X)), counts))

    def test_groups_that_are_given(self, ragged):
        X, y = ragged
        artists = np.array([f"artist {i // 4}" for i in range(len(X))])
        model = SegmentClassifier(Recorder(), window=4, hop=2)
        given = model.fit(X, y, groups=artists).estimator_.given_
        _, counts = cut_windows(X, 4, 2)
        assert_array_equal(given["groups"], np.repeat(artists, counts))

    def test_no_clip_crosses_the_split_of_a_network(self, monkeypatch, equal):
        X, y = equal
        splits = []

        def watch(y, groups, *args):
            rows = validation_rows(y, groups, *args)
            splits.append(rows)
            return rows

        data = "skgenre.classifiers._training._data"
        monkeypatch.setattr(f"{data}.validation_rows", watch)
        network = clone(CRNN).set_params(epochs=1, validation_fraction=0.3)
        SegmentClassifier(network, window=7, hop=7).fit(X, y)
        (held_out,) = splits
        clips, counts = np.unique(held_out // 3, return_counts=True)
        assert 5 < len(clips) < 13
        assert (counts == 3).all()

    def test_each_clip_counts_the_same(self, ragged):
        X, y = ragged
        given = (
            SegmentClassifier(Recorder(), window=4, hop=2).fit(X, y).estimator_.given_
        )
        of_clip = pd.Series(given["sample_weight"]).groupby(given["groups"]).sum()
        _, counts = cut_windows(X, 4, 2)
        assert counts.min() < counts.max()
        assert_allclose(of_clip, counts.mean())

    def test_weights_of_the_clips(self, ragged):
        X, y = ragged
        weight = np.linspace(0, 2, len(X))
        model = SegmentClassifier(Recorder(), window=4, hop=2)
        given = model.fit(X, y, sample_weight=weight).estimator_.given_
        of_clip = pd.Series(given["sample_weight"]).groupby(given["groups"]).sum()
        _, counts = cut_windows(X, 4, 2)
        assert_allclose(of_clip, weight * counts.mean())

    def test_clips_of_one_length_need_no_weights(self, equal):
        model = SegmentClassifier(Recorder(), window=4, hop=2).fit(*equal)
        assert model.estimator_.given_["sample_weight"] is None

    @pytest.mark.parametrize("routing", [False, True])
    def test_a_pipeline_passes_weights_to_its_steps(self, routing, ragged):
        X, y = ragged
        weight = np.linspace(0, 2, len(X))
        with sklearn.config_context(enable_metadata_routing=routing):
            model = SegmentClassifier(SCALED, window=4, hop=2)
            model.fit(X, y, sample_weight=weight)
        windows, counts = cut_windows(X, 4, 2)
        weight = np.repeat(weight / counts * counts.mean(), counts)
        rows = windows.reshape(len(windows), -1)
        rows = StandardScaler().fit_transform(rows, sample_weight=weight)
        expected = LogisticRegression().fit(rows, np.repeat(y, counts), weight)
        assert_allclose(model.estimator_[1].coef_, expected.coef_, atol=1e-6)

    def test_validation_data_are_cut_too(self, ragged):
        X, y = ragged
        model = SegmentClassifier(Recorder(), window=4, hop=2)
        model.fit(X[:20], y[:20], validation_data=(X[20:], y[20:]))
        windows, counts = cut_windows(X[20:], 4, 2)
        X_val, y_val = model.estimator_.given_["validation_data"]
        assert_array_equal(X_val, windows)
        assert_array_equal(y_val, np.repeat(y[20:], counts))

    def test_the_estimator_itself_is_not_fitted(self, equal):
        inside = LogisticRegression()
        model = SegmentClassifier(inside, window=4).fit(*equal)
        assert model.estimator is inside
        assert not hasattr(inside, "coef_")

    def test_tables_for_tables(self, equal):
        X, y = equal
        vote = VotingClassifier([("a", CRNN), ("b", Recorder())])
        for estimator, shape in [
            (LogisticRegression(), (20,)),
            (SCALED, (20,)),
            (GridSearchCV(SVC(), {"C": [1]}), (20,)),
            (Recorder(), (4, 5)),
            (make_pipeline("passthrough", Recorder()), (4, 5)),
            (SegmentClassifier(LogisticRegression(), window=2), (4, 5)),
            (vote, (4, 5)),
            (CalibratedClassifierCV(Recorder()), (4, 5)),
        ]:
            model = SegmentClassifier(estimator, window=4)
            assert model._cut(X)[0].shape[1:] == shape, estimator


class TestFiniteValues:
    @pytest.mark.parametrize("kind", [np.array, list])
    def test_a_network_does_not_check_windows_of_checked_clips(
        self, kind, equal, monkeypatch
    ):
        X, y = equal
        checked = []

        def watch(values, **kwargs):
            checked.append(np.asarray(values).nbytes)
            assert_all_finite(values, **kwargs)

        monkeypatch.setattr("skgenre.classifiers._checks.assert_all_finite", watch)
        network = clone(CRNN).set_params(epochs=1)
        model = SegmentClassifier(network, window=7, hop=3, voting="stack", cv=2)
        model.fit(kind(X), y)
        model.predict(kind(X))
        model.transform(kind(X))
        # Clips of a list are checked by scikit-learn's `check_array`, one by one.
        assert sum(checked) == (3 * X.nbytes if kind is np.array else 0)

    def test_a_network_by_itself_checks(self, equal):
        X, y = equal
        model = SegmentClassifier(clone(CRNN).set_params(epochs=1), window=7, hop=7)
        network = model.fit(X, y).estimator_
        with pytest.raises(ValueError, match="NaN"):
            network.predict(np.full((2, 7, 5), np.nan))

    def test_values_that_a_step_inside_makes_are_checked(self, equal):
        X, y = equal

        def logarithm(X):
            with np.errstate(invalid="ignore"):
                return np.log(X)

        inner = make_pipeline(FunctionTransformer(logarithm), LogisticRegression())
        with pytest.raises(ValueError, match="contains NaN"):
            SegmentClassifier(inner, window=7).fit(X, y)


class TestContainers:
    def test_lists_and_arrays_of_clips(self, ragged):
        X, y = ragged
        as_objects = np.empty(len(X), dtype=object)
        as_objects[:] = X
        model = SegmentClassifier(SCALED, window=4, hop=2)
        expected = clone(model).fit(X, y).predict_proba(X)
        nested = [clip.tolist() for clip in X]
        for same in (tuple(X), as_objects, pd.Series(X), nested):
            actual = clone(model).fit(same, y).predict_proba(same)
            assert_allclose(actual, expected, atol=1e-5)

    @pytest.mark.parametrize("voting", ["soft", "hard", "stack"])
    def test_predictions_do_not_depend_on_the_other_clips(self, voting, ragged):
        X, y = ragged
        model = SegmentClassifier(SCALED, window=4, hop=2, voting=voting, cv=2)
        model.fit(X, y)
        together = model.predict_proba(X)
        for clip, expected in zip(X, together, strict=True):
            assert_allclose(model.predict_proba([clip])[0], expected, atol=1e-6)
            assert_allclose(model.predict_proba(clip[None])[0], expected, atol=1e-6)

    def test_one_array_is_a_list_of_clips(self, equal):
        X, y = equal
        model = SegmentClassifier(SCALED, window=4, hop=2).fit(X, y)
        as_list = clone(model).fit(list(X), y)
        assert_array_equal(model.predict_proba(X), as_list.predict_proba(list(X)))

    def test_clips_of_another_length_than_in_fit(self, equal, ragged):
        model = SegmentClassifier(SCALED, window=4, hop=2).fit(*equal)
        assert model.score(*ragged) > 0.8
        assert not hasattr(model, "n_features_in_")
        assert model.n_mels_ == 5

    def test_a_window_larger_than_all_clips(self, ragged):
        X, y = ragged
        model = SegmentClassifier(SCALED).fit(X, y)
        assert model.estimator_[0].n_features_in_ == 128 * 5
        assert model.score(X, y) > 0.8

    def test_a_table_is_a_series_of_one_band(self):
        rng = np.random.default_rng(0)
        table = pd.DataFrame(rng.normal(size=(20, 9)), columns=list("abcdefghi"))
        y = np.arange(20) % 2
        model = SegmentClassifier(SCALED, window=4, hop=2).fit(table, y)
        assert list(model.feature_names_in_) == list(table.columns)
        assert (model.n_features_in_, model.n_mels_) == (9, 1)
        expected = model.predict_proba(table.to_numpy()[:, :, None])
        assert_array_equal(model.predict_proba(table), expected)
        with pytest.raises(ValueError, match="expecting 9 features"):
            model.predict(table.to_numpy()[:, :8])
        model.fit(table.to_numpy()[:, :, None], y)
        assert not hasattr(model, "n_features_in_")

    def test_a_file_is_cut_chunk_by_chunk(self, equal, tmp_path, monkeypatch):
        X, y = equal
        model = SegmentClassifier(SCALED, window=4, hop=2).fit(X, y)
        expected = model.predict_proba(X)
        path = tmp_path / "X.npy"
        np.save(path, X)
        monkeypatch.setattr(
            "skgenre.classifiers._meta._windows.CHUNK_BYTES", 4 * 5 * 4 * 40
        )
        sizes = []

        def watch(clips, *args):
            sizes.append(len(clips))
            return Windows(clips, *args)

        monkeypatch.setattr("skgenre.classifiers._meta._segment.Windows", watch)
        for stored in (np.load(path, mmap_mode="r"), SpectrogramFile(path)):
            assert_allclose(model.predict_proba(stored), expected, atol=1e-6)
            assert sizes == [4, 4, 4, 4, 4, 4, 4, 2]
            sizes.clear()


class TestTimeline:
    def test_times(self):
        X, y = make_clips([10, 11, 3, 4])
        model = SegmentClassifier(LogisticRegression(), window=4, hop=3, frame_rate=2)
        _, times = model.fit(X, y).predict_timeline(X)
        assert times[0].tolist() == [[0, 2], [1.5, 3.5], [3, 5]]
        assert times[1].tolist() == [[0, 2], [1.5, 3.5], [3, 5], [3.5, 5.5]]
        assert times[2].tolist() == [[0, 1.5]]
        assert times[3].tolist() == [[0, 2]]

    def test_of_clips_of_one_length(self, equal):
        X, y = equal
        model = SegmentClassifier(LogisticRegression(), window=4, hop=3).fit(X, y)
        probabilities, times = model.predict_timeline(X)
        assert probabilities.shape == (30, 7, 2)
        assert times.shape == (7, 2)
        assert times[-1, 1] == 21 / (22050 / 1024)
        assert_allclose(probabilities.mean(axis=1), model.predict_proba(X), atol=1e-12)

    @pytest.mark.parametrize("voting", ["soft", "hard"])
    def test_its_mean_is_the_clip_s_prediction(self, voting, ragged):
        X, y = ragged
        model = SegmentClassifier(SCALED, window=4, hop=3, voting=voting).fit(X, y)
        probabilities, times = model.predict_timeline(X)
        for of_clip, of_windows, t in zip(
            model.predict_proba(X), probabilities, times, strict=True
        ):
            assert len(of_windows) == len(t)
            assert_allclose(of_windows.mean(axis=0), of_clip)
            assert voting == "soft" or set(of_windows.ravel()) <= {0, 1}


@pytest.fixture(scope="module")
def fitted():
    X, y = make_clips(np.random.default_rng(1).integers(3, 34, size=30))
    return SegmentClassifier(CRNN, window=8, hop=4).fit(X, y), X, y


class TestNetwork:
    @pytest.mark.slow
    def test_learns(self, fitted):
        model, X, y = fitted
        assert model.score(X, y) > 0.8
        assert model.estimator_.network_parameters_["input_shape"] == (8, 5)

    def test_embeddings_are_means_over_the_windows(self, fitted):
        model, X, _ = fitted
        embeddings = model.transform(X)
        assert embeddings.dtype == np.float32
        for clip, embedding in zip(X, embeddings, strict=True):
            windows, _ = cut_windows([clip], 8, 4)
            expected = model.estimator_.transform(windows).mean(axis=0)
            assert_allclose(embedding, expected, atol=1e-6)
        names = model.get_feature_names_out()
        assert list(names) == [f"segmentclassifier{i}" for i in range(8)]

    def test_embeddings_as_a_data_frame(self, fitted):
        model, X, y = fitted
        chain = make_pipeline(clone(model), EmbeddingKMeans(2, random_state=0))
        chain.set_output(transform="pandas").fit(X, y)
        frame = chain[0].transform(X)
        assert list(frame.columns) == list(chain[0].get_feature_names_out())
        assert_allclose(frame.to_numpy(), model.transform(X), atol=1e-6)
        assert chain.predict(X).shape == (30,)
        whole = clone(model).fit_transform(X, y, groups=np.arange(30) // 2)
        assert whole.shape == (30, 8)

    def test_copies(self, fitted, tmp_path):
        model, X, _ = fitted
        skgenre.save(model, tmp_path / "it.model")
        expected = model.predict_proba(X)
        for same in (
            pickle.loads(pickle.dumps(model)),
            copy.deepcopy(model),
            skgenre.load(tmp_path / "it.model"),
        ):
            assert_array_equal(same.predict_proba(X), expected)
            assert_array_equal(same.transform(X), model.transform(X))

    def test_fits_of_one_seed_are_identical(self, fitted):
        model, X, y = fitted
        again = clone(model).fit(X, y)
        assert_array_equal(again.predict_proba(X), model.predict_proba(X))

    def test_own_validation_data(self, fitted):
        model, X, y = fitted
        model = clone(model).fit(X[:20], y[:20], validation_data=(X[20:], y[20:]))
        assert "val_accuracy" in model.estimator_.history_


class TestWithScikitLearn:
    @pytest.mark.parametrize(
        "estimator",
        [
            SCALED,
            LinearDiscriminantAnalysis(),
            RandomForestClassifier(10, random_state=0),
            CRNN,
            VotingClassifier([("a", CRNN), ("b", CRNN)], voting="soft"),
        ],
        ids=lambda estimator: type(estimator).__name__,
    )
    def test_many_classifiers_inside(self, estimator, ragged):
        X, y = ragged
        model = SegmentClassifier(estimator, window=8, hop=4).fit(X[:20], y[:20])
        assert model.score(X[20:], y[20:]) >= 0.8

    def test_no_embeddings_without_a_transformer_inside(self, equal):
        model = SegmentClassifier(LogisticRegression(), window=4).fit(*equal)
        for name in ("transform", "fit_transform", "set_output"):
            assert not hasattr(model, name)
        model = make_pipeline(MEL, model).set_output(transform="pandas")
        lda = SegmentClassifier(LinearDiscriminantAnalysis(), window=4).fit(*equal)
        assert lda.transform(equal[0]).shape == (30, 1)

    @pytest.mark.slow
    def test_searches_over_waveforms(self, waves):
        X, y, _ = waves
        model = make_pipeline(MEL, SegmentClassifier(CRNN, window=16, hop=8))
        grid = {
            "segmentclassifier__estimator__epochs": [1, 6],
            "segmentclassifier__window": [8, 16],
        }
        search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
        assert search.best_score_ > 0.8
        assert search.score(X, y) > 0.8

    def test_cross_validation_over_files(self, waves, tmp_path):
        X, y, _ = waves
        paths = [tmp_path / f"{i}.wav" for i in range(len(X))]
        for path, wave in zip(paths, X, strict=True):
            soundfile.write(path, wave / 20, 2000)
        model = make_pipeline(MEL, SegmentClassifier(SCALED, window=8, hop=4))
        assert cross_val_score(model, paths, y, cv=3).mean() > 0.8

    def test_groups_are_routed(self, waves):
        X, y, artists = waves
        with sklearn.config_context(enable_metadata_routing=True):
            model = make_pipeline(MEL, SegmentClassifier(Recorder(), window=8))
            model.fit(X, y, groups=artists)
            search = GridSearchCV(
                model,
                {"segmentclassifier__window": [8]},
                cv=GroupKFold(2),
                error_score="raise",
            ).fit(X, y, groups=artists)
        for pipeline in (model, search.best_estimator_):
            assert set(pipeline[1].estimator_.given_["groups"]) == set(artists)

    @pytest.mark.parametrize("ensemble", [True, False])
    def test_calibration(self, ensemble, waves):
        X, y, _ = waves
        model = make_pipeline(
            MEL, SegmentClassifier(SVC(), window=8, hop=4, voting="hard")
        )
        model = CalibratedClassifierCV(model, cv=2, ensemble=ensemble).fit(X, y)
        assert model.score(X, y) > 0.8

    def test_a_vote_of_several(self, ragged):
        X, y = ragged
        members = [
            ("short", SegmentClassifier(SCALED, window=4, hop=2)),
            ("long", SegmentClassifier(SCALED, window=16, hop=8)),
        ]
        vote = VotingClassifier(members, voting="soft").fit(X, y)
        mean = np.mean([e.predict_proba(X) for e in vote.estimators_], axis=0)
        assert_allclose(vote.predict_proba(X), mean)


class TestRefusals:
    def test_not_fitted(self, ragged):
        X, y = ragged
        model = SegmentClassifier(SCALED, window=4)
        for method in ("predict", "predict_proba", "predict_timeline"):
            with pytest.raises(NotFittedError):
                getattr(model, method)(X)
        model.fit(X, y)
        with pytest.raises(ValueError, match="NaN"):
            model.fit([*X[:-1], np.full((4, 5), np.nan)], y)
        with pytest.raises(NotFittedError):
            model.predict(X)

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"window": 0}, "'window' parameter of SegmentClassifier"),
            ({"hop": 0}, "'hop' parameter of SegmentClassifier"),
            ({"hop": 1.5}, "'hop' parameter of SegmentClassifier"),
            ({"voting": "mean"}, "'voting' parameter of SegmentClassifier"),
            ({"frame_rate": 0}, "'frame_rate' parameter of SegmentClassifier"),
            ({"estimator": None}, "'estimator' parameter of SegmentClassifier"),
            ({"estimator": CRNNClassifier}, "'estimator' parameter"),
            ({"final_estimator": 1}, "'final_estimator' parameter"),
            ({"cv": "x", "voting": "stack"}, "'cv' parameter"),
            ({"estimator": SVC()}, "voting='soft' needs .* which SVC doesn"),
            ({"estimator": SVC(), "voting": "stack"}, "voting='stack' needs"),
            (
                {
                    "estimator": make_pipeline(
                        StandardScaler(), AbstainingClassifier(LogisticRegression())
                    ),
                    "voting": "hard",
                },
                r"Put it around: AbstainingClassifier\(SegmentClassifier",
            ),
        ],
    )
    def test_parameters(self, parameters, message, equal):
        model = SegmentClassifier(LogisticRegression()).set_params(**parameters)
        with pytest.raises(ValueError, match=message):
            model.fit(*equal)

    @pytest.mark.parametrize(
        ("clip", "message"),
        [
            (np.zeros((4, 6)), "Clip 3 of X has 6 mel bands and clip 0 has 5"),
            (np.zeros(20), r"Clip 3 of X has shape \(20,\)"),
            (np.zeros((0, 5)), r"Clip 3 of X has shape \(0, 5\)"),
            (np.zeros((4, 0)), r"Clip 3 of X has shape \(4, 0\)"),
            (np.zeros((4, 5, 1)), r"Clip 3 of X has shape \(4, 5, 1\)"),
            (np.full((4, 5), np.nan), "NaN throughout.*: clips 3 of X"),
            (np.diag([0, np.nan, 0, 0, 0])[:4], "clip 3 of X contains NaN"),
            (np.full((4, 5), np.inf), "clip 3 of X contains infinity"),
            ([[1, 2], [3]], "Clip 3 of X has frames of different lengths"),
            ("song.mp3", "takes spectrograms, got strings"),
        ],
    )
    def test_clips(self, clip, message, ragged):
        X, y = ragged
        odd = [*X[:3], clip, *X[4:]]
        as_objects = np.empty(len(odd), dtype=object)
        as_objects[:] = odd
        model = SegmentClassifier(SCALED, window=4)
        for same in (odd, as_objects):
            with pytest.raises(ValueError, match=message):
                clone(model).fit(same, y)
            with pytest.raises(ValueError, match=message):
                clone(model).fit(X, y).predict(same)

    @pytest.mark.parametrize(
        ("X", "message"),
        [
            (["a.mp3", "b.mp3"], "put a MelSpectrogramTransformer in front"),
            (np.array(["a.mp3", "b.mp3"]), "put a MelSpectrogramTransformer in front"),
            ([], "Expected 2D array"),
            (np.zeros((0, 4, 5)), "0 sample"),
            (np.zeros(5), "Expected 2D array"),
            (np.zeros((2, 4, 5, 1)), r"got an array of shape \(2, 4, 5, 1\)"),
            (np.zeros((2, 4, 6)), "clips of 6 mel bands.*fitted on clips of 5"),
            ([np.zeros((4, 6))], "clips of 6 mel bands.*fitted on clips of 5"),
            (np.full((2, 4, 5), np.nan), "NaN"),
        ],
    )
    def test_all_clips(self, X, message, ragged):
        with pytest.raises(ValueError, match=message):
            SegmentClassifier(SCALED, window=4).fit(*ragged).predict(X)

    def test_what_fit_is_given(self, ragged):
        X, y = ragged
        model = SegmentClassifier(SCALED, window=4)
        network = SegmentClassifier(CRNN, window=4)
        for refused, error, message in [
            (lambda: model.fit(X, None), ValueError, "y to be passed"),
            (lambda: model.fit(X, y[1:]), ValueError, "inconsistent numbers"),
            (lambda: model.fit(X, ["a"] * 30), ValueError, "1 class"),
            (lambda: model.fit(X, y, np.ones(29)), ValueError, "sample_weight"),
            (
                lambda: model.fit(X, y, np.zeros(30)),
                ValueError,
                "is 0 for all|one non-zero",
            ),
            (lambda: model.fit(X, y, -np.ones(30)), ValueError, "(?i)negative"),
            (lambda: model.fit(X, y, groups=y[1:]), ValueError, "inconsistent numbers"),
            (
                lambda: SegmentClassifier(KNeighborsClassifier()).fit(
                    X, y, np.ones(30)
                ),
                TypeError,
                "sample_weight was given, but KNeighborsClassifier.fit does not",
            ),
            (
                lambda: SegmentClassifier(DummyClassifier()).fit(
                    X, y, validation_data=(X, y)
                ),
                TypeError,
                "validation_data was given, but DummyClassifier.fit does not",
            ),
            (
                lambda: network.fit(X, y, validation_data=X),
                ValueError,
                r"must be a tuple \(X, y\), got list of length 30",
            ),
            (
                lambda: network.fit(X, y, validation_data=3),
                ValueError,
                r"validation_data must be a tuple \(X, y\), got int: 3\.",
            ),
            (
                lambda: network.fit(X, y, validation_data=(X, ["ska"] * 30)),
                ValueError,
                "y of validation_data has genres that are not among the classes",
            ),
            (
                lambda: network.fit(X, y, validation_data=([X[0][:, :2]], y[:1])),
                ValueError,
                "X of validation_data has clips of 2 mel bands",
            ),
        ]:
            with pytest.raises(error, match=message):
                refused()

    def test_networks_say_what_to_do_with_clips_of_different_lengths(self, ragged):
        X, y = ragged
        with pytest.raises(ValueError, match="into a SegmentClassifier"):
            clone(CRNN).fit(X, y)
