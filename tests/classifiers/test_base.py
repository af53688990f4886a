"""What fit, predict and transform of the networks promise, on real training."""

import _thread
import pickle
import subprocess
import sys
import threading
import warnings
from importlib.util import find_spec

import keras
import numpy as np
import pandas
import pytest
from scikeras.wrappers import KerasClassifier
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.metrics import label_ranking_average_precision_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skgenre import (
    CRNNClassifier,
    EmbeddingKMeans,
    KerasGenreClassifier,
    ParallelCNNRNNClassifier,
    SecondOrderClassifier,
    load,
    save,
)
from skgenre.classifiers._training._data import ClipRows, SpectrogramBatches, hold_out

FAST = {"epochs": 12, "learning_rate": 0.01, "random_state": 0}
CRNN = CRNNClassifier(filters=(8,), lstm_units=8, embedding_units=8, **FAST)
PARALLEL = ParallelCNNRNNClassifier(
    filters=(8,), pool_sizes=((2, 2),), gru_units=8, **FAST
)
SECOND_ORDER = SecondOrderClassifier(
    n_prototypes=64, crop_frames=15, batch_size=8, validation_fraction=0.1, **FAST
).set_params(learning_rate=0.03)
each = pytest.mark.parametrize(
    "network", [CRNN, PARALLEL, SECOND_ORDER], ids=["crnn", "parallel", "second_order"]
)


@pytest.fixture(scope="module")
def clips():
    """Clips of three genres that differ in level, with noise."""
    rng = np.random.default_rng(0)
    y = np.array(["folk", "rock", "techno"])[rng.permutation(np.arange(90) % 3)]
    level = np.searchsorted(["folk", "rock", "techno"], y) * 8.0
    X = rng.normal(-60, 6, size=(90, 20, 6)) + level[:, None, None]
    return X.astype(np.float32), y


@each
def test_learns_and_predicts(network, clips):
    X, y = clips
    fitted = clone(network).fit(X, y)
    assert fitted.score(X, y) > 0.9
    probabilities = fitted.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(
        fitted.classes_[probabilities.argmax(axis=1)], fitted.predict(X)
    )
    assert is_classifier(fitted)
    assert list(fitted.classes_) == ["folk", "rock", "techno"]
    assert fitted.n_iter_ == 12 == len(fitted.history_["val_loss"])
    assert {"loss", "accuracy", "val_accuracy", "learning_rate"} <= set(fitted.history_)


@pytest.mark.parametrize(
    ("network", "size"),
    [(CRNNClassifier(epochs=1), 64), (ParallelCNNRNNClassifier(epochs=1), 384)],
    ids=["crnn", "parallel"],
)
def test_embedding_of_the_papers_networks(network, size):
    X = np.random.default_rng(0).normal(size=(8, 640, 128)).astype(np.float32)
    fitted = clone(network).fit(X, list("abababab"))
    assert fitted.transform(X).shape == (8, size)
    assert len(fitted.get_feature_names_out()) == size
    assert fitted.transform(X).dtype == np.float32
    layers = fitted.keras_classifier_.model_
    assert layers.get_layer("embedding").output.shape == (None, size)
    if size == 64:
        assert layers.count_params() == 133_520 - 6 * 65  # 2 genres instead of 8


def test_the_papers_recipe():
    assert repr(CRNNClassifier.paper(random_state=3, epochs=1)) == (
        "CRNNClassifier(batch_norm_position='before_relu', epochs=1, "
        "input_scaling='log',\n               random_state=3, "
        "recurrent_activation='hard_sigmoid')"
    )
    parallel = ParallelCNNRNNClassifier.paper(reset_after=True)
    assert parallel.recurrent_activation == "hard_sigmoid" and parallel.reset_after
    assert not ParallelCNNRNNClassifier.paper().reset_after


@pytest.mark.slow
@pytest.mark.parametrize("network", [CRNN, PARALLEL], ids=["crnn", "parallel"])
def test_masks_vary_the_training_but_not_the_predictions(network, clips):
    X, y = clips
    masked = clone(network).set_params(time_mask=5, frequency_mask=2).fit(X, y)
    assert masked.score(X, y) > 0.9
    first_loss = clone(network).set_params(epochs=1).fit(X, y).history_["loss"][0]
    assert masked.history_["loss"][0] != first_loss


def test_cosine_schedule_ends_near_zero(clips):
    network = clone(CRNN).set_params(learning_rate_schedule="cosine", epochs=4)
    history = network.fit(*clips).history_
    expected = 0.01 * (1 + np.cos(np.pi * np.arange(4) / 4)) / 2
    np.testing.assert_allclose(history["learning_rate"], expected, rtol=1e-5)


