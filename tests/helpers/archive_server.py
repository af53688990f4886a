"""An HTTP server on this machine whose downloads can go wrong."""

import http.server
import re
import threading
from contextlib import contextmanager, suppress
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    """Serve the files of a folder, whole or from a byte on."""

    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.requests.append((self.path, asked))
        path = Path(server.folder, self.path.lstrip("/"))
        if server.statuses:
            return self.send_error(server.statuses.pop(0))
        if not path.is_file():
            return self.send_error(404)
        body = server.change(path.read_bytes())
        start = 0
        if asked and server.knows_ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
        self.send_response(206 if start else 200)
        if start:
            end = len(body) - 1
            first = start + server.range_error
            self.send_header("Content-Range", f"bytes {first}-{end}/{len(body)}")
        self.send_header("Content-Type", server.content_type)
        if server.tells_length:
            length = server.claimed_length or len(body) - start
            self.send_header("Content-Length", str(length))
        self.end_headers()
        limit = server.limits.pop(0) if server.limits else len(body)
        with suppress(ConnectionError):  # the client may leave early
            self.wfile.write(body[start : start + limit])
        # Closing the connection before all is sent is what an interruption is.
        self.close_connection = True

    def log_message(self, *args):
        """Be quiet."""


@contextmanager
def serve(folder):
    """Serve a folder; yield the server, which has `url` and `requests`.

    Attributes to set: `limits`, numbers of bytes after which the next connections are
    cut; `statuses`, errors that the next requests get; `change`, a function of the
    bytes of a file; `knows_ranges`, `tells_length`, `claimed_length`, `content_type`,
    `range_error`.
    """
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.folder = folder
    server.url = f"http://127.0.0.1:{server.server_port}/"
    server.requests, server.limits, server.statuses = [], [], []
    server.change = bytes
    server.knows_ranges = server.tells_length = True
    server.claimed_length = None
    server.content_type = "application/zip"
    server.range_error = 0
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
