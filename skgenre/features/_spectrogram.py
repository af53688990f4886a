"""Waveform to mel spectrogram: pure functions on one clip."""

import functools
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Self

import numpy as np
import scipy.fft
from sklearn.base import BaseEstimator

from skgenre._sklearn_compat import Interval, validate_params
from skgenre._text import format_list
from skgenre.audio._check_clips import check_waveform
from skgenre.audio._readers import MAX_SAMPLE_RATE
from skgenre.features._mel_filters import mel_filter_bank
from skgenre.features._views import separate_views

# Power below which librosa's power_to_db sees nothing ('amin').
AMIN = 1e-10

# Frames transformed together: their buffers fit into the processor's second cache.
_BLOCK = 32
# Bands multiplied together: a few neighbours span a small part of the spectrum, and
# the zeros in the rest of the filter bank aren't multiplied.
_BANDS = 16

MEL_CONSTRAINTS: dict = {
    "sample_rate": [Interval(Integral, 1, MAX_SAMPLE_RATE, closed="both")],
    "n_fft": [Interval(Integral, 2, None, closed="left")],
    "hop_length": [Interval(Integral, 1, None, closed="left")],
    "n_mels": [Interval(Integral, 1, None, closed="left")],
}
BAND_CONSTRAINTS: dict = {
    "fmin": [Interval(Real, 0, None, closed="left")],
    "fmax": [Interval(Real, 0, None, closed="neither"), None],
}
VIEWS = ("mix", "harmonic", "percussive")
VIEWS_CONSTRAINT: dict = {"views": [tuple, list]}
TOP_DB_CONSTRAINT: dict = {"top_db": [Interval(Real, 0, None, closed="neither")]}


@dataclass(frozen=True)
class MelSettings:
    """The parameters of the power in mel bands."""

    sample_rate: int = 22050
    n_fft: int = 2048
    hop_length: int = 1024
    n_mels: int = 128
    fmin: float = 0.0
    fmax: float | None = None

    @classmethod
    def of(cls, step: BaseEstimator) -> Self:
        """Return the settings among a step's parameters; defaults for all others."""
        parameters = step.get_params(deep=False)
        return cls(
            **{k: v for k, v in parameters.items() if k in cls.__dataclass_fields__}
        )

    def check(self) -> Self:
        """Return self, or raise a ValueError if settings contradict one another.

        Warns if bands are so narrow that they contain no bin of the spectrum.
        """
        nyquist = self.sample_rate / 2
        if self.fmax is not None and self.fmax > nyquist:
            raise ValueError(
                f"fmax must be at most half the sample rate, {nyquist:g} Hz for "
                f"sample_rate={self.sample_rate}. Got fmax={self.fmax!r}."
            )
        fmax = nyquist if self.fmax is None else self.fmax
        if self.fmin >= fmax:
            raise ValueError(
                f"fmin must be smaller than fmax, {fmax:g} Hz here. Got "
                f"fmin={self.fmin!r}."
            )
        n_empty = int((~filter_bank(self).any(axis=1)).sum())
        if n_empty:
            warnings.warn(
                f"{n_empty} of n_mels={self.n_mels} mel bands are narrower than a bin "
                f"of the spectrum and stay empty. Choose fewer bands or a larger "
                f"n_fft than {self.n_fft}.",
                UserWarning,
                stacklevel=3,
            )
        return self

    def n_frames(self, n_samples: int) -> int:
        """Return the number of a clip's frames, which are centred on the hops."""
        return 1 + (n_samples - self.n_fft % 2) // self.hop_length

    def sample_range(self, first: int, n_frames: int) -> tuple[int, int]:
        """Return the first sample of `n_frames` frames, and the one after the last."""
        start = first * self.hop_length - self.n_fft // 2
        return start, start + (n_frames - 1) * self.hop_length + self.n_fft


def check_views(views: Sequence[str]) -> None:
    """Refuse no view at all, the same one twice, and unknown ones."""
    is_known = all(isinstance(view, str) and view in VIEWS for view in views)
    if not views or not is_known or len(set(views)) < len(views):
        raise ValueError(
            f"views must be some of {format_list(map(repr, VIEWS))}, each once. Got "
            f"views=({format_list(map(repr, views))})."
        )


@functools.lru_cache(maxsize=8)
def filter_bank(settings: MelSettings) -> np.ndarray:
    fmax = settings.sample_rate / 2 if settings.fmax is None else settings.fmax
    return mel_filter_bank(
        sample_rate=settings.sample_rate,
        n_fft=settings.n_fft,
        n_mels=settings.n_mels,
        fmin=settings.fmin,
        fmax=fmax,
    )


@functools.lru_cache(maxsize=8)
def _bands(settings: MelSettings) -> list[tuple[slice, slice, np.ndarray]]:
    """Return the filter bank as (bins, bands, weights) without most of its zeros."""
    bank = filter_bank(settings)
    parts = []
    for first in range(0, settings.n_mels, _BANDS):
        rows = bank[first : first + _BANDS]
        used = np.flatnonzero(rows.any(axis=0))
        bins = slice(used[0], used[-1] + 1) if len(used) else slice(0, 1)
        bands = slice(first, first + len(rows))
        parts.append((bins, bands, np.ascontiguousarray(rows[:, bins].T)))
    return parts


