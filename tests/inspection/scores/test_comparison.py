"""Two models: McNemar's test from its definition, the difference clip by clip."""

from math import comb

import numpy as np
import pytest

from skgenre.inspection import bootstrap_accuracy, compare_predictions


@pytest.fixture
def predictions():
    rng = np.random.default_rng(0)
    y = rng.choice(["folk", "rock"], 120)
    some = [np.where(rng.random(120) < share, y, "jazz") for share in (0.8, 0.6)]
    return y, *some, rng.integers(15, size=120)


def test_mcnemar_is_the_binomial_tail(predictions):
    y, first, second, groups = predictions
    found = compare_predictions(y, first, second, groups=groups)
    one, other = found.only_first, found.only_second
    tail = sum(comb(one + other, k) for k in range(min(one, other) + 1))
    assert found.p_value == pytest.approx(min(1, 2 * tail / 2 ** (one + other)))
    assert found.both_right == np.sum((first == y) & (second == y))
    assert found.both_right + one + other + found.both_wrong == 120
    assert found.difference == pytest.approx((one - other) / 120)


def test_the_difference_is_that_on_the_same_samples(predictions):
    y, first, second, groups = predictions
    found = compare_predictions(y, first, second, groups=groups)
    samples = [bootstrap_accuracy(pred == y, groups) for pred in (first, second)]
    expected = np.percentile(samples[0] - samples[1], [2.5, 97.5])
    np.testing.assert_allclose(found.difference_interval, expected)
    swapped = compare_predictions(y, second, first, groups=groups)
    np.testing.assert_allclose(
        swapped.difference_interval, -found.difference_interval[::-1]
    )
    assert swapped.p_value == found.p_value


def test_equal_models_and_one_clip():
    found = compare_predictions(["a", "b"], ["a", "a"], ["a", "a"])
    assert (found.difference, found.p_value) == (0, 1)
    assert found.difference_interval.tolist() == [0, 0]
    found = compare_predictions(["a"], ["a"], ["b"])
    assert np.isnan(found.difference_interval).all()
