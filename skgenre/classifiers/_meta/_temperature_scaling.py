"""A classifier whose scores become probabilities by one temperature."""

from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_expit, log_softmax, softmax
from sklearn.base import clone
from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold
from sklearn.utils.validation import check_is_fitted

from skgenre._estimators import split_last_step
from skgenre._sklearn_compat import HasMethods, fit_context
from skgenre.classifiers._meta._base import (
    MetaClassifier,
    check_all_tested,
    fit_with,
    folds_by_group,
    predict_folds,
)
from skgenre.classifiers._several_genres import ONE

_LEAST_PROBABILITY = float(np.finfo(np.float32).eps)
_LOG_RANGE = 10.0  # of a temperature, from the scores' own size


class TemperatureScalingClassifier(MetaClassifier):
    """Give a classifier probabilities by one temperature, which is bounded.

    `fit` chooses the temperature on clips that were not trained on. It divides the
    scores of all genres and leaves their order as it is, however many genres there are
    and however few clips.

    Parameters
    ----------
    estimator : classifier with `decision_function` or `predict_proba`
        Its scores are its decisions, or the logarithms of its probabilities. An
        :class:`~sklearn.svm.SVC` with ``decision_function_shape='ovo'`` compares the
        genres in pairs; a genre's score is then the sum of the logarithms of its
        probabilities in all pairs it is in. Such scores are continuous; the votes of
        'ovr' are almost integers.
    cv : int, splitter or iterable of (train, test), default=5
        How clips are split, so that the temperature is chosen on clips that were not
        trained on. With an int, the folds are stratified by genre and keep groups
        whole, and are at most as many as the rarest genre has groups. Where a fold
        could then not learn each genre, they ignore groups, and are at most as many as
        the rarest genre has clips.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The genres, sorted.
    estimator_ : classifier
        A clone of `estimator`, fitted on all clips.
    temperature_ : float
        The probabilities are the softmax of the scores divided by it.
    n_features_in_ : int
        Number of features seen in `fit`; only where the estimator has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns seen in `fit`; only where the estimator has it.

    See Also
    --------
    AbstainingClassifier : Predicts no genre where it is uncertain.
    skgenre.inspection.expected_calibration_error : How good probabilities are.
    sklearn.calibration.CalibratedClassifierCV : Has other methods of calibration.

    Notes
    -----
    The temperature [1]_ minimises the log loss of the clips of all folds. Without a
    single error in them it would be 0, and all probabilities 0 or 1. Therefore the
    targets are not 0 and 1: with n clips in all, a clip is of its genre with
    (n + 1) / (n + 2), Laplace's rule as Platt [2]_ has it for two classes, and the rest
    is spread evenly over the other genres.

    Put the audio steps before this estimator, in a pipeline, rather than inside:
    they would run for each fold.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural
       networks", ICML 2017.
    .. [2] J. C. Platt, "Probabilistic outputs for support vector machines and
       comparisons to regularized likelihood methods", 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.svm import SVC
    >>> from skgenre import TemperatureScalingClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["folk", "techno"], 10)
    >>> X = rng.normal(size=(20, 1)) + 6 * (y == "techno")[:, None]
    >>> model = TemperatureScalingClassifier(SVC()).fit(X, y)
    >>> model.predict_proba([[0], [3], [6], [1000]]).round(2).tolist()
    [[0.97, 0.03], [0.33, 0.67], [0.03, 0.97], [0.46, 0.54]]
    """

    # With metadata routing on, groups that are given reach the folds.
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [
            HasMethods(["fit", "decision_function"]),
            HasMethods(["fit", "predict_proba"]),
        ],
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
        """Choose the temperature on folds, and train the estimator on all clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Whatever the estimator takes.
        y : array-like of shape (n_clips,)
            Genres.
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
            If fewer than two genres are given, a genre has one clip, lengths do not
            match, `cv` doesn't test all clips, or the estimator's scores are not
            finite.
        TypeError
            If weights are given to an estimator whose `fit` does not take them.
        """
        X, target, extras = self._check_fit(X, y, sample_weight, groups)
        if target.y_type != ONE:
            raise ValueError(
                "y has several genres a clip, and TemperatureScalingClassifier takes "
                "one each. Put it into OneVsRestClassifier(...) of sklearn.multiclass."
            )
        y = target.values
        scores = predict_folds(
            self.estimator,
            lambda fitted, clips: _scores(fitted, clips, self.classes_),
            X,
            y,
            self._folds(y, extras["groups"]),
            **extras,
        )
        check_all_tested(self.cv, scores)
        self.temperature_ = _temperature(
            scores, np.searchsorted(self.classes_, y), extras["sample_weight"]
        )
        self._keep_fitted(fit_with(clone(self.estimator), X, y, **extras))
        return self

    def _folds(self, y: NDArray, groups: NDArray | None) -> Iterator:
        """Yield the folds, no more of them than the rarest genre can be in."""
        if not isinstance(self.cv, Integral):
            return folds_by_group(self.cv, y, groups)
        counts = [int((y == genre).sum()) for genre in self.classes_]
        if min(counts) < 2:
            genre = self.classes_[np.argmin(counts)]
            raise ValueError(
                f"Genre {str(genre)!r} has 1 clip to train on; calibrated "
                "probabilities need at least 2 of each. Add clips, or choose a "
                "classifier that isn't calibrated."
            )
        if groups is not None:
            of_genre = [len(np.unique(groups[y == genre])) for genre in self.classes_]
            if (n_folds := min(int(self.cv), *of_genre)) >= 2:
                folds = list(StratifiedGroupKFold(n_folds).split(y, y, groups))
                n_learned = [len(np.unique(y[train])) for train, _ in folds]
                if min(n_learned) == len(self.classes_):
                    return iter(folds)
        return folds_by_group(min(int(self.cv), *counts), y, None)

    def predict_proba(self, X: Any) -> NDArray:
        """Return the probability of each genre.

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
            If the estimator's scores are not finite.
        """
        check_is_fitted(self)
        scores = _scores(self.estimator_, X, self.classes_)
        return softmax(scores / self.temperature_, axis=1)

    def predict(self, X: Any) -> NDArray:
        """Return the most probable genre of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Whatever the estimator takes.

        Returns
        -------
        ndarray of shape (n_clips,)
            Members of `classes_`.
        """
        most_probable = self.predict_proba(X).argmax(axis=1)
        return self.classes_[most_probable]


