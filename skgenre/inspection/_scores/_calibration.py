"""Calibration: whether probabilities are as high as the accuracy."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length

from skgenre.inspection._scores._bootstrap import check_shares

_N_BINS = 10


def expected_calibration_error(right: ArrayLike, confidence: ArrayLike) -> float:
    """Return the mean distance between confidence and accuracy.

    Parameters
    ----------
    right : array-like of bool of shape (n_clips,)
        Whether each prediction is correct.
    confidence : array-like of shape (n_clips,)
        Probability of the predicted genre.

    Returns
    -------
    float
        0 where confidence and accuracy agree in each tenth of the range, 1 at worst.

    Raises
    ------
    ValueError
        If lengths do not match, there are no clips, or a value is not from 0 to 1.

    See Also
    --------
    sklearn.calibration.calibration_curve : The curve it is computed from.

    Notes
    -----
    The mean of :math:`|accuracy - confidence|` over ten bins of equal width, weighted
    by their clips [1]_. With few clips it is above 0 even for honest probabilities.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural
       networks", ICML 2017.

    Examples
    --------
    >>> from skgenre.inspection import expected_calibration_error
    >>> round(expected_calibration_error([1, 0, 1, 1], [0.6, 0.6, 0.9, 1]), 3)
    0.075
    """
    return error_of_curve(*reliability_curve(right, confidence))


def reliability_curve(
    right: ArrayLike, confidence: ArrayLike
) -> tuple[NDArray, NDArray, NDArray]:
    """Return mean confidence, accuracy and number of predictions in each bin.

    Like scikit-learn's `calibration_curve`, with the number in each bin; NaN where it
    is empty.
    """
    hits, sure = check_shares("right", right), check_shares("confidence", confidence)
    check_consistent_length(hits, sure)
    # 1 belongs to the last bin.
    bins = np.minimum((sure * _N_BINS).astype(int), _N_BINS - 1)
    n_clips = np.bincount(bins, minlength=_N_BINS)
    with np.errstate(invalid="ignore"):
        mean_confidence = np.bincount(bins, sure, _N_BINS) / n_clips
        accuracy = np.bincount(bins, hits, _N_BINS) / n_clips
    return mean_confidence, accuracy, n_clips


def error_of_curve(
    mean_confidence: NDArray, accuracy: NDArray, n_clips: NDArray
) -> float:
    """Return the expected calibration error of a reliability curve."""
    gaps = np.abs(accuracy - mean_confidence)
    return float(np.nansum(gaps * n_clips) / n_clips.sum())
