"""Accuracy, precision, recall and F1, each with an interval."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from sklearn.utils import Bunch
from sklearn.utils.multiclass import unique_labels

from skgenre.classifiers._checks import check_groups, check_labels
from skgenre.inspection._scores._bootstrap import (
    bootstrap_sums,
    check_genres_of_clips,
    group_numbers,
    interval,
)


def score_intervals(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    groups: ArrayLike | None = None,
) -> Bunch:
    """Return accuracy, precision, recall and F1, each with a 95 % interval.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_clips,)
        True and predicted genres.
    labels : array-like of shape (n_classes,), default=None
        Genres to score, each once; None takes all of `y_true` and `y_pred`, sorted.
        The accuracy is that of all clips, whatever their genre.
    groups : array-like of shape (n_clips,), default=None
        Artists, who are drawn with all their clips; None draws clips.

    Returns
    -------
    scores : :class:`~sklearn.utils.Bunch`
        With the attributes:

        labels : ndarray of shape (n_classes,)
            The genres.
        accuracy : float
            Share of correct predictions.
        accuracy_interval : ndarray of shape (2,)
            Its interval.
        precision, recall, f1 : ndarray of shape (n_classes,)
            Scores of each genre; NaN where a genre was never predicted (precision),
            has no clips (recall), or neither (F1).
        precision_interval, recall_interval, f1_interval : ndarray of shape \
(n_classes, 2)
            Their intervals; NaN where the score is, and where all its clips are by one
            artist.
        macro_f1 : float
            Mean F1 of the genres with clips.
        macro_f1_interval : ndarray of shape (2,)
            Its interval.
        support, n_groups : ndarray of shape (n_classes,), int
            Clips and artists of each genre; clips, where artists are not known.

    Raises
    ------
    ValueError
        If there are no clips, lengths do not match, values are missing, or `labels`
        is empty or names a genre twice.

    See Also
    --------
    classification_report_html : Shows them on a page.
    sklearn.metrics.precision_recall_fscore_support : The same scores.

    Notes
    -----
    Intervals are the 2.5th and 97.5th percentiles over 2,000 bootstrap samples of
    artists, see `bootstrap_accuracy`. Where all predictions are correct, or all are
    wrong, all samples are alike, and an interval of no width says nothing.

    Examples
    --------
    >>> from skgenre.inspection import score_intervals
    >>> scores = score_intervals(
    ...     ["folk", "folk", "rock", "rock"], ["folk", "rock", "rock", "rock"]
    ... )
    >>> float(scores.accuracy), scores.accuracy_interval.tolist()
    (0.75, [0.25, 1.0])
    >>> scores.recall.tolist(), scores.precision.round(2).tolist()
    ([0.5, 1.0], [1.0, 0.67])
    """
    true, predicted = check_genres_of_clips(y_true=y_true, y_pred=y_pred)
    artist = group_numbers(check_groups(true, groups), len(true))
    genres = (
        unique_labels(true, predicted) if labels is None else check_genre_list(labels)
    )
    numbers = genre_positions(true, genres), genre_positions(predicted, genres)
    counts = _counts(*numbers, true == predicted, len(genres))
    scores = scores_of_sums(np.asarray(counts.sum(axis=0)), len(genres))
    samples = scores_of_sums(bootstrap_sums(counts, artist), len(genres))

    n_artists = {
        "accuracy": artist.max() + 1,
        "macro_f1": artist.max() + 1,
        "precision": _n_artists(artist, numbers[1:], len(genres)),
        "recall": _n_artists(artist, numbers[:1], len(genres)),
        "f1": _n_artists(artist, numbers, len(genres)),
    }
    result = Bunch(
        labels=genres,
        support=np.bincount(numbers[0][numbers[0] >= 0], minlength=len(genres)),
        n_groups=n_artists["recall"],
    )
    for name, n in n_artists.items():
        result[name] = scores[name]
        result[f"{name}_interval"] = interval(samples[name], n)
    return result


def check_genre_list(labels: ArrayLike) -> NDArray:
    """Return genres to score as a 1-D array, none of them twice."""
    genres = check_labels("labels", labels)
    if not len(genres) or len(set(genres.tolist())) < len(genres):
        raise ValueError(
            "labels must be the genres, each once and at least one of them; got "
            f"{genres.tolist()}."
        )
    return genres


def genre_positions(values: NDArray, genres: NDArray) -> NDArray:
    """Return the position of each value in the genres, or -1."""
    number = {genre: i for i, genre in enumerate(genres.tolist())}
    return np.array([number.get(value, -1) for value in values.tolist()])


def _counts(of_true: NDArray, predicted: NDArray, right: NDArray, n: int) -> csr_array:
    """Return what is summed, a row for each clip.

    For each genre: whether the clip is of it and predicted so, is of it, is predicted
    so; then whether the prediction is correct, and 1.
    """
    clip = np.arange(len(right))
    hit = np.where(right, of_true, -1)
    genre = np.concatenate([hit, of_true, predicted])
    column = genre + np.repeat([0, n, 2 * n], len(clip))
    row = np.tile(clip, 3)
    row = np.concatenate([row[genre >= 0], clip[right], clip])
    column = np.concatenate(
        [column[genre >= 0], np.full(right.sum(), 3 * n), np.full(len(clip), 3 * n + 1)]
    )
    return csr_array((np.ones(len(row)), (row, column)), shape=(len(clip), 3 * n + 2))


def scores_of_sums(sums: NDArray, n: int) -> dict[str, NDArray]:
    """Return the scores of sums of `_counts`; NaN where there is nothing to score."""
    hit, true, predicted = (sums[..., i * n : (i + 1) * n] for i in range(3))
    with np.errstate(invalid="ignore"):
        f1 = 2 * hit / (true + predicted)
        macro_f1 = np.where(true > 0, f1, 0).sum(axis=-1) / (true > 0).sum(axis=-1)
        return {
            "accuracy": sums[..., -2] / sums[..., -1],
            "macro_f1": macro_f1,
            "precision": hit / predicted,
            "recall": hit / true,
            "f1": f1,
        }


def _n_artists(artist: NDArray, numbers: Sequence[NDArray], n: int) -> NDArray:
    """Return the number of artists with clips in each genre by any of `numbers`."""
    pairs = np.concatenate([np.column_stack([genre, artist]) for genre in numbers])
    pairs = np.unique(pairs[pairs[:, 0] >= 0], axis=0)
    return np.bincount(pairs[:, 0], minlength=n)
