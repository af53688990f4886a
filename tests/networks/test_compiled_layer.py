import keras
import numpy as np
import pytest

from skgenre.networks._compiled_layer import CompiledLayer
from skgenre.networks._layers import recurrent, seeds


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_compiled_layer_learns_as_the_layer_does(precision):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(8, 20, 5)).astype(np.float32), np.arange(8) % 2
    losses = []
    for compiled in (False, True):
        lstm = keras.layers.LSTM(4, dtype=precision, **recurrent(seeds(0), "sigmoid"))
        layer = CompiledLayer(lstm, dtype=precision) if compiled else lstm
        genre = keras.layers.Dense(2, "softmax", kernel_initializer="ones")
        network = keras.Sequential([keras.Input((20, 5)), layer, genre])
        loss = "sparse_categorical_crossentropy"
        network.compile(keras.optimizers.SGD(0.5), loss, jit_compile=False)
        history = network.fit(X, y, epochs=10, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    assert losses[0][-1] < losses[0][0] - 0.01
    tolerance = 1e-5 if precision == "float32" else 1e-2
    np.testing.assert_allclose(*losses, rtol=tolerance)
