"""Pages in headless Chromium, over the pipe of its DevTools protocol.

https://chromedevtools.github.io/devtools-protocol: messages are JSON, ended by a zero
byte, in on file 3 and out on file 4. This needs neither a driver nor a port.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

OPTIONS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
    --hide-scrollbars --remote-debugging-pipe
""".split()
SECONDS = 60


def executable():
    """Return the path of Chromium, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


class Chromium:
    """A browser with one empty tab; `events` holds all that it reports."""

    def __enter__(self):
        self.events = []
        self._number = 0
        self._received = b""
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        self._process = subprocess.Popen(
            # Bash puts the pipes where Chromium looks for them.
            ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "bash"]
            + [executable(), *OPTIONS, f"--user-data-dir={self._profile.name}"],
            pass_fds=(commands, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._session = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send(
            "Target.attachToTarget", targetId=target, flatten=True
        )["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.send(f"{domain}.enable")
        return self

    def __exit__(self, *exception):
        os.close(self._write)  # which ends it
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        self._profile.cleanup()

    def send(self, method, **parameters):
        """Give a command and return its result."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def _next(self):
        ends = time.monotonic() + SECONDS
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._read], [], [], ends - time.monotonic())
            assert ready, "Chromium does not answer"
            read = os.read(self._read, 2**16)
            assert read, "Chromium has ended"
            self._received += read
        message, _, self._received = self._received.partition(b"\0")
        return json.loads(message)

    def open(self, path, *, width=1200, scheme="light", media="screen"):
        """Open a local page, as wide as that, in the light or dark scheme."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=800,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.send(
            "Emulation.setEmulatedMedia",
            media=media,
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        self.events.clear()
        self.send("Page.navigate", url=path.resolve().as_uri())
        while not any(e["method"] == "Page.loadEventFired" for e in self.events):
            self.events.append(self._next())

    def evaluate(self, script):
        """Return the value of an expression of JavaScript in the page."""
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def screenshot(self, path):
        """Write a picture of the whole page."""
        picture = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(picture["data"]))
