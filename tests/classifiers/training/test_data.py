import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgenre import SpectrogramFile
from skgenre.classifiers._training import _data
from skgenre.classifiers._training._data import (
    ClipRows,
    SpectrogramBatches,
    band_statistics,
    hold_out,
    validation_rows,
)


def choose(y, groups, fraction, seed=0):
    groups = None if groups is None else np.asarray(groups)
    return validation_rows(np.asarray(y), groups, fraction, np.random.RandomState(seed))


def test_stratified_and_shuffled():
    y = np.repeat([0, 1, 2], [100, 50, 10])
    rows = choose(y, None, 0.2)
    assert np.bincount(y[rows]).tolist() == [20, 10, 2]
    assert (np.diff(rows) > 0).all()
    assert not np.array_equal(rows, choose(y, None, 0.2, seed=1))
    np.testing.assert_array_equal(rows, choose(y, None, 0.2))


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.3])
def test_artists_are_not_split_and_genres_are_stratified(fraction):
    rng = np.random.default_rng(0)
    artists = rng.integers(0, 80, 600)
    y = artists % 4
    rows = choose(y, artists, fraction)
    assert not set(artists[rows]) & set(np.delete(artists, rows))
    share = np.bincount(y[rows], minlength=4) / np.bincount(y)
    np.testing.assert_allclose(share, fraction, atol=0.06)


def test_no_artist_is_always_chosen():
    """Not even one that has most of its genre's clips."""
    sizes = [17, *[3] * 14, *[1] * 10]
    artists = np.repeat(np.arange(25), sizes)
    y = np.where(artists == 0, 0, artists % 2)
    times = np.zeros(25)
    for seed in range(40):
        rows = choose(y, artists, 0.2, seed)
        times[np.unique(artists[rows])] += 1
        assert 0.1 < len(rows) / len(y) < 0.35
    assert times.max() < 35


@pytest.mark.parametrize("fraction", [0.1, 0.4, 0.6, 0.67, 0.9])
def test_share_of_all_clips(fraction):
    y = np.arange(400) % 4
    for groups in (None, np.arange(400) // 4 * 4 + y):
        rows = choose(y, groups, fraction)
        assert len(rows) / 400 == pytest.approx(fraction, abs=0.03)
    # Genres too small to give a clip each give some together.
    assert len(choose(np.arange(40) % 8, None, 0.1)) == 4


def test_few_clips_give_none():
    assert len(choose([0, 1, 2], None, 0.1)) == 0
    assert len(choose([0, 0, 1, 1], ["a", "a", "b", "b"], 0.5)) == 0
    assert len(choose([0, 0, 1, 1], None, 0)) == 0
    # Fewer clips a genre than 1 / fraction
    rows = choose(np.repeat([0, 1, 2, 3], 6), np.arange(24) // 2, 0.1)
    assert len(rows) < 5


def test_artists_of_two_genres():
    y = np.array([0, 1] * 20)
    artists = np.arange(40) // 4
    rows = choose(y, artists, 0.2)
    assert np.bincount(y[rows]).tolist() == [4, 4]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 8)), min_size=1, max_size=60),
    st.floats(0, 0.99),
    st.integers(0, 5),
)
def test_every_genre_stays_in_training(clips, fraction, seed):
    y, artists = np.array(clips).T
    for groups in (None, artists):
        rows = choose(y, groups, fraction, seed)
        left = np.delete(np.arange(len(y)), rows)
        assert set(y[left]) == set(y)
        if groups is not None:
            assert not set(artists[rows]) & set(artists[left])
        assert len(rows) <= np.ceil(2 * fraction * len(y))


X = np.random.default_rng(0).normal(-40, 10, size=(9, 6, 4)).astype(np.float32)
Y = np.arange(9)


