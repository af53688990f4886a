"""Load and ask thousands of forged model files, in worker processes.

    python benchmarks/fuzz_models.py [--files 50000] [--seed 0] [--jobs 2]

Small good files of every class that may be in one, of both formats and of
`export_onnx`, and an index of `skgenre similar`, are forged node by node (see
`_forged_models.py`). Each is loaded for both runtimes, shown, copied, and asked for
everything it can predict. --only chooses parts of the list in `_good_models.py`.

A forged file may be refused by a `ModelFileError`, or make a prediction end in an
ordinary exception. Defects are: another exception of `load`; a worker that crashes,
that needs more than 20 s of a processor or 2 GB; files or folders that are written,
removed or, other than those of Python's libraries, read; sockets and processes;
unpickling; and predictions of another length than X. They are listed with their
numbers, and the exit code is 1: `--first NUMBER --files 1 --keep FOLDER`, with the same
seed and parts, makes that file again. A crash may be the doing of an earlier file of
the same worker, up to 3,000 before. The numbers are kept as JSON with --results.
"""

import argparse
import concurrent.futures
import contextlib
import faulthandler
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
sys.path.insert(0, str(Path(__file__).parent))
from _forged_models import Forger, Forgery
from _good_models import INDEXED, MODEL_DIGEST, PARTS, GoodFile, good_files
from _results import row, write_rows

_SECONDS = 20
_MEGABYTES = 2048
_FILES_PER_WORKER = 3000
_ORDINARY = "ValueError or TypeError"
_HARMLESS = ("refused", "asked")
_METHODS = (
    *("predict", "predict_proba", "decision_function", "predict_log_proba"),
    *("transform", "predict_timeline", "kneighbors"),
)


class Outcome(NamedTuple):
    """What came of one file."""

    kind: str
    """'refused', 'asked', or what else has happened: a defect."""
    details: str = ""
    """Why it was refused, or what the defect is."""
    raised: tuple[str, ...] = ()
    """Exceptions that a model which was loaded has raised, by what raised them."""
    seconds: float = 0.0
    """Of a processor."""


class Task(NamedTuple):
    """A file to load and ask."""

    path: str
    kind: str
    X: Any
    runtime: str
    """That of the model that is asked."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+", default=[], choices=list(PARTS))
    parser.add_argument(
        "--keras", type=float, default=0.03, help="share of networks run by TensorFlow"
    )
    parser.add_argument("--keep", help="folder to keep the files with a defect in")
    parser.add_argument("--results", help="folder to write fuzz_models.json to")
    options = parser.parse_args()

    start = time.perf_counter()
    good = _good_files(options.only)
    forger = Forger(good, options.seed)
    print(
        f"{len(good)} good files, made in {time.perf_counter() - start:.0f} s; "
        f"seed {options.seed}",
        flush=True,
    )
    start = time.perf_counter()
    campaign = Campaign(good, forger, options)
    numbers = range(options.first, options.first + options.files)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        try:
            for at in range(0, len(numbers), 1000):
                some = numbers[at : at + 1000]
                list(pool.map(campaign.examine, some))
                seconds = time.perf_counter() - start
                campaign.say(f"# {at + len(some)} files in {seconds:.0f} s")
        except KeyboardInterrupt:  # what has been done is reported
            pool.shutdown(cancel_futures=True)
    campaign.end()
    n_defects = campaign.report(time.perf_counter() - start)
    if options.results:
        path = write_rows("fuzz_models", campaign.rows(n_defects), options.results)
        print("Written:", path)
    sys.exit(1 if n_defects else 0)


def _good_files(parts: list[str]) -> dict[str, GoodFile]:
    """Return the good files, made in a process of their own, which TensorFlow fills."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        return pool.submit(good_files, parts).result()


