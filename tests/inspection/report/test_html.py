"""The page, as text and in headless Chromium."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chromium import Chromium, executable

from skgenre.inspection import classification_report_html, hierarchical_scores

GENRES = ["classical", "electronic", "pop", "rock"]
needs_chromium = pytest.mark.skipif(
    executable() is None, reason="there is no chromium to look at pages with"
)

HOSTILE = [
    "<script>window.attacked=1</script>.mp3",
    "\"><img src=x onerror='window.attacked=1'>.mp3",
    "{{ 7 * 7 }} {% raw %}.mp3",
    "</style></title><svg onload=window.attacked=1>.mp3",
    os.fsdecode(b"no\xff utf-8.mp3"),
    "turned \u202e3pm.gnihtyna",
    "Mötley & <b>Crüe</b> 音楽\x1b[31m.mp3",
]


def predictions(n=240, genres=GENRES, seed=0):
    """Return what a mediocre model might predict, as arguments of the report."""
    rng = np.random.default_rng(seed)
    artist = rng.integers(10 * len(genres), size=n)
    number = artist % len(genres)
    scores = rng.normal(size=(n, len(genres)))
    scores[np.arange(n), number] += 2
    proba = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels = np.array(genres)
    return {
        "y_true": labels[number],
        "y_pred": labels[proba.argmax(axis=1)],
        "labels": labels,
        "y_proba": proba,
        "groups": artist,
        "paths": [f"/music/{labels[k]}/{i}.mp3" for i, k in enumerate(number)],
        "y_pred_other": np.where(rng.random(n) < 0.6, labels[number], labels[0]),
    }


class Text(HTMLParser):
    """Collects the text of a page, its tags and the headings of sections."""

    def __init__(self, page):
        super().__init__()
        self.words, self.tags, self.headings = [], [], []
        self.feed(page)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)
        if self.tags[-1:] == ["h2"]:
            self.headings.append(data)
            self.tags.append("")


@pytest.fixture(scope="module")
def full_page(tmp_path_factory):
    """A page with every section, and names that attack it."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    given = predictions()
    wrong = np.flatnonzero(given["y_true"] != given["y_pred"])
    surest = wrong[np.argsort(-given["y_proba"][wrong].max(axis=1))]
    for row, name in zip(surest, HOSTILE, strict=False):
        given["paths"][row] = f"/music/rock/{name}"
    genres = [*GENRES[:3], "<script>window.attacked=1</script>"]
    rename = dict(zip(GENRES, genres, strict=True))
    for key in ("y_true", "y_pred", "labels", "y_pred_other"):
        given[key] = np.array([rename[genre] for genre in given[key]])
    given["y_pred"] = np.where(
        given["y_proba"].max(axis=1) < 0.4, "unknown", given["y_pred"]
    )
    albums = ["<script>window.attacked=1</script>"] * 120 + [None] * 120
    classification_report_html(
        **given,
        unknown="unknown",
        albums=albums,
        hierarchical=hierarchical_scores(
            given["y_true"], given["y_pred"], {"pop": "rock"}, groups=given["groups"]
        ),
        title="A <title> & a model",
        notes=["<script>window.attacked=1</script>"],
        path=path,
    )
    return path


@pytest.fixture(scope="module")
def browser():
    with Chromium() as browser:
        yield browser


def test_figures_on_the_page():
    given = predictions()
    page = Text(classification_report_html(**given))
    right = given["y_true"] == given["y_pred"]
    assert f"{100 * right.mean():.1f}\xa0%".replace("\xa0", " ") in page.text
    assert f"{right.sum()} of 240 clips" in page.text
    majority = pd.Series(given["y_true"]).value_counts(normalize=True).iloc[0]
    assert f"Majority baseline {100 * majority:.1f}" in page.text
    assert page.headings == [
        "Accuracy",
        "Genres",
        "Confusion matrix",
        "Most confused genres",
        "Most confident errors",
        "Calibration",
        "Comparison of two models",
        "How it was computed",
    ]
    surest = np.argmax(np.where(right, 0, given["y_proba"].max(axis=1)))
    first = page.text.index("Most confident errors Where")
    named = re.search(r"(\d+)\.mp3", page.text[first:])
    assert int(named[1]) == surest


