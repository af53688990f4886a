"""What share of answers is wrong if only the confident ones are given."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.validation import _check_sample_weight


def risk_coverage_curve(
    right: ArrayLike, confidence: ArrayLike, sample_weight: ArrayLike | None = None
) -> tuple[NDArray, NDArray, NDArray]:
    """Compute how often answers are wrong when only confident ones are given.

    Parameters
    ----------
    right : array-like of bool of shape (n_clips,)
        Whether each answer is right.
    confidence : array-like of shape (n_clips,)
        Such as the probability of the genre that was answered.
    sample_weight : array-like of shape (n_clips,), default=None
        Weights of the clips.

    Returns
    -------
    coverage : ndarray of shape (n_thresholds,)
        Share of the clips that are answered, rising.
    risk : ndarray of shape (n_thresholds,)
        Share of the answers that are wrong.
    thresholds : ndarray of shape (n_thresholds,)
        Answers of at least this confidence are given; falling.

    Raises
    ------
    ValueError
        If lengths do not match, values are not finite, or no clip has a positive
        weight.

    See Also
    --------
    AbstainingClassifier : Chooses a threshold.
    skgenre.inspection.RiskCoverageDisplay : Draws the curve.

    Examples
    --------
    >>> from skgenre.classifiers import risk_coverage_curve
    >>> coverage, risk, _ = risk_coverage_curve([1, 1, 0, 1], [0.9, 0.8, 0.6, 0.4])
    >>> coverage.tolist(), risk.round(2).tolist()
    ([0.25, 0.5, 0.75, 1.0], [0.0, 0.0, 0.33, 0.25])
    """
    check_consistent_length(right, confidence)
    scores = column_or_1d(confidence, dtype=np.float64)
    assert_all_finite(scores, input_name="confidence")
    weights: NDArray = np.asarray(
        _check_sample_weight(
            sample_weight, scores, dtype=np.float64, ensure_non_negative=True
        )
    )
    if not weights.any():
        raise ValueError("All weights are 0, or there are no clips.")
    order = np.argsort(-scores, kind="stable")
    order = order[weights[order] > 0]
    answered = np.cumsum(weights[order])
    wrong = np.cumsum(weights[order] * (1 - np.asarray(right, dtype=float)[order]))
    # Of equally confident answers either all are given or none.
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    coverage, risk = answered[last] / answered[-1], wrong[last] / answered[last]
    return coverage, risk, scores[order][last]
