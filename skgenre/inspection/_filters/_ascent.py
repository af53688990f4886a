"""Gradient ascent on spectrograms, all steps in one graph."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skgenre.runtime._keras import shield_from_interrupts

# isort: split
import tensorflow as tf

_STEP = 4.0  # dB, root mean square, at first; it falls to zero along a line
_MOMENTUM = 0.8


def _smooth(x: tf.Tensor, sigma: float) -> tf.Tensor:
    """Convolve (batch, n_frames, n_mels) with a Gaussian along both axes."""
    if sigma == 0:
        return x
    x = x[..., tf.newaxis]
    for axis in (1, 2):
        # Mirrored at the ends, which must be no further away than the array is long.
        reach = min(int(np.ceil(3 * sigma)), x.shape[axis])
        gaussian = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
        kernel = (gaussian / gaussian.sum()).astype(np.float32)
        paddings = np.zeros((4, 2), np.int32)
        paddings[axis] = reach
        shape = (-1, 1, 1, 1) if axis == 1 else (1, -1, 1, 1)
        padded = tf.pad(x, paddings, "SYMMETRIC")
        x = tf.nn.conv2d(padded, kernel.reshape(shape), strides=1, padding="VALID")
    return x[..., 0]


@shield_from_interrupts
def ascent(
    values: Callable[[tf.Tensor], tf.Tensor],
    start: NDArray,
    shifts: NDArray,
    *,
    smoothness: float,
    l2: float,
    top_db: float,
) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Return a function that finds spectrograms for a batch of filters.

    Parameters
    ----------
    values : callable
        See `layer_graph`.
    start : ndarray of shape (n_frames, n_mels), float32
        Where all filters start, in dB.
    shifts : ndarray of shape (n_steps,), int32
        Frames to shift the input by, in each step.
    smoothness, l2, top_db : float
        See `maximize_activation`.

    Returns
    -------
    callable
        Numbers of filters, int32, to their spectrograms, and to their means, of shape
        (n_steps + 1, n_filters).
    """
    n_steps = len(shifts)
    # Constants of the graph; a shift is looked up by the number of the step.
    first, shift_of = tf.constant(start), tf.constant(shifts)

    def means(x: tf.Tensor, filters: tf.Tensor) -> tf.Tensor:
        of_all = tf.reduce_mean(values(x), axis=1)
        return tf.gather(of_all, filters, axis=1, batch_dims=1)

    @tf.function(
        input_signature=[tf.TensorSpec((None,), tf.int32)],
        jit_compile=False,
        autograph=False,
    )
    def ascend(filters: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        n_filters = tf.shape(filters)[0]

        def step(
            number: tf.Tensor, x: tf.Tensor, velocity: tf.Tensor, log: tf.TensorArray
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.TensorArray]:
            with tf.GradientTape() as tape:
                tape.watch(x)
                reached = means(tf.roll(x, shift_of[number], axis=1), filters)
            # Each filter's mean depends on its own spectrogram only.
            direction = _smooth(tape.gradient(reached, x), smoothness)
            size = tf.sqrt(tf.reduce_mean(direction**2, axis=(1, 2), keepdims=True))
            direction = tf.math.divide_no_nan(direction, size) - l2 * (x - first)
            velocity = _MOMENTUM * velocity + (1 - _MOMENTUM) * direction
            length = _STEP * (1 - tf.cast(number, tf.float32) / n_steps)
            x = tf.clip_by_value(x + length * velocity, -top_db, 0.0)
            return number + 1, x, velocity, log.write(number, reached)

        x = tf.tile(first[tf.newaxis], (n_filters, 1, 1))
        log = tf.TensorArray(tf.float32, n_steps + 1)
        _, x, _, log = tf.while_loop(
            lambda number, *_: number < n_steps, step, (0, x, tf.zeros_like(x), log)
        )
        return x, log.write(n_steps, means(x, filters)).stack()

    # Called as such, TensorFlow doesn't warn that every network has its own graph.
    return ascend.get_concrete_function()
