"""Taking any estimator apart: its parts, its steps, what its `fit` takes."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter


def parts(model: Any) -> Iterator[Any]:
    """Yield a model and every object in it, each once."""
    seen: set[int] = set()
    rest: list[Any] = [model]
    while rest:
        part = rest.pop()
        if id(part) in seen or isinstance(part, type):
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, Mapping):
            rest += part.values()
        elif isinstance(part, list | tuple | set):
            rest += part
        elif isinstance(part, np.ndarray) and part.dtype == object:
            rest += part.ravel().tolist()
        elif type(part).__module__.startswith(("sklearn.", "skgenre.")):
            rest += getattr(part, "__dict__", {}).values()


def takes_three_axes(estimator: Any) -> bool:
    """Tell whether an estimator is for spectrograms rather than for tables.

    Of a pipeline the first step decides; of a vote, a search or a calibration, which
    hand on what they are given, the estimators inside.
    """
    if get_tags(estimator).input_tags.three_d_array:
        return True
    if isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps if hasattr(step, "fit")]
        return bool(steps) and takes_three_axes(steps[0])
    members = getattr(estimator, "estimators", None)
    if isinstance(members, list):
        return any(takes_three_axes(step) for _, step in members if step != "drop")
    inner = getattr(estimator, "estimator", None)
    return hasattr(inner, "fit") and takes_three_axes(inner)


def takes(estimator: Any, parameter: str) -> bool:
    """Tell whether `fit` has a parameter; of a pipeline, that of its last step."""
    if isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return has_fit_parameter(estimator, parameter)
