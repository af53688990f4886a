"""Several genres a clip, by any classifier that predicts them in columns."""

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.model_selection import BaseCrossValidator

from skgenre._sklearn_compat import HasMethods, fit_context
from skgenre.classifiers._meta._base import (
    MetaClassifier,
    fit_with,
    held_out_probabilities,
)
from skgenre.classifiers._several_genres import ONE, SeveralGenres, best_thresholds


class MultiLabelClassifier(SeveralGenres, MetaClassifier):
    """Predict all genres of a clip, each from a threshold of its own.

    For classifiers of scikit-learn, which take several genres as columns of 0 and 1,
    return them so, and know no names: this one takes lists, too. `fit` chooses the
    threshold of each genre on clips that were not trained on: that of the highest F1.

    Parameters
    ----------
    estimator : classifier with `predict_proba`
        Takes columns of 0 and 1, as ``OneVsRestClassifier(LogisticRegression())``
        does, and networks, whose own thresholds are of one split only.
    cv : int, splitter or iterable of (train, test), default=5
        How clips are split, so that thresholds are chosen on clips that were not
        trained on. With an int the folds keep groups whole where they are given, and
        are stratified by the rarest genre of each clip.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The genres, sorted, or those of the columns of `y`: their names in a data
        frame, else their numbers.
    thresholds_ : ndarray of shape (n_classes,)
        Probability from which each genre is predicted; only where clips may have
        several.
    y_type_ : str
        'multilabel-indicator' or 'multilabel-lists' where clips may have several
        genres; predictions are in this form.
    estimator_ : classifier
        A clone of `estimator`, fitted on all clips.
    n_features_in_ : int
        Number of features seen in `fit`; only where the estimator has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns seen in `fit`; only where the estimator has it.

    See Also
    --------
    AbstainingClassifier : Chooses thresholds for a wanted precision.
    sklearn.multiclass.OneVsRestClassifier : One classifier for each genre.

    Notes
    -----
    A genre that none of the clips has outside training gets the threshold that is best
    for all genres together. One genre a clip is passed on to the estimator as it is.

    References
    ----------
    .. [1] K. Sechidis, G. Tsoumakas, I. Vlahavas, "On the stratification of multi-label
       data", ECML PKDD 2011: rarest labels first.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.multiclass import OneVsRestClassifier
    >>> from skgenre import MultiLabelClassifier
    >>> rng = np.random.default_rng(0)
    >>> is_of = rng.random((100, 2)) < 0.5
    >>> X = is_of + rng.normal(scale=0.2, size=(100, 2))
    >>> y = [tuple(np.array(["folk", "techno"])[row]) for row in is_of]
    >>> several = MultiLabelClassifier(OneVsRestClassifier(LogisticRegression()))
    >>> several.fit(X, y).predict([[1, 0], [1, 1], [0, 0]])
    array([('folk',), ('folk', 'techno'), ()], dtype=object)
    """

    # With metadata routing on, groups that are given reach the folds.
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "cv": ["cv_object"],
    }

    def __init__(
        self, estimator: Any, *, cv: int | BaseCrossValidator | Iterable = 5
    ) -> None:
        self.estimator = estimator
        self.cv = cv

    # The estimator inside validates its own parameters.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Choose thresholds on folds, and train the estimator on all clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Whatever the estimator takes.
        y : array-like of shape (n_clips, n_classes) or (n_clips,)
            0 and 1 in a column for each genre, a list of genres for each clip, or one
            genre each.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips, if the estimator takes such weights.
        groups : array-like of shape (n_clips,), default=None
            Artists. The folds don't separate clips of one artist. With metadata
            routing on, `fit` requests them by default.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If fewer than two genres are given, the estimator takes one genre a clip,
            lengths do not match, or `cv` doesn't test all clips.
        TypeError
            If weights are given to an estimator whose `fit` does not take them.
        """
        X, target, extras = self._check_fit(X, y, sample_weight, groups)
        if target.y_type != ONE:
            probabilities = held_out_probabilities(
                self.estimator, X, target, self.cv, **extras
            )
            self.thresholds_ = best_thresholds(
                target.values, probabilities, extras["sample_weight"]
            )
        self._keep_fitted(fit_with(clone(self.estimator), X, target.values, **extras))
        return self

    def predict(self, X: Any) -> NDArray:
        """Return the genres of each clip whose probability reaches their threshold.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Whatever the estimator takes.

        Returns
        -------
        ndarray of shape (n_clips, n_classes) or (n_clips,)
            In the form of y: 0 and 1 in columns, a tuple of genres for each clip, or
            the most probable genre.
        """
        probabilities = self.predict_proba(X)
        if self.y_type_ != ONE:
            return self._written(probabilities >= self.thresholds_)
        return self.classes_[probabilities.argmax(axis=1)]
