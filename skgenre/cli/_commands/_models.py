"""The pipelines that ``--model`` names, as the command line trains them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

from skgenre.classifiers import BaseGenreClassifier
from skgenre.features._pretrained._musicnn_weights import has_weights
from skgenre.pipelines import genre_pipeline


def best_installed() -> str:
    """Return the name of the best pipeline that can be used here."""
    return "best" if has_weights() else "fast"


def model_to_train(
    name: str,
    *,
    epochs: int | None,
    checkpoint_dir: Path | None,
    seed: int,
    n_jobs: int,
    progress: bool,
) -> Pipeline:
    """Return the pipeline; a network prints a line for each epoch.

    Raises
    ------
    ValueError
        If `epochs` or `checkpoint_dir` is given for a pipeline that has no network to
        train.
    """
    pipeline = genre_pipeline(name, n_jobs=n_jobs, random_state=seed, verbose=progress)
    classifier = pipeline[-1]
    if isinstance(classifier, BaseGenreClassifier):
        classifier.set_params(verbose=2, checkpoint_dir=checkpoint_dir)
        if epochs is not None:
            classifier.set_params(epochs=epochs)
        return pipeline
    for option, value in (("epochs", epochs), ("checkpoint-dir", checkpoint_dir)):
        if value is not None:
            raise ValueError(
                f"--{option} is for networks, and --model {name} trains none. Leave it "
                "out, or choose --model scratch or paper."
            )
    return pipeline


def fit_folds(model: Pipeline, target: NDArray) -> None:
    """Calibrate in fewer folds where the smallest genre has fewer clips."""
    classifier = model[-1]
    if not isinstance(classifier, CalibratedClassifierCV):
        return
    genres, counts = np.unique(target, return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            f"Genre {str(genres[counts.argmin()])!r} has 1 clip to train on; "
            "calibrated probabilities need at least 2 of each. Add clips, or choose "
            "--model scratch."
        )
    classifier.set_params(cv=int(min(classifier.cv, counts.min())))
