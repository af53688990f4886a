"""What fitted windows give: genres, probabilities and a timeline of the clips."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skgenre.classifiers._checks import Rows
from skgenre.classifiers._clips import check_clips
from skgenre.classifiers._fitted import FittedNetwork
from skgenre.classifiers._inner import probabilities, takes_three_axes, votes
from skgenre.classifiers._inner_transform import InnerTransform
from skgenre.classifiers._windows import (
    Clips,
    Windows,
    chunks,
    clip_summary,
    window_times,
)


def _gives_probabilities(self: Any) -> bool:
    if self.voting == "hard":
        return True
    has_them = hasattr(getattr(self, "estimator_", self.estimator), "predict_proba")
    if self.voting == "soft" or self.final_estimator is None:
        return has_them
    return has_them and hasattr(self.final_estimator, "predict_proba")


class FittedSegments(InnerTransform):
    """The part of a classifier of windows that answers, once it is fitted."""

    classes_: NDArray
    final_estimator_: Any
    estimator: Any
    window: int
    hop: int
    voting: str
    frame_rate: float

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the genre of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels), or list of array-like of \
                shape (n_frames_i, n_mels)
            Spectrograms in dB, of any lengths.

        Returns
        -------
        ndarray of shape (n_clips,)
            Members of `classes_`; of genres that are equally probable, the first.
        """
        check_is_fitted(self)
        if self.voting == "stack":
            return self.final_estimator_.predict(self._summaries(X))
        return self.classes_[self._mean_answers(X).argmax(axis=1)]

    @available_if(_gives_probabilities)
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
            the share of the windows that vote for a genre, or what the final
            estimator says.
        """
        check_is_fitted(self)
        if self.voting == "stack":
            return probabilities(
                self.final_estimator_, self._summaries(X), self.classes_
            )
        return self._mean_answers(X)

    def predict_timeline(
        self, X: ArrayLike
    ) -> tuple[NDArray | list[NDArray], NDArray | list[NDArray]]:
        """Return what each window answers, and when it is.

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
            a window votes for. A list where X is one, or a 1-D array of clips.
        times : ndarray of shape (n_windows, 2), or list of ndarray of shape \
                (n_windows_i, 2)
            Start and end of each window, in seconds.
        """
        check_is_fitted(self)
        clips = check_clips(self, X, reset=False)
        answers = list(self._answers(self.estimator_, clips))
        times = [
            window_times(len(clip), self.window, self.hop, self.frame_rate)
            for clip in clips
        ]
        return (
            (answers, times)
            if isinstance(clips, list)
            else (np.stack(answers), times[0])
        )

    def _cut(self, clips: Clips) -> tuple[Rows, NDArray]:
        """Return windows as the estimator takes them, and how many each clip has."""
        windows = Windows(clips, self.window, self.hop)
        if isinstance(self.estimator, FittedNetwork):  # it reads them batch by batch
            return windows, windows.counts
        cut = np.asarray(windows)
        if not takes_three_axes(self.estimator):
            cut = cut.reshape(len(cut), -1)
        return cut, windows.counts

    def _of_windows(
        self, clips: Clips, method: Callable[[Rows], ArrayLike]
    ) -> Iterator[NDArray]:
        """Yield, clip by clip, what a method makes of the windows."""
        for some in chunks(clips, self.window, self.hop):
            windows, counts = self._cut(some)
            yield from np.split(np.asarray(method(windows)), np.cumsum(counts)[:-1])

    def _answers(self, fitted: Any, clips: Clips) -> Iterator[NDArray]:
        """Yield the (n_windows, n_classes) probabilities or votes of each clip."""
        ask = votes if self.voting == "hard" else probabilities
        return self._of_windows(
            clips, lambda windows: ask(fitted, windows, self.classes_)
        )

    def _mean_answers(self, X: ArrayLike) -> NDArray:
        clips = check_clips(self, X, reset=False)
        return np.array([a.mean(axis=0) for a in self._answers(self.estimator_, clips)])

    def _embeddings(self, X: ArrayLike) -> NDArray:
        clips = check_clips(self, X, reset=False)
        of_clips = self._of_windows(clips, self.estimator_.transform)
        return np.asarray([e.mean(axis=0) for e in of_clips], dtype=np.float32)

    def _summaries(self, X: ArrayLike) -> NDArray:
        clips = check_clips(self, X, reset=False)
        return np.array(
            [clip_summary(a) for a in self._answers(self.estimator_, clips)]
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether there is a fitted estimator: a fit that failed leaves none."""
        return hasattr(self, "estimator_")
