"""Whole clips classified by their windows, whichever classifier is inside."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import BaseCrossValidator
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skgenre._estimators import parts, takes_three_axes
from skgenre._sklearn_compat import HasMethods, Interval, StrOptions, fit_context
from skgenre.classifiers._base import BaseGenreClassifier
from skgenre.classifiers._checks import (
    Rows,
    check_groups,
    check_pair,
    check_target,
    check_two_genres,
    genre_codes,
    keep_target,
)
from skgenre.classifiers._meta._abstaining import AbstainingClassifier
from skgenre.classifiers._meta._base import (
    InnerTransform,
    check_all_tested,
    check_clip_weights,
    check_fit_takes,
    check_takes_several,
    class_probabilities,
    fit_with,
    folds_by_group,
    hard_votes,
    inner_has,
    takes_several,
)
from skgenre.classifiers._meta._check_windowed import check_windowed_clips, select_clips
from skgenre.classifiers._meta._windows import (
    Clips,
    Windows,
    clip_summary,
    iter_chunks,
    window_times,
)
from skgenre.classifiers._several_genres import ONE, SeveralGenres, Target


def _voting_gives_probabilities(self: Any) -> bool:
    if self.voting == "hard":
        return True
    final = self.final_estimator if self.voting == "stack" else None
    return inner_has("predict_proba")(self) and (
        final is None or hasattr(final, "predict_proba")
    )


class SegmentClassifier(
    SeveralGenres, ClassifierMixin, InnerTransform, TransformerMixin, BaseEstimator
):
    """Classify clips of any length by their windows.

    Clips are cut into windows of one size, any classifier learns and predicts window
    by window, and the windows of a clip vote. So a network of short windows has many
    more examples to learn from, the whole clip is used, and clips may have different
    lengths.

    Parameters
    ----------
    estimator : estimator
        Classifies a window: a network, or any classifier of scikit-learn. One that
        is not for spectrograms (by its tags, or those of a pipeline's first step) gets
        each window as a row of ``window * n_mels`` numbers.
    window : int, default=128
        Frames of a window; 5.9 s with the default spectrograms.
    hop : int, default=64
        Frames from the start of one window to that of the next. Where the last frames
        of a clip would be left out, one more window ends with the clip; a clip
        shorter than a window is padded at its end with its own minimum.
    voting : {'soft', 'hard', 'stack'}, default='soft'
        How the windows' predictions become the clip's: 'soft' averages their
        probabilities, 'hard' counts the genres they vote for, and 'stack' trains
        `final_estimator` on them.
    frame_rate : float, default=21.533203125
        Frames per second, for the times of `predict_timeline`: ``sample_rate /
        hop_length`` of the spectrograms.
    final_estimator : estimator or None, default=None
        Only for ``voting='stack'``: classifies a clip by the mean, standard deviation
        and maximum of each genre's probability over its windows. None means logistic
        regression on standardised values.
    cv : int, splitter or iterable of (train, test), default=5
        Only for ``voting='stack'``: how clips are split, so that the final estimator
        learns from probabilities of windows that were not trained on. With an int the
        folds are stratified by genre, and keep groups whole where they are given.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The genres, sorted, or those of the columns of y.
    y_type_ : str
        'multilabel-indicator' or 'multilabel-lists' where clips may have several
        genres, the form of predictions; 'multiclass' where they have one each.
    thresholds_ : ndarray of shape (n_classes,)
        Probability from which each of several genres is predicted: those of the
        estimator inside, or 0.5; only where clips may have several.
    estimator_ : estimator
        A clone of `estimator`, fitted on all windows.
    final_estimator_ : estimator
        The fitted final estimator; only with ``voting='stack'``.
    n_mels_ : int
        Mel bands of the clips.
    n_features_in_ : int
        Number of columns; only where `fit` was given a table (n_clips, n_features).
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; only where it was a data frame with string names.

    See Also
    --------
    skgenre.MelSpectrogramTransformer : Makes spectrograms of whole clips with
        ``n_frames=None``.
    CRNNClassifier : A network for the windows.

    Notes
    -----
    The windows of one clip sound alike. `fit` passes `groups` to the estimator, if it
    takes them, so that a validation split inside keeps them together: the groups given
    to `fit`, else one per clip. A search or a calibration belongs around this
    estimator, not inside. A network cuts its windows batch by batch, and so learns from
    a :class:`~skgenre.features.SpectrogramFile` or a memory map without loading it; for
    another estimator, `fit` holds all windows in memory, overlapping frames more than
    once. `predict` works on a few clips at a time.

    Where clips have different numbers of windows, each clip still counts the same:
    the weight of a window is divided by their number and multiplied by its mean over
    the clips. This needs an estimator whose `fit` takes `sample_weight`.

    Clips are checked once, for values that are not finite; a network inside doesn't
    check their windows again.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skgenre import SegmentClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["folk", "techno"], 20)
    >>> X = [
    ...     rng.normal(size=(rng.integers(10, 30), 8)) + 2 * (genre == "techno")
    ...     for genre in y
    ... ]
    >>> segments = SegmentClassifier(LogisticRegression(), window=8, hop=4)
    >>> segments.fit(X, y).score(X, y)
    1.0
    >>> probabilities, times = segments.set_params(frame_rate=2).predict_timeline(X[:1])
    >>> times[0][:2]
    array([[0., 4.],
           [2., 6.]])
    """

    # With metadata routing on, groups that are given reach the folds and the
    # validation split.
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "window": [Interval(Integral, 1, None, closed="left")],
        "hop": [Interval(Integral, 1, None, closed="left")],
        "voting": [StrOptions({"soft", "hard", "stack"})],
        "frame_rate": [Interval(Real, 0, None, closed="neither")],
        "final_estimator": [HasMethods(["fit", "predict"]), None],
        "cv": ["cv_object"],
    }

    classes_: NDArray
    final_estimator_: Any
    n_mels_: int

    def __init__(
        self,
        estimator: Any,
        *,
        window: int = 128,
        hop: int = 64,
        voting: str = "soft",
        frame_rate: float = 22050 / 1024,
        final_estimator: Any = None,
        cv: int | BaseCrossValidator | Iterable = 5,
    ) -> None:
        self.estimator = estimator
        self.window = window
        self.hop = hop
        self.voting = voting
        self.frame_rate = frame_rate
        self.final_estimator = final_estimator
        self.cv = cv

    # The estimators inside validate their own parameters.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> Self:
        """Train the estimator on the windows of all clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels), or list of array-like of \
                shape (n_frames_i, n_mels)
            Spectrograms in dB, of one length or of any. A table (n_clips, n_features)
            counts as a series of one band.
        y : array-like of shape (n_clips,) or (n_clips, n_classes)
            Genres; strings, numbers or booleans. Several a clip are 0 and 1 in
            columns, or a list for each clip; the estimator gets columns.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips, if the estimator takes such weights.
        groups : array-like of shape (n_clips,), default=None
            Artists. Neither the estimator's validation split nor `cv` separates clips
            of one artist. With metadata routing on, `fit` requests them by default.
        validation_data : tuple of (X, y), default=None
            Cut into windows and passed to the estimator, if it takes such data.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If fewer than two genres are given, clips are empty or not finite or have
            different bands, lengths do not match, or the estimator gives no
            probabilities, which soft voting and stacking need.
        TypeError
            If weights or validation data are given to an estimator whose `fit` does
            not take them.
        """
        # A fit that fails leaves an estimator that is not fitted.
        for name in ("estimator_", "final_estimator_"):
            self.__dict__.pop(name, None)
        clips = check_windowed_clips(self, X, reset=True)
        target = check_target(self, clips, y)
        groups = check_groups(clips, groups)
        keep_target(self, target)
        self._check_estimator(
            sample_weight=sample_weight, validation_data=validation_data
        )
        check_takes_several(self.estimator, target)
        if self.voting == "stack" and target.y_type != ONE:
            self._check_final_estimator(target)
        if sample_weight is not None:
            sample_weight = check_clip_weights(clips, sample_weight)
        validation = self._validation_windows(validation_data)

        y = target.values
        fitted = self._fit_windows(clips, y, sample_weight, groups, validation)
        voter = fitted
        if self.voting == "stack":
            voter = self.final_estimator_ = self._fit_final(
                clips, y, sample_weight, groups, validation
            )
        self.estimator_ = fitted
        if target.y_type != ONE:
            half = np.full(len(self.classes_), 0.5)
            has_own = self.voting != "hard" and hasattr(voter, "thresholds_")
            self.thresholds_ = voter.thresholds_ if has_own else half
        return self

    def _check_estimator(self, **given: Any) -> None:
        """Refuse an estimator that can't do what the parameters or `fit` ask for."""
        name = type(self.estimator).__name__
        if isinstance(self.estimator, type):
            raise ValueError(
                "The 'estimator' parameter must be an estimator, not a class: "
                f"{self.estimator.__name__}() instead of {self.estimator.__name__}."
            )
        if self.voting != "hard" and not hasattr(self.estimator, "predict_proba"):
            raise ValueError(
                f"voting={self.voting!r} needs an estimator with predict_proba, which "
                f"{name} doesn't have. Set voting='hard', or calibrate the estimator."
            )
        check_two_genres(self, self.classes_)
        if self.voting == "hard" and any(
            isinstance(part, AbstainingClassifier) for part in parts(self.estimator)
        ):
            raise ValueError(
                "voting='hard' counts genres, and AbstainingClassifier also predicts "
                "what is none. Put it around: "
                "AbstainingClassifier(SegmentClassifier(...))."
            )
        check_fit_takes(self.estimator, **given)

    def _check_final_estimator(self, target: Target) -> None:
        """Refuse a final estimator that can't tell how probable several genres are."""
        if self.final_estimator is None:
            return
        check_takes_several(self.final_estimator, target)
        if not hasattr(self.final_estimator, "predict_proba"):
            raise ValueError(
                "final_estimator needs predict_proba where clips have several genres, "
                f"and {type(self.final_estimator).__name__} doesn't have it. Calibrate "
                "it, choose another, or leave it at None."
            )

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the genre of each clip, or several genres.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels), or list of array-like of \
                shape (n_frames_i, n_mels)
            Spectrograms in dB, of any lengths.

        Returns
        -------
        ndarray of shape (n_clips,) or (n_clips, n_classes)
            Members of `classes_`; the first one where genres are equally probable.
            Where clips may have several genres, all that reach their threshold, in the
            form of y.
        """
        check_is_fitted(self)
        if self.y_type_ != ONE:
            return self._written(self._clip_probabilities(X) >= self.thresholds_)
        if self.voting == "stack":
            return self.final_estimator_.predict(self._clip_summaries(X))
        return self.classes_[self._mean_probabilities(X).argmax(axis=1)]

    @available_if(_voting_gives_probabilities)
    def predict_proba(self, X: ArrayLike) -> NDArray:
        """Return the probability of each genre.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels), or list of array-like of \
                shape (n_frames_i, n_mels)
            Spectrograms in dB, of any lengths.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            Columns in the order of `classes_`: the mean of the windows' probabilities,
            the share of the windows that vote for a genre, or the final estimator's
            probabilities.
        """
        check_is_fitted(self)
        return self._clip_probabilities(X)

    def _clip_probabilities(self, X: ArrayLike) -> NDArray:
        if self.voting != "stack":
            return self._mean_probabilities(X)
        return class_probabilities(
            self.final_estimator_,
            self._clip_summaries(X),
            self.classes_,
            several=self.y_type_ != ONE,
        )

    def predict_timeline(
        self, X: ArrayLike
    ) -> tuple[NDArray | list[NDArray], NDArray | list[NDArray]]:
        """Return the probabilities of each window, and its start and end.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels), or list of array-like of \
                shape (n_frames_i, n_mels)
            Spectrograms in dB, of any lengths.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_windows, n_classes), or list of \
                ndarray of shape (n_windows_i, n_classes)
            The estimator's probabilities; with ``voting='hard'``, 1 for the genre that
            a window votes for. A list where X is a list or a 1-D array of clips.
        times : ndarray of shape (n_windows, 2), or list of ndarray of shape \
                (n_windows_i, 2)
            Start and end of each window, in seconds.
        """
        check_is_fitted(self)
        clips = check_windowed_clips(self, X, reset=False)
        of_windows = list(self._window_probabilities(self.estimator_, clips))
        times = [
            window_times(len(clip), self.window, self.hop, self.frame_rate)
            for clip in clips
        ]
        if isinstance(clips, list):
            return of_windows, times
        return np.stack(of_windows), times[0]

    def _validation_windows(
        self, validation_data: tuple[ArrayLike, ArrayLike] | None
    ) -> tuple[Rows, NDArray] | None:
        if validation_data is None:
            return None
        X, y = check_pair(validation_data)
        clips = check_windowed_clips(self, X, reset=False, name="X of validation_data")
        target = check_target(self, clips, y, "y of validation_data")
        codes = genre_codes(self, target, "y of validation_data")
        windows, counts = self._cut(clips)
        y = target.values if target.y_type == ONE else codes
        return windows, np.repeat(y, counts, axis=0)

    def _fit_windows(
        self,
        clips: Clips,
        y: NDArray,
        sample_weight: NDArray | None,
        groups: NDArray | None,
        validation: tuple[Rows, NDArray] | None,
    ) -> Any:
        """Return a clone of the estimator, fitted on the windows of these clips."""
        windows, counts = self._cut(clips)
        if groups is None:
            groups = np.arange(len(counts))
        if sample_weight is None and counts.min() < counts.max():
            sample_weight = np.ones(len(counts))
        if sample_weight is not None:
            sample_weight = np.repeat(sample_weight * counts.mean() / counts, counts)
        with self._checked_once():
            return fit_with(
                clone(self.estimator),
                windows,
                np.repeat(y, counts, axis=0),
                sample_weight=sample_weight,
                groups=np.repeat(groups, counts),
                validation_data=validation,
            )

    def _fit_final(
        self,
        clips: Clips,
        y: NDArray,
        sample_weight: NDArray | None,
        groups: NDArray | None,
        validation: tuple[Rows, NDArray] | None,
    ) -> Any:
        """Return the final estimator, fitted on predictions of folds."""
        summaries = np.full((len(y), 3 * len(self.classes_)), np.nan)
        for train, test in folds_by_group(self.cv, y, groups):
            fitted = self._fit_windows(
                select_clips(clips, train),
                y[train],
                None if sample_weight is None else sample_weight[train],
                None if groups is None else groups[train],
                validation,
            )
            of_windows = self._window_probabilities(fitted, select_clips(clips, test))
            summaries[test] = [clip_summary(p) for p in of_windows]
        check_all_tested(self.cv, summaries)
        final_estimator = self.final_estimator
        if final_estimator is None:
            logistic: Any = LogisticRegression()
            if y.ndim == 2:
                logistic = OneVsRestClassifier(logistic)
            final_estimator = make_pipeline(StandardScaler(), logistic)
        return fit_with(
            clone(final_estimator), summaries, y, sample_weight=sample_weight
        )

    def _cut(self, clips: Clips) -> tuple[Rows, NDArray]:
        """Return windows as the estimator takes them, and how many each clip has."""
        windows = Windows(clips, self.window, self.hop)
        if self._has_network():  # it reads them batch by batch
            return windows, windows.counts
        cut = np.asarray(windows)
        if not takes_three_axes(self.estimator):
            cut = cut.reshape(len(cut), -1)
        return cut, windows.counts

    def _has_network(self) -> bool:
        return isinstance(self.estimator, BaseGenreClassifier)

    def _checked_once(self) -> AbstractContextManager:
        """Return a context in which a network doesn't check the windows again.

        Their clips were checked, whole. Other estimators make values of their own out
        of the windows, as a pipeline's steps do, and have to check these.
        """
        return config_context(assume_finite=self._has_network() or None)

    def _map_windows(
        self, clips: Clips, method: Callable[[Rows], ArrayLike]
    ) -> Iterator[NDArray]:
        """Yield, clip by clip, what a method returns for the windows."""
        for chunk in iter_chunks(clips, self.window, self.hop):
            windows, counts = self._cut(chunk)
            with self._checked_once():
                values = np.asarray(method(windows))
            yield from np.split(values, np.cumsum(counts)[:-1])

    def _window_probabilities(self, fitted: Any, clips: Clips) -> Iterator[NDArray]:
        """Yield the (n_windows, n_classes) probabilities or votes of each clip."""
        predict = hard_votes if self.voting == "hard" else class_probabilities
        several = self.y_type_ != ONE
        return self._map_windows(
            clips,
            lambda windows: predict(fitted, windows, self.classes_, several=several),
        )

    def _mean_probabilities(self, X: ArrayLike) -> NDArray:
        clips = check_windowed_clips(self, X, reset=False)
        of_windows = self._window_probabilities(self.estimator_, clips)
        return np.array([p.mean(axis=0) for p in of_windows])

    def _clip_summaries(self, X: ArrayLike) -> NDArray:
        clips = check_windowed_clips(self, X, reset=False)
        of_windows = self._window_probabilities(self.estimator_, clips)
        return np.array([clip_summary(p) for p in of_windows])

    def _embeddings(self, X: ArrayLike) -> NDArray:
        clips = check_windowed_clips(self, X, reset=False)
        of_windows = self._map_windows(clips, self.estimator_.transform)
        return np.asarray([e.mean(axis=0) for e in of_windows], dtype=np.float32)

    def __sklearn_tags__(self) -> Tags:
        """Return the tags for scikit-learn."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.classifier_tags.multi_label = takes_several(self.estimator)
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
