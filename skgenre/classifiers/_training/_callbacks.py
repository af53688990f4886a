"""What happens between epochs: slower learning, an early end, the best epoch."""

import math
from typing import Any

import keras
from numpy.typing import NDArray

from skgenre.runtime._interrupts import let_interrupts_in


def training_callbacks(
    *,
    validates: bool,
    learning_rate: float,
    epochs: int,
    schedule: str,
    plateau_patience: int | None,
    plateau_factor: float,
    plateau_min_delta: float,
    early_stopping_patience: int | None,
) -> list[keras.callbacks.Callback]:
    """Return the callbacks for one training.

    Parameters
    ----------
    validates : bool
        Whether there are clips to validate on. Without, the accuracy in training is
        watched, and the last epoch is kept instead of the best.
    learning_rate, epochs
        Where the learning rate starts, and how long it may take.
    schedule : {'plateau', 'cosine'}
        How the learning rate is lowered.
    plateau_patience, plateau_factor, plateau_min_delta
        For 'plateau': after so many epochs in which the accuracy has not risen by so
        much, the learning rate is multiplied by the factor; None never changes it.
    early_stopping_patience : int or None
        After so many epochs without a better accuracy, training ends.

    Returns
    -------
    list of keras.callbacks.Callback
    """
    watched = {"monitor": "val_accuracy" if validates else "accuracy", "mode": "max"}
    callbacks: list[keras.callbacks.Callback] = [keras.callbacks.TerminateOnNaN()]
    if schedule == "cosine":
        callbacks.append(
            keras.callbacks.LearningRateScheduler(
                lambda epoch, _: (
                    learning_rate * math.cos(math.pi * epoch / epochs / 2) ** 2
                )
            )
        )
    elif plateau_patience is not None:
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                **watched,
                factor=plateau_factor,
                patience=plateau_patience,
                min_delta=plateau_min_delta,
            )
        )
    if early_stopping_patience is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(**watched, patience=early_stopping_patience)
        )
    if validates:
        callbacks.append(BestEpoch())
    return [*callbacks, keras.callbacks.History()]


class LetInterruptsIn(keras.callbacks.Callback):
    """Handle interrupts that wait, after each batch."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Let them in while training."""
        let_interrupts_in()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Let them in while validating."""
        let_interrupts_in()


class BestEpoch(keras.callbacks.Callback):
    """Give the network the weights of its best epoch when training ends.

    The best is that of the highest accuracy in validation and, among equals, of the
    lowest loss. Keras's ``EarlyStopping`` and ``ModelCheckpoint`` keep the first of the
    equals: a few clips are soon all right, long before training is done.
    """

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget an earlier training."""
        self._best = (-1.0, 0.0)
        self.weights: list[NDArray] | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the weights if they are the best so far."""
        logs = logs or {}
        reached = (logs["val_accuracy"], -logs["val_loss"])
        if reached > self._best:
            self._best = reached
            self.weights = self.model.get_weights()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Take the best weights."""
        if self.weights is not None:
            self.model.set_weights(self.weights)
