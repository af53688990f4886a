import keras
import numpy as np
import pytest

from skgenre.networks import parallel_cnn_rnn
from skgenre.networks._compiled_layer import CompiledLayer


def shapes(network):
    return [(layer.name, layer.output.shape[1:]) for layer in network.layers]


def test_parallel_has_the_papers_layers():
    network = parallel_cnn_rnn((640, 128), 8)
    assert dict(shapes(network)) == {
        "spectrogram": (640, 128),
        "image": (640, 128, 1),
        "conv1": (638, 128, 16),
        "pool1": (319, 64, 16),
        "conv2": (317, 64, 32),
        "pool2": (158, 32, 32),
        "conv3": (156, 32, 64),
        "pool3": (78, 16, 64),
        "conv4": (76, 16, 64),
        "pool4": (19, 4, 64),
        "conv5": (17, 4, 64),
        "pool5": (4, 1, 64),
        "flatten": (256,),
        "rnn_pool": (160, 64, 1),
        "rnn_series": (160, 64),
        "gru": (128,),
        "embedding": (384,),
        "genre": (8,),
    }
    assert [network.get_layer(f"conv{n}").kernel_size for n in range(1, 6)] == [
        (3, 1)
    ] * 5
    # 9 parameters a unit in Keras's GRU of 64 inputs and 64 units, two directions.
    assert network.get_layer("gru").count_params() == 2 * 3 * 64 * (64 + 64 + 2)


@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        ((256, 128), {}),  # 64 steps of the GRU, which XLA compiles
        ((61, 33), {"filters": (4, 8), "pool_sizes": ((3, 2), (2, 5))}),
        ((7, 3), {"kernel_size": (2, 3)}),
        ((2, 1), {}),
    ],
)
def test_form_for_training_is_the_same_function_of_the_same_weights(shape, parameters):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4, *shape)).astype(np.float32), [0, 1, 2, 0]
    networks = [
        parallel_cnn_rnn(shape, 3, seed=1, for_training=form, **parameters)
        for form in (False, True)
    ]
    start = [network.get_weights() for network in networks]
    for a, b in zip(*start, strict=True):
        np.testing.assert_array_equal(a, b)
    shifted = [w + rng.normal(0, 0.05, w.shape) for w in start[0]]  # biases, too
    outputs = []
    for network in networks:
        network.set_weights(shifted)
        network.compile(
            keras.optimizers.SGD(1.0),
            "sparse_categorical_crossentropy",
            jit_compile=False,
            run_eagerly=shape[0] < 256,  # tracing takes longer than the one batch
        )
        outputs.append(network.predict_on_batch(X))
        network.train_on_batch(X, np.array(y))
    np.testing.assert_allclose(*outputs, rtol=1e-5, atol=1e-6)
    gradients = [
        [after - before for after, before in zip(n.get_weights(), shifted, strict=True)]
        for n in networks
    ]
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    assert max(np.abs(a).max() for a in gradients[0]) > 1e-3


@pytest.mark.parametrize(("n_frames", "compiled"), [(252, False), (256, True)])
def test_gru_of_64_steps_is_compiled_for_training(n_frames, compiled):
    network = parallel_cnn_rnn((n_frames, 16), 3, for_training=True)
    assert isinstance(network.get_layer("gru"), CompiledLayer) == compiled
