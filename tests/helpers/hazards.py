"""Tasks that do to their process what broken decoders do; for worker processes only."""

import ctypes
import os
import re
import signal
import sys
import textwrap
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info


def segfault(clip):
    ctypes.string_at(0)


def abort(clip):
    os.abort()


def kill_oneself(clip):
    os.kill(os.getpid(), signal.SIGKILL)


def leave(clip):
    os._exit(3)


def hang(clip):
    """Sleep in C, where no other thread of the interpreter can run."""
    ctypes.PyDLL(None).sleep(600)


def backtrack(clip):
    re.match(r"(a+)+$", "a" * 64 + "b")


def allocate(clip):
    blocks = []
    while True:
        blocks.append(np.ones(1 << 22))  # 32 MB, and written to


def allocate_in_c(clip):
    """Write to memory without asking if it was given, as careless libraries do."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
    while True:
        libc.memset(libc.malloc(1 << 26), 1, 1 << 26)


def do_as_named(clip):
    """Do what the clip is called; return the process and the clip of any other."""
    name = os.path.basename(os.fsdecode(clip))
    if name in globals():
        globals()[name](clip)
    return os.getpid(), name


def damage_the_next(clip):
    """Succeed, and crash at the following clip, as after a write beyond a buffer."""
    if getattr(damage_the_next, "has_run", False):
        segfault(clip)
    damage_the_next.has_run = True
    return clip


def hoard(clip):
    """Keep 100 MB of each clip, as a library that leaks."""
    hoard.blocks = [*getattr(hoard, "blocks", []), np.ones(12_500_000)]
    return len(hoard.blocks)


def print_everywhere(clip):
    print("noise")
    sys.stdout.flush()
    os.write(1, b"noise")
    return "answer"


def return_a_function(clip):
    return lambda: None


def fail(clip):
    raise KeyError("a bug")


def blas_threads(clip):
    return {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}


def report_and_hang(clip):
    Path(os.fsdecode(clip)).write_text(str(os.getpid()))
    hang(clip)


def write_crashing_soundfile(folder):
    """Write a module that, found in place of soundfile, crashes on six channels."""
    (folder / "soundfile.py").write_text(
        textwrap.dedent(
            """
            import ctypes, importlib, os, sys

            sys.path.remove(os.path.dirname(__file__))
            del sys.modules["soundfile"]
            soundfile = importlib.import_module("soundfile")
            sys.path.insert(0, os.path.dirname(__file__))
            init = soundfile.SoundFile.__init__

            def crash(self, file, *args, **kwargs):
                init(self, file, *args, **kwargs)
                if self.channels == 6:
                    ctypes.string_at(0)

            soundfile.SoundFile.__init__ = crash
            """
        )
    )
