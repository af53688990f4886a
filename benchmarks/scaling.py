"""What a track costs, and so what a corpus costs on many machines.

    python benchmarks/scaling.py [--track SONG.mp3] [--results benchmarks/results/0.1]
    python benchmarks/scaling.py --plan benchmarks/results/0.1

The first measures, on a song or on a synthetic stereo MP3 of FMA's mean length and bit
rate, the processor time of decoding and of spectrograms, of the middle excerpt and of
the whole track; what is read and written; what fetching from a web server costs; and
what one client can hand out and gather on a Dask cluster of two worker processes.
Processor time and ratios depend little on what else the machine does; the client's
rates do.

The second prints, from these, the documentation's table of two corpora; put in other
numbers of tracks and cores by ``--tracks``, ``--seconds`` and ``--cores``.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import joblib
import numpy as np
import soundfile
from _results import RATIO, read_rows, row, write_rows
from threadpoolctl import threadpool_limits

from skgenre import MelSpectrogramTransformer
from skgenre.audio import load_audio, map_clips
from skgenre.audio._remote import fetched
from skgenre.datasets import make_genre_clips

SECONDS = 278
"""343 days / 106,574 tracks: FMA's mean length."""
CORPORA = {
    "FMA-full": (106_574, SECONDS),
    "10 million tracks": (10_000_000, SECONDS),
}
CORES = [16, 256]
RATE = 44100
EFFICIENCY = "extraction by two Dask workers over two threads"
EXCERPT = MelSpectrogramTransformer()
WHOLE = MelSpectrogramTransformer(n_frames=None)


def make_track(path, seconds):
    """Write music as an MP3 of 256 kbit/s, about that of FMA's files."""
    clip = make_genre_clips(
        4, duration=min(30, seconds), sample_rate=RATE, random_state=0
    )
    left = np.resize(clip.waveforms.ravel(), int(seconds * RATE))
    stereo = np.stack([left, np.roll(left, 7)], axis=1)
    with soundfile.SoundFile(
        path, "w", RATE, 2, bitrate_mode="CONSTANT", compression_level=0.22
    ) as file:
        for start in range(0, len(stereo), 1 << 16):
            file.write(stereo[start : start + (1 << 16)])


def processor_seconds(functions, repeats):
    """Return the median processor time of each function; they take turns."""
    spent = {name: [] for name in functions}
    for _ in range(repeats + 1):
        for name, function in functions.items():
            start = time.process_time()
            function()
            spent[name].append(time.process_time() - start)
    return {name: statistics.median(times[1:]) for name, times in spent.items()}


