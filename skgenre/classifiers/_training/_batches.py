"""Batches of scaled spectrograms, read from an array or a file on demand."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from skgenre.classifiers._input_scaling import scaled
from skgenre.features._lazy_rows import LazyRows

# Batches that wait for the network, at the most. Keras would have TensorFlow find the
# number, which it doubles whenever the network had to wait: to hundreds of megabytes.
_AHEAD = 2


class SpectrogramBatches:
    """Some rows of an array, as the batches that Keras trains on.

    Only a few batches are scaled and in memory at a time: Keras would copy a whole
    array that is passed to its ``fit``.

    Parameters
    ----------
    X : ndarray or LazyRows of shape (n_clips, n_frames, n_mels)
        Spectrograms in dB, of any float type.
    y : ndarray of shape (n_clips,)
        Number of each clip's genre.
    sample_weight : ndarray of shape (n_clips,)
        Weight of each clip in the loss and the accuracy.
    rows : ndarray of int
        The clips of `X` to take.
    mean, scale : ndarray of shape (n_mels,)
        What is subtracted from each mel band, and what it is then divided by.
    batch_size : int
        Clips in a batch; the last batch may be smaller.
    shuffle_seed : int or None
        Seed of the order, drawn anew each epoch; None keeps the order of `rows`.
    """

    def __init__(
        self,
        X: NDArray | LazyRows,
        y: NDArray,
        sample_weight: NDArray,
        rows: NDArray,
        *,
        mean: NDArray,
        scale: NDArray,
        batch_size: int,
        shuffle_seed: int | None = None,
    ) -> None:
        self.X, self.y, self.sample_weight = X, y, sample_weight
        self.rows = rows
        self.mean, self.scale = mean, scale
        self.batch_size = batch_size
        self.generator = (
            None if shuffle_seed is None else np.random.default_rng(shuffle_seed)
        )
        self.on_epoch_end()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array that all batches together would make."""
        return (len(self.rows), *self.X.shape[1:])

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return -(-len(self.rows) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray, NDArray, NDArray]:
        """Return spectrograms, genres and weights of one batch."""
        start = index * self.batch_size
        rows = self.rows[start : start + self.batch_size]
        lazy = isinstance(self.X, LazyRows)
        clips = np.asarray(self.X[rows]) if lazy else (self.X[row] for row in rows)
        batch = np.empty((len(rows), *self.shape[1:]), np.float32)
        # Clip by clip, each is in the processor's cache from its copy to the end.
        for clip, place in zip(clips, batch, strict=True):
            scaled(clip, self.mean, self.scale, out=place)
        return batch, self.y[rows], self.sample_weight[rows]

    def __iter__(self) -> Iterator[tuple[NDArray, NDArray, NDArray]]:
        """Yield the batches of one epoch."""
        return (self[index] for index in range(len(self)))

    def as_dataset(self) -> tf.data.Dataset:
        """Return what Keras takes; after each epoch, call `on_epoch_end`."""
        signature = (
            tf.TensorSpec((None, *self.shape[1:]), tf.float32),
            tf.TensorSpec((None,), self.y.dtype),
            tf.TensorSpec((None,), self.sample_weight.dtype),
        )
        types = [spec.dtype for spec in signature]

        # `from_generator` would cost twice as much, some hundredths of an epoch.
        @tf.autograph.experimental.do_not_convert
        def batch(index: tf.Tensor) -> tuple[tf.Tensor, ...]:
            arrays = tf.numpy_function(self.__getitem__, [index], types)
            return tuple(
                tf.ensure_shape(array, spec.shape)
                for array, spec in zip(arrays, signature, strict=True)
            )

        # There is nothing to tune, and the thread that would do it delays the end of an
        # iterator, by half a minute at times.
        options = tf.data.Options()
        options.autotune.enabled = False
        dataset = tf.data.Dataset.range(len(self)).map(batch).prefetch(_AHEAD)
        return dataset.with_options(options)

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch."""
        if self.generator is not None:
            self.rows = self.generator.permutation(self.rows)
