"""What libmpg123 prints about damaged files, kept from the terminal.

libsndfile gives no access to the option that would silence it. It prints through
the C library's `stderr`, a variable, which here points to the null device meanwhile.
Python prints through the descriptor, so that messages, tracebacks and progress bars of
other threads are not affected; what other C code has to say at such a moment is lost.
"""

import ctypes
import os
import platform
import sys
import threading
from typing import Any


def _c_stderr() -> Any:
    """Return the C library's variable, or None where it can't be set."""
    # In other libraries, such as musl, it is a constant.
    if sys.platform == "darwin":
        name = "__stderrp"
    elif platform.libc_ver()[0] == "glibc":
        name = "stderr"
    else:
        return None
    try:
        return ctypes.c_void_p.in_dll(ctypes.CDLL(None), name)
    except (OSError, ValueError):
        return None


class _Quiet:
    """A state of the process, from when the first enters until the last has left."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0
        self._stderr: Any = None
        self._null: int | None = None
        self._before: int | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._null is None:
                self._open_null()
            if self._n_inside == 0 and self._null:
                self._before = self._stderr.value
                self._stderr.value = self._null
            self._n_inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0 and self._null:
                self._stderr.value = self._before

    def _open_null(self) -> None:
        self._null = 0
        self._stderr = _c_stderr()
        if self._stderr is None:
            return
        fopen = ctypes.CDLL(None).fopen
        fopen.restype, fopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p] * 2
        self._null = fopen(os.fsencode(os.devnull), b"w") or 0

    def after_fork(self) -> None:
        """Restore the variable in a child, where only one thread is left."""
        if self._n_inside and self._null:
            self._stderr.value = self._before
        self._lock = threading.Lock()
        self._n_inside = 0


quiet = _Quiet()
"""A context in which C libraries print nothing to the standard error."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=quiet.after_fork)
