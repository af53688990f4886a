"""The benchmarks run from beginning to end, on a few clips."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.slow
def test_accuracy_on_synthetic_clips_is_resumed(tmp_path):
    from skgenre.datasets import make_genre_clips

    make_genre_clips(40, duration=4, random_state=0, folder=tmp_path / "music")
    rows = ["majority", "MFCC + SVC", "fast", "scratch"]
    rows += ["CRNN (paper)", "Parallel (paper)", "CRNN + Parallel (paper)"]
    rows += ["CRNN (ours)", "Parallel (ours)", "CRNN + Parallel (ours)"]
    command = [sys.executable, BENCHMARKS / "accuracy.py", tmp_path / "music"]
    command += ["--folds", "2", "--epochs", "1", "--output", tmp_path / "out"]

    def run(*rows):
        subprocess.run(
            [*command, "--rows", *rows],
            check=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        table = json.loads((tmp_path / "out" / "table.json").read_text())
        return {row["name"]: row for row in table}

    first = run("majority", "MFCC + SVC")
    assert list(first) == ["MFCC + SVC", "majority"]
    written = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*-*.json")
    }
    table = run(*rows)
    assert set(table) == set(rows)
    assert all(path.stat().st_mtime_ns == time for path, time in written.items())
    os.utime(next((tmp_path / "music").rglob("*.flac")), ns=(1, 1))  # as if changed
    run("majority")
    kept = list((tmp_path / "out").glob("majority-*.json"))
    assert len(kept) == 4 and len(written.keys() & set(kept)) == 2
    for row in table.values():
        low, high = row["interval"]
        assert 0 <= low <= row["accuracy"] <= high <= 1
        low, high = row["gain_interval"]
        assert low <= row["gain"] <= high
        assert row["fit_seconds"] > 0
    assert table["MFCC + SVC"]["gain"] == 0
    assert table["MFCC + SVC"]["log_loss"] is None
    assert table["scratch"]["log_loss"] > 0
    assert table["fast"]["accuracy"] > table["majority"]["accuracy"]


@pytest.mark.slow
def test_activation_on_a_few_clips(tmp_path):
    from skgenre.datasets import make_genre_clips

    make_genre_clips(12, duration=4, random_state=0, folder=tmp_path)
    result = subprocess.run(
        [sys.executable, BENCHMARKS / "activation.py", tmp_path, "--epochs", "1"],
        check=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    lines = result.stdout.splitlines()
    assert sum(line.startswith(("conv1 ", "conv5 ")) for line in lines) == 40
    (raised,) = (line for line in lines if line.startswith("Raised 5 x over the start"))
    assert int(raised.split()[-4]) > 30