@functools.lru_cache(maxsize=8)
def hann_window(n_fft: int) -> np.ndarray:
    """Return a periodic Hann window, for spectra rather than for filters."""
    angles = 2 * np.pi * np.arange(n_fft) / n_fft
    return 0.5 - 0.5 * np.cos(angles)


def mel_power(samples: np.ndarray, settings: MelSettings) -> np.ndarray:
    """Return the power in mel bands of the frames that `samples` exactly cover.

    Parameters
    ----------
    samples : ndarray of shape ((n_frames - 1) * hop_length + n_fft,), float32
        No padding is added; see :meth:`MelSettings.sample_range`.

    settings : MelSettings
        Frames and bands.

    Returns
    -------
    power : ndarray of shape (n_frames, n_mels), float32
        On the scale of ``librosa.feature.melspectrogram``.
    """
    n_fft, hop_length = settings.n_fft, settings.hop_length
    samples = np.ascontiguousarray(samples)
    frames = np.lib.stride_tricks.sliding_window_view(samples, n_fft)[::hop_length]
    n_frames = len(frames)
    window, parts = hann_window(n_fft), _bands(settings)
    n_block = min(_BLOCK, n_frames)
    # In single precision the transform's rounding errors, which a loud bass spreads
    # over the spectrum, would show in bands near the floor (by up to 0.003 dB);
    # double costs less than a millisecond more for 30 s.
    windowed = np.empty((n_block, n_fft), dtype=np.float64)
    power = np.empty((n_block, 1 + n_fft // 2), dtype=np.float32)
    result = np.empty((n_frames, settings.n_mels), dtype=np.float32)
    for first in range(0, n_frames, n_block):
        block = slice(first, min(first + n_block, n_frames))
        n = block.stop - block.start
        windowed[:n] = frames[block]
        windowed[:n] *= window  # separately: NumPy is slow at casting within a product
        spectrum = scipy.fft.rfft(windowed[:n], axis=1, overwrite_x=True)
        squares = spectrum.view(np.float64)
        np.square(squares, out=squares)
        np.add(squares[:, 0::2], squares[:, 1::2], out=power[:n], casting="same_kind")
        for bins, bands, weights in parts:
            np.matmul(power[:n, bins], weights, out=result[block, bands])
    return result


def pad_to_frames(waveform: np.ndarray, settings: MelSettings) -> np.ndarray:
    """Return a whole clip between zeros, so that its frames are centred on the hops."""
    start, stop = settings.sample_range(0, settings.n_frames(len(waveform)))
    padded = np.zeros(stop - start, dtype=np.float32)
    inside = waveform[:stop]
    padded[-start : len(inside) - start] = inside
    return padded


def mel_power_and_gain(
    samples: np.ndarray, settings: MelSettings
) -> tuple[np.ndarray, float]:
    """Return :func:`mel_power` of samples of any size.

    Returns
    -------
    power : ndarray of shape (n_frames, n_mels), float32
        Finite.

    gain : float
        Decibels to add to those of the power: 0, unless the samples were so large that
        their squares left float32's range and they were scaled down.
    """
    # The power of what is nearly silent leaves float32's range, too, and becomes 0.
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        power = mel_power(samples, settings)
        if np.isfinite(power).all():
            return power, 0.0
        peak = np.abs(samples).max()
        return mel_power(samples / peak, settings), 20 * float(np.log10(peak))


def mel_power_blocks(
    blocks: Iterable[np.ndarray], settings: MelSettings
) -> Iterator[tuple[np.ndarray, float]]:
    """Yield :func:`mel_power_and_gain` of a whole clip, some frames at a time.

    Parameters
    ----------
    blocks : iterable of ndarray of shape (n,), float32
        The clip's samples, one after the other. Its frames are centred on the hops, and
        outside it there is silence.

    settings : MelSettings
        Frames and bands.

    Yields
    ------
    power : ndarray of shape (n_frames, n_mels), float32
        Together the same as of the whole clip, padded by `pad_to_frames`, to the last
        bit.

    gain : float
        Decibels to add to those of the power.
    """
    n_fft, hop_length = settings.n_fft, settings.hop_length
    held = np.zeros(n_fft // 2, np.float32)  # from the first frame to come
    n_samples = n_done = 0
    for block in blocks:
        n_samples += len(block)
        held = np.concatenate([held, block])
        n_frames = min((len(held) - n_fft) // hop_length + 1, len(held) // hop_length)
        # Products of as many frames as in a whole clip, which are rounded as there.
        n_frames -= n_frames % _BLOCK
        if n_frames > 0:
            covered = held[: (n_frames - 1) * hop_length + n_fft]
            yield mel_power_and_gain(covered, settings)
            held = held[n_frames * hop_length :]
            n_done += n_frames
    n_frames = settings.n_frames(n_samples) - n_done
    if n_frames > 0:
        last = np.zeros((n_frames - 1) * hop_length + n_fft, np.float32)
        held = held[: len(last)]
        last[: len(held)] = held
        yield mel_power_and_gain(last, settings)


def view_powers(
    parts: Sequence[tuple[np.ndarray, float]], views: Sequence[str]
) -> Iterable[list[np.ndarray]]:
    """Return the power of each view in parts of a clip; see `separate_views`."""
    if tuple(views) == VIEWS[:1]:
        return ([power] for power, _ in parts)
    return separate_views(parts, views)


def relative_decibels(power: np.ndarray, top_db: float) -> np.ndarray:
    """Return power in dB relative to its loudest value, computed in place."""
    floor = np.float32(-top_db)
    peak = power.max()
    if peak <= AMIN:
        power.fill(floor)
        return power
    # Not log10(power / peak): the ratio could leave float32's range.
    with np.errstate(divide="ignore"):
        decibels = np.log10(power, out=power)
    decibels -= np.log10(peak)
    decibels *= np.float32(10)
    return np.maximum(decibels, floor, out=decibels)


def log_mel(
    samples: np.ndarray,
    settings: MelSettings,
    top_db: float,
    views: Sequence[str] = ("mix",),
) -> np.ndarray:
    """Return the views of :func:`mel_power`, each in dB relative to its loudest value.

    Returns
    -------
    ndarray of shape (n_frames, n_views * n_mels), float32
    """
    (powers,) = view_powers([mel_power_and_gain(samples, settings)], views)
    decibels = [relative_decibels(power, top_db) for power in powers]
    return decibels[0] if len(decibels) == 1 else np.concatenate(decibels, axis=1)


@validate_params(
    MEL_CONSTRAINTS | BAND_CONSTRAINTS | TOP_DB_CONSTRAINT | VIEWS_CONSTRAINT,
    prefer_skip_nested_validation=True,
)
def log_mel_spectrogram(
    waveform: np.ndarray,
    *,
    sample_rate: int = 22050,
    n_fft: int = 2048,
    hop_length: int = 1024,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    top_db: float = 80.0,
    views: Sequence[str] = ("mix",),
) -> np.ndarray:
    """Return the log-mel spectrogram of a waveform.

    Parameters
    ----------
    waveform : array-like of shape (n_samples,)
        Mono, at `sample_rate`. Integers of up to 32 bits are fractions of their type's
        full scale: int16 of 32,768.

    sample_rate : int, default=22050
        Samples a second.

    n_fft : int, default=2048
        Samples a frame.

    hop_length : int, default=1024
        Samples from one frame to the next. Frame `i` is centred on sample
        ``i * hop_length``; outside the waveform there is silence.

    n_mels : int, default=128
        Number of mel bands.

    fmin : float, default=0.0
        Lower edge of the lowest band, in Hz.

    fmax : float or None, default=None
        Upper edge of the highest band, in Hz; None means ``sample_rate / 2``.

    top_db : float, default=80.0
        Depth of the floor below the loudest value, in dB.

    views : sequence of {'mix', 'harmonic', 'percussive'}, default=('mix',)
        What is seen: the whole sound, its tones (harmonic), its strokes, as of drums
        (percussive), or several of these, side by side.

    Returns
    -------
    spectrogram : ndarray of shape (n_frames, n_mels), float32
        In dB: 0 is the loudest value, ``-top_db`` the floor, of each view. A silent
        waveform is all floor. Several views have ``n_views * n_mels`` columns.
        ``n_frames`` is ``1 + n_samples // hop_length`` for an even `n_fft`.

    Raises
    ------
    ValueError
        If the waveform is empty, not 1-D or not finite, or a parameter is outside
        its range.

    See Also
    --------
    MelSpectrogramTransformer : The same for many clips, and for sound files.
    mfcc_statistics : Statistics of cepstral coefficients over the frames.

    Notes
    -----
    Frames have a periodic Hann window, and bands are Slaney's [1]_, of equal area.
    The result is that of ``librosa.feature.melspectrogram`` followed by
    ``librosa.power_to_db(ref=numpy.max)``, transposed, with two differences: it
    doesn't depend on the waveform's gain, where librosa cuts off all power below
    1e-10; and a waveform without any power above that is floor, not 0 dB.

    The views are separated by medians of the mel power over 31 frames and over 17
    bands [2]_, with the soft masks of ``librosa.decompose.hpss`` for spectra.

    References
    ----------
    .. [1] M. Slaney, "Auditory Toolbox, version 2", Technical Report 1998-010,
       Interval Research Corporation, 1998.
    .. [2] D. FitzGerald, "Harmonic/percussive separation using median filtering",
       DAFx 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.features import log_mel_spectrogram
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    >>> spectrogram = log_mel_spectrogram(tone)
    >>> spectrogram.shape, spectrogram.dtype
    ((22, 128), dtype('float32'))
    >>> float(spectrogram.max()), float(spectrogram.min())
    (0.0, -80.0)
    """
    check_views(views)
    settings = MelSettings(sample_rate, n_fft, hop_length, n_mels, fmin, fmax).check()
    samples = pad_to_frames(check_waveform(waveform, "The waveform"), settings)
    return log_mel(samples, settings, top_db, views)
