"""The graphs, layer shape by layer shape, as the report describes them."""

import random

import numpy as np
import pytest

from skgenre.networks import crnn, parallel_cnn_rnn


def shapes(network):
    return [(layer.name, layer.output.shape[1:]) for layer in network.layers]


def test_crnn_has_the_papers_layers_and_parameters():
    network = crnn((640, 128), 8)
    assert network.count_params() == 133_520
    assert shapes(network) == [
        ("spectrogram", (640, 128)),
        ("conv1", (636, 56)),
        ("relu1", (636, 56)),
        ("batch_norm1", (636, 56)),
        ("pool1", (318, 56)),
        ("dropout1", (318, 56)),
        ("conv2", (314, 56)),
        ("relu2", (314, 56)),
        ("batch_norm2", (314, 56)),
        ("pool2", (157, 56)),
        ("dropout2", (157, 56)),
        ("conv3", (153, 56)),
        ("relu3", (153, 56)),
        ("batch_norm3", (153, 56)),
        ("pool3", (76, 56)),
        ("dropout3", (76, 56)),
        ("lstm", (96,)),
        ("lstm_dropout", (96,)),
        ("embedding", (64,)),
        ("embedding_dropout", (64,)),
        ("genre", (8,)),
    ]
    assert {network.get_layer(f"dropout{n}").rate for n in (1, 2, 3)} == {0.4}
    assert network.get_layer("batch_norm1").momentum == 0.9
    for name in ("conv1", "conv2", "conv3", "embedding"):
        assert network.get_layer(name).kernel_regularizer.l2 == pytest.approx(0.001)
    assert network.get_layer("embedding").activation.__name__ == "linear"
    assert network.get_layer("genre").activation.__name__ == "softmax"


def test_crnn_batch_norm_before_relu():
    names = [
        layer.name
        for layer in crnn((64, 8), 2, batch_norm_position="before_relu").layers
    ]
    assert names[1:5] == ["conv1", "batch_norm1", "relu1", "pool1"]


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


@pytest.mark.parametrize("build", [crnn, parallel_cnn_rnn])
@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 128), (7, 3), (640, 1)])
def test_small_inputs_still_make_a_network(build, shape):
    network = build(shape, 3)
    probabilities = network(np.zeros((2, *shape), np.float32)).numpy()
    assert probabilities.shape == (2, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_kernels_far_longer_than_the_clip():
    for network in (
        crnn((4, 3), 2, kernel_size=1000),
        parallel_cnn_rnn((4, 3), 2, kernel_size=(1000, 3)),
    ):
        assert network.get_layer("conv1").kernel_size[0] == 7
        assert network(np.zeros((1, 4, 3), np.float32)).shape == (1, 2)


@pytest.mark.parametrize("build", [crnn, parallel_cnn_rnn])
def test_seed_decides_every_weight_and_leaves_global_generators_alone(build):
    before = random.getstate(), np.random.get_state()
    first, again, other = build((64, 16), 3, seed=1), build((64, 16), 3, seed=1), None
    other = build((64, 16), 3, seed=2)
    assert random.getstate() == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1][1])
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    kernels = [
        (v.numpy(), w.numpy())
        for v, w in zip(first.weights, other.weights, strict=True)
        if "kernel" in v.name
    ]
    assert len(kernels) >= 5
    assert all((v != w).any() for v, w in kernels)


def test_no_two_layers_start_with_the_same_values():
    weights = crnn((64, 16), 3, seed=1)
    conv2, conv3 = (weights.get_layer(f"conv{n}").get_weights()[0] for n in (2, 3))
    assert (conv2 != conv3).any()
    gru = parallel_cnn_rnn((64, 16), 3, seed=1).get_layer("gru")
    forward, backward = (
        layer.get_weights()[0] for layer in (gru.forward_layer, gru.backward_layer)
    )
    assert (forward != backward).any()


def test_mixed_precision_gives_float32_probabilities():
    network = crnn((64, 16), 3, precision="mixed_bfloat16")
    assert network.get_layer("conv1").compute_dtype == "bfloat16"
    assert network.output.dtype == "float32"
