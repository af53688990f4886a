"""A compiled network is traced as seldom as can be: tracing is most of a short fit."""

import keras
import numpy as np
from sklearn.base import clone

from skgenre import SecondOrderClassifier


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
