"""What classifiers around another classifier have in common."""

from collections.abc import Callable, Iterable, Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import config_context
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    clone,
)
from sklearn.model_selection import StratifiedGroupKFold, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skgenre._estimators import fit_takes
from skgenre._sklearn_compat import (
    check_sample_weight,
    num_samples,
    safe_indexing,
    wrap_data_with_container,
)
from skgenre._warnings import ignored_warnings
from skgenre.classifiers._checks import (
    check_groups,
    check_target,
    check_two_genres,
    keep_target,
)
from skgenre.classifiers._several_genres import (
    ONE,
    SeveralGenres,
    Target,
    splitting_classes,
)


def inner_has(method: str) -> Callable[[Any], bool]:
    """Return a check for `available_if`: whether the estimator inside has a method."""
    return lambda self: hasattr(getattr(self, "estimator_", self.estimator), method)


class InnerTransform(ClassNamePrefixFeaturesOutMixin):
    """The `transform` of the estimator inside, where that has one.

    It is no `TransformerMixin`, which would wrap the methods of its subclasses, for
    `set_output`, in functions that are always there.
    """

    estimator: Any
    estimator_: Any
    fit: Any

    def _embeddings(self, X: Any) -> NDArray:
        """Return one row per clip, by the estimator's `transform`."""
        return np.asarray(self.estimator_.transform(X))

    @available_if(inner_has("transform"))
    def transform(self, X: ArrayLike) -> NDArray:
        """Return the embedding of each clip, as the estimator inside makes it.

        Only where the estimator has a `transform`.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...) or list of array-like
            Clips, as in `fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_components)
            For clips that are cut into windows, the mean over these.
        """
        check_is_fitted(self)
        return wrap_data_with_container("transform", self._embeddings(X), X, self)

    @available_if(inner_has("transform"))
    def fit_transform(self, X: ArrayLike, y: ArrayLike, **fit_params: Any) -> NDArray:
        """Fit on clips and genres, and return the embeddings of the clips.

        Only where the estimator has a `transform`.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...) or list of array-like
            Clips, as in `fit`.
        y : array-like of shape (n_clips,)
            Genres.
        **fit_params : dict
            Further arguments of `fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_components)
            For clips that are cut into windows, the mean over these.
        """
        return self.fit(X, y, **fit_params).transform(X)

    @available_if(inner_has("transform"))
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray:
        """Return the names of the embedding's columns.

        Only where the estimator has a `transform`.

        Parameters
        ----------
        input_features : array-like or None, default=None
            Ignored.

        Returns
        -------
        ndarray of str
            The class's name in lower case and a number, such as 'segmentclassifier0'.
        """
        return super().get_feature_names_out(input_features)

    @property
    def _n_features_out(self) -> int:
        return len(self.estimator_.get_feature_names_out())

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there is a fitted estimator: a fit that failed leaves none."""
        return hasattr(self, "estimator_")


class MetaClassifier(
    ClassifierMixin,
    InnerTransform,
    TransformerMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    """Base of the classifiers that pass X on to another as it is."""

    def _check_fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        groups: ArrayLike | None,
    ) -> tuple[Any, Target, dict[str, Any]]:
        """Check what `fit` is given, and keep the genres.

        Returns
        -------
        X : array-like of shape (n_clips, ...)
            What can be indexed.
        target : Target
            Genres.
        extras : dict
            'sample_weight' and 'groups', each None where it was not given.
        """
        # A fit that fails leaves an estimator that is not fitted.
        self.__dict__.pop("estimator_", None)
        (X,) = indexable(X)
        target = check_target(self, X, y)
        extras: dict[str, Any] = {
            "sample_weight": None,
            "groups": check_groups(X, groups),
        }
        check_two_genres(self, target.classes)
        check_takes_several(self.estimator, target)
        check_fit_takes(self.estimator, sample_weight=sample_weight)
        if sample_weight is not None:
            extras["sample_weight"] = check_clip_weights(target.values, sample_weight)
        keep_target(self, target)
        return X, target, extras

    def predict_proba(self, X: Any) -> NDArray:
        """Return the probability of each genre, as the estimator predicts it.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Whatever the estimator takes.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            Columns in the order of `classes_`.

        Raises
        ------
        ValueError
            If a probability is NaN.
        """
        check_is_fitted(self)
        return class_probabilities(
            self.estimator_, X, self.classes_, several=self.y_type_ != ONE
        )

    def _keep_fitted(self, fitted: Any) -> None:
        """Set `estimator_`, and what is known of the columns it was fitted on."""
        self.estimator_ = fitted
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(fitted, name):
                setattr(self, name, getattr(fitted, name))

    def __sklearn_tags__(self) -> Tags:
        """Return the tags for scikit-learn: the input is that of the estimator."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.classifier_tags.multi_label = isinstance(
            self, SeveralGenres
        ) and takes_several(self.estimator)
        if inner.transformer_tags is not None:
            tags.transformer_tags = inner.transformer_tags
        return tags


