"""Ctrl-C and SIGTERM end a command with a line and an exit code, not a traceback."""

import os
import signal
import socket
import sys
import threading
import time
from types import FrameType
from typing import Any

import typer

from skgenre._install import lacking
from skgenre.cli._console import console, fail
from skgenre.cli._help import Group

# Code in C that Python can't interrupt, such as the training of a support vector
# machine, gets so many seconds to come to an end.
_PATIENCE = 3.0


class _Terminated(KeyboardInterrupt):
    """The process was asked to end."""


class InterruptibleGroup(Group):
    """Commands that can be interrupted."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; exit with 128 plus the signal's number, as shells do."""
        if threading.current_thread() is not threading.main_thread():
            return super().invoke(ctx)  # no signal comes here
        watch = _Watch()
        try:
            return super().invoke(ctx)
        except ImportError as error:
            if lacking(error) is None:
                raise
            raise fail(error) from None
        except KeyboardInterrupt as error:
            for number in (signal.SIGINT, signal.SIGTERM):  # once is enough
                signal.signal(number, signal.SIG_IGN)
            is_term = isinstance(error, _Terminated)
            number = signal.SIGTERM if is_term else signal.SIGINT
            watch.report(number)
            raise typer.Exit(128 + number) from None
        finally:
            watch.close()


class _Watch:
    """A thread that ends the process if it does not end by itself after a signal."""

    def __init__(self) -> None:
        self._old = signal.getsignal(signal.SIGTERM)
        if self._old == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _raise)
        # Python's own handlers wait for code in C, too; only this is notified at once.
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)
        self._old_descriptor = signal.set_wakeup_fd(
            self._sender.fileno(), warn_on_full_buffer=False
        )
        self._has_reported = threading.Event()
        threading.Thread(target=self._end_in_time, daemon=True).start()

    def report(self, number: int) -> None:
        """Print that the command ends, and why, unless it was printed already."""
        if not self._has_reported.is_set():
            self._has_reported.set()
            is_term = number == signal.SIGTERM
            console.print("Terminated." if is_term else "Interrupted.")

    def close(self) -> None:
        """Stop watching, unless a signal has come."""
        signal.set_wakeup_fd(self._old_descriptor)
        self._sender.close()
        if signal.getsignal(signal.SIGTERM) == _raise:
            signal.signal(signal.SIGTERM, self._old)

    def _end_in_time(self) -> None:
        with self._receiver:
            while received := self._receiver.recv(1):
                number = received[0]
                if number in (signal.SIGINT, signal.SIGTERM):
                    time.sleep(_PATIENCE)
                    self.report(number)
                    sys.stderr.flush()
                    os._exit(128 + number)


def _raise(number: int, frame: FrameType | None) -> None:
    raise _Terminated
