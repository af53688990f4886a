"""A classifier that predicts "unknown" where it is uncertain."""

import warnings
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import (
    assert_all_finite,
    check_consistent_length,
    column_or_1d,
)

from skgenre._sklearn_compat import (
    HasMethods,
    Interval,
    check_sample_weight,
    fit_context,
)
from skgenre._text import format_list, shorten
from skgenre.classifiers._checks import (
    check_extra_label,
    put_label,
)
from skgenre.classifiers._meta._back_off import Branches, likeliest_branches
from skgenre.classifiers._meta._base import (
    MetaClassifier,
    fit_with,
    held_out_probabilities,
)
from skgenre.classifiers._several_genres import ONE, SeveralGenres
from skgenre.datasets import GenreTree


class AbstainingClassifier(SeveralGenres, MetaClassifier):
    """Predict a genre only where it is probable enough, and "unknown" elsewhere.

    `fit` chooses the threshold on clips that were not trained on: the lowest
    probability for which the predicted genres are as precise as wanted. With a tree of
    genres, the genre above is predicted where a subgenre is not probable enough. Where
    clips may have several genres, it chooses one for each genre, and a clip is
    "unknown" if none of its genres reaches its threshold.

    Parameters
    ----------
    estimator : classifier with `predict_proba`
        Predicts the genres and their probabilities.
    target_precision : float, default=0.9
        Share of the predicted genres that should be right.
    unknown : str, number or None, default=None
        The prediction below the threshold, of the genres' type. None means 'unknown'
        where genres are strings, and -1, or less than all of them, where they are
        numbers. Columns of 0 and 1 have no place for it.
    cv : int, splitter or iterable of (train, test), default=5
        How clips are split, so that the threshold is chosen on clips that were not
        trained on. With an int the folds are stratified by genre, and keep groups
        whole where they are given.
    genre_tree : GenreTree, mapping of str to str, or None, default=None
        The genre above each; see :class:`~skgenre.datasets.GenreTree`. The probability
        of a genre is the sum of its own and its subgenres'. The prediction goes down
        from the most probable top genre, each time to the most probable genre below, as
        far as the threshold allows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The genres, sorted, or those of the columns of `y`; without `unknown_`.
    unknown_ : str or number
        The prediction below the threshold.
    estimator_ : classifier
        A clone of `estimator`, fitted on all clips.
    threshold_ : float
        Genres of at least this probability are predicted: 0 if all are precise enough,
        infinite if none. Of several genres a clip, the least of `thresholds_`.
    thresholds_ : ndarray of shape (n_classes,)
        Threshold of each genre, infinite for one that is never precise enough; only
        where clips may have several genres.
    precision_ : float
        Share of the predicted genres that are right, or above the right one in
        `genre_tree`, on clips not trained on; NaN where none is predicted.
    coverage_ : float
        Share of these clips for which a genre is predicted.
    y_type_ : str
        'multilabel-indicator' or 'multilabel-lists' where clips may have several
        genres; predictions are in this form.
    n_features_in_ : int
        Number of features seen in `fit`; only where the estimator has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns seen in `fit`; only where the estimator has it.

    See Also
    --------
    risk_coverage_curve : Precision and coverage at other thresholds.
    skgenre.inspection.RiskCoverageDisplay : Plots them.
    TemperatureScalingClassifier : Calibrates probabilities.

    Notes
    -----
    The precision is measured on the clips of `fit`, and holds for similar music. With
    few clips it is uncertain, and a threshold that was just good enough is a little too
    low.

    Where the estimator has a `transform`, such as a network's embedding, so has this
    one: it abstains from genres only, and returns the embeddings of all clips.

    A clip of several genres gets those that are certain, instead of none at all: a
    threshold for each keeps a rare genre from being drowned by a common one.

    Put the audio steps before this estimator, in a pipeline, rather than inside:
    they would run for each fold.

    A higher threshold never makes a prediction go deeper in the tree, and above one
    half the prediction is the deepest genre that is probable enough. `score` counts a
    genre above the right one as wrong;
    :func:`~skgenre.inspection.hierarchical_scores` counts it in part.

    References
    ----------
    .. [1] Y. Geifman, R. El-Yaniv, "Selective classification for deep neural
       networks", NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skgenre import AbstainingClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["folk", "techno"], 100)
    >>> X = rng.normal(size=(200, 1)) + 2 * (y == "techno")[:, None]
    >>> careful = AbstainingClassifier(LogisticRegression(), target_precision=0.95)
    >>> careful.fit(X, y).predict([[-1], [1], [3]])
    array(['folk', 'unknown', 'techno'], dtype='<U7')
    >>> bool(careful.precision_ >= 0.95)
    True

    Two subgenres that sound alike:

    >>> y = np.repeat(["folk", "house", "techno"], 100)
    >>> X = rng.normal(size=(300, 1)) + 5 * (y != "folk")[:, None]
    >>> careful = AbstainingClassifier(
    ...     LogisticRegression(), genre_tree={"house": "dance", "techno": "dance"}
    ... )
    >>> careful.fit(X, y).predict([[0], [5]])
    array(['folk', 'dance'], dtype='<U6')
    """

    # With metadata routing on, groups that are given reach the folds.
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "target_precision": [Interval(Real, 0, 1, closed="both")],
        "unknown": [str, Real, None],
        "cv": ["cv_object"],
        "genre_tree": [Mapping, None],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        target_precision: float = 0.9,
        unknown: str | float | None = None,
        cv: int | BaseCrossValidator | Iterable = 5,
        genre_tree: Mapping[str, str | None] | None = None,
    ) -> None:
        self.estimator = estimator
        self.target_precision = target_precision
        self.unknown = unknown
        self.cv = cv
        self.genre_tree = genre_tree

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
        """Choose the threshold on folds, and train the estimator on all clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Whatever the estimator takes.
        y : array-like of shape (n_clips,) or (n_clips, n_classes)
            Genres; several a clip are 0 and 1 in columns, or a list for each clip.
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
            If fewer than two genres are given, `unknown` is one of them or above one,
            lengths do not match, `cv` doesn't test all clips, or `genre_tree` is no
            tree.
        TypeError
            If weights are given to an estimator whose `fit` does not take them.

        Warns
        -----
        UserWarning
            If no threshold is precise enough, so that no genre will be predicted; if
            none of the genres is in `genre_tree`.
        """
        X, target, extras = self._check_fit(X, y, sample_weight, groups)
        tree = self._tree()
        if len(tree) and target.y_type != ONE:
            raise ValueError(
                "genre_tree is for one genre a clip, and y has several. Leave it out."
            )
        if len(tree) and not any(genre in tree for genre in self.classes_.tolist()):
            warnings.warn(
                f"None of the genres {shorten(str(self.classes_.tolist()))} is in "
                "genre_tree, so that it does nothing. Name the genres as in the tree.",
                UserWarning,
                stacklevel=3,
            )
        self.unknown_ = self._unknown_label(tree)
        probabilities = held_out_probabilities(
            self.estimator, X, target, self.cv, **extras
        )
        weights = extras["sample_weight"]
        if target.y_type == ONE:
            branches = likeliest_branches(probabilities, self.classes_, tree)
            right = branches.right(target.values, tree)
            self._choose_threshold(branches, right, weights)
        else:
            self._choose_thresholds(probabilities, target.values, weights)
        self._keep_fitted(fit_with(clone(self.estimator), X, target.values, **extras))
        return self

    def _tree(self) -> GenreTree:
        """Return the tree, in which no genre is below another unless one is given."""
        return GenreTree({} if self.genre_tree is None else self.genre_tree)

    def _unknown_label(self, tree: GenreTree) -> str | float:
        """Return `unknown`, or its default for these genres."""
        genres = self.classes_.tolist()
        unknown = self.unknown
        if unknown is None:
            is_text = isinstance(genres[0], str)
            unknown = "unknown" if is_text else min(-1, int(np.floor(min(genres))) - 1)
        above = [name for genre in genres for name in tree.lineage(genre)]
        check_extra_label("unknown", unknown, np.array([*genres, *above]))
        return unknown

    def _choose_threshold(
        self, branches: Branches, right: NDArray, sample_weight: NDArray | None
    ) -> None:
        """Set the threshold, and its precision and coverage on clips of the folds."""
        coverage, risk, thresholds = branch_curve(branches, right, sample_weight)
        good = np.flatnonzero(1 - risk >= self.target_precision)
        if not len(good):
            self.threshold_, self.coverage_, self.precision_ = np.inf, 0.0, np.nan
            warnings.warn(
                f"No threshold reaches target_precision={self.target_precision:g}: the "
                f"best reaches {1 - risk.min():.2f}. All predictions will be "
                f"{self.unknown_!r}. Lower the target, or give more clips.",
                UserWarning,
                stacklevel=4,
            )
            return
        chosen = good[-1]
        is_all = chosen == len(thresholds) - 1
        self.threshold_ = 0.0 if is_all else float(thresholds[chosen])
        self.coverage_ = float(coverage[chosen])
        self.precision_ = float(1 - risk[chosen])

    def _choose_thresholds(
        self, probabilities: NDArray, y: NDArray, sample_weight: NDArray | None
    ) -> None:
        """Set each genre's threshold, and the precision and coverage of them all."""
        weights = np.ones(len(y)) if sample_weight is None else sample_weight
        self.thresholds_ = np.full(y.shape[1], np.inf)
        for genre, (right, scores) in enumerate(zip(y.T, probabilities.T, strict=True)):
            _, risk, thresholds = risk_coverage_curve(right, scores, weights)
            good = np.flatnonzero(1 - risk >= self.target_precision)
            if len(good):
                self.thresholds_[genre] = thresholds[good[-1]]
        never = self.classes_[np.isinf(self.thresholds_)].tolist()
        if never:
            warnings.warn(
                f"No threshold reaches target_precision={self.target_precision:g} for "
                f"these genres, which will not be predicted: {format_list(never)}. "
                "Lower the target, or give more clips.",
                UserWarning,
                stacklevel=4,
            )
        chosen = probabilities >= self.thresholds_
        n_chosen = weights @ chosen.sum(axis=1)
        self.threshold_ = float(self.thresholds_.min())
        self.coverage_ = float(np.average(chosen.any(axis=1), weights=weights))
        self.precision_ = np.nan
        if n_chosen:
            self.precision_ = float(weights @ (chosen & (y > 0)).sum(axis=1) / n_chosen)

    def predict(self, X: Any) -> NDArray:
        """Return the most probable genre of each clip, one above it, or `unknown`.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Whatever the estimator takes.

        Returns
        -------
        ndarray of shape (n_clips,) or (n_clips, n_classes)
            Members of `classes_`, genres above them in `genre_tree`, or `unknown_`. Of
            several genres a clip, all that reach their threshold, in the form of y; for
            a clip without any, columns of 0, or a tuple of `unknown_` alone.
        """
        probabilities = self.predict_proba(X)
        if self.y_type_ != ONE:
            chosen = probabilities >= self.thresholds_
            return self._written(chosen, nothing=(self.unknown_,))
        branches = likeliest_branches(probabilities, self.classes_, self._tree())
        genres, is_given = branches.deepest(self.threshold_)
        return put_label(genres, ~is_given, self.unknown_)


