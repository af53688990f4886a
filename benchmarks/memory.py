"""How much memory training and predicting take, over the size of the collection.

    python benchmarks/memory.py [--sizes 1 5 20 50] [--classifier crnn]

Each size, in GB (1e9 bytes), is a file of spectrograms of 640 frames x 128 bands that
is all zeros and takes no space on the disk (a sparse file); so the folder must be on a
file system that has such files. A tiny network is trained on it for one epoch and
predicts genres and embeddings, each size in a separate process. The peak is that of
anonymous memory (RssAnon in /proc/self/status, read every 20 ms), without the pages of
the file that the system caches. With --array the smallest size is also read into the
memory, to show what is saved.

Prints a table, and writes the growth as JSON with --results. Linux only.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from _results import row, write_rows

CLIP = (640, 128)
GENRES = ["folk", "jazz", "rock", "techno"]


@contextlib.contextmanager
def peak_memory():
    """Yield a list whose only value is the peak so far, in bytes."""
    peak, stop = [anonymous_bytes()], threading.Event()

    def sample():
        while not stop.wait(0.02):
            peak[0] = max(peak[0], anonymous_bytes())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def anonymous_bytes():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status has no RssAnon")


def sparse_file(path, n_bytes, dtype):
    """Write a file of zeros that takes no space, and return its number of clips."""
    n_clips = int(n_bytes // (np.prod(CLIP) * np.dtype(dtype).itemsize))
    facts = {
        "descr": np.dtype(dtype).str,
        "fortran_order": False,
        "shape": (n_clips, *CLIP),
    }
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, facts)
        size = file.tell() + n_clips * int(np.prod(CLIP)) * np.dtype(dtype).itemsize
        file.truncate(size)
    if os.stat(path).st_blocks * 512 > size // 10:
        raise RuntimeError(f"{path} takes room: the file system has no sparse files")
    return n_clips


def tiny(name):
    """Return a classifier that reads as much as a large one, and computes little."""
    from skgenre import (
        CRNNClassifier,
        ParallelCNNRNNClassifier,
        SecondOrderClassifier,
        SegmentClassifier,
    )

    crnn = CRNNClassifier(
        filters=(2,),
        pool_size=8,
        lstm_units=2,
        embedding_units=4,
        epochs=1,
        random_state=0,
    )
    return {
        "crnn": crnn,
        "parallel": ParallelCNNRNNClassifier(epochs=1, random_state=0),
        "second_order": SecondOrderClassifier(n_mfcc=4, n_prototypes=4, epochs=1),
        "segment": SegmentClassifier(crnn, window=320, hop=320),
    }[name]


def measure(path, kind, classifier):
    """Fit and predict in this process; print the peaks as JSON."""
    from skgenre import SpectrogramFile

    X = {
        "file": SpectrogramFile,
        "memmap": lambda path: np.load(path, mmap_mode="r", allow_pickle=False),
        "array": np.load,
    }[kind](path)
    y = np.random.default_rng(0).choice(GENRES, size=len(X))
    model = tiny(classifier)
    result = {"n_clips": len(X)}
    steps = {
        "fit": lambda: model.fit(X, y),
        "predict": lambda: model.predict(X),
        "transform": lambda: model.transform(X),
    }
    for name, step in steps.items():
        start = time.perf_counter()
        with peak_memory() as peak:
            step()
        result[name] = {
            "peak_mb": round(peak[0] / 1e6, 1),
            "seconds": round(time.perf_counter() - start, 1),
        }
    print(json.dumps(result))


def in_process_of_its_own(path, kind, classifier):
    done = subprocess.run(
        [sys.executable, __file__, "--measure", path, kind, classifier],
        check=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=float, nargs="+", default=[1, 5, 20, 50])
    parser.add_argument(
        "--classifier",
        default="crnn",
        choices=["crnn", "parallel", "second_order", "segment"],
    )
    parser.add_argument("--dtype", default="float32", choices=["float32", "float16"])
    parser.add_argument("--kind", default="file", choices=["file", "memmap"])
    parser.add_argument("--array", action="store_true")
    parser.add_argument("--folder", help="where to make the sparse files")
    parser.add_argument("--results", help="folder to write memory.json to")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(*options.measure)

    steps = ["fit", "predict", "transform"]
    print(f"{'size':>8} {'read as':>8} {'clips':>8}", *(f"{s:>20}" for s in steps))
    peaks = []
    runs = [(min(options.sizes), "array")] if options.array else []
    runs += [(size, options.kind) for size in sorted(options.sizes)]
    for size, kind in runs:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            path = os.path.join(folder, "spectrograms.npy")
            sparse_file(path, size * 1e9, options.dtype)
            found = in_process_of_its_own(path, kind, options.classifier)
        peaks.append({step: found[step]["peak_mb"] for step in steps})
        cells = [
            f"{found[s]['peak_mb']:8.0f} MB {found[s]['seconds']:6.0f} s" for s in steps
        ]
        print(
            f"{size:5g} GB {kind:>8} {found['n_clips']:8}",
            *(f"{cell:>20}" for cell in cells),
            flush=True,
        )
    sizes = f"{min(options.sizes):g} to {max(options.sizes):g} GB"
    first, last = peaks[-len(options.sizes)], peaks[-1]
    growth = {step: last[step] - first[step] for step in steps}
    print(
        f"From {sizes} the peak grew by",
        ", ".join(f"{mb:+.0f} MB ({step})" for step, mb in growth.items()),
    )
    if options.results:
        rows = [
            row(
                f"growth of the peak of memory in {step}, from {sizes} of spectrograms",
                mb,
                "MB",
                better="lower",
                target=200,
            )
            for step, mb in growth.items()
        ]
        print("Written:", write_rows("memory", rows, options.results))


if __name__ == "__main__":
    main()
