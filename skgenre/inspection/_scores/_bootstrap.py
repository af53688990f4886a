"""Bootstrap over artists: how certain scores are."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import unique_labels

from skgenre._warnings import ignored_warnings
from skgenre.classifiers._checks import check_groups, check_labels

_PERCENTILES = (2.5, 97.5)
# As many draws at a time as fit in some 100 MB.
_N_DRAWS = 2**22


def group_numbers(groups: NDArray | None, n_clips: int) -> NDArray:
    """Return the number of each clip's artist, from 0; None numbers the clips."""
    if groups is None:
        return np.arange(n_clips)
    return np.unique(groups, return_inverse=True)[1]


def n_groups_with(number: NDArray, values: NDArray) -> NDArray:
    """Return the number of groups that have clips with values above 0, by column."""
    has = np.zeros((number.max() + 1, values.shape[1]), bool)
    np.logical_or.at(has, number, values > 0)
    return has.sum(axis=0)


def bootstrap_sums(
    values: NDArray | csr_array, number: NDArray, n_samples: int = 2000
) -> NDArray:
    """Return the column sums of bootstrap samples of whole groups.

    Parameters
    ----------
    values : ndarray or sparse array of shape (n_clips, n_columns)
        What is summed, a row for each clip.
    number : ndarray of shape (n_clips,), int
        Number of each clip's group, as of `group_numbers`.
    n_samples : int, default=2000
        Number of samples.

    Returns
    -------
    ndarray of shape (n_samples, n_columns)
        Samples are the same in every call with the same groups.
    """
    n_clips = values.shape[0]
    members = csr_array((np.ones(n_clips), (number, np.arange(n_clips))))
    of_group = members @ csr_array(values)
    draws = bootstrap_draws(members.shape[0], n_samples)
    return np.concatenate([times @ of_group for times in draws])


def bootstrap_draws(n_groups: int, n_samples: int = 2000) -> Iterator[NDArray]:
    """Yield how often each group is in each of some bootstrap samples.

    Parameters
    ----------
    n_groups : int
        Number of groups.
    n_samples : int, default=2000
        Number of samples, of all that is yielded.

    Yields
    ------
    ndarray of shape (n, n_groups), int
        The same in every call.
    """
    rng = np.random.default_rng(0)
    step = max(1, _N_DRAWS // n_groups)
    for start in range(0, n_samples, step):
        n = min(step, n_samples - start)
        drawn = rng.integers(n_groups, size=(n, n_groups))
        drawn += n_groups * np.arange(n)[:, np.newaxis]
        yield np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)


def bootstrap_accuracy(
    right: ArrayLike, groups: ArrayLike | None = None, *, n_samples: int = 2000
) -> NDArray:
    """Return the accuracy of each of many bootstrap samples of artists.

    Parameters
    ----------
    right : array-like of shape (n_clips,)
        Whether each prediction is correct: bool, or the share of correct predictions
        where a clip was predicted several times.
    groups : array-like of shape (n_clips,), default=None
        Artists, who are drawn with all their clips; None draws clips.
    n_samples : int, default=2000
        Number of samples.

    Returns
    -------
    ndarray of shape (n_samples,)
        Calls with the same `groups` draw the same samples, so that the difference of
        two models is one on the same clips.

    Raises
    ------
    ValueError
        If there are no clips, lengths do not match, or a value is not from 0 to 1.

    See Also
    --------
    score_intervals : Intervals of accuracy, precision, recall and F1.
    compare_predictions : Two models on the same clips.

    Notes
    -----
    Clips of an artist are alike: artists, not clips, were drawn at random [1]_. The
    2.5th and 97.5th percentiles of the accuracies are a 95 % interval.

    References
    ----------
    .. [1] A. C. Davison, D. V. Hinkley, "Bootstrap Methods and their Application",
       Cambridge University Press 1997, sections 3.8 and 5.3.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.inspection import bootstrap_accuracy
    >>> accuracies = bootstrap_accuracy([1, 1, 1, 0, 0], ["a", "a", "b", "c", "c"])
    >>> np.percentile(accuracies, [2.5, 97.5])
    array([0., 1.])
    """
    values = check_shares("right", right)
    columns = np.column_stack([values, np.ones_like(values)])
    number = group_numbers(check_groups(values, groups), len(values))
    sums = bootstrap_sums(columns, number, n_samples)
    return sums[:, 0] / sums[:, 1]


def interval(samples: NDArray, n_groups: int | NDArray) -> NDArray:
    """Return the 95 % percentile interval, an axis of 2 at the end.

    Samples that are not defined (NaN) don't count. The interval is NaN where there are
    no others, and where all samples are of one group, which says nothing of others.
    """
    samples = np.where(np.asarray(n_groups) > 1, samples, np.nan)
    with ignored_warnings():
        return np.moveaxis(np.nanpercentile(samples, _PERCENTILES, axis=0), 0, -1)


def check_genres_of_clips(**genres: Any) -> list[NDArray]:
    """Return lists of genres as 1-D arrays of one length and one type."""
    arrays = []
    for name, values in genres.items():
        array = check_labels(name, values)
        _check_some(array)
        arrays.append(array)
    check_consistent_length(*arrays)
    unique_labels(*arrays)  # refuses strings beside numbers
    return arrays


def check_shares(name: str, values: ArrayLike) -> NDArray:
    """Return shares or probabilities of clips as a 1-D array."""
    shares = column_or_1d(values, dtype=np.float64)
    _check_some(shares)
    outside = ~((shares >= 0) & (shares <= 1))  # NaN, too
    if outside.any():
        row = outside.argmax()
        raise ValueError(f"{name} must be from 0 to 1, got {shares[row]} in row {row}.")
    return shares


def _check_some(values: NDArray) -> None:
    if not len(values):
        raise ValueError("There are no clips to evaluate: got arrays of length 0.")
