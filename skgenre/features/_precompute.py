"""All features of a clip in one pass: each file is read once for all audio steps."""

import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

from sklearn.base import BaseEstimator

from skgenre._sklearn_compat import validate_params
from skgenre.audio._check_clips import check_clips
from skgenre.audio._clip import Clip, FileClip
from skgenre.audio._errors import AudioError
from skgenre.audio._isolation._task import IsolatedTask
from skgenre.audio._map_clips import map_clips
from skgenre.audio._outcome import Outcome, attempt
from skgenre.audio._reading import Reading, one_opening
from skgenre.features._base import (
    AudioTransformer,
    Settings,
    audio_steps,
    known_results,
    results_of,
)

# Enough clips to keep all cores busy, few enough to be held in memory. While the
# network predicts some, the next are decoded.
CLIPS_AT_A_TIME = 32
"""Clips that `results_in_chunks` reads together."""
_CHUNKS_AT_A_TIME = 2


@dataclass
class _AllTasks:
    """Several tasks as one, which opens a file once."""

    tasks: list[Callable[[Clip], Any]]

    def __call__(self, clip: Clip) -> list[Any]:
        if len(self.tasks) == 1:
            return [self.tasks[0](clip)]
        with one_opening():
            return [task(clip) for task in self.tasks]


def _outcomes(
    steps: Sequence[AudioTransformer],
    clips: Sequence[Clip],
    *,
    n_jobs: int | None = None,
    verbose: bool | int = False,
) -> Iterator[Outcome]:
    """Yield what came of each clip; its result is a list of those of all steps."""
    tasks, finishes = zip(*(step._work().looked_up() for step in steps), strict=True)
    together: Callable[[Clip], list[Any]] = _AllTasks(list(tasks))
    if limits := [step.time_limit for step in steps if step.time_limit is not None]:
        together = IsolatedTask(together, sum(limits))

    def finish(results: list[Any]) -> list[Any]:
        return [f(result) for f, result in zip(finishes, results, strict=True)]

    task = functools.partial(attempt, task=together, look=None)
    tried = map_clips(task, clips, n_jobs=n_jobs, verbose=verbose, desc="Features")
    for clip, outcome in zip(clips, tried, strict=True):
        outcome.result = outcome.run(clip, finish, outcome.result)
        yield outcome


@dataclass
class ReadClips:
    """What the audio steps of a model made of files, each of which was read once.

    An open file, a `FileClip`, stands for its path.
    """

    errors: dict[Any, AudioError]
    """By path, what is wrong with the files that can't be read."""
    readings: dict[Any, Reading]
    """By path, those of the others that are damaged, silent or too short."""
    results: list[tuple[Settings, dict[Any, Any]]]
    """By settings of a step and by path, what it made of the others."""

    def results_of(self, step: AudioTransformer) -> Mapping[Any, Any]:
        """Return a step's results, by path."""
        return results_of(step, self.results)

    def good(self, paths: Iterable[Any]) -> list[Any]:
        """Return those paths whose files could be read."""
        return [path for path in paths if path not in self.errors]

    def is_music(self, path: Any) -> bool:
        """Return whether a file can be read, and has enough sound for a genre."""
        reading = self.readings.get(path)
        return path not in self.errors and (reading is None or reading.has_music)


@contextmanager
def read_once(
    model: Any,
    paths: Sequence[str | FileClip],
    *,
    n_jobs: int | None = None,
    verbose: bool | int = False,
) -> Iterator[ReadClips]:
    """Read files once for all audio steps of a model, and find which can't be read.

    Parameters
    ----------
    model : estimator, or list of estimators
        Anything that may have audio steps in it, however deep. Their parameters are
        not to be changed inside the block.
    paths : sequence of str or FileClip
        Files.
    n_jobs : int or None, default=None
        Clips worked on at a time, in threads.
    verbose : bool or int, default=False
        Show a progress bar.

    Yields
    ------
    ReadClips
        Its results are held in memory. Inside the block, `fit`, `predict` and the like
        of `model` take them for those files that could be read, and open none.
    """
    # Fitted members of ensembles are copies of others: what is equal is made once.
    different: list[AudioTransformer] = []
    read = ReadClips({}, {}, [])
    for step in audio_steps(model):
        settings = step._settings()
        if all(settings != other for other, _ in read.results):
            different.append(step)
            read.results.append((settings, {}))
    if different:
        outcomes = _outcomes(different, paths, n_jobs=n_jobs, verbose=verbose)
        for path, outcome in zip(paths, outcomes, strict=True):
            if outcome.error is not None:
                read.errors[path] = outcome.error
                continue
            if outcome.reading.status != "ok":
                read.readings[path] = outcome.reading
            for (_, made), result in zip(read.results, outcome.result, strict=True):
                made[path] = result
    with known_results(read.results):
        yield read


