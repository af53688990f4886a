"""How quick the page of `skgenre explore` is, and how much memory its server takes.

    python benchmarks/explore.py [--songs 20000] [--clips 240]

In headless Chromium, on a collection of so many songs (names of four clips, with made
embeddings of 100 numbers): the seconds from the call of the page to the first map, of
a redrawn map, and from a click to the sound; and the most memory of the server. Then,
with the pretrained weights, so many made clips of 10 s: the seconds from the last of
them heard to the map, and from a second start, which finds them in the cache, to the
map. Each figure is printed with its limit. Linux only.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__)


def serve(folder, n_made):
    """Serve a folder until the standard input ends, with made embeddings or none."""
    import skgenre
    from skgenre.explore import _extraction

    if n_made:  # in place of hours

        def run(self):
            rng = np.random.default_rng(0)
            n = len(self.done)
            centers = rng.normal(size=(12, 100))
            made = centers[rng.integers(0, 12, n)] + rng.normal(size=(n, 100))
            self.embeddings = made.astype(np.float32)
            self.proba = rng.dirichlet(np.ones(14), n).astype(np.float32)
            self.done[:] = True

        _extraction.Extraction._run = run
    explorer = skgenre.explore(
        folder,
        labels_file=folder.parent / "labels.csv",
        cache_dir=folder.parent / "cache",
        n_jobs=-1,
    )
    print(explorer.url, flush=True)
    explorer._server.extraction.wait()
    print("heard", flush=True)
    sys.stdin.read()
    loaded = [name for name in ("tensorflow", "keras") if name in sys.modules]
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1e3
    print(json.dumps({"megabytes": peak, "loaded": loaded}), flush=True)
    explorer.stop()


class Served:
    """A server in a process of its own."""

    def __init__(self, folder, n_made=0):
        self.began = time.monotonic()
        command = [sys.executable, HERE, "--serve", folder, "--songs", str(n_made)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = self.process.stdout.readline().strip()

    def wait(self):
        """Wait until all songs are heard."""
        assert self.process.stdout.readline() == "heard\n"

    def stop(self):
        """Return what the server says of itself in the end."""
        self.process.stdin.close()
        said = json.loads(self.process.stdout.readline())
        self.process.wait()
        return said


def say(what, value, unit, limit):
    verdict = "holds" if value <= limit else "IS TOO MUCH"
    print(f"{what}: {value:.2f} {unit}, at most {limit}: {verdict}", flush=True)


def say_memory(said):
    say("memory of the server", said["megabytes"], "MB", 500)
    print(f"loaded {said['loaded']}")


def wait_for_map(browser, n_songs):
    browser.wait_for(f"map.numbers.length === {n_songs} && map.painted")


def measure_page(n_songs, folder):
    from chromium import Chromium

    from skgenre.datasets import make_genre_clips

    made = make_genre_clips(4, duration=10, random_state=0, folder=folder / "made")
    music = folder / "music"
    music.mkdir()
    for i in range(n_songs):
        os.link(made.paths[i % 4], music / f"{i:06}.flac")
    served = Served(music, n_songs)
    served.wait()
    with Chromium() as browser:
        browser.open(served.url, width=1280)
        wait_for_map(browser, n_songs)
        first = browser.evaluate("map.painted")
        browser.wait_for("element('truth').textContent")
        frames = [
            browser.evaluate(
                "(() => { const t = performance.now(); map.isStale = true; "
                "map.paint(); map.canvas.getContext('2d').getImageData(0, 0, 1, 1); "
                "return performance.now() - t; })()"
            )
            for _ in range(20)
        ]
        browser.evaluate(
            "document.addEventListener('pointerup', () => { clicked = performance.now()"
            "; heard_at = 0; }, true); audio.addEventListener('playing', () => "
            "{ heard_at = performance.now(); }); clicked = heard_at = 0;"
        )
        waits = []
        for i in range(5):
            x, y = browser.evaluate(
                "(() => { const box = element('map').getBoundingClientRect(); "
                f"const [x, y] = map.at({i}); return [box.x + x + 1, box.y + y + 1]; "
                "})()"
            )
            browser.click(x, y)
            browser.wait_for("heard_at > 0")
            waits.append(browser.evaluate("heard_at - clicked"))
            browser.wait_for("document.querySelectorAll('#near li').length > 0")
    print(f"{n_songs:,} songs")
    say("first map", first / 1e3, "s", 3)
    say("map redrawn", np.median(frames) / 1e3, "s", 0.1)
    say("click to sound", np.median(waits) / 1e3, "s", 0.3)
    say_memory(served.stop())


def measure_starts(n_clips, folder):
    from chromium import Chromium

    from skgenre.datasets import make_genre_clips

    music = folder / "clips"
    make_genre_clips(n_clips, duration=10, random_state=0, folder=music)
    with Chromium() as browser:
        served = Served(music)
        browser.open(served.url, width=1280)
        served.wait()
        heard = time.monotonic()
        print(f"{n_clips} clips: heard in {heard - served.began:.1f} s")
        wait_for_map(browser, n_clips)
        say("from there to the map of all", time.monotonic() - heard, "s", 20)
        say_memory(served.stop())
        served = Served(music)
        browser.open(served.url, width=1280)
        wait_for_map(browser, n_clips)
        say("second start to map", time.monotonic() - served.began, "s", 3)
        served.wait()
        say_memory(served.stop())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--songs", type=int, default=20_000)
    parser.add_argument("--clips", type=int, default=240)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve, options.songs)
        return
    sys.path.append(str(HERE.parents[1] / "tests" / "helpers"))
    with tempfile.TemporaryDirectory() as folder:
        measure_page(options.songs, Path(folder))
    if options.clips:
        with tempfile.TemporaryDirectory() as folder:
            measure_starts(options.clips, Path(folder))


if __name__ == "__main__":
    main()
