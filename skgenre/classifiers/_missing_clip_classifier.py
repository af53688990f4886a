"""A classifier that leaves out clips that could not be read."""

import warnings
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
    check_genres,
    check_groups,
    check_pair,
    put_label,
)
from skgenre.classifiers._meta import (
    MetaClassifier,
    check_clip_weights,
    check_fit_takes,
    fit_with,
    inner_has,
)
from skgenre.features._missing_clips import missing_clips


class MissingClipClassifier(MetaClassifier):
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
        The genres, sorted; without `missing_label`.
    estimator_ : classifier
        A clone of `estimator`, fitted on the clips that are not missing.
    n_missing_ : int
        Number of clips that `fit` left out.
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
        y : array-like of shape (n_clips,)
            Genres.
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
        y = check_genres(self, X, y)
        groups = check_groups(X, groups)
        check_fit_takes(
            self.estimator, sample_weight=sample_weight, validation_data=validation_data
        )
        weights = None
        if sample_weight is not None:
            weights = check_clip_weights(y, sample_weight)
        missing = missing_clips(X)
        kept, n_missing = np.flatnonzero(~missing), missing.sum()
        fitted = fit_with(
            clone(self.estimator),
            _select_present(X, kept),
            y[kept],
            sample_weight=None if weights is None else weights[kept],
            groups=None if groups is None else groups[kept],
            validation_data=_present_validation_data(validation_data),
        )
        if self.missing_label is not None:
            check_extra_label("missing_label", self.missing_label, fitted.classes_)
        if n_missing:
            rows = format_list(np.flatnonzero(missing))
            warnings.warn(
                f"{n_missing} of {len(y)} clips are missing and were left out: {rows}.",
                stacklevel=3,
            )
        self.n_missing_ = int(n_missing)
        self.classes_ = fitted.classes_
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
        ndarray of shape (n_clips,)
            The estimator's predictions; an array of objects where clips are missing
            and `missing_label` is None.
        """
        check_is_fitted(self)
        genres, missing = self._call_inner(
            "predict", X, self.classes_[:0], filling=self.classes_[0]
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
        return self._call_inner("predict_proba", X, nothing)[0]

    def score(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the accuracy; a prediction for a missing clip counts as wrong.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...) or list of array-like
            Whatever the estimator takes, and clips that are NaN throughout.
        y : array-like of shape (n_clips,)
            Genres.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips.

        Returns
        -------
        float
            From 0 to 1.
        """
        right = self.predict(X) == column_or_1d(y)
        weights = None if sample_weight is None else np.asarray(sample_weight)
        return float(np.average(right, weights=weights))

    def _embeddings(self, X: Any) -> NDArray:
        nothing = np.empty((0, self._n_features_out))
        return self._call_inner("transform", X, nothing)[0]

    def _call_inner(
        self, method: str, X: Any, nothing: NDArray, *, filling: Any = np.nan
    ) -> tuple[NDArray, NDArray]:
        """Return what a method of the estimator returns, and which clips are missing.

        Parameters
        ----------
        method : str
            Name of the method.
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
        call = getattr(self.estimator_, method)
        # Where X holds no clips, the estimator refuses it.
        if len(kept) == len(missing):
            return np.asarray(call(X)), missing
        values = np.asarray(call(_select_present(X, kept))) if len(kept) else nothing
        filled = np.full((len(missing), *values.shape[1:]), filling, dtype=values.dtype)
        filled[kept] = values
        return filled, missing


def _select_present(X: Any, kept: NDArray, name: str = "X") -> Any:
    """Return the clips of the rows kept, or X itself if that's all of them."""
    if not len(kept):
        raise ValueError(
            f"All clips of {name} are missing (NaN throughout): there is nothing to "
            "learn from. See the `extraction_report_` of the audio step for causes."
        )
    return X if len(kept) == num_samples(X) else safe_indexing(X, kept)


def _present_validation_data(given: Any) -> tuple[Any, Any] | None:
    if given is None:
        return None
    X, y = indexable(*check_pair(given))
    kept = np.flatnonzero(~missing_clips(X))
    return _select_present(X, kept, "validation_data"), safe_indexing(y, kept)
