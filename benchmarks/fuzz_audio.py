"""Read thousands of damaged sound files, in threads and in worker processes.

    python benchmarks/fuzz_audio.py [MUSIC] [-n 20000] [--losses 5000] [--seed 0]
        [--jobs 2]

Half a second of music is written in every format that libsndfile and PyAV can write
here, and changed at random: bits, blocks, header fields, lengths, splices with other
files (see tests/helpers/mutations.py). Each file is read whole and as an excerpt of
which the spectrogram is made. MUSIC is a sound file to start from instead of a
synthetic one.

Printed are, for both modes, what came of the files, the longest time that one took, and
how much memory was needed. Any other end than a result or an `AudioError` is a defect,
as is a crash, a file that takes more than 20 s, memory that grows, or a difference
between the modes. Files are listed with the number by which `--only NUMBER` makes them
again, and the exit code is 1. The numbers are kept as JSON with --results. The threads
are those of a worker process: a crash of theirs is found out, and not suffered.

Then six seconds in every container are damaged as files are in the world: cut off,
flipped, overwritten, shortened, spliced, chained, with headers that lie (see
tests/helpers/damage.py). Of each file at least 95 % of what FFmpeg decodes when it
skips bad packets is to be read, or the loss to be reported: as a warning, or as an
`AudioError`. Files are made again with `--only-loss NUMBER`.
"""

import argparse
import functools
import hashlib
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
import damage
import mutations
from _results import row, write_rows

from skgenre.audio import AudioError, load_audio, map_clips
from skgenre.audio._isolation._task import IsolatedTask
from skgenre.audio._isolation._worker import Worker, WorkerDied
from skgenre.datasets import make_genre_clips
from skgenre.features._mel_transformer import _excerpt_spectrogram
from skgenre.features._spectrogram import MelSettings

_AT_A_TIME = 200
_SECONDS_EACH = 20
_MEGABYTES = 200
_LEAST_SHARE = 0.95
_VIEWS = ("mix", "harmonic", "percussive")
_SETTINGS = MelSettings(22050, 2048, 1024, 128, 0.0, None).check()


