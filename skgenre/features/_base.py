"""The base class of all steps that take audio, and the parameters they share."""

import functools
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Integral, Real
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_consistent_length

from skgenre._estimators import parts
from skgenre._sklearn_compat import Interval, StrOptions
from skgenre.audio._check_clips import check_clips
from skgenre.audio._clip import Clip, FileClip
from skgenre.audio._clip_cache import ClipCache
from skgenre.audio._isolation._task import IsolatedTask
from skgenre.audio._isolation._worker import MAX_SECONDS
from skgenre.audio._map_clips import error_names_clip, map_clips
from skgenre.audio._outcome import (
    Outcome,
    attempt,
    failures,
    outcome_records,
    read_facts,
    records_frame,
    remarks,
)
from skgenre.audio._reading import Observed, Reading

if TYPE_CHECKING:
    import pandas

# Parameters on which results don't depend.
_HOW = frozenset({"cache_dir", "n_jobs", "on_error", "time_limit", "verbose"})


PARAMETER_DOCS = {
    "sample_rate": """
        sample_rate : int, default=%(sample_rate)s
            Samples a second, in Hz. Files and waveforms that know their rate are
            resampled to it; bare arrays must be at it.
    """,
    "n_fft": """
        n_fft : int, default=%(n_fft)s
            Samples a frame.
    """,
    "hop_length": """
        hop_length : int, default=%(hop_length)s
            Samples from one frame to the next.
    """,
    "n_mels": """
        n_mels : int, default=%(n_mels)s
            Number of mel bands.
    """,
    "fmin": """
        fmin : float, default=%(fmin)s
            Lower edge of the lowest band, in Hz.
    """,
    "fmax": """
        fmax : float or None, default=%(fmax)s
            Upper edge of the highest band, in Hz; None means ``sample_rate / 2``.
    """,
    "views": """
        views : sequence of {'mix', 'harmonic', 'percussive'}, default=%(views)s
            What is taken of the sound: all of it, its tones (harmonic), its strokes, as
            of drums (percussive), or several of these; see :ref:`views`.
    """,
    "duration": """
        duration : float or None, default=%(duration)s
            Seconds taken of each clip; None takes whole clips.
    """,
    "excerpt": """
        excerpt : {'middle', 'start'}, default=%(excerpt)s
            Which part to take of a longer clip.
    """,
    "clips": """
        A clip is a path, a URL, an open binary file such as ``io.BytesIO(data)``, a
        waveform with its rate, or a bare array of shape (n_samples,); X may mix them. A
        waveform with its rate is a :class:`~skgenre.audio.Waveform`, a pair ``(samples,
        sample_rate)`` or a row of a data set, ``{'array': samples, 'sampling_rate':
        sample_rate}``: it is resampled, and its channels are averaged, as those of a
        file. A bare array must be at the step's `sample_rate` already. Integer samples
        are fractions of their type's full scale: int16 of 32,768.
    """,
    "on_error": """
        on_error : {'raise', 'warn', 'ignore'}, default=%(on_error)s
            What to do about a file that can't be read: 'raise' ends with an error that
            names it; 'warn' and 'ignore' make its row NaN, with a warning or without.
            Of files that are read in part, and of clips without music, only 'ignore'
            does not warn.
            `extraction_report_` then says why, and classifiers skip the row inside a
            :class:`~skgenre.classifiers.MissingClipClassifier`.
    """,
    "cache_dir": """
        cache_dir : str, PathLike or None, default=%(cache_dir)s
            Folder in which the result for each clip is kept and looked up the next
            time; None keeps nothing. Results of other users are used only where not
            everybody may write to the folder or to one above it. See :ref:`cache`.
    """,
    "time_limit": """
        time_limit : float or None, default=%(time_limit)s
            Seconds that a file may take, up to 86,400. With a number, files are decoded
            in worker processes, so that one that crashes or hangs the decoder, or takes
            half of the memory, ends in an :class:`~skgenre.audio.AudioError` and
            nothing more. None decodes in this process. See :ref:`time_limit`.
    """,
    "n_jobs": """
        n_jobs : int or None, default=%(n_jobs)s
            Clips worked on at a time. None means 1 unless in a
            :func:`joblib.parallel_config` context; -1 means all processors. Results
            don't depend on it.
    """,
    "verbose": """
        verbose : bool or int, default=%(verbose)s
            Show a progress bar.
    """,
    "input_attributes": """
        n_features_in_ : int
            Number of columns, where X was an array of waveforms or a data frame.
        feature_names_in_ : ndarray of shape (`n_features_in_`,)
            Names of the columns, where X was a data frame.
        extraction_report_ : DataFrame of shape (n_clips, 9)
            Report on the clips of the last `transform`; only if `on_error` isn't
            'raise'. The columns are ``path``, ``status`` ('ok', 'error', or 'damaged',
            'silent' or 'too short', see :ref:`no_music`), its ``cause``, by the header
            the clip's ``duration`` in seconds, ``channels`` and ``sample_rate``, the
            seconds ``decoded`` and ``lost`` (NaN where a result was looked up), and the
            ``seconds`` spent. Each thread sees its own; copies and model files have
            none.
        extraction_records_ : list of dict
            The same without pandas, and also only if `on_error` isn't 'raise': of each
            clip, the columns and their values.
    """,
}
"""Documentation that audio steps share, for `substitute`."""

