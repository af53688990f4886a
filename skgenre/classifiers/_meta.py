"""The classifier inside another: what it takes, and what it is given."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import config_context
from sklearn.model_selection import StratifiedGroupKFold, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from skgenre._estimators import fit_takes
from skgenre._sklearn_compat import check_sample_weight, num_samples
from skgenre.classifiers._checks import Rows


def check_taken(estimator: Any, **given: Any) -> None:
    """Refuse what was given, unless it is None, and `fit` doesn't take."""
    for parameter, value in given.items():
        if value is not None and not fit_takes(estimator, parameter):
            raise TypeError(
                f"{parameter} was given, but {type(estimator).__name__}.fit does not "
                "take it. Leave it out, or choose another estimator."
            )


def check_clip_weights(clips: Any, sample_weight: ArrayLike) -> NDArray:
    """Return one weight a clip, not all of them 0."""
    weights = check_sample_weight(
        sample_weight, clips, dtype=np.float64, ensure_non_negative=True
    )
    if not weights.any():
        raise ValueError(
            "sample_weight is 0 for all clips: there is nothing to train on."
        )
    return weights


def fit_with(estimator: Any, X: ArrayLike, y: ArrayLike, **extras: Any) -> Any:
    """Fit an estimator, with those of the extras that its `fit` takes.

    Parameters
    ----------
    estimator : estimator
        Of a pipeline, every step gets the extras that it takes.
    X, y : array-like
        What it is fitted on.
    **extras : object
        Weights, groups and so on; None counts as not given.

    Returns
    -------
    estimator
        The same one, fitted.
    """
    steps = [("", estimator)]
    if isinstance(estimator, Pipeline):
        steps = [(f"{name}__", step) for name, step in estimator.steps]
    taken = {
        prefix + name: value
        for prefix, step in steps
        for name, value in extras.items()
        if value is not None and hasattr(step, "fit") and has_fit_parameter(step, name)
    }
    if taken and isinstance(estimator, Pipeline):
        # With metadata routing on, a pipeline doesn't understand these names.
        with config_context(enable_metadata_routing=False):
            return estimator.fit(X, y, **taken)
    return estimator.fit(X, y, **taken)


def folds_by_group(
    cv: Any, y: NDArray, groups: NDArray | None
) -> Iterator[tuple[NDArray, NDArray]]:
    """Yield the (train, test) rows of folds; an int doesn't part the groups.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        As scikit-learn takes it.
    y : ndarray of shape (n_clips,)
        Genres.
    groups : ndarray of shape (n_clips,) or None
        Artists.

    Raises
    ------
    ValueError
        If there are too few clips of a genre for so many folds, or a fold has clips of
        one genre only to train on.
    """
    if groups is not None and isinstance(cv, Integral):
        cv = StratifiedGroupKFold(cv)
    for train, test in check_cv(cv, y, classifier=True).split(
        np.zeros(len(y)), y, groups
    ):
        genres = np.unique(y[train])
        if len(genres) < 2:
            raise ValueError(
                f"cv={cv!r} leaves a fold clips of one genre only to train on: "
                f"{genres.tolist()}. Give the other genres more clips, by more artists "
                "where groups are given."
            )
        yield train, test


def check_all_tested(cv: Any, answers: NDArray) -> None:
    """Refuse folds that left answers out, which are NaN."""
    if np.isnan(answers).any():
        raise ValueError(
            f"cv={cv!r} never tests some of the clips. Folds are needed that test "
            "each: an int, or a splitter such as StratifiedKFold."
        )


def probabilities(estimator: Any, X: Rows, classes: NDArray) -> NDArray:
    """Return an estimator's probabilities, in columns for all of `classes`.

    Those of a fold may lack a class, whose probability is 0.

    Raises
    ------
    ValueError
        If a probability is NaN.
    """
    result = np.zeros((num_samples(X), len(classes)))
    columns = np.searchsorted(classes, estimator.classes_)
    result[:, columns] = estimator.predict_proba(X)
    if np.isnan(result).any():  # as naive Bayes answers where features never change
        raise ValueError(
            f"{type(estimator).__name__} gives probabilities that are NaN. Look for "
            "features that are constant or out of proportion, scale them, or choose "
            "another estimator."
        )
    return result


def votes(estimator: Any, X: Rows, classes: NDArray) -> NDArray:
    """Return 1 in the column of the class that an estimator predicts, else 0."""
    columns = np.searchsorted(classes, estimator.predict(X))
    return np.eye(len(classes))[columns]