@contextmanager
def web_server(path):
    """Serve a file's folder from another process; yield the file's URL."""
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with subprocess.Popen(
        command,
        cwd=Path(path).parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        port = server.stdout.readline().split(b" port ")[1].split()[0].decode()
        try:
            yield f"http://127.0.0.1:{port}/{quote(Path(path).name)}"
        finally:
            server.terminate()


def measure_track(path, repeats):
    """Measure processor time and bytes of one track."""
    seconds = soundfile.info(path).duration
    excerpt_seconds = min(30, seconds)
    start = (seconds - excerpt_seconds) / 2

    def fetch(url):
        with fetched(url):
            pass

    # Threads of BLAS that wait for work would be counted; audio steps have none either.
    with web_server(path) as url, threadpool_limits(1):
        spent = processor_seconds(
            {
                "decode excerpt": lambda: load_audio(
                    path, None, offset=start, duration=excerpt_seconds
                ),
                "excerpt": lambda: EXCERPT.transform([path]),
                "fetch": lambda: fetch(url),
                "decode whole": lambda: load_audio(path, None),
                "whole": lambda: WHOLE.transform([path]),
            },
            repeats,
        )
    n_bytes = Path(path).stat().st_size
    excerpt = EXCERPT.transform([path])
    whole = WHOLE.transform([path])[0]
    return [
        row("excerpt of 30 s to its spectrogram, processor time",
            1e3 * spent["excerpt"], "ms", better="lower"),
        row("excerpt over its decoding alone", spent["excerpt"]
            / spent["decode excerpt"], RATIO, better="lower", target=1.6),
        row("whole track to its spectrogram, processor time a second of audio",
            1e3 * spent["whole"] / seconds, "ms", better="lower"),
        row("whole track over its decoding alone",
            spent["whole"] / spent["decode whole"], RATIO, better="lower"),
        row("fetching a file, processor time a megabyte",
            1e9 * spent["fetch"] / n_bytes, "ms", better="lower"),
        row("read a second of audio", n_bytes / seconds / 1e3, "kB", better="lower"),
        row("written an excerpt, float32", excerpt.nbytes / 1e3, "kB", better="lower"),
        row("written an excerpt, float16", excerpt.nbytes / 2e3, "kB", better="lower"),
        row("written a second of audio of whole tracks, float32",
            whole.nbytes / seconds / 1e3, "kB", better="lower"),
    ]  # fmt: skip


def _spectrogram(path):
    return np.zeros((640, 128), dtype=np.float32)


def measure_cluster(path, repeats, n_tasks):
    """Measure what one client hands out and gathers, and two workers over threads."""
    from dask.distributed import Client, LocalCluster

    clips = [path] * 24 * repeats
    rows, ratios = [], []
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        Client(cluster),
    ):

        def seconds(function, backend="dask", n_jobs=-1):
            start = time.perf_counter()
            with joblib.parallel_config(backend, n_jobs=n_jobs):
                function()
            return time.perf_counter() - start

        def hand_out(function, n_tasks):
            names = (f"s3://bucket/fma_full/{i:06d}.mp3" for i in range(n_tasks))
            for _ in map_clips(function, list(names)):
                pass

        def extract():
            EXCERPT.transform(clips)

        seconds(extract)  # imports in the workers
        taken = seconds(lambda: hand_out(len, n_tasks))
        rows.append(
            row(
                "files handed out by one client", n_tasks / taken, "/s", better="higher"
            )
        )
        taken = seconds(lambda: hand_out(_spectrogram, n_tasks // 10))
        gathered = n_tasks // 10 * 640 * 128 * 4 / taken / 1e6
        rows.append(
            row(
                "spectrograms gathered by one client", gathered, "MB/s", better="higher"
            )
        )
        for _ in range(repeats):
            ratios.append(seconds(extract, "threading", 2) / seconds(extract))
    rows.append(
        row(
            EFFICIENCY,
            statistics.median(ratios),
            RATIO,
            better="higher",
        )
    )
    return rows


def costs_of(results):
    """Return this benchmark's values by name."""
    return {row["name"]: row["value"] for row in results["scaling"]["rows"]}


def plan(costs, n_tracks, seconds, n_cores, *, link=1.25e9):
    """Return the hours and terabytes of a corpus, by excerpts and by whole tracks.

    Parameters
    ----------
    costs : dict
        The measured values by name.
    n_tracks : int
        Number of tracks.
    seconds : float
        Their mean length.
    n_cores : int
        Cores that work, of all workers.
    link : float, default=1.25e9
        Bytes a second that the store delivers to all workers together; 10 Gbit/s.
    """
    efficiency = min(1, costs[EFFICIENCY])
    read = n_tracks * seconds * 1e3 * costs["read a second of audio"]
    fetch = read / 1e9 * costs["fetching a file, processor time a megabyte"]
    cases = {
        "excerpts of 30 s": (
            n_tracks * 1e-3
            * costs["excerpt of 30 s to its spectrogram, processor time"],
            n_tracks * 1e3 * costs["written an excerpt, float16"],
        ),
        "whole tracks": (
            n_tracks * seconds * 1e-3 * costs[
                "whole track to its spectrogram, processor time a second of audio"
            ],
            n_tracks * seconds * 500
            * costs["written a second of audio of whole tracks, float32"],
        ),
    }  # fmt: skip
    return {
        name: {
            "core_hours": (work + fetch) / 3600,
            "hours": (work + fetch) / 3600 / n_cores / efficiency,
            "network_hours": read / link / 3600,
            "read_tb": read / 1e12,
            "written_tb": written / 1e12,
        }
        for name, (work, written) in cases.items()
    }


def plan_table(costs, corpora, cores=CORES):
    """Return `plan` of some corpora as a list-table in reStructuredText."""
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - Corpus",
        "     - Core hours",
        *(f"     - Hours, {n} cores" for n in cores),
        "     - Hours, 10 Gbit/s",
        "     - Read, TB",
        "     - Written, TB",
    ]
    for corpus, (n_tracks, seconds) in corpora.items():
        for case in plan(costs, n_tracks, seconds, 1):
            each = [plan(costs, n_tracks, seconds, n)[case] for n in cores]
            numbers = [
                f"{each[0]['core_hours']:,.1f}",
                *(f"{one['hours']:,.1f}" for one in each),
                f"{each[0]['network_hours']:,.1f}",
                f"{each[0]['read_tb']:,.2f}",
                f"{each[0]['written_tb']:,.3f}",
            ]
            lines.append(f"   * - {corpus}, {case}")
            lines += [f"     - {number}" for number in numbers]
    return "\n".join([*lines, ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--track", help="a song instead of a synthetic one")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--results", help="folder to write scaling.json to")
    parser.add_argument("--plan", metavar="RESULTS", help="folder with scaling.json")
    parser.add_argument("--tracks", type=int)
    parser.add_argument("--cores", type=int, nargs="+", default=CORES)
    parser.add_argument("--output", help="folder of the documentation to write to")
    options = parser.parse_args()
    if options.plan:
        costs = costs_of(read_rows(options.plan))
        corpora = CORPORA
        if options.tracks:
            corpora = {f"{options.tracks:,} tracks": (options.tracks, options.seconds)}
        text = plan_table(costs, corpora, options.cores)
        if options.output:
            (Path(options.output) / "many_machines.inc").write_text(text)
        else:
            print(text)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = options.track
        if path is None:
            path = str(Path(folder) / "track.mp3")
            make_track(path, options.seconds)
        rows = measure_track(path, options.repeats)
        rows += measure_cluster(path, options.repeats, options.tasks)
    for each in rows:
        print(f"{each['value']:10.4g} {each['unit']:5} {each['name']}")
    if options.results:
        print("Written:", write_rows("scaling", rows, options.results))


if __name__ == "__main__":
    main()