class FileResults(NamedTuple):
    """What a function made of files, and what there is to say about them, by path."""

    results: dict[Any, Any]
    """Of the files that can be read."""
    errors: dict[Any, str]
    """What is wrong with the others."""
    readings: dict[Any, Reading]
    """Of the files that are read, those that are damaged, silent or too short."""


def results_in_chunks(
    function: Callable[[Sequence[Any]], Any],
    model: Any,
    paths: Sequence[str | FileClip],
    *,
    n_jobs: int | None,
    n_clips: int = CLIPS_AT_A_TIME,
    n_chunks: int = _CHUNKS_AT_A_TIME,
) -> Iterator[FileResults]:
    """Yield the results of a function for some files at a time, and errors.

    Each file is read once, for all audio steps of the model.

    Parameters
    ----------
    function : callable
        Takes a list of paths that can be read and returns as many results, such as
        the model's `predict_proba`.
    model : estimator, or list of estimators
        What the function calls.
    paths : sequence of str or FileClip
        Files.
    n_jobs : int or None
        Files read at a time, in threads.
    n_clips : int, default=CLIPS_AT_A_TIME
        Files of a chunk.
    n_chunks : int, default=2
        Chunks at a time: with 1, a network needs its memory once.

    Yields
    ------
    FileResults
    """
    chunks = [paths[start : start + n_clips] for start in range(0, len(paths), n_clips)]

    def apply(chunk: Sequence[str | FileClip]) -> FileResults:
        with read_once(model, chunk, n_jobs=n_jobs) as read:
            good = read.good(chunk)
            results = function(good) if good else []
        errors = {path: str(error) for path, error in read.errors.items()}
        return FileResults(dict(zip(good, results, strict=True)), errors, read.readings)

    yield from _in_threads(apply, chunks, n_chunks)


def _in_threads(
    function: Callable[[Sequence[Any]], Any],
    chunks: Sequence[Sequence[Any]],
    n_chunks: int,
) -> Iterator[Any]:
    """Yield the function's result for each chunk, in order."""
    with ThreadPoolExecutor(n_chunks) as pool:
        started: deque[Future] = deque()
        for chunk in chunks:
            started.append(pool.submit(function, chunk))
            if len(started) == n_chunks:
                yield started.popleft().result()
        while started:
            yield started.popleft().result()


@validate_params(
    {
        "model": [BaseEstimator, list, tuple],
        "X": "no_validation",
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def precompute(
    model: BaseEstimator | Iterable[BaseEstimator],
    X: Any,
    *,
    n_jobs: int | None = None,
    verbose: bool | int = False,
) -> None:
    """Compute the features of all audio steps of a model, reading each file once.

    Steps side by side, in a `FeatureUnion`, in the members of a `VotingClassifier` or
    in several models, would decode the same files one after the other. Here they work
    on each clip together, and write their results to their `cache_dir`; `fit`,
    `predict` and other methods then find them there.

    Parameters
    ----------
    model : estimator, or list of estimators
        An audio step, or anything that contains some: pipelines, unions, ensembles,
        searches. They need not be fitted, and are not changed.

    X : sequence of clips, or array-like of shape (n_clips, n_samples)
        The clips that will be passed to them.

    n_jobs : int or None, default=None
        Clips worked on at a time, in threads. None means 1 unless in a
        :func:`joblib.parallel_config` context; -1 means all processors.

    verbose : bool or int, default=False
        Show a progress bar.

    Raises
    ------
    ValueError
        If there is no audio step, a step has no `cache_dir`, or a parameter of a step
        is outside its range.

    TypeError
        If X is no sequence of clips.

    Notes
    -----
    `n_jobs` clips are in memory at a time. Cached results are not computed again: to
    resume a call that was interrupted, repeat it.

    Files that can't be read are skipped: the steps report them later.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_union
    >>> from skgenre.features import MFCCStandardizer, precompute
    >>> clips = np.random.default_rng(0).normal(size=(5, 22050))
    >>> union = make_union(
    ...     MFCCStandardizer(cache_dir="cache"),
    ...     MFCCStandardizer(statistics="correlations", cache_dir="cache"),
    ... )
    >>> precompute(union, clips)
    >>> union.fit_transform(clips).shape
    (5, 370)
    """
    steps = audio_steps(model)
    if not steps:
        raise ValueError("The model has no audio step: there is nothing to compute.")
    for step in steps:
        if step.cache_dir is None:
            raise ValueError(
                f"{step!r} has no cache_dir to keep its results in. Set one."
            )
    for _ in _outcomes(steps, check_clips(X), n_jobs=n_jobs, verbose=verbose):
        pass  # they are in the steps' caches now
