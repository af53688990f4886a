"""Windows of clips: where they start, how they are cut, how they sum up a clip."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from skgenre.features._lazy_rows import CHUNK_BYTES, LazyRows

Clips = NDArray | LazyRows | Sequence[NDArray]
"""An array (n_clips, n_frames, n_mels), or arrays (n_frames_i, n_mels)."""


def window_starts(n_frames: int, window: int, hop: int) -> NDArray:
    """Return the first frame of each window of a clip.

    Parameters
    ----------
    n_frames : int
        Frames of the clip.
    window : int
        Frames of a window.
    hop : int
        Frames from one window to the next.

    Returns
    -------
    ndarray of shape (n_windows,)
        Multiples of `hop`; where these windows leave out the clip's last frames, one
        more, whose window ends with the clip. A clip that is not longer than a window
        has one.
    """
    last = max(n_frames - window, 0)
    return np.append(np.arange(0, last, hop), last)


def window_times(n_frames: int, window: int, hop: int, frame_rate: float) -> NDArray:
    """Return start and end of each window of a clip, in seconds.

    Parameters
    ----------
    n_frames, window, hop : int
        As for `window_starts`.
    frame_rate : float
        Frames a second.

    Returns
    -------
    ndarray of shape (n_windows, 2)
        No window ends after the clip.
    """
    starts = window_starts(n_frames, window, hop)
    ends = np.minimum(starts + window, n_frames)
    return np.column_stack([starts, ends]) / frame_rate


class Windows(LazyRows):
    """Windows of clips, each cut when it is needed.

    Rows are the windows of the first clip, then those of the second, ... A clip shorter
    than a window is padded with its own minimum: the floor of its spectrogram.

    Parameters
    ----------
    clips : ndarray or LazyRows of shape (n_clips, n_frames, n_mels), or list of \
            ndarray of shape (n_frames_i, n_mels)
        Spectrograms.
    window, hop : int
        As for `window_starts`.

    Attributes
    ----------
    counts : ndarray of shape (n_clips,)
        Number of windows of each clip.
    """

    def __init__(self, clips: Clips, window: int, hop: int) -> None:
        starts = [window_starts(len(clip), window, hop) for clip in clips]
        self.counts = np.array([len(of_clip) for of_clip in starts])
        self._clips, self._window = clips, window
        self._clip_of = np.repeat(np.arange(len(starts)), self.counts)
        self._start_of = np.concatenate(starts)
        super().__init__(
            (len(self._clip_of), window, clips[0].shape[1]),
            np.result_type(*{clip.dtype for clip in clips}),
        )

    def _read(self, rows: NDArray) -> NDArray:
        windows = np.empty((len(rows), *self._row_shape), self.dtype)
        clips_and_starts = zip(self._clip_of[rows], self._start_of[rows], strict=True)
        for window, (clip, start) in zip(windows, clips_and_starts, strict=True):
            frames = self._clips[clip][start : start + self._window]
            window[: len(frames)] = frames
            if len(frames) < self._window:
                window[len(frames) :] = frames.min()
        return windows


def iter_chunks(clips: Clips, window: int, hop: int) -> Iterator[Clips]:
    """Yield a few clips at a time, whose windows take little memory.

    Parameters
    ----------
    clips : ndarray or LazyRows of shape (n_clips, n_frames, n_mels), or list of \
            ndarray of shape (n_frames_i, n_mels)
        Spectrograms; none are read from a file.
    window, hop : int
        As for `window_starts`.

    Yields
    ------
    ndarray, LazyRows or list of ndarray
        Consecutive clips, at least one.
    """
    window_bytes = window * clips[0].shape[1] * clips[0].dtype.itemsize
    limit = max(1, CHUNK_BYTES // window_bytes)
    first, n_windows = 0, 0
    for i, clip in enumerate(clips):
        n_new = len(window_starts(len(clip), window, hop))
        if i > first and n_windows + n_new > limit:
            yield clips[first:i]
            first, n_windows = i, 0
        n_windows += n_new
    yield clips[first:]


def clip_summary(probabilities: NDArray) -> NDArray:
    """Return the features of a clip for a final estimator.

    Parameters
    ----------
    probabilities : ndarray of shape (n_windows, n_classes)
        Those of the clip's windows.

    Returns
    -------
    ndarray of shape (3 * n_classes,)
        Mean, standard deviation and maximum over the windows, each for all classes.
    """
    return np.concatenate(
        [
            probabilities.mean(axis=0),
            probabilities.std(axis=0),
            probabilities.max(axis=0),
        ]
    )
