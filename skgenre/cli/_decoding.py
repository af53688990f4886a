"""Which files can't be decoded, and why."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from skgenre.audio import AudioError, Clip, map_clips
from skgenre.audio._cache import ClipCache
from skgenre.audio._isolation import IsolatedTask
from skgenre.audio._load import read_samples

# As much as the mel step takes of a long song, from its middle.
_SECONDS = 30


def decoding_errors(
    paths: Sequence[Clip],
    *,
    cache_dir: Path | None = None,
    time_limit: float | None,
    n_jobs: int | None,
    verbose: bool,
) -> list[str | None]:
    """Decode what the pipelines need of each file; return what is wrong, or None.

    With `cache_dir` files that were decoded before are not decoded again; with
    `time_limit` it is done in worker processes.
    """
    cache = None
    task: Callable[[Clip], Any] = _decode
    if time_limit is not None:
        task = IsolatedTask(task, time_limit)
    if cache_dir is not None:
        cache = ClipCache(cache_dir, "Decoded", {"seconds": _SECONDS}, shape=())
        task = cache.look_up(task)
    errors: list[str | None] = []
    for result in map_clips(
        functools.partial(_error_or_result, task=task),
        paths,
        n_jobs=n_jobs,
        verbose=verbose,
        desc="Checking",
    ):
        is_error = isinstance(result, AudioError)
        errors.append(str(result) if is_error else None)
        if cache is not None and not is_error:
            cache.keep(result, finish=float)
    return errors


def _error_or_result(clip: Clip, task: Callable[[Clip], Any]) -> Any:
    try:
        return task(clip)
    except AudioError as error:
        return error


def _decode(clip: Clip) -> int:
    return len(read_samples(clip, None, _middle))


def _middle(n_samples: int, sample_rate: int) -> tuple[int, int]:
    length = min(n_samples, _SECONDS * sample_rate)
    start = (n_samples - length) // 2
    return start, start + length
