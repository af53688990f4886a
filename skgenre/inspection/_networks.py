"""The network inside a fitted estimator."""

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skgenre.classifiers import BaseGenreClassifier


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
