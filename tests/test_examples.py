"""The scripts in examples/ run from beginning to end."""

import csv
import http.client
import importlib
import json
import re
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import skgenre
from skgenre import datasets

EXAMPLES = Path(__file__).parent.parent / "examples"
# For the accuracy that they show.
NEED_ALL_CLIPS = [
    "plot_genre_tree.py",
    "plot_several_genres.py",
    "plot_soft_vote.py",
    "plot_stacking_and_calibration.py",
]
MOST_CLIPS = 48

# They start processes, which import the script that does.
OWN_PROCESS = {"plot_dask_cluster.py", "plot_random_and_halving_search.py"}

# What each script must print, among other things.
KEY_LINES = {
    "plot_clustering.py": ["Adjusted Rand index, new artists: ", "CRNN embedding: "],
    "plot_dask_cluster.py": [
        "Same scores: True",
        "Same best setting: True",
        "Same probabilities of the best model: True",
        "Same spectrograms: True",
        "Written by workers, to 0.04 dB: True",
        "Same genres: True",
    ],
    "plot_displays.py": [
        "Accuracy, new artists: ",
        "Adjusted Rand index, network: ",
        "Adjusted Rand index, MFCC: ",
    ],
    "plot_filter_activations.py": [
        "Filters of the last block that respond more: 24 of 24",
        "What sounds most like ambient is taken for ambient",
        "What sounds most like waltz is taken for waltz",
        "most.wav: 9.9 s, correlation ",
        "salient.wav: 9.9 s, correlation ",
    ],
    # Half as many unknown clips.
    "plot_genre_tree.py": [
        "or unknown        unknown 0.4",
        "or a genre above  unknown 0.2",
    ],
    "plot_grid_search.py": [
        "Best: ",
        "9 fits, spectrograms of the training clips computed 5 times",
    ],
    "plot_learning_curve.py": [
        "MFCC + SVC, 8 training clips: accuracy on them ",
        "CRNN, 32 training clips: accuracy on them ",
    ],
    "plot_mfcc_baseline.py": ["majority: accuracy ", "MFCC + SVC: accuracy "],
    "plot_own_network.py": ["Accuracy, new artists: ", "Epochs in the log: 20, "],
    "plot_permutation_importance.py": [
        "Statistic that matters most: ",
        "Mel band that matters most: around ",
    ],
    "plot_predict_folder.py": [
        "weighted avg",
        "Loaded model agrees on all clips: True",
    ],
    "plot_random_and_halving_search.py": [
        "Random search, best: ",
        "Same scores: True",
        "Epochs: 2, settings: 9",
        "Epochs: 18, settings: 1",
        "Halving, best: ",
    ],
    "plot_recommendation.py": [
        "network  precision@5 ",
        "Recommended: ",
        "Near a new ",
    ],
    # On musicians that it was not trained on.
    "plot_several_genres.py": ["Label-ranking average precision: 0.9"],
    "plot_soft_vote.py": ["CRNN     accuracy ", "vote     accuracy "],
    "plot_stacking_and_calibration.py": [
        "stack accuracy ",
        "calibrated accuracy ",
    ],
}

# What a script shows to be best, by accuracy and by log loss.
BEST = {
    "plot_soft_vote.py": ("vote", "vote"),
    "plot_stacking_and_calibration.py": ("stack", "calibrated"),
}


def run_alone(script, folder):
    """Run a script as a user does, from an empty folder; return what it prints."""
    result = subprocess.run(
        [sys.executable, EXAMPLES / script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture
def run(run_script, tmp_path, monkeypatch):
    """Return a function that runs an example from an empty folder.

    Of synthetic clips, most make a few.
    """

    def few_clips(n_clips, **keywords):
        return make_genre_clips(min(n_clips, MOST_CLIPS), **keywords)

    make_genre_clips = datasets.make_genre_clips
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run_here(script, *arguments):
        with monkeypatch.context() as patch:
            if script not in NEED_ALL_CLIPS:
                patch.setattr(datasets, "make_genre_clips", few_clips)
            printed = run_script(EXAMPLES / script, *arguments)
        assert list(folder.iterdir()) == [], "files were left behind"
        return printed

    return run_here


def test_every_example_is_tested():
    # reproduce_paper.py, which takes hours on its music, has a test of its own.
    assert {path.name for path in EXAMPLES.glob("plot_*.py")} == set(KEY_LINES)


def assert_is_whole(script, printed):
    for line in KEY_LINES[script]:
        assert line in printed
    if script in BEST:
        accuracies = re.findall(r"^(\S+) +accuracy ([\d.]+)", printed, re.MULTILINE)
        losses = re.findall(r"^(\S+) .*log loss ([\d.]+)", printed, re.MULTILINE)
        most = max(accuracies, key=lambda row: float(row[1]))
        least = min(losses, key=lambda row: float(row[1]))
        assert (most[0], least[0]) == BEST[script]


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted(KEY_LINES.keys() - OWN_PROCESS))
def test_an_example_runs_on_synthetic_clips(script, run):
    assert_is_whole(script, run(script))


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted(OWN_PROCESS))
def test_an_example_runs_as_a_user_runs_it(script, tmp_path):
    assert_is_whole(script, run_alone(script, tmp_path))
    assert list(tmp_path.iterdir()) == [], "files were left behind"


@pytest.fixture
def few_tracks(music_tracks, tmp_path):
    """Make a folder of six clips of each genre and a CSV that names their artists."""
    folder = tmp_path / "music"
    rows, counts = [("path", "genre", "group")], {}
    for path, genre, artist in music_tracks:
        counts[genre] = counts.get(genre, 0) + 1
        if counts[genre] <= 6:
            copy = folder / genre / path.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
            rows.append((copy.relative_to(folder), genre, artist))
    with open(folder / "some.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "csv_file"),
    [("plot_mfcc_baseline.py", "some.csv"), ("plot_predict_folder.py", "")],
)
def test_an_example_runs_on_real_music(script, csv_file, few_tracks, run):
    # An empty name is the folder itself, without artists.
    assert_is_whole(script, run(script, few_tracks / csv_file))


@pytest.mark.parametrize("n_samples", [661500, 1_000_001, 30_000, 600, 0])
def test_preprocessing_without_skgenre_is_the_same(n_samples, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    alone = importlib.import_module("onnx_alone")
    assert "import skgenre\n" not in Path(alone.__file__).read_text()
    rng = np.random.default_rng(0)
    silent = n_samples == 0
    samples = rng.normal(0, 0.1, n_samples or 9000) * (not silent)
    samples[len(samples) // 2 :] *= 0.001
    step = skgenre.MelSpectrogramTransformer(on_error="ignore")
    (expected,) = step.transform([samples.astype(np.float32)])
    found = alone.spectrogram(samples.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_large_uploads_wait_on_the_disk(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES / "service")
    threads = importlib.import_module("threads")
    server = threads.ThreadingHTTPServer(("127.0.0.1", 0), threads.Handler)
    server.functions = {
        "/genre": lambda file: {"n_bytes": file.tell(), "on_disk": file._rolled}
    }
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with server, ThreadPoolExecutor() as server.pool:
        for n_bytes in (0, 1000, 2 * threads.BLOCK + 1):
            connection = http.client.HTTPConnection(*server.server_address, timeout=9)
            connection.request("POST", "/genre", bytes(n_bytes))
            response = json.load(connection.getresponse())
            assert response == {"n_bytes": n_bytes, "on_disk": n_bytes > threads.BLOCK}
        server.shutdown()
