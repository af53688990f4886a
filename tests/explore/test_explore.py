"""The page as a person uses it, in headless Chromium, and the handle of the server."""

import csv
import importlib.resources
import json
import subprocess
import sys
import tempfile
import time

import pytest

pytest.importorskip("uvicorn")

from chromium import Chromium, executable
from explored import fit_model, write_songs

import skgenre
from skgenre.explore import Explorer

N_SONGS = 60

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
        folder, model, labels_file=tmp_path / "labels.csv", n_jobs=1
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
        browser.evaluate(
            "(() => { const e = element('which'); "
            "e.value = `genre ${heard.genres[0]}`; "
            "e.dispatchEvent(new Event('change')); })()"
        )
        listed = browser.evaluate("[...new Set(queue.map((entry) => entry.genre))]")
        assert listed == [genre]

        # All is there after a reload.
        open_page(browser, explorer, width=1280)
        assert browser.evaluate(f"songs.labels[{number}]") == "free jazz"
        assert browser.evaluate("songs.checked.size") == 3

        # Choose some and save them.
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


def test_the_handle(songs, tmp_path, monkeypatch):
    assert skgenre.explore.__name__ == "skgenre.explore"
    folder, model = songs
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with skgenre.explore(folder, model, labels_file=tmp_path / "a.csv") as explorer:
        assert isinstance(explorer, Explorer)
        shown = explorer._repr_html_()
        assert "<iframe" in shown and "http://localhost:" in shown
        assert explorer.url in repr(explorer)
        assert list(temporary.iterdir())
        port = int(explorer.url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match=f"port={port}. Choose another port"):
            skgenre.explore(folder, model, port=port, labels_file=tmp_path / "b.csv")
        explorer.stop()
        explorer.wait(5)
    assert not list(temporary.iterdir())


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