def takes_several(estimator: Any) -> bool:
    """Return whether a classifier takes several genres a clip, by its tags."""
    tags = get_tags(estimator)
    of_labels = tags.classifier_tags is not None and tags.classifier_tags.multi_label
    return of_labels or tags.target_tags.multi_output


def check_takes_several(estimator: Any, target: Target) -> None:
    """Refuse several genres a clip for a classifier that takes one each."""
    if target.y_type != ONE and not takes_several(estimator):
        name = type(estimator).__name__
        raise ValueError(
            f"y has several genres a clip, and {name} takes one each. Put it into "
            f"OneVsRestClassifier({name}(...)) of sklearn.multiclass, or choose a "
            "network."
        )


def check_fit_takes(estimator: Any, **given: Any) -> None:
    """Refuse arguments, unless they are None, that `fit` doesn't take."""
    for parameter, value in given.items():
        if value is not None and not fit_takes(estimator, parameter):
            raise TypeError(
                f"{parameter} was given, but {type(estimator).__name__}.fit does not "
                "take it. Leave it out, or choose another estimator."
            )


def check_clip_weights(clips: Any, sample_weight: ArrayLike) -> NDArray:
    """Return one weight per clip, not all of them 0."""
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
        In a pipeline, every step gets the extras that it takes.
    X, y : array-like
        Training data.
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
    """Yield the (train, test) rows of folds; where cv is an int, groups stay whole.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        As scikit-learn takes it.
    y : ndarray of shape (n_clips,) or (n_clips, n_classes)
        Genres; of several a clip, its rarest one decides the fold.
    groups : ndarray of shape (n_clips,) or None
        Artists.

    Raises
    ------
    ValueError
        If there are too few clips of a genre for so many folds, or the training clips
        of a fold are of one genre only.
    """
    if groups is not None and isinstance(cv, Integral):
        cv = StratifiedGroupKFold(cv)
    splitter = check_cv(cv, splitting_classes(y), classifier=True)
    if y.ndim == 2:
        # It would warn of rare classes, which are none of the user's.
        with ignored_warnings():
            folds = list(splitter.split(y, splitting_classes(y), groups))
        yield from folds  # each of which may warn
        return
    for train, test in splitter.split(np.zeros(len(y)), y, groups):
        genres = np.unique(y[train])
        if len(genres) < 2:
            raise ValueError(
                f"cv={cv!r:.100} leaves a fold clips of one genre only to train on: "
                f"{genres.tolist()}. Give the other genres more clips, by more artists "
                "where groups are given."
            )
        yield train, test


def predict_folds(
    estimator: Any,
    predict: Callable[[Any, Any], NDArray],
    X: Any,
    y: NDArray,
    folds: Iterable[tuple[NDArray, NDArray]],
    **extras: NDArray | None,
) -> NDArray:
    """Return predictions for each clip by a clone that was not fitted on it.

    Parameters
    ----------
    estimator : classifier
        Left as it is.
    predict : callable
        Takes a fitted clone and clips, and returns a row for each clip.
    X, y : array-like
        Clips and genres.
    folds : iterable of (train, test)
        Rows to fit on and to predict.
    **extras : ndarray of shape (n_clips,) or None
        What `fit_with` takes, for all clips.

    Returns
    -------
    ndarray of shape (n_clips, n_columns)
        NaN where no fold tests a clip.
    """
    result = np.empty((0, 0))
    for train, test in folds:
        fitted = fit_with(
            clone(estimator),
            safe_indexing(X, train),
            y[train],
            **{
                name: None if values is None else values[train]
                for name, values in extras.items()
            },
        )
        rows = predict(fitted, safe_indexing(X, test))
        if not len(result):
            result = np.full((len(y), rows.shape[1]), np.nan)
        result[test] = rows
    return result


