"""The graphs, layer shape by layer shape, as the report describes them."""

import random

import keras
import numpy as np
import pytest
import scipy.fft

from skgenre.networks import (
    RandomTimeCrop,
    SpecAugment,
    crnn,
    parallel_cnn_rnn,
    second_order,
    set_statistics,
)
from skgenre.networks._compiled_layer import CompiledLayer
from skgenre.networks._layers import recurrent, seeds


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


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_compiled_layer_learns_as_the_layer_does(precision):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(8, 20, 5)).astype(np.float32), np.arange(8) % 2
    losses = []
    for compiled in (False, True):
        lstm = keras.layers.LSTM(4, dtype=precision, **recurrent(seeds(0)))
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


class TestSecondOrder:
    def test_layers(self):
        network = second_order((640, 128), 8)
        assert shapes(network) == [
            ("spectrogram", (640, 128)),
            ("crop", (640, 128)),
            ("cepstra", (640, 20)),
            ("pooling", (230,)),
            ("scaling", (230,)),
            ("prototypes", (128,)),
            ("embedding", (128,)),
            ("dropout", (128,)),
            ("genre", (8,)),
        ]
        assert not network.get_layer("scaling").trainable_variables

    def test_equals_numpy(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(5, 40, 8)).astype(np.float32)
        network = second_order((40, 8), 2, n_mfcc=4, n_prototypes=3, seed=0)
        set_statistics(network, [(X[:2],), (X[2:],)])
        pooled = []
        for clip in X.astype(np.float64):
            cepstra = scipy.fft.dct(clip, norm="ortho")[:, :4]
            r = np.corrcoef(cepstra.T)[np.triu_indices(4, 1)]
            pooled.append([*cepstra.mean(axis=0), *cepstra.std(axis=0), *r])
        pooled = np.array(pooled)
        scaled = (pooled - pooled.mean(axis=0)) / np.sqrt(pooled.var(axis=0) + 1e-3)
        centers = np.asarray(network.get_layer("prototypes").centers)
        distances = np.sum((scaled[:, None] - centers) ** 2, axis=-1)
        upto = keras.Model(network.input, network.get_layer("prototypes").output)
        np.testing.assert_allclose(upto(X), np.exp(-distances / 14), atol=5e-3)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 128), (640, 1), (3, 5)])
    def test_small_inputs(self, shape):
        network = second_order(shape, 2, seed=0)
        outputs = np.asarray(network(np.zeros((2, *shape), np.float32)))
        assert np.isfinite(outputs).all() and outputs.shape == (2, 2)

    def test_description_is_exact_in_any_precision(self):
        X = np.random.default_rng(0).normal(-40, 9, size=(3, 40, 8)).astype("float32")
        pooled = [
            keras.Model(network.input, network.get_layer("pooling").output)(X)
            for network in (
                second_order((40, 8), 2, precision=precision)
                for precision in ("float32", "mixed_bfloat16")
            )
        ]
        np.testing.assert_array_equal(*pooled)

    def test_statistics_of_one_clip_and_of_several_layers(self):
        entry = keras.Input((6, 4))
        frozen = [
            keras.layers.BatchNormalization(trainable=False, name=name)
            for name in ("first", "second")
        ]
        network = keras.Model(entry, frozen[1](2 * frozen[0](entry)))
        X = np.random.default_rng(0).normal(3, 2, size=(50, 6, 4)).astype("float32")
        set_statistics(network, [(X[i : i + 10],) for i in range(0, 50, 10)])
        np.testing.assert_allclose(
            frozen[0].moving_mean, X.mean(axis=(0, 1)), rtol=1e-5
        )
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

    def test_nothing_is_read_for_networks_without_frozen_scaling(self):
        for build in (crnn, parallel_cnn_rnn):
            set_statistics(build((40, 8), 2), [None])  # reading it would fail

    def test_saved_by_keras(self, tmp_path):
        network = second_order((40, 8), 2, n_prototypes=3, seed=0)
        network.save(tmp_path / "it.keras")
        X = np.random.default_rng(0).normal(size=(2, 40, 8)).astype(np.float32)
        again = keras.models.load_model(tmp_path / "it.keras")
        np.testing.assert_array_equal(again(X), network(X))


class TestRandomTimeCrop:
    X = np.arange(2 * 10 * 3, dtype=np.float32).reshape(2, 10, 3)

    def test_stretches_from_everywhere(self):
        crop = RandomTimeCrop(4, seed=0)
        starts = set()
        for _ in range(60):
            part = np.asarray(crop(self.X, training=True))
            start = int(part[0, 0, 0]) // 3
            np.testing.assert_array_equal(part, self.X[:, start : start + 4])
            starts.add(start)
        assert starts == set(range(7))

    def test_same_seed_same_stretches(self):
        first, second = (RandomTimeCrop(1, seed=3) for _ in range(2))
        for _ in range(5):
            np.testing.assert_array_equal(
                first(self.X, training=True), second(self.X, training=True)
            )

    @pytest.mark.parametrize("layer", [RandomTimeCrop(4), SpecAugment(4, 2)])
    def test_unknown_size_is_refused(self, layer):
        with pytest.raises(ValueError, match="needs clips of a known number of frames"):
            layer(keras.Input((None, 8)))

    def test_nothing_is_lost_outside_training_or_of_short_clips(self):
        np.testing.assert_array_equal(RandomTimeCrop(4)(self.X), self.X)
        short = RandomTimeCrop(10)(self.X, training=True)
        np.testing.assert_array_equal(short, self.X)


class TestSpecAugment:
    X = np.random.default_rng(0).normal(size=(50, 30, 12)).astype(np.float32)

    def hidden(self, **parameters):
        """Tell which values of each clip were replaced, each by the clip's mean."""
        result = np.asarray(SpecAugment(seed=0, **parameters)(self.X, training=True))
        hidden = result != self.X
        means = np.broadcast_to(self.X.mean(axis=(1, 2), keepdims=True), self.X.shape)
        np.testing.assert_allclose(result[hidden], means[hidden], atol=1e-6)
        return hidden

    def test_two_stretches_of_frames(self):
        hidden = self.hidden(time_mask=6)
        np.testing.assert_array_equal(hidden.any(axis=2), hidden.all(axis=2))
        frames = hidden.any(axis=2)
        starts = np.diff(frames.astype(int), prepend=0, axis=1) == 1
        assert set(starts.sum(axis=1)) <= {0, 1, 2}
        assert frames.sum(axis=1).max() <= 12
        assert len({tuple(row) for row in frames}) > 40  # others in each clip
        assert frames.any(axis=0).all()  # anywhere, ends included

    def test_two_stretches_of_bands(self):
        hidden = self.hidden(frequency_mask=3)
        np.testing.assert_array_equal(hidden.any(axis=1), hidden.all(axis=1))
        assert 0 < hidden.any(axis=1).sum(axis=1).max() <= 6

    def test_masks_longer_than_the_clip(self):
        assert self.hidden(time_mask=1000, frequency_mask=1000).any()

    def test_nothing_is_hidden_outside_training(self):
        layer = SpecAugment(10, 10)
        np.testing.assert_array_equal(layer(self.X), self.X)
        np.testing.assert_array_equal(SpecAugment()(self.X, training=True), self.X)

    @pytest.mark.parametrize("build", [crnn, parallel_cnn_rnn])
    def test_in_the_networks(self, build):
        plain, masked = build((40, 16), 3), build((40, 16), 3, time_mask=5)
        assert masked.count_params() == plain.count_params()
        assert [layer.name for layer in masked.layers][1] == "masks"
