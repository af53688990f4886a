"""A worker process, which crashes in place of this one.

A worker is a new interpreter: no fork, which isn't safe beside TensorFlow's threads,
and it doesn't import the user's script, which so needs no guard. Each has pipes of its
own, so that whenever one dies, nobody else's clip is concerned. It reads pickles of
``(function, argument, seconds, memory, folder)`` and writes pickles of
``(value, error)``. Nobody else can write to a pipe of theirs.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
import weakref
from collections.abc import Callable
from multiprocessing.spawn import get_executable
from typing import Any

MAX_SECONDS = 86_400
"""Longest time limit: a day."""
# A worker that nobody asks anything ends after so many seconds; one that hangs, and
# whose parent is gone, so many after its time.
_IDLE_SECONDS = 300.0
_ORPHAN_SECONDS = 5.0
# Only clips are spread over processes, as `map_clips` spreads them over threads.
_ONE_THREAD = dict.fromkeys(
    (
        "BLIS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)
_PROGRAM = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from skgenre.audio._isolation._worker import serve; serve()"
)


class WorkerDied(Exception):
    """A worker gave no result; the argument says how it ended."""


class TimeExpired(WorkerDied):
    """A worker was ended, as it took too long."""


class Worker:
    """A worker process, for one thread at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            # -P: no module of the current folder is imported in place of Python's own.
            [get_executable(), "-P", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | _ONE_THREAD,
            # Ctrl-C goes to the parent only, which then ends its workers.
            start_new_session=True,
        )
        self._parent = os.getpid()
        self.end = weakref.finalize(self, _end, self._process, self._parent)
        """Kill the process. The interpreter's exit does it, too."""
        self._send(pickle.dumps(sys.path))

    def is_alive(self) -> bool:
        """Return whether it runs, and is a child of this process, not of a parent."""
        return self._parent == os.getpid() and self._process.poll() is None

    def ask(
        self, function: Callable, argument: Any, seconds: float, memory: int | None
    ) -> Any:
        """Return what a function returns in the worker, or raise what it raises.

        Parameters
        ----------
        function : callable
            The worker must be able to import it. It runs in this
            process's working folder.
        argument : object
            Its only argument.
        seconds : float
            Time after which the worker is killed.
        memory : int or None
            Bytes that the function may take (on Linux); None sets no limit.

        Raises
        ------
        WorkerDied
            If there is no result. This worker can't be used any more.
        """
        request = function, argument, seconds, memory, _working_folder()
        data = pickle.dumps(request, protocol=pickle.HIGHEST_PROTOCOL)
        has_expired = threading.Event()

        def expire() -> None:
            has_expired.set()
            self._process.kill()

        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        try:
            self._send(data)
            results: Any = self._process.stdout  # that nobody else can write to
            value, error = pickle.load(results)  # nosec B301
        except (EOFError, OSError, pickle.UnpicklingError):
            manner = _manner_of_death(_exit_code(self._process))
            died = TimeExpired if has_expired.is_set() else WorkerDied
            raise died(manner) from None
        except BaseException:  # interrupted while a result arrives
            self.end()
            raise
        finally:
            timer.cancel()
        if error is not None:
            raise error
        return value

    def _send(self, data: bytes) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(data)
            stdin.flush()
        except BrokenPipeError:
            pass  # it has died, as reading the result will show


def _working_folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # deleted, so that no relative path leads anywhere
        return os.sep


def _end(process: subprocess.Popen, parent: int) -> None:
    if parent != os.getpid():  # a fork, whose parent still needs it
        return
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        try:
            pipe.close()  # type: ignore[union-attr]
        except OSError:  # it had not read all
            pass


def _exit_code(process: subprocess.Popen) -> int:
    try:
        return process.wait(timeout=10)
    except subprocess.TimeoutExpired:  # it has closed its pipe, and lives
        process.kill()
        return process.wait()


def _manner_of_death(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"{name}, as when memory runs out" if name == "SIGKILL" else name


# What follows runs in the worker.


def serve() -> None:
    """Run requests until there are no more."""
    # What libraries print must not get among the results.
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _be_killed_first()
    while True:
        _die_after(_IDLE_SECONDS)
        try:
            asked = sys.stdin.buffer  # that nobody but the parent can write to
            request = pickle.load(asked)  # nosec B301
        except EOFError:
            return
        function, argument, seconds, memory, folder = request
        _die_after(seconds + _ORPHAN_SECONDS)
        result = _call(function, argument, memory, folder)
        try:
            results.write(result)
            results.flush()
        except BrokenPipeError:  # the parent is gone
            os._exit(1)


def _call(function: Callable, argument: Any, memory: int | None, folder: str) -> bytes:
    """Return the pickle of (value, None) or (None, error)."""
    value = None
    error: Exception | None = None
    lift_limit = _limit_memory(memory)
    try:
        os.chdir(folder)  # the argument may be a relative path
        value = function(argument)
    except MemoryError:
        error = MemoryError()
    except Exception as caught:
        error = caught
        # Pickles hold no traceback. Of a ValueError, which AudioError is, the message
        # says enough.
        if not isinstance(caught, ValueError):
            caught.add_note(f"In the worker process: {traceback.format_exc()}")
        # Or this frame and the error would hold each other, and all that was read.
        caught.__traceback__ = caught.__context__ = None
    finally:
        lift_limit()
    try:
        return pickle.dumps((value, error), protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as caught:
        message = f"The result {(value, error)!r:.200} can't be pickled: {caught}"
        return pickle.dumps((None, TypeError(message)))


def _limit_memory(memory: int | None) -> Callable[[], None]:
    """Limit what is taken from now on; return what lifts the limit."""
    if memory is None or sys.platform != "linux":
        return lambda: None
    import resource

    with open("/proc/self/statm") as file:
        in_use = int(file.read().split()[0]) * resource.getpagesize()
    before = soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    others = [limit for limit in before if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([in_use + memory, *others]), hard))
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _die_after(seconds: float) -> None:
    """Have the system end this process, even one that hangs and has no parent."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _be_killed_first() -> None:
    """Where memory runs out, the worker is to be killed, not its parent."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:  # no Linux, or not allowed
        pass