# What came of the clips of each step's last transform, kept beside the step:
# `transform` leaves a step as it is, so that several threads may use it; and a report
# has no place in a step's copies and model files.
_Records = list[dict[str, Any]]
_Reports = WeakKeyDictionary[BaseEstimator, _Records]


class _ReportsOfThread(threading.local):
    def __init__(self) -> None:
        self.reports = _Reports()


_of_thread = _ReportsOfThread()
_of_any_thread = _Reports()
_lock = threading.Lock()

Settings = tuple[type, dict[str, Any]]
"""Class of a step and its parameters, by which its results are the same."""

# Results, by path or open file, that steps of such settings need not compute.
_known: ContextVar[Sequence[tuple[Settings, Mapping[Any, Any]]]]
_known = ContextVar("_known", default=())


class Work(NamedTuple):
    """The work of a step on each clip; see :meth:`AudioTransformer._map_clips`."""

    desc: str
    task: Callable[[Clip], Any]
    finish: Callable[[Any], Any] = lambda result: result
    cache: ClipCache | None = None
    chosen: Callable[[Any], Any] = lambda result: result
    """Takes what is asked for out of a result, which is kept whole."""

    def looked_up(
        self, time_limit: float | None = None
    ) -> tuple[Callable[[Clip], Any], Callable[[Any], Any]]:
        """Return `task` and `finish`, which look up and keep where there is a cache."""
        task, finish, cache = self.task, self.finish, self.cache
        if time_limit is not None:
            task = IsolatedTask(task, time_limit)
        if cache is None:
            return task, finish
        keep = functools.partial(cache.keep, finish=finish)
        return cache.look_up(task), lambda result: self.chosen(keep(result))


