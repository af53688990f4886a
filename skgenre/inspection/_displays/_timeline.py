"""Plot of the probabilities of genres through a song."""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from skgenre._estimators import apply_steps, describe_estimator
from skgenre._install import require
from skgenre.audio._check_clips import is_clip
from skgenre.classifiers import SegmentClassifier
from skgenre.classifiers._several_genres import genre_thresholds
from skgenre.inspection._displays._style import area_style, legend_beside
from skgenre.inspection._fitted_parts import mel_step, split_model

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.axes import Axes

# Genres that are never more probable than this share one area.
_WORTH_AN_AREA = 0.1
# Heights between which the strip is, and the size of its text in points.
_STRIP = (1.03, 1.15)
_STRIP_FONT = 8


class TimelineDisplay:
    """Probabilities of the genres through a song, in seconds.

    Stacked areas show how probable each genre is; the strip above them names the most
    probable one. Where a song may have several genres, whose probabilities don't have
    the sum 1, each has a line.

    Make it by `from_estimator` or `from_predictions`.

    Parameters
    ----------
    probabilities : ndarray of shape (n_windows, n_classes)
        Of each window of a song.
    times : ndarray of shape (n_windows, 2)
        Start and end of each window, in seconds.
    classes : ndarray of shape (n_classes,)
        The genres.
    several : bool, default=False
        Whether a song may have several of them.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the areas are.
    figure_ : matplotlib Figure
        Figure that holds them.
    legend_ : matplotlib Legend
        Colour of each genre, right of the areas.

    See Also
    --------
    skgenre.SegmentClassifier : Its `predict_timeline` gives probabilities and times.
    SpectrogramDisplay : Spectrogram of a clip.

    Notes
    -----
    Windows overlap: the probability at an instant is the mean of all windows that cover
    it. Genres that are never more probable than 0.1 share one area, named 'others'. A
    genre's colour and hatching are the same for all songs.

    Examples
    --------
    >>> from skgenre.inspection import TimelineDisplay
    >>> display = TimelineDisplay.from_predictions(
    ...     [[0.9, 0.1], [0.4, 0.6], [0.1, 0.9]],
    ...     [[0, 6], [3, 9], [6, 12]],
    ...     classes=["folk", "techno"],
    ... )
    >>> [text.get_text() for text in display.legend_.get_texts()]
    ['techno', 'folk']
    """

    def __init__(
        self,
        probabilities: NDArray,
        times: NDArray,
        *,
        classes: NDArray,
        several: bool = False,
    ) -> None:
        self.probabilities = probabilities
        self.times = times
        self.classes = classes
        self.several = several

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        clip: "str | PathLike | ArrayLike",
        *,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw the probabilities that a fitted classifier of windows gives one song.

        Parameters
        ----------
        estimator : estimator
            Fitted `SegmentClassifier`, or a Pipeline that ends with one, best after a
            mel step with ``n_frames=None``, which takes whole songs. Seconds are then
            those of the mel step, whatever the `frame_rate` of the classifier.
        clip : str, PathLike or array-like
            One of what it takes, or a list of one: behind a mel step a song's path or
            open file, its waveform with its rate, or a bare one of shape (n_samples,)
            at the step's `sample_rate`; else a spectrogram (n_frames, n_mels).
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        TimelineDisplay

        Raises
        ------
        ValueError
            If the estimator does not end in a `SegmentClassifier`, or there are
            several clips.
        """
        check_is_fitted(estimator)
        if not predicts_timeline(estimator):
            raise ValueError(
                f"{cls.__name__} needs a SegmentClassifier, or a Pipeline that ends "
                f"with one, got {describe_estimator(estimator)}."
            )
        probabilities, seconds, classes = song_timeline(estimator, clip)
        several = genre_thresholds(split_model(estimator)[1]) is not None
        display = cls(probabilities, seconds, classes=classes, several=several)
        return display.plot(ax=ax)

    @classmethod
    def from_predictions(
        cls,
        probabilities: ArrayLike,
        times: ArrayLike,
        *,
        classes: ArrayLike,
        several: bool = False,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw given probabilities of one song.

        Parameters
        ----------
        probabilities : array-like of shape (n_windows, n_classes)
            Of each window.
        times : array-like of shape (n_windows, 2)
            Start and end of each window, in seconds.
        classes : array-like of shape (n_classes,)
            The genres.
        several : bool, default=False
            Whether a song may have several of them.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        TimelineDisplay

        Raises
        ------
        ValueError
            If shapes don't fit, values are not finite, or a window ends before it
            starts.
        """
        probabilities, times, classes = _check_song(
            probabilities, times, classes, several=several
        )
        return cls(probabilities, times, classes=classes, several=several).plot(ax=ax)

    def plot(self, *, ax: "Axes | None" = None) -> Self:
        """Draw the probabilities.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        TimelineDisplay
        """
        require("matplotlib")
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(9, 3.5), layout="constrained")
        edges, means = _by_instant(
            np.asarray(self.probabilities), np.asarray(self.times)
        )
        names = [str(genre) for genre in self.classes]
        styles = [area_style(i) for i in range(len(names))]
        draw = self._draw_lines if self.several else self._draw_areas
        shown, artists, top = draw(ax, edges, means, names, styles)
        ax.set(
            xlabel="Seconds",
            ylabel="Probability",
            xlim=(edges[0], edges[-1]),
            ylim=(0, top),
            yticks=np.linspace(0, 1, 6),
        )
        self.legend_ = legend_beside(ax, artists, shown, reverse=not self.several)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @staticmethod
    def _draw_lines(
        ax: "Axes", edges: NDArray, means: NDArray, names: list[str], styles: list
    ) -> tuple[list[str], list, float]:
        """Draw a line for each genre that is ever probable.

        Return the genres that are shown, what shows them, and the height of the axes.
        """
        shown = np.flatnonzero(np.nanmax(means, axis=0) > _WORTH_AN_AREA)
        artists = [
            ax.step(
                edges,
                np.append(means[:, i], means[-1, i]),
                where="post",
                color=styles[i]["facecolor"],
                label=names[i],
            )[0]
            for i in shown
        ]
        return [names[i] for i in shown], artists, 1.0

    @staticmethod
    def _draw_areas(
        ax: "Axes", edges: NDArray, means: NDArray, names: list[str], styles: list
    ) -> tuple[list[str], list, float]:
        """Draw stacked areas, and a strip of the most probable genre above them.

        Return what `_draw_lines` does.
        """
        # A genre that is the most probable somewhere has an area, however flat.
        has_area = np.nanmax(means, axis=0) > _WORTH_AN_AREA
        runs = list(_runs(edges, means))
        has_area[[i for i, _, _ in runs]] = True
        areas = [(names[i], styles[i], means[:, i]) for i in np.flatnonzero(has_area)]
        if not has_area.all():
            grey = area_style(0) | {"facecolor": "#DDDDDD"}
            areas.append(("others", grey, means[:, ~has_area].sum(axis=1)))
        below, artists = np.zeros(len(means)), []
        for name, style, heights in areas:
            lower, upper = (np.append(h, h[-1]) for h in (below, below + heights))
            artists.append(
                ax.fill_between(edges, lower, upper, step="post", label=name, **style)
            )
            below = below + heights
        for best in sorted({i for i, _, _ in runs}):
            bars = [(start, end - start) for i, start, end in runs if i == best]
            ax.broken_barh(bars, (_STRIP[0], _STRIP[1] - _STRIP[0]), **styles[best])
        for i, start, end in runs:
            if end - start > _seconds_of_text(names[i], ax, edges):
                ax.text(
                    (start + end) / 2,
                    sum(_STRIP) / 2,
                    names[i],
                    ha="center",
                    va="center_baseline",
                    fontsize=_STRIP_FONT,
                    parse_math=False,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
                )
        return [name for name, _, _ in areas], artists, _STRIP[1]