def _scores(estimator: Any, X: Any, classes: NDArray) -> NDArray:
    """Return a fitted estimator's score of each clip for each of `classes`.

    The estimator of a fold may lack a class, whose score is the clip's lowest.

    Raises
    ------
    ValueError
        If a score is not finite.
    """
    if hasattr(estimator, "decision_function"):
        scores = np.asarray(estimator.decision_function(X), dtype=np.float64)
        last = split_last_step(estimator)[1]
        if scores.ndim == 1:
            scores = np.column_stack([-scores, scores])
        elif getattr(last, "decision_function_shape", None) == "ovo":
            scores = _scores_of_pairs(scores, len(estimator.classes_))
    else:
        probabilities = np.asarray(estimator.predict_proba(X), dtype=np.float64)
        scores = np.log(np.maximum(probabilities, _LEAST_PROBABILITY))
    if not np.isfinite(scores).all():
        raise ValueError(
            f"{type(estimator).__name__} gives scores that are not finite. Look for "
            "features that are constant or out of proportion, scale them, or choose "
            "another estimator."
        )
    result = np.repeat(scores.min(axis=1, keepdims=True), len(classes), axis=1)
    result[:, np.searchsorted(classes, estimator.classes_)] = scores
    return result


def _scores_of_pairs(decisions: NDArray, n_classes: int) -> NDArray:
    """Return the sums of log-probabilities of pairs, in the order of an SVC's."""
    first, second = np.triu_indices(n_classes, 1)
    scores = np.zeros((len(decisions), n_classes))
    # As of two classes alone, whose scores are (-decision, decision).
    np.add.at(scores.T, first, log_expit(2 * decisions.T))
    np.add.at(scores.T, second, log_expit(-2 * decisions.T))
    return scores


def _temperature(
    scores: NDArray, codes: NDArray, sample_weight: NDArray | None
) -> float:
    """Return the temperature of least log loss, for targets that are not 0 and 1."""
    weights = np.ones(len(codes)) if sample_weight is None else sample_weight
    n_classes = scores.shape[1]
    n = weights.sum()
    targets = np.full(scores.shape, 1 / (n + 2) / (n_classes - 1))
    targets[np.arange(len(codes)), codes] = (n + 1) / (n + 2)
    scores = scores - scores.mean(axis=1, keepdims=True)
    size = np.average(np.abs(scores).mean(axis=1), weights=weights)
    if size == 0:  # nothing is known of any clip
        return 1.0

    def loss(log_beta: float) -> float:
        logs = log_softmax(np.exp(log_beta) * scores / size, axis=1)
        return -np.average((targets * logs).sum(axis=1), weights=weights)

    found = minimize_scalar(
        loss,
        bounds=(-_LOG_RANGE, _LOG_RANGE),
        method="bounded",
        options={"xatol": 1e-8},
    )
    return float(size * np.exp(-found.x))
