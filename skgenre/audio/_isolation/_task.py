"""A task on one clip in a worker process, with limits of time and memory.

A decoder that crashes, hangs or exhausts the memory takes its process along: here that
is a worker, which is replaced, and the clip ends in an `AudioError`.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skgenre.audio._clip import Clip, FileClip, WaveformClip, clip_name
from skgenre.audio._errors import AudioError
from skgenre.audio._isolation._worker import TimeExpired, Worker, WorkerDied
from skgenre.audio._reading import Observed, note

# For a worker's imports, which may come from a slow network disk.
_START_SECONDS = 300.0

# Workers that wait for a clip; of the next call, too, as a start takes as long as
# many clips do. Each has the task whose modules it has imported.
_idle: list[tuple[Worker, Callable]] = []


@dataclass(frozen=True)
class IsolatedTask:
    """A task for one clip, run in a worker process.

    Any number of threads may call it, and as many workers work at a time. Waveforms,
    which no decoder touches, are left to the calling thread; of an open file the
    contents are sent.

    Parameters
    ----------
    task : callable
        Takes one clip; a worker must be able to import it.

    time_limit : float
        Seconds that a clip may take.

    memory_limit : int or None, default=None
        Bytes that a clip may take, on Linux; None means half of the machine's memory.
    """

    task: Callable[[Clip], Any]
    time_limit: float
    memory_limit: int | None = None

    def __call__(self, clip: Clip) -> Any:
        """Return the result of the task on a clip.

        Raises
        ------
        AudioError
            If the file can't be read, crashes its worker, or takes too much time or
            memory.

        RuntimeError
            If no worker can be started.
        """
        if isinstance(clip, np.ndarray | WaveformClip):
            return self.task(clip)
        if not isinstance(clip, str | FileClip):
            # Bytes are never taken for a URL, just as a path of whatever type.
            clip = os.fsencode(clip)
        memory = self.memory_limit or _half_of_memory()
        try:
            try:
                if (worker := self._idle_worker()) is not None:
                    return self._ask(worker, clip, memory)
            except TimeExpired:
                raise
            except (WorkerDied, MemoryError):
                # An earlier clip may have caused it. In a new worker, this one has.
                pass
            return self._ask(self._new_worker(), clip, memory)
        except TimeExpired:
            cause = f"it takes more than {self.time_limit:g} s"
            advice = "Leave it out, or set a longer time_limit."
        except WorkerDied as died:
            cause = f"it crashes the decoder ({died})"
            advice = "The file is damaged: replace it or leave it out."
        except MemoryError:
            cause = "it takes more memory than there is"
            if memory is not None:
                cause = f"it takes more than {memory / 1e6:.0f} MB of memory"
            advice = "Take a shorter part of it, or leave it out."
        raise AudioError(clip_name(clip), cause, advice)

    def _ask(self, worker: Worker, clip: Clip, memory: int | None) -> Any:
        try:
            task = Observed(self.task)
            value, reading = worker.ask(task, clip, self.time_limit, memory)
        except (WorkerDied, MemoryError):
            worker.end()
            raise
        except Exception:  # raised by the task: the worker is fine
            _idle.append((worker, self.task))
            raise
        _idle.append((worker, self.task))
        note(reading)
        return value

    def _idle_worker(self) -> Worker | None:
        """Return a worker that lives and has imported the task, if there is one."""
        while True:
            try:
                worker, task = _idle.pop()
            except IndexError:
                return None
            if worker.is_alive():
                if task is not self.task:
                    self._prepare(worker)
                return worker

    def _new_worker(self) -> Worker:
        worker = Worker()
        try:
            self._prepare(worker)
        except WorkerDied as died:
            raise RuntimeError(
                f"No worker process could be started for time_limit ({died}); the "
                "standard error shows why. Without time_limit, none is needed."
            ) from None
        return worker

    def _prepare(self, worker: Worker) -> None:
        """Import the task's modules, which does not count as a clip's time."""
        try:
            # Any harmless function: reading the request imports them.
            worker.ask(callable, self.task, _START_SECONDS, None)
        except TimeExpired:  # a message about clips would be wrong here
            raise WorkerDied(f"no response for {_START_SECONDS:g} s") from None


def _half_of_memory() -> int | None:
    if sys.platform != "linux":  # where no limit is kept
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
