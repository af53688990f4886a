"""Threads ask one loaded model for genres, as those of a service do.

    python benchmarks/load.py [--seconds 600] [--threads 8] [--models crnn baseline]
    python benchmarks/load.py --models best --duration 30 --threads 1 2 4 8 --seconds 20

Each model is trained on a few synthetic clips, saved, and loaded in a process of its
own, a network by both runtimes. 'best' needs musicnn's weights (``skgenre weights``).
One thread alone asks for each file's probabilities; then as many threads as --threads
says ask for files at random, one at a time, for so many seconds. Every answer is
compared with that of the one thread, bit by bit. Of --bad more files, every second is
cut off, and the others are no music: their answer is an error.

Printed are, for each of ten intervals, the clips a second, the median and the 95th
percentile of the time that a clip takes, and the memory of the process (VmRSS, and the
anonymous part of it, RssAnon, in /proc/self/status; Linux only). A first interval, in
which threads and buffers are made, doesn't count: from the first half of the others to
the second, the median memory may grow by 30 MB ('best' takes and frees more in each
call). The exit code is 1 if it grew by more, or if an answer was another.
"""

import argparse
import functools
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from _results import RATIO, row, write_rows

INTERVALS = 10
MAX_GROWTH_MB = 30
MODELS = {"crnn": ("keras", "onnx"), "baseline": (None,), "best": ("keras", "onnx")}


def trained(name, paths, genres):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from skgenre import (
        CRNNClassifier,
        MelSpectrogramTransformer,
        MFCCStandardizer,
        genre_pipeline,
    )

    if name == "best":
        return genre_pipeline(name).fit(paths, genres)
    steps = {
        "crnn": (
            MelSpectrogramTransformer(n_frames=120),
            CRNNClassifier(epochs=2, random_state=0),
        ),
        "baseline": (MFCCStandardizer(), LogisticRegression()),
    }[name]
    return make_pipeline(*steps).fit(paths, genres)


def write_model(name, folder, n_clips, duration):
    """Write clips and a model that is trained on them; return the clips' paths."""
    import skgenre
    from skgenre.datasets import make_genre_clips

    clips = make_genre_clips(
        n_clips, duration=duration, random_state=0, folder=os.path.join(folder, "clips")
    )
    model = trained(name, clips.paths, clips.target)
    skgenre.save(model, os.path.join(folder, "it.model"))
    return list(clips.paths)


