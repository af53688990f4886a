"""How many times larger the data of a prediction gets than what it is given."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from skgenre._estimators import parts
from skgenre.persistence._classes import CLASSES
from skgenre.persistence._classes._savable import MAX_FEATURES, N_FEATURES
from skgenre.persistence._kinds import require

# A step that repeats its columns takes 30 bytes of a file, and each step multiplies
# what those before have made.
_MAX_GROWTH = 256
_MAX_LETTERS = 2**28  # in the names of all columns


def check_growth(model: Any) -> None:
    """Refuse a model whose steps multiply what they are given.

    Raises
    ------
    ValueError
        If a prediction would compute with more than 256 times as many values as it is
        given, or make names of too many columns or too many letters, or if windows are
        cut into windows.
    """
    growth = _growth(model, {})
    require(growth <= _MAX_GROWTH, f"its steps repeat values {growth:.0f} times")
    width = max(map(_n_columns, parts(model)))
    is_narrow = growth * width <= MAX_FEATURES
    require(is_narrow, f"its steps repeat {width} columns {growth:.0f} times")
    letters = sum(map(_n_letters, parts(model)))
    is_short = growth * width * letters <= _MAX_LETTERS
    require(is_short, f"its steps put {letters} letters before {width} columns' names")


def _n_columns(part: Any) -> int:
    """Return how many columns scikit-learn may make names of; samples are none."""
    known = CLASSES.get(type(part).__name__)
    if known is None or known.fitted.get("n_features_in_") is not N_FEATURES:
        return 1
    return vars(part).get("n_features_in_", 1)


def _n_letters(part: Any) -> int:
    """Return how many letters scikit-learn may put before the name of a column."""
    if type(part).__name__ not in CLASSES:
        return 0
    lists = ("transformer_list", "transformers", "transformers_")
    named = (each for name in lists for each in vars(part).get(name, ()))
    return max((len(name) for name, *_ in named), default=0)


def _growth(part: Any, known: dict[int, float]) -> float:
    """Return the factor for a part of a model and all that is in it, at least 1."""
    if id(part) not in known:
        rule = _RULES.get(type(part).__name__, _largest)
        known[id(part)] = max(1.0, rule(part, known))
    return known[id(part)]


def _largest(part: Any, known: dict[int, float]) -> float:
    inside = (_growth(each, known) for each in _inside(list(vars(part).values())))
    return max(inside, default=1.0)


def _inside(value: Any) -> Iterator[Any]:
    """Yield the nearest parts in a value."""
    if type(value).__name__ in CLASSES:
        yield value
    elif isinstance(value, dict):
        yield from _inside(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _inside(each)


def _of_pipeline(pipeline: Any, known: dict[int, float]) -> float:
    return math.prod(_growth(each, known) for each in _inside(pipeline.steps))


def _of_union(union: Any, known: dict[int, float]) -> float:
    return sum(_of_choice(each, known) for _, each in union.transformer_list)


def _of_choice(choice: Any, known: dict[int, float]) -> float:
    """Return the factor for a part, or for the word that stands in its place."""
    if choice == "drop":
        return 0.0
    return 1.0 if isinstance(choice, str | None) else _growth(choice, known)


def _of_columns(columns: Any, known: dict[int, float]) -> float:
    fitted = vars(columns)
    n = fitted.get("n_features_in_", 0)
    result = 0.0
    for _, each, chosen in fitted.get("transformers_", columns.transformers):
        is_listed = n > 0 and not isinstance(chosen, slice)
        share = np.size(chosen) / n if is_listed else 1.0
        result += share * _of_choice(each, known)
    return result


def _of_windows(segments: Any, known: dict[int, float]) -> float:
    inside = list(vars(segments).values())
    is_nested = any(type(each) is type(segments) for each in parts(inside))
    require(not is_nested, "a SegmentClassifier is in another one")
    return math.ceil(segments.window / segments.hop) * _largest(segments, known)


_RULES = {
    "ColumnTransformer": _of_columns,
    "FeatureUnion": _of_union,
    "Pipeline": _of_pipeline,
    "SegmentClassifier": _of_windows,
}
