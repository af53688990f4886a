"""Fixtures that several test modules share."""

import csv
import os
import signal
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
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
def ctrl_c():
    """Let SIGINT raise KeyboardInterrupt: pytest-xdist has its workers ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
