"""Comparison of two models on the same clips."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest
from sklearn.utils import Bunch

from skgenre.classifiers._checks import check_groups
from skgenre.inspection._scores._bootstrap import (
    bootstrap_sums,
    check_genres_of_clips,
    group_numbers,
    interval,
)


def compare_predictions(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    y_pred_other: ArrayLike,
    *,
    groups: ArrayLike | None = None,
) -> Bunch:
    """Compare the predictions of two models for the same clips.

    Parameters
    ----------
    y_true : array-like of shape (n_clips,)
        True genres.
    y_pred, y_pred_other : array-like of shape (n_clips,)
        Predictions of the first model and of the second.
    groups : array-like of shape (n_clips,), default=None
        Artists, who are drawn with all their clips; None draws clips.

    Returns
    -------
    comparison : :class:`~sklearn.utils.Bunch`
        With the attributes:

        difference : float
            Accuracy of `y_pred` minus that of `y_pred_other`.
        difference_interval : ndarray of shape (2,)
            95 % interval of the difference: the 2.5th and 97.5th percentiles over 2,000
            bootstrap samples of artists, the same for both models.
        both_right, only_first, only_second, both_wrong : int
            Numbers of clips.
        p_value : float
            Of McNemar's exact test, two-sided.

    Raises
    ------
    ValueError
        If there are no clips, lengths do not match, or values are missing.

    See Also
    --------
    classification_report_html : Shows it on a page.

    Notes
    -----
    McNemar's test [1]_ looks at the clips that only one of the models has right, and
    asks whether both have as many of these, but for chance. It assumes independent
    clips, which those of one artist are not; where artists are known, go by the
    interval.

    References
    ----------
    .. [1] Q. McNemar, "Note on the sampling error of the difference between correlated
       proportions or percentages", Psychometrika 12, 1947, pp. 153-157.

    Examples
    --------
    >>> from skgenre.inspection import compare_predictions
    >>> genres = ["folk"] * 4 + ["rock"] * 4
    >>> comparison = compare_predictions(genres, genres, ["folk"] * 8)
    >>> comparison.difference, comparison.only_first, comparison.p_value
    (0.5, 4, 0.125)
    """
    true, first, second = check_genres_of_clips(
        y_true=y_true, y_pred=y_pred, y_pred_other=y_pred_other
    )
    artists = check_groups(true, groups)
    is_first, is_second = first == true, second == true
    gain = is_first.astype(float) - is_second
    only_first = int(np.sum(is_first & ~is_second))
    only_second = int(np.sum(~is_first & is_second))
    one = only_first + only_second
    return Bunch(
        **mean_gain(gain, artists),
        both_right=int(np.sum(is_first & is_second)),
        only_first=only_first,
        only_second=only_second,
        both_wrong=int(np.sum(~is_first & ~is_second)),
        p_value=float(binomtest(only_first, one).pvalue) if one else 1.0,
    )


def mean_gain(gain: NDArray, artists: NDArray | None) -> dict[str, float | NDArray]:
    """Return by how much a model is better on average, and an interval.

    Parameters
    ----------
    gain : ndarray of shape (n_clips,)
        A score of each clip by one model, minus that by the other.
    artists : ndarray of shape (n_clips,) or None
        They are drawn with all their clips.

    Returns
    -------
    dict
        'difference', and 'difference_interval' of shape (2,).
    """
    number = group_numbers(artists, len(gain))
    sums = bootstrap_sums(np.column_stack([gain, np.ones_like(gain)]), number)
    samples = sums[:, 0] / sums[:, 1]
    return {
        "difference": float(gain.mean()),
        "difference_interval": interval(samples, number.max() + 1),
    }
