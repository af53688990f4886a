"""Waveform to statistics of mel-frequency cepstral coefficients."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from numbers import Integral

import numpy as np
import scipy.fft

from skgenre._sklearn_compat import Interval, StrOptions, validate_params
from skgenre.audio._check_clips import check_waveform
from skgenre.features._spectrogram import (
    AMIN,
    MEL_CONSTRAINTS,
    VIEWS_CONSTRAINT,
    MelSettings,
    check_views,
    mel_power_blocks,
    view_powers,
)

_TOP_DB = 80.0

# In the order of the columns of FMA's features.csv.
STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")

MFCC_CONSTRAINTS: dict = (
    MEL_CONSTRAINTS
    | VIEWS_CONSTRAINT
    | {
        "n_mfcc": [Interval(Integral, 1, None, closed="left")],
        "statistics": [StrOptions({"moments", "correlations"})],
    }
)


def check_n_mfcc(n_mfcc: int, n_mels: int) -> None:
    """Refuse more coefficients than mel bands."""
    if n_mfcc > n_mels:
        raise ValueError(
            f"n_mfcc must be at most n_mels={n_mels}. Got n_mfcc={n_mfcc}."
        )


def mfcc(
    blocks: Iterable[np.ndarray],
    settings: MelSettings,
    n_mfcc: int,
    views: Sequence[str] = ("mix",),
) -> list[np.ndarray]:
    """Return the coefficients of each frame of a clip, view by view.

    The floor is known only when the loudest frame is. Until then the powers are held,
    80 MB an hour and view with the default settings; the samples, twenty times that in
    stereo, are not.

    Parameters
    ----------
    blocks : iterable of ndarray of shape (n,), float32
        The clip's samples, one after the other.

    settings : MelSettings
        Frames and bands.

    n_mfcc : int
        Number of coefficients.

    views : sequence of {'mix', 'harmonic', 'percussive'}, default=('mix',)
        Which views, in which order; each has a floor of its own.

    Returns
    -------
    list of ndarray of shape (n_frames, n_mfcc), float64
    """
    parts = list(mel_power_blocks(blocks, settings))
    gains = [gain for _, gain in parts]
    powers = zip(*view_powers(parts, views), strict=True)
    del parts
    # Double precision costs as much as half of the separation, whose views have not so
    # many digits.
    dtypes = (np.float64 if view == "mix" else np.float32 for view in views)
    return [
        _cepstra(power, gains, n_mfcc, dtype)
        for power, dtype in zip(powers, dtypes, strict=True)
    ]


def _cepstra(
    powers: Sequence[np.ndarray], gains: Sequence[float], n_mfcc: int, dtype: type
) -> np.ndarray:
    peaks = [
        _decibels(power.max(keepdims=True), gain, dtype)
        for power, gain in zip(powers, gains, strict=True)
    ]
    floor = np.max(peaks) - _TOP_DB
    coefficients = np.empty((sum(map(len, powers)), n_mfcc))
    first = 0
    for power, gain in zip(powers, gains, strict=True):
        decibels = _decibels(power, gain, dtype)
        np.maximum(decibels, floor, out=decibels)
        cepstrum = scipy.fft.dct(decibels, type=2, axis=1, norm="ortho")
        coefficients[first : first + len(cepstrum)] = cepstrum[:, :n_mfcc]
        first += len(cepstrum)
    return coefficients


def _decibels(power: np.ndarray, gain: float, dtype: type) -> np.ndarray:
    # In double precision for the mix: the statistics subtract nearly equal numbers.
    return 10 * np.log10(np.maximum(power, AMIN, dtype=dtype)) + gain


def _is_constant(series: np.ndarray, std: np.ndarray) -> np.ndarray:
    # Rounding leaves a little variance in a constant series, in proportion to the
    # largest coefficient, as all are sums of the same decibels.
    return std <= np.finfo(float).eps * np.abs(series).max() * 10


def moments(series: np.ndarray) -> np.ndarray:
    """Return the `STATISTICS` of each column, one after the other, without NaN.

    Parameters
    ----------
    series : ndarray of shape (n_frames, n)

    Returns
    -------
    ndarray of shape (7 * n,)
    """
    mean = series.mean(axis=0)
    deviations = series - mean
    squares = deviations**2
    variance = squares.mean(axis=0)
    is_constant = _is_constant(series, np.sqrt(variance))
    divisor = np.where(is_constant, 1.0, variance)
    skew = (squares * deviations).mean(axis=0) / divisor**1.5
    kurtosis = (squares**2).mean(axis=0) / divisor**2 - 3
    return np.concatenate(
        [
            np.where(is_constant, -3.0, kurtosis),
            series.max(axis=0),
            mean,
            np.median(series, axis=0),
            series.min(axis=0),
            np.where(is_constant, 0.0, skew),
            np.sqrt(variance),
        ]
    )


def correlations(series: np.ndarray) -> np.ndarray:
    """Return the columns' means, standard deviations and Pearson's r of each pair.

    Parameters
    ----------
    series : ndarray of shape (n_frames, n)

    Returns
    -------
    ndarray of shape (2 * n + n * (n - 1) / 2,)
        Means, deviations, and r of the pairs (1, 2), (1, 3) and so on; 0 for a column
        that doesn't change.
    """
    mean, std = series.mean(axis=0), series.std(axis=0)
    is_constant = _is_constant(series, std)
    scores = (series - mean) / np.where(is_constant, np.inf, std)
    r = scores.T @ scores / len(series)
    return np.concatenate([mean, std, r[np.triu_indices(len(mean), k=1)]])


def describe(views: Iterable[np.ndarray], statistics: str) -> np.ndarray:
    """Return the features of each view's series of frames, one after the other."""
    of_view = {"correlations": correlations, "moments": moments}[statistics]
    return np.concatenate([of_view(series) for series in views])


