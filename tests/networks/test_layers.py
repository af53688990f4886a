"""What all networks share: layers that fit small inputs, seeds, statistics."""

import random

import keras
import numpy as np
import pytest

from skgenre.networks import crnn, parallel_cnn_rnn, second_order, set_statistics


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


def test_statistics_of_one_clip_and_of_several_layers():
    entry = keras.Input((6, 4))
    frozen = [
        keras.layers.BatchNormalization(trainable=False, name=name)
        for name in ("first", "second")
    ]
    network = keras.Model(entry, frozen[1](2 * frozen[0](entry)))
    X = np.random.default_rng(0).normal(3, [2, 0.6, 2, 2], size=(50, 6, 4))
    X = X.astype("float32")
    set_statistics(network, [(X[i : i + 10],) for i in range(0, 50, 10)])
    np.testing.assert_allclose(frozen[0].moving_mean, X.mean(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(frozen[1].moving_variance, 4, rtol=0.01)
    weights = np.arange(50) % 3
    set_statistics(
        network,
        [(X[i : i + 10], None, weights[i : i + 10]) for i in range(0, 50, 10)],
    )
    copies = np.repeat(X, weights, axis=0)
    for value, expected in (
        (frozen[0].moving_mean, copies.mean(axis=(0, 1))),
        (frozen[0].moving_variance, copies.var(axis=(0, 1))),
    ):
        np.testing.assert_allclose(value, expected, rtol=1e-5)
    network = second_order((40, 8), 2)
    set_statistics(network, [(np.zeros((1, 40, 8), np.float32),)])
    assert set(np.asarray(network.get_layer("scaling").moving_variance)) == {1.0}


def test_nothing_is_read_for_networks_without_frozen_scaling():
    for build in (crnn, parallel_cnn_rnn):
        set_statistics(build((40, 8), 2), [None])  # reading it would fail