def test_the_deeper_the_shade_the_larger_the_share():
    page = classification_report_html(["a"] * 4 + ["b"] * 4, ["a"] * 4 + list("abbb"))
    shades = re.findall(r'<td class="(\w+) s(\d+)">', page)
    assert shades == [("right", "20"), ("wrong", "5"), ("right", "15")]


def test_what_is_missing_is_left_out_and_why_is_said():
    page = Text(classification_report_html(["a", "b", "b"], ["a", "b", "a"]))
    assert page.headings == [
        "Accuracy",
        "Genres",
        "Confusion matrix",
        "Most confused genres",
        "How it was computed",
    ]
    assert "Calibration: left out, because the model gives no prob" in page.text
    assert "Comparison: left out, because no other model's" in page.text
    assert "In the tree of genres: left out, because no hierarchical" in page.text
    assert "Artists are not known" in page.text
    assert "row 2" in page.text  # there are no paths to name clips by
    page = Text(classification_report_html([1, 2], [1, 2], y_proba=np.eye(2)))
    assert "Most confused genres: left out, because no genre" in page.text
    assert (
        "Most confident errors: left out, because no prediction is wrong" in page.text
    )


def test_scores_in_a_tree_are_beside_the_others():
    true, predicted = ["punk", "jazz"], ["metal", "jazz"]
    scores = hierarchical_scores(true, predicted, {"punk": "rock", "metal": "rock"})
    page = Text(classification_report_html(true, predicted, hierarchical=scores))
    assert page.headings[:3] == ["Accuracy", "Genres", "In the tree of genres"]
    assert "Hierarchical F1 66.7 %" in page.text  # 2 of 3, and of 3
    with pytest.raises(ValueError, match="hierarchical_scores returns.*'f1'"):
        classification_report_html(true, predicted, hierarchical={"f1": 0.5})


def test_unknown_genres_are_no_errors():
    given = predictions()
    sure = given["y_proba"].max(axis=1) > 0.6
    right = given["y_true"] == given["y_pred"]
    given["y_pred"] = np.where(sure, given["y_pred"], "unknown")
    page = Text(classification_report_html(**given, unknown="unknown")).text
    for card, share in (
        ("Clips with a prediction", sure.mean()),
        ("Correct, of these", right[sure].mean()),
        ("Correct, of all clips", right[sure].sum() / 240),
    ):
        assert f"{card} {100 * share:.1f} %" in page
    assert f"{np.sum(sure & ~right)} wrong predictions" in page


def test_clips_that_only_one_model_has_right_are_named():
    page = Text(
        classification_report_html(
            ["a", "b", "b", "a"],
            ["a", "a", "b", "b"],
            y_pred_other=["a", "b", "a", "b"],
        )
    ).text
    listed = page[page.index("Clips that only one model has right") :]
    assert re.findall(r"row \d", listed) == ["row 1", "row 2"]
    assert "row 1 label b , A a wrong, B b right" in listed


def test_one_of_a_kind_is_no_plural():
    page = Text(classification_report_html(["a"], ["b"], labels=["a", "b"])).text
    assert "1 clip, 2 genres." in page
    assert "0 of 1 clip." in page
    assert "1 wrong prediction." in page


@pytest.mark.parametrize(
    ("n_genres", "names"), [(25, "genre 24"), (26, "2 rarer genres")]
)
def test_rare_genres_are_taken_together_from_two_on(n_genres, names):
    genres = [f"genre {i:02}" for i in range(n_genres)]
    page = classification_report_html(genres, genres)
    matrix = page[page.index("True genres and predictions") :]
    assert matrix.count("<bdi>") == 2 * 25
    assert f"<bdi>{names}</bdi>" in matrix
    assert ("rarer" in page) == (n_genres == 26)


def test_notes_are_whole_and_long_names_keep_their_ends():
    note = "knows " + ", ".join(f"genre {i}" for i in range(100)) + " & no others"
    name = "/music/" + "a" * 200 + "/" + "b" * 200 + " the end.mp3"
    page = classification_report_html(
        ["a", "b"], ["b", "b"], paths=[name, "/music/b.mp3"], notes=[note]
    )
    assert note in Text(page).text
    assert re.search(r"<bdi>a{150}…b+ the end\.mp3</bdi>", page)


