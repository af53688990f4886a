"""maximize_activation: how far filters rise, on trained (tiny) networks."""

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skgenre import (
    CRNNClassifier,
    MelSpectrogramTransformer,
    ParallelCNNRNNClassifier,
    SecondOrderClassifier,
    SegmentClassifier,
)
from skgenre.inspection import maximize_activation


@pytest.fixture(scope="module")
def clips():
    """Noise, with a tone in band 3 or in band 10."""
    X = np.random.default_rng(0).normal(-55, 8, size=(60, 32, 16)).clip(-80, 0)
    y = np.tile(["folk", "trip-hop", "чалга"], 20)
    X[y == "folk", :, 3] += 35
    X[y == "trip-hop", :, 10] += 35
    return X.clip(-80, 0).astype(np.float32), y


@pytest.fixture(scope="module")
def parallel(clips):
    return ParallelCNNRNNClassifier(
        filters=(6, 4),
        pool_sizes=((2, 2), (2, 2)),
        gru_units=4,
        epochs=30,
        learning_rate=0.01,
        random_state=0,
    ).fit(*clips)


@pytest.fixture(scope="module")
def crnn(clips):
    return CRNNClassifier(
        filters=(8,), lstm_units=8, dropout=0.1, epochs=15, random_state=0
    ).fit(*clips)


@pytest.fixture(scope="module")
def second_order(clips):
    return SecondOrderClassifier(epochs=100, random_state=0).fit(*clips)


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_filters_rise_fivefold(parallel, layer):
    result = maximize_activation(parallel, layer, random_state=0)
    n_filters = {"conv1": 6, "conv2": 4}[layer]
    assert result.layer == layer
    np.testing.assert_array_equal(result.filters, np.arange(n_filters))
    assert result.spectrograms.shape == (n_filters, 32, 16)
    assert result.spectrograms.dtype == result.activations.dtype == np.float32
    assert result.activations.shape == (65, n_filters)
    assert result.spectrograms.min() >= -80 and result.spectrograms.max() <= 0
    start, end = result.activations[[0, -1]]
    assert (end > 0).all()
    assert (end >= 5 * start).all()


def test_activations_are_those_of_the_network(parallel):
    import keras

    result = maximize_activation(parallel, "conv2", [3, 1], n_steps=5, random_state=0)
    model = parallel.keras_classifier_.model_
    conv2 = keras.Model(model.inputs, model.get_layer("conv2").output)
    x = (result.spectrograms - parallel.input_mean_) / parallel.input_scale_
    means = conv2([x]).numpy().mean(axis=(1, 2))
    expected = means[[0, 1], [3, 1]]
    np.testing.assert_allclose(result.activations[-1], expected, rtol=1e-4)


@pytest.mark.parametrize(
    "name",
    [
        "parallel",
        pytest.param("crnn", marks=pytest.mark.slow),
        pytest.param("second_order", marks=pytest.mark.slow),
    ],
)
def test_a_genre_is_told_from_what_was_found_for_it(name, request, clips):
    network = request.getfixturevalue(name)
    assert network.score(*clips) > 0.9
    # The logarithm of the second-order network has no mean of its own to start from.
    start = clips[0].mean(axis=0)
    result = maximize_activation(network, "genre", start=start, random_state=0)
    np.testing.assert_array_equal(result.filters, network.classes_)
    np.testing.assert_array_equal(
        network.predict(result.spectrograms), network.classes_
    )
    assert (result.activations[-1] > result.activations[0] + 1).all()


def test_a_genre_sounds_as_its_clips_do(parallel, clips):
    found = maximize_activation(parallel, "genre", ["trip-hop", "folk"], random_state=0)
    assert found.filters.tolist() == ["trip-hop", "folk"]
    change = found.spectrograms.mean(axis=1) - parallel.input_mean_
    assert change[0, 10] > change[1, 10] + 3
    assert change[1, 3] > change[0, 3] + 3


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["relu1", "batch_norm1", "lstm", "embedding"])
def test_any_layer_by_name(crnn, layer):
    result = maximize_activation(crnn, layer, [0, 2], n_steps=20, random_state=0)
    assert (result.activations[-1] > result.activations[0]).all()


