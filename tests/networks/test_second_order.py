import keras
import numpy as np
import pytest
import scipy.fft

from skgenre.networks import second_order, set_statistics


def shapes(network):
    return [(layer.name, layer.output.shape[1:]) for layer in network.layers]


def test_second_order_has_these_layers():
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


def test_equals_numpy():
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


def test_each_view_is_described_by_itself():
    X = np.random.default_rng(0).normal(size=(5, 40, 16)).astype(np.float32)
    both = second_order((40, 16), 2, n_mfcc=4, n_views=2)
    one = second_order((40, 8), 2, n_mfcc=4)
    pooled, first, second = (
        np.asarray(keras.Model(n.input, n.get_layer("pooling").output)(x))
        for n, x in ((both, X), (one, X[:, :, :8]), (one, X[:, :, 8:]))
    )
    kinds = np.split(first, [4, 8], axis=1), np.split(second, [4, 8], axis=1)
    expected = np.hstack([part for kind in zip(*kinds, strict=True) for part in kind])
    np.testing.assert_allclose(pooled, expected, atol=1e-5)


@pytest.mark.parametrize(("n_mels", "n_views"), [(9, 2), (3, 3), (1, 2)])
def test_views_of_other_spectrograms(n_mels, n_views):
    with pytest.raises(ValueError, match=f"n_views={n_views} does not fit .* {n_mels}"):
        second_order((40, n_mels), 2, n_views=n_views)


@pytest.mark.parametrize("shape", [(1, 1), (1, 128), (640, 1), (3, 5)])
def test_small_inputs(shape):
    network = second_order(shape, 2, seed=0)
    outputs = np.asarray(network(np.zeros((2, *shape), np.float32)))
    assert np.isfinite(outputs).all() and outputs.shape == (2, 2)


def test_description_is_exact_in_any_precision():
    X = np.random.default_rng(0).normal(-40, 9, size=(3, 40, 8)).astype("float32")
    pooled = [
        keras.Model(network.input, network.get_layer("pooling").output)(X)
        for network in (
            second_order((40, 8), 2, precision=precision)
            for precision in ("float32", "mixed_bfloat16")
        )
    ]
    np.testing.assert_array_equal(*pooled)


def test_saved_by_keras(tmp_path):
    network = second_order((40, 8), 2, n_prototypes=3, seed=0)
    network.save(tmp_path / "it.keras")
    X = np.random.default_rng(0).normal(size=(2, 40, 8)).astype(np.float32)
    again = keras.models.load_model(tmp_path / "it.keras")
    np.testing.assert_array_equal(again(X), network(X))
