"""Taking any estimator apart: its parts, its steps, what its `fit` takes.

Nothing here knows a class of this package.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import sklearn
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


def set_in_parts(model: Any, where: Callable[[Any], bool], **values: Any) -> None:
    """Set parameters of those estimators in a model that have them.

    Parameters
    ----------
    model : estimator
        Fitted or not. Estimators that were fitted as copies are reached, too.
    where : callable
        Whether an estimator is meant.
    **values : object
        Parameters and their values.
    """
    for part in list(parts(model)):
        if hasattr(part, "get_params") and where(part):
            own = part.get_params(deep=False)
            part.set_params(**{k: v for k, v in values.items() if k in own})


def fitted_inside(estimator: Any) -> Any | None:
    """Return the fitted estimator that a search or a meta-estimator holds, or None."""
    for name in ("best_estimator_", "estimator_"):
        inner = getattr(estimator, name, None)
        if hasattr(inner, "get_params"):
            return inner
    return None


def steps(estimator: Any) -> list[Any]:
    """Return a pipeline's steps that do something, those of inner pipelines, too.

    Any other estimator is its own only step.
    """
    if isinstance(estimator, Pipeline):
        return [step for _, inner in estimator.steps for step in steps(inner)]
    is_nothing = estimator is None or isinstance(estimator, str)  # "passthrough"
    return [] if is_nothing else [estimator]


def split_last_step(
    estimator: Any, *, through: tuple[Any, ...] = ()
) -> tuple[list[Any], Any]:
    """Return the steps that clips go through first, and the estimator they end in.

    Parameters
    ----------
    estimator : estimator
        Pipelines are taken apart, and of a fitted search its best estimator.
    through : tuple of type, default=()
        Classes around an estimator that is meant instead: the fitted one, `estimator_`,
        where there is one, else `estimator`.

    Returns
    -------
    front : list of transformer
        Empty if there is nothing in front.
    last : estimator
        A pipeline itself if it has no step that does something.
    """
    front: list[Any] = []
    while True:
        if isinstance(estimator, Pipeline) and steps(estimator):
            *before, estimator = steps(estimator)
            front += before
        elif isinstance(estimator, through):
            estimator = getattr(estimator, "estimator_", estimator.estimator)
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return front, estimator


def apply_steps(transformers: list[Any], X: Any) -> Any:
    """Return what transformers make of X, one after the other."""
    for transformer in transformers:
        X = transformer.transform(X)
    return X


def nested(estimator: Any) -> Iterator[Any]:
    """Yield an estimator and the fitted ones in it, depth first, last steps first."""
    yield estimator
    if isinstance(estimator, Pipeline):
        for step in reversed(steps(estimator)):
            yield from nested(step)
    elif (inner := fitted_inside(estimator)) is not None:
        yield from nested(inner)


def describe_estimator(estimator: Any) -> str:
    """Return an estimator's class with those inside, as error messages name it."""
    name = type(estimator).__name__
    if isinstance(estimator, Pipeline):
        return f"{name} of {', '.join(type(s).__name__ for _, s in estimator.steps)}"
    inner = fitted_inside(estimator)
    return name if inner is None else f"{name} of {describe_estimator(inner)}"


def takes_three_axes(estimator: Any) -> bool:
    """Return whether an estimator is for spectrograms rather than for tables.

    In a pipeline the first step decides; in a vote, a search or a calibration, which
    hand on what they are given, the estimators inside.
    """
    if get_tags(estimator).input_tags.three_d_array:
        return True
    if isinstance(estimator, Pipeline):
        fitting = [step for _, step in estimator.steps if hasattr(step, "fit")]
        return bool(fitting) and takes_three_axes(fitting[0])
    members = getattr(estimator, "estimators", None)
    if isinstance(members, list):
        return any(takes_three_axes(step) for _, step in members if step != "drop")
    inner = getattr(estimator, "estimator", None)
    return hasattr(inner, "fit") and takes_three_axes(inner)


def fit_takes(estimator: Any, parameter: str) -> bool:
    """Return whether `fit` has a parameter; in a pipeline, that of its last step."""
    if isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return has_fit_parameter(estimator, parameter)


def fit_with_groups(estimator: Any, X: Any, y: Any, groups: Any | None) -> None:
    """Fit an estimator, with the groups of the rows if it takes and has them."""
    with sklearn.config_context(enable_metadata_routing=True):
        wanted = estimator.get_metadata_routing().consumes("fit", ["groups"])
        named = {"groups": groups} if wanted and groups is not None else {}
        estimator.fit(X, y, **named)