@pytest.mark.slow
def test_label_smoothing_keeps_probabilities_from_the_edge(clips):
    X, y = clips
    sharp = clone(CRNN).set_params(epochs=30).fit(X, y)
    smooth = clone(sharp).set_params(label_smoothing=0.3).fit(X, y)
    assert smooth.score(X, y) > 0.9
    assert smooth.predict_proba(X).max(axis=1).mean() < 0.9
    assert sharp.predict_proba(X).max(axis=1).mean() > 0.9


@each
def test_outputs_are_those_of_the_keras_network(network, clips):
    X, y = clips
    fitted = clone(network).fit(X, y)
    wrapped = fitted.keras_classifier_
    assert isinstance(wrapped, KerasClassifier)
    np.testing.assert_allclose(
        wrapped.predict_proba(X), fitted.predict_proba(X), atol=1e-6
    )
    np.testing.assert_array_equal(wrapped.predict(X), fitted.predict(X))
    with config_context(transform_output="pandas"), warnings.catch_warnings():
        warnings.simplefilter("error")
        wrapped.predict(X)
    embedding = keras.Model(
        wrapped.model_.inputs, wrapped.model_.get_layer("embedding").output
    )
    scaled = (X - fitted.input_mean_) / fitted.input_scale_
    np.testing.assert_allclose(
        embedding.predict(scaled, verbose=0), fitted.transform(X), atol=1e-5
    )


@each
def test_a_clip_has_one_prediction_whatever_comes_with_it(network, clips):
    X, y = clips
    fitted = clone(network).fit(X, y)
    together = fitted.predict_proba(X), fitted.transform(X)
    for i in (0, 7, 8, 50, 89):
        np.testing.assert_array_equal(
            fitted.predict_proba(X[i : i + 1])[0], together[0][i]
        )
        np.testing.assert_array_equal(fitted.transform(X[i : i + 1])[0], together[1][i])


def test_log_scaling_is_the_natural_logarithm_of_the_power(clips):
    X, y = clips
    fitted = clone(CRNN).set_params(input_scaling="log", epochs=1).fit(X, y)
    scaled = (X - fitted.input_mean_) / fitted.input_scale_
    np.testing.assert_allclose(scaled, np.log(10 ** (X / 10)), rtol=1e-5)


def test_standardize_learns_from_the_training_clips_only(clips):
    X, y = clips
    fitted = clone(CRNN).set_params(epochs=1, validation_fraction=0).fit(X, y)
    np.testing.assert_allclose(fitted.input_mean_, X.mean(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(fitted.input_scale_, X.std(axis=(0, 1)), rtol=1e-5)
    held_out = clone(CRNN).set_params(epochs=1).fit(X, y, validation_data=(X + 50, y))
    np.testing.assert_allclose(held_out.input_mean_, fitted.input_mean_)


def test_standardize_learns_from_no_clip_that_is_held_out(clips):
    X, y = clips
    X = X + np.arange(90)[:, np.newaxis, np.newaxis]  # others have another mean
    fitted = clone(CRNN).set_params(epochs=1, validation_fraction=0.2).fit(X, y)
    everything = ClipRows(X, np.searchsorted(fitted.classes_, y), y, np.arange(90))
    training, validation = hold_out(everything, None, 0.2, np.random.RandomState(0))
    assert len(validation.rows) == 18
    learnt_from = X[training.rows]
    np.testing.assert_allclose(
        fitted.input_mean_, learnt_from.mean(axis=(0, 1)), rtol=1e-5
    )
    np.testing.assert_allclose(
        fitted.input_scale_, learnt_from.std(axis=(0, 1)), rtol=1e-5
    )


def test_best_epoch_is_kept(clips):
    """Validated on other genres than trained on, the last epochs are the worst."""
    X, y = clips
    others = np.roll(np.unique(y), 1)[np.searchsorted(np.unique(y), y)]
    fitted = clone(CRNN).fit(X[30:], y[30:], validation_data=(X[:30], others[:30]))
    accuracy = fitted.history_["val_accuracy"]
    assert accuracy[-1] < max(accuracy) - 0.1
    assert fitted.score(X[:30], others[:30]) == pytest.approx(max(accuracy), abs=1e-6)


def test_every_epoch_sees_all_clips_in_another_order(clips, monkeypatch):
    X, y = clips
    seen = []
    read = SpectrogramBatches.__getitem__

    def watch(self, index):
        batch = read(self, index)
        seen.extend(batch[-1])
        return batch

    monkeypatch.setattr(SpectrogramBatches, "__getitem__", watch)
    weights = np.arange(1, 91)  # they tell which clip it is
    network = clone(CRNN).set_params(epochs=4, validation_fraction=0)
    network.fit(X, y, sample_weight=weights)
    orders = [tuple(order) for order in np.reshape(seen, (4, 90))]
    assert all(sorted(order) == weights.tolist() for order in orders)
    assert len({*orders, tuple(weights)}) == 5


@pytest.mark.slow
def test_lowest_loss_decides_between_equally_accurate_epochs(clips):
    X, y = clips
    X_val, y_val = X[:30], y[:30]
    fitted = clone(CRNN).set_params(epochs=30)
    fitted.fit(X[30:], y[30:], validation_data=(X_val, y_val))
    accuracy, loss = (
        np.array(fitted.history_[f"val_{n}"]) for n in ("accuracy", "loss")
    )
    best = accuracy == accuracy.max()
    assert best.sum() > 1
    genres = np.searchsorted(fitted.classes_, y_val)
    probabilities = fitted.predict_proba(X_val)[np.arange(30), genres]
    penalty = float(sum(fitted.keras_classifier_.model_.losses))  # L2, in Keras's loss
    assert -np.log(probabilities).mean() + penalty == pytest.approx(
        loss[best].min(), rel=1e-3
    )


@pytest.mark.slow
def test_plateau_halves_the_learning_rate_and_early_stopping_ends():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 8, 4)), rng.integers(0, 2, 60)
    fitted = clone(CRNN).set_params(epochs=40, plateau_patience=2).fit(X, y)
    rates = fitted.history_["learning_rate"]
    assert rates[0] == pytest.approx(0.01)
    assert rates[-1] <= 0.0025
    stopped = clone(CRNN).set_params(epochs=40, early_stopping_patience=3).fit(X, y)
    assert stopped.n_iter_ < 40
    constant = clone(CRNN).set_params(epochs=3, plateau_patience=None).fit(X, y)
    assert "learning_rate" not in constant.history_


