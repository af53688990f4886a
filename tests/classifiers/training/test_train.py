import keras
import numpy as np
import pytest

from skgenre.classifiers._training._train import SmoothedCrossentropy, loss_function


def test_equals_keras_on_one_hot_labels():
    rng = np.random.default_rng(0)
    y, weights = rng.integers(4, size=9), rng.uniform(size=9)
    p = rng.dirichlet(np.ones(4), size=9).astype(np.float32)
    expected = keras.losses.CategoricalCrossentropy(label_smoothing=0.2)
    assert float(SmoothedCrossentropy(0.2)(y, p, weights)) == pytest.approx(
        float(expected(np.eye(4)[y], p, weights)), rel=1e-5
    )


def test_impossible_genres_cost_no_infinity():
    loss = SmoothedCrossentropy(0.1)(np.array([0]), np.array([[1.0, 0.0]], np.float32))
    assert 0 < float(loss) < 2


def test_networks_are_kept_under_what_the_loss_depends_on():
    assert repr(loss_function(0.1)) != repr(loss_function(0.2))
    assert repr(loss_function(0.1)) == repr(loss_function(0.1))
    assert loss_function(0) == "sparse_categorical_crossentropy"
