"""Slaney's mel scale and filter bank, without librosa's second of import time."""

import numpy as np

# Slaney's scale is linear below 1000 Hz (3 mel each 200 Hz) and logarithmic above
# (27 steps to each factor of 6.4).
_HZ_PER_MEL = 200 / 3
_LOG_START_HZ = 1000.0
_LOG_START_MEL = _LOG_START_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27


def hz_to_mel(frequencies: np.ndarray | float) -> np.ndarray:
    """Convert Hz to Slaney's mel.

    Parameters
    ----------
    frequencies : array-like of float
        In Hz, not negative.

    Returns
    -------
    mels : ndarray of float64
        An array of the same shape.

    References
    ----------
    .. [1] M. Slaney, "Auditory Toolbox, version 2", Technical Report 1998-010,
       Interval Research Corporation, 1998.

    Examples
    --------
    >>> from skgenre.features._mel_filters import hz_to_mel
    >>> hz_to_mel([0.0, 1000.0, 6400.0]).round(6)
    array([ 0., 15., 42.])
    """
    frequencies = np.asarray(frequencies, dtype=np.float64)
    above = np.maximum(frequencies, _LOG_START_HZ) / _LOG_START_HZ
    return np.where(
        frequencies < _LOG_START_HZ,
        frequencies / _HZ_PER_MEL,
        _LOG_START_MEL + np.log(above) / _LOG_STEP,
    )


def mel_to_hz(mels: np.ndarray | float) -> np.ndarray:
    """Convert Slaney's mel to Hz; the inverse of :func:`hz_to_mel`.

    Parameters
    ----------
    mels : array-like of float
        Not negative.

    Returns
    -------
    frequencies : ndarray of float64
        In Hz, an array of the same shape.

    Examples
    --------
    >>> from skgenre.features._mel_filters import mel_to_hz
    >>> mel_to_hz([0.0, 15.0, 42.0]).round(6)
    array([   0., 1000., 6400.])
    """
    mels = np.asarray(mels, dtype=np.float64)
    above = np.maximum(mels, _LOG_START_MEL) - _LOG_START_MEL
    return np.where(
        mels < _LOG_START_MEL,
        mels * _HZ_PER_MEL,
        _LOG_START_HZ * np.exp(_LOG_STEP * above),
    )


def mel_filter_bank(
    *, sample_rate: int, n_fft: int, n_mels: int, fmin: float, fmax: float
) -> np.ndarray:
    """Return triangular filters of equal area, evenly spaced on Slaney's mel scale.

    Parameters
    ----------
    sample_rate : int
        Samples a second.

    n_fft : int
        Samples a frame.

    n_mels : int
        Number of filters.

    fmin, fmax : float
        Lower edge of the first filter and upper edge of the last, in Hz.

    Returns
    -------
    bank : ndarray of shape (n_mels, 1 + n_fft // 2), float32
        Weights of the power spectrum's bins in each band. Equal to
        ``librosa.filters.mel``. Where bands are narrower than bins, rows are all
        zeros.

    References
    ----------
    .. [1] M. Slaney, "Auditory Toolbox, version 2", Technical Report 1998-010,
       Interval Research Corporation, 1998.

    Examples
    --------
    >>> from skgenre.features._mel_filters import mel_filter_bank
    >>> bank = mel_filter_bank(
    ...     sample_rate=22050, n_fft=2048, n_mels=128, fmin=0.0, fmax=11025.0
    ... )
    >>> bank.shape
    (128, 1025)
    """
    edges = mel_to_hz(np.linspace(hz_to_mel(fmin), hz_to_mel(fmax), n_mels + 2))
    lower, centre, upper = (edges[i : i + n_mels, np.newaxis] for i in range(3))
    bins = np.arange(1 + n_fft // 2) * (sample_rate / n_fft)
    rising = (bins - lower) / (centre - lower)
    falling = (upper - bins) / (upper - centre)
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (upper - lower))).astype(np.float32)
