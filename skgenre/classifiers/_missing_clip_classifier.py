"""A classifier that lets clips pass that could not be read."""

import warnings
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    clone,
)
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skgenre._sklearn_compat import HasMethods, fit_context, num_samples, safe_indexing
from skgenre.classifiers._checks import (
    check_genres,
    check_groups,
    check_other_label,
    check_pair,
    with_label,
)
from skgenre.classifiers._meta import check_clip_weights, check_taken, fit_with
from skgenre.classifiers._meta_transform import InnerTransform
from skgenre.classifiers._missing_rows import listed, missing_clips


def _gives_probabilities(self: Any) -> bool:
    return hasattr(getattr(self, "estimator_", self.estimator), "predict_proba")


class MissingClipClassifier(
    ClassifierMixin,
    InnerTransform,
    TransformerMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    """Leave out clips that could not be read, and answer that they are missing.

    Audio steps with another `on_error` than 'raise' make such clips NaN throughout.
    `fit` leaves them out; whoever asks for them gets `missing_label`.

    Parameters
    ----------
    estimator : classifier
        Gets the other clips: a network, or any classifier of scikit-learn.
    missing_label : str, number or None, default=None
        What `predict` answers for a missing clip: None, or a label of the genres'
        type, which scikit-learn's scorers need and count as not right.

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
    skgenre.datasets.check_audio : Which files can be read, before anything is made of
        them.
    AbstainingClassifier : Doesn't answer where it would be uncertain.

    Notes
    -----
    Clips of which only a part is NaN are none that could not be read, and are passed
    on: most classifiers refuse them. Around it belong pipelines and searches, inside
    belong calibrations, :class:`SegmentClassifier` and :class:`AbstainingClassifier`,
    to which probabilities that are NaN mean nothing.

    Where clips are missing, the others are copied, those of a memory map, too.

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
            `fit` asks for them by default.
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
        check_taken(
            self.estimator, sample_weight=sample_weight, validation_data=validation_data
        )
        weights = None
        if sample_weight is not None:
            weights = check_clip_weights(y, sample_weight)
        kept = np.flatnonzero(~missing_clips(X))
        n_missing = len(y) - len(kept)
        fitted = fit_with(
            clone(self.estimator),
            _present(X, kept),
            y[kept],
            sample_weight=None if weights is None else weights[kept],
            groups=None if groups is None else groups[kept],
            validation_data=_validation_data(validation_data),
        )
        if self.missing_label is not None:
            check_other_label("missing_label", self.missing_label, fitted.classes_)
        if n_missing:
            rows = listed(np.setdiff1d(np.arange(len(y)), kept))
            warnings.warn(
                f"{n_missing} of {len(y)} clips are missing and were left out: {rows}.",
                stacklevel=3,
            )
        self.n_missing_ = n_missing
        self.classes_ = fitted.classes_
        self.estimator_ = fitted
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(fitted, name):
                setattr(self, name, getattr(fitted, name))
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
            What the estimator answers; where clips are missing and `missing_label` is
            None, an array of objects.
        """
        check_is_fitted(self)
        genres, missing = self._ask("predict", X, self.classes_[:0], self.classes_[0])
        return with_label(genres, missing, self.missing_label)

    @available_if(_gives_probabilities)
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
        return self._ask("predict_proba", X, np.empty((0, len(self.classes_))))[0]

    def score(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the share of right answers; one for a missing clip is none.

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
        return self._ask("transform", X, np.empty((0, self._n_features_out)))[0]

    def _ask(
        self, method: str, X: Any, nothing: NDArray, filling: Any = np.nan
    ) -> tuple[NDArray, NDArray]:
        """Return what a method of the estimator answers, and which clips are missing.

        Parameters
        ----------
        method : str
            Name of the method.
        X : array-like
            Clips.
        nothing : ndarray
            The answer to no clip.
        filling : object, default=NaN
            What rows of missing clips are filled with.
        """
        (X,) = indexable(X)
        missing = missing_clips(X)
        kept = np.flatnonzero(~missing)
        ask = getattr(self.estimator_, method)
        # Where X is none of clips, the estimator says so.
        if len(kept) == len(missing):
            return np.asarray(ask(X)), missing
        answers = np.asarray(ask(_present(X, kept))) if len(kept) else nothing
        shape = (len(missing), *answers.shape[1:])
        filled = np.full(shape, filling, dtype=answers.dtype)
        filled[kept] = answers
        return filled, missing

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether there is a fitted estimator: a fit that failed leaves none."""
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn should know of the estimator."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        if inner.transformer_tags is not None:
            tags.transformer_tags = inner.transformer_tags
        return tags


def _present(X: Any, kept: NDArray, name: str = "X") -> Any:
    """Return the clips that are kept; X itself, if all are."""
    if not len(kept):
        raise ValueError(
            f"All clips of {name} are missing (NaN throughout): there is nothing to "
            "learn from. See the `extraction_report_` of the audio step."
        )
    return X if len(kept) == num_samples(X) else safe_indexing(X, kept)


def _validation_data(given: Any) -> tuple[Any, Any] | None:
    if given is None:
        return None
    X, y = indexable(*check_pair(given))
    kept = np.flatnonzero(~missing_clips(X))
    return _present(X, kept, "validation_data"), safe_indexing(y, kept)
