"""Tasks that do to their process what a broken decoder does; for worker processes."""

import ctypes
import os
import re
import signal
import sys
import time
from pathlib import Path

import numpy as np


def segfault(clip):
    ctypes.string_at(0)


def abort(clip):
    os.abort()


def kill_oneself(clip):
    os.kill(os.getpid(), signal.SIGKILL)


def leave(clip):
    os._exit(3)


def hold_the_lock_of_the_interpreter(clip):
    """Sleep in C without letting any other thread run."""
    ctypes.PyDLL(None).sleep(600)


def backtrack(clip):
    re.match(r"(a+)+$", "a" * 64 + "b")


def allocate_without_end(clip):
    blocks = []
    while True:
        blocks.append(np.ones(1 << 22))  # 32 MB that are written to


def allocate_in_c(clip):
    """Take memory and ignore that there is no more, as careless libraries do."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    while True:
        ctypes.memset(libc.malloc(1 << 26), 1, 1 << 26)


def print_on_all_channels(clip):
    print("noise")
    sys.stdout.flush()
    os.write(1, b"more noise")
    return "answer"


def look(clip):
    """Do what the name of the clip says, or tell the process and the clip."""
    name = os.path.basename(os.fsdecode(clip))
    if name.startswith("do_"):
        globals()[name.removeprefix("do_")](clip)
    time.sleep(0.05)
    return os.getpid(), name


def damage_the_next(clip):
    """Succeed, and crash on the following clip, as after a write beyond a buffer."""
    if getattr(damage_the_next, "is_damaged", False):
        segfault(clip)
    damage_the_next.is_damaged = True
    return os.fsdecode(clip)


def hoard(clip):
    """Keep 200 MB of each clip, as a library that leaks."""
    hoard.blocks = [*getattr(hoard, "blocks", []), np.ones(25_000_000)]
    return len(hoard.blocks)


def unpicklable(clip):
    return lambda: None


def fail(clip):
    raise KeyError("a bug")


def note_and_wait(clip):
    """Write the process's number beside the clip, and hang."""
    Path(os.fsdecode(clip) + ".pid").write_text(str(os.getpid()))
    hold_the_lock_of_the_interpreter(clip)
