"""Keras as this package needs it: on TensorFlow, quiet, not forked or interrupted."""

import contextlib
import contextvars
import functools
import logging
import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

import numpy as np
import sklearn

from skgenre._install import require
from skgenre.runtime._greetings import no_greetings

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

require("tensorflow", "keras", "scikeras")

with no_greetings():
    import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "skgenre trains with Keras on TensorFlow (several times faster for these "
        f"networks), but Keras runs on {keras.backend.backend()!r}. Unset the "
        "environment variable KERAS_BACKEND, or set it to 'tensorflow', before "
        "Keras is imported."
    )

import tensorflow as tf

_P = ParamSpec("_P")
_R = TypeVar("_R")


def grow_memory() -> None:
    """Have TensorFlow take the memory of a GPU as it needs it, not all at once.

    What the user has set before is left as it is.
    """
    for gpu in tf.config.list_physical_devices("GPU"):
        if tf.config.experimental.get_memory_growth(gpu) is None:
            try:
                tf.config.experimental.set_memory_growth(gpu, True)
            except (RuntimeError, ValueError):
                return  # the GPUs are in use, or have been divided, by the user


grow_memory()


def warn_of_shared_gpu() -> None:
    """Warn in a worker process of joblib, which shares a GPU with the others."""
    in_worker = type(multiprocessing.current_process()).__name__ == "LokyProcess"
    if in_worker and tf.config.list_physical_devices("GPU"):
        warnings.warn(
            "Networks are trained in several processes (n_jobs > 1) that use one GPU, "
            "unless each was given its own by CUDA_VISIBLE_DEVICES: they take turns "
            "and share its memory, so that nothing is gained. Set n_jobs=1.",
            stacklevel=2,
        )


_at_work: contextvars.ContextVar[bool] = contextvars.ContextVar(
    "skgenre_at_work", default=False
)


class _NoRetracing(logging.Filter):
    """Drops the advice to trace less often, where it is our networks that are traced.

    Networks of several shapes, as in a search, are traced once each; nothing is wrong.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return not (_at_work.get() and "tf.function retracing" in record.getMessage())


tf.get_logger().addFilter(_NoRetracing())


_first_process: int | None = None


def check_process() -> None:
    """Refuse to use TensorFlow in a process forked from one that has used it.

    The fork has none of its threads, and would wait for them forever.

    Raises
    ------
    RuntimeError
        If this is such a process.
    """
    global _first_process
    if _first_process is None:
        _first_process = os.getpid()
    if _first_process != os.getpid():
        raise RuntimeError(
            "TensorFlow was used before this process was forked, and would wait "
            "forever. Start workers by joblib's default backend (loky) or by "
            "multiprocessing's 'spawn', or use networks in the workers only."
        )


# Keras's settings that change what a training computes, or how long it is. Data format
# and dtype are not among them: our layers state theirs.
_DEFAULTS = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "max_epochs": None,
    "max_steps_per_epoch": None,
}


def check_settings() -> None:
    """Refuse to train where global settings would make it another training, or crash.

    Raises
    ------
    RuntimeError
        If a setting of Keras has another value than by default, or TensorFlow has a
        distribution strategy.
    """
    for name, default in _DEFAULTS.items():
        if (value := getattr(keras.config, name)()) != default:
            raise RuntimeError(
                f"Keras's global setting {name} is {value!r}, which would change the "
                f"training. Call keras.config.set_{name}({default!r}) before; it may "
                "come from the environment or from keras.json."
            )
    # When Keras drops a strategy's iterator, its thread may go on to read freed memory.
    if tf.distribute.has_strategy():
        raise RuntimeError(
            "Keras may crash the process where it trains under a strategy of "
            f"tf.distribute, here {type(tf.distribute.get_strategy()).__name__}. Leave "
            "its scope."
        )


@contextlib.contextmanager
def layers_of(precision: str) -> Iterator[None]:
    """Give layers made inside the block, in this thread, a dtype policy of Keras."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


# Ctrl-C, and whatever else a signal's handler raises.

_POLL = 0.1  # seconds; on Windows no signal ends a wait
_interrupted: contextvars.ContextVar[threading.Event] = contextvars.ContextVar(
    "skgenre_interrupted"
)


class Interrupted(BaseException):
    """Ends the work of a thread whose caller was interrupted."""


