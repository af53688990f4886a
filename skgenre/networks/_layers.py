"""What the networks share: seeded initialisers and layers that fit small inputs."""

import random
from collections.abc import Iterable, Iterator
from typing import Any

import keras
from keras import ops

from skgenre.runtime._keras import stop_if_interrupted


def seeds(seed: int | None) -> Iterator[int]:
    """Yield a different seed for every random part of a network.

    Parameters
    ----------
    seed : int or None
        Where the sequence starts; None takes it from the operating system. Keras's
        own default would draw from Python's global generator and so change it.

    Yields
    ------
    int
        In [0, 2**31).
    """
    generator = random.Random(seed)
    while True:
        yield generator.getrandbits(31)


def glorot(seed: Iterator[int]) -> keras.initializers.Initializer:
    """Return Keras's default kernel initialiser with the next seed."""
    return keras.initializers.GlorotUniform(seed=next(seed))


@keras.saving.register_keras_serializable(package="skgenre")
def hard_sigmoid(x: Any) -> Any:
    """Return the hard sigmoid of Keras 1 and 2; that of Keras 3 is less steep."""
    return ops.clip(0.2 * x + 0.5, 0, 1)


def recurrent(seed: Iterator[int], activation: str) -> dict:
    """Return the seeded arguments that an LSTM or a GRU layer needs."""
    return {
        "recurrent_activation": (
            hard_sigmoid if activation == "hard_sigmoid" else activation
        ),
        "kernel_initializer": glorot(seed),
        "recurrent_initializer": keras.initializers.Orthogonal(seed=next(seed)),
        "seed": next(seed),
    }


def set_statistics(model: keras.Model, batches: Iterable[Any]) -> None:
    """Give frozen batch normalisations the statistics of what reaches them.

    A `keras.layers.BatchNormalization` with ``trainable=False`` scales by its running
    mean and variance in training, too, and never learns them.

    Parameters
    ----------
    model : keras.Model
        Changed in place. Other layers stay as they are; without a frozen batch
        normalisation nothing is read.
    batches : iterable of tuple
        All training clips, in batches whose first member is an array of shape
        (n_clips, ...), and whose third, where there is one, has the clips' weights.
        Read once for each such layer. A constant value keeps a variance of 1.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization) and not layer.trainable:
            before = keras.Model(model.input, layer.input)
            mean, variance = _weighted_moments(before, batches, layer.axis)
            layer.moving_mean.assign(mean)
            layer.moving_variance.assign(ops.where(variance > 0, variance, 1.0))


def _weighted_moments(
    model: keras.Model, batches: Iterable[Any], axis: int
) -> tuple[Any, Any]:
    """Return means and variances of outputs over all axes but one; rows have weights.

    The memory needed doesn't grow with the number of batches.
    """
    total, mean, squares = 0.0, 0.0, 0.0
    for X, *rest in batches:
        stop_if_interrupted()
        values = ops.cast(model(X, training=False), "float32")
        values = ops.moveaxis(values, axis, -1)
        over = list(range(values.ndim - 1))
        weights = ops.cast(rest[1] if len(rest) > 1 else ops.ones(len(X)), "float32")
        weights = ops.reshape(weights, [-1] + [1] * (values.ndim - 1))
        weights = weights * ops.ones_like(values[..., :1])
        n_new = float(ops.sum(weights))
        if n_new == 0:
            continue
        # Chan, Golub and LeVeque's update: sums of squares would cancel out.
        mean_new = ops.sum(weights * values, axis=over) / n_new
        squares_new = ops.sum(weights * ops.square(values - mean_new), axis=over)
        delta, share = mean_new - mean, n_new / (total + n_new)
        squares = squares + squares_new + ops.square(delta) * total * share
        mean = mean + delta * share
        total += n_new
    return mean, squares / total
