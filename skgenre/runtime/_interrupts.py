"""Ctrl-C where TensorFlow can bear it: between its calls, not in the midst of them.

An interrupt raises wherever Python happens to be. While TensorFlow traces a network, it
leaves a state behind in which none can be traced any more; in a finaliser, of which
TensorFlow has many, it is lost.
"""

import contextlib
import inspect
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

_Handler = Callable[[int, FrameType | None], object]

_SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGALRM", "SIGBREAK")
    if hasattr(signal, name)
]
# Those that have come, with their handlers; None where they need not wait.
_waiting: dict[int, _Handler] | None = None


@contextlib.contextmanager
def interrupts_wait() -> Iterator[None]:
    """Have signals whose handlers may raise wait for the end of a block.

    They wait for `let_interrupts_in`, if that is sooner; a second one of a kind does
    not wait. In other threads than the main one, where Python handles no signals, and
    in a block within such a block, nothing is changed.
    """
    global _waiting
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or _waiting is not None:
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, _patient(handler))
        _waiting = {}
        yield
    finally:
        # Once there is no place to wait in, a handler that is still patient isn't.
        came, _waiting = _waiting or {}, None
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
        _handle(came)


def let_interrupts_in() -> None:
    """Handle the signals that wait; most handlers raise `KeyboardInterrupt`."""
    if _waiting and threading.current_thread() is threading.main_thread():
        came = dict(_waiting)
        _waiting.clear()
        _handle(came)


def _patient(handler: _Handler) -> _Handler:
    def wait(number: int, frame: FrameType | None) -> None:
        if _waiting is None or number in _waiting:
            handler(number, frame)
        else:
            _waiting[number] = handler

    return wait


def _handle(came: dict[int, _Handler]) -> None:
    for number, handler in came.items():
        handler(number, inspect.currentframe())
