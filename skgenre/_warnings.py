"""Warnings that are ignored for a while, also where threads overlap."""

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_lock = threading.Lock()
_inside = 0
_restored = ExitStack()


@contextmanager
def ignored_warnings() -> Iterator[None]:
    """Show no warnings inside the block, nor those of other threads meanwhile.

    `warnings.catch_warnings` puts back what it has found. Where threads overlap, the
    last to leave has found what an earlier one had set, and no warning would be shown
    any more. Here, the last to leave puts back what the first has found.
    """
    global _inside
    if getattr(sys.flags, "context_aware_warnings", False):  # each thread has its own
        with warnings.catch_warnings(action="ignore"):
            yield
        return
    with _lock:
        if not _inside:
            _restored.enter_context(warnings.catch_warnings(action="ignore"))
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _restored.close()
