"""One training of a network, from plain data to plain data.

From top to bottom, this happens when a classifier is fitted:

1. ``BaseGenreClassifier.fit`` checks the data, holds clips out for validation and
   learns the scaling (`_data.py`); ``_learn_weights`` draws the seeds, calls `train`
   and keeps what it returns as fitted attributes.
2. `train` makes batches, callbacks and a wrapped network, runs the epochs, and returns
   weights and history. It runs in a thread of its own, which Ctrl-C can't tear apart.
3. `wrap` gives scikeras's classifier (`_wrapper.py`) the network's function, its
   parameters and the loss. `NetworkClassifier.build` has scikeras build the network,
   and copies its weights into an idle compiled one if an earlier fit has left one.
4. `NetworkClassifier.run_epochs` runs ``keras.Model.fit`` on the batches. After each
   batch, `StopIfInterrupted` looks for Ctrl-C; after an epoch, the callbacks lower the
   learning rate, note the best epoch, and write a checkpoint as often as that takes a
   small part of the time (`_checkpoints.py`).
"""

import math
import os
import sys
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre import networks
from skgenre.classifiers._training._checkpoints import Checkpoints, checkpoint_path
from skgenre.classifiers._training._data import ClipRows, SpectrogramBatches
from skgenre.classifiers._training._wrapper import NetworkClassifier
from skgenre.runtime._keras import (
    check_process,
    check_settings,
    shield_from_interrupts,
    stop_if_interrupted,
    warn_of_shared_gpu,
)

# isort: split
import keras
from keras import ops

RANKING = "label_ranking_precision"
"""What is watched instead of the accuracy where clips may have several genres."""


@dataclass(frozen=True)
class NetworkState:
    """A network and where its training starts, as plain data."""

    name: str
    """Name of the function in `skgenre.networks` that builds the network."""
    parameters: dict[str, Any]
    """Keyword arguments of that function, but for the seed."""
    classes: NDArray
    """The genres, in the order of the network's output."""
    several: bool
    """Whether a clip may have several of them: the output is a sigmoid of each."""
    mean: NDArray
    """Subtracted from each mel band, (n_mels,)."""
    scale: NDArray
    """What each band is then divided by."""
    weights: list[NDArray] | None
    """Where the training begins; None means weights drawn from the seed."""
    optimizer_state: list[NDArray] | None
    """Variables of the optimiser; None means a fresh one."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the classifiers document these parameters."""

    optimizer: str
    learning_rate: float
    learning_rate_schedule: str
    label_smoothing: float
    batch_size: int
    plateau_patience: int | None
    plateau_factor: float
    plateau_min_delta: float
    early_stopping_patience: int | None


@dataclass(frozen=True)
class Trained:
    """The result of a training: arrays and lists."""

    weights: list[NDArray]
    optimizer_state: list[NDArray]
    history: dict[str, list[float]]