def test_without_validation_clips(clips):
    fitted = clone(CRNN).set_params(validation_fraction=0).fit(*clips)
    assert "val_accuracy" not in fitted.history_
    assert fitted.score(*clips) > 0.9


def test_one_clip_a_genre_trains():
    X = np.eye(3).repeat(4, axis=1)[:, :, None]
    fitted = clone(CRNN).set_params(epochs=2).fit(X, ["a", "b", "c"])
    assert "val_accuracy" not in fitted.history_
    assert np.isfinite(fitted.predict_proba(X)).all()


def test_zero_weight_is_the_same_as_absence(clips):
    X, y = clips
    weight = (np.arange(90) < 60).astype(float)
    X_odd = X.copy()
    X_odd[60:] = 1e6  # would spoil the scaling
    network = clone(CRNN).set_params(validation_fraction=0)
    absent = clone(network).fit(X[:60], y[:60])
    weightless = clone(network).fit(X_odd, y, weight)
    np.testing.assert_array_equal(absent.predict_proba(X), weightless.predict_proba(X))


def test_zero_weight_is_absence_for_the_balance_too(clips):
    X, y = clips
    weight = np.r_[np.ones(50), np.zeros(40)]
    network = clone(CRNN).set_params(validation_fraction=0, class_weight="balanced")
    np.testing.assert_allclose(
        clone(network).fit(X[:50], y[:50]).predict_proba(X),
        clone(network).fit(X, y, weight).predict_proba(X),
        atol=1e-6,
    )


@pytest.mark.slow
def test_class_weight_shifts_the_decision():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 8, 4)), (np.arange(120) % 6 == 0).astype(int)
    network = clone(CRNN).set_params(epochs=8, validation_fraction=0)
    plain = network.fit(X, y).predict_proba(X)[:, 1].mean()
    balanced = network.set_params(class_weight="balanced").fit(X, y)
    by_hand = clone(network).set_params(class_weight={0: 0.6, 1: 3.0}).fit(X, y)
    assert balanced.predict_proba(X)[:, 1].mean() > plain + 0.1
    np.testing.assert_allclose(
        balanced.predict_proba(X), by_hand.predict_proba(X), atol=1e-4
    )


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "b"],
        *(
            pytest.param(labels, marks=pytest.mark.slow)
            for labels in ([0, 1], [False, True], [-3, 7])
        ),
    ],
)
def test_labels_keep_their_type(labels):
    X = np.zeros((20, 4, 2))
    X[10:] = 1
    y = np.repeat(labels, 10)
    predicted = clone(CRNN).set_params(epochs=20).fit(X, y).predict(X)
    assert predicted.dtype == y.dtype
    np.testing.assert_array_equal(predicted, y)


