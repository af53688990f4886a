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

import copy
import inspect
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skgenre import networks
from skgenre.classifiers._training._checkpoints import Checkpoints, checkpoint_path
from skgenre.classifiers._training._data import ClipRows, SpectrogramBatches
from skgenre.classifiers._training._wrapper import NetworkClassifier, description
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
    """Keyword arguments of that function in predictions, but for the seed."""
    training_parameters: dict[str, Any]
    """What is added to these, or replaces them, in training."""
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

    optimizer: Any
    learning_rate: float
    learning_rate_schedule: str
    loss: Any
    label_smoothing: float
    metrics: Sequence[Any] | None
    callbacks: Any
    batch_size: int
    plateau_patience: int | None
    plateau_factor: float
    plateau_min_delta: float
    early_stopping_patience: int | None

    def new_optimizer(self) -> tuple[type, dict[str, Any]]:
        """Return the class of the optimiser and the arguments of its constructor."""
        cls, settings = class_and_settings(keras.optimizers, self.optimizer)
        if isinstance(self.optimizer, str | dict):  # Keras takes no int
            settings = {"learning_rate": float(self.learning_rate)} | settings
        return cls, settings

    def new_loss(
        self, *, several: bool = False, class_weights: NDArray | None = None
    ) -> Any:
        """Return the loss as `keras.Model.compile` takes it.

        Parameters
        ----------
        several : bool, default=False
            Whether clips may have several genres.
        class_weights : ndarray of shape (2, n_classes) or None
            Weights of clips without and with each of them.

        Raises
        ------
        ValueError
            If there are weights for a loss that has no place for them.
        """
        if self.loss is None and several:
            return SeveralCrossentropy(float(self.label_smoothing), class_weights)
        if self.loss is None:
            if not self.label_smoothing:
                return "sparse_categorical_crossentropy"
            smoothing = float(self.label_smoothing)
            return OneHotLoss(
                keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
            )
        if class_weights is not None:
            raise ValueError(
                "Where clips have several genres, class_weight is a part of the "
                "default loss. Leave one of class_weight and loss at None."
            )
        is_class = inspect.isclass(self.loss)
        if not is_class and not isinstance(self.loss, str | dict | keras.losses.Loss):
            return self.loss  # a function
        loss = self.loss  # not a copy, which Keras would make of its configuration
        if not isinstance(loss, keras.losses.Loss):
            cls, settings = class_and_settings(keras.losses, self.loss)
            loss = cls(**settings)
        of_numbers = isinstance(loss, keras.losses.SparseCategoricalCrossentropy)
        is_of_keras = type(loss).__module__.startswith("keras.")
        takes_one_hot = is_of_keras and not of_numbers and not several
        return OneHotLoss(loss) if takes_one_hot else loss

    def new_metrics(self, *, several: bool = False) -> list[Any]:
        """Return what `keras.Model.compile` takes, as this training's own."""
        # Of a name, Keras makes a metric while it traces the first step, and because
        # that makes variables, TensorFlow traces the step twice.
        accuracy = keras.metrics.SparseCategoricalAccuracy
        if several:
            accuracy = keras.metrics.BinaryAccuracy
        watched = LabelRankingPrecision(RANKING) if several else "accuracy"
        return [
            accuracy(name="accuracy") if metric == "accuracy" else metric
            for metric in (watched, *map(_own, self.metrics or ()))
        ]

    def new_callbacks(self) -> list[keras.callbacks.Callback]:
        """Return the user's callbacks, as this training's own.

        Raises
        ------
        TypeError
            If one is not a Keras callback.
        """
        given = () if self.callbacks is None else self.callbacks
        several = given if isinstance(given, list | tuple) else [given]
        callbacks = [_own(callback) for callback in several]
        for callback in callbacks:
            if not isinstance(callback, keras.callbacks.Callback):
                raise TypeError(
                    "callbacks must be classes or instances of "
                    f"keras.callbacks.Callback, got {callback!r:.200}."
                )
        return callbacks