def write_bad_files(paths, n_files):
    """Write files that are cut off, or no music; return their paths."""
    bad = []
    for i in range(n_files):
        contents = Path(paths[i % len(paths)]).read_bytes()
        path = Path(paths[0]).with_name(f"bad{i}.wav")
        path.write_bytes(contents[: len(contents) // 2] if i % 2 else contents[::-1])
        bad.append(str(path))
    return bad


def answer(model, path):
    """Return the probabilities of a file, or the message of its error."""
    from skgenre import AudioError

    try:
        return model.predict_proba([path])
    except AudioError as error:
        return np.array([str(error)])


def megabytes():
    """Return the memory of this process, and the anonymous part of it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    sizes = dict(line.split(":", 1) for line in lines)
    return [int(sizes[key].split()[0]) * 1024 / 1e6 for key in ("VmRSS", "RssAnon")]


class Load:
    """Threads that ask a model for clips until they are stopped.

    Parameters
    ----------
    model : Pipeline
        Takes paths.
    paths : list of str
        Files to ask for.
    expected : list of ndarray
        The right answers.
    n_threads : int
        How many ask.
    """

    def __init__(self, model, paths, expected, n_threads):
        self.model, self.paths, self.expected = model, paths, expected
        self.seconds = []
        self.wrong = []
        self.stop = threading.Event()
        self.threads = [
            threading.Thread(target=self.run, args=(i,)) for i in range(n_threads)
        ]

    def run(self, number):
        """Ask until it is time to stop: what a thread does."""
        rng = np.random.default_rng(number)
        while not self.stop.is_set():
            i = int(rng.integers(len(self.paths)))
            start = time.perf_counter()
            try:
                given = answer(self.model, self.paths[i])
                if not np.array_equal(given, self.expected[i]):
                    self.wrong.append(f"{self.paths[i]}: another answer")
            except Exception as error:  # one that threads get in one another's way
                self.wrong.append(f"{self.paths[i]}: {error!r}")
            self.seconds.append(time.perf_counter() - start)

    def intervals(self, seconds):
        """Yield what was measured in each interval, `INTERVALS` times and once more.

        That is clips a second, the times that clips took, and `megabytes`.
        """
        for thread in self.threads:
            thread.start()
        try:
            before, start = 0, time.perf_counter()
            for _ in range(INTERVALS + 1):
                time.sleep(seconds / INTERVALS)
                n, now = len(self.seconds), time.perf_counter()
                yield (n - before) / (now - start), self.seconds[before:n], megabytes()
                before, start = n, now
        finally:
            self.stop.set()
            for thread in self.threads:
                thread.join()


def percentiles(seconds):
    """Return the median and the 95th percentile in ms; NaN of nothing."""
    return np.percentile(seconds, [50, 95]) * 1000 if seconds else [np.nan, np.nan]


def measure(paths, file, name, runtime, all_threads, seconds):
    """Print the intervals of each number of threads, and return the rows of results."""
    import skgenre

    model = skgenre.load(file, **({"runtime": runtime} if runtime else {}))
    expected = [answer(model, path) for path in paths]
    label = f"{name}, {runtime}" if runtime else name
    rows = []
    for n_threads in all_threads:
        what = f"{label}, {n_threads} threads"
        load = Load(model, paths, expected, n_threads)
        most_growth = None if name == "best" else MAX_GROWTH_MB
        rows += measure_threads(load, what, seconds, most_growth)
    return rows


def measure_threads(load, what, seconds, most_growth):
    """Print the intervals, and return the rows of results."""
    rates, latencies, memory = [], [], []
    for rate, taken, sizes in load.intervals(seconds):
        median, slow = percentiles(taken)
        print(
            f"{what}: {rate:7.1f} clips/s {median:7.0f} ms {slow:7.0f} ms (95 %) "
            f"{sizes[0]:7.1f} MB, {sizes[1]:.1f} of them anonymous",
            flush=True,
        )
        rates.append(rate)
        latencies.append(taken)
        memory.append(sizes)
    resident = max(sizes[0] for sizes in memory)
    halves = np.array(memory[1:])[:, 1].reshape(2, -1)
    growth = float(np.diff(np.median(halves, axis=1))[0])
    rate = float(np.median(rates[1:]))
    steadiness = min(rates[1:]) / rate if rate else np.nan
    median, slow = percentiles(sum(latencies[1:], []))
    print(
        f"{what}: {len(load.seconds)} answers, {len(load.wrong)} of them wrong; memory "
        f"grew by {growth:.1f} MB; the slowest interval had {steadiness:.2f} of the "
        "median's clips a second"
    )
    for line in load.wrong[:10]:
        print(line, file=sys.stderr)
    what = f"{what}, {seconds:g} s"
    less = functools.partial(row, better="lower")
    return [
        less(f"wrong answers, {what}", len(load.wrong), "", target=0),
        less(f"growth of memory, {what}", growth, "MB", target=most_growth),
        row(
            f"slowest interval over the median, {what}",
            steadiness,
            RATIO,
            better="higher",
        ),
        row(f"clips a second, {what}", rate, "1/s", better="higher"),
        less(f"median latency, {what}", median, "ms"),
        less(f"95th percentile of latency, {what}", slow, "ms"),
        less(f"memory, {what}", resident, "MB"),
    ]


def in_new_process(function, *arguments):
    """Return what a function returns in a process that has done nothing else."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as process:
        return process.submit(function, *arguments).result()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--threads", type=int, nargs="+", default=[8])
    parser.add_argument(
        "--models", nargs="+", default=["crnn", "baseline"], choices=list(MODELS)
    )
    parser.add_argument("--clips", type=int, default=32)
    parser.add_argument("--bad", type=int, default=0, help="files that are damaged")
    parser.add_argument("--duration", type=float, default=6, help="seconds of a clip")
    parser.add_argument("--results", help="folder to write load.json to")
    options = parser.parse_args()
    rows = []
    for name in options.models:
        with tempfile.TemporaryDirectory() as folder:
            size = options.clips, options.duration
            paths = in_new_process(write_model, name, folder, *size)
            paths += write_bad_files(paths, options.bad)
            file = os.path.join(folder, "it.model")
            for runtime in MODELS[name]:
                how = name, runtime, options.threads, options.seconds
                rows += in_new_process(measure, paths, file, *how)
    if options.results:
        print("Written:", write_rows("load", rows, options.results))
    missed = [
        r["name"] for r in rows if r["target"] is not None and r["value"] > r["target"]
    ]
    sys.exit("; ".join(f"missed: {name}" for name in missed) or 0)


if __name__ == "__main__":
    main()
