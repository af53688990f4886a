"""Stop jobs by SIGINT, SIGTERM and SIGKILL at random moments, and look what is left.

    python benchmarks/interruptions.py [--moments 50] [--jobs clips train] [--seed 0]

Each job works in a folder of its own. It is started, stopped at a random moment of the
time that it takes, and started again in what the last one has left, until it has been
stopped so many times. After each stop the files under their final names must be those
of an undisturbed run, or not be there; a command must end within seconds, with the exit
code 130 or 143 and without a traceback. After the last one a run goes to its end, must
leave the same bytes as an undisturbed one, and not more temporary files than processes
were stopped. Of models the times of writing and the names of parts differ; all that is
loaded of them must be equal to the last bit. What is wrong is printed, and the exit
code is 1 then. The number of faults is kept as JSON with --results.
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import joblib
import numpy as np
from _results import row, write_rows

import skgenre
from skgenre.datasets import make_genre_clips
from skgenre.persistence import read_info

os.environ["SKGENRE_CACHE_DIR"] = "off"  # a run would find what another has kept

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
PATIENCE = 20.0  # seconds, on a machine that has other things to do
TEMPORARY = re.compile(r"\.skgenre-[0-9a-f]{16}|music\.part-\w+|music\.zip\.part")
# What the next run resumes from: the rows of an array with a note on them, an epoch.
PROGRESS = re.compile(r"X\.npy\.(part|json)|kept/crnn-[0-9a-f]{32}\.npz")

CLIPS = """
from skgenre.datasets import make_genre_clips
make_genre_clips(16, duration=2, random_state=0, folder="music")
"""
EXTRACT = """
import sys, numpy as np
from skgenre import MFCCStandardizer
from skgenre._files import write_atomically
from skgenre.datasets import load_audio_folder
import io, pathlib
tracks = load_audio_folder("../music")
step = MFCCStandardizer(cache_dir="cache", n_jobs=2)
contents = io.BytesIO()
np.save(contents, step.fit_transform(tracks.paths))
write_atomically(pathlib.Path("table.npy"), contents.getvalue())
"""
SPECTROGRAMS = """
from skgenre import MelSpectrogramTransformer
from skgenre.datasets import load_audio_folder
tracks = load_audio_folder("../music")
step = MelSpectrogramTransformer(n_frames=80, n_jobs=2)
step.transform_to("X.npy", list(tracks.paths) * 20)
"""
CHECKPOINTS = """
import numpy as np, skgenre
rng = np.random.default_rng(0)
y = np.array(["folk", "rock", "techno"])[np.arange(300) % 3]
X = rng.normal(-60, 6, size=(300, 40, 16)) + 4 * (np.arange(300) % 3)[:, None, None]
network = skgenre.CRNNClassifier(
    filters=(8,), lstm_units=8, embedding_units=8, epochs=60, random_state=0,
    checkpoint_dir="kept",
)
skgenre.save(network.fit(X.astype(np.float32), y), "it.model")
"""
SAVE = """
import numpy as np, skgenre
model = skgenre.TrackRecommender().fit(np.ones((200, 10_000)))
for _ in range(10):
    skgenre.save(model, "it.model")
"""
DOWNLOAD = """
import os
from skgenre.datasets._fma import _archives
_archives.SHA1 = {"music": os.environ["ARCHIVE_SHA1"]}
if not os.path.isdir("music"):
    _archives.fetch_archive("music", ".", os.environ["ARCHIVE_URL"])
