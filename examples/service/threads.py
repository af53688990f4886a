"""A service by Python's standard library alone: a pool of threads in one process.

python examples/service/threads.py genres.model --port 8000
curl --data-binary @song.mp3 http://127.0.0.1:8000/genre  # or /tags, /timeline
"""

import argparse
import contextlib
import json
import os
import tempfile
import traceback
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from genres import LARGEST, GenreModel, NoGenre, Tagger

PATHS = "GET /health, or POST /genre, /tags or /timeline."
BLOCK = 1_000_000
"""Bytes of an upload that are in memory, while it waits."""


class Handler(BaseHTTPRequestHandler):
    """One request, in a thread of its own; the pool computes it."""

    timeout = 60  # seconds that a client may send nothing

    def do_GET(self):
        """Say that the service runs."""
        if self.path == "/health":
            self.reply(200, {"status": "ok"})
        else:
            self.reply(404, {"detail": PATHS})

    def do_POST(self):
        """Return what there is to say of the body, which is a sound file."""
        function = self.server.functions.get(self.path)
        if function is None:
            return self.reply(404, {"detail": PATHS})
        try:
            size = int(self.headers["Content-Length"])
        except (TypeError, ValueError):
            return self.reply(411, {"detail": "Content-Length is not given."})
        if not 0 <= size <= LARGEST:
            return self.reply(413, {"detail": f"A file has at most {LARGEST:,} bytes."})
        # Large uploads wait on the disk: any number of them may wait.
        with tempfile.SpooledTemporaryFile(BLOCK) as file:
            while block := self.rfile.read(min(BLOCK, size - file.tell())):
                file.write(block)
            if file.tell() < size:  # the client has left
                return None
            try:
                found = self.server.pool.submit(function, file).result()
            except NoGenre as error:
                return self.reply(422, {"detail": str(error)})
            except ImportError as error:  # the pretrained weights are not here
                return self.reply(501, {"detail": str(error)})
            except Exception:  # what nobody has expected
                traceback.print_exc()
                return self.reply(500, {"detail": "The service failed; see its log."})
        return self.reply(200, found)

    def reply(self, status, content):
        """Send JSON."""
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self):
        """Handle the request of a client, who may leave at any time."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True


def functions(model, time_limit):
    """Return the function of each path, which takes a file."""
    tagger = Tagger(time_limit)
    return {
        "/genre": GenreModel(model, time_limit).predict,
        "/tags": tagger.tags,
        "/timeline": tagger.timeline,
    }


def main():
    """Serve until the program is ended."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="file of skgenre.save or skgenre train")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--time-limit", type=float, help="seconds that a file may take")
    options = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.functions = functions(options.model, options.time_limit)
    server.pool = ThreadPoolExecutor(options.threads)
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C
        server.serve_forever()


if __name__ == "__main__":
    main()