class Outcome(NamedTuple):
    """What came of one file."""

    kind: str
    """'read', 'refused', or what else has happened."""
    result: str
    """Digest of what was read, or the error's text."""
    seconds: float = 0.0
    growth: float = 0.0
    """Megabytes by which the process's highest memory has grown meanwhile."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("music", nargs="?")
    parser.add_argument("-n", type=int, default=20_000)
    parser.add_argument("--losses", type=int, default=5_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", type=int, help="write this file, and read it")
    parser.add_argument("--only-loss", type=int, help="the same of the losses")
    parser.add_argument("--results", help="folder to write fuzz_audio.json to")
    options = parser.parse_args()

    if options.music:
        waveform = load_audio(options.music, 44100, offset=20, duration=6)
    else:
        clips = make_genre_clips(4, duration=6, sample_rate=44100, random_state=0)
        waveform = clips.waveforms[1]
    files = mutations.whole_files(waveform[:22050], 44100)
    if options.only_loss is not None:
        whole = music_files(waveform)
        name, data = damage.damaged(whole, options.seed, options.only_loss)
        Path(name).write_bytes(data)
        print(name, compare(name))
        return
    if options.only is not None:
        name, data = mutations.mutation(files, options.seed, options.only)
        Path(name).write_bytes(data)
        print(name, IsolatedTask(read, _SECONDS_EACH)(name))
        return
    size = sum(map(len, files.values())) / 1e6
    print(f"{len(files)} whole files, {size:.0f} MB; seed {options.seed}")
    numbers = range(options.first, options.first + options.n)
    batches = [numbers[i : i + _AT_A_TIME] for i in range(0, options.n, _AT_A_TIME)]
    found, rows = {}, []
    n_defects = 0
    modes = (Threads(options.jobs), Processes(options.jobs)) if options.n else ()
    for mode in modes:
        start = time.perf_counter()
        outcomes = {}
        for batch in batches:
            with tempfile.TemporaryDirectory() as folder:
                paths = {}
                for number in batch:
                    name, data = mutations.mutation(files, options.seed, number)
                    paths[number] = f"{folder}/{name}"
                    Path(paths[number]).write_bytes(data)
                results = mode.read(list(paths.values()))
                outcomes |= dict(zip(paths, results, strict=True))
        n_defects_of_mode = report(mode, outcomes, time.perf_counter() - start)
        n_defects += n_defects_of_mode
        rows += rows_of(mode, outcomes, n_defects_of_mode)
        found[mode.name] = outcomes
    different = []
    if found:
        first, second = found.values()
        different = [n for n in first if first[n][:2] != second[n][:2]]
        print(
            f"\nfiles of which the modes make different things: {different or 'none'}"
        )
        what = f"damaged files of {options.n} of which the modes make different things"
        rows.append(row(what, len(different), "", better="lower", target=0))
    n_silent = report_losses(waveform, options, rows) if options.losses else 0
    if options.results:
        print("Written:", write_rows("fuzz_audio", rows, options.results))
    sys.exit(1 if n_defects or different or n_silent else 0)


def music_files(waveform):
    """Return one file of each container and codec that music comes in, by name.

    Those that FFmpeg takes for longer or shorter than they are can't be compared.
    """
    seconds = len(waveform) / 44100
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, data in mutations.whole_files(waveform, 44100).items():
            path = Path(folder, name)
            path.write_bytes(data)
            share = seconds_by_ffmpeg(str(path)) / seconds
            is_right = share < 0.01 or abs(share - 1) < 0.05
            if is_right and name.split("-")[0] not in mutations.NOT_READ:
                found[name] = data
    return found


class Compared(NamedTuple):
    """What was read of a damaged file, beside what FFmpeg reads."""

    seconds: float
    by_ffmpeg: float
    message: str
    """Warning or error; empty if nothing is reported."""

    @property
    def is_silent_loss(self):
        """Whether less was read than by FFmpeg, and nothing reported."""
        return not self.message and self.seconds < _LEAST_SHARE * self.by_ffmpeg


def seconds_by_ffmpeg(path):
    """Return the seconds that FFmpeg reads, in a process of its own."""
    try:
        return IsolatedTask(damage.seconds_by_ffmpeg, _SECONDS_EACH)(path)
    except Exception:  # FFmpeg refuses it, or crashes
        return 0.0


def compare(path):
    """Return what is read of a file, by us and by FFmpeg, in processes of their own."""
    by_ffmpeg = seconds_by_ffmpeg(path)
    try:
        seconds, message = IsolatedTask(seconds_read, _SECONDS_EACH)(path)
    except AudioError as error:
        seconds, message = 0.0, str(error)
    return Compared(seconds, by_ffmpeg, message)


def seconds_read(path):
    """Return how much of a file is read, and the warning."""
    with warnings.catch_warnings(record=True, action="always") as caught:
        seconds = len(load_audio(path, 22050)) / 22050
    return seconds, "".join(str(warning.message) for warning in caught)


def report_losses(waveform, options, rows):
    """Read files damaged as in the world; return the number of silent losses."""
    files = music_files(waveform)
    start = time.perf_counter()
    found = {}
    for first in range(0, options.losses, _AT_A_TIME):
        with tempfile.TemporaryDirectory() as folder:
            paths = {}
            for number in range(first, min(first + _AT_A_TIME, options.losses)):
                name, data = damage.damaged(files, options.seed, number)
                paths[name] = f"{folder}/{name}"
                Path(paths[name]).write_bytes(data)
            results = map_clips(compare, list(paths.values()), n_jobs=options.jobs)
            found |= dict(zip(paths, results, strict=True))
    silent = {name: each for name, each in found.items() if each.is_silent_loss}
    seconds = time.perf_counter() - start
    print(f"\n{len(found)} files damaged as in the world, in {seconds:.0f} s")
    for kind in damage.KINDS:
        own = [v for name, v in found.items() if name.split("-")[1] == kind.__name__]
        n_read = sum(v.seconds > 0 for v in own)
        n_told = sum(v.seconds > 0 and bool(v.message) for v in own)
        n_less = sum(v.seconds < _LEAST_SHARE * v.by_ffmpeg for v in own)
        print(
            f"  {kind.__name__:12} read: {n_read} of {len(own)}, with a warning: "
            f"{n_told}, less than by FFmpeg: {n_less}"
        )
    for name, each in silent.items():
        print(f"  {name}: {each.seconds:.2f} s read, {each.by_ffmpeg:.2f} by FFmpeg")
    what = f"losses that nothing reports, of {len(found)} files damaged as in the world"
    rows.append(row(what, len(silent), "", better="lower", target=0))
    sys.stdout.flush()
    return len(silent)


def report(mode, outcomes, seconds):
    """Print what was found, and return the number of defects."""
    kinds = Counter(outcome.kind for outcome in outcomes.values())
    print(f"\n{mode.name}: {len(outcomes)} files in {seconds:.0f} s")
    print("  " + ", ".join(f"{kind}: {n}" for kind, n in kinds.most_common()))
    before, after = mode.first, mode.peak_memory()
    print(f"  {mode.whose}: {before:.0f} MB after {_AT_A_TIME} files, {after:.0f} MB")
    slowest = max(outcomes, key=lambda number: outcomes[number].seconds)
    print(f"  slowest: {slowest}, {outcomes[slowest].seconds:.2f} s")
    defects = {
        number: outcome
        for number, outcome in outcomes.items()
        if outcome.kind not in ("read", "refused") or outcome.growth > _MEGABYTES
    }
    for number, (kind, result, _, growth) in defects.items():
        print(f"  {number}: {kind}, {growth:.0f} MB, {result[-300:]!r}")
    sys.stdout.flush()
    return len(defects) + (after - before > _MEGABYTES)


def rows_of(mode, outcomes, n_defects):
    """Return the results to keep."""
    what = f"{len(outcomes)} damaged files, {mode.name}"
    slowest = max(outcome.seconds for outcome in outcomes.values())
    growth = mode.peak_memory() - mode.first
    values = [
        ("crashes, hangs, leaks and other defects", n_defects, "", 0),
        ("the slowest file", slowest, "s", _SECONDS_EACH),
        (f"growth of {mode.whose}", growth, "MB", _MEGABYTES),
    ]
    return [
        row(f"{name}, {what}", value, unit, better="lower", target=target)
        for name, value, unit, target in values
    ]


def read(path):
    """Return what comes of a file; only crashes and hangs get out."""
    before = peak_memory()
    start = time.perf_counter()
    try:
        with warnings.catch_warnings(action="error"):
            warnings.filterwarnings("ignore", ".*s are lost", UserWarning)
            waveform = load_audio(path)
            spectrogram = _excerpt_spectrogram(
                path, _SETTINGS, 16, 80.0, _VIEWS, "middle"
            )
        hashed = hashlib.sha256(waveform.tobytes() + spectrogram.tobytes())
        kind, result = "read", hashed.hexdigest()
    except AudioError as error:
        kind, result = "refused", error.cause
    except Exception as error:
        kind, result = type(error).__name__, traceback.format_exc()
    seconds = time.perf_counter() - start
    return Outcome(kind, result, seconds, peak_memory() - before)


def peak_memory(_=None):
    """Return the highest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read_in_threads(paths, n_jobs):
    return list(map_clips(read, paths, n_jobs=n_jobs))