def stop_if_interrupted() -> None:
    """End shielded work here if an interrupt has come: between batches, for instance.

    Raises
    ------
    Interrupted
        In the thread that works; `shield_from_interrupts` catches it.
    """
    event = _interrupted.get(None)
    if event is not None and event.is_set():
        raise Interrupted


def shield_from_interrupts(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return a function that no signal interrupts while TensorFlow is at work.

    Python runs the handlers of signals in the main thread, wherever that happens to be,
    and most handlers raise: Ctrl-C a `KeyboardInterrupt`. While TensorFlow traces a
    network, that leaves a state behind in which it can trace no other; in a finaliser,
    of which TensorFlow has many, the exception is lost.

    So in the main thread `function` is called in a second thread, and the main thread
    waits. What a handler raises is raised again as soon as `function` has returned, or
    has reached `stop_if_interrupted`. A second interrupt doesn't wait for that; the
    work then ends behind the caller's back. No handler is replaced. In other threads,
    where no handler runs, `function` is called as it is.

    The second thread has the context variables of the main one, NumPy's and
    scikit-learn's settings, Keras's dtype policy and logging, and TensorFlow's device
    and distribution strategy.

    Parameters
    ----------
    function : callable
        What it returns or raises is passed on.

    Returns
    -------
    callable
        It also raises `RuntimeError` after a fork, see `check_process`.
    """

    @functools.wraps(function)
    def shielded(*arguments: _P.args, **keywords: _P.kwargs) -> _R:
        check_process()
        at_work = _at_work.set(True)
        try:
            if threading.current_thread() is not threading.main_thread():
                return function(*arguments, **keywords)
            call = functools.partial(function, *arguments, **keywords)
            return _call_in_a_thread(call)
        finally:
            _at_work.reset(at_work)

    return shielded


def _call_in_a_thread(function: Callable[[], _R]) -> _R:
    interrupted, settings = threading.Event(), _thread_settings()
    context = contextvars.copy_context()
    results: list[_R] = []
    errors: list[BaseException] = []
    ended: list[bool] = []
    # Of the two threads, only the second ever releases it. Waiting for it is a call in
    # C: a handler's exception can't leave it, or a lock of Python's own, in between.
    has_ended = threading.Lock()
    has_ended.acquire()

    def call() -> _R:
        _interrupted.set(interrupted)
        with settings():
            return function()

    def work() -> None:
        try:
            if not interrupted.is_set():
                results.append(context.run(call))
        except BaseException as error:
            errors.append(error)
        finally:
            ended.append(True)
            has_ended.release()

    thread = threading.Thread(target=work, name="skgenre-tensorflow")

    def wait() -> None:
        while not ended:
            has_ended.acquire(timeout=_POLL)

    try:
        try:
            thread.start()
        except RuntimeError:  # the process has no thread left, or is about to end
            if thread.ident is not None:
                raise
            return function()
        wait()
    except BaseException as interrupt:
        interrupted.set()
        if thread.ident is not None:  # else it has nothing to do once it begins
            wait()
            if errors and not isinstance(errors[0], Interrupted):
                interrupt.__context__ = errors[0]
        raise
    try:
        if errors:
            raise errors[0]
        return results[0]
    finally:
        errors.clear()  # an exception holds on to this frame


def _thread_settings() -> Callable[[], contextlib.ExitStack]:
    """Return a function that gives another thread the settings of this one."""
    numpy, scikit_learn = np.geterr(), sklearn.get_config()
    policy = keras.config.dtype_policy()
    logs = keras.config.is_interactive_logging_enabled()
    filters = keras.config.is_traceback_filtering_enabled()
    device = tf.constant(0.0).device
    has_strategy, strategy = tf.distribute.has_strategy(), tf.distribute.get_strategy()

    def settings() -> contextlib.ExitStack:
        np.seterr(**numpy)
        sklearn.set_config(**scikit_learn)
        keras.config.set_dtype_policy(policy)
        if not logs:
            keras.config.disable_interactive_logging()
        if not filters:
            keras.config.disable_traceback_filtering()
        stack = contextlib.ExitStack()
        if has_strategy:
            stack.enter_context(strategy.scope())
        elif tf.constant(0.0).device != device:
            stack.enter_context(tf.device(device))
        return stack

    return settings