def risk_coverage_curve(
    right: ArrayLike, confidence: ArrayLike, sample_weight: ArrayLike | None = None
) -> tuple[NDArray, NDArray, NDArray]:
    """Return coverage and risk of predictions at each threshold of confidence.

    Parameters
    ----------
    right : array-like of bool of shape (n_clips,)
        Whether each prediction is right.
    confidence : array-like of shape (n_clips,)
        Confidence of each, such as the probability of the predicted genre.
    sample_weight : array-like of shape (n_clips,), default=None
        Weights of the clips.

    Returns
    -------
    coverage : ndarray of shape (n_thresholds,)
        Share of the clips whose prediction is kept, rising.
    risk : ndarray of shape (n_thresholds,)
        Share of the kept predictions that are wrong.
    thresholds : ndarray of shape (n_thresholds,)
        Predictions of at least this confidence are kept; falling.

    Raises
    ------
    ValueError
        If lengths do not match, values are not finite, or no clip has a positive
        weight.

    See Also
    --------
    AbstainingClassifier : Chooses a threshold.
    skgenre.inspection.RiskCoverageDisplay : Plots the curve.

    Examples
    --------
    >>> from skgenre.classifiers import risk_coverage_curve
    >>> coverage, risk, _ = risk_coverage_curve([1, 1, 0, 1], [0.9, 0.8, 0.6, 0.4])
    >>> coverage.tolist(), risk.round(2).tolist()
    ([0.25, 0.5, 0.75, 1.0], [0.0, 0.0, 0.33, 0.25])
    """
    check_consistent_length(right, confidence)
    scores = column_or_1d(confidence, dtype=np.float64)
    assert_all_finite(scores, input_name="confidence")
    weights: NDArray = np.asarray(
        check_sample_weight(
            sample_weight, scores, dtype=np.float64, ensure_non_negative=True
        )
    )
    if not weights.any():
        raise ValueError("All weights are 0, or there are no clips.")
    wrong = weights * (1 - np.asarray(right, dtype=float))
    counts = weights > 0
    return _curve(scores[counts], weights[counts], wrong[counts])


def branch_curve(
    branches: Branches, right: NDArray, sample_weight: NDArray | None
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the curve of predictions that go down a branch as the threshold falls.

    A clip is predicted from its first genre on; a genre below that is wrong takes the
    place of one that was right.
    """
    weights = np.ones(len(right)) if sample_weight is None else sample_weight
    kept = np.zeros(right.shape)
    kept[:, 0] = weights
    wrong = np.diff(weights[:, np.newaxis] * ~right, axis=1, prepend=0)
    counts = (branches.places >= 0) & (weights > 0)[:, np.newaxis]
    return _curve(branches.probabilities[counts], kept[counts], wrong[counts])


def _curve(
    scores: NDArray, kept: NDArray, wrong: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """Return coverage, risk and thresholds of what each score adds."""
    order = np.argsort(-scores, kind="stable")
    n_kept, n_wrong = np.cumsum(kept[order]), np.cumsum(wrong[order])
    # Equally confident predictions are kept together or not at all.
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    # Sums of what is added and taken away are rounded.
    risk = np.clip(n_wrong[last] / n_kept[last], 0, 1)
    return n_kept[last] / n_kept[-1], risk, scores[order][last]