def test_the_first_24_units_by_default(parallel):
    result = maximize_activation(parallel, "embedding", n_steps=1, random_state=0)
    assert result.spectrograms.shape == (24, 32, 16)


def test_a_silent_filter_is_woken(parallel, clips):
    silent = ParallelCNNRNNClassifier(**parallel.get_params())
    vars(silent).update(vars(parallel))
    weights = [w.copy() for w in parallel.weights_]
    weights[1][:] = -0.2  # biases of conv1: nothing passes at the start
    silent.weights_ = weights
    result = maximize_activation(silent, "conv1", random_state=0)
    assert (result.activations[0] == 0).any()
    assert (result.activations[-1] > 0).all()


@pytest.mark.slow
def test_a_filter_is_found_alike_alone_and_in_company(parallel):
    together = maximize_activation(parallel, "embedding", n_steps=10, random_state=0)
    alone = maximize_activation(parallel, "embedding", [20], n_steps=10, random_state=0)
    np.testing.assert_allclose(
        alone.spectrograms[0], together.spectrograms[20], atol=0.05
    )
    again = maximize_activation(parallel, "embedding", [20], n_steps=10, random_state=0)
    np.testing.assert_array_equal(alone.spectrograms, again.spectrograms)
    other = maximize_activation(parallel, "embedding", [20], n_steps=10, random_state=1)
    assert np.abs(other.spectrograms - alone.spectrograms).max() > 0.5


class WithoutNoise(np.random.RandomState):
    def normal(self, loc, scale, size):
        return np.zeros(size)


def test_gradients_are_smoothed_by_a_gaussian(parallel):
    start = np.full((parallel.n_features_in_, len(parallel.input_mean_)), -40.0)

    def first_step(smoothness):
        found = maximize_activation(
            *(parallel, "conv2", [0]),
            n_steps=1,
            start=start,
            smoothness=smoothness,
            l2=0,
            random_state=WithoutNoise(0),
        )
        return found.spectrograms[0] - start

    rough, smooth = first_step(0), first_step(2)
    expected = gaussian_filter(rough, 2, mode="reflect", truncate=3)
    scale = np.linalg.norm(smooth) / np.linalg.norm(expected)
    np.testing.assert_allclose(smooth, scale * expected, atol=1e-4)


@pytest.mark.slow
def test_regularisation_makes_it_smooth_and_keeps_it_near_the_start(parallel):
    def find(**parameters):
        arguments = {"smoothness": 0, "l2": 0, "random_state": 0} | parameters
        return maximize_activation(parallel, "conv2", **arguments).spectrograms

    def roughness(spectrograms):
        return np.abs(np.diff(spectrograms, axis=2)).mean()

    rough = find()
    assert roughness(find(smoothness=2)) < 0.7 * roughness(rough)
    start = parallel.input_mean_
    near, far = (find(l2=l2) - start for l2 in (0.2, 0))
    assert np.sqrt((near**2).mean()) < 6 < np.sqrt((far**2).mean())
    assert find(top_db=30).min() >= -30


