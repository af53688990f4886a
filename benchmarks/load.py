"""Threads ask one loaded model for genres, or clients a service that has it.

    python benchmarks/load.py [--seconds 600] [--threads 8] [--models crnn baseline]
    python benchmarks/load.py --models best --duration 30 --threads 1 2 4 8 --seconds 20
    python benchmarks/load.py --services threads asgi workers --models crnn \
        --seconds 1800

Each model is trained on a few synthetic clips, saved, and loaded in a process of its
own, a network by both runtimes. 'best' needs musicnn's weights (``skgenre weights``).
One thread alone asks for each file's probabilities; then as many threads as --threads
says ask for the files in turn, one at a time, for so many seconds. Every answer is
compared with that of the one thread, bit by bit. Of --bad more files, every second is
cut off, and the others are no music: their answer is an error.

With --services, the services of examples/service/ run at the same time: a pool of
threads ('threads'), FastAPI ('asgi'), and FastAPI in two processes ('workers'), the
last two with a time limit. Clients send them good files of several formats and
lengths, damaged ones, silence, text and junk, forms that are none, and requests that
they leave amid. A file that the model alone gives a genre has to get the same
probabilities, any other the status 4xx and a short message; in the end the service has
to be healthy and must not have printed a traceback.

Printed are, for each of ten intervals, the clips a second, the median and the 95th
percentile of the time that a clip takes, and the memory of the processes (VmRSS, and
the anonymous part of it, RssAnon, in /proc; Linux only), the median of many looks. A
first interval, in which threads and buffers are made, doesn't count: from there on, the
anonymous memory may grow by 50 MB an hour, by the median of the slopes between any two
intervals. The exit code is 1 if it grew by more, or if an answer was another. Of less
than ten minutes, the slope is not judged.
"""

import argparse
import contextlib
import functools
import itertools
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import _services
import numpy as np
from _results import RATIO, row, write_rows
from scipy.stats import theilslopes

INTERVALS = 10
LOOKS = 50
"""How often memory is looked at in each interval."""
MOST_GROWTH = 50
"""MB an hour: a service that is started anew each day takes 1.2 GB more in the end."""
JUDGED_SECONDS = 600
"""In a shorter time, slopes are noise, and buffers grow that are used again later."""
SONGS = 2
"""Songs of which uploads are made, each in several formats and lengths."""
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


def megabytes(process_ids=("self",)):
    """Return the memory of processes, and the anonymous part of it."""
    total = np.zeros(2)
    for pid in process_ids:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:  # it has just ended
            continue
        sizes = dict(line.split(":", 1) for line in lines)
        for i, key in enumerate(("VmRSS", "RssAnon")):
            if key in sizes:  # it is not while a process ends
                total[i] += int(sizes[key].split()[0]) * 1024 / 1e6
    return total


