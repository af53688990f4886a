"""A service by FastAPI: uploads wait in the event loop, and threads compute them.

    python -m pip install fastapi python-multipart uvicorn
    GENRE_MODEL=genres.model uvicorn app:app --port 8000
    curl -F file=@song.mp3 http://127.0.0.1:8000/genre

With ``--workers 4`` there are four processes, each with a model of its own.
"""

import os
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, HTTPException, Request, UploadFile
from genres import GenreModel, NoGenre


@asynccontextmanager
async def lifespan(app):
    """Load the model once for each process."""
    time_limit = float(os.environ.get("GENRE_TIME_LIMIT", 60))
    app.state.model = GenreModel(os.environ["GENRE_MODEL"], time_limit)
    # A limiter of its own, as FastAPI writes large uploads to the disk in the others.
    n_threads = int(os.environ.get("GENRE_THREADS", os.cpu_count()))
    app.state.threads = CapacityLimiter(n_threads)
    yield


app = FastAPI(title="Genres of music", lifespan=lifespan)


@app.get("/health")
async def health():
    """Say that the service runs."""
    return {"status": "ok"}


@app.post("/genre")
async def genre(file: UploadFile, request: Request):
    """Return the genre of a sound file."""
    state = request.app.state
    try:
        return await to_thread.run_sync(
            state.model.predict, file.file, limiter=state.threads
        )
    except NoGenre as error:
        raise HTTPException(422, str(error)) from None
