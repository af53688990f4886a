"""Optimisers, losses, metrics and callbacks as users of Keras give them."""

import keras
import numpy as np
import pytest
from sklearn.base import clone

import skgenre
from skgenre import CRNNClassifier, KerasGenreClassifier


def build(input_shape, n_classes, activation="softmax"):
    x = inputs = keras.Input(input_shape)
    x = keras.layers.GlobalAveragePooling1D()(x)
    x = keras.layers.Dense(n_classes, activation=activation)(x)
    return keras.Model(inputs, x)


NETWORK = KerasGenreClassifier(
    build, epochs=2, learning_rate=0.1, batch_size=8, random_state=0
)


@pytest.fixture(scope="module")
def clips():
    y = np.array(["folk", "jazz", "techno"])[np.arange(30) % 3]
    return np.random.default_rng(0).normal(size=(30, 4, 3)).astype(np.float32), y


def trained(clips, **parameters):
    return clone(NETWORK).set_params(**parameters).fit(*clips)


def check_same(models):
    first, *others = models
    for other in others:
        for ours, theirs in zip(first.weights_, other.weights_, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_optimisers_by_name_by_settings_and_as_objects(clips):
    # The learning rate of the dict and of the object is their own.
    same = {"name": "SGD", "learning_rate": 0.1}
    models = [
        trained(clips, optimizer=optimizer, learning_rate=rate)
        for optimizer, rate in [
            ("sgd", 0.1),
            ({"name": "sgd"}, 0.1),
            (same, 0.5),
            (keras.optimizers.SGD(0.1), 0.5),
        ]
    ]
    check_same(models)
    other = trained(clips, optimizer=same | {"momentum": 0.9})
    assert np.abs(other.weights_[0] - models[0].weights_[0]).max() > 1e-3


def test_each_fit_has_an_optimiser_of_its_own(clips):
    optimizer = keras.optimizers.Adam(0.1)
    check_same([trained(clips, optimizer=optimizer) for _ in range(2)])
    assert not optimizer.built


@pytest.mark.parametrize("schedule", ["plateau", "cosine"])
def test_a_schedule_of_keras_is_left_alone(schedule, clips):
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.5)
    model = trained(
        clips,
        optimizer=keras.optimizers.SGD(rate),
        learning_rate_schedule=schedule,
        plateau_patience=1,
    )
    assert model.n_iter_ == 2
    with pytest.raises(TypeError, match="its optimizer has learning_rate=Exponential"):
        skgenre.save(model, "it.model")
    assert model.set_params(warm_start=True).fit(*clips).n_iter_ == 4


def test_losses_by_name_by_settings_and_as_objects(clips):
    names = ("categorical_focal_crossentropy", "CategoricalFocalCrossentropy")
    focal = [
        *(trained(clips, loss=name) for name in names),
        trained(clips, loss={"name": names[0], "gamma": 2.0}),
        trained(clips, loss=keras.losses.CategoricalFocalCrossentropy(gamma=2.0)),
    ]
    check_same(focal)
    entropy = [
        trained(clips),
        trained(clips, loss="sparse_categorical_crossentropy"),
        trained(clips, loss="categorical_crossentropy"),
        trained(clips, loss=of_numbers),
        trained(clips, loss=OfNumbers()),
    ]
    check_same(entropy)
    smoothing = {"label_smoothing": 0.2}
    smooth = [
        trained(clips, **smoothing),
        trained(clips, loss={"name": "categorical_crossentropy"} | smoothing),
    ]
    check_same(smooth)
    for others in (focal, smooth):
        assert np.abs(others[0].weights_[0] - entropy[0].weights_[0]).max() > 1e-3


def of_numbers(y_true, y_pred):
    return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)


