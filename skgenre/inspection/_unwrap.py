"""What a fitted estimator does first, and what it ends with."""

from typing import Any

from sklearn.pipeline import Pipeline

from skgenre.classifiers import AbstainingClassifier, MissingClipClassifier
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
