"""Courses over time to numbers that describe them."""

import numpy as np

# In the order of the columns of FMA's features.csv.
STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")


def _is_constant(series: np.ndarray, std: np.ndarray) -> np.ndarray:
    # Rounding leaves a trace of variance in a constant series. Its size is that of
    # the largest coefficient, from whose sum all others are made.
    return std <= np.finfo(float).eps * np.abs(series).max() * 10


def moments(series: np.ndarray) -> np.ndarray:
    """Describe columns by `STATISTICS`, one after the other, without NaN.

    Parameters
    ----------
    series : ndarray of shape (n_frames, n)

    Returns
    -------
    ndarray of shape (7 * n,)
    """
    mean = series.mean(axis=0)
    deviations = series - mean
    squares = deviations**2
    variance = squares.mean(axis=0)
    is_constant = _is_constant(series, np.sqrt(variance))
    divisor = np.where(is_constant, 1.0, variance)
    skew = (squares * deviations).mean(axis=0) / divisor**1.5
    kurtosis = (squares**2).mean(axis=0) / divisor**2 - 3
    return np.concatenate(
        [
            np.where(is_constant, -3.0, kurtosis),
            series.max(axis=0),
            mean,
            np.median(series, axis=0),
            series.min(axis=0),
            np.where(is_constant, 0.0, skew),
            np.sqrt(variance),
        ]
    )


def correlations(series: np.ndarray) -> np.ndarray:
    """Describe columns by means, deviations and Pearson's r of each pair of them.

    Parameters
    ----------
    series : ndarray of shape (n_frames, n)

    Returns
    -------
    ndarray of shape (2 * n + n * (n - 1) / 2,)
        Means, deviations, and the pairs (1, 2), (1, 3) and so on. A column that
        doesn't change is correlated with nothing.
    """
    mean, std = series.mean(axis=0), series.std(axis=0)
    is_constant = _is_constant(series, std)
    scores = (series - mean) / np.where(is_constant, np.inf, std)
    r = scores.T @ scores / len(series)
    return np.concatenate([mean, std, r[np.triu_indices(len(mean), k=1)]])
