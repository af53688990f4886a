"""TensorFlow's greetings, kept from the standard error while it is imported."""

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def no_greetings() -> Iterator[None]:
    """Import TensorFlow inside the block without notes about the machine.

    The environment variable ``TF_CPP_MIN_LOG_LEVEL``, where it is not set, becomes 3,
    for worker processes, too: TensorFlow's errors are raised, and need no log. With 0,
    everything is shown.

    TensorFlow 2.21 writes some notes before it looks at that variable. So on Linux, C's
    ``stderr`` is another file meanwhile. The descriptor, and what Python and other
    processes write, stay as they are.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    # glibc's manual allows to set it; in others it may be constant.
    if level == "0" or not hasattr(libc, "gnu_get_libc_version"):
        yield
        return
    open_file = libc.fopen  # type: ignore[union-attr]
    open_file.restype = ctypes.c_void_p
    stderr = ctypes.c_void_p.in_dll(libc, "stderr")  # type: ignore[arg-type]
    before = stderr.value
    # Never closed: another thread may still be writing there.
    nowhere = open_file(os.devnull.encode(), b"w")
    if nowhere:
        stderr.value = nowhere
    try:
        yield
    finally:
        stderr.value = before
