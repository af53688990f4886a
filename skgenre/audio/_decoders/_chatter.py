"""What decoders print about damaged files, kept from the terminal.

libmpg123 prints errors to the standard error, and libsndfile what it was debugged with
to the standard output, among the results. libsndfile gives no access to an option
against it. They print through the C library's `stderr` and `stdout`, variables that
here point to the null device meanwhile. Python prints through descriptors, so that
messages, tracebacks and progress bars of other threads are not affected; what other C
code has to say at such a moment is lost.
"""

import ctypes
import os
import platform
import sys
import threading
from typing import Any


def c_streams() -> list[Any]:
    """Return the C library's variables; none where they can't be set."""
    # In other libraries, such as musl, they are constants.
    if sys.platform == "darwin":
        names = ["__stdoutp", "__stderrp"]
    elif platform.libc_ver()[0] == "glibc":
        names = ["stdout", "stderr"]
    else:
        names = []
    try:
        return [ctypes.c_void_p.in_dll(ctypes.CDLL(None), name) for name in names]
    except (OSError, ValueError):
        return []


class _Quiet:
    """A state of the process, from when the first enters until the last has left."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0
        self._is_ready = False
        self._streams: list[Any] = []
        self._before: list[int | None] = []
        self._null: int | None = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._is_ready:
                self._open_null()
            if self._n_inside == 0:
                self._before = [stream.value for stream in self._streams]
                for stream in self._streams:
                    stream.value = self._null
            self._n_inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._restore()

    def _open_null(self) -> None:
        self._is_ready = True
        if streams := c_streams():
            fopen = ctypes.CDLL(None).fopen
            fopen.restype, fopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p] * 2
            self._null = fopen(os.fsencode(os.devnull), b"w")
            self._streams = streams if self._null else []

    def _restore(self) -> None:
        for stream, before in zip(self._streams, self._before, strict=True):
            stream.value = before

    def after_fork(self) -> None:
        """Restore the streams in a child, where no other thread is left."""
        self._lock = threading.Lock()
        if self._n_inside:
            self._n_inside = 0
            self._restore()


quiet = _Quiet()
"""A context in which C libraries print nothing."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=quiet.after_fork)
