import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import skgenre
from skgenre.cli import _signals, app

# A process that ignores SIGINT, as under nohup, has its children ignore it, too.
BEGINNING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import typer
from skgenre.cli._signals import InterruptibleGroup
app = typer.Typer(cls=InterruptibleGroup)

@app.callback()
def main(): ...

@app.command()
def run():
    {}

app()
"""
WAITS = "import time; print('ready', flush=True); time.sleep(60)"
# The training of a support vector machine asks Python for nothing until it is done.
IN_C = (
    "import numpy as np; from sklearn.svm import SVC; X = np.random.rand(30000, 50); "
    "print('ready', flush=True); SVC(C=1e4).fit(X, np.arange(30000) % 2)"
)
SWALLOWS = """
    import time
    print('ready', flush=True)
    while True:
        try: time.sleep(60)
        except BaseException: pass
"""


def stopped(command, number):
    """Return how a command ends that gets a signal when it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGINNING.format(command), "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    started = time.perf_counter()
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    return process.returncode, errors, time.perf_counter() - started


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [(signal.SIGINT, 130, "Interrupted.\n"), (signal.SIGTERM, 143, "Terminated.\n")],
)
def test_a_line_and_an_exit_code(number, code, message):
    assert stopped(WAITS, number)[:2] == (code, message)


@pytest.mark.slow
@pytest.mark.parametrize("command", [IN_C, SWALLOWS], ids=["in C", "swallowed"])
def test_what_python_cannot_interrupt_ends_soon(command):
    code, errors, seconds = stopped(command, signal.SIGTERM)
    assert code == 143
    assert errors.endswith("Terminated.\n") and "Traceback" not in errors
    assert _signals._PATIENCE - 1 < seconds < _signals._PATIENCE + 10


@pytest.mark.slow
def test_training_is_terminated(tmp_path):
    """The command as it is installed, with threads that decode."""
    skgenre.datasets.make_genre_clips(200, duration=1, random_state=0, folder=tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "skgenre.cli", "train", tmp_path, "--model", "scratch"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    while "Training on" not in (line := process.stderr.readline()):
        assert line, process.wait()
    process.terminate()
    errors = process.stderr.read()
    assert process.wait(timeout=30) == 143
    assert errors.endswith("Terminated.\n") and "Traceback" not in errors
    assert not Path(tmp_path, "genres.model").exists()


def test_handlers_are_as_before():
    """A program may call the commands; its own handlers are left."""
    from typer.testing import CliRunner

    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    assert CliRunner().invoke(app, ["info", os.devnull]).exit_code == 1
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert signal.set_wakeup_fd(-1) == -1

    def own(number, frame):
        raise AssertionError

    signal.signal(signal.SIGTERM, own)
    try:
        assert CliRunner().invoke(app, ["--version"]).exit_code == 0
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before[0])
