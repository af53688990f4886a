"""Links: what a name in backticks is, and that no link is dead or loads anything."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.ext.intersphinx import InventoryAdapter, resolve_reference_any_inventory

MODULES = (
    "audio",
    "networks",
    "features",
    "datasets",
    "classifiers",
    "clustering",
    "pipelines",
    "persistence",
    "inspection",
)


def _resolve(app, env, node, contnode):
    """Resolve references that Sphinx couldn't.

    Names are documented in their modules, but `skgenre.CRNNClassifier` is a link, too,
    and so is `LogisticRegression`. What is left in backticks are parameters and values:
    code, and no link. Docstrings inherited from scikit-learn refer to its own guide:
    these references become plain text.
    """
    target, page = node.get("reftarget", ""), node.get("refdoc", "")
    if node.get("refdomain") == "std" and page.startswith("api/generated/"):
        return contnode
    if node.get("refdomain") != "py":
        return None
    name = target.rsplit(".", 1)[-1]
    for module in MODULES:
        documented = f"skgenre.{module}.{name}"
        link = documented != target and env.get_domain("py").resolve_xref(
            env, page, app.builder, "obj", documented, node, contnode
        )
        if link:
            return link
    if node["reftype"] != "obj":
        return None
    if full_name := _of_scikit_learn(env).get(target):
        node["reftarget"] = full_name
        return resolve_reference_any_inventory(env, False, node, contnode)
    return nodes.literal("", contnode.astext())


def _of_scikit_learn(env):
    """Return the full names of scikit-learn's classes and functions by the last part.

    Those of one word are left out, which might be parameters.
    """
    inventory = InventoryAdapter(env).named_inventory["sklearn"]
    names = [*inventory["py:class"], *inventory["py:function"]]
    last = {name.rsplit(".", 1)[-1]: name for name in sorted(names, reverse=True)}
    return {
        short: name
        for short, name in last.items()
        if short[1:] and (short[0].isupper() or "_" in short)
    }


LOADED = re.compile(
    r"<(?:audio|iframe|img|script|source|video)[^>]* src=.(?:https?:)?//[^>]*>"
    r"|<link[^>]* rel=.(?:icon|preload|stylesheet)[^>]* href=.(?:https?:)?//[^>]*>"
)


def _check_that_nothing_is_fetched(app, exception):
    """Raise an error if a page would load something from another place."""
    if exception is not None or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        if found := LOADED.search(page.read_text(encoding="utf-8")):
            raise ExtensionError(f"{page} loads {found[0]}")


class _Page(HTMLParser):
    """The places of a page that links may lead to, and its own links."""

    def __init__(self, path):
        super().__init__()
        self.places, self.links = set(), set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.places.add(value)
            elif name in ("href", "src") and value:
                self.links.add(value)


def _check_links(app, exception):
    """Raise an error that names the links to files and places that don't exist."""
    if exception is not None or app.builder.format != "html":
        return
    root = Path(app.outdir).resolve()
    pages = {
        path: _Page(path)
        for path in root.rglob("*.html")
        if "_static" not in path.parts  # the theme's templates
    }
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target, place = path, unquote(parts.fragment)
            if parts.path:
                target = (path.parent / unquote(parts.path)).resolve()
            is_there = target.exists()
            if place and target in pages:
                is_there = place in pages[target].places
            if not is_there:
                dead.append(f"{path.relative_to(root)}: {link}")
    if dead:
        raise ExtensionError("Links that lead nowhere:\n" + "\n".join(sorted(dead)))


def setup(app):
    app.connect("missing-reference", _resolve, priority=900)  # after intersphinx
    app.connect("build-finished", _check_that_nothing_is_fetched, priority=900)
    app.connect("build-finished", _check_links, priority=900)
    return {"parallel_read_safe": True}
