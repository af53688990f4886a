"""The page as a person uses it, in headless Chromium, and the handle of the server."""

import csv
import functools
import http.server
import importlib.resources
import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager

import pytest

pytest.importorskip("uvicorn")

from chromium import Chromium, executable
from explored import fit_model, fit_network, write_songs

import skgenre
from skgenre.cli import _signals
from skgenre.explore import Explorer, _explore

N_SONGS = 60
GENRES = ["ambient", "rock", "techno", "waltz"]

needs_chromium = pytest.mark.skipif(executable() is None, reason="there is no chromium")


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    paths, genres = write_songs(folder, N_SONGS, duration=4.0)
    return folder, fit_model(paths, genres)


@pytest.fixture
def explorer(songs, tmp_path):
    folder, model = songs
    with skgenre.explore(
        folder,
        model,
        labels_file=tmp_path / "labels.csv",
        models_dir=tmp_path / "models",
        n_jobs=1,
    ) as running:
        yield running


def labels_in(path):
    with open(path, newline="", encoding="utf-8") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def open_page(browser, explorer, **how):
    browser.open(explorer.url, **how)
    browser.wait_for(f"map.numbers.length === {N_SONGS}")
    browser.wait_for("map.painted > 0")


def click_song(browser, number):
    """Click on a point of the map, of those that no other one covers."""
    browser.evaluate("element('map').scrollIntoView({behavior: 'instant'})")
    x, y = browser.evaluate(
        f"(() => {{ const box = element('map').getBoundingClientRect(); "
        f"const [x, y] = map.at(map.placeOf.get({number})); "
        "return [box.x + x + 1, box.y + y + 1]; })()"
    )
    browser.click(x, y)


def draw_around_the_map(browser):
    """Drag the mouse around all but the edge of the map."""
    browser.evaluate(
        "element('map').scrollIntoView({block: 'center', behavior: 'instant'})"
    )
    x, y, width, height = browser.evaluate(
        "(({x, y, width, height}) => [x, y, width, height])"
        "(element('map').getBoundingClientRect())"
    )
    left, right, top, bottom = x + 3, x + width - 3, y + 3, y + height - 3
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    for kind, (at_x, at_y) in zip(
        ["mousePressed", *["mouseMoved"] * 3, "mouseReleased"],
        [*corners, corners[-1]],
        strict=True,
    ):
        browser.send(
            "Input.dispatchMouseEvent",
            type=kind,
            x=at_x,
            y=at_y,
            button="left",
            buttons=1,
            clickCount=1,
        )


def choose(browser, select, value):
    browser.evaluate(
        f"(() => {{ const e = element('{select}'); e.value = '{value}'; "
        "e.dispatchEvent(new Event('change')); })()"
    )


def alone(browser):
    """Return the number of the song that is farthest from others on the map."""
    return browser.evaluate(
        "(() => { const gaps = map.numbers.map((_, i) => Math.min(...map.numbers.map("
        "(_, j) => i === j ? 9 : Math.hypot(map.x[i] - map.x[j], map.y[i] - map.y[j]))"
        ")); return map.numbers[gaps.indexOf(Math.max(...gaps))]; })()"
    )


