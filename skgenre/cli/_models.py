"""The pipelines that ``--model`` names."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC

from skgenre.classifiers import CRNNClassifier, ParallelCNNRNNClassifier
from skgenre.features import MelSpectrogramTransformer, MFCCStandardizer

# As much of a long song as the mel step takes of it: 640 frames of 1,024 samples.
_MFCC_SECONDS = 30.0


def _crnn(mel: dict[str, Any], network: dict[str, Any]) -> Pipeline:
    return make_pipeline(
        MelSpectrogramTransformer(**mel),
        CRNNClassifier(**network),
    )


def _parallel(mel: dict[str, Any], network: dict[str, Any]) -> Pipeline:
    return make_pipeline(
        MelSpectrogramTransformer(**mel),
        ParallelCNNRNNClassifier(**network),
    )


def _ensemble(mel: dict[str, Any], network: dict[str, Any]) -> Pipeline:
    networks = [
        ("crnn", _crnn(mel, network)[-1]),
        ("parallel", _parallel(mel, network)[-1]),
    ]
    return make_pipeline(
        MelSpectrogramTransformer(**mel), VotingClassifier(networks, voting="soft")
    )


def _svc(mel: dict[str, Any], network: dict[str, Any]) -> Pipeline:
    # Calibrated, because an SVC has no probabilities of its own.
    return make_pipeline(
        MFCCStandardizer(
            duration=_MFCC_SECONDS, n_jobs=mel["n_jobs"], verbose=mel["verbose"]
        ),
        CalibratedClassifierCV(SVC(), ensemble=False),
    )


MODELS: dict[str, Callable[[dict[str, Any], dict[str, Any]], Pipeline]] = {
    "crnn": _crnn,
    "parallel": _parallel,
    "svc": _svc,
    "ensemble": _ensemble,
}
"""By name: makes a pipeline from parameters of the mel step and of the networks."""


def fit_folds(model: Pipeline, target: NDArray) -> None:
    """Calibrate in as many folds as the smallest genre has clips, five at the most."""
    if not isinstance(model[-1], CalibratedClassifierCV):
        return
    genres, counts = np.unique(target, return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            f"Genre {str(genres[counts.argmin()])!r} has 1 clip to train on; --model "
            "svc needs at least 2 of each."
        )
    model[-1].set_params(cv=int(min(5, counts.min())))