@pytest.mark.parametrize("rows", [Y, Y[2:7], Y[::-1], Y[4:5]], ids=len)
@pytest.mark.parametrize("kind", [np.asarray, SpectrogramFile])
def test_batches_are_scaled_and_the_clips_are_as_they_were(kind, rows, tmp_path):
    """Neighbours in a file, and a last batch of one clip, are read as a view of it."""
    np.save(tmp_path / "X.npy", X)
    before = X.copy()
    array = X if kind is np.asarray else kind(tmp_path / "X.npy")
    mean, scale = np.full(4, -40, np.float32), np.full(4, 10, np.float32)
    chosen = ClipRows(array, Y, np.ones(9), rows)
    batches = SpectrogramBatches(chosen, mean=mean, scale=scale, batch_size=4)
    clips, genres, _ = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    assert_array_equal(clips, (X[rows] - mean) / scale)
    assert_array_equal(genres, rows)
    assert_array_equal(X, before)
    assert_array_equal(np.load(tmp_path / "X.npy"), before)


def test_no_thread_tunes_what_keras_reads():
    """It held up fits at random, for half a minute: too seldom to wait for here."""
    scaling = {"mean": np.zeros(4), "scale": np.ones(4), "batch_size": 4}
    batches = SpectrogramBatches(ClipRows(X, Y, np.ones(9), Y), **scaling)
    dataset = batches.as_dataset()
    assert dataset.options().autotune.enabled is False
    for read, batch in zip(dataset.take(len(batches)), batches, strict=True):
        for a, b in zip(read, batch, strict=True):
            assert_array_equal(a, b)


@pytest.mark.parametrize("kind", [np.asarray, SpectrogramFile])
def test_bands_are_scaled_by_the_chosen_rows(kind, tmp_path, monkeypatch):
    np.save(tmp_path / "X.npy", X)
    array = X if kind is np.asarray else kind(tmp_path / "X.npy")
    rows = np.array([7, 2, 4])
    for n_bytes in (_data.CHUNK_BYTES, 1):
        monkeypatch.setattr(_data, "CHUNK_BYTES", n_bytes)
        mean, scale = band_statistics(array, rows, "standardize")
        assert_allclose(mean, X[rows].mean(axis=(0, 1)), rtol=1e-5)
        assert_allclose(scale, X[rows].std(axis=(0, 1)), rtol=1e-5)


def test_rows_are_split_not_clips():
    """What was left out before, such as clips of weight 0, stays out."""
    rows = np.array([8, 1, 3, 5, 6])
    clips = ClipRows(X, Y % 2, np.ones(9), rows)
    training, validation = hold_out(clips, None, 0.4, np.random.RandomState(0))
    assert len(validation.rows) == 2
    assert sorted([*training.rows, *validation.rows]) == sorted(rows)
    assert training.X is X and validation.codes is clips.codes
    artists = Y // 2
    training, validation = hold_out(clips, artists, 0.4, np.random.RandomState(0))
    assert not set(artists[training.rows]) & set(artists[validation.rows])


def test_every_epoch_has_an_order_of_its_own():
    scaling = {"mean": np.zeros(4), "scale": np.ones(4), "batch_size": 4}
    clips = ClipRows(X, Y, np.ones(9), Y)
    batches = SpectrogramBatches(clips, **scaling, shuffle_seed=0)
    orders = []
    for _ in range(5):
        orders.append(tuple(np.concatenate([genres for _, genres, _ in batches])))
        batches.reshuffle()
    assert all(sorted(order) == list(Y) for order in orders)
    assert len({*orders, tuple(Y)}) == 6


@pytest.mark.parametrize("by_artist", [True, False])
def test_several_genres_are_stratified(by_artist):
    rng = np.random.default_rng(0)
    y = (rng.random((600, 4)) < [0.5, 0.3, 0.1, 0.05]).astype(np.float32)
    artists = np.arange(600) // 3 if by_artist else None
    rows = choose(y, artists, 0.2)
    np.testing.assert_allclose(y[rows].sum(axis=0) / y.sum(axis=0), 0.2, atol=0.05)
    if by_artist:
        assert not set(artists[rows]) & set(np.delete(artists, rows))
    # Each genre keeps a clip to train on.
    only = np.eye(3)[[0, 0, 1, 2]]
    assert np.delete(only, choose(only, None, 0.9), axis=0).any(axis=0).all()
