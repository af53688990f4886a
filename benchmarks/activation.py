"""How far `maximize_activation` raises filters, and how long that takes.

    python benchmarks/activation.py [MUSIC] [--input-scaling standardize] [--epochs 30]
        [--smoothness 1] [--steps 64]

MUSIC is a folder or CSV, as `skgenre.datasets.load_audio_folder` takes it; without it,
80 synthetic clips are made. A `ParallelCNNRNNClassifier` is trained on 640 frames x 128
bands. For all 16 filters of its first block and the first 24 of its fifth, the table
shows the mean activation of the start, of the spectrogram found, and of the clips.

A filter that is silent at the start counts as raised where it is silent no longer. Of
the first block, whose filters see three values, the largest activation that any
spectrogram between -80 and 0 dB has is known, too; where even it is less than 5 times
the start, or 0, the filter can't be raised so far, and is said so.
"""

import argparse
import time

import numpy as np

from skgenre import MelSpectrogramTransformer, ParallelCNNRNNClassifier
from skgenre.datasets import load_audio_folder, make_genre_clips
from skgenre.inspection import maximize_activation

_TIMES = 5


def clips_and_genres(music):
    mel = MelSpectrogramTransformer(n_jobs=-1)
    if music is None:
        clips = make_genre_clips(80, duration=30, random_state=0)
        return mel.fit_transform(clips.waveforms), clips.target
    tracks = load_audio_folder(music)
    return mel.fit_transform(tracks.paths), tracks.target


def of_clips(network, layer, X):
    """Return the mean activation of each filter, over all clips."""
    import keras

    model = network.keras_classifier_.model_
    to_layer = keras.Model(model.inputs, model.get_layer(layer).output)
    return np.mean(
        [
            to_layer([(clip[np.newaxis] - network.input_mean_) / network.input_scale_])
            .numpy()
            .mean(axis=(0, 1, 2))
            for clip in X
        ],
        axis=0,
    )


def first_block_limits(network):
    """Return the largest mean activation that a filter of the first block can have."""
    kernel, bias = network.weights_[:2]
    quietest = (-80 - network.input_mean_) / network.input_scale_
    loudest = (0 - network.input_mean_) / network.input_scale_
    weights = kernel.reshape(-1, 1, kernel.shape[-1])
    values = np.maximum(
        weights * quietest[:, np.newaxis], weights * loudest[:, np.newaxis]
    )
    return np.maximum(values.sum(axis=0) + bias, 0).mean(axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("music", nargs="?")
    parser.add_argument(
        "--input-scaling", choices=["standardize", "log"], default="standardize"
    )
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--smoothness", type=float, default=1.0)
    parser.add_argument("--steps", type=int, default=64, help="of gradient ascent")
    options = parser.parse_args()

    X, genres = clips_and_genres(options.music)
    network = ParallelCNNRNNClassifier(
        input_scaling=options.input_scaling, epochs=options.epochs, random_state=0
    ).fit(X, genres)
    print(f"{len(X)} clips, accuracy on them {network.score(X, genres):.3f}")

    n_raised = n_filters = n_impossible = 0
    n_above_clips = 0
    wall, processor = 0.0, 0.0
    print("layer  filter     start       end  end / start     clips")
    for layer, n in (("conv1", 16), ("conv5", 24)):
        begin = time.perf_counter(), time.process_time()
        result = maximize_activation(
            network,
            layer,
            range(n),
            n_steps=options.steps,
            smoothness=options.smoothness,
            random_state=0,
        )
        wall += time.perf_counter() - begin[0]
        processor += time.process_time() - begin[1]
        start, end = result.activations[[0, -1]]
        clips = of_clips(network, layer, X)[:n]
        limits = first_block_limits(network) if layer == "conv1" else np.full(n, np.inf)
        raised = np.where(start > 0, end >= _TIMES * start, end > 0)
        impossible = ~raised & ((limits < _TIMES * start) | (limits == 0))
        for filter_ in range(n):
            ratio = end[filter_] / start[filter_] if start[filter_] > 0 else np.inf
            note = "" if raised[filter_] else "  not raised"
            note += f", limit {limits[filter_]:.4f}" if impossible[filter_] else ""
            print(
                f"{layer}  {filter_:6}  {start[filter_]:8.4f}  {end[filter_]:8.4f}  "
                f"{ratio:11.1f}  {clips[filter_]:8.4f}{note}"
            )
        n_raised += raised.sum()
        n_impossible += impossible.sum()
        n_above_clips += (end >= _TIMES * clips).sum()
        n_filters += n
    print(f"Raised {_TIMES} x over the start: {n_raised} of {n_filters} filters")
    print(f"Not raised, as no spectrogram can: {n_impossible}")
    print(f"{_TIMES} x over the mean of the clips: {n_above_clips}")
    print(f"Seconds: {wall:.0f} of wall time, {processor:.0f} of processor time")


if __name__ == "__main__":
    main()
