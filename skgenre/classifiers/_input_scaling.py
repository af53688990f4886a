"""From dB to what a network takes: one mean and one scale for each mel band."""

import numpy as np
from numpy.typing import NDArray

from skgenre.features._lazy_rows import LazyRows

# Natural logarithm of the power of 1 dB is ln(10) / 10.
_DECIBELS_PER_NEPER = 10 / np.log(10)
_CHUNK_BYTES = 32 * 2**20


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
        report, whatever `X` holds.

    Returns
    -------
    mean, scale : ndarray of shape (n_mels,), float32
        The scale of a constant band is 1.
    """
    n_frames, n_mels = X.shape[1:]
    if input_scaling == "log":
        mean, scale = np.zeros(n_mels), np.full(n_mels, _DECIBELS_PER_NEPER)
        return mean.astype(np.float32), scale.astype(np.float32)

    chunk = max(1, _CHUNK_BYTES // (n_frames * n_mels * 8))
    n_seen, mean, squares = 0, np.zeros(n_mels), np.zeros(n_mels)
    for start in range(0, len(rows), chunk):
        clips = np.asarray(X[rows[start : start + chunk]])
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


def scaled(
    X: NDArray, mean: NDArray, scale: NDArray, *, out: NDArray | None = None
) -> NDArray:
    """Return ``(X - mean) / scale`` as float32; in `out`, if it is given."""
    if out is None:
        out = np.empty(X.shape, np.float32)
    # What leaves float32's range is seen in the loss, or in the network's answer.
    with np.errstate(over="ignore", invalid="ignore"):
        out[...] = X
        out -= mean
        out /= scale
    return out
