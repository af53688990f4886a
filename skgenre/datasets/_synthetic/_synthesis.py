"""Instruments: pure functions from a pitch and a length to a waveform.

Lengths are in samples, frequencies in Hz; every waveform is a float32 array of shape
(n_samples,) with peaks near 1. A sound that has to be random takes a generator.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Waveform = NDArray[np.float32]

_TABLE_BITS = 11
_TABLE_SIZE = 1 << _TABLE_BITS
# Partials above this share of the sample rate are left out: no aliasing.
_HIGHEST = 0.45


def midi_to_hz(pitch: float) -> float:
    """Return the frequency of a MIDI pitch (69 is A4, 440 Hz; 12 an octave)."""
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


def envelope(
    n_samples: int, attack: float, release: float, sample_rate: int
) -> Waveform:
    """Return a rise of `attack` seconds to 1, and a fall of `release` to 0 at the end.

    Both are raised cosines, shortened alike where they don't fit in.
    """
    wanted = np.array([attack, release]) * sample_rate
    wanted *= min(1.0, n_samples / max(wanted.sum(), 1))
    up, down = (int(n) for n in wanted)
    curve = np.ones(n_samples, dtype=np.float32)
    curve[:up] = 0.5 - 0.5 * np.cos(np.pi * np.arange(up, dtype=np.float32) / up)
    if down:
        fall = np.arange(1, down + 1, dtype=np.float32) / down
        curve[-down:] *= 0.5 + 0.5 * np.cos(np.pi * fall)
    return curve


def swell(n_samples: int) -> Waveform:
    """Return a slow rise to 1 and a fall back to 0: half a period of a sine."""
    return np.sin(np.linspace(0, np.pi, n_samples, dtype=np.float32))


def decay(n_samples: int, seconds: float, sample_rate: int) -> Waveform:
    """Return an exponential that falls by 60 dB in `seconds`."""
    rate = -np.log(1000.0) / (seconds * sample_rate)
    return np.exp(np.float32(rate) * np.arange(n_samples, dtype=np.float32))


def _cycle(frequency: float, harmonics: NDArray, sample_rate: int) -> Waveform:
    """Return one period of a sum of harmonics, with peak 1."""
    n_harmonics = min(len(harmonics), int(_HIGHEST * sample_rate / frequency))
    order = np.arange(1, n_harmonics + 1)
    spectrum = np.zeros(_TABLE_SIZE // 2 + 1, dtype=np.complex64)
    # Schroeder's phases keep the peaks low.
    phases = -np.pi * order * (order - 1) / max(n_harmonics, 1)
    spectrum[1 : n_harmonics + 1] = harmonics[:n_harmonics] * np.exp(1j * phases)
    cycle = fft.irfft(spectrum, _TABLE_SIZE)
    return cycle / max(np.abs(cycle).max(), 1e-9)


def tone(
    frequency: float, n_samples: int, harmonics: NDArray, sample_rate: int
) -> Waveform:
    """Return a steady tone of given amplitudes of its harmonics (additive synthesis).

    One period is computed and read at the pitch's pace: an integer that overflows is
    the phase, its upper bits the place in the period.
    """
    cycle = _cycle(frequency, harmonics, sample_rate)
    step = np.uint32(round(frequency / sample_rate * 2**32) % 2**32)
    phase = np.arange(n_samples, dtype=np.uint32) * step
    return cycle[phase >> np.uint32(32 - _TABLE_BITS)]


def pluck(
    frequency: float,
    n_samples: int,
    brightness: float,
    rng: np.random.Generator,
    sample_rate: int,
) -> Waveform:
    """Return a plucked string.

    Karplus and Strong's: a period of noise goes round and round through a filter that
    takes off the treble. Here every round is computed at once, as the period's spectrum
    times a power of the filter's [1]_.

    References
    ----------
    .. [1] K. Karplus, A. Strong, "Digital Synthesis of Plucked-String and Drum
       Timbres", Computer Music Journal 7(2), 1983.
    """
    period = max(2, round(sample_rate / frequency))
    # The period is a whole number of samples; reading it slower or faster tunes it.
    pace = frequency * period / sample_rate
    n_rounds = int(n_samples * pace / period) + 2
    noise = rng.uniform(-1, 1, period).astype(np.float32)
    spectrum = fft.rfft(noise - noise.mean())
    angle = np.pi * np.arange(len(spectrum)) / period
    loss = 0.996 * (1 - (1 - brightness) * np.sin(angle) ** 2)
    powers = np.exp(np.outer(np.arange(n_rounds), np.log(loss)).astype(np.float32))
    string = fft.irfft(powers * spectrum, period, axis=1).ravel()
    string /= max(np.abs(string).max(), 1e-9)
    times = np.arange(n_samples) * pace
    return np.interp(times, np.arange(len(string)), string).astype(np.float32)


def bell(
    frequency: float, n_samples: int, ratio: float, index: float, sample_rate: int
) -> Waveform:
    """Return a struck tone: frequency modulation whose index decays [1]_.

    References
    ----------
    .. [1] J. Chowning, "The Synthesis of Complex Audio Spectra by Means of Frequency
       Modulation", Journal of the Audio Engineering Society 21(7), 1973.
    """
    seconds = np.arange(n_samples, dtype=np.float32) / np.float32(sample_rate)
    angle = np.float32(2 * np.pi * frequency) * seconds
    fall = np.exp(np.float32(-4.0) * seconds)
    modulator = np.float32(index) * fall * np.sin(np.float32(ratio) * angle)
    return np.sin(angle + modulator) * np.sqrt(fall)


def kick(frequency: float, seconds: float, sample_rate: int) -> Waveform:
    """Return a bass drum: a sine that drops to `frequency` within a few periods."""
    n_samples = max(1, int(seconds * sample_rate))
    time = np.arange(n_samples, dtype=np.float32) / np.float32(sample_rate)
    drop = 3.0 * 0.02 * (1 - np.exp(-time / 0.02))  # integral of the pitch's fall
    sound = np.sin(2 * np.pi * np.float32(frequency) * (time + drop))
    return sound * decay(n_samples, seconds, sample_rate)


def noise(
    low: float,
    high: float,
    n_samples: int,
    rng: np.random.Generator,
    sample_rate: int,
) -> Waveform:
    """Return noise between two frequencies: cymbals, shakers, snares, the sea."""
    size = fft.next_fast_len(n_samples, real=True)
    spectrum = fft.rfft(rng.standard_normal(size, dtype=np.float32))
    frequencies = fft.rfftfreq(size, 1 / sample_rate)
    # Slopes of 12 dB an octave on both sides.
    gain = 1 / (1 + (low / np.maximum(frequencies, 1.0)) ** 2)
    gain /= 1 + (frequencies / high) ** 2
    filtered = fft.irfft(spectrum * gain.astype(np.float32), size)[:n_samples]
    return filtered / max(np.abs(filtered).max(), 1e-9)


def snare(
    frequency: float,
    seconds: float,
    wires: float,
    rng: np.random.Generator,
    sample_rate: int,
) -> Waveform:
    """Return a snare drum: a drum skin, and `wires` (0 to 1) of noise with it."""
    n_samples = max(1, int(seconds * sample_rate))
    rattle = noise(900.0, 6000.0, n_samples, rng, sample_rate)
    rattle *= np.float32(wires) * decay(n_samples, seconds, sample_rate)
    skin = kick(frequency, seconds * 0.6, sample_rate)
    rattle[: len(skin)] += np.float32(1 - wires) * skin
    return rattle
