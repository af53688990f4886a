"""What the page asks for, and what the server answers with."""

import io
import json
import math
import os
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from skgenre._text import csv_cell, printable, shorten
from skgenre.audio import AudioError
from skgenre.classifiers._tagging._tag_genres import top_tags
from skgenre.datasets._library._playlists import Entry, write_playlist
from skgenre.explore._collection import Collection
from skgenre.explore._extraction import Extraction
from skgenre.explore._labels import Labels, find_suspects
from skgenre.explore._listener import N_TAGS, Listener
from skgenre.explore._media import (
    MEDIA_TYPES,
    MOST_BYTES,
    Media,
    TooLarge,
    spectrogram,
)
from skgenre.explore._model._network import NetworkView
from skgenre.explore._model._salience import Salience
from skgenre.explore._model._training import Songs, Training
from skgenre.explore._model._why import Why, explain
from skgenre.explore._space import Near, Space, reasons
from skgenre.inspection._displays._style import COLORS
from skgenre.inspection._report._map import SHAPES
from skgenre.inspection._report._page import read_text

SCRIPTS = (
    "data.js",
    "map.js",
    "song.js",
    "labels.js",
    "network.js",
    "training.js",
    "page.js",
)
"""Of the page, in their order."""
_MOST_JSON = 4 << 20
_NO_SONG = "There is no such song."
_N_NEAR = 10
_N_MOST_LIKE = 5
_MOST_ASKED = 200
# The map is made anew when so much more has been heard.
_GROWTH = 1.3


