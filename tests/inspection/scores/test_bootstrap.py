"""The bootstrap against SciPy's and against brute force."""

import itertools

import numpy as np
import pytest
from scipy.stats import bootstrap

from skgenre.inspection import bootstrap_accuracy

RNG = np.random.default_rng(0)


def test_all_samples_of_three_artists_come_as_often_as_they_should():
    right, groups = [1, 1, 0, 0, 0, 1], ["a", "a", "a", "b", "c", "c"]
    n_right, n_clips = np.array([2, 0, 1]), np.array([3, 1, 2])
    exact = {}
    for drawn in itertools.product(range(3), repeat=3):
        drawn = list(drawn)
        accuracy = round(n_right[drawn].sum() / n_clips[drawn].sum(), 9)
        exact[accuracy] = exact.get(accuracy, 0) + 1 / 27
    samples = bootstrap_accuracy(right, groups, n_samples=20_000).round(9)
    found, counts = np.unique(samples, return_counts=True)
    assert found.tolist() == sorted(exact)
    np.testing.assert_allclose(
        counts / 20_000, [exact[value] for value in found], atol=0.015
    )


def test_clips_without_artists_agree_with_scipy():
    right = RNG.random(150) < 0.7
    interval = np.percentile(bootstrap_accuracy(right), [2.5, 97.5])
    expected = bootstrap(
        (right,), np.mean, n_resamples=2000, method="percentile", rng=RNG
    ).confidence_interval
    np.testing.assert_allclose(interval, expected, atol=0.012)


def test_artists_widen_the_interval():
    groups = np.repeat(np.arange(20), 10)
    right = np.repeat(RNG.random(20) < 0.6, 10)  # all of an artist, or none
    width = np.ptp(np.percentile(bootstrap_accuracy(right, groups), [2.5, 97.5]))
    assert width > 2 * np.ptp(np.percentile(bootstrap_accuracy(right), [2.5, 97.5]))


def test_samples_are_the_same_however_many_are_drawn_at_a_time(monkeypatch):
    import skgenre.inspection._scores._bootstrap as module

    right, groups = RNG.random(300), RNG.integers(37, size=300)
    at_once = bootstrap_accuracy(right, groups)
    monkeypatch.setattr(module, "_N_DRAWS", 100)
    np.testing.assert_array_equal(bootstrap_accuracy(right, groups), at_once)


@pytest.mark.parametrize(
    ("right", "groups", "message"),
    [
        ([], None, "no clips"),
        ([1, np.nan], None, "right must be from 0 to 1, got nan in row 1"),
        ([2, 0], None, "right must be from 0 to 1, got 2.0 in row 0"),
        ([1, 0], ["a"], "inconsistent numbers of samples"),
        ([1, 0], ["a", None], "groups contains NaN or None in row 1"),
    ],
)
def test_what_is_refused(right, groups, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_accuracy(right, groups)
