"""Configuration of the documentation."""

import os
import sys
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# An example links to the halving search, which exists only after this import; the
# example itself is not run when the gallery is built without running it.
from sklearn.experimental import enable_halving_search_cv  # noqa: F401

import skgenre

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "_extensions"))

project = "skgenre"
author = "The skgenre developers"
copyright = "The skgenre developers"
# "dev" where the pages are not those of a release.
version = release = os.environ.get("SKGENRE_DOCS_VERSION", skgenre.__version__)

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "formulas",
    "links",
    "signatures",
]
exclude_patterns = ["_build", "_inventories", "_templates"]
templates_path = ["_templates"]
default_role = "py:obj"

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say the types
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False  # the templates list the methods

# Kept here, so that nothing is fetched: _inventories/README.md.
intersphinx_mapping = {
    "python": ("https://docs.python.org/3", "_inventories/python.inv"),
    "sklearn": ("https://scikit-learn.org/stable", "_inventories/scikit-learn.inv"),
    "pandas": ("https://pandas.pydata.org/docs", "_inventories/pandas.inv"),
    "joblib": ("https://joblib.readthedocs.io/en/stable", "_inventories/joblib.inv"),
}

# A name that is a link has to lead somewhere.
nitpicky = True
# Python's docstrings of dictionaries, which are taken for types.
nitpick_ignore_regex = [("py:class", ".* view on D's (items|keys|values)")]

# Links to other sites: python -m sphinx -b linkcheck (CONTRIBUTING.md).
linkcheck_timeout = 30
linkcheck_retries = 3
linkcheck_ignore = [
    r"https://os\.unil\.cloud\.switch\.ch/fma/",  # has files to fetch, and no page
]

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 120)]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "/plot_",
    "doc_module": "skgenre",
    "reference_url": {"skgenre": None},
    "backreferences_dir": "api/generated/backreferences",
    "capture_repr": ("_repr_html_",),  # players, but no "Text(0.5, 1, ...)"
    "show_memory": False,
    "write_computation_times": False,  # a page that loads scripts from elsewhere
    "show_signature": False,
    "download_all_examples": False,
}

# Else the list beside a page repeats the class, and the names of methods are cut off.
toc_object_entries_show_parents = "hide"
html_static_path = ["_static"]
html_math_renderer = "mathtext"  # formulas.py
html_css_files = ["skgenre.css"]
html_theme = "pydata_sphinx_theme"
html_title = f"skgenre {release}"
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
# Where the site with a folder for each version is, such as "/skgenre/": versions.py.
if site := os.environ.get("SKGENRE_DOCS_SITE"):
    html_theme_options |= {
        "logo": {"text": project},
        "switcher": {"json_url": f"{site}versions.json", "version_match": version},
        "check_switcher": False,  # it is written after the pages
        "show_version_warning_banner": True,
        "navbar_start": ["navbar-logo", "version-switcher"],
    }
# Pages without others below them have nothing to list at their side.
ALONE = ("changelog", "citing", "faq", "glossary", "install", "performance/index")
html_sidebars = dict.fromkeys([*ALONE, "reliability", "threat_model"], [])
html_show_sourcelink = False

# Figures are collected, not shown.
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
