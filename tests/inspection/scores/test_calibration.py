"""The reliability curve against scikit-learn's, and against honest probabilities."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from skgenre.inspection import expected_calibration_error
from skgenre.inspection._scores._calibration import reliability_curve

RNG = np.random.default_rng(0)


def test_agrees_with_scikit_learn():
    confidence = RNG.random(500)
    right = RNG.random(500) < confidence**2
    mean_confidence, accuracy, n_clips = reliability_curve(right, confidence)
    expected = calibration_curve(right, confidence, n_bins=10)
    np.testing.assert_allclose(accuracy[n_clips > 0], expected[0])
    np.testing.assert_allclose(mean_confidence[n_clips > 0], expected[1])
    assert n_clips.sum() == 500


def test_bins_count_by_their_clips():
    error = expected_calibration_error([1, 1, 1, 0], [0.95, 0.95, 0.95, 0.15])
    assert error == pytest.approx((3 * 0.05 + 0.15) / 4)


def test_error_of_honest_of_overconfident_and_of_perfect_predictions():
    confidence = RNG.uniform(0.3, 1, 20_000)
    honest = RNG.random(20_000) < confidence
    assert expected_calibration_error(honest, confidence) < 0.02
    assert expected_calibration_error(np.zeros(10), np.ones(10)) == 1
    assert expected_calibration_error([True, True], [1, 1]) == 0
    assert expected_calibration_error([1, 0], [0.9, 0.9]) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("right", "confidence", "message"),
    [
        ([], [], "no clips"),
        ([1], [0.1, 0.2], "inconsistent"),
        ([1, 3], [0.5, 0.5], "right must be from 0 to 1, got 3.0 in row 1"),
        ([1, 1], [0.5, 1.5], "confidence must be from 0 to 1, got 1.5 in row 1"),
        ([1, 1], [np.nan, 0.5], "got nan in row 0"),
    ],
)
def test_what_is_refused(right, confidence, message):
    with pytest.raises(ValueError, match=message):
        reliability_curve(right, confidence)
