"""The steps, the mel step and the network in a fitted estimator."""

from typing import Any

from sklearn.utils.validation import check_is_fitted

from skgenre._estimators import describe_estimator, nested, split_last_step
from skgenre.classifiers import BaseGenreClassifier
from skgenre.features import MelSpectrogramTransformer
from skgenre.pipelines import THROUGH


def split_model(estimator: Any) -> tuple[list[Any], Any]:
    """Return the steps that clips go through first, and the estimator they end in."""
    return split_last_step(estimator, through=THROUGH)


def mel_step(estimator: Any) -> MelSpectrogramTransformer | None:
    """Return the mel step that an estimator is or begins with, if there is one."""
    front, last = split_model(estimator)
    mels = (s for s in [*front, last] if isinstance(s, MelSpectrogramTransformer))
    return next(mels, None)


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
    networks = (e for e in nested(estimator) if isinstance(e, BaseGenreClassifier))
    network = next(networks, None)
    if network is None:
        raise ValueError(
            "A fitted network is needed (CRNNClassifier, ParallelCNNRNNClassifier, "
            "SecondOrderClassifier, KerasGenreClassifier), or a Pipeline, "
            "SegmentClassifier, AbstainingClassifier or search that holds one. Got "
            f"{describe_estimator(estimator)}."
        )
    check_is_fitted(network)
    return network
