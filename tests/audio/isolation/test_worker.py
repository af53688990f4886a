import os
import sys
import time
from pathlib import Path

import hazards
import pytest

from skgenre.audio import AudioError, load_audio
from skgenre.audio._isolation._worker import TimeExpired, Worker, WorkerDied

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="limits memory on Linux")


@pytest.fixture(scope="module")
def worker():
    worker = Worker()
    yield worker
    worker.end()


def test_answers(worker):
    assert worker.is_alive()
    pid, name = worker.ask(hazards.do_as_named, "a.wav", 60, None)
    assert pid != os.getpid() and name == "a.wav"
    assert worker.ask(hazards.do_as_named, b"b.wav", 60, None) == (pid, "b.wav")
    assert worker.ask(hazards.blas_threads, None, 60, None) <= {1}


def test_relative_paths_are_this_processes(worker, tmp_path, monkeypatch):
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "clip.txt").write_text(name)
        monkeypatch.chdir(folder)
        assert worker.ask(Path.read_text, Path("clip.txt"), 60, None) == name
    (folder / "clip.txt").unlink()
    folder.rmdir()
    with pytest.raises(FileNotFoundError):
        worker.ask(Path.read_text, Path("clip.txt"), 60, None)
    path = tmp_path / "one" / "clip.txt"
    assert worker.ask(Path.read_text, path, 60, None) == "one"


def test_what_is_printed_is_no_answer(worker, capfd):
    assert worker.ask(hazards.print_everywhere, "a.wav", 60, None) == "answer"
    assert worker.ask(hazards.do_as_named, "a.wav", 60, None)[1] == "a.wav"


def test_errors_come_as_they_were(worker):
    with pytest.raises(AudioError) as caught:
        worker.ask(load_audio, "none.wav", 60, None)
    with pytest.raises(AudioError) as expected:
        load_audio("none.wav")
    assert caught.value.args == expected.value.args
    assert not hasattr(caught.value, "__notes__")
    # Of a bug, the traceback is wanted.
    with pytest.raises(KeyError, match="a bug") as caught:
        worker.ask(hazards.fail, "a.wav", 60, None)
    assert "in fail" in caught.value.__notes__[0]
    with pytest.raises(TypeError, match="can't be pickled"):
        worker.ask(hazards.return_a_function, "a.wav", 60, None)
    with pytest.raises(AttributeError, match="local"):
        worker.ask(lambda clip: clip, "a.wav", 60, None)
    assert worker.ask(hazards.do_as_named, "a.wav", 60, None)[1] == "a.wav"


@LINUX
def test_memory_limit_is_lifted(worker):
    with pytest.raises(MemoryError):
        worker.ask(hazards.allocate, "a.wav", 60, 100_000_000)
    assert worker.ask(hazards.hoard, "a.wav", 60, None) == 1


def test_end(worker):
    worker = Worker()
    worker.end()
    assert not worker.is_alive()
    worker.end()
    with pytest.raises((WorkerDied, ValueError)):
        worker.ask(hazards.do_as_named, "a.wav", 60, None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "manner"),
    [
        (hazards.segfault, "^SIGSEGV$"),
        (hazards.abort, "^SIGABRT$"),
        (hazards.kill_oneself, "^SIGKILL, as when memory runs out$"),
        (hazards.leave, "^exit code 3$"),
    ],
)
def test_death(task, manner):
    worker = Worker()
    with pytest.raises(WorkerDied, match=manner) as caught:
        worker.ask(task, "a.wav", 60, None)
    assert not isinstance(caught.value, TimeExpired)
    assert not worker.is_alive()


@pytest.mark.slow
@pytest.mark.parametrize("task", [hazards.hang, hazards.backtrack])
def test_time(task):
    worker = Worker()
    worker.ask(hazards.do_as_named, "a.wav", 60, None)
    start = time.monotonic()
    with pytest.raises(TimeExpired):
        worker.ask(task, "a.wav", 0.5, None)
    assert time.monotonic() - start < 5
    assert not worker.is_alive()
