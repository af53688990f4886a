"""How processor time grows with clips, with frames and with genres.

    python benchmarks/growth.py [--scale 1] [--results FOLDER]

The growth of a time is the slope of its logarithm over that of the count, a straight
line through all counts: 1 is linear, 2 is quadratic, less than 1 is what is done once
whatever the count. With genres, of which a network's last layer alone has more, a time
is printed over that with the fewest.

Clips are extracted from files of noise of a second. What networks and classifiers learn
from is noise with a trace of its genre. ``--scale 0.1`` takes a tenth of the clips and
frames, to try it out; that is the least.
"""

import argparse
import tempfile
import time

import numpy as np
import soundfile
from _results import RATIO, row, write_rows
from sklearn.base import clone
from threadpoolctl import threadpool_limits
from training import NAMES, classifier, epoch_seconds

from skgenre import MelSpectrogramTransformer, genre_pipeline

RATE = 22050
N_MELS = 128
N_FEATURES = 210
CLASSICAL = {
    "support vector machine of 'fast'": genre_pipeline("fast")[-1],
    "logistic regression of 'best'": genre_pipeline("best")[-1],
}


def seconds(function, *arguments, repeats=3):
    """Return the least processor time of a call."""
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        function(*arguments)
        times.append(time.process_time() - begin)
    return min(times)


def traces_of_genres(shape, n_genres):
    """Return noise and genres; the mean along the last axis differs between genres."""
    rng = np.random.default_rng(0)
    genres = np.arange(shape[0]) % n_genres
    means = rng.normal(0, 0.3, size=(n_genres, shape[-1])).astype(np.float32)
    X = rng.standard_normal(size=shape, dtype=np.float32)
    X += means[genres].reshape(shape[0], *[1] * (len(shape) - 2), shape[-1])
    return X, genres


def noise_file(path, duration):
    samples = np.random.default_rng(0).normal(0, 0.1, int(RATE * duration))
    soundfile.write(path, samples, RATE)
    return path


def extraction_of_clips(folder, n_clips):
    """Return processor seconds by number of clips; files are read several times."""
    path = noise_file(f"{folder}/second.wav", 1)
    step = MelSpectrogramTransformer(n_frames=22)
    return {n: seconds(step.transform, [path] * n) for n in n_clips}


def extraction_of_songs(folder, durations):
    """Return processor seconds by seconds of audio of one song."""
    step = MelSpectrogramTransformer(n_frames=None)
    times = {}
    for duration in durations:
        path = noise_file(f"{folder}/{duration}.wav", duration)
        times[duration] = seconds(step.transform, [path] * 5)
    return times


def network(name, X, genres):
    """Return processor seconds of an epoch and of prediction."""
    estimator = classifier(name, epochs=4)
    epoch = epoch_seconds(time.process_time, lambda: estimator.fit(X, genres))
    estimator.predict(X)  # traces
    return epoch, seconds(estimator.predict, X)


def networks_by_frames(name, n_frames):
    """Return by frames processor seconds of an epoch and of prediction, of 64 clips."""
    return {n: network(name, *traces_of_genres((64, n, N_MELS), 4)) for n in n_frames}


def networks_by_genres(name, n_clips):
    """Return by genres, the most of two clips, seconds of an epoch and prediction."""
    shape = (n_clips, 128, N_MELS)
    return {n: network(name, *traces_of_genres(shape, n)) for n in (4, n_clips // 2)}


def classical_by_clips(name, n_clips):
    """Return processor seconds of a fit by number of clips."""
    times = {}
    for n in n_clips:
        X, genres = traces_of_genres((n, N_FEATURES), 8)
        X /= np.sqrt(N_FEATURES)  # of about length 1, as 'best' makes them
        times[n] = seconds(clone(CLASSICAL[name]).fit, X, genres)
    return times


def slope(times):
    return np.polyfit(np.log(list(times)), np.log(list(times.values())), 1)[0]


def slope_row(what, unit, times):
    fewest, *_, most = times
    return row(
        f"{what}: growth from {fewest:,} to {most:,} {unit}, 1 being linear",
        slope(times),
        RATIO,
        better="lower",
    )


def measure(scale):
    def scaled(*counts):
        return [max(1, round(scale * count)) for count in counts]

    rows = []
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        times = extraction_of_clips(folder, scaled(100, 300, 1000, 3000, 10_000))
        rows.append(slope_row("extraction", "clips", times))
        times = extraction_of_songs(folder, scaled(30, 60, 120, 300, 600, 1200))
        rows.append(slope_row("extraction of a song", "seconds", times))
        for name in CLASSICAL:
            times = classical_by_clips(name, scaled(300, 1000, 3000, 10_000))
            rows.append(slope_row(f"fit of the {name}", "clips", times))
    for name in NAMES:
        frames = networks_by_frames(name, scaled(640, 1280, 2560))
        genres = networks_by_genres(name, *scaled(2000))
        for i, what in enumerate((f"epoch of the {name}", f"prediction, {name}")):
            times = {count: both[i] for count, both in frames.items()}
            rows.append(slope_row(what, "frames", times))
            (few, first), (many, last) = (
                (count, both[i]) for count, both in genres.items()
            )
            rows.append(
                row(
                    f"{what}: with {many:,} genres over {few:,}",
                    last / first,
                    RATIO,
                    better="lower",
                )
            )
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--results", help="folder to write growth.json to")
    options = parser.parse_args()
    rows = measure(options.scale)
    for result in rows:
        print(f"{result['name']:80} {result['value']:6.3f}")
    if options.results:
        print("Written:", write_rows("growth", rows, options.results))


if __name__ == "__main__":
    main()