"""


def command(*arguments):
    return [sys.executable, "-m", "skgenre.cli", *arguments]


def script(text):
    return [sys.executable, "-c", text]


JOBS = {
    "clips": script(CLIPS),
    "extract": script(EXTRACT),
    "spectrograms": script(SPECTROGRAMS),
    "save": script(SAVE),
    "download": script(DOWNLOAD),
    "checkpoints": script(CHECKPOINTS),
    "train": command("train", "../music", "-o", "it.model", "--model", "fast"),
    "similar": command(
        *("similar", "../music/rock/artist00-track00.flac", "--model", "../fast.model"),
        *("--among", "../music", "--index", "it.index"),
    ),
    "report": command(
        "evaluate", "../fast.model", "../music", "--report", "report.html"
    ),
}


@dataclass
class Outcome:
    """What came of the stops of one job."""

    job: str
    seconds: float
    stops: dict = field(default_factory=lambda: dict.fromkeys(SIGNALS, 0))
    n_completed: int = 0
    slowest: float = 0.0
    faults: list = field(default_factory=list)

    def line(self):
        """Return the figures."""
        stops = ", ".join(f"{number} {s.name}" for s, number in self.stops.items())
        return (
            f"{self.job:12} {self.seconds:5.1f} s  {stops}; {self.n_completed} were "
            f"quicker; slowest end {self.slowest:.1f} s; {len(self.faults)} faults"
        )

    def row(self):
        """Return the result to keep."""
        n_stops = sum(self.stops.values())
        names = ", ".join(number.name for number in SIGNALS)
        return row(
            f"faults after {n_stops} stops of {self.job!r} by {names}",
            len(self.faults),
            "",
            better="lower",
            target=0,
        )


def contents(path):
    """Return what must be equal in a file: its bytes, but for the time of writing."""
    if path.name.endswith(".model"):
        info = read_info(path)
        del info["saved"]
        return info, joblib.hash(skgenre.load(path))
    if path.name.endswith(".index"):
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        # The files are in the order in which they were listened to.
        names = filter(None, arrays["names"].tobytes().split(b"\0"))
        rows = arrays["embeddings"]
        return {name: row.tobytes() for name, row in zip(names, rows, strict=True)}
    if path.name.endswith(".html"):
        return re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d", "", path.read_text("utf-8"))
    return path.read_bytes()


def files(folder):
    """Return by name the files of a folder that are not temporary, and the others."""
    final, temporary = {}, []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if any(TEMPORARY.fullmatch(part) for part in name.parts):
            temporary.append(name)
        elif path.is_file():
            final[name.as_posix()] = path
    return final, {name.parts[0] for name in temporary}


def start(job, folder, environment):
    return subprocess.Popen(
        JOBS[job],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def complete(job, folder, environment):
    started = time.perf_counter()
    process = start(job, folder, environment)
    _, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{job} fails by itself: {errors}")
    return time.perf_counter() - started


def partial(name):
    """Tell whether a file may lack entries before a job has come to its end."""
    return name.endswith(".index")


def compare(folder, expected, *, finished):
    """Yield what differs from an undisturbed run."""
    found, _ = files(folder)
    for name, path in found.items():
        if PROGRESS.fullmatch(name) and not finished:
            continue
        if name not in expected:
            yield f"{name} is not of an undisturbed run"
            continue
        try:
            is_equal = (have := contents(path)) == expected[name]
        except Exception as error:
            yield f"{name} can't be read: {error!r}"
            continue
        if partial(name) and not finished:
            is_equal = have.items() <= expected[name].items()
        if not is_equal:
            yield f"{name} differs, {path.stat().st_size} bytes"
    if finished:
        yield from (f"{name} is missing" for name in expected.keys() - found.keys())


def check_end(job, number, process, errors):
    """Yield what is wrong with how a process has ended that got a signal."""
    if number == signal.SIGKILL or JOBS[job][1] == "-c":
        return
    if process.returncode in (0, 128 + number):
        if "Traceback" in errors:
            yield f"a traceback: {errors}"
        # While it reads its arguments, Typer ends it without a word.
        said = errors.rstrip().endswith(("Interrupted.", "Terminated."))
        if process.returncode and errors and not said:
            yield f"{process.returncode} without a message: {errors[-200:]!r}"
        return
    # Before the command has begun, Python's own ways are left.
    if process.returncode == -number and "_signals.py" not in errors:
        return
    if errors.startswith("Fatal Python error: init_"):
        return
    yield f"exit code {process.returncode} after {number.name}: {errors[-1000:]}"


def try_job(job, folder, *, moments, seed, environment):
    """Stop a job so many times, and return what came of it."""
    reference = folder / f"{job}-undisturbed"
    reference.mkdir()
    seconds = complete(job, reference, environment)
    expected = {name: contents(path) for name, path in files(reference)[0].items()}
    outcome = Outcome(job, seconds)
    work = folder / job
    work.mkdir()
    generator = random.Random(f"{job} {seed}")
    n_stopped = 0  # since it was begun anew
    while (n_stops := sum(outcome.stops.values())) < moments:
        number = SIGNALS[n_stops % len(SIGNALS)]
        started = time.perf_counter()
        process = start(job, work, environment)
        try:
            process.wait(generator.uniform(0, seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            outcome.stops[number] += 1
            n_stopped += 1
        sent = time.perf_counter()
        try:
            _, errors = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            outcome.faults.append(f"{number.name}: still running after {PATIENCE} s")
            process.kill()
            _, errors = process.communicate()
        outcome.slowest = max(outcome.slowest, time.perf_counter() - sent)
        outcome.faults += check_end(job, number, process, errors)
        outcome.faults += [
            f"{number.name}: {fault}"
            for fault in compare(work, expected, finished=False)
        ]
        if process.returncode == 0:  # and now from the beginning
            outcome.n_completed += 1
            if not n_stopped:  # the machine has less to do than in the beginning
                seconds = min(seconds, time.perf_counter() - started)
            shutil.rmtree(work)
            work.mkdir()
            n_stopped = 0
    complete(job, work, environment)
    outcome.faults += compare(work, expected, finished=True)
    _, temporary = files(work)
    if len(temporary) > n_stopped:  # by SIGINT or SIGTERM before it has begun, too
        outcome.faults.append(f"{len(temporary)} temporary files: {sorted(temporary)}")
    return outcome


def prepare(folder):
    """Make the music, a model and an archive that the jobs work on."""
    make_genre_clips(24, duration=2, random_state=0, folder=folder / "music")
    train = command("train", "music", "-o", "fast.model", "--model", "fast")
    subprocess.run(train, cwd=folder, check=True, capture_output=True)
    served = folder / "served"
    served.mkdir()
    with zipfile.ZipFile(served / "music.zip", "w") as archive:
        for i in range(200):
            noise = np.random.default_rng(i).bytes(200_000)
            archive.writestr(f"music/{i // 50}/{i}.mp3", noise)
    return served


def tell(text):
    print(text, flush=True)


def try_jobs(jobs, *, moments, seed=0, report=tell):
    """Stop jobs; return the outcomes."""
    sys.path.append(str(Path(__file__).parents[1] / "tests" / "helpers"))
    from archive_server import serve

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        served = prepare(folder)
        with serve(served) as server:
            environment = {
                "ARCHIVE_URL": server.url,
                "ARCHIVE_SHA1": hashlib.file_digest(
                    (served / "music.zip").open("rb"), "sha1"
                ).hexdigest(),
                "TF_CPP_MIN_LOG_LEVEL": "3",
                "COLUMNS": "200",
            }
            outcomes = []
            for job in jobs:
                outcome = try_job(
                    job, folder, moments=moments, seed=seed, environment=environment
                )
                report(outcome.line())
                for fault in outcome.faults:
                    report(f"    {fault}")
                outcomes.append(outcome)
    return outcomes


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", help="folder to write interruptions.json to")
    options = parser.parse_args()
    outcomes = try_jobs(options.jobs, moments=options.moments, seed=options.seed)
    if options.results:
        rows = [outcome.row() for outcome in outcomes]
        print("Written:", write_rows("interruptions", rows, options.results))
    sys.exit(any(outcome.faults for outcome in outcomes))


if __name__ == "__main__":
    main()
