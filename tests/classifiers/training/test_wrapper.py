"""A compiled network is traced as seldom as can be: tracing is most of a short fit."""

from functools import partial

import keras
import numpy as np
import pytest
from sklearn.base import clone

import skgenre
from skgenre import KerasGenreClassifier, SecondOrderClassifier
from skgenre.classifiers._training import _wrapper
from skgenre.classifiers._training._train import OneHotLoss, SeveralCrossentropy
from skgenre.classifiers._training._wrapper import description


def build(input_shape, n_classes):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )


def trained(clips, network=build, **parameters):
    model = KerasGenreClassifier(
        network, epochs=1, validation_fraction=0, random_state=0, **parameters
    )
    return model.fit(*clips)


@pytest.fixture(scope="module")
def clips():
    y = np.array(["folk", "jazz", "techno"])[np.arange(30) % 3]
    return np.random.default_rng(0).normal(size=(30, 4, 3)).astype(np.float32), y


def test_each_step_is_traced_once_and_not_for_the_next_fit(monkeypatch):
    traced = []

    def note(step):
        run = getattr(keras.Model, step)

        def noted(model, data):  # Python runs a step while it is traced, and no more
            traced.append(step)
            return run(model, data)

        monkeypatch.setattr(keras.Model, step, noted)

    note("train_step")
    note("test_step")
    X = np.random.default_rng(0).normal(size=(16, 9, 7))
    y = ["folk", "rock"] * 8
    network = SecondOrderClassifier(
        n_mfcc=3, n_prototypes=5, epochs=2, validation_fraction=0.25, random_state=0
    )
    network.fit(X, y)
    assert traced == ["train_step", "test_step"]
    assert set(network.history_) >= {"accuracy", "val_accuracy"}
    clone(network).set_params(random_state=1, learning_rate=0.1).fit(X, y)
    assert len(traced) == 2


def top(k):
    return {"metrics": [keras.metrics.SparseTopKCategoricalAccuracy(k, name="top")]}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (top(1), top(2)),
        (
            {"loss": keras.losses.SparseCategoricalCrossentropy()},
            {"loss": keras.losses.SparseCategoricalCrossentropy(reduction="sum")},
        ),
        ({"loss": keras.losses.Huber(1.0)}, {"loss": keras.losses.Huber(0.01)}),
    ],
    ids=["metric", "reduction", "Huber"],
)
def test_other_metrics_and_losses_are_traced_anew(first, second, clips):
    _wrapper._idle.clear()
    of_first, of_second = (trained(clips, **each).history_ for each in (first, second))
    assert of_second != of_first
    assert len(_wrapper._idle) == 2
    assert trained(clips, **second).history_ == of_second
    assert len(_wrapper._idle) == 2


def test_code_of_the_user_is_traced_anew(clips):
    weight = [1.0]

    def loss(y_true, y_pred):
        return weight[0] * keras.losses.sparse_categorical_crossentropy(y_true, y_pred)

    _wrapper._idle.clear()
    first = trained(clips, loss=loss).history_["loss"][0]
    weight[0] = 3.0
    assert trained(clips, loss=loss).history_["loss"][0] == pytest.approx(3 * first)
    assert not _wrapper._idle


def test_layers_of_the_user_are_traced_anew(clips):
    def network(input_shape, n_classes):
        double = keras.layers.Lambda(lambda x: 2 * x)
        layers = build(input_shape, n_classes).layers
        return keras.Sequential([keras.Input(input_shape), double, *layers])

    _wrapper._idle.clear()
    trained(clips, network)
    assert not _wrapper._idle


SCHEDULES = keras.optimizers.schedules
DIFFERENT = [
    *(None, 0, False, 0.0, "0", "None", np.nan, (), (0,), (0, 0), ((0,), 0), {"a": 0}),
    *(keras.optimizers.SGD, keras.optimizers.Adam, skgenre.networks.crnn),
    *(keras.losses.Huber, keras.losses.Huber(), keras.losses.Huber(0.1)),
    *(OneHotLoss(keras.losses.Huber(d, dtype="float64")) for d in (0.1, 0.2)),
    keras.losses.Huber(0.1, reduction="sum"),
    *(SeveralCrossentropy(0.1, weights) for weights in (None, np.ones((2, 3)))),
    *(keras.metrics.TopKCategoricalAccuracy(k, name="x") for k in (1, 2)),
    keras.metrics.TopKCategoricalAccuracy(1, name="y"),
    *(SCHEDULES.ExponentialDecay(0.1, steps, 0.5) for steps in (1, 2)),
]


def test_a_description_has_all_that_decides():
    described = [description(value) for value in DIFFERENT]
    assert len(set(described) - {None}) == len(DIFFERENT)
    assert not any(" at 0x" in text for text in described)
    assert description(SeveralCrossentropy(0.1, None)) in described
    assert description({"a": np.float32(1), "b": 2}) == description({"b": 2, "a": 1.0})
    assert description(np.array([[1, 2]])) == description([(1, 2)])


class Own(keras.losses.Huber):
    pass


@keras.saving.register_keras_serializable()
def of_clips(y_true, y_pred):
    return y_pred[:, 0]


@pytest.mark.parametrize(
    "value",
    [
        *(build, lambda y, p: 0, Own, Own(), partial(build, units=3), of_clips),
        *(keras.metrics.MeanMetricWrapper(of_clips), build((4, 3), 2), object()),
        *([{"a": (1, of_clips)}], OneHotLoss(Own()), keras.optimizers.SGD()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_of_what_nothing_is_sure_there_is_no_description(value):
    assert description(value) is None
