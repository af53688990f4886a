"""What the paper's own trained networks predict in ours, and in the original layers.

    python benchmarks/paper_weights.py WEIGHTS FMA [--music MUSIC]

WEIGHTS is a folder with ``crnn.h5`` and ``parallel.h5``, the networks that the paper's
author published (github.com/priya-dwivedi/Music_Genre_Classification). FMA has clips of
FMA-small in ``clips``, and in ``fma_small_26_features.csv`` their genres, in the
columns ``track_id`` and ``genre_top``.

The original layers are computed here by NumPy, as the configurations in the files
describe them.

With --music, other models predict the same clips: the tagger all of them, among the
genres of FMA-small that it knows; pipelines that learn MUSIC, a folder or CSV as
`skgenre.datasets.load_audio_folder` takes it, those whose genre is in MUSIC, too. Ten
clips tell models apart only where one is useless.
"""

import argparse
import csv
from pathlib import Path

import h5py
import numpy as np

from skgenre import (
    CRNNClassifier,
    GenreTagger,
    MelSpectrogramTransformer,
    ParallelCNNRNNClassifier,
    genre_pipeline,
)
from skgenre.datasets import load_audio_folder

GENRES = "Electronic Experimental Folk Hip-Hop Instrumental International Pop Rock"
TAGGED = "Electronic Folk Hip-Hop Pop Rock"  # those that the tagger knows
DECIBELS = 10 / np.log(10)  # of a power whose natural logarithm is 1


def read_weights(path):
    """Return the weights of a file by the names of their layers."""
    weights = {}

    def collect(name, item):
        if isinstance(item, h5py.Dataset):
            layer, kind = name.split("/")[0], name.split("/")[-1].split(":")[0]
            if "gru" in name:
                layer = name.split("/")[-2].split("_")[0]  # forward or backward
            weights[f"{layer}/{kind}"] = np.array(item)

    with h5py.File(path) as file:
        file["model_weights"].visititems(collect)
    return weights


def in_order(weights, layers):
    """Return the weights of some layers as a list, in Keras's order."""
    dense = ("kernel", "bias")
    kinds = {
        "batch": ("gamma", "beta", "moving_mean", "moving_variance"),
        **dict.fromkeys(
            ("lstm", "forward", "backward"), ("kernel", "recurrent_kernel", "bias")
        ),
    }
    return [
        weights[f"{layer}/{kind}"]
        for layer in layers
        for kind in kinds.get(layer.split("_")[0], dense)
    ]


CRNN_LAYERS = [
    *("convolution_1", "batch_normalization_4", "convolution_2"),
    *("batch_normalization_5", "convolution_3", "batch_normalization_6"),
    *("lstm_2", "dense1", "dense_2"),
]
PARALLEL_LAYERS = [*(f"conv_{i + 1}" for i in range(5)), "forward", "backward", "preds"]


def in_our_network(network, weights):
    """Return the classifier as if it had been trained to these weights."""
    parameters = {name: getattr(network, name) for name in network._network_parameters}
    network.classes_ = np.array(GENRES.split())
    network.n_features_in_ = 640
    network.network_parameters_ = parameters | {
        "input_shape": (640, 128),
        "n_classes": 8,
        "precision": "float32",
    }
    network.input_mean_ = np.zeros(128, np.float32)
    network.input_scale_ = np.full(128, DECIBELS, np.float32)
    network.weights_ = weights
    return network


