import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgenre.classifiers import risk_coverage_curve


def test_weight_0_is_absence():
    rng = np.random.default_rng(0)
    right, confidence = rng.uniform(size=600) > 0.3, rng.normal(size=600)
    weights = (np.arange(600) < 200).astype(float)
    for some, few in zip(
        risk_coverage_curve(right, confidence, weights),
        risk_coverage_curve(right[:200], confidence[:200]),
        strict=True,
    ):
        assert_allclose(some, few)


def test_equal_confidences():
    coverage, risk, thresholds = risk_coverage_curve([1, 0, 1], [0.5, 0.5, 0.5])
    assert_allclose([*coverage, *risk, *thresholds], [1, 1 / 3, 0.5])


def test_refusals():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        risk_coverage_curve([1, 1, 0], [0.9, 0.8])
    with pytest.raises(ValueError, match="All weights are 0|at least one non-zero"):
        risk_coverage_curve([1, 1], [0.9, 0.8], [0, 0])
    with pytest.raises(ValueError, match="confidence contains NaN"):
        risk_coverage_curve([1, 0], [0.9, np.nan])
