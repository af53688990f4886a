"""From a dry mix to a recording: room, noise, spectral colour, dynamics, loudness."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from skgenre.datasets._synthetic._synthesis import Waveform, decay

N_BANDS = 64
"""Bands of the equaliser, equally wide on the mel scale."""
# Length of the frames it works on, in seconds; rounded to a power of two of samples.
_FRAME_SECONDS = 0.093
# Levels further below the highest than this, in dB, count as this.
_RANGE = 60.0
# What the equaliser may do to a band, in dB, and the compressor to its dynamics.
_MOST = 30.0
_FACTORS = 0.4, 2.5
# A gain is interpolated between bands, so the levels aren't met at once.
_N_PASSES = 3


@dataclass(frozen=True)
class Recording:
    """How a recording sounds, whatever is played in it."""

    colour: NDArray[np.floating]
    """Mean level of each of `N_BANDS` bands, in dB."""
    dynamics: NDArray[np.floating]
    """How far that mean lies below the highest level in the band, in dB."""
    room_seconds: float
    """Time in which the room's reverberation falls by 60 dB."""
    room_level: float
    """Energy of the reverberation to that of the direct sound."""
    noise: float
    """Level of the noise to the mix, in dB."""
    peak: float
    """Highest absolute sample."""


def random_curve(rng: np.random.Generator, deviation: float) -> NDArray[np.floating]:
    """Draw a value for each band: slow waves along the bands, and a little ripple."""
    position = np.linspace(0, np.pi, N_BANDS)
    waves = np.array([1, 2, 3, 5])[:, None]
    phases = rng.uniform(0, 2 * np.pi, size=(4, 1))
    weights = rng.normal(0, deviation / np.sqrt(2), size=(4, 1))
    curve = (weights * np.cos(waves * position + phases)).sum(axis=0)
    return curve + rng.normal(0, 1.0 * deviation, size=N_BANDS)


def _room(
    n_samples: int, seconds: float, rng: np.random.Generator, sample_rate: int
) -> Waveform:
    """Return an impulse response: noise that decays, with energy 1."""
    n_samples = min(n_samples, max(1, int(seconds * sample_rate)))
    response = rng.standard_normal(n_samples, dtype=np.float32)
    response *= decay(n_samples, seconds, sample_rate)
    return response / np.linalg.norm(response)


def add_room_and_noise(
    mix: Waveform, recording: Recording, rng: np.random.Generator, sample_rate: int
) -> Waveform:
    """Put the mix into a room that reverberates and is not quite silent.

    Parameters
    ----------
    mix : ndarray of shape (n_samples,)
        The instruments.
    recording : Recording
        Holds the room and the level of the (pink) noise.
    rng : Generator
        Draws both.
    sample_rate : int
        Of the mix.

    Returns
    -------
    ndarray of shape (n_samples,), float32
        Of the same length.
    """
    room = _room(len(mix), recording.room_seconds, rng, sample_rate)
    size = fft.next_fast_len(len(mix) + len(room), real=True)
    spectrum = fft.rfft(mix, size)
    spectrum *= 1 + np.float32(np.sqrt(recording.room_level)) * fft.rfft(room, size)
    noise = rng.standard_normal(2 * len(spectrum), dtype=np.float32)
    pink = noise.view(np.complex64)
    pink /= np.sqrt(np.arange(1, len(pink) + 1, dtype=np.float32))
    level = 10 ** (recording.noise / 20) * np.linalg.norm(spectrum)
    spectrum += np.float32(level / np.linalg.norm(pink)) * pink
    return fft.irfft(spectrum, size)[: len(mix)]


def master(waveform: Waveform, recording: Recording, sample_rate: int) -> Waveform:
    """Bring a recording to its colour, its dynamics and its loudness.

    A multi-band compressor and an equaliser in one. In each band and frame the level
    is made ``colour + factor * (level - mean level)``, in dB, with the factor that
    gives the band its dynamics. So the mean spectrum shows how a clip was recorded;
    what is played must be heard in the time.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        The recording.
    recording : Recording
        Holds the colour, the dynamics and the peak.
    sample_rate : int
        Of the recording.

    Returns
    -------
    ndarray of shape (n_samples,), float32
        Of the same length, with the peak wanted and no constant part.
    """
    frame = 2 ** round(np.log2(_FRAME_SECONDS * sample_rate))
    hop = frame // 2
    window = np.sqrt(np.hanning(frame + 1)[:-1]).astype(np.float32)
    padded = np.pad(waveform, (frame, 2 * frame))
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame)[::hop] * window
    spectrum = fft.rfft(frames)[:, :-1]
    _level(spectrum, recording, sample_rate)
    spectrum[:, 0] = 0
    halves = (fft.irfft(spectrum, frame) * window).reshape(-1, 2, hop)
    joined = (halves[1:, 0] + halves[:-1, 1]).ravel()
    mastered = joined[frame - hop :][: len(waveform)]
    mastered -= mastered.mean()
    mastered *= recording.peak / max(float(np.abs(mastered).max()), 1e-9)
    return mastered


def _level(
    spectrum: NDArray[np.complexfloating], recording: Recording, sample_rate: int
) -> None:
    """Change a spectrogram (n_frames, n_bins) in place, band by band."""
    n_bins = spectrum.shape[1]
    # Where the bins lie on the mel scale, in bands, and at which bin a band begins.
    position = np.log1p(np.arange(n_bins) / n_bins * sample_rate / 1400)
    position *= N_BANDS / np.log1p(sample_rate / 1400)
    edges = np.searchsorted(position, np.arange(N_BANDS))
    widths = np.diff([*edges, n_bins])
    # Between which two bands' centres a bin lies, and how near to the upper one.
    centred = np.clip(position - 0.5, 0, N_BANDS - 1)
    below = np.minimum(centred.astype(int), N_BANDS - 2)
    share = (centred - below).astype(np.float32)
    for i in range(_N_PASSES):
        power = np.add.reduceat(spectrum.real**2 + spectrum.imag**2, edges, axis=1)
        levels = 10 * np.log10(power / widths + 1e-12)
        levels = np.maximum(levels, levels.max(axis=0) - _RANGE)
        heard = levels[1:-2]  # without the frames of padding
        mean = heard.mean(axis=0)
        lift = recording.colour - mean
        lift = np.clip(lift - lift.mean(), -_MOST, _MOST)[None]
        if i == 0:
            factor = recording.dynamics / np.maximum(heard.max(axis=0) - mean, 1)
            lift = lift + (np.clip(factor, *_FACTORS) - 1) * (levels - mean)
        gains = (10 ** (lift / 20)).astype(np.float32)
        spectrum *= gains[:, below] * (1 - share) + gains[:, below + 1] * share
