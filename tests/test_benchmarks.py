"""The benchmarks run from beginning to end, on a few clips."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

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


@pytest.mark.slow
def test_embeddings_of_synthetic_clips_are_resumed(tmp_path):
    from skgenre.datasets import make_genre_clips

    make_genre_clips(48, duration=4, random_state=0, folder=tmp_path / "music")
    rows = ["random", "MFCC", "CRNN (ours)"]
    if find_spec("musicnn"):
        rows.append("musicnn MTT")
    command = [sys.executable, BENCHMARKS / "embeddings.py", tmp_path / "music"]
    command += ["--folds", "2", "--epochs", "1", "--output", tmp_path / "out"]

    def run():
        subprocess.run(
            [*command, "--rows", *rows],
            check=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        return json.loads((tmp_path / "out" / "table.json").read_text())

    table = run()
    written = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.np?")
    }
    assert len(list((tmp_path / "out").glob("*.npy"))) == 2 * len(rows)
    assert run() == table
    assert all(path.stat().st_mtime_ns == time for path, time in written.items())
    assert list(table) == rows
    for measures in table.values():
        assert list(measures) == ["rand", "silhouette", "precision", "map"]
        for name, measure in measures.items():
            low, high = measure["interval"]
            assert (-1 if name in ("rand", "silhouette") else 0) <= low <= high <= 1
            assert low - 0.1 <= measure["mean"] <= high + 0.1
    for name in ("rand", "precision", "map"):
        assert table["MFCC"][name]["mean"] > table["random"][name]["mean"]


def test_sampled_rand_indices_lie_around_that_of_scikit_learn(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import embeddings

    rng = np.random.default_rng(0)
    genres, artists = rng.integers(4, size=200), rng.integers(50, size=200)
    clusters = np.where(rng.random(200) < 0.5, genres, rng.integers(4, size=200))
    folds = [(np.arange(i, 200, 2), None) for i in range(2)]
    for labels in (clusters, rng.integers(4, size=200)):
        mean, sampled = embeddings.rand(folds, labels, genres, artists)
        of_folds = [adjusted_rand_score(genres[f], labels[f]) for f, _ in folds]
        assert mean == pytest.approx(np.mean(of_folds))
        assert np.median(sampled) == pytest.approx(mean, abs=0.02)
        assert np.std(sampled) > 0.005


@pytest.mark.slow
def test_memory_does_not_grow_with_the_collection(tmp_path):
    command = [sys.executable, BENCHMARKS / "memory.py", "--sizes", "0.05", "1"]
    command += ["--folder", tmp_path, "--output", tmp_path / "memory.json"]
    subprocess.run(command, check=True)
    found = json.loads((tmp_path / "memory.json").read_text())
    assert [row["n_clips"] for row in found["rows"]] == [152, 3051]
    assert found["growth_mb"].keys() == {"fit", "predict", "transform"}
    assert max(found["growth_mb"].values()) < 200
    assert not list(tmp_path.glob("*/"))


@pytest.mark.slow
def test_float16_on_a_few_clips(tmp_path):
    from skgenre.datasets import make_genre_clips

    make_genre_clips(24, duration=4, random_state=0, folder=tmp_path)
    command = [sys.executable, BENCHMARKS / "float16.py", tmp_path]
    result = subprocess.run(
        [*command, "--folds", "2", "--seeds", "1", "--epochs", "2"],
        check=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    first, *_, last = result.stdout.splitlines()
    assert first.startswith("24 clips: float16 is off by 0.03")
    assert last.startswith("mean accuracy ")