def class_and_settings(module: ModuleType, given: Any) -> tuple[type, dict[str, Any]]:
    """Return a class of Keras and the arguments of its constructor.

    Parameters
    ----------
    module : module
        `keras.optimizers` or `keras.losses`.
    given : str, dict or object
        The class's name, in capitals or with underscores; a dict of its 'name' and
        settings; or an object, whose class and settings are taken.

    Raises
    ------
    ValueError
        If there is no such class, or a class is given itself.
    """
    if not isinstance(given, str | dict) and not inspect.isclass(given):
        return type(given), {
            name: (
                keras.saving.deserialize_keras_object(value)
                if isinstance(value, dict) and "class_name" in value
                else value
            )
            for name, value in given.get_config().items()
        }
    settings = dict(given) if isinstance(given, dict) else {"name": given}
    wanted = str(settings.pop("name", None)).replace("_", "").lower()
    for cls in vars(module).values():
        if inspect.isclass(cls) and cls.__name__.lower() == wanted:
            return cls, settings
    example = "adam" if module is keras.optimizers else "categorical_focal_crossentropy"
    raise ValueError(
        f"{given!r:.200} names no class of {module.__name__}. Give the name of one, "
        f"such as {example!r}, a dict of its 'name' and settings, or an object of such "
        "a class."
    )


def _own(given: Any) -> Any:
    """Return a new object of a class, or a copy of one: training changes them."""
    if isinstance(given, keras.metrics.Metric):  # its variables can't be copied
        return type(given).from_config(given.get_config())
    return given() if inspect.isclass(given) else copy.deepcopy(given)


def optimizer_name(optimizer: Any) -> str:
    """Return a text that is the same for all optimisers that have the same settings."""
    if isinstance(optimizer, str):
        return optimizer
    if isinstance(optimizer, dict):
        optimizer = sorted(optimizer.items())
    elif not inspect.isclass(optimizer):  # which is refused before training
        optimizer = type(optimizer).__name__, sorted(optimizer.get_config().items())
    return repr(optimizer)


def checkpoint_facts(network: NetworkState, recipe: Recipe) -> dict[str, str]:
    """Return the parameters that decide the result, as texts.

    Raises
    ------
    ValueError
        If one is code of the user's.
    """
    facts = {}
    for name, value in (vars(recipe) | network.parameters).items():
        if name in ("metrics", "callbacks"):
            continue
        of = recipe.new_optimizer() if name == "optimizer" else value
        text = description(of)
        if text is None:
            raise ValueError(
                f"checkpoint_dir can't be used with {name}={value!r:.100}. It is "
                "code of your own, which may have changed since a training was cut "
                "off. Use a loss and an optimiser of Keras, and a network of the "
                "layers that the user guide lists; or leave checkpoint_dir at None."
            )
        facts[name] = text
    return facts


@dataclass(frozen=True)
class Trained:
    """The result of a training: arrays and lists."""

    weights: list[NDArray]
    optimizer_state: list[NDArray]
    history: dict[str, list[float]]


class EpochTasks(Protocol):
    """What follows a training epoch by epoch, and may end it."""

    def begin(self) -> None:
        """Note that an epoch begins."""

    def end(self, trained: Callable[[], Trained]) -> bool:
        """Note that an epoch has ended; return whether to stop there.

        `trained` returns what the training would return if it ended now.
        """


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
    tasks: EpochTasks | None = None,
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
    tasks : EpochTasks or None
        What follows the epochs, but for those that a checkpoint has.
    verbose : int
        Keras's.

    Returns
    -------
    Trained

    Raises
    ------
    ValueError
        If the loss or the weights are no longer finite, or there is a `checkpoint_dir`
        for code of the user's.
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
    try:
        wrapper.build(
            network.classes, network.parameters["input_shape"], several=network.several
        )
        if checkpoint_dir is not None:
            seeds = {"network_seed": network_seed, "shuffle_seed": shuffle_seed}
            facts = checkpoint_facts(network, recipe) | seeds | {"epochs": epochs}
            arrays = [network.mean, network.scale, *wrapper.state()]
            arrays += [] if class_weights is None else [class_weights]
            path = checkpoint_path(
                checkpoint_dir, network.name, facts, arrays, [training, validation]
            )
            checkpoints = Checkpoints(path, wrapper, callbacks, best_epoch)
            callbacks.append(checkpoints)
            n_done = checkpoints.n_epochs
            for _ in range(n_done):
                batches.reshuffle()
        if tasks is not None:  # after the checkpoints, which call the others again
            callbacks.append(FollowEpochs(tasks, wrapper, best_epoch))
        wrapper.run_epochs(
            batches, held_out, callbacks, initial_epoch=n_done, epochs=epochs
        )
        trained = trained_so_far(wrapper)
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