class Campaign:
    """Makes files, has workers examine them, and keeps what came of them.

    Parameters
    ----------
    good : dict of str to GoodFile
        What is forged.
    forger : Forger
        Makes the files.
    options : Namespace
        Those of the command line.
    """

    def __init__(self, good: dict, forger: Forger, options: argparse.Namespace) -> None:
        self._good, self._forger, self._options = good, forger, options
        self._lock = threading.Lock()
        self._of_thread = threading.local()
        self._workers: list[Worker] = []
        self._folder = tempfile.TemporaryDirectory()
        self.kinds: Counter[str] = Counter()
        self.by_forgery: Counter[tuple[str, str]] = Counter()
        self.by_part: Counter[tuple[str, str]] = Counter()
        self.raised: Counter[str] = Counter()
        self.examples: dict[str, int] = {}
        self.refusals: Counter[str] = Counter()
        self.defects: list[tuple[int, Forgery, Outcome]] = []
        self.slowest = (0.0, 0)

    def say(self, line: str) -> None:
        """Print a line, whole."""
        with self._lock:
            print(line, flush=True)

    def examine(self, number: int) -> None:
        """Make a file, have it examined, and keep what came of it."""
        forgery = self._forger.make(number)
        good = self._good[forgery.of]
        suffix = {"onnx": ".onnx", "index": ".npz"}.get(good.kind, ".model")
        path = Path(self._folder.name) / f"{number}{suffix}"
        path.write_bytes(forgery.contents)
        is_keras = good.has_network and _share(number) < self._options.keras
        runtime = "keras" if is_keras else "onnx"
        outcome = self._worker(is_keras).ask(
            Task(str(path), good.kind, good.X, runtime)
        )
        if outcome.kind not in _HARMLESS or self._options.files == 1:
            if self._options.keep:
                Path(self._options.keep).mkdir(parents=True, exist_ok=True)
                (Path(self._options.keep) / path.name).write_bytes(forgery.contents)
            self.say(
                f"{number}: {outcome.kind}: {forgery.of}: {forgery.what}\n"
                f"    {outcome.details[-2500:]}"
            )
            if self._options.files == 1:
                self.say(f"    {outcome.raised}")
        path.unlink()
        with self._lock:
            self._keep(number, forgery, good, outcome)

    def _keep(
        self, number: int, forgery: Forgery, good: GoodFile, outcome: Outcome
    ) -> None:
        self.kinds[outcome.kind] += 1
        self.by_part[good.part, outcome.kind] += 1
        for done in forgery.what.split("; "):
            self.by_forgery[done.partition(":")[0], outcome.kind] += 1
        for what in set(outcome.raised):
            self.raised[what] += 1
            self.examples.setdefault(what, number)
        if outcome.kind == "refused":
            self.refusals[outcome.details[:60]] += 1
        elif outcome.kind not in _HARMLESS:
            self.defects.append((number, forgery, outcome))
        self.slowest = max(self.slowest, (outcome.seconds, number))

    def _worker(self, is_keras: bool) -> "Worker":
        workers = self._of_thread.__dict__.setdefault("workers", {})
        if is_keras not in workers:
            workers[is_keras] = Worker(is_keras)
            self._workers.append(workers[is_keras])
        return workers[is_keras]

    def end(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.end()
        self._folder.cleanup()

    def report(self, seconds: float) -> int:
        """Print what came of the files, and return the number of defects."""
        n = sum(self.kinds.values())
        print(f"\n{n} files in {seconds:.0f} s")
        print("  " + ", ".join(f"{kind}: {n}" for kind, n in self.kinds.most_common()))
        print("  slowest: {1}, {0:.1f} s".format(*self.slowest))
        for title, table in (("part", self.by_part), ("forgery", self.by_forgery)):
            print(f"\nby {title}:")
            for name in sorted({name for name, _ in table}):
                kinds = {kind: table[name, kind] for kind in self.kinds}
                counts = ", ".join(f"{kind} {n}" for kind, n in kinds.items() if n)
                print(f"  {name}: {counts}")
        odd = {
            what: n
            for what, n in self.raised.most_common()
            if f": {_ORDINARY}:" not in what
        }
        n_ordinary = sum(self.raised.values()) - sum(odd.values())
        print(f"\nwhen asked: {n_ordinary} ordinary exceptions, and of other types:")
        for what, n in list(odd.items())[:40]:
            print(f"  {n} x {what} (as of {self.examples[what]})")
        print(f"\ndefects: {len(self.defects) or 'none'}")
        for number, forgery, outcome in self.defects:
            last = (outcome.details.strip().splitlines() or [""])[-1]
            print(f"  {number}: {outcome.kind}: {forgery.of}: {forgery.what}: {last}")
        return len(self.defects)

    def rows(self, n_defects: int) -> list[dict]:
        """Return the results to keep."""
        what = f"{sum(self.kinds.values())} forged model files"
        return [
            row(f"defects, {what}", n_defects, "", better="lower", target=0),
            row(f"refused, {what}", self.kinds["refused"], "", better="higher"),
            row(
                f"the slowest file, {what}",
                self.slowest[0],
                "s",
                better="lower",
                target=_SECONDS,
            ),
        ]


def _share(number: int) -> float:
    """Return a number in [0, 1) that is always the same, for one file."""
    return (number * 0.6180339887) % 1


class Worker:
    """A process that examines files, and is replaced where one has ended it.

    Parameters
    ----------
    uses_keras : bool
        Whether TensorFlow is imported beforehand; its memory is then only watched.
    """

    def __init__(self, uses_keras: bool) -> None:
        self._uses_keras = uses_keras
        self._errors = tempfile.TemporaryFile()
        self._process: Any = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._errors.seek(0)
        self._errors.truncate()
        # Of a spawned process the standard error is inherited: it is set meanwhile.
        arguments = (
            there,
            self._uses_keras,
            f"/proc/{os.getpid()}/fd/{self._errors.fileno()}",
        )
        self._process = context.Process(target=serve, args=arguments, daemon=True)
        self._process.start()
        there.close()
        self._here.recv()
        self._n_files = 0

    def ask(self, task: Task) -> Outcome:
        """Return what came of a file."""
        if self._process is None:
            self._start()
        memory, cpu = self._usage()
        self._here.send(task)
        start = time.monotonic()
        while not self._here.poll(0.05):
            try:
                now, used = self._usage()
            except (OSError, ValueError):  # it has ended just now
                continue
            if now - memory > _MEGABYTES:
                return self._kill("memory", f"{now - memory:.0f} MB", used - cpu)
            # A busy machine gives little of a processor; one that sleeps takes none.
            if used - cpu > _SECONDS or time.monotonic() - start > 10 * _SECONDS:
                return self._kill("hang", f"{used - cpu:.0f} s", used - cpu)
        try:
            outcome = self._here.recv()
        except EOFError:
            self._process.join(30)
            return self._kill("crash", f"exit code {self._process.exitcode}", 0.0)
        seconds = self._usage()[1] - cpu
        self._n_files += 1
        if self._n_files >= _FILES_PER_WORKER:
            self.end()
        return outcome._replace(seconds=seconds)

    def _usage(self) -> tuple[float, float]:
        """Return the megabytes in use, and the seconds of a processor so far."""
        folder = Path(f"/proc/{self._process.pid}")
        pages = int((folder / "statm").read_text().split()[1])
        times = (folder / "stat").read_text().rpartition(")")[2].split()
        ticks = sum(map(int, times[11:13]))
        megabytes = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        return megabytes, ticks / os.sysconf("SC_CLK_TCK")

    def _kill(self, kind: str, details: str, seconds: float) -> Outcome:
        if self._process.is_alive():
            os.kill(self._process.pid, signal.SIGABRT)  # which shows where it is
            self._process.join(10)
        self._errors.seek(0)
        written = self._errors.read().decode(errors="replace")
        lines = [line for line in written.splitlines() if "odules: " not in line]
        self.end()
        where = "\n".join(line[:150] for line in lines[-200:][:30])
        return Outcome(kind, f"{details}\n{where}", seconds=seconds)

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._here.close()
            self._process = None


# What follows runs in the worker.

_seen: list[str] | None = None  # events while a file is examined
_ALLOWED: list[str] = []
_REFUSED_EVENTS = (
    *("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "os.chmod"),
    *("os.link", "os.symlink", "os.chown", "os.utime", "os.chdir"),
    *("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn"),
    *("subprocess.Popen", "pickle.find_class", "shutil.rmtree", "shutil.move"),
    *("ftplib.connect", "urllib.Request", "webbrowser.open", "tempfile.mkstemp"),
    *("tempfile.mkdtemp", "code.__new__", "marshal.loads", "mmap.__new__"),
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _watch(event: str, arguments: tuple) -> None:
    if _seen is None:
        return
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, int):
            return
        name = os.path.abspath(os.fsdecode(path))
        writes = bool(set(mode or "") & set("wax+")) or bool((flags or 0) & _WRITES)
        is_known = any(name == known or name.startswith(known) for known in _ALLOWED)
        if writes and name != os.devnull:
            _seen.append(f"writes {name}")
        elif not is_known:
            _seen.append(f"reads {name}")
    elif event in _REFUSED_EVENTS or event.startswith("socket."):
        if event == "marshal.loads" or event == "code.__new__":  # of imports
            return
        _seen.append(f"{event}{str(arguments)[:200]}")


def serve(pipe: Any, uses_keras: bool, errors: str) -> None:
    """Examine files until there are no more."""
    global _seen
    descriptor = os.open(errors, os.O_WRONLY | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    import skgenre
    from skgenre._sklearn_compat import effective_threads

    package = str(Path(skgenre.__file__).parent)
    _ALLOWED[:] = [f"{sys.prefix}/", f"{sys.base_prefix}/", f"{package}/"]
    _ALLOWED.extend(["/proc/", "/sys/", "/dev/urandom", os.devnull, "/usr/lib/"])
    _ALLOWED.extend(["/usr/share/", "/etc/", str(Path(__file__).parent)])
    os.environ["SKGENRE_DATA"] = os.devnull  # no weights: they would be read
    _ALLOWED.append("")  # the file itself
    if uses_keras:
        import keras  # noqa: F401
    effective_threads()  # joblib asks a program for the number of cores, once
    sys.addaudithook(_watch)
    pipe.send("ready")
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        _ALLOWED[-1] = task.path
        lift = _limit_memory() if not uses_keras else lambda: None
        _seen = events = []
        try:
            outcome = examine(task)
        finally:
            _seen = None
            lift()
        if events and outcome.kind in _HARMLESS:
            outcome = Outcome("side effect", "\n".join(dict.fromkeys(events)))
        pipe.send(outcome)


def _limit_memory() -> Any:
    """Limit what is taken from now on; return what lifts the limit."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    now = pages * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + _MEGABYTES * 2**20, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def examine(task: Task) -> Outcome:
    """Return what comes of a file; only crashes and hangs get out."""
    try:
        if task.kind == "index":
            return _examine_index(task)
        return _examine_model(task)
    except MemoryError:
        return Outcome("memory", traceback.format_exc())
    except BaseException:  # such as SystemExit
        return Outcome("error", traceback.format_exc())


def _examine_model(task: Task) -> Outcome:
    import skgenre

    with contextlib.suppress(skgenre.ModelFileError):
        skgenre.persistence.read_info(task.path)
    try:
        skgenre.load(task.path, runtime="keras" if task.runtime == "onnx" else "onnx")
        model = skgenre.load(task.path, runtime=task.runtime)
    except skgenre.ModelFileError as error:
        return Outcome("refused", str(error).partition(": ")[2])
    raised: list[str] = []
    with _noting(raised, "repr"):
        repr(model)
    with _noting(raised, "html"):
        model._repr_html_()
    with _noting(raised, "get_params"):
        model.get_params()
    with _noting(raised, "clone"):
        from sklearn.base import clone

        clone(model)
    wrong: list[str] = []
    for X in _inputs(model, task.X):
        wrong += _ask(model, X, raised)
    if wrong:
        return Outcome("wrong", "; ".join(dict.fromkeys(wrong)), tuple(raised))
    return Outcome("asked", "", tuple(raised))


@contextlib.contextmanager
def _noting(raised: list[str], what: str) -> Iterator[None]:
    """Note an exception; those of memory, and what is no `Exception`, go on."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        kind = type(error).__name__
        if isinstance(error, (ValueError, TypeError)):
            kind = _ORDINARY
        message = " ".join(str(error).split())[:70]
        raised.append(f"{what}: {kind}: {message}")


def _inputs(model: Any, X: Any) -> Iterator[Any]:
    """Yield X, its first row, and X of as many features as the model says it takes."""
    if X is not None:
        yield X
        # Arrays of one row fit to any others.
        yield X.iloc[:1] if hasattr(X, "iloc") else X[:1]
    n = getattr(model, "n_features_in_", None)
    known = getattr(X, "shape", (0, 0))[1:2]
    if isinstance(n, int | np.integer) and 0 < n <= 5_000 and (n,) != known:
        yield np.random.default_rng(0).normal(size=(3, int(n)))


def _ask(model: Any, X: Any, raised: list[str]) -> list[str]:
    """Ask for all that a model can predict; return what is wrong with it."""
    wrong = []
    for name in _METHODS:
        result = None
        with _noting(raised, name):
            method = getattr(model, name, None)
            if method is None:
                continue
            result = method(X)
        if result is None:
            continue
        # Of a timeline, clips of one length share their times, which come second.
        first = result[0] if isinstance(result, tuple) else result
        # A vote whose transform is not flattened has its members first.
        n_axes = 2 if name == "transform" and np.ndim(first) == 3 else 1
        if len(X) not in np.shape(first)[:n_axes]:
            wrong.append(f"{name} returns {_shape(first)} of {len(X)}")
        classes = getattr(model, "classes_", None)
        # Of one class, a network of scikit-learn has two columns.
        if name == "predict_proba" and classes is not None and len(classes) > 1:
            if np.shape(result)[1:] != (len(classes),):
                wrong.append(f"{name} {_shape(result)} of {len(classes)} classes")
    with _noting(raised, "names"):
        if hasattr(model, "get_feature_names_out"):
            model.get_feature_names_out()
    with _noting(raised, "embedding"):
        from skgenre.pipelines import embedding_pipeline

        embedding_pipeline(model).transform(X)
    if hasattr(model, "recommend"):
        with _noting(raised, "recommend"):
            found = model.recommend([0, 1], 3)
            if len(found.rows) > 3:
                wrong.append("recommend returns more than 3")
        with _noting(raised, "recommend_by_embedding"):
            model.recommend_by_embedding(X, 3)
    return wrong


def _shape(value: Any) -> str:
    return f"{type(value).__name__} {np.shape(value)}"


def _examine_index(task: Task) -> Outcome:
    from skgenre.cli._commands._embeddings._index import LibraryIndex
    from skgenre.clustering import TrackRecommender

    folder = Path(task.path).parent
    try:
        index = LibraryIndex(folder, MODEL_DIGEST, Path(task.path))
    except ValueError as error:
        return Outcome("refused", str(error).partition(": ")[2])
    raised: list[str] = []
    with _noting(raised, "embeddings"):
        found = index.embeddings([str(folder / name) for name in INDEXED])
        rows = list(found.values())
        TrackRecommender().fit(rows).recommend([0], 3)
    return Outcome("asked", "", tuple(raised))


if __name__ == "__main__":
    # Workers import the functions from the module of its real name.
    import fuzz_models

    fuzz_models.main()
