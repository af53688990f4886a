"""Scores where clips have several genres, each with an interval."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.stats import rankdata
from sklearn.utils import Bunch, check_array, check_consistent_length

from skgenre.classifiers._checks import check_groups
from skgenre.classifiers._several_genres import in_columns_of, read_several
from skgenre.inspection._scores._bootstrap import (
    bootstrap_draws,
    bootstrap_sums,
    group_numbers,
    interval,
    n_groups_with,
)
from skgenre.inspection._scores._comparison import mean_gain
from skgenre.inspection._scores._score_intervals import check_genre_list, scores_of_sums

_N_VALUES = 2**22  # of samples and clips at a time


def multilabel_score_intervals(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    groups: ArrayLike | None = None,
) -> Bunch:
    """Return scores of several genres a clip, each with a 95 % interval.

    Parameters
    ----------
    y_true : array-like of shape (n_clips, n_classes), or lists of genres
        True genres: 0 and 1 in columns, or a list for each clip.
    y_proba : array-like of shape (n_clips, n_classes)
        Probabilities of the genres.
    y_pred : array-like of shape (n_clips, n_classes), or lists of genres
        Predictions.
    labels : array-like of shape (n_classes,), default=None
        Genres of the columns, a classifier's ``classes_``; needed for lists. None takes
        the columns' numbers.
    groups : array-like of shape (n_clips,), default=None
        Artists, who are drawn with all their clips; None draws clips.

    Returns
    -------
    scores : :class:`~sklearn.utils.Bunch`
        With these attributes, and the 95 % interval of each score, as
        ``f1_interval`` and so on, with an axis of 2 at the end:

        labels : ndarray of shape (n_classes,)
            The genres.
        ranking_precision : float
            Label-ranking average precision: for each genre of a clip, the share of its
            genres among all that are at least as probable; mean over clips.
        average_precision : ndarray of shape (n_classes,)
            Of each genre: the mean precision over its clips, the most probable first;
            NaN without clips.
        precision, recall, f1 : ndarray of shape (n_classes,)
            Of each genre; NaN as in `score_intervals`.
        macro_average_precision, macro_f1 : float
            Means over the genres with clips.
        accuracy : float
            Share of clips whose genres are predicted, all of them and no others.
        support, n_groups : ndarray of shape (n_classes,), int
            Clips and artists of each genre; clips, where artists are not known.
        cooccurrence : ndarray of shape (n_classes, n_classes), int
            Clips of the row's genre for which the column's is predicted.

    Raises
    ------
    ValueError
        If there are no clips, lengths or columns do not match, a genre is not among the
        labels, or a probability is not from 0 to 1.

    See Also
    --------
    score_intervals : Of one genre a clip.
    sklearn.metrics.label_ranking_average_precision_score : The first score.
    sklearn.metrics.average_precision_score : The second.

    Notes
    -----
    Intervals are those of `bootstrap_accuracy`: percentiles over 2,000 samples of
    artists. They are NaN where all clips of a genre are by one artist.

    Examples
    --------
    >>> from skgenre.inspection import multilabel_score_intervals
    >>> scores = multilabel_score_intervals(
    ...     [("folk", "pop"), ("rock",)],
    ...     [[0.9, 0.4, 0.6], [0.1, 0.6, 0.7]],
    ...     [("folk", "rock"), ("pop", "rock")],
    ...     labels=["folk", "pop", "rock"],
    ... )
    >>> round(scores.ranking_precision, 3), scores.average_precision.tolist()
    (0.917, [1.0, 0.5, 1.0])
    >>> scores.cooccurrence.tolist()
    [[1, 0, 1], [1, 0, 1], [0, 1, 1]]
    """
    proba = check_array(y_proba, dtype=np.float64, input_name="y_proba")
    if (proba < 0).any() or (proba > 1).any():
        raise ValueError(
            f"y_proba must be from 0 to 1, got {proba.min():.3g} to {proba.max():.3g}."
        )
    genres = np.arange(proba.shape[1]) if labels is None else check_genre_list(labels)
    if len(genres) != proba.shape[1]:
        raise ValueError(
            f"y_proba has {proba.shape[1]} columns, and there are {len(genres)} labels."
        )
    true, predicted = (
        genre_columns(name, y, genres)
        for name, y in (("y_true", y_true), ("y_pred", y_pred))
    )
    check_consistent_length(true, proba, predicted)
    artist = group_numbers(check_groups(true, groups), len(true))
    n_artists = int(artist.max()) + 1

    k = len(genres)
    exact = (true == predicted).all(axis=1, keepdims=True)
    ranking = ranking_precisions(true, proba)[:, np.newaxis]
    ones = np.ones_like(ranking)
    counts = csr_array(
        np.hstack([true * predicted, true, predicted, exact, ones, ranking])
    )
    # The last column is beyond those that `scores_of_sums` takes.
    sums, samples = np.asarray(counts.sum(axis=0)), bootstrap_sums(counts, artist)
    scores, of_samples = (
        scores_of_sums(values[..., :-1], k)
        | {"ranking_precision": values[..., -1] / values[..., -2]}
        for values in (sums, samples)
    )
    scores["average_precision"] = _average_precisions(
        true, proba, artist, np.ones((1, n_artists))
    )[0]
    of_samples["average_precision"] = np.concatenate(
        [
            _average_precisions(true, proba, artist, times)
            for times in bootstrap_draws(n_artists)
        ]
    )
    for each in (scores, of_samples):
        each["macro_average_precision"] = _mean_of_known(each["average_precision"])
    n_true = n_groups_with(artist, true)
    n_groups = dict.fromkeys(scores, n_artists) | {
        "precision": n_groups_with(artist, predicted),
        "recall": n_true,
        "average_precision": n_true,
        "f1": n_groups_with(artist, true + predicted),
    }
    result = Bunch(
        labels=genres,
        support=true.sum(axis=0),
        n_groups=n_true,
        cooccurrence=true.T @ predicted,
    )
    for name, values in scores.items():
        result[name] = float(values) if np.ndim(values) == 0 else values
        result[f"{name}_interval"] = interval(of_samples[name], n_groups[name])
    return result


def compare_rankings(
    true: NDArray, proba: NDArray, other: NDArray, groups: NDArray | None
) -> Bunch:
    """Compare the label-ranking average precisions of two models on the same clips.

    Parameters
    ----------
    true : ndarray of shape (n_clips, n_classes)
        0 and 1.
    proba, other : ndarray of shape (n_clips, n_classes)
        Probabilities by the first model and by the second.
    groups : ndarray of shape (n_clips,) or None
        Artists.

    Returns
    -------
    Bunch
        'difference' and 'difference_interval', as of `compare_predictions`, and on how
        many clips each model is the better one: 'first_better' and 'second_better'.
    """
    gain = ranking_precisions(true, proba) - ranking_precisions(true, other)
    return Bunch(
        **mean_gain(gain, groups),
        first_better=int(np.sum(gain > 0)),
        second_better=int(np.sum(gain < 0)),
    )


def genre_columns(name: str, y: Any, genres: NDArray) -> NDArray:
    """Return several genres a clip in the columns of these genres."""
    target = read_several(name, y)
    if target is None:
        raise ValueError(
            f"{name} must have several genres for each clip: 0 and 1 in columns, or "
            "lists of genres. Of one genre each, see score_intervals."
        )
    return in_columns_of(genres, target, name)


def ranking_precisions(true: NDArray, proba: NDArray) -> NDArray:
    """Return the label-ranking average precision of each clip; 1 without genres."""
    result = np.ones(len(true))
    for row in np.flatnonzero(true.any(axis=1)):
        is_true = true[row] > 0
        among_true = rankdata(-proba[row, is_true], "max")
        among_all = rankdata(-proba[row], "max")[is_true]
        result[row] = np.mean(among_true / among_all)
    return result


def _average_precisions(
    true: NDArray, proba: NDArray, artist: NDArray, times: NDArray
) -> NDArray:
    """Return the average precision of each genre in samples of artists.

    Parameters
    ----------
    true, proba : ndarray of shape (n_clips, n_classes)
        0 and 1, and probabilities.
    artist : ndarray of shape (n_clips,), int
        Number of each clip's artist.
    times : ndarray of shape (n_samples, n_artists)
        How often an artist is in a sample.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        NaN where none of a genre's clips is in a sample.
    """
    result = np.empty((len(times), true.shape[1]))
    step = max(1, _N_VALUES // len(true))
    for genre, (is_of, scores) in enumerate(zip(true.T, proba.T, strict=True)):
        order = np.argsort(-scores, kind="stable")
        # Equally probable clips are all found at once, at the last of them.
        last = np.flatnonzero(np.diff(scores[order], append=-np.inf))
        for start in range(0, len(times), step):
            weights = times[start : start + step, artist[order]]
            n_found = weights.cumsum(axis=1)[:, last]
            n_right = (weights * is_of[order]).cumsum(axis=1)[:, last]
            gain = np.diff(n_right, axis=1, prepend=0)
            with np.errstate(invalid="ignore"):
                sums = (np.nan_to_num(n_right / n_found) * gain).sum(axis=1)
                result[start : start + step, genre] = sums / n_right[:, -1]
    return result


def _mean_of_known(values: NDArray) -> NDArray:
    """Return the mean over genres; those that are NaN are left out."""
    is_known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(is_known, values, 0).sum(axis=-1) / is_known.sum(axis=-1)