@shield_from_interrupts
def train(
    network: NetworkState,
    recipe: Recipe,
    training: ClipRows,
    validation: ClipRows,
    *,
    epochs: int,
    network_seed: int,
    shuffle_seed: int,
    class_weights: NDArray | None = None,
    checkpoint_dir: str | os.PathLike | None = None,
    verbose: int = 0,
) -> Trained:
    """Train a network; return its weights and its history.

    Parameters
    ----------
    network : NetworkState
        The network; it is not changed.
    recipe : Recipe
        Optimiser, loss, batch size and schedule.
    training, validation : ClipRows
        Clips to train on, and to validate on, which may be none.
    epochs : int
        Passes over the training clips, at the most.
    network_seed, shuffle_seed : int
        Seeds of the weights and the dropout, and of the order of the clips.
    class_weights : ndarray of shape (2, n_classes) or None
        Where clips may have several genres, weights in the loss of clips without and
        with each genre.
    checkpoint_dir : str, PathLike or None
        Where the state after epochs is kept, until the training has ended.
    verbose : int
        Keras's.

    Returns
    -------
    Trained

    Raises
    ------
    ValueError
        If the loss or the weights are no longer finite.
    RuntimeError
        If a global setting of Keras would change the training.
    OSError
        If nothing can be written to `checkpoint_dir`.
    """
    check_settings()
    warn_of_shared_gpu()
    scaling: dict[str, Any] = {
        "mean": network.mean,
        "scale": network.scale,
        "batch_size": recipe.batch_size,
    }
    batches = SpectrogramBatches(training, **scaling, shuffle_seed=shuffle_seed)
    held_out = None
    if len(validation.rows):
        held_out = SpectrogramBatches(validation, **scaling)
    metric = RANKING if network.several else "accuracy"
    best_epoch = None if held_out is None else BestEpoch(f"val_{metric}")
    callbacks = training_callbacks(
        recipe, epochs=epochs, best_epoch=best_epoch, metric=metric
    )
    if sys.stdout is None:  # without a console, on which Keras would print
        verbose = 0
    wrapper = wrap(
        network,
        recipe,
        class_weights=class_weights,
        model__seed=network_seed,
        verbose=verbose,
    )
    n_done, checkpoints = 0, None
    if checkpoint_dir is not None:
        seeds = {"network_seed": network_seed, "shuffle_seed": shuffle_seed}
        facts = asdict(recipe) | network.parameters | seeds | {"epochs": epochs}
        arrays = [network.mean, network.scale]
        arrays += [*(network.weights or []), *(network.optimizer_state or [])]
        arrays += [] if class_weights is None else [class_weights]
        path = checkpoint_path(
            checkpoint_dir, network.name, facts, arrays, [training, validation]
        )
        checkpoints = Checkpoints(path, wrapper, callbacks, best_epoch)
        callbacks.append(checkpoints)
        n_done = checkpoints.n_epochs
        for _ in range(n_done):
            batches.reshuffle()
    try:
        wrapper.build(
            network.classes, network.parameters["input_shape"], several=network.several
        )
        wrapper.run_epochs(
            batches, held_out, callbacks, initial_epoch=n_done, epochs=epochs
        )
        trained = Trained(
            [np.asarray(weights) for weights in wrapper.model_.get_weights()],
            wrapper.optimizer_state(),
            {
                name: [float(value) for value in values]
                for name, values in wrapper.history_.items()
            },
        )
    finally:
        wrapper.release()
    if checkpoints is not None:
        stop_if_interrupted()  # the result would be lost, and a checkpoint is not
        checkpoints.remove()
    finite = all(np.isfinite(weights).all() for weights in trained.weights)
    if not finite or not np.isfinite(trained.history["loss"]).all():
        raise ValueError(
            "Training diverged: the loss or the weights are no longer finite. Lower "
            f"learning_rate (got {recipe.learning_rate!r}), and look for values of X "
            "that are out of proportion."
        )
    return trained


