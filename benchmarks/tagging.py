"""Seconds in which a song is tagged, beside musicnn's recipe in plain Keras.

    python benchmarks/tagging.py [MUSIC] [--clips 96] [--songs 22000] [--results FOLDER]
    python benchmarks/tagging.py --library 2000

MUSIC is a folder of sound files; without it, synthetic FLAC files of 30 s are made. All
run in one process and on all processors that it may use. They take turns, some clips at
a time; a figure is the median over the turns. Both sets of weights run in each:

- `keras recipe`: `librosa.load`, `melspectrogram` and the network as it was published,
  in Keras, one file after the other, as musicnn's own code does it;
- `keras`: `GenreTagger` without ONNX Runtime;
- `onnx`: `GenreTagger` with it, as ``skgenre tag`` uses it where it is installed.

From the seconds of the last, the time that --songs take is worked out. The largest
difference between the tags of the recipe and of `GenreTagger` is printed, too.

With --library, that many synthetic FLAC files are made instead, and ``skgenre tag`` is
run on them, from its start to its end, and then again, when all features are kept. Its
seconds a file and its peak of memory are printed (Linux only).
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import librosa
import numpy as np
from _results import RATIO, row, write_rows
from keras import layers

from skgenre import GenreTagger
from skgenre.datasets import find_audio_files, make_genre_clips
from skgenre.features._pretrained._musicnn import PATCH_SECONDS
from skgenre.features._pretrained._musicnn_weights import musicnn_variables

_AT_A_TIME = 16
_FRAMES, _BANDS, _RATE = 187, 96, 16000
_WEIGHTS = ("mtt", "msd")  # in the order of GenreTagger


def published_network(weights):
    """Return musicnn as it was published, with all filters: patches to tags."""

    def norm(x, number):
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        return layers.BatchNormalization(epsilon=1e-3, name=name)(x)

    def conv(x, number, n_filters, kernel, padding="valid"):
        name = f"conv2d_{number}" if number else "conv2d"
        y = layers.Conv2D(n_filters, kernel, 1, padding, activation="relu", name=name)
        return norm(y(x), number + 1)

    patch = keras.Input((_FRAMES, _BANDS, 1))
    x = norm(patch, 0)
    around = layers.ZeroPadding2D(((3, 3), (0, 0)))(x)
    found = [conv(around, i, 204, (7, bands)) for i, bands in enumerate((38, 67))]
    found += [conv(x, 2 + i, 51, (n, 1), "same") for i, n in enumerate((128, 64, 32))]
    found = [layers.MaxPooling2D((1, y.shape[2]))(y) for y in found]
    levels = [layers.Permute((1, 3, 2))(layers.Concatenate()(found))]
    for i in (5, 6, 7):
        y = layers.ZeroPadding2D(((3, 3), (0, 0)))(levels[-1])
        y = layers.Permute((1, 3, 2))(conv(y, i, 64, (7, y.shape[2])))
        levels.append(y if i == 5 else layers.Add()([y, levels[-1]]))
    x = layers.Reshape((_FRAMES, 753))(layers.Concatenate(axis=2)(levels))
    pools = layers.GlobalMaxPooling1D()(x), layers.GlobalAveragePooling1D()(x)
    x = layers.Concatenate()([layers.Reshape((753, 1))(pool) for pool in pools])
    x = layers.Dense(200, activation="relu", name="dense")(norm(layers.Flatten()(x), 9))
    tags = layers.Dense(50, activation="sigmoid", name="dense_1")(norm(x, 10))
    model = keras.Model(patch, tags)
    variables = musicnn_variables(weights)
    for layer in model.layers:
        layer.set_weights([variables[f"{layer.name}/{v.name}"] for v in layer.weights])
    return model


def keras_recipe():
    networks = [published_network(weights) for weights in _WEIGHTS]

    def tags(path):
        length = librosa.get_duration(path=path)
        offset = max(0.0, (length - 30) / 2)
        samples, _ = librosa.load(path, sr=_RATE, offset=offset, duration=30)
        power = librosa.feature.melspectrogram(
            y=samples, sr=_RATE, n_fft=512, hop_length=256, n_mels=_BANDS
        )
        values = np.log10(10000 * power.T + 1)
        n = len(values) // _FRAMES
        patches = values[: n * _FRAMES].reshape(n, _FRAMES, _BANDS, 1)
        return np.concatenate(
            [network.predict_on_batch(patches).mean(axis=0) for network in networks]
        )

    return lambda paths: np.array([tags(path) for path in paths])


def genre_tagger(runtime):
    tagger = GenreTagger(n_jobs=-1)
    tagger._runtime = runtime
    return tagger.transform


def measure(paths):
    """Return the seconds a clip of each way, by turns, and the largest difference."""
    ways = {"keras recipe": keras_recipe()}
    ways |= {runtime: genre_tagger(runtime) for runtime in ("keras", "onnx")}
    expected, *others = (tags(paths[:2]) for tags in ways.values())  # all are traced
    difference = max(np.abs(tags - expected).max() for tags in others)
    seconds = {name: [] for name in ways}
    for first in range(0, len(paths), _AT_A_TIME):
        some = paths[first : first + _AT_A_TIME]
        for name, tags in ways.items():
            began = time.perf_counter()
            tags(some)
            seconds[name].append((time.perf_counter() - began) / len(some))
    return seconds, difference


def peak_megabytes(pid):
    """Return the most memory that a process has had so far; 0 once it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(x.split()[1]) / 1024 for x in lines if x.startswith("VmHWM:"))


