"""What happens between epochs: slower learning, an early end, the best epoch."""

import keras


def training_callbacks(
    *,
    validates: bool,
    epochs: int,
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
    epochs : int
        Epochs at the most.
    plateau_patience, plateau_factor, plateau_min_delta
        After so many epochs in which the accuracy has not risen by so much, the
        learning rate is multiplied by the factor; None never changes it.
    early_stopping_patience : int or None
        After so many epochs without a better accuracy, training ends.

    Returns
    -------
    list of keras.callbacks.Callback
    """
    watched = {"monitor": "val_accuracy" if validates else "accuracy", "mode": "max"}
    callbacks: list[keras.callbacks.Callback] = [keras.callbacks.TerminateOnNaN()]
    if plateau_patience is not None:
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                **watched,
                factor=plateau_factor,
                patience=plateau_patience,
                min_delta=plateau_min_delta,
            )
        )
    if validates or early_stopping_patience is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                **watched,
                patience=early_stopping_patience or epochs,
                restore_best_weights=validates,
            )
        )
    return callbacks
