"""What the networks share: seeded initialisers and layers that fit small inputs."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops


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


def recurrent(seed: Iterator[int]) -> dict:
    """Return the seeded arguments that an LSTM or a GRU layer needs."""
    return {
        "kernel_initializer": glorot(seed),
        "recurrent_initializer": keras.initializers.Orthogonal(seed=next(seed)),
        "seed": next(seed),
    }


def set_statistics(model: keras.Model, batches: Sequence[Any]) -> None:
    """Give frozen batch normalisations the statistics of what reaches them.

    A `keras.layers.BatchNormalization` with ``trainable=False`` scales by its running
    mean and variance in training, too, and never learns them.

    Parameters
    ----------
    model : keras.Model
        Changed in place; layers that aren't frozen batch normalisations stay as they
        are, and where there are none, nothing is read.
    batches : keras.utils.PyDataset or sequence of tuple
        All training clips, in batches whose first member is an array of shape
        (n_clips, ...), and whose third, where there is one, are the clips' weights.
        What doesn't vary keeps a variance of 1.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization) and not layer.trainable:
            before = keras.Model(model.input, layer.input)
            parts, weights = [], []
            for i in range(len(batches)):  # one in memory at a time
                X, *rest = batches[i]
                parts.append(ops.cast(before(X, training=False), "float32"))
                weights.append(rest[1] if len(rest) > 1 else ops.ones(len(X)))
            mean, variance = _weighted_moments(
                ops.concatenate(parts), ops.concatenate(weights), layer.axis
            )
            layer.moving_mean.assign(mean)
            layer.moving_variance.assign(ops.where(variance > 0, variance, 1.0))


def _weighted_moments(values: Any, weights: Any, axis: int) -> tuple[Any, Any]:
    """Return means and variances over all axes but one; rows have weights."""
    axes = list(range(values.ndim))
    del axes[axis]
    rows = [-1] + [1] * (values.ndim - 1)
    shares = ops.reshape(ops.cast(weights, "float32"), rows)
    shares = shares / ops.mean(shares)
    mean = ops.mean(shares * values, axis=axes, keepdims=True)
    variance = ops.mean(shares * ops.square(values - mean), axis=axes)
    return ops.reshape(mean, [-1]), variance