def predicts_timeline(estimator: Any) -> bool:
    """Return whether an estimator ends in a `SegmentClassifier`."""
    return isinstance(split_model(estimator)[1], SegmentClassifier)


def song_timeline(estimator: Any, clip: Any) -> tuple[NDArray, NDArray, NDArray]:
    """Return probabilities, times in seconds and genres of a song's windows.

    Parameters are those of `TimelineDisplay.from_estimator`.
    """
    front, last = split_model(estimator)
    mel = mel_step(estimator)
    is_one = mel is not None and is_clip(clip)
    clips = [clip] if is_one else _list_of_one(clip, n_axes=2 if mel is None else 1)
    probabilities, times = last.predict_timeline(apply_steps(front, clips))
    seconds = times[0] if isinstance(times, list) else times
    if mel is not None:
        seconds = seconds * last.frame_rate * mel.hop_length / mel.sample_rate
    return probabilities[0], seconds, last.classes_


def _list_of_one(clip: Any, *, n_axes: int) -> Any:
    """Return a sequence of one clip, which a clip by itself is put into."""
    try:
        array = np.asarray(clip)
    except ValueError:  # clips of different lengths
        array = np.empty(len(clip), dtype=object)
    is_clip = array.ndim == n_axes and array.dtype.kind in "biuf"
    if is_clip or array.ndim == 0:  # a path
        return [clip]
    if len(array) != 1:
        raise ValueError(
            f"TimelineDisplay shows one song, got {len(array)} clips. Draw them one by "
            "one: clips[0], clips[1], ..."
        )
    return clip


