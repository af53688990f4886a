"""How soon and how fast a trained model predicts, by ONNX Runtime and TensorFlow.

    python benchmarks/inference.py [MUSIC] [--clips 128] [--repeats 7] [--results DIR]

MUSIC is a folder or CSV, as `skgenre.datasets.load_audio_folder` takes it; without it,
synthetic MP3s of 30 s are made. Both networks are trained for an epoch on 16 clips:
how well they predict doesn't matter here. The ways that are compared take turns; a
figure is the median over the turns, or over the ratios of each turn.

- Cold start: ``skgenre predict MODEL SONG.mp3`` in a new process, from its start to its
  end, once a turn without ONNX Runtime, as if it weren't installed.
- Warm folder: time of the mel step alone over that of what `skgenre predict` does with
  all clips. 1 is the limit. Both use all cores.
- One clip: the spectrogram of one clip through the network, by `predict_proba` of the
  loaded model and by `predict` of the same Keras model.
- Difference of probabilities: the largest over all clips.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _results import RATIO, row, write_rows
from extraction import synthetic
from rich.console import Console
from sklearn.pipeline import make_pipeline

import skgenre
from skgenre.cli._files import apply_to_files, prepare
from skgenre.datasets import load_audio_folder

NETWORKS = {
    "CRNN": skgenre.CRNNClassifier,
    "parallel network": skgenre.ParallelCNNRNNClassifier,
}
_COMMAND = "from skgenre.cli import app; app(prog_name='skgenre')"
_WITHOUT = "import sys; sys.modules['onnxruntime'] = None; "  # as if not installed


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def in_turn(first, second, repeats):
    """Return the median seconds of two functions, and of the first over the second."""
    pairs = [(seconds(first), seconds(second)) for _ in range(repeats)]
    ratio = statistics.median(a / b for a, b in pairs)
    return *map(statistics.median, zip(*pairs, strict=True)), ratio


def cold_start(model, path, repeats):
    def start(code):
        command = [sys.executable, "-c", code, "predict", model, path]
        subprocess.run(command, check=True, capture_output=True)

    start(_WITHOUT + _COMMAND)  # files that were not read yet
    tensorflow, onnx, ratio = in_turn(
        lambda: start(_WITHOUT + _COMMAND), lambda: start(_COMMAND), repeats
    )
    return [
        row("cold start to the first genre", onnx, "s", better="lower", target=1.5,
            rival=tensorflow),
        row("cold start, TensorFlow over ONNX Runtime", ratio, RATIO, better="higher"),
    ]  # fmt: skip


def warm_folder(name, model, paths, repeats):
    prepare(model, n_jobs=-1, cache_dir=None, time_limit=None)

    def predict():
        apply_to_files(
            model.predict_proba,
            model,
            paths,
            n_jobs=-1,
            title="",
            console=Console(stderr=True, quiet=True),
        )

    predict()
    extraction, whole, ratio = in_turn(
        lambda: model[0].transform(paths), predict, repeats
    )
    return [
        row(f"warm folder, extraction over prediction ({name})", ratio, RATIO,
            better="higher", target=0.9),
        row(f"warm folder, a clip ({name})", 1e3 * whole / len(paths), "ms",
            better="lower", rival=1e3 * extraction / len(paths)),
    ]  # fmt: skip


def one_clip(name, trained, loaded, X, repeats):
    network = trained.keras_classifier_.model_
    clip = X[:1]
    scaled = (clip - trained.input_mean_) / trained.input_scale_

    def by_keras():
        network.predict(scaled, verbose=0)

    def by_onnx():
        loaded.predict_proba(clip)

    by_keras(), by_onnx()
    keras, onnx, ratio = in_turn(by_keras, by_onnx, 10 * repeats)
    difference = abs(trained.predict_proba(X) - loaded.predict_proba(X)).max()
    return [
        row(f"one clip, Keras's predict over ONNX Runtime ({name})", ratio, RATIO,
            better="higher"),
        row(f"one clip ({name})", 1e3 * onnx, "ms", better="lower", rival=1e3 * keras),
        row(f"largest difference of probabilities ({name})", difference, "",
            better="lower", target=1e-5),
    ]  # fmt: skip


def measure(paths, folder, repeats):
    """Return the rows of all measurements."""
    mel = skgenre.MelSpectrogramTransformer(n_jobs=-1)
    X = mel.transform(paths)
    genres = np.arange(16) % 4
    rows = []
    for name, network in NETWORKS.items():
        trained = network(epochs=1, random_state=0).fit(X[:16], genres)
        file = Path(folder) / f"{name}.model"
        skgenre.save(make_pipeline(mel, trained), file)
        loaded = skgenre.load(file, runtime="onnx")
        if not rows:
            rows += cold_start(file, paths[0], repeats)
        rows += warm_folder(name, loaded, paths, repeats)
        rows += one_clip(name, trained, loaded[-1], X, repeats)
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", type=Path, nargs="?")
    parser.add_argument("--clips", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--results", help="folder to write inference.json to")
    options = parser.parse_args()
    if options.clips < 16:
        parser.error("--clips must be at least 16: the networks are trained on them")
    with tempfile.TemporaryDirectory() as folder:
        if options.music is None:
            paths = synthetic(folder, options.clips)
        else:
            paths = [str(p) for p in load_audio_folder(options.music).paths]
            paths = paths[:: max(1, len(paths) // options.clips)][: options.clips]
        rows = measure(paths, folder, options.repeats)
    for each in rows:
        rival = f"  (rival: {each['rival']:.4g})" if "rival" in each else ""
        print(f"{each['value']:10.4g} {each['unit']:3} {each['name']}{rival}")
    if options.results:
        print("Written:", write_rows("inference", rows, options.results))


if __name__ == "__main__":
    main()