class OfNumbers(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return of_numbers(y_true, y_pred)


def test_the_sum_of_a_loss_instead_of_its_mean(clips):
    mean, total = (
        trained(clips, loss=loss, batch_size=32, epochs=1).history_["loss"][0]
        for loss in (
            "categorical_crossentropy",
            {"name": "categorical_crossentropy", "reduction": "sum"},
        )
    )
    assert total == pytest.approx(27 * mean, rel=1e-5)  # all clips that are trained on


class Recorder(keras.callbacks.Callback):
    made = 0

    def __init__(self):
        super().__init__()
        Recorder.made += 1
        self.epochs = []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(epoch)
        logs["epochs_seen"] = len(self.epochs)


def test_callbacks_are_made_or_copied_for_each_fit(clips, tmp_path):
    log, recorder = keras.callbacks.CSVLogger(tmp_path / "log.csv"), Recorder()
    before = Recorder.made
    model = clone(NETWORK).set_params(callbacks=[recorder, Recorder, log])
    for fits in (1, 2):
        model.fit(*clips)
        assert Recorder.made == before + fits
        assert model.history_["epochs_seen"] == [1, 2]
    assert recorder.epochs == []
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert len(lines) == 3 and lines[0].startswith("epoch,accuracy")
    assert trained(clips, callbacks=Recorder).history_["epochs_seen"] == [1, 2]


def test_metrics_are_in_the_history(clips):
    # By this name, scikeras knows another one.
    metric = keras.metrics.SparseTopKCategoricalAccuracy(2, name="auc")
    model = trained(clips, metrics=[metric], validation_fraction=0.3)
    for name in ("auc", "val_auc"):
        assert len(model.history_[name]) == 2
    assert not any(variable.numpy().any() for variable in metric.variables)


def test_the_accuracy_of_several_genres(clips):
    X, y = clips
    columns = np.eye(3, dtype=int)[np.unique(y, return_inverse=True)[1]]
    model = clone(NETWORK).set_params(
        network_parameters={"activation": "sigmoid"},
        metrics=["accuracy"],
        learning_rate=1e-9,
        validation_fraction=0,
    )
    model.fit(X, columns)
    expected = ((model.predict_proba(X) > 0.5) == columns).mean()
    assert model.history_["accuracy"] == pytest.approx([expected] * 2)


def test_other_networks_take_them_too_and_can_be_saved(clips, tmp_path):
    model = CRNNClassifier(
        filters=(2,),
        lstm_units=2,
        epochs=1,
        optimizer=keras.optimizers.Nadam(0.01, clipnorm=1.0),
        loss={"name": "categorical_focal_crossentropy", "gamma": 1.5},
        metrics=["sparse_categorical_accuracy"],
        callbacks=[Recorder],
        random_state=0,
    ).fit(*clips)
    skgenre.save(model, tmp_path / "it.model")
    loaded = skgenre.load(tmp_path / "it.model")
    assert loaded.optimizer["name"] == "Nadam" and loaded.optimizer["clipnorm"] == 1.0
    assert loaded.loss == model.loss
    assert (loaded.callbacks, loaded.metrics) == (None, None)
    np.testing.assert_array_equal(
        loaded.predict_log_proba(clips[0]), np.log(model.predict_proba(clips[0]))
    )


@pytest.mark.parametrize(
    ("parameters", "error", "match"),
    [
        ({"callbacks": [3]}, TypeError, "callbacks must be classes or instances"),
        ({"callbacks": [dict]}, TypeError, "callbacks must be classes or instances"),
        ({"optimizer": {"name": "adm"}}, ValueError, "'adm'} names no class of keras"),
        ({"optimizer": {"name": "schedules"}}, ValueError, "names no class"),
        ({"optimizer": {}}, ValueError, "names no class"),
        ({"optimizer": "adm"}, ValueError, "The 'optimizer' parameter"),
        ({"optimizer": keras.optimizers.Adam}, ValueError, "names no class of keras"),
        ({"loss": keras.losses.MeanSquaredError}, ValueError, "an object of such a"),
        ({"loss": "entropy"}, ValueError, "'entropy' names no class of keras"),
        ({"loss": {"name": "get"}}, ValueError, "names no class"),
        ({"loss": 3}, ValueError, "The 'loss' parameter"),
    ],
    ids=str,
)
def test_what_is_none_of_keras(parameters, error, match, clips):
    with pytest.raises(error, match=match):
        trained(clips, **parameters)
