"""The page of a map, as text and in headless Chromium."""

import html
import os
import re

import numpy as np
import pytest
from chromium import Chromium, executable
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from skgenre._text import printable
from skgenre.inspection._report._map import map_page

HOSTILE = [
    "<script>window.attacked=1</script>",
    "\"><img src=x onerror='window.attacked=1'>",
    "</title></svg><svg onload=window.attacked=1>",
    "{{ 7 * 7 }}\nsecond line",
    os.fsdecode(b"no\xff utf-8"),
    "turned \u202e3pm",
]


def page_of(n=40, labels=None, names=("a song",), seed=0, **changes):
    rng = np.random.default_rng(seed)
    E = rng.normal(size=(n, 5))
    songs = [
        {"title": names[i % len(names)], "artist": f"Artist {i}", "path": f"{i}.mp3"}
        for i in range(n)
    ]
    labels = labels or [("rock", "jazz", None)[i % 3] for i in range(n)]
    points = PCA(2).fit_transform(E)
    text = {"title": "Map of it", "meaning": "genres", "axes": ("one", "two")}
    return map_page(E, points, labels, songs, **text | changes), E, points


def test_every_song_is_on_the_map_once():
    page, E, points = page_of()
    titles = re.findall(r"<title>([^<]*)</title></path>", page)
    lines = [html.unescape(title).split("\n") for title in titles]
    assert sorted(line[3] for line in lines) == sorted(f"{i}.mp3" for i in range(40))
    for title, artist, label, path in lines:
        number = int(path.removesuffix(".mp3"))
        assert (title, artist) == ("a song", f"Artist {number}")
        assert label == ("rock", "jazz", "none")[number % 3]
    # As in the plot, of which a step to the right is one upwards to scale.
    places = re.findall(r"translate\(([-\d.]+) ([-\d.]+)\)", page)
    by_path = dict(
        zip((line[3] for line in lines), np.array(places, float), strict=True)
    )
    drawn = np.array([by_path[f"{i}.mp3"] for i in range(40)]) * [1, -1]
    scale = np.ptp(drawn, axis=0) / np.ptp(points, axis=0)
    np.testing.assert_allclose(scale[0], scale[1], rtol=0.01)
    np.testing.assert_allclose(
        drawn - drawn.mean(axis=0),
        scale[0] * (points - points.mean(axis=0)),
        atol=0.2,
    )
    trust = trustworthiness(E, points, n_neighbors=10)
    assert f"<b>{trust:.2f}</b>" in page and "the 10 nearest of each" in page


def test_groups_that_are_too_many_are_grey():
    labels = [f"genre {min(i, 40)}" for i in range(60)]
    page, *_ = page_of(60, labels)
    assert "<bdi>none, or 13 rarer ones</bdi> <small>13</small>" in page
    styles = re.findall(r'<g class="(c\d)" .*?\n<path .*? d="(.*?)"', page)
    assert len(styles) == 29 == len({*styles})
    assert page.count("</title></path>") == 60


@pytest.mark.parametrize(("n", "said"), [(2, "too few songs"), (3, "the 1 nearest")])
def test_small_maps(n, said):
    assert said in page_of(n)[0]


def test_songs_at_one_place():
    E = np.ones((5, 3))
    songs = [{"title": "a", "artist": "", "path": "a"}] * 5
    text = {"title": "it", "meaning": "genres", "axes": ("", "")}
    page = map_page(E, np.zeros((5, 2)), ["rock"] * 5, songs, **text)
    assert "nan" not in re.sub("[a-z]{4,}", "", page)


def test_many_songs_are_sampled():
    page, *_ = page_of(3100)
    assert "of a sample of 3,000 songs" in page


@pytest.mark.skipif(executable() is None, reason="there is no chromium")
@pytest.mark.parametrize("width", [390, 1280])
def test_it_loads_nothing_and_shows_any_song(tmp_path, width):
    labels = [(*HOSTILE, None)[i % 7] for i in range(40)]
    page, *_ = page_of(labels=labels, names=HOSTILE, title=HOSTILE[0], notes=HOSTILE)
    (tmp_path / "it.html").write_text(page, encoding="utf-8")
    with Chromium() as browser:
        browser.open(tmp_path / "it.html", width=width)
        point = """(i) => {
            const map = document.querySelector(".map");
            const box = map.querySelectorAll("path")[i].getBoundingClientRect();
            const x = box.x + box.width / 2, y = box.y + box.height / 2;
            const at = {clientX: x, clientY: y};
            map.dispatchEvent(new PointerEvent("pointermove", at));
            const tip = document.querySelector(".tip");
            const inside = tip.getBoundingClientRect();
            return [...tip.children].map((part) => part.textContent).concat(
                inside.left >= 0 && inside.right <= innerWidth && !tip.hidden);
        }"""
        for i in range(40):
            title, artist, label, path, fits = browser.evaluate(f"({point})({i})")
            number = int(path.removesuffix(".mp3"))
            assert artist == f"Artist {number}" and fits
            assert title == printable(HOSTILE[number % 6])
            assert label == printable((*HOSTILE, "none")[number % 7])
        hidden = browser.evaluate("""(() => {
            document.querySelector(".key button").click();
            const group = document.querySelector(".map g");
            return getComputedStyle(group).display;
        })()""")
        assert hidden == "none"
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        assert browser.evaluate("window.attacked") is None
        methods = [event["method"] for event in browser.events]
        assert methods.count("Network.requestWillBeSent") == 1  # the page itself
        assert not {"Log.entryAdded", "Runtime.exceptionThrown"} & {*methods}
