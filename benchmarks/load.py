"""Eight threads ask one loaded model for genres, as those of a service do.

    python benchmarks/load.py [--seconds 600] [--threads 8] [--models crnn baseline]

Each model is trained on a few synthetic clips, saved and loaded. One thread alone asks
for each file's probabilities; then all threads ask for files at random, one at a time,
as long as was said. Every answer is compared with that of the one thread, bit by bit.
Printed are, for each of ten intervals, the clips a second and the anonymous memory
(RssAnon in /proc/self/status; Linux only). A first interval, in which threads and
buffers are made, doesn't count: memory may grow by 30 MB from its end to the peak. The
exit code is 1 if it grew by more, or if an answer was another.
"""

import argparse
import os
import sys
import tempfile
import threading
import time

import numpy as np
from _results import RATIO, row, write_rows
from memory import anonymous_bytes

INTERVALS = 10
MAX_GROWTH_MB = 30


def trained(name, paths, genres):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from skgenre import CRNNClassifier, MelSpectrogramTransformer, MFCCStandardizer

    steps = {
        "crnn": (
            MelSpectrogramTransformer(n_frames=120),
            CRNNClassifier(epochs=2, random_state=0),
        ),
        "baseline": (MFCCStandardizer(), LogisticRegression()),
    }[name]
    return make_pipeline(*steps).fit(paths, genres)


class Load:
    """Threads that ask a model for clips until they are stopped.

    Parameters
    ----------
    model : Pipeline
        Takes paths.
    paths : list of str
        Files to ask for.
    n_threads : int
        How many ask.
    """

    def __init__(self, model, paths, n_threads):
        self.model, self.paths = model, paths
        self.expected = [self.ask(i) for i in range(len(paths))]
        self.counts = [0] * n_threads
        self.wrong = []
        self.stop = threading.Event()
        self.threads = [
            threading.Thread(target=self.run, args=(i,)) for i in range(n_threads)
        ]

    def ask(self, i):
        """Return the probabilities of one file."""
        return self.model.predict_proba(self.paths[i : i + 1])

    def run(self, number):
        """Ask until it is time to stop: what a thread does."""
        rng = np.random.default_rng(number)
        while not self.stop.is_set():
            i = int(rng.integers(len(self.paths)))
            try:
                if not np.array_equal(self.ask(i), self.expected[i]):
                    self.wrong.append(f"{self.paths[i]}: another answer")
            except Exception as error:  # one that threads get in one another's way
                self.wrong.append(f"{self.paths[i]}: {error!r}")
            self.counts[number] += 1

    def intervals(self, seconds):
        """Yield clips a second and bytes of memory, `INTERVALS` times and once more."""
        for thread in self.threads:
            thread.start()
        try:
            before, start = 0, time.perf_counter()
            for _ in range(INTERVALS + 1):
                time.sleep(seconds / INTERVALS)
                n, now = sum(self.counts), time.perf_counter()
                yield (n - before) / (now - start), anonymous_bytes()
                before, start = n, now
        finally:
            self.stop.set()
            for thread in self.threads:
                thread.join()


def measure(name, n_threads, seconds, n_clips=32):
    """Print the intervals, and return the rows of results."""
    import skgenre
    from skgenre.datasets import make_genre_clips

    with tempfile.TemporaryDirectory() as folder:
        clips = make_genre_clips(n_clips, duration=6, random_state=0, folder=folder)
        file = os.path.join(folder, "it.model")
        skgenre.save(trained(name, clips.paths, clips.target), file)
        load = Load(skgenre.load(file), list(clips.paths), n_threads)
        rates, memory = [], []
        for rate, n_bytes in load.intervals(seconds):
            rates.append(rate)
            memory.append(n_bytes / 1e6)
            print(f"{name}: {rate:7.1f} clips/s {memory[-1]:7.1f} MB", flush=True)
    growth = max(memory[1:]) - memory[0]
    steadiness = min(rates[1:]) / float(np.median(rates[1:]))
    print(
        f"{name}: {sum(load.counts)} answers, {len(load.wrong)} of them wrong; memory "
        f"grew by {growth:.1f} MB; the slowest interval had {steadiness:.2f} of the "
        "median's clips a second"
    )
    for what in load.wrong[:10]:
        print(what, file=sys.stderr)
    what = f"{name}, {n_threads} threads, {seconds:g} s"
    return [
        row(f"wrong answers, {what}", len(load.wrong), "", better="lower", target=0),
        row(
            f"growth of memory, {what}",
            growth,
            "MB",
            better="lower",
            target=MAX_GROWTH_MB,
        ),
        row(
            f"slowest interval over the median, {what}",
            steadiness,
            RATIO,
            better="higher",
        ),
    ]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--threads", type=int, default=8)
    models = ["crnn", "baseline"]
    parser.add_argument("--models", nargs="+", default=models, choices=models)
    parser.add_argument("--results", help="folder to write load.json to")
    options = parser.parse_args()
    rows = []
    for name in options.models:  # one after the other, as memory stays taken
        rows += measure(name, options.threads, options.seconds)
    if options.results:
        print("Written:", write_rows("load", rows, options.results))
    missed = [
        r["name"] for r in rows if r["target"] is not None and r["value"] > r["target"]
    ]
    sys.exit("; ".join(f"missed: {name}" for name in missed) or 0)


if __name__ == "__main__":
    main()
