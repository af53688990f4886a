"""What harmonic and percussive views cost: processor time of a clip, with and without.

    python benchmarks/views.py MUSIC [--clips 8]

MUSIC is a folder of sound files. Both are computed in turns, file by file, and the
least time of each counts, so that other work on the machine matters little.
"""

import argparse
import time
from pathlib import Path

from skgenre import genre_pipeline
from skgenre.datasets import find_audio_files

TURNS = 10


def seconds(tasks, path):
    """Return the least time of each task for a file."""
    best = [float("inf")] * len(tasks)
    for _ in range(TURNS):
        for i, task in enumerate(tasks):
            started = time.thread_time()
            task(path)
            best[i] = min(best[i], time.thread_time() - started)
    return best


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", type=Path)
    parser.add_argument("--clips", type=int, default=8)
    options = parser.parse_args()
    files = find_audio_files(options.music)
    files = files[:: max(1, len(files) // options.clips)][: options.clips]
    for name in ("fast", "scratch"):
        step = genre_pipeline(name)[0]
        views = ("mix",), step.views
        tasks = [step.set_params(views=each)._work().task for each in views]
        one, all_three = map(sum, zip(*(seconds(tasks, f) for f in files), strict=True))
        print(
            f"{name:8} mix {1000 * one / len(files):6.1f} ms a clip, all three views "
            f"{1000 * all_three / len(files):6.1f} ms: {all_three / one:.2f} x"
        )


if __name__ == "__main__":
    main()