class AudioTransformer(TransformerMixin, BaseEstimator):
    """Base class of steps that take paths or waveforms; its `fit` learns nothing.

    Subclasses define `_work` and `transform`. `PARAMETER_DOCS` documents the parameters
    that they share.
    """

    sample_rate: int
    """Hertz of the waveforms."""

    _parameter_constraints: dict = {
        "excerpt": [StrOptions({"middle", "start"})],
        "on_error": [StrOptions({"raise", "warn", "ignore"})],
        "cache_dir": [str, os.PathLike, None],
        "time_limit": [Interval(Real, 0, MAX_SECONDS, closed="right"), None],
        "n_jobs": [None, Integral],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        excerpt: str,
        on_error: str,
        cache_dir: str | os.PathLike | None,
        time_limit: float | None,
        n_jobs: int | None,
        verbose: bool | int,
    ) -> None:
        self.excerpt = excerpt
        self.on_error = on_error
        self.cache_dir = cache_dir
        self.time_limit = time_limit
        self.n_jobs = n_jobs
        self.verbose = verbose

    @property
    def extraction_report_(self) -> "pandas.DataFrame":
        """What came of each clip; only with another `on_error` than 'raise'."""
        return records_frame(self._kept_records("extraction_report_"))

    @property
    def extraction_records_(self) -> list[dict[str, Any]]:
        """The same, as one dict a clip."""
        return [dict(record) for record in self._kept_records("extraction_records_")]

    def _kept_records(self, name: str) -> _Records:
        with _lock:
            records = _of_thread.reports.get(self)
            if records is None:
                records = _of_any_thread.get(self)
        if records is None:
            raise AttributeError(
                f"This {type(self).__name__} has no {name}. Set on_error to 'warn' or "
                "'ignore', and transform clips in this process."
            )
        return records

    def _check_clips(self, X: Any, *, reset: bool) -> list[Clip]:
        return check_clips(X, estimator=self, reset=reset)

    def _clip_cache(
        self, shape: tuple[int | None, ...], dtype: type = np.float32, **instead: Any
    ) -> ClipCache | None:
        """Return the cache of the results; None without `cache_dir`.

        Parameters
        ----------
        shape : tuple of int or None
            Shape of a clip's result; None for sizes that differ from clip to clip.
        dtype : type, default=numpy.float32
            Type of the results.
        **instead : object
            Values that identify parameters better than the parameters' own values.
        """
        if self.cache_dir is None:
            return None
        parameters = self._settings()[1] | instead
        name = type(self).__name__
        return ClipCache(self.cache_dir, name, parameters, shape=shape, dtype=dtype)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the kind of X; nothing is learned or read.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            Sound files, waveforms with their rate, or bare ones at the step's rate.

        y : array-like of shape (n_clips,) or None, default=None
            Only its length is checked, before anything is decoded.

        Returns
        -------
        self : object
            The step itself.

        Raises
        ------
        ValueError
            If a parameter is outside its range, or a waveform is empty or not
            finite.

        TypeError
            If X is no sequence of clips.
        """
        self._check_parameters()
        clips = self._check_clips(X, reset=True)
        if y is not None:
            check_consistent_length(clips, y)
        return self

    def _check_parameters(self) -> None:
        """Refuse parameters that are out of range or contradict one another.

        `_work` calls it, so that `transform` refuses whatever `fit` refuses.
        """
        self._validate_params()

    def _settings(self) -> Settings:
        """Return the class and the parameters that have an influence on the results."""
        parameters = self.get_params(deep=False)
        return type(self), {k: v for k, v in parameters.items() if k not in _HOW}

    def _work(self) -> Work:
        """Check the parameters, and return the work on each clip."""
        raise NotImplementedError

    def _map_clips(self, clips: list[Clip], work: Work) -> Iterator[Any]:
        """Yield the result of each clip, in order; None for one that failed.

        Parameters
        ----------
        clips : list
            Paths or waveforms.
        work : Work
            ``task`` takes a clip, and may run in parallel. ``finish`` takes what it
            returned, and runs in the caller's thread. Where there is a ``cache``, what
            ``finish`` returns is looked up and kept, and ``chosen`` takes of it what is
            asked for. ``desc`` is shown in front of the progress bar.
        """
        known = results_of(self, _known.get())
        if known and all(
            isinstance(clip, str | FileClip) and clip in known for clip in clips
        ):
            self._keep_records(None)
            yield from (known[clip] for clip in clips)
            return
        task, finish = work.looked_up(self.time_limit)
        walk = functools.partial(
            map_clips,
            clips=clips,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
            desc=work.desc,
        )
        readings: dict[int, Reading] = {}
        if self.on_error == "raise":
            self._keep_records(None)
            for i, (result, reading) in enumerate(walk(Observed(task))):
                with error_names_clip(i):
                    finished = finish(result)
                readings[i] = reading
                yield finished
            _warn_of(clips, readings)
            return
        look: Callable[[Clip], Any]
        look = functools.partial(read_facts, sample_rate=self.sample_rate)
        if self.time_limit is not None:
            look = IsolatedTask(look, self.time_limit)
        outcomes: list[Outcome] = []
        tried = walk(functools.partial(attempt, task=task, look=look))
        for clip, outcome in zip(clips, tried, strict=True):
            yield outcome.run(clip, finish, outcome.result)
            outcome.result = None  # not kept for the report
            outcomes.append(outcome)
        records = outcome_records(clips, outcomes)
        self._keep_records(records)
        if self.on_error == "warn" and (failed := failures(records)):
            n_failed = sum(outcome.error is not None for outcome in outcomes)
            warnings.warn(
                f"{n_failed} of {len(clips)} clips could not be read, and are NaN: "
                f"{failed}. extraction_report_ lists all.",
                stacklevel=_callers_level(),
            )
        if self.on_error == "warn":
            read = enumerate(outcomes)
            _warn_of(clips, {i: o.reading for i, o in read if o.error is None})

    def _keep_records(self, records: _Records | None) -> None:
        """Keep what came of the last clips; None forgets earlier ones."""
        with _lock:
            for reports in (_of_thread.reports, _of_any_thread):
                if records is None:
                    reports.pop(self, None)
                else:
                    reports[self] = records

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # Paths are accepted too, but `input_tags.string` would announce that arrays
        # of mixed objects are, which they aren't.
        tags.input_tags.two_d_array = True
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _warn_of(clips: Sequence[Clip], readings: Mapping[int, Reading]) -> None:
    """Warn of clips that are damaged, silent or too short."""
    odd = {i: reading for i, reading in readings.items() if reading.status != "ok"}
    if odd:
        warnings.warn(
            f"{len(odd)} of {len(clips)} clips hold less music than they should: "
            f"{remarks(clips, odd)}.",
            stacklevel=_callers_level(),
        )


def audio_steps(model: Any) -> list[AudioTransformer]:
    """Return the steps in a model, or in several models, that read clips."""
    return [
        part
        for part in parts(model)
        if isinstance(part, AudioTransformer)
        and getattr(part, "input", None) != "features"
    ]


@contextmanager
def known_results(
    results: Sequence[tuple[Settings, Mapping[Any, Any]]],
) -> Iterator[None]:
    """Have steps take results instead of reading clips again, inside the block.

    Parameters
    ----------
    results : sequence of tuple
        Settings of steps and, by path or `FileClip`, the results of their work.
    """
    token = _known.set(results)
    try:
        yield
    finally:
        _known.reset(token)


def results_of(
    step: AudioTransformer, results: Sequence[tuple[Settings, Mapping[Any, Any]]]
) -> Mapping[Any, Any]:
    """Return the results of a step's settings, by clip; empty if there are none."""
    if not results:
        return {}
    own = step._settings()
    return next((by_path for settings, by_path in results if settings == own), {})


