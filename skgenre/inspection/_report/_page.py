"""Pages, rendered from their templates."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from numpy.typing import NDArray

from skgenre._text import printable, shorten
from skgenre._version import __version__
from skgenre.inspection._report._clips import N_EXAMPLES, N_OF_ALBUM
from skgenre.inspection._report._figures import N_SHADES

_PACKAGE = "skgenre.inspection._report"
_LONGEST = 300
_DASH = Markup("&ndash;")
_MINUS = Markup("&minus;")
_SECTIONS = {
    "accuracy": "Accuracy",
    "genres": "Genres",
    "tree": "Tree",
    "confusion": "Confusion",
    "pairs": "Confused genres",
    "errors": "Confident errors",
    "calibration": "Calibration",
    "comparison": "Comparison",
    "method": "Method",
}
_ALWAYS_THERE = ("accuracy", "confusion", "method")


def render(**contents: Any) -> str:
    """Return the page of a report with these contents."""
    return render_page(
        "_template.html",
        style=report_style(),
        sections=[
            (anchor, text)
            for anchor, text in _SECTIONS.items()
            if anchor in _ALWAYS_THERE or contents[anchor]
        ],
        n_examples=N_EXAMPLES,
        n_of_album=N_OF_ALBUM,
        **contents,
    )


def render_page(
    template: str, *, style: str, script: str | None = None, **contents: Any
) -> str:
    """Return a page from a template of this package.

    Parameters
    ----------
    template : str
        Name of its file.
    style : str
        Its style sheet.
    script : str or None, default=None
        Name of the file of its script.
    **contents : dict
        What the template shows; all of it is escaped.
    """
    code = read_text(script) if script else ""
    page = (
        _environment()
        .get_template(template)
        .render(
            **contents,
            # Our own files, and their digests in Base64.
            style=Markup(style),  # nosec B704
            style_hash=digest(style),
            script=Markup(code),  # nosec B704
            script_hash=digest(code),
            version=__version__,
        )
    )
    return page.strip() + "\n"


def digest(text: str) -> Markup:
    """Return what a policy of contents knows a style or a script by."""
    found = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(found)  # nosec B704


def read_text(name: str) -> str:
    """Return the text of a file of this package."""
    return (files(_PACKAGE) / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE, ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": _percent,
        "limits": _limits,
        "points": _points,
        "p_value": _p_value,
        "number": _number,
        "count": _count,
        "whole": _whole,
    }
    return environment


@cache
def report_style() -> str:
    """Return the style sheet of reports."""
    css = read_text("_style.css")
    step = 100 // N_SHADES
    # By classes: attributes of style would need a laxer policy of contents.
    return css + "".join(f".s{i}{{--shade:{step * i}%}}" for i in range(N_SHADES + 1))


def _shown(value: Any) -> Any:
    """Return text that prints and is not too long; other values as they are."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return shorten(printable(value), _LONGEST)


def _whole(text: str) -> Markup:
    """Return text that prints, however long."""
    return escape(printable(text))


def _percent(share: float, decimals: int = 0) -> Markup:
    if share != share:
        return _DASH
    return Markup("{:.{}f}&nbsp;%").format(100 * share, decimals)


def _limits(limits: NDArray, decimals: int = 0) -> Markup | str:
    """Return the interval, or nothing where it has no width."""
    low, high = 100 * np.asarray(limits)
    if not high > low:
        return ""
    if not decimals:
        return Markup("{:.0f}&ndash;{:.0f}").format(low, high)
    return Markup("{:.{}f} to {:.{}f}&nbsp;%").format(low, decimals, high, decimals)


def _points(difference: float) -> Markup:
    sign = _MINUS if difference < 0 else Markup("+")
    return sign + f"{100 * abs(difference):.1f}"


def _p_value(value: float) -> str:
    if value < 0.0001:
        return f"{value:.0e}"
    return f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def _number(value: int) -> str:
    return f"{value:,}"


def _count(value: int, noun: str) -> str:
    return f"{value:,} {noun}" + ("" if value == 1 else "s")
