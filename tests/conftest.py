"""Fixtures that several test modules share."""

import csv
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
# Nothing is kept from one test to the next, or found in the user's caches.
os.environ["SKGENRE_CACHE_DIR"] = "off"
# Tests run two at a time, and their networks are too small for threads of their own.
for threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(threads, "1")


@pytest.fixture(scope="session")
def music():
    """Folder of real music, one sub-folder per genre (see CONTRIBUTING.md)."""
    folder = os.environ.get("SKGENRE_TEST_DATA")
    if not folder:
        pytest.skip("SKGENRE_TEST_DATA names no folder of real music")
    return Path(folder)


@pytest.fixture(scope="session")
def music_tracks(music):
    """Rows (path, genre, artist) of the folder's tracks.csv."""
    with open(music / "tracks.csv", newline="") as file:
        return [
            (music / row["path"], row["genre"], row["artist_id"])
            for row in csv.DictReader(file)
        ]


@pytest.fixture
def no_figures_left():
    """Close the figures that a test leaves open."""
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture
def run_script(monkeypatch, capsys, no_figures_left):
    """Return a function that does what ``python PATH ARGUMENTS`` does.

    It does so in this process, where TensorFlow is imported only once, and returns what
    the script prints. Scripts that start processes from themselves need their own.
    """

    def run(path, *arguments):
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        monkeypatch.syspath_prepend(path.parent)
        runpy.run_path(str(path), run_name="__main__")
        return capsys.readouterr().out

    return run


@pytest.fixture
def ctrl_c():
    """Let SIGINT raise KeyboardInterrupt: pytest-xdist has its workers ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def musicnn_wheel(tmp_path_factory):
    """The published wheel of musicnn, as pip gets it here."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*command, "--dest", folder, "musicnn==0.1.0"], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"pip can't get musicnn here: {done.stderr[-200:]}")
    (wheel,) = folder.iterdir()
    return wheel


@pytest.fixture
def no_weights(tmp_path, monkeypatch):
    """Hide musicnn's weights; return the empty folder in which they are looked for."""
    from skgenre.runtime import _trained

    folder = tmp_path / "data without weights"
    monkeypatch.setenv("SKGENRE_DATA", str(folder))
    monkeypatch.setitem(sys.modules, "musicnn", None)  # Python then doesn't find it
    # Another test may have loaded them.
    in_keras = "skgenre.features._pretrained._musicnn_network"
    if in_keras in sys.modules:
        sys.modules[in_keras]._load.cache_clear()
    _trained._opened.cache_clear()
    return folder
