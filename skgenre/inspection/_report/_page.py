"""The page of a report, rendered from its template."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from numpy.typing import NDArray

from skgenre._text import printable
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
    "confusion": "Confusion",
    "pairs": "Confused genres",
    "errors": "Confident errors",
    "calibration": "Calibration",
    "comparison": "Comparison",
    "method": "Method",
}
_ALWAYS_THERE = ("accuracy", "confusion", "method")


def render(**contents: Any) -> str:
    """Return the page with these contents, all of which are escaped."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    sections = [
        (anchor, text)
        for anchor, text in _SECTIONS.items()
        if anchor in _ALWAYS_THERE or contents[anchor]
    ]
    page = (
        _environment()
        .get_template("_template.html")
        .render(
            **contents,
            # Our own file, and its digest in Base64.
            style=Markup(style),  # nosec B704
            style_hash=Markup(digest),  # nosec B704
            sections=sections,
            version=__version__,
            n_examples=N_EXAMPLES,
            n_of_album=N_OF_ALBUM,
        )
    )
    return page.strip() + "\n"


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
def _style() -> str:
    css = (files(_PACKAGE) / "_style.css").read_text(encoding="utf-8")
    step = 100 // N_SHADES
    # By classes: attributes of style would need a laxer policy of contents.
    return css + "".join(f".s{i}{{--shade:{step * i}%}}" for i in range(N_SHADES + 1))


def _shown(value: Any) -> Any:
    """Return text that prints and is not too long; other values as they are."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    text = printable(value)
    if len(text) <= _LONGEST:
        return text
    # The end of a path names the file.
    return f"{text[: _LONGEST // 2]}…{text[-(_LONGEST // 2) + 1 :]}"


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