def trained_so_far(wrapper: NetworkClassifier) -> Trained:
    """Return the weights, the state and the history of a network in training."""
    return Trained(
        [np.asarray(weights) for weights in wrapper.model_.get_weights()],
        wrapper.optimizer_state(),
        {
            name: [float(value) for value in values]
            for name, values in wrapper.model_.history.history.items()
        },
    )


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
    optimizer, settings = recipe.new_optimizer()
    built_with = network.parameters | network.training_parameters
    return NetworkClassifier(
        model=getattr(networks, network.name),
        loss=recipe.new_loss(several=network.several, class_weights=class_weights),
        compile__weighted_metrics=recipe.new_metrics(several=network.several),
        optimizer=optimizer,
        shuffle=False,  # the batches are shuffled clip by clip
        scaling=(network.mean, network.scale),
        start_weights=network.weights,
        start_optimizer=network.optimizer_state,
        **{f"optimizer__{k}": v for k, v in settings.items()},
        **{f"model__{k}": v for k, v in built_with.items()},
        **parameters,
    )


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
        self.class_weights = (
            None if class_weights is None else class_weights.astype(float).tolist()
        )

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Compare 0 and 1 with probabilities, both (batch, n_classes)."""
        smooth = y_true * (1 - self.label_smoothing) + self.label_smoothing / 2
        losses = keras.ops.binary_crossentropy(smooth, y_pred)
        if self.class_weights is not None:
            without, with_genre = map(ops.convert_to_tensor, self.class_weights)
            losses = losses * ops.where(y_true > 0, with_genre, without)
        return ops.mean(losses, axis=-1)


class LabelRankingPrecision(keras.metrics.Mean):
    """Mean label-ranking average precision of clips."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch: 0 and 1, and probabilities, both (batch, n_classes)."""
        super().update_state(label_ranking_precision(y_true, y_pred), sample_weight)


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


class OneHotLoss(keras.losses.Loss):
    """A loss of Keras that compares one-hot labels, of genre numbers.

    Parameters
    ----------
    loss : keras.losses.Loss
        Compares arrays of shape (batch, n_classes).
    """

    def __init__(self, loss: keras.losses.Loss) -> None:
        super().__init__(name=loss.name, reduction=loss.reduction, dtype=loss.dtype)
        self.loss = loss

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Compare genre numbers (batch,) with probabilities (batch, n_classes)."""
        one_hot = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1])
        return self.loss.call(ops.cast(one_hot, y_pred.dtype), y_pred)


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
    start = recipe.new_optimizer()[1].get("learning_rate")
    if not isinstance(start, float):
        pass  # the optimiser has a schedule of its own
    elif recipe.learning_rate_schedule == "cosine":
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
    return [*callbacks, *recipe.new_callbacks(), keras.callbacks.History()]


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


class FollowEpochs(keras.callbacks.Callback):
    """Report each epoch to what follows the training.

    Parameters
    ----------
    tasks : EpochTasks
        What follows it, and may end it.
    wrapper : NetworkClassifier
        The network in training.
    best_epoch : BestEpoch or None
        Has the weights that the training would end with; None where these are the last.
    """

    def __init__(
        self,
        tasks: EpochTasks,
        wrapper: NetworkClassifier,
        best_epoch: BestEpoch | None,
    ) -> None:
        super().__init__()
        self._tasks, self._wrapper, self._best_epoch = tasks, wrapper, best_epoch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Report that an epoch begins."""
        self._tasks.begin()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Report that it has ended, and stop if that is wanted."""
        if self._tasks.end(self._trained):
            self.model.stop_training = True

    def _trained(self) -> Trained:
        trained = trained_so_far(self._wrapper)
        best = None if self._best_epoch is None else self._best_epoch.weights
        return trained if best is None else replace(trained, weights=best)
