"""The documentation has figures, no dead links, and versions side by side."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from sphinx.errors import ExtensionError

DOCS = Path(__file__).parents[1] / "docs"
CHAPTERS = sorted(DOCS.glob("user_guide/*.rst"))


@pytest.mark.parametrize("chapter", [each.stem for each in CHAPTERS])
def test_a_chapter_of_the_guide_has_a_figure(chapter):
    text = (DOCS / "user_guide" / f"{chapter}.rst").read_text(encoding="utf-8")
    assert chapter == "index" or ".. plot:: " in text or ".. figure:: " in text


def test_dead_links_are_named(tmp_path):
    check = runpy.run_path(str(DOCS / "_extensions" / "links.py"))["_check_links"]
    app = SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=tmp_path)
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "page.html").write_text('<h1 id="é">x</h1>')
    first = tmp_path / "index.html"
    good = ["#top", "a%20b/page.html#%C3%A9", "https://example.org/none", "a%20b/"]
    first.write_text('<p id="top">' + "".join(f'<a href="{x}">y</a>' for x in good))
    check(app, None)
    dead = ["#none", "a%20b/none.html", "a%20b/page.html#none"]
    first.write_text("".join(f'<a href="{x}">y</a><img src="{x}">' for x in dead))
    with pytest.raises(ExtensionError) as error:
        check(app, None)
    assert str(error.value).splitlines()[1:] == [f"index.html: {x}" for x in dead]


@pytest.mark.parametrize(
    ("folders", "versions", "first"),
    [
        (["dev"], ["dev"], "dev"),
        (["0.10.0", "0.9.1", "dev", "stable"], ["0.10.0", "0.9.1", "dev"], "stable"),
    ],
)
def test_versions_side_by_side(folders, versions, first, tmp_path):
    offer_versions = runpy.run_path(str(DOCS / "versions.py"))["offer_versions"]
    for folder in folders:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "index.html").write_text(f"of {folder}")
    offer_versions(tmp_path, "/skgenre/")
    listed = json.loads((tmp_path / "versions.json").read_text())
    assert [each["version"] for each in listed] == versions
    assert listed[0]["url"] == f"/skgenre/{first}/"
    assert f"url={first}/" in (tmp_path / "index.html").read_text()
    assert (tmp_path / first / "index.html").read_text() == f"of {versions[0]}"
