import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skgenre.classifiers._validation_split import validation_rows


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
def test_artists_are_not_parted_and_genres_stratified(fraction):
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