@pytest.mark.slow
def test_composes_with_scikit_learn(clips):
    X, y = clips
    assert cross_val_score(CRNN, X, y, cv=3).mean() > 0.8
    vote = VotingClassifier([("c", CRNN), ("p", PARALLEL)], voting="soft").fit(X, y)
    assert vote.score(X, y) > 0.9
    pipeline = make_pipeline(clone(CRNN), EmbeddingKMeans(3, random_state=0))
    assert pipeline.fit(X, y)[-1].adjusted_rand_score_ > 0.5
    assert pipeline.predict(X).shape == (90,)


def test_parameters_of_numpy_types(clips):
    X, y = clips
    expected = clone(CRNN).set_params(epochs=2).fit(X, y)
    network = CRNNClassifier(
        **{
            **clone(CRNN).set_params(epochs=2).get_params(),
            "filters": np.array([8]),
            "kernel_size": np.int64(5),
            "lstm_units": np.int32(8),
            "dropout": np.float64(0.4),
            "learning_rate": np.float64(0.01),
        }
    ).fit(X, y)
    np.testing.assert_array_equal(network.predict_proba(X), expected.predict_proba(X))


def test_later_set_params_does_not_change_a_fitted_network(clips):
    X, y = clips
    fitted = clone(CRNN).fit(X, y)
    expected = fitted.predict_proba(X)
    np.testing.assert_array_equal(
        fitted.set_params(filters=(3, 3), lstm_units=2).predict_proba(X), expected
    )


def test_summary_and_progress_bar(clips, capsys):
    fitted = clone(CRNN).set_params(epochs=2, verbose=1).fit(*clips)
    assert "Epoch 2/2" in capsys.readouterr().out
    fitted.summary()
    assert "embedding" in capsys.readouterr().out


class TestRefusals:
    def test_one_genre(self, clips):
        with pytest.raises(ValueError, match=r"at least 2 genres.*1 class: \['folk'\]"):
            clone(CRNN).fit(clips[0], ["folk"] * 90)

    def test_lengths(self, clips):
        with pytest.raises(ValueError, match=r"inconsistent.*\[90, 89\]"):
            clone(CRNN).fit(clips[0], clips[1][:-1])

    def test_four_dimensions(self, clips):
        with pytest.raises(ValueError, match=r"n_frames, n_mels.*\(90, 20, 6, 1\)"):
            clone(CRNN).fit(clips[0][..., None], clips[1])

    def test_nan(self, clips):
        X, y = clips[0].copy(), clips[1]
        X[3, 2, 1] = np.nan
        with pytest.raises(ValueError, match="X contains NaN"):
            clone(CRNN).fit(X, y)

    def test_other_clip_shape(self, clips):
        fitted = clone(CRNN).set_params(epochs=1).fit(*clips)
        with pytest.raises(ValueError, match="20 frames x 5 mel bands.*20 x 6"):
            fitted.predict(clips[0][:, :, :5])
        with pytest.raises(ValueError, match="19 features.*expecting 20"):
            fitted.predict(clips[0][:, :19])

    def test_validation_data(self, clips):
        X, y = clips
        with pytest.raises(ValueError, match=r"must be a tuple \(X, y\), got"):
            clone(CRNN).fit(X, y, validation_data=X)
        with pytest.raises(ValueError, match=r"not among the classes.*\['jazz'\]"):
            clone(CRNN).fit(X, y, validation_data=(X[:1], ["jazz"]))
        with pytest.raises(ValueError, match="NaN throughout.* of X of valid"):
            clone(CRNN).fit(X, y, validation_data=(X[:1] * np.nan, y[:1]))
        for odd in (3, (X,), (X, y, y)):
            with pytest.raises(ValueError, match=r"must be a tuple \(X, y\), got"):
                clone(CRNN).fit(X, y, validation_data=odd)
        for odd in ((None, y), (X, None), (None, None)):
            with pytest.raises(ValueError):
                clone(CRNN).fit(X, y, validation_data=odd)

    def test_missing_labels(self, clips):
        X, y = clips
        for missing in (None, np.nan):
            labels = y.astype(object)
            labels[7] = missing
            with pytest.raises(ValueError, match="y contains NaN or None in row 7"):
                clone(CRNN).fit(X, labels)
            with pytest.raises(ValueError, match="groups contains NaN or None"):
                clone(CRNN).fit(X, y, groups=labels)

    def test_paths_instead_of_spectrograms(self):
        with pytest.raises(ValueError, match="put a MelSpectrogramTransformer in fro"):
            clone(CRNN).fit([["a.mp3"], ["b.mp3"]], ["a", "b"])

    @pytest.mark.parametrize(
        ("class_weight", "message"),
        [
            ({"folk": -1.0}, r"numbers >= 0, got 'folk': -1\.0"),
            ({"folk": np.nan}, "numbers >= 0, got 'folk': nan"),
            ({"folk": "x"}, "numbers >= 0, got 'folk': 'x'"),
            ({"jazz": 1.0}, r"weights of \['jazz'\]"),
        ],
    )
    def test_class_weight(self, clips, class_weight, message):
        with pytest.raises(ValueError, match=message):
            clone(CRNN).set_params(class_weight=class_weight).fit(*clips)

    def test_balanced_is_not_for_partial_fit(self, clips):
        X, y = clips
        with pytest.raises(ValueError, match="'balanced' is not for partial_fit"):
            clone(CRNN).set_params(class_weight="balanced").partial_fit(X, y, y)

    def test_all_weight_on_one_genre(self, clips):
        with pytest.raises(ValueError, match=r"fewer than 2 classes: \['folk'\]"):
            clone(CRNN).fit(*clips, sample_weight=clips[1] == "folk")

    def test_negative_weight(self, clips):
        with pytest.raises(ValueError, match="Negative values"):
            clone(CRNN).fit(*clips, sample_weight=np.full(90, -1))

    @pytest.mark.parametrize(
        ("estimator", "message"),
        [
            (CRNNClassifier(filters=()), "'filters' parameter must be a sequence of n"),
            (CRNNClassifier(filters=(8, 0)), "'filters' .* integers >= 1"),
            (CRNNClassifier(dropout=1.0), "'dropout' parameter"),
            (CRNNClassifier(epochs=0), "'epochs' parameter"),
            (ParallelCNNRNNClassifier(filters=(8,)), "'pool_sizes' .* 1 x 2 integers"),
            (ParallelCNNRNNClassifier(kernel_size=(3,)), "'kernel_size' .* of 2 int"),
        ],
    )
    def test_parameters(self, clips, estimator, message):
        with pytest.raises(ValueError, match=message):
            estimator.fit(*clips)

    @pytest.mark.parametrize("validation_fraction", [0, 0.2])
    @pytest.mark.parametrize("learning_rate", [30, 1e30])
    def test_divergence(self, clips, learning_rate, validation_fraction):
        network = clone(CRNN).set_params(
            optimizer="sgd",
            learning_rate=learning_rate,
            validation_fraction=validation_fraction,
            epochs=60,
        )
        with pytest.raises(ValueError, match="Training diverged.*learning_rate"):
            network.fit(*clips)
        with pytest.raises(NotFittedError):
            network.predict(clips[0])

    def test_failed_refit_leaves_an_unfitted_estimator(self, clips):
        network = clone(CRNN).set_params(epochs=1).fit(*clips)
        with pytest.raises(ValueError):
            network.set_params(class_weight={"jazz": 1}).fit(*clips)
        with pytest.raises(NotFittedError):
            network.predict(clips[0])

    def test_not_fitted(self, clips):
        with pytest.raises(NotFittedError):
            clone(CRNN).predict(clips[0])
        with pytest.raises(NotFittedError):
            clone(CRNN).summary()


