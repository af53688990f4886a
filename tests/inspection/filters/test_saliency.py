"""Saliency finds what was planted."""

import numpy as np
import pytest

from skgenre import (
    CRNNClassifier,
    MelSpectrogramTransformer,
    ParallelCNNRNNClassifier,
    SecondOrderClassifier,
    SegmentClassifier,
)
from skgenre.inspection import saliency

PLACES = {"low": (slice(20, 30), slice(8, 11)), "high": (slice(40, 50), slice(20, 23))}


def make(n_clips, seed):
    """Noise; in two of three genres a tone of known time and bands is in it."""
    rng = np.random.default_rng(seed)
    X = rng.normal(-55, 8, size=(n_clips, 64, 32))
    y = np.resize(["high", "low", "neither"], n_clips)
    for genre, (frames, bands) in PLACES.items():
        X[y == genre, frames, bands] += 30
    return X.clip(-80, 0).astype(np.float32), y


@pytest.fixture(scope="module")
def training():
    return make(180, seed=0)


@pytest.fixture(scope="module")
def new_clips():
    X, y = make(30, seed=1)
    return X[y != "neither"], y[y != "neither"]


@pytest.fixture(scope="module")
def parallel(training):
    return ParallelCNNRNNClassifier(
        filters=(8, 8),
        pool_sizes=((2, 2), (2, 2)),
        gru_units=16,
        epochs=12,
        learning_rate=0.005,
        random_state=0,
    ).fit(*training)


NETWORKS = {
    "standardize": CRNNClassifier(
        filters=(16, 16),
        lstm_units=16,
        dropout=0.1,
        learning_rate=0.004,
        epochs=25,
        random_state=0,
    ),
    "log": CRNNClassifier(
        filters=(16, 16),
        lstm_units=16,
        dropout=0.1,
        learning_rate=0.004,
        input_scaling="log",
        epochs=25,
        random_state=0,
    ),
    "second order": SecondOrderClassifier(n_prototypes=32, epochs=30, random_state=0),
}


def assert_found(network, clips, genres):
    """Most of the maps have their maximum in the tone, and more there by far."""
    assert network.score(clips, genres) > 0.9
    maps = saliency(network, clips)
    assert maps.shape == clips.shape and maps.dtype == np.float32
    assert maps.min() == 0 and (maps.max(axis=(1, 2)) == 1).all()
    hits, inside, outside = [], [], []
    for each, genre in zip(maps, genres, strict=True):
        tone = np.zeros(each.shape, bool)
        tone[PLACES[genre]] = True
        hits.append(tone.flat[each.argmax()])
        inside.append(each[tone].mean())
        outside.append(each[~tone].mean())
    return np.mean(hits), np.mean(inside) / np.mean(outside)


def test_the_parallel_network_shows_the_planted_tones(parallel, new_clips):
    hits, contrast = assert_found(parallel, *new_clips)
    assert hits >= 0.9 and contrast > 10


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_other_networks_show_the_planted_tones(name, training, new_clips):
    hits, contrast = assert_found(NETWORKS[name].fit(*training), *new_clips)
    assert hits >= 0.8 and contrast > 5


def test_contributions_add_up_to_what_the_clip_changes(parallel, new_clips):
    from skgenre.inspection._filters._layer_graph import layer_graph
    from skgenre.inspection._filters._saliency import contributions

    X = new_clips[0][:4]
    units = np.array([0, 1, 2, 0])
    parts = contributions(parallel, X, units, 64).sum(axis=(1, 2))
    values, _ = layer_graph(parallel, "genre")
    silence = np.broadcast_to(X.min(axis=(1, 2), keepdims=True), X.shape)
    change = (values(X).numpy() - values(silence).numpy())[range(4), 0, units]
    np.testing.assert_allclose(parts, change, rtol=0.01, atol=0.01)


@pytest.mark.slow
def test_of_a_given_genre(parallel, new_clips):
    X, y = new_clips
    low, high = X[y == "low"][:1], X[y == "high"][:1]
    both = np.maximum(low, high)
    maps = saliency(parallel, np.concatenate([both, both]), ["low", "high"])
    sums = {
        genre: maps[(slice(None), *place)].sum(axis=(1, 2))
        for genre, place in PLACES.items()
    }
    assert sums["low"][0] > 5 * sums["low"][1]
    assert sums["high"][1] > 5 * sums["high"][0]


def test_smoothness_and_silence(parallel, new_clips):
    X = new_clips[0][:1]
    rough, smooth = (saliency(parallel, X, smoothness=s) for s in (0, 4))
    roughness = [np.abs(np.diff(m)).sum() / m.sum() for m in (rough, smooth)]
    assert roughness[1] < 0.5 * roughness[0]
    silent = saliency(parallel, np.full((1, 64, 32), -80))
    np.testing.assert_array_equal(silent, 0)


@pytest.mark.slow
def test_windows_of_a_segment_classifier_of_several_genres(training):
    X, y = training
    crnn = CRNNClassifier(filters=(4,), lstm_units=4, epochs=1, random_state=0)
    genres = [(genre,) for genre in y[:30]]
    windows = SegmentClassifier(crnn, window=32, hop=16).fit(X[:30], genres)
    assert saliency(windows, X[:2, :32], n_steps=2).shape == (2, 32, 32)
    with pytest.raises(
        ValueError, match="X has 64 features, but CRNNClassifier is expecting 32"
    ):
        saliency(windows, X[:2])


def test_refuses_what_does_not_fit(parallel, new_clips):
    X = new_clips[0][:2]
    with pytest.raises(ValueError, match=r"genres must be .*\['high', 'low', 'neither"):
        saliency(parallel, X, ["low", "polka"])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        saliency(parallel, X, ["low"])
    with pytest.raises(ValueError, match="NaN"):
        saliency(parallel, np.full_like(X, np.nan))
    with pytest.raises(ValueError, match="A fitted network is needed"):
        saliency(MelSpectrogramTransformer(), X)
    with pytest.raises(ValueError, match="n_steps"):
        saliency(parallel, X, n_steps=0)
