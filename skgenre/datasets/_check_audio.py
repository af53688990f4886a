"""Which sound files can be read, to know before a long job begins."""

import functools
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skgenre._sklearn_compat import Interval, safe_indexing, validate_params
from skgenre.audio import Clip, map_clips
from skgenre.audio._check_clips import check_clips
from skgenre.audio._isolation._task import IsolatedTask
from skgenre.audio._isolation._worker import MAX_SECONDS
from skgenre.audio._outcome import attempt, outcome_records, read_facts, records_frame
from skgenre.audio._reading import read_samples
from skgenre.features._base import excerpt_samples


def _decode(clip: Clip, duration: float | None) -> int:
    return len(read_samples(clip, None, excerpt_samples(duration, "middle")))


@validate_params(
    {
        "paths": "no_validation",
        "duration": [Interval(Real, 0, None, closed="neither"), None],
        "time_limit": [Interval(Real, 0, MAX_SECONDS, closed="right"), None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def check_audio(
    paths: Any,
    *,
    duration: float | None = 30.0,
    time_limit: float | None = None,
    n_jobs: int | None = None,
    verbose: bool | int = False,
) -> Bunch:
    """Return which sound files can be read, before anything is computed of them.

    Parameters
    ----------
    paths : sequence of paths
        A list, 1-D array, Series or one column. Open files and waveforms with their
        rate are checked, too.

    duration : float or None, default=30.0
        Seconds to decode of each file, from its middle, as the audio steps do; None
        decodes all of it.

    time_limit : float or None, default=None
        Seconds that a file may take; it is then decoded in a worker process, which
        may crash. None decodes in threads of this process, without a limit.

    n_jobs : int or None, default=None
        Files worked on at a time, in threads. None means 1 unless in a
        :func:`joblib.parallel_config` context; -1 means all processors. Results
        don't depend on it.

    verbose : bool or int, default=False
        Show a progress bar.

    Returns
    -------
    checked : :class:`~sklearn.utils.Bunch`
        paths : sequence
            Those of the files that can be read, of the same kind as `paths`.
        readable : ndarray of shape (n_paths,), bool
            Which these are, by which genres and groups are chosen, too.
        report : DataFrame of shape (n_paths, 9)
            Of each file, ``path``, ``status``, its ``cause``, ``duration`` in seconds,
            ``channels`` and ``sample_rate`` by the header, the seconds ``decoded`` and
            ``lost``, and the ``seconds`` spent. The status is 'error' or, for files
            that can be read, 'ok', 'damaged', 'silent' or 'too short'
            (:ref:`no_music`).

    Raises
    ------
    TypeError
        If `paths` is no sequence of paths, or one is a waveform without its rate.
        Files raise nothing.

    ValueError
        If `paths` is empty.

    See Also
    --------
    audit : Finds short, silent and repeated clips, too.
    skgenre.MissingClipClassifier : Lets a pipeline pass over files that can't be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre.datasets import check_audio, make_genre_clips
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clips = make_genre_clips(4, duration=1, random_state=0, folder=folder)
    ...     _ = Path(clips.paths[2]).write_bytes(b"half a download")
    ...     checked = check_audio(clips.paths)
    >>> checked.readable
    array([ True,  True, False,  True])
    >>> len(checked.paths), clips.target[checked.readable].tolist()
    (3, ['ambient', 'rock', 'waltz'])
    >>> checked.report.loc[2, "status"]
    'error'
    """
    clips = check_clips(paths)
    for i, clip in enumerate(clips):
        if isinstance(clip, np.ndarray):
            raise TypeError(
                f"Clip {i} of paths is an array of shape {clip.shape}, whose sample "
                "rate is not known. Pass (samples, sample_rate)."
            )
    look: Callable[[Clip], Any] = read_facts
    task: Callable[[Clip], Any] = functools.partial(_decode, duration=duration)
    if time_limit is not None:
        look, task = IsolatedTask(look, time_limit), IsolatedTask(task, time_limit)
    outcomes = list(
        map_clips(
            functools.partial(attempt, task=task, look=look),
            clips,
            n_jobs=n_jobs,
            verbose=verbose,
            desc="Checking",
        )
    )
    readable = np.array([outcome.error is None for outcome in outcomes])
    return Bunch(
        paths=safe_indexing(paths, np.flatnonzero(readable)),
        readable=readable,
        report=records_frame(outcome_records(clips, outcomes)),
    )
