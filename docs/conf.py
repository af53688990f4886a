"""Configuration of the documentation."""

import os
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# An example links to the halving search, which exists only after this import; the
# example itself is not run when the gallery is built without running it.
from sklearn.experimental import enable_halving_search_cv  # noqa: F401

import skgenre

project = "skgenre"
author = "The skgenre developers"
copyright = "The skgenre developers"
version = release = skgenre.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]
default_role = "py:obj"

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say the types
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False  # the templates list the methods

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "/plot_",
    "doc_module": "skgenre",
    "reference_url": {"skgenre": None},
    "backreferences_dir": "api/generated/backreferences",
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
}

html_static_path = ["_static"]
html_theme = "pydata_sphinx_theme"
html_title = f"skgenre {release}"
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"install": [], "changelog": []}
html_show_sourcelink = False

# Figures are collected, not shown.
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")


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

    Names are documented in their modules, but `skgenre.CRNNClassifier` is a link, too.
    Docstrings inherited from scikit-learn refer to its own guide: these references
    become plain text.
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
    return None


def setup(app):
    app.connect("missing-reference", _resolve)
