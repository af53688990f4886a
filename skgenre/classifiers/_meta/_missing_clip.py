"""A classifier that leaves out clips that could not be read."""

import warnings
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils import indexable
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skgenre._sklearn_compat import HasMethods, fit_context, num_samples, safe_indexing
from skgenre._text import format_list
from skgenre.classifiers._checks import (
    check_extra_label,
    check_groups,
    check_pair,
    check_target,
    genre_codes,
    keep_target,
    put_label,
)
from skgenre.classifiers._meta._base import (
    MetaClassifier,
    check_clip_weights,
    check_fit_takes,
    check_takes_several,
    class_probabilities,
    fit_with,
    inner_has,
)
from skgenre.classifiers._several_genres import INDICATOR, ONE, SeveralGenres
from skgenre.features._missing_clips import missing_clips


class MissingClipClassifier(SeveralGenres, MetaClassifier):
    """Leave out clips that could not be read, and predict a label of their own.

    Audio steps with ``on_error='warn'`` or ``'ignore'`` return such clips as rows that
    are NaN throughout. `fit` leaves them out; `predict` returns `missing_label` for
    them.

    Parameters
    ----------
    estimator : classifier
        Gets the other clips: a network, or any classifier of scikit-learn.
    missing_label : str, number or None, default=None
        The prediction for a missing clip: None, or a label of the genres' type, which
        scikit-learn's scorers need and count as wrong.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The genres, sorted, or those of the columns of `y`; without `missing_label`.
    estimator_ : classifier
        A clone of `estimator`, fitted on the clips that are not missing.
    n_missing_ : int
        Number of clips that `fit` left out.
    y_type_ : str
        'multilabel-indicator' or 'multilabel-lists' where clips may have several
        genres; predictions are in this form.
    n_features_in_ : int
        Number of features seen in `fit`; only where the estimator has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns seen in `fit`; only where the estimator has it.

    See Also
    --------
    skgenre.datasets.check_audio : Reports which files can be read, beforehand.
    AbstainingClassifier : Predicts no genre where it is uncertain.

    Notes
    -----
    Clips that are NaN only in part don't count as missing and are passed on: most
    classifiers refuse them. Put pipelines and searches around this estimator, and
    calibrations, :class:`SegmentClassifier` and :class:`AbstainingClassifier` inside:
    they can't handle probabilities that are NaN.

    Where clips are missing, the others are copied, even those of a memory map.

    Examples
    --------
    >>> import numpy as np
    >>> import warnings
    >>> from sklearn.svm import SVC
    >>> from skgenre import MissingClipClassifier
    >>> X = np.array([[0.0, 1.0], [np.nan, np.nan], [5.0, 6.0], [0.1, 1.1]])
    >>> classifier = MissingClipClassifier(SVC())
    >>> with warnings.catch_warnings(action="ignore"):
    ...     classifier = classifier.fit(X, ["folk", "folk", "techno", "folk"])
    >>> classifier.n_missing_
    1
    >>> classifier.predict(X)
    array(['folk', None, 'techno', 'folk'], dtype=object)
    """

    # With metadata routing on, groups that are given reach the estimator.
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "missing_label": [str, Real, None],
    }

    def __init__(
        self, estimator: Any, *, missing_label: str | float | None = None
    ) -> None:
        self.estimator = estimator
        self.missing_label = missing_label

    # The estimator inside validates its own parameters.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> Self:
        """Train the estimator on the clips that are not missing.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...) or list of array-like
            Whatever the estimator takes, and clips that are NaN throughout.
        y : array-like of shape (n_clips,) or (n_clips, n_classes)
            Genres; several a clip are 0 and 1 in columns, or a list for each clip.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips, if the estimator takes such weights.
        groups : array-like of shape (n_clips,), default=None
            Artists; passed on if the estimator takes them. With metadata routing on,
            `fit` requests them by default.
        validation_data : tuple of (X, y), default=None
            Passed on without missing clips, if the estimator takes such data.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If all clips are missing, `missing_label` is one of the genres or of
            another type, lengths do not match, or the estimator refuses the others.
        TypeError
            If weights or validation data are given to an estimator whose `fit` does
            not take them.

        Warns
        -----
        UserWarning
            If clips are left out.
        """
        # A fit that fails leaves an estimator that is not fitted.
        self.__dict__.pop("estimator_", None)
        (X,) = indexable(X)
        target = check_target(self, X, y)
        groups = check_groups(X, groups)
        check_takes_several(self.estimator, target)
        check_fit_takes(
            self.estimator, sample_weight=sample_weight, validation_data=validation_data
        )
        keep_target(self, target)
        weights = None
        if sample_weight is not None:
            weights = check_clip_weights(target.values, sample_weight)
        missing = missing_clips(X)
        kept, n_missing = np.flatnonzero(~missing), missing.sum()
        fitted = fit_with(
            clone(self.estimator),
            _select_present(X, kept),
            target.values[kept],
            sample_weight=None if weights is None else weights[kept],
            groups=None if groups is None else groups[kept],
            validation_data=self._present_validation_data(validation_data),
        )
        if target.y_type == ONE:
            self.classes_ = fitted.classes_
        if self.missing_label is not None:
            check_extra_label("missing_label", self.missing_label, self.classes_)
        if n_missing:
            rows = format_list(np.flatnonzero(missing))
            warnings.warn(
                f"{n_missing} of {len(missing)} clips are missing and were left out: "
                f"{rows}.",
                stacklevel=3,
            )
        self.n_missing_ = int(n_missing)
        self._keep_fitted(fitted)
        return self

    def predict(self, X: Any) -> NDArray:
        """Return the genre of each clip, or `missing_label`.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...) or list of array-like
            Whatever the estimator takes, and clips that are NaN throughout.

        Returns
        -------
        ndarray of shape (n_clips,) or (n_clips, n_classes)
            The estimator's predictions; an array of objects where clips are missing
            and `missing_label` is None. Of several genres a clip, a missing one has
            columns of 0, or a tuple of `missing_label` alone, empty for None.
        """
        check_is_fitted(self)
        if self.y_type_ != ONE:
            nothing = np.empty((0, len(self.classes_)), int)
            chosen, missing = self._call_inner(
                self.estimator_.predict, X, nothing, filling=0
            )
            genres = self._written(chosen > 0)
            if self.y_type_ != INDICATOR and self.missing_label is not None:
                for row in np.flatnonzero(missing):
                    genres[row] = (self.missing_label,)
            return genres
        genres, missing = self._call_inner(
            self.estimator_.predict, X, self.classes_[:0], filling=self.classes_[0]
        )
        return put_label(genres, missing, self.missing_label)

    @available_if(inner_has("predict_proba"))
    def predict_proba(self, X: Any) -> NDArray:
        """Return the probability of each genre; NaN for a missing clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...) or list of array-like
            Whatever the estimator takes, and clips that are NaN throughout.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            Columns in the order of `classes_`.
        """
        check_is_fitted(self)
        nothing = np.empty((0, len(self.classes_)))
        return self._call_inner(self._probabilities, X, nothing)[0]

    def score(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the accuracy; a prediction for a missing clip counts as wrong.

        Of several genres a clip, all must be right.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...) or list of array-like
            Whatever the estimator takes, and clips that are NaN throughout.
        y : array-like of shape (n_clips,) or (n_clips, n_classes)
            Genres; several a clip are 0 and 1 in columns, or a list for each clip.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips.

        Returns
        -------
        float
            From 0 to 1.
        """
        if self.y_type_ == ONE:
            right = self.predict(X) == column_or_1d(y)
        else:
            right = self._all_right(y, self.predict(X)) & ~missing_clips(X)
        weights = None if sample_weight is None else np.asarray(sample_weight)
        return float(np.average(right, weights=weights))

    def _embeddings(self, X: Any) -> NDArray:
        nothing = np.empty((0, self._n_features_out))
        return self._call_inner(self.estimator_.transform, X, nothing)[0]

    def _probabilities(self, X: Any) -> NDArray:
        """Return the estimator's probabilities; of several genres as one array."""
        if self.y_type_ == ONE:
            return self.estimator_.predict_proba(X)
        return class_probabilities(self.estimator_, X, self.classes_, several=True)

    def _call_inner(
        self,
        method: Callable[[Any], ArrayLike],
        X: Any,
        nothing: NDArray,
        *,
        filling: Any = np.nan,
    ) -> tuple[NDArray, NDArray]:
        """Return what a method of the estimator returns, and which clips are missing.

        Parameters
        ----------
        method : callable
            Takes the clips that are not missing.
        X : array-like
            Clips.
        nothing : ndarray
            What the method would return for no clips.
        filling : object, default=NaN
            Value in the rows of missing clips.
        """
        (X,) = indexable(X)
        missing = missing_clips(X)
        kept = np.flatnonzero(~missing)
        # Where X holds no clips, the estimator refuses it.
        if len(kept) == len(missing):
            return np.asarray(method(X)), missing
        values = nothing
        if len(kept):
            values = np.asarray(method(_select_present(X, kept)))
        filled = np.full((len(missing), *values.shape[1:]), filling, dtype=values.dtype)
        filled[kept] = values
        return filled, missing

    def _present_validation_data(self, given: Any) -> tuple[Any, Any] | None:
        if given is None:
            return None
        X, y = indexable(*check_pair(given))
        if self.y_type_ != ONE:
            name = "y of validation_data"
            y = genre_codes(self, check_target(self, X, y, name), name)
        kept = np.flatnonzero(~missing_clips(X))
        return _select_present(X, kept, "validation_data"), safe_indexing(y, kept)


def _select_present(X: Any, kept: NDArray, name: str = "X") -> Any:
    """Return the clips of the rows kept, or X itself if that's all of them."""
    if not len(kept):
        raise ValueError(
            f"All clips of {name} are missing (NaN throughout): there is nothing to "
            "learn from. See the `extraction_report_` of the audio step for causes."
        )
    return X if len(kept) == num_samples(X) else safe_indexing(X, kept)
