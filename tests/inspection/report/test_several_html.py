import re

import numpy as np
import pytest

from skgenre.inspection import hierarchical_scores, multilabel_report_html

NAMES = ["folk", "<b>jazz</b>", "rock"]
TRUE = [("folk",), ("folk", "rock"), ("<b>jazz</b>",), ("rock",)]
PROBA = np.array([[0.9, 0.1, 0.6], [0.2, 0.8, 0.7], [0.1, 0.9, 0.3], [0.4, 0.3, 0.35]])
PREDICTED = PROBA > 0.5


def page(**more):
    return multilabel_report_html(TRUE, PROBA, PREDICTED, labels=NAMES, **more)


def test_page_shows_scores_genres_and_clips(tmp_path):
    text = page(
        groups=["Ann", "Bo", "Bo", "Cy"],
        paths=[f"/music/{i}.mp3" for i in range(4)],
        title="Four songs",
        notes=["A note."],
        path=tmp_path / "page.html",
    )
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == text
    assert "<title>Four songs</title>" in text
    assert "4 clips of 3 artists, 3 genres; 1.2 genres a clip" in text
    assert "77.1&nbsp;%" in text  # the mean of 1, (2 / 3 + 1 / 2) / 2, 1 and 1 / 2
    assert "A note." in text
    assert "<b>jazz</b>" not in text
    assert "&lt;b&gt;jazz" in text
    assert re.findall(r"clip\"><bdi>(\d)\.mp3", text) == ["3", "1"]  # worst first
    assert "script" not in text.replace("description", "")


def test_scores_in_a_tree_are_beside_the_others():
    lists = [[NAMES[i] for i in np.flatnonzero(row)] for row in PREDICTED]
    text = page(hierarchical=hierarchical_scores(TRUE, lists, {"rock": "loud"}))
    assert "In the tree of genres" in text and '<a href="#tree">' in text
    assert "In the tree of genres" not in page()


def test_files_and_artists_may_be_unknown():
    text = page()
    assert "row 1" in text
    assert "Artists are not known" in text


def test_what_is_refused():
    with pytest.raises(ValueError, match="y_true has genres"):
        multilabel_report_html([("ska",)], PROBA[:1], PREDICTED[:1], labels=NAMES)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        page(groups=["Ann"])
