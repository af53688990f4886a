"""A service by FastAPI: uploads wait in the event loop, and threads compute them.

    python -m pip install fastapi python-multipart uvicorn
    GENRE_MODEL=genres.model uvicorn --app-dir examples/service app:app --port 8000
    curl -F file=@song.mp3 http://127.0.0.1:8000/genre
    curl -F files=@song.mp3 -F files=@other.flac http://127.0.0.1:8000/genres
    curl -F file=@song.mp3 http://127.0.0.1:8000/tags  # or /timeline
    curl http://127.0.0.1:8000/metrics  # or /health

With ``--workers 4`` there are four processes, each with a model and metrics of its own.
"""

import os
import time
from collections import Counter
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, HTTPException, Request, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse
from genres import LARGEST, GenreModel, NoGenre, Tagger


@asynccontextmanager
async def lifespan(app):
    """Load the model once for each process."""
    if not (path := os.environ.get("GENRE_MODEL")):
        raise RuntimeError(
            "GENRE_MODEL is not set: set it to the path of a model file."
        )
    time_limit = float(os.environ.get("GENRE_TIME_LIMIT", 60)) or None
    app.state.model = GenreModel(path, time_limit)
    app.state.tagger = Tagger(time_limit)
    # A limiter of its own, as FastAPI writes large uploads to the disk in the others.
    n_threads = int(os.environ.get("GENRE_THREADS", os.cpu_count()))
    app.state.threads = CapacityLimiter(n_threads)
    app.state.most_waiting = int(os.environ.get("GENRE_WAITING", 100))
    yield


class Watch:
    """Counts responses and their seconds, and refuses uploads that are too large."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        """Pass a request on."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start, status = time.perf_counter(), 500

        async def send_on(message):
            nonlocal status
            status = message.get("status", status)
            await send(message)

        known = {route.path for route in app.routes}
        path = scope["path"] if scope["path"] in known else "other"
        headers = dict(scope["headers"])
        # A body in chunks ends where its client likes, whatever length it gives.
        is_chunked = b"transfer-encoding" in headers
        size = b"" if is_chunked else headers.get(b"content-length", b"")
        kind = headers.get(b"content-type", b"").lower()
        respond = self.app
        is_upload = scope["method"] == "POST" and path != "other"
        if is_upload and not size.isdigit():
            respond = problem(411, "Content-Length is not given.")
        elif size.isdigit() and int(size) > LARGEST:
            respond = problem(413, f"An upload has at most {LARGEST:,} bytes.")
        elif is_upload and not kind.startswith(b"multipart/form-data"):
            # A form in one line takes a second for each megabyte to parse.
            respond = problem(415, "Upload files as multipart/form-data.")
        try:
            await respond(scope, receive, send_on)
        finally:
            responses[path, status] += 1
            seconds[path] += time.perf_counter() - start


def problem(status, detail):
    """Return a response like FastAPI's own to errors."""
    return JSONResponse({"detail": detail}, status)


app = FastAPI(title="Genres of music", lifespan=lifespan)
app.add_middleware(Watch)
responses, seconds = Counter(), Counter()


@app.exception_handler(Exception)
async def failed(request: Request, error: Exception):
    """Respond in JSON to what nobody has expected; the log has its traceback."""
    return problem(500, "The service failed at this request; its log says why.")


async def in_thread(state, function, file):
    """Return what a function makes of a file, when a thread is free."""
    threads = state.threads
    n_waiting = threads.statistics().tasks_waiting
    if threads.available_tokens < 1 and n_waiting >= state.most_waiting:
        raise HTTPException(503, "Too many requests wait.", {"Retry-After": "5"})
    try:
        return await to_thread.run_sync(function, file.file, limiter=threads)
    except NoGenre as error:
        raise HTTPException(422, str(error)) from None
    except ImportError as error:  # the pretrained weights are not here
        raise HTTPException(501, str(error)) from None


@app.post("/genre")
async def genre(file: UploadFile, request: Request):
    """Return the genre of a sound file."""
    state = request.app.state
    return await in_thread(state, state.model.predict, file)


@app.post("/genres")
async def genres(files: list[UploadFile], request: Request):
    """Return the genre of each sound file, or why it has none.

    One after the other, so that a batch takes no more than one thread from others.
    """
    state, found = request.app.state, []
    for file in files:
        try:
            result = await in_thread(state, state.model.predict, file)
        except HTTPException as error:
            result = {"status": error.status_code, "detail": error.detail}
        found.append({"file": file.filename, **result})
    return found


@app.post("/tags")
async def tags(file: UploadFile, request: Request):
    """Return the pretrained tags of a sound file."""
    state = request.app.state
    return await in_thread(state, state.tagger.tags, file)


@app.post("/timeline")
async def timeline(file: UploadFile, request: Request):
    """Return the genre of each three seconds, by the pretrained tags."""
    state = request.app.state
    return await in_thread(state, state.tagger.timeline, file)


@app.get("/health")
async def health():
    """Say that the service runs."""
    return {"status": "ok"}


@app.get("/metrics")
async def metrics(request: Request):
    """Return what Prometheus reads."""
    now = request.app.state.threads.statistics()
    lines = ["# TYPE genre_responses_total counter"]
    for (path, status), n in responses.items():
        label = f'path="{path}",status="{status}"'
        lines.append(f"genre_responses_total{{{label}}} {n}")
    lines.append("# TYPE genre_seconds_total counter")
    for path, total in seconds.items():
        lines.append(f'genre_seconds_total{{path="{path}"}} {total:.3f}')
    lines += ["# TYPE genre_computing gauge", f"genre_computing {now.borrowed_tokens}"]
    lines += ["# TYPE genre_waiting gauge", f"genre_waiting {now.tasks_waiting}"]
    return PlainTextResponse("\n".join([*lines, ""]))