def gates(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def softmax(x):
    powers = np.exp(x - x.max())
    return powers / powers.sum()


def original_crnn(log_power, w):
    """Return the probabilities of one clip by the layers of ``crnn.h5``."""
    x = log_power
    for i in (1, 2, 3):
        windows = np.lib.stride_tricks.sliding_window_view(x, 5, axis=0)
        kernel = w[f"convolution_{i}/kernel"]
        x = np.einsum("tck,kcf->tf", windows, kernel) + w[f"convolution_{i}/bias"]
        norm = {k: w[f"batch_normalization_{i + 3}/{k}"] for k in ("gamma", "beta")}
        mean, variance = (
            w[f"batch_normalization_{i + 3}/moving_{k}"] for k in ("mean", "variance")
        )
        x = (x - mean) / np.sqrt(variance + 1e-3) * norm["gamma"] + norm["beta"]
        x = np.maximum(x, 0)
        x = x[: len(x) // 2 * 2].reshape(-1, 2, x.shape[1]).max(axis=1)
    kernel, recurrent, bias = (
        w[f"lstm_2/{kind}"] for kind in ("kernel", "recurrent_kernel", "bias")
    )
    state = cell = np.zeros(96)
    for frame in x:
        i, f, c, o = np.split(frame @ kernel + state @ recurrent + bias, 4)
        cell = gates(f) * cell + gates(i) * np.tanh(c)
        state = gates(o) * np.tanh(cell)
    embedding = state @ w["dense1/kernel"] + w["dense1/bias"]
    return softmax(embedding @ w["dense_2/kernel"] + w["dense_2/bias"])


def pooled(x, size):
    """Return the maxima of (n_frames, n_mels, n_channels) over blocks of a size."""
    n, m = x.shape[0] // size[0], x.shape[1] // size[1]
    x = x[: n * size[0], : m * size[1]]
    return x.reshape(n, size[0], m, size[1], -1).max(axis=(1, 3))


def original_parallel(log_power, w):
    """Return the probabilities of one clip by the layers of ``parallel.h5``."""
    x = log_power[:, :, np.newaxis]
    for i, pool in enumerate((2, 2, 2, 4, 4), start=1):
        kernel = w[f"conv_{i}/kernel"][:, 0]
        windows = np.lib.stride_tricks.sliding_window_view(x, 3, axis=0)
        x = np.einsum("tmck,kcf->tmf", windows, kernel, optimize=True)
        x = pooled(np.maximum(x + w[f"conv_{i}/bias"], 0), (pool, pool))
    parts = [x.ravel()]
    series = pooled(log_power[:, :, np.newaxis], (4, 2))[:, :, 0]
    for direction, frames in (("forward", series), ("backward", series[::-1])):
        kernel, recurrent, bias = (
            w[f"{direction}/{kind}"] for kind in ("kernel", "recurrent_kernel", "bias")
        )
        state = np.zeros(64)
        for frame in frames:
            z, r, h = np.split(frame @ kernel + bias, 3)
            update, reset, new = np.split(recurrent, 3, axis=1)
            z, r = gates(z + state @ update), gates(r + state @ reset)
            state = z * state + (1 - z) * np.tanh(h + (r * state) @ new)
        parts.append(state)
    return softmax(np.concatenate(parts) @ w["preds/kernel"] + w["preds/bias"])


NETWORKS = {
    "crnn": (CRNNClassifier, CRNN_LAYERS, original_crnn),
    "parallel": (ParallelCNNRNNClassifier, PARALLEL_LAYERS, original_parallel),
}


def clips(folder):
    """Return the spectrograms of the clips, as ``paper`` makes them, and the genres."""
    paths, genres = paths_and_genres(folder)
    return MelSpectrogramTransformer(excerpt="start").fit_transform(paths), genres


def paths_and_genres(folder):
    """Return the sound files, and the genres that FMA-small has for them."""
    paths = sorted(Path(folder, "clips").glob("*.mp3"))
    with open(Path(folder, "fma_small_26_features.csv"), newline="") as file:
        genres = {row["track_id"]: row["genre_top"] for row in csv.DictReader(file)}
    return paths, np.array([genres[path.stem.lstrip("0")] for path in paths])


def other_models(music, paths, genres):
    """Yield the names of models, how many clips they get right, and of how many."""
    predicted = GenreTagger(TAGGED.split()).predict(paths)
    yield "tagger", (predicted == genres).sum(), len(genres)
    tracks = load_audio_folder(music)
    genres = np.char.lower(genres)
    shared = np.flatnonzero(np.isin(genres, tracks.target))
    for name in ("fast", "best", "scratch"):
        model = genre_pipeline(name, n_jobs=-1, random_state=0)
        model.fit(tracks.paths, tracks.target)
        predicted = model.predict([paths[i] for i in shared])
        yield name, (predicted == genres[shared]).sum(), len(shared)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path)
    parser.add_argument("fma", type=Path)
    parser.add_argument("--music", type=Path)
    options = parser.parse_args()
    X, genres = clips(options.fma)
    probabilities = []
    for name, (network, layers, original) in NETWORKS.items():
        weights = read_weights(options.weights / f"{name}.h5")
        ours = in_our_network(network.paper(), in_order(weights, layers))
        probabilities.append(ours.predict_proba(X))
        expected = np.array([original(x / DECIBELS, weights) for x in X])
        print(
            f"{name:8}  {(ours.predict(X) == genres).sum()} of {len(X)} right, at most "
            f"{np.abs(probabilities[-1] - expected).max():.1e} from the original layers"
        )
    predicted = ours.classes_[np.mean(probabilities, axis=0).argmax(axis=1)]
    print(f"both      {(predicted == genres).sum()} of {len(X)} right")
    if options.music is not None:
        paths, genres = paths_and_genres(options.fma)
        for name, n_right, n in other_models(options.music, paths, genres):
            print(f"{name:8}  {n_right} of {n} right", flush=True)


if __name__ == "__main__":
    main()