def faults_of(browser):
    """Return what axe finds that is serious."""
    axe = importlib.resources.files("axe_core_python") / "axe.min.js"
    browser.evaluate(axe.read_text(encoding="utf-8") + "; true")
    found = json.loads(
        browser.evaluate("axe.run().then((r) => JSON.stringify(r.violations))")
    )
    return [
        (each["id"], [node["html"] for node in each["nodes"]][:3])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def complaints(browser, explorer):
    """Return errors of the page, and requests to anywhere else."""
    home = explorer.url.partition("?")[0]
    errors = [
        event["params"]
        for event in browser.events
        if event["method"] == "Runtime.exceptionThrown"
        or event["method"] == "Log.entryAdded"
    ]
    asked = [
        event["params"]["request"]["url"]
        for event in browser.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    own = (home, "data:", "blob:")
    return errors + [url for url in asked if not url.startswith(own)]


@needs_chromium
@pytest.mark.slow
def test_a_person_listens_relabels_exports_and_drops_a_song(songs, explorer, tmp_path):
    folder, _ = songs
    table = tmp_path / "labels.csv"
    with Chromium() as browser:
        open_page(browser, explorer, width=1280)
        # See and hear a song.
        number = alone(browser)
        click_song(browser, number)
        browser.wait_for("!audio.paused && audio.currentTime > 0.2")
        before = browser.evaluate("audio.currentTime")
        browser.wait_for(f"audio.currentTime > {before} || audio.ended")
        assert browser.evaluate("song.number") == number
        browser.wait_for("!element('sight').hidden")
        assert browser.evaluate("document.querySelectorAll('#near li').length") == 10
        assert browser.evaluate("document.querySelectorAll('#heard meter').length") >= 4

        # Hear only what makes its genre, from where it is.
        browser.click_on("#why")
        browser.wait_for("why && element('why-note').textContent.includes('Hz')")
        browser.evaluate("element('only').focus()")
        browser.press(" ", 32)
        browser.wait_for("audio.src.endsWith('why/sound') && audio.currentTime > 0.2")

        # Give it another label.
        browser.click_on("#label")
        browser.evaluate("element('label').select()")
        browser.type("free jazz")
        browser.press("Enter", 13)
        browser.wait_for(f"songs.labels[{number}] === 'free jazz'")
        (row,) = [r for r in labels_in(table).values() if r["checked"]]
        assert row["genre"] == "free jazz"

        # With keys only, go through the labels that look wrong.
        browser.click_on("#tab-labels")
        browser.click_on("#check")
        browser.wait_for("checked && queue.length > 1")
        first, second = browser.evaluate("[queue[0], queue[1]]")
        browser.press("n")
        browser.wait_for(f"song.number === {first['number']}")
        browser.press("h")
        browser.wait_for(f"song.number === {second['number']}")
        assert browser.evaluate(f"songs.labels[{first['number']}]") == first["genre"]
        browser.press("k")
        browser.wait_for(f"songs.checked.has({second['number']})")
        assert len([r for r in labels_in(table).values() if r["checked"]]) == 3

        # What sounds most like a genre is listed, too.
        genre = browser.evaluate("songs.genres[heard.genres[0]]")
        choose(browser, "which", f"genre {browser.evaluate('heard.genres[0]')}")
        listed = browser.evaluate("[...new Set(queue.map((entry) => entry.genre))]")
        assert listed == [genre]

        # A list can be narrowed by any column.
        choose(browser, "which", "all")
        choose(browser, "filter-column", "label")
        browser.click_on("#filter-text")
        browser.type("Free J")
        browser.wait_for("element('n-queued').textContent === '1 song'")
        assert browser.evaluate("queue[0].number") == number
        choose(browser, "filter-column", "confidence")
        browser.click_on("#filter-low")
        middle = browser.evaluate("heard.confidence.toSorted()[30]")
        browser.type(str(middle))
        browser.wait_for(
            f"queue.length === heard.confidence.filter((c) => c >= {middle}).length"
        )
        choose(browser, "filter-column", "")
        browser.wait_for(f"queue.length === {N_SONGS}")

        # All is there after a reload.
        open_page(browser, explorer, width=1280)
        assert browser.evaluate(f"songs.labels[{number}]") == "free jazz"
        assert browser.evaluate("songs.checked.size") == 3

        # Choose some with the lasso, and train a model on them.
        browser.click_on("#lasso")
        draw_around_the_map(browser)
        browser.wait_for(f"selection.size === {N_SONGS}")
        choose(browser, "recipe", "fast")
        browser.click_on("#train")
        browser.wait_for("element('training-note').textContent.includes('are right')")
        (model,) = (tmp_path / "models").iterdir()
        assert str(model) in browser.evaluate("element('training-note').textContent")
        open_page(browser, explorer, width=1280)
        browser.wait_for("element('training-note').textContent.includes('are right')")

        # Save some.
        browser.send(
            "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path)
        )
        browser.evaluate("select([1, 2])")
        browser.click_on("#save-m3u")
        browser.wait_for("element('selection-note').textContent.startsWith('Saved')")
        saved, ends = tmp_path / "selection.m3u8", time.monotonic() + 20
        while not saved.exists() and time.monotonic() < ends:
            time.sleep(0.05)
        assert "002.flac" in saved.read_text(encoding="utf-8")

        # Drop a song from elsewhere.
        root = browser.send("DOM.getDocument")["root"]["nodeId"]
        box = browser.send("DOM.querySelector", nodeId=root, selector="#drop")
        browser.send(
            "DOM.setFileInputFiles",
            files=[str(folder / "007.flac")],
            nodeId=box["nodeId"],
        )
        browser.wait_for("element('drop-note').textContent.endsWith('was heard.')")
        browser.wait_for("audio.currentTime > 0.1")
        assert browser.evaluate("element('song-title').textContent") == "007.flac"

        assert browser.evaluate("window.attacked") is None
        assert complaints(browser, explorer) == []


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_is_accessible_and_fits(explorer, width, scheme):
    with Chromium() as browser:
        open_page(browser, explorer, width=width, scheme=scheme)
        # With the keyboard alone.
        browser.evaluate("element('map').focus()")
        browser.press("ArrowRight", 39)
        browser.press("Enter", 13)
        browser.wait_for("audio.currentTime > 0 && song.number >= 0")
        browser.wait_for("document.querySelectorAll('#near li').length === 10")
        for view in ("map", "labels", "files"):
            browser.evaluate(f"showView('{view}')")
            if view == "labels":
                browser.click_on("#check")
                browser.wait_for("checked")
            assert faults_of(browser) == []
            assert browser.evaluate("document.documentElement.scrollWidth") <= width
        assert complaints(browser, explorer) == []


@needs_chromium
@pytest.mark.slow
def test_a_person_looks_into_the_network_and_hears_a_filter(songs, tmp_path):
    paths = sorted(map(str, songs[0].glob("*.flac")))[:8]
    model = fit_network(paths, GENRES * 2)
    running = skgenre.explore(paths, model, labels_file=tmp_path / "labels.csv")
    with running, Chromium() as browser:
        browser.open(running.url, width=390, scheme="dark")
        browser.wait_for("map.painted > 0 && map.numbers.length === 8")
        browser.click_on("#tab-network")
        browser.wait_for("layers && !element('show-filters').disabled")
        assert browser.evaluate("element('layer').textContent") == "conv1 (10)genre (4)"
        curves = browser.evaluate(
            "[...element('curves').children].map(e => e.innerText)"
        )
        assert "Loss: training" in curves[0]
        browser.click_on("#show-filters")
        browser.wait_for("element('filters').children.length === 8")
        browser.click_on("#more-filters")
        browser.wait_for("element('filters').children.length === 10")
        assert browser.evaluate("element('more-filters').hidden")
        browser.click_on("#filters figure:last-child button")
        browser.wait_for("!audio.paused && audio.currentTime > 0.2")
        assert browser.evaluate("audio.duration") == pytest.approx(
            63 * 1024 / 22050, 0.1
        )
        assert faults_of(browser) == []
        assert browser.evaluate("document.documentElement.scrollWidth") <= 390
        browser.click_on("#most-like .go")
        browser.wait_for("song.number >= 0 && !element('sight').hidden")
        browser.click_on("#why")
        browser.wait_for("element('why-note').textContent.includes('stays bright')")
        browser.click_on("#only")
        browser.wait_for("audio.src.endsWith('why/sound') && audio.currentTime > 0.2")
        assert complaints(browser, running) == []


@needs_chromium
@pytest.mark.slow
def test_a_saved_page_needs_no_server(explorer, tmp_path):
    page = tmp_path / "page.html"
    explorer.save(page, preview_seconds=1)
    explorer.stop()
    text = page.read_text(encoding="utf-8")
    assert "<img" not in text and "</script><" not in text.split('id="saved">')[1][:99]
    with Chromium() as browser:
        browser.open(page, width=390)
        browser.wait_for(f"map.numbers.length === {N_SONGS} && map.painted > 0")
        click_song(browser, alone(browser))
        browser.wait_for("audio.currentTime > 0.1")
        assert browser.evaluate("audio.duration") == pytest.approx(1, abs=0.2)
        browser.wait_for("document.querySelectorAll('#near li').length === 10")
        browser.click_on("#tab-labels")
        browser.click_on("#check")
        browser.wait_for("checked && queue.length")
        assert browser.evaluate("element('drop').offsetParent") is None
        assert browser.evaluate("window.attacked") is None
        assert faults_of(browser) == []
        asked = [
            e for e in browser.events if e["method"] == "Network.requestWillBeSent"
        ]
        assert {e["params"]["request"]["url"][:5] for e in asked} <= {"file:", "data:"}
        assert not [e for e in browser.events if e["method"] == "Log.entryAdded"]
    with pytest.raises(FileNotFoundError, match="no folder"):
        explorer.save(tmp_path / "none" / "page.html")
    with pytest.raises(ValueError, match="preview_seconds"):
        explorer.save(page, preview_seconds=-1)


@needs_chromium
@pytest.mark.slow
def test_a_notebook_shows_the_page_and_stops_it(songs, tmp_path):
    manager = pytest.importorskip("jupyter_client.manager")
    pytest.importorskip("ipykernel")
    folder, model = songs
    skgenre.save(model, tmp_path / "it.model")
    kernel, client = manager.start_new_kernel(cwd=str(tmp_path))

    def run(code):
        """Return what a cell shows."""
        found = []
        reply = client.execute_interactive(code, timeout=60, output_hook=found.append)
        assert reply["content"]["status"] == "ok", reply["content"]
        shown = [each["content"]["data"] for each in found if "data" in each["content"]]
        return shown[-1] if shown else None

    try:
        shown = run(
            f"import skgenre; model = skgenre.load('it.model')\n"
            f"explorer = skgenre.explore({str(folder)!r}, model); explorer"
        )
        notebook = tmp_path / "notebook"
        notebook.mkdir()
        (notebook / "index.html").write_text(f"<p>Cell</p>{shown['text/html']}")
        with serving(notebook) as port, Chromium() as browser:
            browser.open(f"http://localhost:{port}/index.html")
            frame = context_of(browser, shown["text/html"].split(chr(34))[1])
            ends = time.monotonic() + 30
            while frame("map.painted > 0 && map.numbers.length") != N_SONGS:
                assert time.monotonic() < ends
                time.sleep(0.1)
        url = run("explorer.url")["text/plain"].strip("'")
        run("explorer.stop()")
        with pytest.raises(OSError):
            urllib.request.urlopen(url, timeout=5)
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)


@contextmanager
def serving(folder):
    """Serve a folder, as the server of notebooks does its pages; yield the port."""
    handler = functools.partial(QuietHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def context_of(browser, url):
    """Return a function that evaluates in the page's frame of a URL."""
    origin = url.partition("/?")[0]

    def evaluate(script):
        browser.evaluate("1")  # whereby events come
        contexts = [
            event["params"]["context"]["id"]
            for event in browser.events
            if event["method"] == "Runtime.executionContextCreated"
            and event["params"]["context"]["origin"] == origin
        ]
        if not contexts:
            return None
        found = browser.send(
            "Runtime.evaluate",
            expression=script,
            contextId=contexts[-1],
            returnByValue=True,
        )
        return found["result"].get("value")

    return evaluate


def test_the_handle(songs, tmp_path, monkeypatch):
    assert skgenre.explore.__name__ == "skgenre.explore"
    folder, model = songs
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    log = logging.FileHandler(tmp_path / "log")
    with skgenre.explore(folder, model, labels_file=tmp_path / "a.csv") as explorer:
        assert isinstance(explorer, Explorer)
        assert log.stream is not None  # the program's own log is left alone
        log.close()
        shown = explorer._repr_html_()
        assert "<iframe" in shown and "http://localhost:" in shown
        assert explorer.url in repr(explorer)
        assert list(temporary.iterdir())
        port = int(explorer.url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match=f"port={port}. Choose another port"):
            skgenre.explore(folder, model, port=port, labels_file=tmp_path / "b.csv")
        # When it ends a training, nobody can ask for another one.
        training, is_served = explorer._server.training, []
        monkeypatch.setattr(
            training, "stop", lambda: is_served.append(explorer._thread.is_alive())
        )
        # The process may be ended while it waits: what was dropped is gone before.
        extraction, left = explorer._server.extraction, []
        monkeypatch.setattr(
            extraction, "wait", lambda timeout: left.extend(temporary.iterdir())
        )
        explorer.stop()
        assert is_served == [False] and not left
        explorer.wait(5)
    assert _explore._SECONDS_OF_REQUESTS < _signals._PATIENCE


def test_without_weights_and_without_the_extra(songs, tmp_path, no_weights):
    folder, model = songs
    with pytest.raises(ImportError, match="weights"):
        skgenre.explore(folder, labels_file=tmp_path / "labels.csv")
    code = (
        "import sys; sys.modules['starlette'] = None\n"
        "import skgenre\n"
        "try: skgenre.explore('.')\n"
        "except ImportError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 'pip install "skgenre[explore]"' in run.stdout, run.stderr


def test_wrong_songs(songs, tmp_path):
    folder, model = songs
    some = [str(folder / "000.flac"), str(folder / "001.flac")]
    for genres, paths, error in [
        (["a"], some, "genres has 1 rows, and there are 2 songs"),
        (["a", "b"], [some[0]] * 2, "twice"),
        (["a"], [some[0] + "x"], "There is no file"),
        ([], [], "at least one file"),
    ]:
        with pytest.raises((ValueError, FileNotFoundError), match=error):
            skgenre.explore(paths, model, genres, labels_file=tmp_path / "labels.csv")
