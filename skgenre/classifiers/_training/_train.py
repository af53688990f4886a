"""One training of a network, from plain data to plain data."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skgenre import networks
from skgenre.classifiers._checks import Rows
from skgenre.classifiers._training._batches import SpectrogramBatches
from skgenre.classifiers._training._callbacks import training_callbacks
from skgenre.classifiers._training._checkpoints import Checkpoints, checkpoint_path
from skgenre.classifiers._training._wrapper import NetworkClassifier
from skgenre.runtime._interrupts import interrupts_wait
from skgenre.runtime._keras import check_process, warn_of_shared_gpu

if TYPE_CHECKING:
    from skgenre.classifiers._base import BaseGenreClassifier
import keras
from keras import ops

ClipRows = tuple[Rows, NDArray, NDArray, NDArray]
"""Spectrograms, genre numbers, weights, and which of the clips are meant."""


@dataclass
class Trained:
    """What is left of a training: arrays and lists."""

    weights: list[NDArray]
    optimizer_state: list[Any]
    history: dict[str, list[float]]


@interrupts_wait()
def train(
    estimator: "BaseGenreClassifier",
    training: ClipRows,
    validation: ClipRows,
    *,
    epochs: int,
    network_seed: int,
    shuffle_seed: int,
    checkpoint_dir: str | os.PathLike | None = None,
) -> Trained:
    """Train the estimator's network; nothing of the estimator is changed.

    Where the estimator has weights already, training goes on from them.

    Parameters
    ----------
    estimator : BaseGenreClassifier
        Its scaling, genres and network parameters are known already.
    training, validation : tuple of ndarray
        Clips to train on, and to validate on, which may be none.
    epochs : int
        Passes over the training clips, at the most.
    network_seed, shuffle_seed : int
        Seeds of the weights and the dropout, and of the order of the clips.
    checkpoint_dir : str, PathLike or None
        Where the state after each epoch is kept, until the training has ended.

    Returns
    -------
    Trained

    Raises
    ------
    ValueError
        If the weights are no longer finite.
    OSError
        If nothing can be written to `checkpoint_dir`.
    """
    warn_of_shared_gpu()
    scaling: dict[str, Any] = {
        "mean": estimator.input_mean_,
        "scale": estimator.input_scale_,
        "batch_size": estimator.batch_size,
    }
    batches = SpectrogramBatches(*training, **scaling, shuffle_seed=shuffle_seed)
    validates = len(validation[-1]) > 0
    callbacks = training_callbacks(
        validates=validates,
        learning_rate=float(estimator.learning_rate),
        epochs=epochs,
        schedule=estimator.learning_rate_schedule,
        plateau_patience=estimator.plateau_patience,
        plateau_factor=estimator.plateau_factor,
        plateau_min_delta=estimator.plateau_min_delta,
        early_stopping_patience=estimator.early_stopping_patience,
    )
    keras_classifier = wrapped_network(
        estimator,
        verbose=int(estimator.verbose),
        callbacks=callbacks,
        model__seed=network_seed,
        **{f"model__{k}": v for k, v in estimator._training_parameters.items()},
    )
    n_done, checkpoints = 0, None
    if checkpoint_dir is not None:
        path = checkpoint_path(
            checkpoint_dir,
            estimator,
            training,
            validation,
            epochs=epochs,
            network_seed=network_seed,
            shuffle_seed=shuffle_seed,
        )
        checkpoints = Checkpoints(path, callbacks, keras_classifier)
        callbacks.append(checkpoints)
        n_done = checkpoints.n_epochs
        for _ in range(n_done):
            batches.on_epoch_end()  # draws the order of the next epoch
    try:
        keras_classifier.fit(
            batches,
            estimator.classes_[training[1]],
            validation_data=(
                SpectrogramBatches(*validation, **scaling) if validates else None
            ),
            initial_epoch=n_done,
            epochs=epochs - n_done,
        )
        trained = Trained(
            keras_classifier.model_.get_weights(),
            [estimator.optimizer, *keras_classifier.optimizer_state()],
            {
                name: [float(value) for value in values]
                for name, values in keras_classifier.history_.items()
            },
        )
    finally:
        keras_classifier.release()
    if checkpoints is not None:
        checkpoints.remove()
    finite = all(np.isfinite(weights).all() for weights in trained.weights)
    if not finite or not np.isfinite(trained.history["loss"]).all():
        raise ValueError(
            "Training diverged: the loss or the weights are no longer finite. Lower "
            f"learning_rate (got {estimator.learning_rate!r}), and look for values "
            "of X that are out of proportion."
        )
    return trained


def _optimizer_state(estimator: "BaseGenreClassifier") -> list[NDArray] | None:
    """Return what the estimator's optimiser remembers, if it is still the same one."""
    name, *state = getattr(estimator, "optimizer_state_", [None])
    return state if name == estimator.optimizer else None


def wrapped_network(
    estimator: "BaseGenreClassifier", **parameters: Any
) -> NetworkClassifier:
    """Return a scikeras classifier for the estimator's network and its weights.

    Parameters
    ----------
    estimator : BaseGenreClassifier
        Its scaling, genres and network parameters are known already.
    **parameters : dict
        More of scikeras's parameters.

    Returns
    -------
    NetworkClassifier
        Neither fitted nor initialised.
    """
    check_process()
    return NetworkClassifier(
        model=getattr(networks, estimator._network),
        loss=loss_function(estimator.label_smoothing),
        compile__weighted_metrics=["accuracy"],
        optimizer=estimator.optimizer,
        optimizer__learning_rate=float(estimator.learning_rate),  # Keras takes no int
        shuffle=False,  # the batches are shuffled clip by clip
        scaling=(estimator.input_mean_, estimator.input_scale_),
        start_weights=getattr(estimator, "weights_", None),
        start_optimizer=_optimizer_state(estimator),
        **{f"model__{k}": v for k, v in estimator.network_parameters_.items()},
        **parameters,
    )


def loss_function(label_smoothing: float) -> "str | SmoothedCrossentropy":
    """Return the loss as `keras.Model.compile` takes it."""
    if label_smoothing:
        return SmoothedCrossentropy(float(label_smoothing))
    return "sparse_categorical_crossentropy"


class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy with a share of each label spread over all genres.

    Keras has label smoothing for one-hot labels only.

    Parameters
    ----------
    label_smoothing : float
        The share, in [0, 1).
    """

    def __init__(self, label_smoothing: float) -> None:
        super().__init__(name="smoothed_crossentropy")
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Compare genre numbers (batch,) with probabilities (batch, n_classes)."""
        probabilities = ops.clip(y_pred, keras.config.epsilon(), 1.0)
        spread = -ops.mean(ops.log(probabilities), axis=-1)
        labelled = keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
        return (1 - self.label_smoothing) * labelled + self.label_smoothing * spread

    def __repr__(self) -> str:
        """Name all that the loss depends on: networks are kept under this name."""
        return f"{type(self).__name__}({self.label_smoothing!r})"