def test_an_interrupted_fit_does_not_spoil_the_next(clips, ctrl_c):
    X, y = clips
    expected = clone(CRNN).fit(X, y).predict_proba(X)

    # A graph of its own is traced first, which takes about a second.
    longer = clone(CRNN).set_params(epochs=100_000, embedding_units=3)
    for seconds in (0.1, 0.5, 3.0):
        threading.Timer(seconds, _thread.interrupt_main).start()
        with pytest.raises(KeyboardInterrupt):
            longer.fit(X, y)
    np.testing.assert_array_equal(clone(CRNN).fit(X, y).predict_proba(X), expected)


def test_an_interrupted_prediction_does_not_spoil_the_next(clips, ctrl_c):
    X, y = clips
    fitted = clone(CRNN).set_params(epochs=1, embedding_units=5).fit(X, y)
    many = np.tile(X, (2000, 1, 1))
    before = set(threading.enumerate())  # other tests may have left some
    for seconds in (0.05, 0.3):
        timer = threading.Timer(seconds, _thread.interrupt_main)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            fitted.predict(many)
        timer.join()
    assert set(threading.enumerate()) <= before
    np.testing.assert_array_equal(fitted.predict(many[:90]), fitted.predict(X))


def test_importing_and_constructing_loads_no_tensorflow():
    code = (
        "import sys; from skgenre import CRNNClassifier; CRNNClassifier(); "
        "assert not {'tensorflow', 'keras', 'scikeras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_other_keras_backend_is_refused():
    code = (
        "import keras; keras.backend.backend = lambda: 'jax'; import skgenre.networks"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Keras runs on 'jax'" in run.stderr


class TestContinuing:
    def test_partial_fit_learns_over_calls(self, clips):
        X, y = clips
        network = clone(CRNN)
        for _ in range(15):
            for part in np.array_split(np.arange(90), 3):
                network.partial_fit(X[part], y[part], classes=np.unique(y))
        assert network.n_iter_ == 45 == len(network.history_["loss"])
        assert network.score(X, y) > 0.9

    @pytest.mark.slow
    def test_partial_fit_is_reproducible_and_survives_pickling(self, clips):
        X, y = clips
        straight, broken = clone(CRNN), clone(CRNN)
        for _ in range(3):
            straight.partial_fit(X, y, np.unique(y))
            clone(PARALLEL).set_params(epochs=1).fit(X, y)
            broken = pickle.loads(pickle.dumps(broken.partial_fit(X, y, np.unique(y))))
        np.testing.assert_array_equal(
            straight.predict_proba(X), broken.predict_proba(X)
        )

    def test_partial_fit_takes_part_of_the_genres(self, clips):
        X, y = clips
        one = y == "folk"
        network = clone(CRNN).partial_fit(X[one], y[one], ["rock", "folk", "techno"])
        assert list(network.classes_) == ["folk", "rock", "techno"]
        assert network.partial_fit(X, y).predict_proba(X).shape == (90, 3)

    def test_partial_fit_refusals(self, clips):
        X, y = clips
        with pytest.raises(ValueError, match="classes must be passed on the first"):
            clone(CRNN).partial_fit(X, y)
        network = clone(CRNN).partial_fit(X, y, np.unique(y))
        with pytest.raises(ValueError, match="differ from those of the first call"):
            network.partial_fit(X, y, classes=["folk", "jazz"])
        with pytest.raises(ValueError, match=r"not among the classes.*\['jazz'\]"):
            network.partial_fit(X[:1], ["jazz"])

    def test_warm_start_continues_where_the_last_fit_ended(self, clips):
        X, y = clips
        network = clone(CRNN).set_params(
            epochs=3, warm_start=True, plateau_patience=None, validation_fraction=0
        )
        first = network.fit(X, y).history_["loss"][-1]
        losses = network.fit(X, y).history_["loss"]
        assert len(losses) == 6 == network.n_iter_
        assert losses[3] < first
        cold = clone(network).set_params(warm_start=False).fit(X, y).fit(X, y)
        assert cold.n_iter_ == 3

    def test_history_stays_aligned(self, clips):
        X, y = clips
        network = clone(CRNN).set_params(epochs=2).fit(X, y).partial_fit(X, y)
        assert {len(values) for values in network.history_.values()} == {3}
        assert np.isnan(network.history_["val_loss"][-1])

    def test_other_optimizer_starts_with_a_fresh_state(self, clips):
        X, y = clips
        network = clone(CRNN).partial_fit(X, y, y).set_params(optimizer="sgd")
        assert network.partial_fit(X, y).n_iter_ == 2

    def test_changed_network_is_refused(self, clips):
        X, y = clips
        network = clone(CRNN).set_params(epochs=1, warm_start=True).fit(X, y)
        with pytest.raises(ValueError, match="filters, dropout changed since"):
            network.set_params(filters=(3,), dropout=0.1).fit(X, y)

    @pytest.mark.slow
    def test_fit_after_partial_fit_starts_anew(self, clips):
        X, y = clips
        network = clone(CRNN).partial_fit(X, y, np.unique(y)).fit(X, y)
        assert not hasattr(network, "optimizer_state_")
        np.testing.assert_array_equal(
            network.predict_proba(X), clone(CRNN).fit(X, y).predict_proba(X)
        )


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_learns_and_goes_on(precision, clips):
    X, y = clips
    network = clone(CRNN).set_params(precision=precision, warm_start=True)
    network.fit(X, y)
    again = clone(network).fit(X, y)
    for a, b in zip(network.weights_, again.weights_, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, b)
    assert network.score(X, y) > 0.8
    scalars = [v for v in network.optimizer_state_[1:] if np.size(v) == 1]
    assert (max(scalars) >= 1024) == (precision == "mixed_float16")  # the loss's scale
    assert network.set_params(epochs=1).fit(X, y).n_iter_ == 1 + again.n_iter_


@pytest.fixture(scope="module")
def several():
    """Clips of three genres, each of which is heard in bands of its own."""
    rng = np.random.default_rng(0)
    y = (rng.random((90, 3)) < [0.5, 0.4, 0.2]).astype(int)
    X = rng.normal(-60, 6, size=(90, 20, 6)) + 16 * np.repeat(y, 2, axis=1)[:, None]
    return X.astype(np.float32), y, np.arange(90) // 3


class TestSeveralGenres:
    @pytest.mark.parametrize("network", [CRNN, PARALLEL], ids=["crnn", "parallel"])
    def test_learns_and_predicts(self, network, several, tmp_path):
        X, y, artists = several
        names = np.array(["folk", "jazz", "rock"])
        lists = [tuple(names[row > 0].tolist()) for row in y]
        fitted = clone(network).fit(X, lists, groups=artists)
        assert fitted.classes_.tolist() == names.tolist()
        probabilities = fitted.predict_proba(X)
        assert label_ranking_average_precision_score(y, probabilities) > 0.95
        assert probabilities.sum(axis=1).max() > 1.2
        found = fitted.predict(X)
        assert [*map(set, found)] == [
            set(names[row]) for row in probabilities >= fitted.thresholds_
        ]
        assert fitted.score(X, lists) > 0.7
        history = fitted.history_["val_label_ranking_precision"]
        assert len(history) == fitted.n_iter_
        # Columns are the same training, and predictions are columns.
        columns = clone(network).fit(X, y, groups=artists)
        np.testing.assert_array_equal(columns.predict_proba(X), probabilities)
        assert columns.predict(X).tolist() == (
            (probabilities >= fitted.thresholds_).astype(int).tolist()
        )
        model = fitted.keras_classifier_.model_
        assert model.layers[-1].activation.__name__ == "sigmoid"
        # Saved, and run by either library.
        for runtime in ("keras", "onnx"):
            save(fitted, tmp_path / "it.model")
            loaded = load(tmp_path / "it.model", runtime=runtime)
            np.testing.assert_allclose(
                loaded.predict_proba(X), probabilities, atol=1e-5
            )
            assert loaded.predict(X[:9]).tolist() == found[:9].tolist()
            assert loaded.score(X, lists) == pytest.approx(fitted.score(X, lists))

    def test_continues(self, several):
        X, y, _ = several
        frame = pandas.DataFrame(y, columns=["rock", "folk", "jazz"])
        network = clone(CRNN)
        for _ in range(15):
            network.partial_fit(X, frame, classes=["rock", "folk", "jazz"])
        assert network.classes_.tolist() == ["rock", "folk", "jazz"]
        assert network.thresholds_.tolist() == [0.5] * 3  # nothing was held out
        assert network.score(X, frame) > 0.5
        with pytest.raises(ValueError, match="classes has two columns of one genre"):
            clone(CRNN).partial_fit(X, y, classes=["rock", "folk", "rock"])
        with pytest.raises(ValueError, match="y must have several genres"):
            network.partial_fit(X, np.array(["rock", "folk", "jazz"])[y.argmax(axis=1)])
        # A fit on one genre a clip forgets that there were several.
        genres = np.where(y[:, 0], "rock", "folk")
        network.set_params(epochs=1).fit(X, genres)
        assert not hasattr(network, "thresholds_")
        np.testing.assert_allclose(network.predict_proba(X).sum(axis=1), 1)

    def test_class_weights_are_of_genres(self, several):
        X, y, _ = several
        means = [
            clone(CRNN)
            .set_params(epochs=4, class_weight=weight)
            .fit(X, y)
            .predict_proba(X)
            .mean(axis=0)
            for weight in (None, {2: 20.0}, "balanced")
        ]
        assert means[1][2] > means[0][2] + 0.1
        assert abs(means[1][0] - means[0][0]) < 0.2
        assert means[2][2] > means[0][2]
        weighted = clone(CRNN).set_params(class_weight="balanced")
        with pytest.raises(ValueError, match="class_weight is a part of the default"):
            weighted.set_params(loss="binary_crossentropy").fit(X, y)

    def test_a_data_frame_causes_no_warning(self, several):
        def build(input_shape, n_classes):
            genres = keras.layers.Dense(n_classes, activation="sigmoid")
            layers = [keras.Input(input_shape), keras.layers.Flatten(), genres]
            return keras.Sequential(layers)

        X, y, _ = several
        frame = pandas.DataFrame(X[:, :, 0]).add_prefix("frame")
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            KerasGenreClassifier(build, epochs=1).fit(frame, y)


class Follower:
    """A callback of scikit-learn's that notes its calls, and may stop a fit."""

    def __init__(self, stop_after=None):
        self.stop_after, self.calls, self.fitted, self.scores = stop_after, [], [], []

    def setup(self, estimator, context):
        self.calls.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(f"{context.task_name} {context.task_id} begins")

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self.calls.append(f"{context.task_name} {context.task_id} ends")
        self.fitted.append(fitted_estimator)
        self.scores.append(fitted_estimator.score(X, y, **(metadata or {})))
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_after

    def teardown(self, estimator, context):
        self.calls.append("teardown")


@pytest.mark.skipif(find_spec("sklearn.callback") is None, reason="of 1.9 and later")
class TestCallbacksOfScikitLearn:
    """Those that `set_callbacks` sets follow a fit epoch by epoch."""

    def test_an_epoch_is_a_task(self, clips):
        X, y = clips
        weights = np.linspace(0.5, 1, len(X))
        network = clone(CRNN).set_params(epochs=3).set_callbacks(follower := Follower())
        network.fit(X, y, sample_weight=weights)
        epochs = [f"epoch {i} {what}" for i in range(3) for what in ("begins", "ends")]
        expected = ["setup", "fit 0 begins", *epochs, "fit 0 ends", "teardown"]
        assert follower.calls == expected
        # The estimator of an epoch is that of a fit which ends there.
        *_, last, fitted = follower.fitted
        expected = network.predict_proba(X)
        np.testing.assert_array_equal(last.predict_proba(X), expected)
        np.testing.assert_array_equal(fitted.predict_proba(X), expected)
        assert follower.scores[-1] == network.score(X, y, weights)
        # They change nothing.
        plain = clone(network).set_callbacks().fit(X, y, sample_weight=weights)
        np.testing.assert_array_equal(plain.predict_proba(X), expected)
        assert plain.history_ == network.history_

    def test_they_may_stop_a_fit_and_are_not_in_a_file(self, clips, tmp_path):
        X, y = clips
        network = clone(CRNN).set_callbacks(follower := Follower(stop_after=2))
        several = [(genre, "music") for genre in y]
        network.fit(X, several)
        assert network.n_iter_ == 2 and len(follower.scores) == 3
        assert follower.calls[-1] == "teardown"
        save(network, tmp_path / "it.model")
        loaded = load(tmp_path / "it.model")
        assert not hasattr(loaded, "_skl_callbacks")
        assert loaded.predict(X).tolist() == network.predict(X).tolist()

    def test_a_progress_bar_and_a_score_in_each_epoch(self, clips, capsys):
        from sklearn.callback import ProgressBar, ScoringMonitor

        X, y = clips
        network = clone(CRNN).set_params(epochs=2)
        model = make_pipeline(network).set_callbacks(ProgressBar())
        model.fit(X, y)
        assert "CRNNClassifier - fit" in capsys.readouterr().out
        monitor = ScoringMonitor(scoring="accuracy")
        network.set_callbacks(monitor).fit(X, y)
        scores = [row["accuracy"] for row in monitor.get_logs().data]
        assert len(scores) == 3 and scores[-1] == network.score(X, y)

    def test_what_one_raises_ends_the_fit(self, clips):
        class Failing(Follower):
            def on_fit_task_end(self, estimator, context):
                raise ZeroDivisionError

        network = clone(CRNN).set_callbacks(failing := Failing())
        with pytest.raises(ZeroDivisionError):
            network.fit(*clips)
        assert failing.calls[-1] == "teardown"
        assert not hasattr(network, "weights_")
        assert network.set_callbacks().fit(*clips).n_iter_ == 12

    def test_the_network_of_an_epoch_can_be_saved(self, clips, tmp_path):
        X, y = clips

        class Saving(Follower):
            def on_fit_task_end(self, estimator, context, *, fitted_estimator):
                save(fitted_estimator, tmp_path / f"{context.task_id}.model")

        model = make_pipeline(clone(CRNN).set_params(epochs=2, warm_start=True))
        model[0].set_callbacks(Saving())
        for n_before in (0, 2):
            model.fit(X, y)
            loaded = load(tmp_path / "1.model")
            assert loaded.n_iter_ == n_before + 2
            assert loaded.history_ == model[0].history_
            expected = model.predict_proba(X)
            np.testing.assert_array_equal(loaded.predict_proba(X), expected)
            np.testing.assert_array_equal(
                loaded.optimizer_state_[-1], model[0].optimizer_state_[-1]
            )

    def test_a_resumed_fit_reports_the_epochs_that_it_trains(self, clips, tmp_path):
        class Stopping(Follower):
            def on_fit_task_end(self, estimator, context):
                if context.task_id == 1:
                    raise ZeroDivisionError

        network = clone(CRNN).set_params(epochs=3)
        network.set_callbacks(whole := Follower()).fit(*clips)
        network.set_params(checkpoint_dir=tmp_path)
        with pytest.raises(ZeroDivisionError):
            network.set_callbacks(Stopping()).fit(*clips)
        network.set_callbacks(rest := Follower()).fit(*clips)
        assert 2 <= len(rest.fitted) < len(whole.fitted)
        n_rest = len(rest.fitted)
        for fitted, expected in zip(rest.fitted, whole.fitted[-n_rest:], strict=True):
            assert fitted.history_ == expected.history_
            for found, weights in zip(fitted.weights_, expected.weights_, strict=True):
                np.testing.assert_array_equal(found, weights)