@pytest.mark.parametrize(
    ("paths", "names", "folder"),
    [
        (["/a/b/1.mp3", "/a/c/2.mp3"], ["b/1.mp3", "c/2.mp3"], "/a"),
        (["/1.mp3", "/c/2.mp3"], ["1.mp3", "c/2.mp3"], "/"),
        (["//a/b/1.mp3", "//a/c/2.mp3"], ["b/1.mp3", "c/2.mp3"], "/a"),
        (["../a/1.mp3", "../b/2.mp3"], ["a/1.mp3", "b/2.mp3"], ".."),
        (["1.mp3", "c/2.mp3"], ["1.mp3", "c/2.mp3"], None),
        (["/a/1.mp3", "c/2.mp3"], ["/a/1.mp3", "c/2.mp3"], None),
    ],
)
def test_clips_are_named_below_their_common_folder(paths, names, folder):
    page = classification_report_html(["a", "b"], ["b", "a"], paths=paths)
    for name in names:
        assert f'<li class="clip"><bdi>{name}</bdi>' in page
    assert ("Clips are named by their path below" in page) == (folder is not None)
    assert folder is None or f"<code><bdi>{folder}</bdi></code>" in page


def test_no_prediction_at_all():
    given = predictions(20)
    given["y_pred"] = np.full(20, "unknown")
    page = Text(classification_report_html(**given, unknown="unknown")).text
    assert "Calibration: left out, because no clip has a prediction" in page


@pytest.mark.slow
def test_the_page_does_not_grow_with_the_clips():
    genres = [f"genre {i}" for i in range(150)]
    page = classification_report_html(**predictions(100_000, genres))
    assert len(page) < 600_000
    assert "126 rarer genres" in page
    assert re.search(r"Shown are \d+ of [\d,]+ wrong predictions", page)
    small = classification_report_html(**predictions(1000))
    assert len(classification_report_html(**predictions(100_000))) < 1.5 * len(small)


def test_hostile_text_is_only_text(full_page):
    page = full_page.read_bytes().decode("utf-8")  # it can be written at all
    parsed = Text(page)
    assert not {"script", "img"} & set(parsed.tags)
    assert "{{ 7 * 7 }}" in parsed.text
    assert r"no\udcff utf-8.mp3" in parsed.text
    assert r"turned \u202e3pm" in parsed.text
    assert r"音楽\x1b[31m" in parsed.text


def test_a_page_is_the_same_each_time_and_takes_any_container():
    given = predictions(60)
    page = classification_report_html(**given)
    frame = pd.DataFrame({key: given[key] for key in ("y_true", "y_pred", "groups")})
    given |= {key: frame[key] for key in frame}
    given["paths"] = [Path(path) for path in given["paths"]]
    assert classification_report_html(**given) == page


def test_albums_group_errors():
    given = predictions(40)
    given["albums"] = [f"Album {i % 3}" if i > 10 else np.nan for i in range(40)]
    page = classification_report_html(**given)
    assert re.search(r"Album [012] \d+ of \d+ clips wrong", Text(page).text)
    assert ">nan<" not in page
    series = pd.Series(given["albums"], dtype="string")  # with pandas.NA
    assert classification_report_html(**given | {"albums": series}) == page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_true": []}, "no clips"),
        ({"y_pred": ["classical"]}, "inconsistent"),
        ({"groups": [1, 2]}, "inconsistent"),
        ({"paths": ["a"]}, "inconsistent"),
        ({"paths": [3.5] * 40}, "paths must be names of files, got 3.5 in row 0"),
        ({"albums": ["a"]}, "inconsistent"),
        ({"labels": GENRES[:3]}, r"y_true has genres that are not .*\['rock'\]"),
        ({"labels": ["rock", "rock"]}, "each once"),
        ({"unknown": "rock"}, "unknown='rock' is one of the labels"),
        ({"y_pred": ["unknown"] * 40}, r"y_pred has genres .*\['unknown'\]"),
        ({"y_proba": np.ones((40, 3)) / 3}, r"\(40, 4\), got \(40, 3\)"),
        ({"y_proba": np.ones((40, 4))}, "row 0 is"),
        ({"y_proba": np.full((40, 4), np.nan)}, "y_proba contains NaN"),
        ({"title": None}, "'title' parameter"),
        ({"model_names": ["one"]}, "names of two models"),
    ],
)
def test_what_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        classification_report_html(**predictions(40) | change)


