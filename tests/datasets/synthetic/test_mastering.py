import numpy as np
import pytest

from skgenre.datasets._synthetic._mastering import (
    N_BANDS,
    Recording,
    add_room_and_noise,
    master,
    random_curve,
)

RATE = 22050


def recording(**changes):
    plain = {
        "colour": np.zeros(N_BANDS),
        "dynamics": np.full(N_BANDS, 12.0),
        "room_seconds": 0.3,
        "room_level": 0.2,
        "noise": -40.0,
        "peak": 0.5,
    }
    return Recording(**(plain | changes))


def noise(n_samples=5 * RATE):
    return np.random.default_rng(0).standard_normal(n_samples, dtype=np.float32)


def decibels(waveform, low, high):
    """Mean level between two frequencies, in dB."""
    frames = waveform[: len(waveform) // 2048 * 2048].reshape(-1, 2048)
    power = np.abs(np.fft.rfft(frames * np.hanning(2048))) ** 2
    first, last = (round(f * 2048 / RATE) for f in (low, high))
    return 10 * np.log10(power[:, first:last].mean(axis=1)).mean()


@pytest.mark.parametrize("n_samples", [1, 1000, RATE, 50_000])
@pytest.mark.parametrize("rate", [8000, RATE, 96_000])
def test_length_peak_and_mean(n_samples, rate):
    waveform = master(noise(n_samples), recording(), rate)
    assert waveform.shape == (n_samples,)
    assert waveform.dtype == np.float32
    assert np.abs(waveform).max() <= 0.5 + 1e-6
    assert abs(waveform.mean()) < 1e-6


def test_silence_stays_finite():
    assert np.isfinite(master(np.zeros(RATE, np.float32), recording(), RATE)).all()


def test_colour_is_met_whatever_the_mix():
    colour = np.linspace(0, -20, N_BANDS)
    levels = []
    for mix in (noise(), np.cumsum(noise()) / 50):  # white and brown
        waveform = master(mix.astype(np.float32), recording(colour=colour), RATE)
        levels.append([decibels(waveform, f, 1.3 * f) for f in (200, 800, 3000, 8000)])
    white, brown = np.array(levels) - np.mean(levels, axis=1, keepdims=True)
    np.testing.assert_allclose(white, brown, atol=1.5)
    assert (np.diff(white) < -2).all()


def test_dynamics_are_met():
    time = np.arange(5 * RATE) / RATE
    mix = noise() * 10 ** ((8 * np.sin(2 * np.pi * time) - 8) / 20).astype(np.float32)

    def depth(dynamics):
        settings = recording(dynamics=np.full(N_BANDS, dynamics))
        waveform = master(mix, settings, RATE)
        rms = np.sqrt(np.mean(waveform[: RATE * 5].reshape(-1, 2205) ** 2, axis=1))
        return 20 * np.log10(rms.max() / rms.min())

    assert depth(18.0) > depth(9.0) + 5


def test_room_rings_after_the_sound():
    mix = np.zeros(RATE, dtype=np.float32)
    mix[:1000] = noise(1000)
    rng = np.random.default_rng(0)
    dry = add_room_and_noise(mix, recording(room_level=0.0), rng, RATE)
    wet = add_room_and_noise(mix, recording(room_level=0.5), rng, RATE)
    assert np.abs(wet[1500:3000]).mean() > 5 * np.abs(dry[1500:3000]).mean()
    assert np.abs(dry[1500:]).mean() > 0


def test_curves_differ_and_have_the_deviation_asked_for():
    rng = np.random.default_rng(0)
    curves = np.array([random_curve(rng, 2.0) for _ in range(200)])
    assert curves.shape == (200, N_BANDS)
    assert 2 < curves.std() < 4