def tag_library(n_songs, folder):
    """Run ``skgenre tag`` twice on so many files; print what it takes."""
    music, table = folder / "music", folder / "genres.csv"
    music.mkdir()
    make_genre_clips(n_songs, duration=30, random_state=0, folder=music)
    command = [sys.executable, "-m", "skgenre.cli", "tag", music, "--format", "csv"]
    command += ["--output", table, "--cache-dir", folder / "cache"]
    for run in ("first", "second"):
        began = time.perf_counter()
        tagging, megabytes = subprocess.Popen(command), 0.0
        while tagging.poll() is None:
            megabytes = peak_megabytes(tagging.pid) or megabytes
            time.sleep(0.2)
        seconds = time.perf_counter() - began
        if tagging.returncode != 0:
            sys.exit("skgenre tag failed")
        with open(table, newline="") as opened:
            n_genres = sum(bool(row["genre"]) for row in csv.DictReader(opened))
        print(
            f"{run} run: {seconds:.0f} s, {seconds / n_songs:.3f} s a file, genres for "
            f"{n_genres} of {n_songs}, {megabytes:.0f} MB at most"
        )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", type=Path, nargs="?")
    parser.add_argument("--clips", type=int, default=96)
    parser.add_argument("--songs", type=int, default=22000)
    parser.add_argument("--library", type=int, help="files to run skgenre tag on")
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.library is not None:
            tag_library(options.library, Path(folder))
            return
        music = options.music
        if music is None:
            music = Path(folder)
            make_genre_clips(options.clips, duration=30, random_state=0, folder=music)
        paths = find_audio_files(music)[: options.clips]
        seconds, difference = measure(paths)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, value in medians.items():
        print(f"{name:14}{value:.3f} s a clip")
    patches = int(30 / PATCH_SECONDS)
    print(f"{len(paths)} clips, {patches} patches of 3 s each, {os.cpu_count()} cores")
    print(f"largest difference between tags: {difference:.1e}")
    hours = options.songs * medians["onnx"] / 3600
    print(f"{options.songs:,} songs: {hours:.2f} hours")
    if options.results is not None:
        ratios = [
            statistics.median(map(float.__truediv__, seconds["keras recipe"], other))
            for other in (seconds["keras"], seconds["onnx"])
        ]
        rows = [
            row(f"keras recipe / GenreTagger, {name}", ratio, RATIO, better="higher")
            for name, ratio in zip(("Keras", "ONNX Runtime"), ratios, strict=True)
        ]
        rows.append(
            row("a clip of 30 s", medians["onnx"], "s", better="lower", target=0.12)
        )
        write_rows("tagging", rows, options.results)


if __name__ == "__main__":
    main()