def _check_song(
    probabilities: Any, times: Any, classes: Any, *, several: bool
) -> tuple[NDArray, NDArray, NDArray]:
    if np.ndim(probabilities) == 3:
        raise ValueError(
            "TimelineDisplay shows one song, got probabilities of shape "
            f"{np.shape(probabilities)}. Take those of one: probabilities[0]."
        )
    probabilities = check_array(probabilities, input_name="probabilities")
    if several and ((probabilities < 0) | (probabilities > 1)).any():
        raise ValueError(
            f"probabilities must be from 0 to 1, got {probabilities.min():.3g} to "
            f"{probabilities.max():.3g}."
        )
    sums = probabilities.sum(axis=1)
    if (probabilities < 0).any() or (not several and (abs(sums - 1) > 0.01).any()):
        raise ValueError(
            "Each row of probabilities must be non-negative and have the sum 1. "
            f"Got sums from {sums.min():.3g} to {sums.max():.3g}, the lowest value is "
            f"{probabilities.min():.3g}."
        )
    times = check_array(times, input_name="times")
    classes = column_or_1d(classes)
    n_windows, n_classes = probabilities.shape
    if times.shape != (n_windows, 2) or len(classes) != n_classes:
        raise ValueError(
            f"probabilities of shape {probabilities.shape} need times of shape "
            f"({n_windows}, 2) and {n_classes} classes, got times of shape "
            f"{times.shape} and {len(classes)} classes."
        )
    if not (times[:, 0] < times[:, 1]).all():
        window = int(np.argmin(times[:, 0] < times[:, 1]))
        raise ValueError(
            "Each row of times is the start and the end of a window. Window "
            f"{window} is from {times[window, 0]} s to {times[window, 1]} s."
        )
    return probabilities, times, classes


def _by_instant(probabilities: NDArray, times: NDArray) -> tuple[NDArray, NDArray]:
    """Return when windows start or end, and the mean of those that cover each gap.

    Where no window is, the mean is NaN.
    """
    edges = np.unique(times)
    starts, ends = np.searchsorted(edges, times).T
    # A running sum of what begins and ends: an hour has thousands of windows.
    changes = np.zeros((len(edges), 1 + probabilities.shape[1]))
    counted = np.c_[np.ones(len(times)), probabilities]
    np.add.at(changes, starts, counted)
    np.subtract.at(changes, ends, counted)
    running = changes[:-1].cumsum(axis=0)
    n_windows, sums = running[:, :1], running[:, 1:]
    return edges, np.where(n_windows > 0, sums / np.maximum(n_windows, 1), np.nan)


def _runs(edges: NDArray, means: NDArray) -> Iterator[tuple[int, float, float]]:
    """Yield the number, start and end of each stretch of a most probable genre."""
    covered = ~np.isnan(means).any(axis=1)
    best = np.where(covered, means.argmax(axis=1), -1)
    for i, run_ in groupby(range(len(best)), key=best.__getitem__):
        instants = list(run_)
        if i >= 0:
            yield int(i), float(edges[instants[0]]), float(edges[instants[-1] + 1])


def _seconds_of_text(text: str, ax: "Axes", edges: NDArray) -> float:
    """Return the seconds that a text is wide."""
    # A letter is about 0.6 times as wide as high; the legend takes some of the width.
    width = 72 * ax.get_window_extent().width / ax.figure.dpi * 0.85
    share: float = (len(text) + 1) * 0.6 * _STRIP_FONT / width
    return share * (edges[-1] - edges[0])
