"""The services of examples/service/, and clients with good and bad uploads."""

import http.client
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
import damage
import mutations

FOLDER = Path(__file__).parents[1] / "examples" / "service"
RATE = 44100
FORMATS = (
    *("WAV-PCM_16.wav", "FLAC-PCM_16.flac", "OGG-VORBIS.ogg", "MP3-tagged.mp3"),
    *("ipod-aac.m4a", "webm-libopus.webm", "asf-wmav2.wma"),
)
"""Formats of the good uploads; those that PyAV can't write here are left out."""
LENGTHS = (0.3, 1, 2.5)
"""Lengths of the good uploads, of one clip."""
DAMAGED_STEP = 11
"""Of the files that are damaged in all ways, each so many is an upload."""
_START_SECONDS = 600
_REPLY_SECONDS = 300
_BOUNDARY = "a-line-that-no-sound-file-has"


LEAVES = "leaves"
"""What is expected of a request whose client leaves before it has sent all."""


class Request(NamedTuple):
    """A request, and what is expected in return."""

    name: str
    method: str
    path: str
    headers: tuple = ()
    body: bytes | None = None
    expected: object = None
    """Probabilities, a set of statuses, or `LEAVES`."""


class Response(NamedTuple):
    """What came back."""

    status: int
    body: bytes


