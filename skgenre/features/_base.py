"""What the steps that take audio have in common."""

import functools
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Integral, Real
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags

from skgenre._estimators import parts
from skgenre._sklearn_compat import Interval, StrOptions
from skgenre.audio._check_clips import check_clips
from skgenre.audio._clip_cache import ClipCache
from skgenre.audio._isolated_task import IsolatedTask
from skgenre.audio._load import Clip
from skgenre.audio._map_clips import error_names_clip, map_clips
from skgenre.audio._outcome import (
    Outcome,
    attempt,
    failures,
    outcome_report,
    read_facts,
)
from skgenre.audio._worker import MAX_SECONDS

if TYPE_CHECKING:
    import pandas

# Parameters that say how to work, and have no influence on the results.
_HOW = frozenset({"cache_dir", "n_jobs", "on_error", "time_limit", "verbose"})


# What came of the clips of each step's last transform, kept beside the step:
# `transform` leaves a step as it is, so that several threads may use it; and a report
# has no place in a step's copies and model files.
_Reports = WeakKeyDictionary[BaseEstimator, "pandas.DataFrame"]


class _ReportsOfThread(threading.local):
    def __init__(self) -> None:
        self.reports = _Reports()


_of_thread = _ReportsOfThread()
_of_any_thread = _Reports()
_lock = threading.Lock()

# By `id` of a step and by path: results that its `transform` need not compute.
_known: ContextVar[Mapping[int, Mapping[str, Any]] | None]
_known = ContextVar("_known", default=None)


class Work(NamedTuple):
    """What a step does with each clip; see :meth:`AudioTransformer._map_clips`."""

    desc: str
    task: Callable[[Clip], Any]
    finish: Callable[[Any], Any] = lambda result: result
    cache: ClipCache | None = None

    def looked_up(
        self, time_limit: float | None = None
    ) -> tuple[Callable[[Clip], Any], Callable[[Any], Any]]:
        """Return `task` and `finish`, which look up and keep where there is a cache."""
        task, finish, cache = self.task, self.finish, self.cache
        if time_limit is not None:
            task = IsolatedTask(task, time_limit)
        if cache is None:
            return task, finish
        return cache.look_up(task), functools.partial(cache.keep, finish=finish)


class AudioTransformer(TransformerMixin, BaseEstimator):
    """Parameters, input checks and tags of a step that takes paths or waveforms."""

    sample_rate: int
    """Hertz of the waveforms."""
    on_error: str
    cache_dir: str | os.PathLike | None
    time_limit: float | None
    n_jobs: int | None
    verbose: bool | int

    _parameter_constraints: dict = {
        "excerpt": [StrOptions({"middle", "start"})],
        "on_error": [StrOptions({"raise", "warn", "ignore"})],
        "cache_dir": [str, os.PathLike, None],
        "time_limit": [Interval(Real, 0, MAX_SECONDS, closed="right"), None],
        "n_jobs": [None, Integral],
        "verbose": ["verbose"],
    }

    @property
    def extraction_report_(self) -> "pandas.DataFrame":
        """What came of each clip; only with another `on_error` than 'raise'."""
        with _lock:
            report = _of_thread.reports.get(self)
            if report is None:
                report = _of_any_thread.get(self)
        if report is None:
            raise AttributeError(
                f"This {type(self).__name__} has no extraction_report_. Set on_error "
                "to 'warn' or 'ignore', and transform clips in this process."
            )
        return report

    def _check_clips(self, X: Any, *, reset: bool) -> list[Clip]:
        return check_clips(X, estimator=self, reset=reset)

    def _clip_cache(
        self, shape: tuple[int | None, ...], dtype: type = np.float32, **instead: Any
    ) -> ClipCache | None:
        """Return where results are kept; None without `cache_dir`.

        Parameters
        ----------
        shape : tuple of int or None
            Shape of a clip's result; None for sizes that differ from clip to clip.
        dtype : type, default=numpy.float32
            Of the results.
        **instead : object
            What to know parameters by whose values don't tell all.
        """
        if self.cache_dir is None:
            return None
        parameters = self._result_parameters() | instead
        name = type(self).__name__
        return ClipCache(self.cache_dir, name, parameters, shape=shape, dtype=dtype)

    def _result_parameters(self) -> dict[str, Any]:
        """Return the parameters that have an influence on the results."""
        parameters = self.get_params(deep=False)
        return {k: v for k, v in parameters.items() if k not in _HOW}

    def _work(self) -> Work:
        """Check the parameters, and return what is to be done with each clip."""
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
            ``finish`` returns is looked up and kept. ``desc`` is shown in front of the
            progress bar.
        """
        known = (_known.get() or {}).get(id(self), {})
        if known and all(isinstance(clip, str) and clip in known for clip in clips):
            yield from (known[str(clip)] for clip in clips)
            return
        task, finish = work.looked_up(self.time_limit)
        walk = functools.partial(
            map_clips,
            clips=clips,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
            desc=work.desc,
        )
        if self.on_error == "raise":
            self._keep_report(None)
            for i, result in enumerate(walk(task)):
                with error_names_clip(i):
                    finished = finish(result)
                yield finished
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
        report = outcome_report(clips, outcomes)
        self._keep_report(report)
        if self.on_error == "warn" and (failed := failures(report)):
            n_failed = (report["status"] != "ok").sum()
            warnings.warn(
                f"{n_failed} of {len(clips)} clips could not be read, and are NaN: "
                f"{failed}. extraction_report_ lists all.",
                stacklevel=_callers_level(),
            )

    def _keep_report(self, report: "pandas.DataFrame | None") -> None:
        """Keep the report on the last clips; None forgets an earlier one."""
        with _lock:
            for reports in (_of_thread.reports, _of_any_thread):
                if report is None:
                    reports.pop(self, None)
                else:
                    reports[self] = report

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # Paths are accepted too, but `input_tags.string` would announce that arrays
        # of mixed objects are, which they aren't.
        tags.input_tags.two_d_array = True
        return tags


def audio_steps(model: Any) -> list[AudioTransformer]:
    """Return the steps in a model, or in several models, that read clips."""
    return [
        part
        for part in parts(model)
        if isinstance(part, AudioTransformer)
        and getattr(part, "input", None) != "features"
    ]


@contextmanager
def known_results(results: Mapping[int, Mapping[str, Any]]) -> Iterator[None]:
    """Have steps take results instead of reading clips again, inside the block.

    Parameters
    ----------
    results : mapping
        By `id` of a step, by path: what the step's work makes of the clip.
    """
    token = _known.set(results)
    try:
        yield
    finally:
        _known.reset(token)


def _callers_level() -> int:
    """Return the `stacklevel` of who called this package, scikit-learn between or not.

    Of a warning in the function that asks.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _is_inner(frame):
        level, frame = level + 1, frame.f_back
    return level


def _is_inner(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__", "")
    return name.partition(".")[0] in {"skgenre", "sklearn"}


def excerpt_start(n_total: int, n_wanted: int, excerpt: str) -> int:
    """Tell where an excerpt begins, in frames or samples; 0 in clips too short."""
    return max(0, (n_total - n_wanted) // 2) if excerpt == "middle" else 0


def excerpt_samples(
    duration: float | None, excerpt: str
) -> Callable[[int, int], tuple[int, int]]:
    """Return what tells `read_samples` where an excerpt begins and ends.

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