class Server:
    """The collection, what was heard of it, and the routes of the page.

    Parameters
    ----------
    collection : Collection
        The songs.
    listener : Listener
        Hears songs that are dropped, and timelines.
    extraction : Extraction
        What was heard so far.
    labels : Labels
        The labels.
    training : Training
        Trains models.
    """

    def __init__(
        self,
        collection: Collection,
        listener: Listener,
        extraction: Extraction,
        labels: Labels,
        training: Training,
    ) -> None:
        self.collection, self.listener = collection, listener
        self.extraction, self.labels = extraction, labels
        self.training = training
        self.media = Media(listener.load)
        self._network: NetworkView | None = None
        if listener.network is not None:
            self._network = NetworkView(listener.model, listener.network)
        self._space: Space | None = None
        self._lock = threading.Lock()
        self._spectrogram = lru_cache(16)(lambda path: spectrogram(path, listener.load))
        self._timeline = lru_cache(16)(listener.timeline)
        self._tags = lru_cache(16)(listener.top_tags)
        self._why = lru_cache(8)(self._explain)
        self._hear = lru_cache(16)(lambda path: listener.listen([path])[0])
        self._clusters = lru_cache(2)(lambda space: space.clusters())
        self.app = Starlette(
            routes=[
                _route("/", self.page),
                _route("/assets/{name}", self.asset),
                _route("/api/state", self.state),
                _route("/api/songs", self.songs),
                _route("/api/map/{reduction}", self.map),
                _route("/api/truth/{reduction}", self.truth),
                _route("/api/clusters", self.clusters),
                _route("/api/songs/{key}", self.song),
                Route("/api/songs/{key}/sound", self.sound),
                _route("/api/songs/{key}/spectrogram", self.spectrogram),
                _route("/api/songs/{key}/tags", self.tags),
                _route("/api/songs/{key}/timeline", self.timeline),
                _route("/api/songs/{key}/why", self.why),
                _route("/api/songs/{key}/why/sound", self.why_sound),
                _route("/api/network", self.network),
                _route("/api/network/layers", self.layers),
                _route("/api/network/layers/{layer:int}/{number:int}", self.filters),
                _route(
                    "/api/network/layers/{layer:int}/{number:int}/sound",
                    self.filter_sound,
                ),
                _route("/api/suspects", self.suspects),
                _posted("/api/labels", self.change_label),
                _posted("/api/like", self.like),
                _posted("/api/path", self.path),
                _posted("/api/export", self.export),
                _route("/api/training", training.state),
                _posted("/api/training", self.train),
                _route("/api/training/stop", self.stop_training, method="POST"),
                Route("/api/drop", self.drop, methods=["POST"]),
            ],
            exception_handlers={
                HTTPException: _refused,
                TooLarge: _fails_with(413),
                ValueError: _fails_with(400),
                ImportError: _fails_with(400),
                OSError: _fails_with(507),
            },
        )

    def page(self) -> Response:
        """Return the page itself."""
        return Response(own_text("page.html"), media_type="text/html")

    def asset(self, name: str) -> Response:
        """Return a script or style of the page."""
        if name == "report.css":  # that of all our pages
            return Response(read_text("_style.css"), media_type="text/css")
        if name == "page.css":
            return Response(own_text(name), media_type="text/css")
        if name in SCRIPTS:
            return Response(own_text(name), media_type="text/javascript")
        return PlainTextResponse("There is no such file.", 404)

    def state(self) -> dict[str, Any]:
        """Return how far the extraction is, and what went wrong."""
        extraction, paths = self.extraction, self.collection.paths
        problems = [
            {
                "number": number,
                "path": printable(paths[number]),
                "text": printable(text),
            }
            for found in (extraction.errors, extraction.notes)
            for number, text in sorted([*found.items()])
        ]
        return {
            "phase": extraction.phase,
            "n_songs": len(paths),
            "n_heard": int(extraction.done.sum()),
            "n_left_out": len(extraction.errors),
            "failure": extraction.failure and printable(extraction.failure),
            "problems": problems[:_MOST_ASKED],
            "n_problems": len(problems),
        }

    def songs(self) -> dict[str, Any]:
        """Return what is known of the songs before they are heard."""
        collection = self.collection
        return {
            "title": collection.title,
            "titles": collection.titles,
            "columns": {
                name: _packed(values) for name, values in collection.columns.items()
            },
            "labels": [_shown(genre) for genre in self.labels.genres],
            "checked": sorted(self.labels.checked),
            "file": printable(str(self.labels.file)),
            "genres": self.listener.classes,
            "has_network": self._network is not None,
            "recipes": self.training.recipes(),
            "reductions": Space.reductions(),
            "meaning": self.listener.meaning,
            "colors": COLORS,
            "shapes": SHAPES,
            "most_bytes": MOST_BYTES,
        }

    def space(self) -> Space:
        """Return the songs that were heard, by their embeddings.

        Raises
        ------
        ValueError
            If there are fewer than two.
        """
        extraction = self.extraction
        with self._lock:
            rows = extraction.rows()
            n_known = 0 if self._space is None else len(self._space.numbers)
            is_final = extraction.phase != "listening" and len(rows) > n_known
            if self._space is None or is_final or len(rows) > _GROWTH * n_known:
                if len(rows) < 2:
                    raise ValueError(
                        "Fewer than two songs have been heard. Wait for more."
                    )
                assert extraction.embeddings is not None
                tags = extraction.tags
                self._space = Space(
                    rows,
                    extraction.embeddings[rows],
                    None if tags is None else tags[rows],
                    self.collection.groups[rows],
                    extraction.kept,
                )
            return self._space

    def map(self, reduction: str) -> dict[str, Any]:
        """Return where songs lie, and what was predicted for them."""
        _check_reduction(reduction)
        space = self.space()
        points, axes = space.map(reduction)
        found: dict[str, Any] = {
            "numbers": space.numbers.tolist(),
            "x": points[:, 0].astype(float).round(4).tolist(),
            "y": points[:, 1].astype(float).round(4).tolist(),
            "axes": axes,
        }
        if self.extraction.proba is not None:
            proba = self.extraction.proba[space.numbers]
            found["genres"] = proba.argmax(axis=1).tolist()
            found["confidence"] = proba.max(axis=1).astype(float).round(4).tolist()
        return found

    def truth(self, reduction: str) -> dict[str, Any]:
        """Return how true a map is."""
        _check_reduction(reduction)
        return self.space().truth(reduction)

    def clusters(self) -> dict[str, Any]:
        """Return the cluster of each song that was heard."""
        space = self.space()
        return {"numbers": space.numbers.tolist(), "clusters": self._clusters(space)}

    def _number(self, key: str) -> int:
        """Return the number of a song of the collection, or refuse it with a 404."""
        if not (key.isascii() and key.isdigit()) or int(key) >= len(self.collection):
            raise HTTPException(404, _NO_SONG)
        return int(key)

    def _dropped(self, key: str) -> tuple[str, str]:
        """Return the file and the name of a song that was dropped."""
        try:
            return self.media.dropped(key)
        except KeyError:
            raise HTTPException(404, _NO_SONG) from None

    def _path(self, key: str) -> str:
        """Return the file of a song, of the collection or dropped."""
        if key.startswith("d"):
            return self._dropped(key)[0]
        return self.collection.paths[self._number(key)]

    def song(self, key: str) -> dict[str, Any]:
        """Return all that is known of a song, and what is near it."""
        if key.startswith("d"):
            return self._dropped_song(key)
        number = self._number(key)
        extraction, path = self.extraction, self.collection.paths[number]
        found: dict[str, Any] = {
            "number": number,
            "path": printable(path),
            "genres": [],
            "tags": [],
            "near": [],
            "copies": [],
            "problem": extraction.errors.get(number) or extraction.notes.get(number),
        }
        if extraction.done[number]:
            proba, tags = extraction.proba, extraction.tags
            if proba is not None:
                found["genres"] = self._ranked(proba[number])
            found["tags"] = None if tags is None else top_tags(tags[number], N_TAGS)
            space = self.space() if extraction.done.sum() > 1 else None
            if space is not None and number in space.place:
                near = space.near([number], _N_NEAR)
                copies = space.copies(space.E[space.place[number]])
                found["copies"] = [each for each in copies if each != number]
                found["near"] = [self._with_reasons(each, number) for each in near]
        return found

    def _dropped_song(self, key: str) -> dict[str, Any]:
        path, name = self._dropped(key)
        heard = self._hear(path)
        space = self.space()
        near = space.near_embedding(heard.embedding, heard.tags, _N_NEAR)
        return {
            "key": key,
            "title": printable(shorten(name, 100)),
            "copies": space.copies(heard.embedding),
            "genres": [] if heard.proba is None else self._ranked(heard.proba),
            "tags": None if heard.tags is None else top_tags(heard.tags, N_TAGS),
            "near": [self._with_reasons(each) for each in near],
        }

    def _ranked(self, proba: NDArray) -> list[tuple[str, float]]:
        order = np.argsort(-proba, kind="stable")[:5]
        names = self.listener.classes
        return [(printable(names[i]), round(float(proba[i]), 4)) for i in order]

    def _with_reasons(self, near: Near, number: int | None = None) -> dict[str, Any]:
        same: dict[str, str] = {}
        if number is not None:
            columns = self.collection.columns
            for name, values in (
                ("artist", columns["artist"]),
                ("album", columns["album"]),
                ("label", self.labels.genres),
            ):
                own = values[number]
                if own is not None and own == values[near.number]:
                    same[name] = printable(own)
        return {
            "number": near.number,
            "distance": round(near.distance, 4),
            "reasons": reasons(near, same),
        }

    def sound(self, request: Request) -> Response:
        """Return a song's file, or part of it, in a form that browsers play."""
        key = request.path_params["key"]
        path = self._path(key)
        suffix = os.path.splitext(path)[1].lower()
        # Any file may be called a song: only one that was decoded is sent as it is.
        is_song = key.startswith("d") or self.extraction.done[int(key)]
        wants_wav = request.query_params.get("as") == "wav"
        if not is_song or suffix not in MEDIA_TYPES or wants_wav:
            path, suffix = self.media.as_wav(path), ".wav"
        if not os.path.isfile(path):
            raise HTTPException(404, _NO_SONG)
        return FileResponse(path, media_type=MEDIA_TYPES[suffix])

    def spectrogram(self, key: str) -> dict[str, Any]:
        """Return what a song looks like."""
        return self._spectrogram(self._path(key))

    def tags(self, key: str) -> list[tuple[str, float]]:
        """Return a song's tags, where they take a pass of their own."""
        return self._tags(self._path(key))

    def timeline(self, key: str) -> dict[str, Any]:
        """Return the genres through a song."""
        return self._timeline(self._path(key))

    def _explain(self, path: str) -> Why | Salience:
        predict_proba, load = self.listener.predict_proba, self.listener.load
        if self._network is not None and self._network.is_heard:
            return self._network.explain(predict_proba, path, load)
        return explain(predict_proba, path, load)

    def why(self, key: str) -> dict[str, Any]:
        """Return what speaks for a song's genre."""
        found = self._why(self._path(key))
        return {
            "genre": printable(self.listener.classes[found.genre]),
            "probability": round(found.probability, 4),
            **found.shown(),
        }

    def why_sound(self, key: str) -> Response:
        """Return a song with nothing but what speaks for its genre."""
        path = self._path(key)
        found = self._why(path)
        name = self.media.made(
            ("why", path), lambda: found.sound(path, self.listener.load)
        )
        return FileResponse(name, media_type=MEDIA_TYPES[".wav"])

    def _view(self) -> NetworkView:
        if self._network is None:
            raise HTTPException(404, "The model has no network.")
        return self._network

    def network(self) -> dict[str, Any]:
        """Return the network's training, and the songs most like each genre."""
        return {"curves": self._view().curves(), "most_like": self._most_like()}

    def _most_like(self) -> list[dict[str, Any]]:
        """Return the songs of which each genre is most probable."""
        rows, proba = self.extraction.rows(), self.extraction.proba
        if proba is None:
            return []
        most = np.argsort(-proba[rows], axis=0, kind="stable")[:_N_MOST_LIKE]
        return [
            {
                "genre": printable(genre),
                "songs": [
                    {"number": row, "probability": round(float(proba[row, i]), 4)}
                    for row in rows[most[:, i]].tolist()
                ],
            }
            for i, genre in enumerate(self.listener.classes)
        ]

    def layers(self) -> list[dict[str, Any]]:
        """Return the layers whose filters can be seen and heard."""
        return [
            {"name": printable(name), "n_filters": n_filters}
            for name, n_filters in self._view().layers()
        ]

    def _layer(self, layer: int, number: int) -> str:
        """Return the name of the layer of a filter, or refuse it with a 404."""
        layers = self._view().layers()
        if layer >= len(layers) or number >= layers[layer][1]:
            raise HTTPException(404, "The network has no such filter.")
        return layers[layer][0]

    def filters(self, layer: int, number: int) -> dict[str, Any]:
        """Return what filters of a layer respond to most, from one on."""
        return self._view().filters(self._layer(layer, number), number)

    def filter_sound(self, layer: int, number: int) -> Response:
        """Return what a filter responds to most, as sound."""
        layer_name = self._layer(layer, number)
        name = self.media.made(
            ("filter", layer_name, number),
            lambda: self._view().sound(layer_name, number),
        )
        return FileResponse(name, media_type=MEDIA_TYPES[".wav"])

    def suspects(self) -> dict[str, Any]:
        """Return the labels that look wrong."""
        rows = self.extraction.rows()
        E = self.extraction.embeddings
        if E is None:
            raise ValueError("No song has been heard yet. Wait.")
        return find_suspects(rows, E[rows], self.labels.genres, self.collection.groups)

    def change_label(self, given: dict[str, Any]) -> dict[str, Any]:
        """Give a song a genre, and write the file."""
        number = self._number(str(given.get("number")))
        self.labels.change(number, given.get("genre"))
        return {"label": _shown(self.labels.genres[number])}

    def like(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        """Return songs like some, and not like others."""
        liked, disliked = (self._heard(given, n) for n in ("liked", "disliked"))
        if not liked:
            raise ValueError("Choose a song that others are to be like.")
        near = self.space().near(
            liked,
            _count(given),
            disliked=disliked,
            other_artists=bool(given.get("other_artists")),
        )
        return [self._with_reasons(each) for each in near]

    def path(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        """Return songs that lead from one to another."""
        ends = self._heard(given, "ends")
        if len(ends) != 2:
            raise ValueError("A path needs two songs that were heard. Choose two.")
        start, end = ends
        steps = self.space().path(start, end, _count(given))
        return [{"number": number, "distance": round(d, 4)} for number, d in steps]

    def _heard(self, given: dict[str, Any], name: str) -> list[int]:
        """Return those songs of a request that lie on the map."""
        place = self.space().place
        return [number for number in self._asked(given, name) if number in place]

    def _asked(self, given: dict[str, Any], name: str) -> list[int]:
        """Return the numbers of songs in a request, each once."""
        numbers = given.get(name, [])
        if not isinstance(numbers, list):
            raise ValueError(f"{name} must be a list of numbers.")
        return list(dict.fromkeys(self._number(str(number)) for number in numbers))

    def export(self, given: dict[str, Any]) -> Response:
        """Return songs as a playlist or a table."""
        numbers = self._asked(given, "numbers")
        if not numbers:
            raise ValueError("No song is chosen. Choose some.")
        make = {"m3u": self._playlist, "csv": self._table, "train": self.labels.table}
        if given.get("format") not in make:
            raise ValueError(f"format must be one of {', '.join(make)}.")
        text = make[given["format"]](numbers)
        return Response(text.encode("utf-8", "replace"), media_type="text/plain")

    def _playlist(self, numbers: Sequence[int]) -> str:
        stream = io.StringIO()
        entries = [Entry(self.collection.paths[number]) for number in numbers]
        write_playlist(entries, stream)
        return stream.getvalue()

    def _table(self, numbers: Sequence[int]) -> str:
        import pandas as pd

        proba = self.extraction.proba
        rows = []
        for number in numbers:
            row: dict[str, Any] = {
                "path": self.collection.paths[number],
                "title": self.collection.titles[number],
                "genre": self.labels.genres[number],
            }
            if proba is not None and self.extraction.done[number]:
                ((genre, share), *_) = self._ranked(proba[number])
                row |= {"prediction": genre, "confidence": share}
            for name, values in self.collection.columns.items():
                row.setdefault(name, values[number])
            rows.append({name: csv_cell(value) for name, value in row.items()})
        text: str = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
        return text

    def train(self, given: dict[str, Any]) -> dict[str, Any]:
        """Begin to train a model on songs with labels, and return how far it is."""
        numbers = self._asked(given, "numbers")
        collection, genres = self.collection, self.labels.genres
        songs = Songs(
            [collection.paths[number] for number in numbers],
            [genres[number] for number in numbers],
            [collection.artists[number] for number in numbers],
            collection.groups[np.array(numbers, int)],
        )
        self.training.start(given.get("recipe"), songs)
        return self.training.state()

    def stop_training(self) -> dict[str, Any]:
        """End the training of a model, of which nothing is kept."""
        self.training.stop()
        return self.training.state()

    async def drop(self, request: Request) -> Response:
        """Take a file that is not in the collection, and hear it."""
        name = unquote(request.headers.get("x-name", ""))
        length = request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > MOST_BYTES:
            raise TooLarge(
                f"The file is larger than {MOST_BYTES >> 20} MiB. Drop a smaller one."
            )
        key = await self.media.receive(Path(name).name or "a file", request.stream())
        try:
            return JSONResponse(await run_in_threadpool(self._dropped_song, key))
        except BaseException:
            self.media.forget(key)
            raise


def own_text(name: str) -> str:
    """Return the text of a file of the page."""
    return (files(__package__) / "_page" / name).read_text(encoding="utf-8")


def _fails_with(status: int) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        code = 422 if isinstance(error, AudioError) else status
        return JSONResponse({"error": printable(shorten(str(error), 500))}, code)

    return answer


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code)


def _route(path: str, function: Callable[..., Any], *, method: str = "GET") -> Route:
    """Return the route to a function of what the path names, run in a thread.

    What the function returns is sent as JSON, unless it is a response.
    """

    def answered(request: Request) -> Response:
        return _response(function(**request.path_params))

    return Route(path, answered, methods=[method])


def _posted(path: str, function: Callable[[dict[str, Any]], Any]) -> Route:
    """Return the route to a function of the object in a request, run in a thread.

    What the function returns is sent as `_route` sends it.
    """

    async def answered(request: Request) -> Response:
        return _response(await run_in_threadpool(function, await _json(request)))

    return Route(path, answered, methods=["POST"])


def _response(found: Any) -> Response:
    return found if isinstance(found, Response) else JSONResponse(found)


async def _json(request: Request) -> dict[str, Any]:
    """Return what a request brings, which is bounded."""
    contents = b""
    async for block in request.stream():
        contents += block
        if len(contents) > _MOST_JSON:
            raise TooLarge("The request is too large.")
    try:
        found = json.loads(contents)
    except (ValueError, RecursionError):
        raise ValueError("The request is no JSON.") from None
    if not isinstance(found, dict):
        raise ValueError("The request is no object.")
    return found


def _check_reduction(name: str) -> None:
    if name not in Space.reductions():
        raise ValueError(f"There is no map {printable(name)!r}.")


def _count(given: dict[str, Any]) -> int:
    k = given.get("k", _N_NEAR)
    if not isinstance(k, int) or not 2 <= k <= _MOST_ASKED:
        raise ValueError(f"k must be a number from 2 to {_MOST_ASKED}.")
    return k


def _shown(genre: str | None) -> str | None:
    return None if genre is None else printable(genre)


def _packed(values: Sequence[Any]) -> dict[str, Any]:
    """Return numbers as they are, and text as numbers of names."""
    if any(isinstance(value, str) for value in values):
        names = sorted({value for value in values if value is not None})
        code = {name: i for i, name in enumerate(names)}
        return {"names": names, "codes": [code.get(value, -1) for value in values]}
    known = [None if v is None or not math.isfinite(v) else v for v in values]
    return {"values": known}
