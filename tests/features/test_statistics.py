import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose, assert_array_equal

from skgenre.features._statistics import STATISTICS, correlations, moments


def test_moments_equal_scipy():
    series = np.random.default_rng(0).gamma(2, size=(500, 3))
    statistics = dict(zip(STATISTICS, moments(series).reshape(7, 3), strict=True))
    assert_allclose(statistics["kurtosis"], scipy.stats.kurtosis(series), rtol=1e-10)
    assert_allclose(statistics["skew"], scipy.stats.skew(series), rtol=1e-10)
    assert_allclose(statistics["std"], series.std(axis=0))


def test_correlations_equal_numpy():
    series = np.random.default_rng(0).normal(size=(500, 4)) @ np.tri(4)
    values = correlations(series)
    assert_allclose(values[:4], series.mean(axis=0))
    assert_allclose(values[4:8], series.std(axis=0))
    expected = np.corrcoef(series.T)[np.triu_indices(4, k=1)]
    assert_allclose(values[8:], expected)


@pytest.mark.parametrize("n_frames", [1, 300])
def test_a_constant_series_is_correlated_with_nothing(n_frames):
    series = np.random.default_rng(0).normal(size=(n_frames, 3))
    series[:, 1] = 1 / 3
    _, r, _ = correlations(series)[6:]
    assert np.isfinite(correlations(series)).all()
    assert_array_equal(correlations(series)[[6, 8]], 0)
    assert abs(r) > 0 or n_frames == 1