class Service:
    """A service that runs in a process of its own, as long as the `with` block.

    Parameters
    ----------
    name : {'threads', 'asgi', 'workers'}
        A pool of threads behind Python's own server, FastAPI in one process, or in two
        processes of one thread. The last two decode in worker processes.
    model : str
        Model file.
    n_threads : int
        Requests that it computes at a time.
    python : str or None
        Python of an environment that it runs in; None is this one.
    """

    NAMES = ("threads", "asgi", "workers")

    def __init__(self, name, model, n_threads=2, python=None):
        self.name = name
        self.takes_forms = name != "threads"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        port = ["--port", str(self.port)]
        n_workers = n_threads if name == "workers" else 1
        if self.takes_forms:
            command = ["-m", "uvicorn", "app:app", "--app-dir", FOLDER, *port]
            command += ["--workers", str(n_workers), "--no-access-log"]
        else:
            command = [FOLDER / "threads.py", model, *port, "--threads", str(n_threads)]
        self._command = [python or sys.executable, *command]
        self._environment = os.environ | {
            "GENRE_MODEL": model,
            "GENRE_THREADS": str(n_threads // n_workers),
            "MALLOC_ARENA_MAX": "2",  # as the guide says
        }

    def __enter__(self):
        self._log = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdout=self._log, stderr=self._log
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_healthy():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError(f"{self.name} does not start: {self.log()}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def is_healthy(self):
        """Return whether it says so."""
        try:
            return self.send(Request("health", "GET", "/health")).status == 200
        except OSError:
            return False

    def faults(self):
        """Return signs that not all is well, though each request got its answer."""
        found = [] if self.is_healthy() else ["it is not healthy"]
        log = self.log()
        if "Traceback" in log or "died" in log:
            found.append(f"it has printed: {log[-3000:]}")
        return found

    def log(self):
        """Return what it has printed, but for the lines of http.server's requests."""
        self._log.seek(0)
        lines = self._log.read().splitlines()
        return "\n".join(line for line in lines if '] "' not in line)

    def process_ids(self):
        """Return the numbers of its processes: Linux's only."""
        found = [self._process.pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    found += map(int, children.read_text().split())
                except OSError:  # that thread has just ended
                    continue
        return found

    def send(self, request):
        """Send a request and return the response; None if its client leaves amid it."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=_REPLY_SECONDS
        )
        try:
            connection.putrequest(request.method, request.path)
            for header in request.headers:
                connection.putheader(*header)
            connection.endheaders(request.body)
            if request.expected is LEAVES:
                return None
            response = connection.getresponse()
            return Response(response.status, response.read())
        finally:
            connection.close()


def fault(request, response):
    """Return what is wrong with a response, or None."""
    if response is None:
        return None
    what = f"{request.name}: {response.status} {response.body[:200]!r}"
    try:
        content = json.loads(response.body)
    except ValueError:
        return what
    if isinstance(request.expected, set):
        is_error = bool(content.get("detail")) and len(response.body) < 1000
        is_right = response.status in request.expected and is_error
    else:
        probabilities = content.get("probabilities", {})
        is_right = (
            response.status == 200
            and list(probabilities.values()) == request.expected
            and content["genre"] == max(probabilities, key=probabilities.get)
        )
    return None if is_right else what


def make_files(waveforms):
    """Return uploads by name: good ones, and others that may have no genre.

    Parameters
    ----------
    waveforms : list of ndarray
        Music at `RATE`.
    """
    files = {}
    for length in LENGTHS:
        for i, waveform in enumerate(waveforms):
            samples = np.resize(waveform, int(length * len(waveform)))
            whole = mutations.whole_files(samples, RATE, FORMATS)
            files |= {f"{i}-{length}-{name}": data for name, data in whole.items()}
    whole = dict(files)
    numbers = range(0, len(whole) * len(damage.KINDS), DAMAGED_STEP)
    files |= (damage.damaged(whole, 0, number) for number in numbers)
    silence = np.zeros(RATE, dtype=np.float32)
    for name, samples in (("silence", silence), ("short", waveforms[0][:2000])):
        files |= {
            f"{name}-{format_}": data
            for format_, data in mutations.whole_files(samples, RATE, FORMATS).items()
        }
    return files | {
        "text.mp3": b"This is no music. " * 1000,
        "empty.wav": b"",
        "page.mp3": b"<!doctype html><title>404</title>",
        "noise.flac": np.random.default_rng(0).bytes(100_000),
    }


def expected_answers(model, files):
    """Return of each file the probabilities of the model alone, None without a genre.

    Parameters
    ----------
    model : Pipeline
        Takes open files.
    files : dict of str to bytes
        Of `make_files`.
    """
    from skgenre import AudioError
    from skgenre.datasets import check_audio

    uploads = [io.BytesIO(contents) for contents in files.values()]
    statuses = check_audio(uploads).report["status"]
    answers = []
    for upload, status in zip(uploads, statuses, strict=True):
        try:
            with warnings.catch_warnings(action="ignore"):  # it is damaged, or silent
                probabilities = model.predict_proba([upload])[0].tolist()
        except AudioError:
            probabilities = None
        answers.append(probabilities if status in ("ok", "damaged") else None)
    return answers


def make_requests(files, answers, *, takes_forms):
    """Return the requests that upload the files, and some that are no such request.

    Parameters
    ----------
    files : dict of str to bytes
        Of `make_files`.
    answers : list
        Of `expected_answers`.
    takes_forms : bool
        Whether a file comes in the field 'file' of a form; otherwise it is the body.
    """
    content_type = f"multipart/form-data; boundary={_BOUNDARY}"
    headers = (("Content-Type", content_type),) if takes_forms else ()

    def post(name, body, expected, n_missing=0):
        length = ("Content-Length", str(len(body) + n_missing))
        return Request(name, "POST", "/genre", (*headers, length), body, expected)

    def wrapped(contents, disposition='name="file"; filename="it"'):
        if not takes_forms:
            return contents
        head = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
        return head.encode() + contents + f"\r\n--{_BOUNDARY}--\r\n".encode()

    requests = [
        post(name, wrapped(contents), {422} if answer is None else answer)
        for (name, contents), answer in zip(files.items(), answers, strict=True)
    ]
    some = next(iter(files.values()))
    for share in (0, 0.1, 0.9):
        body = wrapped(some)[: int(share * len(some))]
        requests.append(post(f"left after {share}", body, LEAVES, len(some)))
    requests.append(Request("another page", "POST", "/other", expected={404}))
    if not takes_forms:
        without = Request("no length", "POST", "/genre", expected={411})
        return [*requests, without, post("too large", b"", {413}, 10**12)]
    return [
        *requests,
        post("no form", some, {400, 422}),
        post("cut-off form", wrapped(some)[:-9], {400, 422}),
        post("another field", wrapped(some, 'name="song"; filename="it"'), {422}),
        post("text in place of a file", wrapped(b"song.mp3", 'name="file"'), {422}),
        post("nothing", b"", {400, 422}),
    ]
