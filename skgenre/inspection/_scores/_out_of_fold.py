"""Predictions for tracks by models that were trained on other artists."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from skgenre._warnings import ignored_warnings
from skgenre.inspection._report._clips import most_confident_first
from skgenre.inspection._report._predictions import Predictions

_FOLDS = 5


def predict_other_artists(
    fit_predict: Callable[[NDArray, NDArray], tuple[NDArray, NDArray]],
    target: NDArray,
    groups: NDArray,
    *,
    seed: int,
) -> tuple[NDArray, NDArray]:
    """Return probabilities for tracks whose artists were not trained on.

    Parameters
    ----------
    fit_predict : callable
        Takes the numbers of tracks to train on and of others to predict; returns the
        genres and their probabilities.
    target : ndarray of shape (n_tracks,)
        Labels.
    groups : ndarray of shape (n_tracks,)
        Artists.
    seed : int
        Of the split.

    Returns
    -------
    rows : ndarray of shape (n_predicted,)
        Numbers of the tracks with a prediction.
    proba : ndarray of shape (n_predicted, n_genres)
        Of all genres in `target`, sorted.

    Raises
    ------
    ValueError
        If there is one artist only, or no track can be predicted.
    """
    genres = np.unique(target)
    proba = np.full((len(target), len(genres)), np.nan)
    for training, test in _folds(target, groups, seed):
        names, counts = np.unique(target[training], return_counts=True)
        known = names[counts > 1]
        training = training[np.isin(target[training], known)]
        # What is not in the training can't be predicted.
        test = test[np.isin(target[test], known)]
        if len(known) < 2 or not len(test):
            continue
        classes, predicted = fit_predict(training, test)
        proba[test] = 0
        proba[np.ix_(test, np.searchsorted(genres, classes))] = predicted
    rows = np.flatnonzero(~np.isnan(proba[:, 0]))
    if not len(rows):
        raise ValueError(
            "No track could be predicted from those of other artists. Each genre needs "
            "three tracks or more, by two artists or more, that can be read."
        )
    return rows, proba[rows]


def _folds(target: NDArray, groups: NDArray, seed: int) -> Any:
    """Return pairs of rows to train on and rows to predict, of other artists."""
    n_artists = len(np.unique(groups))
    if n_artists < 2:
        raise ValueError(
            "Tags are checked by those of other artists, and there is only one. Check "
            "a larger library."
        )
    # More folds than the commonest genre has tracks are refused by scikit-learn.
    n_folds = min(_FOLDS, n_artists, np.unique(target, return_counts=True)[1].max())
    if n_folds < 2:
        return []
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    with ignored_warnings():  # of genres in fewer tracks
        return list(folds.split(target, target, groups))


def suspected_rows(predictions: Predictions, min_confidence: float = 0.0) -> NDArray:
    """Return the rows whose labels look wrong, the most confident first.

    Those of which the predicted genre is at least as probable as it is on average in
    tracks that are labelled with it (as in confident learning [1]_), so that a genre in
    which the model is never sure needs less.

    References
    ----------
    .. [1] C. Northcutt, L. Jiang, I. Chuang, "Confident Learning: Estimating
       Uncertainty in Dataset Labels", JAIR 70, 2021.
    """
    proba, confidence = predictions.proba, predictions.confidence
    assert proba is not None and confidence is not None
    n_genres = proba.shape[1]
    n_labelled = np.bincount(predictions.true, minlength=n_genres)
    of_label = label_probabilities(predictions)
    usual = np.bincount(predictions.true, of_label, n_genres) / np.maximum(
        n_labelled, 1
    )
    is_sure = confidence >= np.maximum(usual[predictions.predicted], min_confidence)
    return most_confident_first(
        predictions, np.flatnonzero(~predictions.right & is_sure)
    )


def label_probabilities(predictions: Predictions) -> NDArray:
    """Return the probability of each track's label, (n_tracks,)."""
    assert predictions.proba is not None
    return predictions.proba[np.arange(len(predictions.true)), predictions.true]
