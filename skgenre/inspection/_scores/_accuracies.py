"""Accuracies of several kinds: what an accuracy alone doesn't say."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from sklearn.utils import Bunch, check_array
from sklearn.utils.multiclass import unique_labels

from skgenre.classifiers._checks import check_groups
from skgenre.inspection._scores._bootstrap import (
    bootstrap_sums,
    check_genres_of_clips,
    group_numbers,
    interval,
)
from skgenre.inspection._scores._score_intervals import (
    check_genre_list,
    genre_positions,
)


def accuracy_scores(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    y_proba: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    merge: Mapping[Any, Any] | None = None,
) -> Bunch:
    """Return the accuracy by clip, genre and artist, of two guesses, of merged genres.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_clips,)
        True and predicted genres.
    groups : array-like of shape (n_clips,), default=None
        Artists, who are drawn with all their clips; None draws clips.
    y_proba : array-like of shape (n_clips, n_classes), default=None
        Probabilities of the genres, for the accuracy of two guesses.
    labels : array-like of shape (n_classes,), default=None
        Genres of the columns of `y_proba`; None takes all of `y_true` and `y_pred`,
        sorted.
    merge : dict of genre to genre, default=None
        Genres that count as others: ``{"pop": "rock"}`` counts pop and rock as one.
        They are genres of `y_true`, `y_pred` or `labels`.

    Returns
    -------
    scores : :class:`~sklearn.utils.Bunch`
        With these attributes, and the 95 % interval of each, ``accuracy_interval`` and
        so on, an ndarray of shape (2,):

        accuracy : float
            Share of clips whose genre is predicted.
        macro_accuracy : float
            Mean of that share over the genres of `y_true`: each counts the same.
        artist_accuracy : float
            Mean over the artists; each counts the same. NaN without `groups`.
        top_2_accuracy : float
            Share of clips whose genre is one of the two most probable, of equal ones
            the first; NaN without `y_proba`.
        merged_accuracy : float
            Accuracy where `merge` applies to both genres; NaN without it.
        n_groups, n_effective_groups : int, float
            Artists; and how many artists with as many clips each would say as much,
            ``sum(n) ** 2 / sum(n ** 2)`` for their numbers of clips [1]_. Clips, where
            artists are not known.

    Raises
    ------
    ValueError
        If there are no clips, lengths do not match, values are missing, `y_proba` has
        not a column for each of `labels`, or `merge` names a genre that there is not,
        counts one as a genre that it counts as yet another, or leaves a single genre.

    See Also
    --------
    score_intervals : Precision, recall and F1 of each genre.
    suspected_label_errors : Which errors may be the labels'.

    Notes
    -----
    Intervals are those of `bootstrap_accuracy`; NaN with one artist only.

    References
    ----------
    .. [1] L. Kish, "Survey Sampling", Wiley 1965, section 11.7.

    Examples
    --------
    >>> from skgenre.inspection import accuracy_scores
    >>> scores = accuracy_scores(
    ...     ["folk", "pop", "rock", "rock"],
    ...     ["folk", "rock", "rock", "pop"],
    ...     groups=["Ada", "Bo", "Cleo", "Cleo"],
    ...     merge={"pop": "rock"},
    ... )
    >>> float(scores.accuracy), float(scores.merged_accuracy)
    (0.5, 1.0)
    >>> scores.n_groups, round(scores.n_effective_groups, 2)
    (3, 2.67)
    """
    true, predicted = check_genres_of_clips(y_true=y_true, y_pred=y_pred)
    artists = check_groups(true, groups)
    number = group_numbers(artists, len(true))
    n_clips = np.bincount(number)
    right = (true == predicted).astype(float)
    # Of each kind the clips' values and weights, in columns: a ratio of their sums,
    # and its mean over the columns.
    ones = np.ones((len(true), 1))
    of_genre = (true[:, np.newaxis] == np.unique(true)).astype(float)
    kinds = {"accuracy": (right, ones), "macro_accuracy": (right, of_genre)}
    if artists is not None:
        share = 1 / n_clips[number][:, np.newaxis]
        kinds["artist_accuracy"] = (right, share)
    if y_proba is not None:
        kinds["top_2_accuracy"] = (_in_top_2(true, predicted, y_proba, labels), ones)
    if merge is not None:
        genres = {*true.tolist(), *predicted.tolist()}
        if labels is not None:
            genres.update(check_genre_list(labels).tolist())
        check_merged_genres(merge, genres)
        merged = [_merged(values, merge) for values in (true, predicted)]
        kinds["merged_accuracy"] = ((merged[0] == merged[1]).astype(float), ones)

    names = ("accuracy", "macro_accuracy", "artist_accuracy")
    result = Bunch()
    for name in (*names, "top_2_accuracy", "merged_accuracy"):
        result[name], result[f"{name}_interval"] = np.nan, np.full(2, np.nan)
        if name in kinds:
            values, weights = kinds[name]
            columns = np.hstack([weights * values[:, np.newaxis], weights])
            result[name] = float(_mean_ratio(columns.sum(axis=0)))
            samples = _mean_ratio(bootstrap_sums(csr_array(columns), number))
            result[f"{name}_interval"] = interval(samples, len(n_clips))
    result["n_groups"] = len(n_clips)
    result["n_effective_groups"] = float(n_clips.sum() ** 2 / (n_clips**2).sum())
    return result


def _mean_ratio(sums: NDArray) -> NDArray:
    """Return the mean over genres of what is right; a genre not drawn is left out."""
    values, weights = np.split(sums, 2, axis=-1)
    ratios = np.divide(values, weights, out=np.zeros_like(values), where=weights > 0)
    return ratios.sum(axis=-1) / (weights > 0).sum(axis=-1)


def _in_top_2(
    true: NDArray, predicted: NDArray, y_proba: ArrayLike, labels: ArrayLike | None
) -> NDArray:
    genres = unique_labels(true, predicted)
    if labels is not None:
        genres = check_genre_list(labels)
    proba = check_array(y_proba, dtype=np.float64, input_name="y_proba")
    if proba.shape != (len(true), len(genres)):
        raise ValueError(
            f"y_proba must have shape ({len(true)}, {len(genres)}): a row for each "
            f"clip, a column for each of the labels. Got shape {proba.shape}."
        )
    place = genre_positions(true, genres)
    # Of equal probabilities the first counts, as in `predict`.
    guesses = np.argsort(-proba, axis=1, kind="stable")[:, :2]
    return (guesses == place[:, np.newaxis]).any(axis=1).astype(float)


def check_merged_genres(merge: Mapping[Any, Any], known: Collection[Any]) -> None:
    """Refuse genres that count as others: unknown ones, a chain, or all as one."""
    for genre, other in merge.items():
        for name in (genre, other):
            if name not in known:
                raise ValueError(
                    f"merge names {name!r}, which is none of the genres: "
                    f"{sorted(known)}."
                )
        if merge.get(other, other) != other:
            raise ValueError(
                f"merge counts {genre!r} as {other!r}, and {other!r} as "
                f"{merge[other]!r}. Count both as the last."
            )
    if merge and len({merge.get(genre, genre) for genre in known}) < 2:
        raise ValueError(
            "merge leaves a single genre, as which all count. Leave one of its pairs "
            "out."
        )


def _merged(values: NDArray, merge: Mapping[Any, Any]) -> NDArray:
    return np.array([merge.get(genre, genre) for genre in values.tolist()])
