"""Damaged files end in a result or an `AudioError`, whatever reads them."""

import subprocess
import sys
from pathlib import Path

import mutations
import numpy as np
import pytest

from skgenre.audio import load_audio
from skgenre.audio._reading import observe

FUZZ = Path(__file__).parents[1] / "benchmarks" / "fuzz_audio.py"
RATE = 44100


@pytest.fixture(scope="module")
def files():
    t = np.arange(RATE // 2) / RATE
    waveform = 0.5 * np.sin(2 * np.pi * (200 + 900 * t) * t) + 0.1 * np.sin(9000 * t)
    return mutations.whole_files(waveform.astype(np.float32), RATE)


@pytest.mark.slow
def test_whole_files_are_read(files, tmp_path):
    """In all formats but those of games and telephones without a header."""
    formats = {name.split("-")[0] for name in files}
    assert {"WAV", "FLAC", "OGG", "MP3", "ipod", "asf", "matroska", "webm"} <= formats
    for name, data in files.items():
        if name.split("-")[0] in mutations.NOT_READ:
            continue
        path = tmp_path / name
        path.write_bytes(data)
        with observe() as reading:
            assert len(load_audio(path)) > 0.4 * 22050, name
        assert (reading.status, reading.lost) == ("ok", 0), name


def test_a_number_makes_the_same_file_again(files):
    made = [mutations.mutation(files, 0, number) for number in range(300)]
    assert made == [mutations.mutation(files, 0, number) for number in range(300)]
    whole = list(files.values())
    n_changed = sum(data not in whole for _, data in made)
    assert n_changed > 280
    other = [mutations.mutation(files, 1, number)[1] for number in range(300)]
    assert sum(a == b for (_, a), b in zip(made, other, strict=True)) < 20


@pytest.mark.slow
def test_damaged_files():
    """The first of those that `benchmarks/fuzz_audio.py` reads."""
    done = subprocess.run(
        [sys.executable, FUZZ, "-n", "600", "--losses", "700"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("600 files in") == 2
    assert "700 files damaged as in the world" in done.stdout