def check_all_tested(cv: Any, predictions: NDArray) -> None:
    """Refuse folds that test only some of the clips: predictions of others are NaN."""
    if np.isnan(predictions).any():
        raise ValueError(
            f"cv={cv!r:.100} never tests some of the clips. Folds are needed that test "
            "each: an int, or a splitter such as StratifiedKFold."
        )


def held_out_probabilities(
    estimator: Any,
    X: Any,
    target: Target,
    cv: Any,
    **extras: NDArray | None,
) -> NDArray:
    """Return the probabilities of each clip's genres, by folds that it is not in.

    Parameters
    ----------
    estimator : classifier
        Not fitted; a clone of it is, for each fold.
    X : array-like of shape (n_clips, ...)
        Whatever the estimator takes.
    target : Target
        Genres.
    cv : object
        As of `folds_by_group`.
    **extras : ndarray of shape (n_clips,) or None
        'groups' and 'sample_weight'.

    Returns
    -------
    ndarray of shape (n_clips, n_classes)

    Raises
    ------
    ValueError
        If some clips are in no test fold, or a probability is NaN.
    """
    several = target.y_type != ONE
    result = predict_folds(
        estimator,
        lambda fitted, clips: class_probabilities(
            fitted, clips, target.classes, several=several
        ),
        X,
        target.values,
        folds_by_group(cv, target.values, extras["groups"]),
        **extras,
    )
    check_all_tested(cv, result)
    return result


def class_probabilities(
    estimator: Any, X: Any, classes: NDArray, *, several: bool = False
) -> NDArray:
    """Return an estimator's probabilities, with a column for each of `classes`.

    The estimator of a fold may lack a class, whose probability is 0.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like of shape (n_clips, ...)
        Whatever it takes.
    classes : ndarray of shape (n_classes,)
        The genres.
    several : bool, default=False
        Whether it was fitted on several genres a clip, in as many columns.

    Raises
    ------
    ValueError
        If a probability is NaN.
    """
    result = np.zeros((num_samples(X), len(classes)))
    found = estimator.predict_proba(X)
    if isinstance(found, list):  # of scikit-learn's trees and neighbours
        for column, (of_genre, known) in enumerate(
            zip(found, estimator.classes_, strict=True)
        ):
            if 1 in known:
                result[:, column] = of_genre[:, np.searchsorted(known, 1)]
    elif several:
        result[:] = found
    else:
        result[:, np.searchsorted(classes, estimator.classes_)] = found
    if np.isnan(result).any():  # as of naive Bayes where features never change
        raise ValueError(
            f"{type(estimator).__name__} gives probabilities that are NaN. Look for "
            "features that are constant or out of proportion, scale them, or choose "
            "another estimator."
        )
    return result


def hard_votes(
    estimator: Any, X: Any, classes: NDArray, *, several: bool = False
) -> NDArray:
    """Return 1 in the columns of the classes that an estimator predicts, else 0.

    Raises
    ------
    ValueError
        If it predicts what is none of the classes.
    """
    predicted = np.asarray(estimator.predict(X))
    if several:
        return predicted.astype(float)
    votes = predicted[:, np.newaxis] == classes
    if not votes.any(axis=1).all():
        other = predicted[votes.any(axis=1).argmin()]
        raise ValueError(
            f"{type(estimator).__name__} predicts {other!r:.50}, which is none of the "
            "genres, so that hard voting can't count it. Choose voting='soft', or put "
            "what abstains around SegmentClassifier."
        )
    return votes.astype(float)
