"""All features of a clip in one pass, for steps with a cache."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from sklearn.base import BaseEstimator

from skgenre._estimators import parts
from skgenre._sklearn_compat import validate_params
from skgenre.audio._check_clips import check_clips
from skgenre.audio._errors import AudioError
from skgenre.audio._isolated_task import IsolatedTask
from skgenre.audio._load import Clip
from skgenre.audio._map_clips import map_clips
from skgenre.audio._shared_reader import one_opening
from skgenre.features._base import AudioTransformer


@dataclass
class _AllTasks:
    """Several tasks as one, which opens a file once."""

    tasks: list[Callable[[Clip], Any]]

    def __call__(self, clip: Clip) -> list[Any]:
        with one_opening():
            return [task(clip) for task in self.tasks]


def _skip_errors(clip: Clip, task: Callable[[Clip], list[Any]]) -> list[Any]:
    try:
        return task(clip)
    except AudioError:  # the steps will report it
        return []


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

    X : sequence of paths, array-like of shape (n_clips, n_samples), or list of \
            array-likes of shape (n_samples,)
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
        If X is neither a sequence of paths nor of waveforms.

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
    steps = [
        part
        for part in parts(model)
        if isinstance(part, AudioTransformer)
        and getattr(part, "input", None) != "features"
    ]
    if not steps:
        raise ValueError("The model has no audio step: there is nothing to compute.")
    for step in steps:
        if step.cache_dir is None:
            raise ValueError(
                f"{step!r} has no cache_dir to keep its results in. Set one."
            )
    clips = check_clips(X)
    tasks, keepers = [], []
    for step in steps:
        _, task, finish, cache = step._work()
        assert cache is not None  # see above
        tasks.append(cache.look_up(task))
        keepers.append((cache, finish))
    together: Callable[[Clip], list[Any]] = _AllTasks(tasks)
    if limits := [step.time_limit for step in steps if step.time_limit is not None]:
        together = IsolatedTask(together, sum(limits))
    task = functools.partial(_skip_errors, task=together)
    for all_results in map_clips(
        task, clips, n_jobs=n_jobs, verbose=verbose, desc="Features"
    ):
        for result, (cache, finish) in zip(all_results, keepers, strict=False):
            cache.keep(result, finish)
