"""What training makes small."""

from typing import Any

import keras
from keras import ops


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