class Threads:
    """Threads of one process, which is replaced only where a file has ended it."""

    name = "threads"
    whose = "highest memory of their process"

    def __init__(self, n_jobs):
        self._run = functools.partial(read_in_threads, n_jobs=n_jobs)
        self._worker = Worker()
        self.first = None

    def read(self, paths):
        """Return what came of the files."""
        seconds = _SECONDS_EACH + len(paths)
        try:
            outcomes = self._worker.ask(self._run, paths, seconds, None)
        except WorkerDied as died:
            self._worker = Worker()
            if len(paths) == 1:
                return [Outcome(type(died).__name__, str(died))]
            return [outcome for path in paths for outcome in self.read([path])]
        self.first = self.first or self.peak_memory()
        return outcomes

    def peak_memory(self):
        """Return the bytes that were needed at the most."""
        return self._worker.ask(peak_memory, None, _SECONDS_EACH, None)


class Processes:
    """Worker processes, as of a step with a time limit."""

    name = "worker processes"
    whose = "highest memory of their parent"

    def __init__(self, n_jobs):
        self._n_jobs = n_jobs
        self._task = IsolatedTask(read, _SECONDS_EACH)
        self.first = None

    def read(self, paths):
        """Return what came of the files."""
        outcomes = list(map_clips(self._attempt, paths, n_jobs=self._n_jobs))
        self.first = self.first or peak_memory()
        return outcomes

    def _attempt(self, path):
        try:
            return self._task(path)
        except AudioError as error:  # of the isolation: `read` lets none of its own out
            return Outcome("marked", error.cause)

    def peak_memory(self):
        """Return the bytes that were needed at the most."""
        return peak_memory()


if __name__ == "__main__":
    # Workers import the functions from the module of its real name.
    sys.path.insert(0, str(Path(__file__).parent))
    import fuzz_audio

    fuzz_audio.main()
