"""The data of a training: clips are held out, scaled, and read batch by batch.

TensorFlow is imported in `as_dataset` only.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skgenre.classifiers._checks import Rows, scaled
from skgenre.features._lazy_rows import CHUNK_BYTES, LazyRows

if TYPE_CHECKING:
    import tensorflow as tf

# Natural logarithm of the power of 1 dB is ln(10) / 10.
_DECIBELS_PER_LOG_POWER = 10 / np.log(10)
# Batches that wait for the network, at the most. Keras would have TensorFlow find the
# number, which it doubles whenever the network had to wait: to hundreds of megabytes.
_AHEAD = 2


class ClipRows(NamedTuple):
    """Some of the clips that `fit` was given."""

    X: Rows
    """Spectrograms in dB of all clips, of shape (n_clips, n_frames, n_mels)."""
    codes: NDArray
    """Number of each clip's genre; of several genres 0 and 1 in a column each."""
    weights: NDArray
    """Weight of each clip in the loss and the accuracy."""
    rows: NDArray
    """Numbers of the clips that are chosen."""


def hold_out(
    clips: ClipRows,
    groups: NDArray | None,
    fraction: float,
    random_state: np.random.RandomState,
) -> tuple[ClipRows, ClipRows]:
    """Return the clips to train on and those to validate on.

    Parameters
    ----------
    clips : ClipRows
        Clips to split.
    groups : ndarray of shape (n_clips,) or None
        Artist of each clip of ``clips.X``.
    fraction, random_state
        See `validation_rows`.
    """
    rows = clips.rows
    chosen = validation_rows(
        clips.codes[rows],
        None if groups is None else groups[rows],
        fraction,
        random_state,
    )
    training, validation = np.delete(rows, chosen), rows[chosen]
    return clips._replace(rows=training), clips._replace(rows=validation)


def validation_rows(
    y: NDArray,
    groups: NDArray | None,
    fraction: float,
    random_state: np.random.RandomState,
) -> NDArray:
    """Choose the clips to validate on: shuffled, stratified and by group.

    Every genre keeps at least one clip (with groups: one artist) to train on, and gives
    no more than about its share: a genre of few clips or artists may have none to
    validate on.

    Parameters
    ----------
    y : ndarray of shape (n_clips,) or (n_clips, n_classes)
        Number of each clip's genre; of several genres 0 and 1 in a column each.
    groups : ndarray of shape (n_clips,) or None
        Artist of each clip; the clips of one are never split.
    fraction : float
        Share of each genre's clips to choose, in [0, 1).
    random_state : RandomState
        Decides which.

    Returns
    -------
    ndarray of int
        Rows, sorted; empty where nothing can be spared.
    """
    if groups is None and y.ndim == 1:
        return np.sort(_choose_clips(y, fraction, random_state))
    if groups is None:  # each clip has shares of several genres, as an artist has
        groups = np.arange(len(y))
    return _choose_artists(y, groups, fraction, random_state)


def _choose_clips(
    y: NDArray, fraction: float, random_state: np.random.RandomState
) -> NDArray:
    genres, counts = np.unique(y, return_counts=True)
    shares = fraction * counts
    wanted = shares.astype(int)
    # What rounding down has left over goes to the genres that lost most by it.
    n_over = round(fraction * len(y)) - wanted.sum()
    wanted[np.argsort(wanted - shares, kind="stable")[:n_over]] += 1
    return np.concatenate(
        [
            random_state.permutation(np.flatnonzero(y == genre))[: min(n, count - 1)]
            for genre, n, count in zip(genres, wanted, counts, strict=True)
        ]
    )


def _choose_artists(
    y: NDArray, groups: NDArray, fraction: float, random_state: np.random.RandomState
) -> NDArray:
    """Take each artist, in random order, whose clips bring the share closer."""
    artists, artist_of = np.unique(groups, return_inverse=True)
    is_of = y if y.ndim == 2 else y[:, np.newaxis] == np.unique(y)
    n_clips = np.zeros((len(artists), is_of.shape[1]), dtype=int)
    np.add.at(n_clips, artist_of, is_of.astype(int))

    missing = fraction * n_clips.sum(axis=0)  # clips of each genre still to be chosen
    n_left = (n_clips > 0).sum(axis=0)  # artists of each genre left to train on
    chosen = np.zeros(len(artists), dtype=bool)
    for artist in random_state.permutation(len(artists)):
        clips = n_clips[artist]
        comes_closer = np.abs(missing - clips).sum() < np.abs(missing).sum()
        if comes_closer and (n_left[clips > 0] > 1).all():
            chosen[artist] = True
            missing -= clips
            n_left -= clips > 0
    return np.flatnonzero(chosen[artist_of])