class Load:
    """Threads that ask for clips until they are stopped.

    Parameters
    ----------
    ask : callable
        Takes a number from 0 to `n_clips`, asks for that clip, and returns what is
        wrong with the answer, or None.
    n_clips : int
        How many there are.
    n_threads : int
        How many ask.
    memory : callable
        Returns the memory of what is asked, and the anonymous part of it.
    """

    def __init__(self, ask, n_clips, n_threads, memory=megabytes):
        self.ask, self.memory = ask, memory
        self.seconds = []
        self.wrong = []
        self.stop = threading.Event()
        self.turns = itertools.count()
        self.order = np.random.default_rng(0).permutation(n_clips).tolist()
        self.threads = [threading.Thread(target=self.run) for _ in range(n_threads)]

    def run(self):
        """Ask until it is time to stop: what a thread does."""
        while not self.stop.is_set():
            i = self.order[next(self.turns) % len(self.order)]
            start = time.perf_counter()
            try:
                wrong = self.ask(i)
            except Exception as error:  # one that threads get in one another's way
                wrong = f"clip {i}: {error!r}"
            if wrong is not None:
                self.add_wrong(wrong)
            self.seconds.append(time.perf_counter() - start)

    def add_wrong(self, wrong):
        """Keep what is wrong with an answer, and print the first few."""
        self.wrong.append(wrong)
        if len(self.wrong) <= 10:
            print(wrong, file=sys.stderr, flush=True)

    def intervals(self, seconds):
        """Yield what was measured in each interval, `INTERVALS` times and once more.

        That is clips a second, the times that clips took, and `LOOKS` at the memory.
        """
        for thread in self.threads:
            thread.start()
        try:
            before, start = 0, time.perf_counter()
            for _ in range(INTERVALS + 1):
                sizes = []
                for _ in range(LOOKS):
                    time.sleep(seconds / INTERVALS / LOOKS)
                    sizes.append(self.memory())
                n, now = len(self.seconds), time.perf_counter()
                taken = self.seconds[before:n]
                yield (n - before) / (now - start), taken, np.array(sizes)
                before, start = n, now
        finally:
            self.stop.set()
            for thread in self.threads:
                thread.join()


def percentiles(seconds):
    """Return the median and the 95th percentile in ms; NaN of nothing."""
    return np.percentile(seconds, [50, 95]) * 1000 if seconds else [np.nan, np.nan]


def growth(sizes, seconds):
    """Return by how many MB an hour memory grows.

    It is the median of the slopes between any two intervals (Theil and Sen), which up
    to a quarter of them, such as those with a few long clips, can't move far.

    Parameters
    ----------
    sizes : sequence of float
        Megabytes in each interval.
    seconds : float
        Length of an interval.
    """
    slope, *_ = theilslopes(sizes, np.arange(len(sizes)) * seconds / 3600)
    return float(slope)


def measure(paths, file, name, runtime, all_threads, seconds):
    """Print the intervals of each number of threads, and return the rows of results."""
    import skgenre

    model = skgenre.load(file, **({"runtime": runtime} if runtime else {}))
    expected = [answer(model, path) for path in paths]

    def ask(i):
        is_right = np.array_equal(answer(model, paths[i]), expected[i])
        return None if is_right else f"{paths[i]}: another answer"

    label = f"{name}, {runtime}" if runtime else name
    rows = []
    for n_threads in all_threads:
        load = Load(ask, len(paths), n_threads)
        rows += sum(measure_load(load, f"{label}, {n_threads} threads", seconds), [])
    return rows


def expected_uploads(paths, file):
    """Return uploads by name, and the answer to each of the model alone."""
    import skgenre

    files = _services.make_files(
        [skgenre.load_audio(path, _services.RATE) for path in paths[:SONGS]]
    )
    model = skgenre.load(file, runtime="auto")
    return files, _services.expected_answers(model, files)


def measure_services(names, paths, file, model_name, all_threads, seconds):
    """Do as `measure` does with services, which all run at the same time."""
    files, answers = in_new_process(expected_uploads, paths, file)
    n_good = len(files) - answers.count(None)
    print(f"{len(files)} uploads, {n_good} of them with a genre", flush=True)

    def measure_one(service, n_threads):
        requests = _services.make_requests(
            files, answers, takes_forms=service.takes_forms
        )
        load = Load(
            lambda i: _services.fault(requests[i], service.send(requests[i])),
            len(requests),
            n_threads,
            lambda: megabytes(service.process_ids()),
        )
        what = f"{model_name}, service '{service.name}', {n_threads} clients"
        health, _ = measure_load(load, what, seconds, service.faults)
        return health  # how fast one is beside the others says nothing

    rows = []
    with contextlib.ExitStack() as stack:
        services = [
            stack.enter_context(_services.Service(name, file)) for name in names
        ]
        pool = stack.enter_context(ThreadPoolExecutor(len(services)))
        for n_threads in all_threads:
            rows += sum(
                pool.map(measure_one, services, itertools.repeat(n_threads)), []
            )
    return rows


