"""Run a function over many clips: in parallel, with progress, with equal results."""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from joblib import Parallel, delayed
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController
from tqdm.auto import tqdm

from skgenre.audio._clip import Clip


class _OneBlasThread:
    """A limit of the process, from when the first enters until the last has left.

    threadpoolctl's own would restore the limit of another that is still inside.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0
        self._controller: ThreadpoolController | None = None
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._controller is None:  # the search takes milliseconds
                self._controller = ThreadpoolController()
            if self._n_inside == 0:
                self._take_control()
                self._limit = self._controller.limit(limits=1, user_api="blas")
            self._n_inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._take_control()
                self._limit.restore_original_limits()
                self._take_control()

    def _take_control(self) -> None:
        """Let any thread set the limits of OpenBLAS, the current one first.

        Since version 3.8, threadpoolctl does nothing in all but the first that has, as
        they would fight over what is the process's. Here, a lock keeps them in turn.
        """
        for library in self._controller.lib_controllers if self._controller else ():
            if hasattr(library, "clear_controlling_thread"):
                library.clear_controlling_thread(force=True)


_one_blas_thread = _OneBlasThread()


@contextmanager
def error_names_clip(index: int) -> Iterator[None]:
    """Add a note with the clip's index to errors in the block."""
    try:
        yield
    except Exception as error:
        error.add_note(f"This happened in clip {index} of X.")
        raise


def progress_bar(*, verbose: bool | int = True, **options: Any) -> tqdm:
    """Return tqdm's bar, which draws nothing where there is no standard error.

    So it is in programs without a console, such as those that pythonw runs.
    """
    return tqdm(disable=not verbose or sys.stderr is None, **options)


def _run(function: Callable[[Clip], Any], clip: Clip, index: int) -> Any:
    # In a worker process nobody else has limited BLAS yet.
    with error_names_clip(index), _one_blas_thread:
        return function(clip)


def map_clips(
    function: Callable[[Clip], Any],
    clips: Sequence[Clip],
    *,
    n_jobs: int | None = None,
    verbose: bool | int = False,
    desc: str | None = None,
) -> Iterator[Any]:
    """Yield ``function(clip)`` for each clip, in order, computed in parallel.

    Parameters
    ----------
    function : callable
        Takes one clip. It runs in threads, or in the workers of the joblib backend
        that :func:`joblib.parallel_config` names, and then has to be picklable.

    clips : sequence
        Paths, URLs or waveforms, or whatever `function` takes.

    n_jobs : int or None, default=None
        Number of clips at a time; None means 1 unless in a
        :func:`joblib.parallel_config` context, -1 as many as there are processors.

    verbose : bool or int, default=False
        Show a progress bar.

    desc : str or None, default=None
        Text in front of the progress bar.

    Yields
    ------
    result : object
        What `function` returns. An exception that it raises ends the iteration,
        with a note that gives the clip's index.

    Notes
    -----
    Results come one by one as they are ready, with backends of joblib that can do
    so; with others, such as Ray's, when all are.
    """
    tasks = (delayed(_run)(function, clip, i) for i, clip in enumerate(clips))
    # Only clips are spread over threads: with a BLAS that splits its sums over threads
    # in each of them, processors would be oversubscribed and results would depend
    # on n_jobs in the last digits.
    with (
        _one_blas_thread,
        progress_bar(total=len(clips), desc=desc, unit="clip", verbose=verbose) as bar,
    ):
        backend, _ = get_active_backend(prefer="threads")
        parallel = Parallel(
            n_jobs=n_jobs,
            prefer="threads",
            # Of others, such as Ray's, all results come at once.
            return_as="generator" if backend.supports_return_generator else "list",
        )
        for result in parallel(tasks):
            yield result
            bar.update()
