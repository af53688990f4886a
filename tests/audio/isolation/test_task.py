import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import hazards
import joblib
import numpy as np
import pytest

from skgenre.audio import AudioError, map_clips
from skgenre.audio._isolation._task import IsolatedTask, _idle

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="limits memory on Linux")
look = IsolatedTask(hazards.do_as_named, 60)


class Attempt:
    """Return a task's `AudioError` instead of raising it."""

    def __init__(self, task):
        self.task = task

    def __call__(self, clip):
        try:
            return self.task(clip)
        except AudioError as error:
            return error


def ended(pid):
    """Wait until a process that is no child of ours is gone."""
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return True
            os.kill(pid, 0)
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.1)
    return False


def run_script(script, *arguments, **options):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, script, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_workers_are_kept():
    pid, name = look("a.wav")
    assert pid != os.getpid() and name == "a.wav"
    assert look(Path("b.wav")) == (pid, "b.wav")
    assert look(b"c.wav") == (pid, "c.wav")
    # Another task, in the same worker.
    assert IsolatedTask(os.path.basename, 60)("folder/d.wav") == "d.wav"
    assert look("e.wav") == (pid, "e.wav")


def test_waveforms_stay_here():
    waveform = np.ones(3)
    thread, clip = IsolatedTask(lambda clip: (threading.get_ident(), clip), 1)(waveform)
    assert thread == threading.get_ident() and clip is waveform


def test_only_the_culprits_are_marked():
    names = ["a", "b", "segfault", "c", "d", "hang", "e", "f"]
    task = Attempt(IsolatedTask(hazards.do_as_named, 3))
    results = list(map_clips(task, names, n_jobs=2))
    crashed, hung = results[2], results[5]
    assert (crashed.path, hung.path) == ("segfault", "hang")
    assert crashed.cause == "it crashes the decoder (SIGSEGV)"
    assert hung.cause == "it takes more than 3 s"
    assert "time_limit" in hung.advice
    assert pickle.loads(pickle.dumps(hung)).args == hung.args
    good = [result for result in results if isinstance(result, tuple)]
    assert [name for _, name in good] == ["a", "b", "c", "d", "e", "f"]
    assert len(_idle) <= 2


def test_raises():
    with pytest.raises(AudioError, match="'leave': it crashes .*exit code 3") as caught:
        list(map_clips(look, ["a", "leave", "b"], n_jobs=1))
    assert caught.value.__notes__ == ["This happened in clip 1 of X."]


@LINUX
@pytest.mark.slow
def test_memory():
    with pytest.raises(AudioError, match="more than 300 MB of memory. Take a shorter"):
        IsolatedTask(hazards.allocate, 120, 300_000_000)("a.wav")
    with pytest.raises(AudioError, match="crashes the decoder"):
        IsolatedTask(hazards.allocate_in_c, 120, 300_000_000)("a.wav")


def test_a_worker_that_an_earlier_clip_damaged_is_replaced():
    clips = ["a", "b", "c"]
    assert list(map(IsolatedTask(hazards.damage_the_next, 60), clips)) == clips


@LINUX
@pytest.mark.slow
def test_nobody_suffers_from_earlier_clips():
    counts = list(map(IsolatedTask(hazards.hoard, 60, 250_000_000), [*"abcdefgh"]))
    assert max(counts) > 1


def test_no_worker():
    gone = type(hazards)("gone")
    exec("def task(clip): pass", vars(gone))
    sys.modules["gone"] = gone
    try:
        with pytest.raises(RuntimeError, match="No worker .*could be started"):
            IsolatedTask(gone.task, 60)("a.wav")
    finally:
        del sys.modules["gone"]


@pytest.mark.slow
def test_loky():
    with joblib.parallel_config(backend="loky"):
        task = Attempt(IsolatedTask(hazards.do_as_named, 60))
        results = list(map_clips(task, ["a", "segfault", "b", "c"], n_jobs=2))
    assert str(results[1]).startswith("Cannot read 'segfault': it crashes")
    assert [results[i][1] for i in (0, 2, 3)] == ["a", "b", "c"]
    assert os.getpid() not in {results[i][0] for i in (0, 2, 3)}


@pytest.mark.slow
def test_dask():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        task = Attempt(IsolatedTask(hazards.do_as_named, 60))
        results = list(map_clips(task, ["a", "segfault", "b"]))
    assert str(results[1]).startswith("Cannot read 'segfault': it crashes")
    assert [results[0][1], results[2][1]] == ["a", "b"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_has_its_own_workers():
    pid = look("a.wav")[0]
    child = os.fork()
    if not child:
        status = 1
        try:
            other = look("b.wav")[0]
            status = 0 if other not in (pid, os.getpid()) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert look("c.wav") == (pid, "c.wav")


def test_a_script_without_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import hazards
            from skgenre.audio._isolation._task import IsolatedTask

            print("once")
            task = IsolatedTask(hazards.do_as_named, 60)
            print(task("a.wav")[0])
            """
        )
    )
    process = run_script(script)
    out, err = process.communicate()
    assert process.returncode == 0, err
    once, pid = out.split()
    assert once == "once" and err == ""
    assert ended(int(pid))


HANGING = """
import sys, threading
import hazards
from skgenre.audio import map_clips
from skgenre.audio._isolation._task import IsolatedTask

task = IsolatedTask(hazards.report_and_hang, float(sys.argv[1]))
try:
    list(map_clips(task, sys.argv[2:], n_jobs=len(sys.argv) - 2))
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("number", "n_jobs", "limit"),
    [
        (signal.SIGINT, 1, 600),
        (signal.SIGINT, 2, 600),
        (signal.SIGTERM, 2, 5),
        (getattr(signal, "SIGKILL", None), 2, 5),  # Windows has none
    ],
)
def test_workers_end_with_their_parent(number, n_jobs, limit, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(HANGING)
    files = [tmp_path / f"{i}.pid" for i in range(n_jobs)]
    process = run_script(script, limit, *files, start_new_session=True)
    while not all(file.exists() and file.read_text() for file in files):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    # As a terminal does it: to all of the group.
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=60)
    if number == signal.SIGINT:
        assert (process.returncode, out.strip(), err) == (0, "interrupted", "")
    # Those that have nobody left to kill them end by themselves, soon after their time.
    assert all(ended(int(file.read_text())) for file in files)
