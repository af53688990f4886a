"""What a fitted estimator does first, and what it ends with."""

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skgenre.classifiers import (
    AbstainingClassifier,
    BaseGenreClassifier,
    MissingClipClassifier,
)
from skgenre.features import MelSpectrogramTransformer


def unwrap(estimator: Any) -> tuple[list[Any], Any]:
    """Take an estimator apart: pipelines, searches, classifiers around others.

    Parameters
    ----------
    estimator : estimator
        Fitted, if it is a search, an AbstainingClassifier or a MissingClipClassifier.

    Returns
    -------
    front : list of transformer
        What clips go through first; empty if there is nothing.
    last : estimator
        What they end in.
    """
    front: list[Any] = []
    while True:
        if isinstance(estimator, Pipeline):
            steps = _steps(estimator)
            if not steps:  # it does nothing
                return front, estimator
            front += steps
            estimator = front.pop()
        elif isinstance(estimator, AbstainingClassifier | MissingClipClassifier):
            estimator = getattr(estimator, "estimator_", estimator.estimator)
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return front, estimator


def _steps(pipeline: Pipeline) -> list[Any]:
    """Return the steps that do something, those of inner pipelines, too."""
    steps: list[Any] = []
    for _, step in pipeline.steps:
        if isinstance(step, Pipeline):
            steps += _steps(step)
        elif step is not None and step != "passthrough":
            steps.append(step)
    return steps


def run(transformers: list[Any], X: Any) -> Any:
    """Return what transformers make of X, one after the other."""
    for transformer in transformers:
        X = transformer.transform(X)
    return X


def mel_step(estimator: Any) -> MelSpectrogramTransformer | None:
    """Return the mel step that an estimator is or begins with, if there is one."""
    front, last = unwrap(estimator)
    steps = [*front, last]
    return next((s for s in steps if isinstance(s, MelSpectrogramTransformer)), None)


def find_network(estimator: Any) -> BaseGenreClassifier:
    """Return the fitted network that an estimator is or holds.

    Parameters
    ----------
    estimator : estimator
        Fitted network, a Pipeline with one among its steps (of several, the last), or
        what holds a fitted one as `estimator_` or `best_estimator_`: a
        SegmentClassifier, an AbstainingClassifier, a search.

    Returns
    -------
    BaseGenreClassifier
        The network itself, no copy.

    Raises
    ------
    ValueError
        If there is none.
    """
    check_is_fitted(estimator)
    network = _network_in(estimator)
    if network is None:
        raise ValueError(
            "A fitted network is needed (CRNNClassifier, ParallelCNNRNNClassifier, "
            "SecondOrderClassifier), or a Pipeline, SegmentClassifier, "
            "AbstainingClassifier or search that holds one. Got "
            f"{_description(estimator)}."
        )
    check_is_fitted(network)
    return network


def _network_in(estimator: Any) -> BaseGenreClassifier | None:
    if isinstance(estimator, BaseGenreClassifier):
        return estimator
    if isinstance(estimator, Pipeline):
        inner = [step for _, step in reversed(estimator.steps)]
    else:
        names = ("estimator_", "best_estimator_")
        inner = [getattr(estimator, name, None) for name in names]
    found = (_network_in(step) for step in inner if hasattr(step, "get_params"))
    return next((network for network in found if network is not None), None)


def _description(estimator: Any) -> str:
    name = type(estimator).__name__
    if isinstance(estimator, Pipeline):
        return f"{name} of {', '.join(type(s).__name__ for _, s in estimator.steps)}"
    for attribute in ("estimator_", "best_estimator_"):
        if hasattr(estimator, attribute):
            return f"{name} of {_description(getattr(estimator, attribute))}"
    return name
