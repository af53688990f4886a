"""The report is repeated on a miniature of its data set."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fma_miniature import clip_path, make_fma

from skgenre.datasets import load_fma

SCRIPT = Path(__file__).parents[1] / "examples" / "reproduce_paper.py"


def command(data_home, output):
    short = ["--epochs", "1", "--steps", "2"]
    return [sys.executable, SCRIPT, data_home, "--output", output, *short]


def reproduce(*folders):
    result = subprocess.run(
        command(*folders), capture_output=True, text=True, timeout=500
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
def test_from_beginning_to_end_and_again(tmp_path):
    data_home, output = tmp_path / "data", tmp_path / "out"
    make_fma(data_home, 10, duration=2)
    tracks = load_fma(data_home)
    broken = tracks.track_ids[tracks.split == "training"][0]
    clip_path(data_home / "fma_small", broken).write_text("This is no music.")

    process = subprocess.Popen(command(data_home, output), stdout=subprocess.DEVNULL)
    kill_until = time.monotonic() + 300
    while not list(output.glob("kept/*/spectrograms.json")):
        assert process.poll() is None and time.monotonic() < kill_until
        time.sleep(0.1)
    process.kill()
    process.wait()
    (spectrograms,) = output.glob("kept/*/spectrograms.json")
    computed = spectrograms.stat().st_mtime_ns

    printed = reproduce(data_home, output)
    assert spectrograms.stat().st_mtime_ns == computed
    assert "Vote of both networks" in printed
    results = json.loads((output / "results.json").read_text())
    n_clips = {part: (tracks.split == part).sum() for part in results["n_clips"]}
    assert results["n_clips"] == n_clips | {"training": n_clips["training"] - 1}
    assert sum(f"{broken:06d}.mp3" in what for what in results["left_out"]) == 1
    assert len(results["left_out"]) == len(tracks.left_out) + 1
    assert len(results["models"]) == 7
    for model in results["models"].values():
        low, high = model["interval"]
        assert 0 <= low <= model["accuracy"] <= high <= 1
        assert set(model["by_genre"]) == set(tracks.target_names)
    assert results["models"]["Vote of both networks"]["log_loss"] > 0
    assert list(results["clustering"]["silhouette_by_k"]) == [*"23456789"]

    page = (output / "report.html").read_text()
    assert len(results["figures"]) == 10
    for figure in results["figures"]:
        for name in figure["files"]:
            assert f'src="{name}"' in page
            assert (output / name).stat().st_size > 5000
    for number in (0.463, 0.441, 0.443):  # the report's, beside ours
        assert f"<td>{number}</td>" in page

    kept = {
        path: path.stat().st_mtime_ns
        for path in output.rglob("*")
        if path.suffix in (".npy", ".model")
    }
    assert len(kept) == 3
    again = reproduce(data_home, output)
    assert again and printed.endswith(again)
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