def test_the_estimator_stays_as_it_is(parallel, clips):
    before = [w.copy() for w in parallel.weights_]
    state = set(vars(parallel))
    probabilities = parallel.predict_proba(clips[0][:3])
    maximize_activation(parallel, "conv1", n_steps=2)
    for now, then in zip(parallel.weights_, before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert set(vars(parallel)) == state
    np.testing.assert_array_equal(parallel.predict_proba(clips[0][:3]), probabilities)


@pytest.mark.slow
def test_the_network_inside_a_pipeline_and_windows(crnn, clips):
    alone = maximize_activation(crnn, "conv1", n_steps=2, random_state=0)
    piped = make_pipeline(MelSpectrogramTransformer(), crnn)
    inside = maximize_activation(piped, "conv1", n_steps=2, random_state=0)
    np.testing.assert_array_equal(inside.spectrograms, alone.spectrograms)
    small = CRNNClassifier(filters=(4,), lstm_units=4, epochs=1, random_state=0)
    windows = SegmentClassifier(small, window=16, hop=8).fit(*clips)
    model = make_pipeline(FunctionTransformer(), windows)
    result = maximize_activation(model, "genre", n_steps=2, random_state=0)
    assert result.spectrograms.shape == (3, 16, 16)


@pytest.mark.slow
@pytest.mark.parametrize(
    "parameters", [{"precision": "mixed_bfloat16"}, {"input_scaling": "log"}]
)
def test_other_precision_and_scaling_and_numbered_genres(clips, parameters):
    X, y = clips
    y = np.unique(y, return_inverse=True)[1] * 10
    crnn = CRNNClassifier(
        filters=(4,), lstm_units=4, epochs=2, random_state=0, **parameters
    ).fit(X, y)
    result = maximize_activation(crnn, "genre", [20, 0], n_steps=30, random_state=0)
    assert result.filters.tolist() == [20, 0]
    assert (result.activations[-1] > result.activations[0]).all()


@pytest.mark.slow
def test_spectrograms_of_one_band_and_of_few_frames():
    X, y = np.random.default_rng(0).normal(size=(20, 5)), [0, 1] * 10
    crnn = CRNNClassifier(filters=(4,), lstm_units=4, epochs=1, random_state=0)
    result = maximize_activation(crnn.fit(X, y), "conv1", smoothness=3, n_steps=3)
    assert result.spectrograms.shape == (4, 5, 1)
    assert np.isfinite(result.spectrograms).all()


@pytest.mark.parametrize("filters", [pd.Series([1, 0]), (1, 0), np.array([1, 0])])
def test_filters_in_other_containers(parallel, filters):
    result = maximize_activation(parallel, "conv1", filters, n_steps=1)
    assert result.filters.tolist() == [1, 0]


@pytest.mark.parametrize("filters", [[], [6], [-1], [0.5], [True], [[0]], ["folk"]])
def test_refuses_filters_that_are_not_there(parallel, filters):
    with pytest.raises(ValueError, match=r"numbers from 0 to 5: the layer 'conv1' has"):
        maximize_activation(parallel, "conv1", filters)


@pytest.mark.parametrize("genres", [["polka"], [0], [], [["folk"]]])
def test_refuses_genres_that_are_not_there(parallel, genres):
    with pytest.raises(ValueError, match=r"filters must be .* \['folk', 'trip-hop'"):
        maximize_activation(parallel, "genre", genres)


def test_refuses_other_layers_and_estimators(parallel):
    with pytest.raises(
        ValueError, match=r"'conv9' is not one of the network's layers: image, conv1, "
    ):
        maximize_activation(parallel, "conv9")
    with pytest.raises(ValueError, match="not one of the network's layers"):
        maximize_activation(parallel, "spectrogram")
    with pytest.raises(ValueError, match="A fitted network is needed"):
        maximize_activation(SVC().fit([[0], [1]], [0, 1]), "conv1")
    with pytest.raises(NotFittedError):
        maximize_activation(CRNNClassifier(), "conv1")


def test_a_start_of_one_s_own(parallel):
    start = np.full((32, 16), -30)
    result = maximize_activation(parallel, "conv1", [0], start=start, l2=1, n_steps=2)
    assert np.abs(result.spectrograms + 30).max() < 15
    with pytest.raises(ValueError, match=r"fitted on, \(32, 16\). Got shape \(16, 32"):
        maximize_activation(parallel, "conv1", start=start.T)
    with pytest.raises(ValueError, match="start contains NaN"):
        maximize_activation(parallel, "conv1", start=start * np.nan)


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_steps": 0},
        {"smoothness": -1},
        {"smoothness": np.inf},
        {"l2": -1},
        {"top_db": 0},
        {"top_db": np.nan},
    ],
)
def test_refuses_parameters_out_of_range(parallel, parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        maximize_activation(parallel, "conv1", **parameters)