def feature_names(
    n_mfcc: int, statistics: str, views: Sequence[str] = ("mix",)
) -> list[str]:
    """Return the names of the features that `describe` returns."""
    numbers = [f"{i + 1:02d}" for i in range(n_mfcc)]
    if statistics == "moments":
        names = [f"{name}_{i}" for name in STATISTICS for i in numbers]
    else:
        names = [f"{name}_{i}" for name in ("mean", "std") for i in numbers]
        names += [f"corr_{i}_{j}" for i, j in combinations(numbers, 2)]
    prefixes = ("mfcc" if view == "mix" else f"mfcc_{view}" for view in views)
    return [f"{prefix}_{name}" for prefix in prefixes for name in names]


@validate_params(MFCC_CONSTRAINTS, prefer_skip_nested_validation=True)
def mfcc_statistics(
    waveform: np.ndarray,
    *,
    sample_rate: int = 22050,
    n_mfcc: int = 20,
    n_fft: int = 2048,
    hop_length: int = 512,
    n_mels: int = 128,
    statistics: str = "moments",
    views: Sequence[str] = ("mix",),
) -> np.ndarray:
    """Return statistics over time of a waveform's cepstral coefficients (MFCC).

    Parameters
    ----------
    waveform : array-like of shape (n_samples,)
        Mono, at `sample_rate`, in the range -1 to 1 (the first coefficient depends on
        the gain). Integers of up to 32 bits are fractions of their type's full scale:
        int16 of 32,768.

    sample_rate : int, default=22050
        Samples a second.

    n_mfcc : int, default=20
        Number of coefficients; at most `n_mels`.

    n_fft : int, default=2048
        Samples a frame.

    hop_length : int, default=512
        Samples from one frame to the next.

    n_mels : int, default=128
        Number of mel bands.

    statistics : {'moments', 'correlations'}, default='moments'
        'moments' are seven statistics of each coefficient; 'correlations' are mean
        and standard deviation of each, and the correlation of each pair.

    views : sequence of {'mix', 'harmonic', 'percussive'}, default=('mix',)
        What is described: the whole sound, its tones (harmonic), its strokes, as of
        drums (percussive), or several of these.

    Returns
    -------
    statistics : ndarray of shape (n_features,), float64
        Of each view, one after the other: for 'moments', ``7 * n_mfcc`` features, the
        excess kurtosis of all coefficients, then their maxima, means, medians, minima,
        skewnesses and standard deviations, the order of the columns of FMA's
        ``features.csv``. Kurtosis and skewness are the biased estimates; of a series
        that doesn't change they are -3 and 0, as in FMA's table.

        For 'correlations', ``2 * n_mfcc + n_mfcc * (n_mfcc - 1) / 2``: the means, the
        standard deviations, and Pearson's correlation over time of each pair of
        coefficients, (1, 2), (1, 3) and so on; 0 where one of them doesn't change.

    Raises
    ------
    ValueError
        If the waveform is empty, not 1-D or not finite, or a parameter is outside
        its range.

    See Also
    --------
    MFCCStandardizer : The same for many clips, and for sound files; standardised.

    Notes
    -----
    The coefficients are those of ``librosa.feature.mfcc(S=librosa.power_to_db(S))``
    for a mel spectrogram ``S``, and the moments those of FMA's ``features.py`` [1]_.
    Mean and covariance of the coefficients are the Gaussian that describes the sound
    of a clip in [2]_.

    The views are separated by medians of the mel power over 31 frames and over 17
    bands [3]_, with the soft masks of ``librosa.decompose.hpss`` for spectra. Each has
    a floor 80 dB below its own maximum.

    References
    ----------
    .. [1] M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson, "FMA: a dataset for
       music analysis", ISMIR 2017.
    .. [2] M. Mandel, D. Ellis, "Song-level features and support vector machines for
       music classification", ISMIR 2005.
    .. [3] D. FitzGerald, "Harmonic/percussive separation using median filtering",
       DAFx 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.features import mfcc_statistics
    >>> noise = np.random.default_rng(0).normal(size=22050)
    >>> mfcc_statistics(noise, n_mfcc=20).shape
    (140,)
    """
    check_n_mfcc(n_mfcc, n_mels)
    check_views(views)
    settings = MelSettings(sample_rate, n_fft, hop_length, n_mels).check()
    waveform = check_waveform(waveform, "The waveform")
    return describe(mfcc([waveform], settings, n_mfcc, views), statistics)