def test_writing_is_whole_or_not_at_all(tmp_path):
    path = tmp_path / "report.html"
    page = classification_report_html(["a"], ["a"], path=path)
    assert path.read_text(encoding="utf-8") == page
    with pytest.raises(ValueError, match="no clips"):
        classification_report_html([], [], path=path)
    assert path.read_text(encoding="utf-8") == page
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        classification_report_html(["a"], ["a"], path=tmp_path / "no" / "page.html")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


@needs_chromium
@pytest.mark.parametrize("width", [360, 1200])
def test_it_loads_nothing_says_nothing_and_fits(browser, full_page, width):
    browser.open(full_page, width=width)
    size = browser.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert size == [width, width]
    requests = [
        event["params"]["request"]["url"]
        for event in browser.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert requests == [full_page.as_uri()]
    said = {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"}
    assert [event for event in browser.events if event["method"] in said] == []
    assert browser.evaluate("window.attacked") is None
    # The style is applied: its hash is the one that the policy allows.
    assert browser.evaluate("getComputedStyle(document.body).marginTop") == "0px"


# Of every text its contrast (WCAG 2.2) to the nearest background that is not clear;
# colours of any notation are read off a canvas.
CONTRASTS = """(() => {
  const context = document.createElement("canvas").getContext("2d",
    {willReadFrequently: true});
  const rgba = color => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color; context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || ["title", "desc"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const isSvg = element instanceof SVGElement;
    const front = luminance(rgba(isSvg ? style.fill : style.color));
    let behind = element;
    while (rgba(getComputedStyle(behind).backgroundColor)[3] < 255)
      behind = behind.parentElement;
    const back = luminance(rgba(getComputedStyle(behind).backgroundColor));
    found.push([(Math.max(front, back) + .05) / (Math.min(front, back) + .05), text]);
  }
  return found.sort((a, b) => a[0] - b[0]);
})()"""


@needs_chromium
def test_text_is_legible_in_both_themes(browser, full_page):
    backgrounds = []
    for scheme in ("light", "dark"):
        browser.open(full_page, scheme=scheme)
        contrasts = browser.evaluate(CONTRASTS)
        assert len(contrasts) > 200
        assert contrasts[0][0] >= 4.5, contrasts[:5]
        backgrounds.append(
            browser.evaluate("getComputedStyle(document.body).backgroundColor")
        )
    assert backgrounds[0] != backgrounds[1]


@needs_chromium
def test_every_shade_of_the_matrix_is_legible(browser, tmp_path):
    """One row for each share, from the faintest to the deepest."""
    genres = np.array([f"genre {i:02}" for i in range(21)])
    y_true = np.repeat(genres, 20)
    y_pred = np.concatenate(
        [np.where(np.arange(20) < i, g, genres[i - 1]) for i, g in enumerate(genres)]
    )
    path = tmp_path / "report.html"
    classification_report_html(y_true, y_pred, path=path)
    for scheme in ("light", "dark"):
        browser.open(path, width=360, scheme=scheme)
        assert browser.evaluate(CONTRASTS)[0][0] >= 4.5
        assert browser.evaluate("document.documentElement.scrollWidth") == 360


@needs_chromium
def test_print_is_light_and_the_matrix_is_all_there(browser, full_page):
    browser.open(full_page, scheme="dark", media="print")
    colour = browser.evaluate("getComputedStyle(document.body).color")
    assert colour == "rgb(24, 33, 44)"
    hidden = browser.evaluate(
        "[...document.querySelectorAll('.scroll')]"
        ".filter(e => getComputedStyle(e).overflowX != 'visible').length"
    )
    assert hidden == 0


@needs_chromium
def test_tables_and_pictures_are_named(browser, full_page):
    browser.open(full_page)
    counts = browser.evaluate(
        "[document.querySelectorAll('table').length,"
        " document.querySelectorAll('table > caption').length,"
        " document.querySelectorAll('th:not([scope])').length,"
        " document.querySelectorAll('svg:not([aria-hidden], [role=img])').length,"
        " document.querySelectorAll('h1').length,"
        " [...document.querySelectorAll('[aria-labelledby]')].filter(e =>"
        "   e.getAttribute('aria-labelledby').split(' ').some(id =>"
        "     !document.getElementById(id))).length,"
        " [...document.querySelectorAll('nav a')].filter(a =>"
        "   !document.getElementById(a.hash.slice(1))).length]"
    )
    assert counts[0] == counts[1] > 3
    assert counts[2:] == [0, 0, 1, 0, 0]
