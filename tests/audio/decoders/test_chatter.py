import subprocess
import sys

import pytest

from skgenre.audio._decoders._chatter import c_streams, quiet

pytestmark = pytest.mark.skipif(
    not c_streams(), reason="this C library's streams can't be set"
)

CODE = """
import ctypes, os, sys, threading
from skgenre.audio._decoders._chatter import quiet
libc = ctypes.CDLL(None)
libc.fputs.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
def say(text):
    name = "__stderrp" if sys.platform == "darwin" else "stderr"
    libc.fputs(text, ctypes.c_void_p.in_dll(libc, name))
say(b"before ")
with quiet:
    say(b"one ")
    with quiet:
        say(b"two ")
        print("python", end=" ", file=sys.stderr, flush=True)
    say(b"three ")
    thread = threading.Thread(target=say, args=[b"four "])
    thread.start()
    thread.join()
    if not (child := os.fork()):
        say(b"child ")
        os._exit(0)
    os.waitpid(child, 0)
try:
    with quiet:
        raise KeyError
except KeyError:
    say(b"after")
"""


def test_only_what_c_prints_inside_is_lost():
    run = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True
    )
    assert run.stderr == "before python child after"


def test_nothing_is_left_behind():
    before = [stream.value for stream in c_streams()]
    with quiet:
        assert all(s.value != b for s, b in zip(c_streams(), before, strict=True))
    assert [stream.value for stream in c_streams()] == before