def measure_load(load, what, seconds, more_faults=list):
    """Print the intervals, and return rows on health and on speed.

    Parameters
    ----------
    load : Load
        Not started.
    what : str
        What it is called.
    seconds : float
        Of all intervals but the first.
    more_faults : callable, default=list
        Returns what else is wrong in the end.
    """
    rates, latencies, memory = [], [], []
    for rate, taken, sizes in load.intervals(seconds):
        median, slow = percentiles(taken)
        resident, anonymous = np.median(sizes, axis=0)
        print(
            f"{what}: {rate:7.1f} clips/s {median:7.0f} ms {slow:7.0f} ms (95 %) "
            f"{resident:7.1f} MB, {anonymous:.1f} of them anonymous\n",
            end="",  # in one piece, as others print, too
            flush=True,
        )
        rates.append(rate)
        latencies.append(taken)
        memory.append(sizes)
    for wrong in more_faults():
        load.add_wrong(wrong)
    most = max(sizes[:, 0].max() for sizes in memory)
    anonymous = [float(np.median(sizes[:, 1])) for sizes in memory[1:]]
    grown = growth(anonymous, seconds / INTERVALS)
    rate = float(np.median(rates[1:]))
    steadiness = min(rates[1:]) / rate if rate else np.nan
    median, slow = percentiles(sum(latencies[1:], []))
    print(
        f"{what}: {len(load.seconds)} answers, {len(load.wrong)} of them wrong; memory "
        f"grew by {grown:.1f} MB an hour; the slowest interval had {steadiness:.2f} of "
        "the median's clips a second"
    )
    what = f"{what}, {seconds:g} s"
    less = functools.partial(row, better="lower")
    more = functools.partial(row, better="higher")
    most_growth = MOST_GROWTH if seconds >= JUDGED_SECONDS else None
    health = [
        more(f"answers, {what}", len(load.seconds), ""),
        less(f"wrong answers, {what}", len(load.wrong), "", target=0),
        less(f"growth of memory, {what}", grown, "MB/h", target=most_growth),
        less(f"memory, {what}", most, "MB"),
    ]
    speed = [
        more(f"slowest interval over the median, {what}", steadiness, RATIO),
        more(f"clips a second, {what}", rate, "1/s"),
        less(f"median latency, {what}", median, "ms"),
        less(f"95th percentile of latency, {what}", slow, "ms"),
    ]
    return health, speed


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
    parser.add_argument(
        "--services",
        nargs="+",
        choices=_services.Service.NAMES,
        help="services to run, all at once",
    )
    parser.add_argument(
        "--results",
        help="folder to write load.json to; services.json with --services, else "
        "latency.json with several numbers of --threads",
    )
    options = parser.parse_args()
    rows = []
    for name in options.models:
        with tempfile.TemporaryDirectory() as folder:
            size = options.clips, options.duration
            paths = in_new_process(write_model, name, folder, *size)
            file = os.path.join(folder, "it.model")
            how = options.threads, options.seconds
            if options.services:
                rows += measure_services(options.services, paths, file, name, *how)
                continue
            paths += write_bad_files(paths, options.bad)
            for runtime in MODELS[name]:
                rows += in_new_process(measure, paths, file, name, runtime, *how)
    if options.results:
        benchmark = "services" if options.services else "load"
        if benchmark == "load" and len(options.threads) > 1:
            benchmark = "latency"
            # Of some seconds, which is the slowest interval is chance.
            rows = [each for each in rows if each["unit"] != RATIO]
        print("Written:", write_rows(benchmark, rows, options.results))
    missed = [
        r["name"] for r in rows if r["target"] is not None and r["value"] > r["target"]
    ]
    sys.exit("; ".join(f"missed: {name}" for name in missed) or 0)


if __name__ == "__main__":
    main()