def band_statistics(
    X: NDArray | LazyRows, rows: NDArray, input_scaling: str
) -> tuple[NDArray, NDArray]:
    """Return the mean to subtract from each mel band and the scale to divide by.

    Parameters
    ----------
    X : ndarray or LazyRows of shape (n_clips, n_frames, n_mels)
        Spectrograms in dB; read chunk by chunk, so they may be in a file.
    rows : ndarray of int
        The clips of `X` to learn from.
    input_scaling : {'standardize', 'log'}
        'standardize' gives every band zero mean and unit variance over all clips and
        frames; 'log' turns dB into the natural logarithm of the power, as in the
        paper, whatever `X` holds.

    Returns
    -------
    mean, scale : ndarray of shape (n_mels,), float32
        The scale of a constant band is 1.
    """
    n_frames, n_mels = X.shape[1:]
    if input_scaling == "log":
        mean, scale = np.zeros(n_mels), np.full(n_mels, _DECIBELS_PER_LOG_POWER)
        return mean.astype(np.float32), scale.astype(np.float32)

    n_bytes = n_frames * n_mels * 8
    n_seen, mean, squares = 0, np.zeros(n_mels), np.zeros(n_mels)
    for chunk in gen_batches(len(rows), max(1, CHUNK_BYTES // n_bytes)):
        clips = np.asarray(X[rows[chunk]])
        values = clips.reshape(-1, n_mels).astype(np.float64)
        # Chan, Golub and LeVeque's update: sums of squares would cancel out.
        n_new, mean_new = len(values), values.mean(axis=0)
        values -= mean_new
        delta = mean_new - mean
        n_all = n_seen + n_new
        squares += np.einsum("ij,ij->j", values, values)
        squares += delta**2 * n_seen * n_new / n_all
        mean += delta * n_new / n_all
        n_seen = n_all
    scale = np.sqrt(squares / n_seen)
    scale[scale <= 10 * np.finfo(np.float32).eps * np.abs(mean)] = 1.0
    return mean.astype(np.float32), scale.astype(np.float32)


class SpectrogramBatches:
    """Some rows of an array, as the batches that Keras trains on.

    Only a few batches are scaled and in memory at a time: Keras would copy a whole
    array that is passed to its ``fit``.

    Parameters
    ----------
    clips : ClipRows
        The clips, in the order of their rows.
    mean, scale : ndarray of shape (n_mels,)
        What is subtracted from each mel band, and what it is then divided by.
    batch_size : int
        Clips in a batch; the last batch may be smaller.
    shuffle_seed : int or None
        Seed of the order, drawn anew each epoch; None keeps the order of `rows`.
    """

    def __init__(
        self,
        clips: ClipRows,
        *,
        mean: NDArray,
        scale: NDArray,
        batch_size: int,
        shuffle_seed: int | None = None,
    ) -> None:
        self.X, self.y, self.sample_weight, self.rows = clips
        self.mean, self.scale = mean, scale
        self.batch_size = batch_size
        self.generator = (
            None if shuffle_seed is None else np.random.default_rng(shuffle_seed)
        )
        self.reshuffle()

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

    def as_dataset(self) -> "tf.data.Dataset":
        """Return the batches of epoch after epoch; between them, call `reshuffle`.

        It has no end, because Keras makes two iterators an epoch of one that has.
        """
        import tensorflow as tf

        signature = (
            tf.TensorSpec((None, *self.shape[1:]), tf.float32),
            tf.TensorSpec((None, *self.y.shape[1:]), self.y.dtype),
            tf.TensorSpec((None,), self.sample_weight.dtype),
        )
        types = [spec.dtype for spec in signature]

        # `from_generator` would cost twice as much, some hundredths of an epoch.
        @tf.autograph.experimental.do_not_convert
        def batch(index: "tf.Tensor") -> "tuple[tf.Tensor, ...]":
            arrays = tf.numpy_function(self.__getitem__, [index], types)
            return tuple(
                tf.ensure_shape(array, spec.shape)
                for array, spec in zip(arrays, signature, strict=True)
            )

        # There is nothing to tune, and the thread that would do it delays the end of an
        # iterator, by half a minute at times. Nor is there a graph to rewrite.
        options = tf.data.Options()
        options.autotune.enabled = False
        options.experimental_optimization.apply_default_optimizations = False
        dataset = tf.data.Dataset.range(len(self)).map(batch).prefetch(_AHEAD)
        # Repeated at the end: nothing is read ahead into an epoch not shuffled yet.
        return dataset.repeat().with_options(options)

    def reshuffle(self) -> None:
        """Draw the order of the next epoch."""
        if self.generator is not None:
            self.rows = self.generator.permutation(self.rows)