def _callers_level() -> int:
    """Return the `stacklevel` with which a warning names the user's own line.

    It is for `warnings.warn` in the function that asks, and passes over the frames of
    skgenre and of scikit-learn.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _is_inner(frame):
        level, frame = level + 1, frame.f_back
    return level


def _is_inner(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__", "")
    return name.partition(".")[0] in {"skgenre", "sklearn"}


def excerpt_start(n_total: int, n_wanted: int, excerpt: str) -> int:
    """Return where an excerpt begins, in frames or samples; 0 in clips too short."""
    return max(0, (n_total - n_wanted) // 2) if excerpt == "middle" else 0


def excerpt_samples(
    duration: float | None, excerpt: str
) -> Callable[[int, int], tuple[int, int]]:
    """Return a function by which `read_samples` finds the excerpt's samples.

    Parameters
    ----------
    duration : float or None
        Seconds of the excerpt, at the most; None takes the whole clip.

    excerpt : {'middle', 'start'}
        Which part of a longer clip to take.

    Returns
    -------
    callable
        ``(n_samples, sample_rate) -> (start, stop)``.
    """

    def choose(n_samples: int, sample_rate: int) -> tuple[int, int]:
        if duration is None:
            return 0, n_samples
        length = max(1, round(min(duration * sample_rate, n_samples)))
        start = excerpt_start(n_samples, length, excerpt)
        return start, start + length

    return choose