def wrap(
    network: NetworkState,
    recipe: Recipe,
    *,
    class_weights: NDArray | None = None,
    **parameters: Any,
) -> NetworkClassifier:
    """Return a scikeras classifier of the network, not built yet.

    Parameters
    ----------
    network : NetworkState
        Its function, parameters, scaling and weights.
    recipe : Recipe
        Its loss and its optimiser.
    class_weights : ndarray of shape (2, n_classes) or None
        As of `train`.
    **parameters : dict
        More of `NetworkClassifier`, such as ``model__seed``.
    """
    check_process()
    loss: Any = loss_function(recipe.label_smoothing)
    metric: Any = "accuracy"
    if network.several:
        loss = SeveralCrossentropy(float(recipe.label_smoothing), class_weights)
        metric = keras.metrics.MeanMetricWrapper(label_ranking_precision, RANKING)
    return NetworkClassifier(
        model=getattr(networks, network.name),
        loss=loss,
        compile__weighted_metrics=[metric],
        optimizer=recipe.optimizer,
        optimizer__learning_rate=float(recipe.learning_rate),  # Keras takes no int
        shuffle=False,  # the batches are shuffled clip by clip
        scaling=(network.mean, network.scale),
        start_weights=network.weights,
        start_optimizer=network.optimizer_state,
        **{f"model__{k}": v for k, v in network.parameters.items()},
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


class SeveralCrossentropy(keras.losses.Loss):
    """Cross-entropy of each genre by itself, its mean over the genres.

    Keras's ``BinaryCrossentropy``, with weights of genres.

    Parameters
    ----------
    label_smoothing : float
        In [0, 1): 0 and 1 are moved towards each other by half as much.
    class_weights : ndarray of shape (2, n_classes) or None
        Weights of clips without and with each genre; None means 1.
    """

    def __init__(self, label_smoothing: float, class_weights: NDArray | None) -> None:
        super().__init__(name="several_crossentropy")
        self.label_smoothing = label_smoothing
        self.class_weights = None if class_weights is None else class_weights.tolist()

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Compare 0 and 1 with probabilities, both (batch, n_classes)."""
        smooth = y_true * (1 - self.label_smoothing) + self.label_smoothing / 2
        losses = keras.ops.binary_crossentropy(smooth, y_pred)
        if self.class_weights is not None:
            without, with_genre = map(ops.convert_to_tensor, self.class_weights)
            losses = losses * ops.where(y_true > 0, with_genre, without)
        return ops.mean(losses, axis=-1)

    def __repr__(self) -> str:
        """Name all that the loss depends on: networks are kept under this name."""
        settings = self.label_smoothing, self.class_weights
        return f"{type(self).__name__}{settings!r}"


def label_ranking_precision(y_true: Any, y_pred: Any) -> Any:
    """Return the label-ranking average precision of each clip, (batch,).

    As scikit-learn's `label_ranking_average_precision_score`: for each genre of a clip,
    the share of its genres among all genres ranked as high; 1 for a clip without any.
    """
    is_above = ops.cast(y_pred[:, None, :] >= y_pred[:, :, None], y_pred.dtype)
    y_true = ops.cast(y_true, y_pred.dtype)
    hits = ops.sum(is_above * y_true[:, None, :], axis=-1)
    shares = y_true * hits / ops.sum(is_above, axis=-1)
    n_true = ops.sum(y_true, axis=-1)
    means = ops.sum(shares, axis=-1) / ops.maximum(n_true, 1)
    return ops.where(n_true > 0, means, ops.ones_like(means))


def training_callbacks(
    recipe: Recipe, *, epochs: int, best_epoch: "BestEpoch | None", metric: str
) -> list[keras.callbacks.Callback]:
    """Return the callbacks of a training, but for its checkpoints.

    Parameters
    ----------
    recipe : Recipe
        Its schedule, plateau and early stopping.
    epochs : int
        Epochs over which a cosine schedule lowers the learning rate to zero.
    best_epoch : BestEpoch or None
        None where there are no clips to validate on. Then the metric in training is
        watched, and the last epoch is kept instead of the best.
    metric : str
        Name of the metric to watch, which is the better the higher.
    """
    monitor = metric if best_epoch is None else best_epoch.monitor
    watched = {"monitor": monitor, "mode": "max"}
    callbacks: list[keras.callbacks.Callback] = [
        StopIfInterrupted(),
        keras.callbacks.TerminateOnNaN(),
    ]
    if recipe.learning_rate_schedule == "cosine":
        start = float(recipe.learning_rate)
        callbacks.append(
            keras.callbacks.LearningRateScheduler(
                lambda epoch, _: start * math.cos(math.pi * epoch / epochs / 2) ** 2
            )
        )
    elif recipe.plateau_patience is not None:
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                **watched,
                factor=recipe.plateau_factor,
                patience=recipe.plateau_patience,
                min_delta=recipe.plateau_min_delta,
            )
        )
    if recipe.early_stopping_patience is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                **watched, patience=recipe.early_stopping_patience
            )
        )
    if best_epoch is not None:
        callbacks.append(best_epoch)
    return [*callbacks, keras.callbacks.History()]


class StopIfInterrupted(keras.callbacks.Callback):
    """End the training after the batch in which an interrupt has come."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look while training."""
        stop_if_interrupted()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look while validating."""
        stop_if_interrupted()


class BestEpoch(keras.callbacks.Callback):
    """Give the network the weights of its best epoch when training ends.

    The best epoch has the highest accuracy in validation and, among equals, the lowest
    loss. Keras's ``EarlyStopping`` and ``ModelCheckpoint`` keep the first of the
    equals: on few clips, the accuracy reaches its maximum while the loss still falls.

    Parameters
    ----------
    monitor : str
        Name of the accuracy in the logs.
    """

    def __init__(self, monitor: str) -> None:
        super().__init__()
        self.monitor = monitor

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget an earlier training."""
        self._best = (-1.0, 0.0)
        self.weights: list[NDArray] | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the weights if they are the best so far."""
        logs = logs or {}
        reached = (logs[self.monitor], -logs["val_loss"])
        if reached > self._best:
            self._best = reached
            self.weights = self.model.get_weights()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Take the best weights."""
        if self.weights is not None:
            self.model.set_weights(self.weights)
