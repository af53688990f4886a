import numpy as np
import pytest

from skgenre.datasets._synthetic import _synthesis as synth

RATE = 22050
SECOND = RATE


def peak_frequency(waveform):
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return spectrum.argmax() * RATE / len(waveform)


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("pitch", [33, 57, 69, 84])
@pytest.mark.parametrize("kind", ["tone", "bell", "pluck"])
def test_notes_are_in_tune(kind, pitch):
    frequency = synth.midi_to_hz(pitch)
    note = {
        "tone": lambda: synth.tone(frequency, SECOND, np.array([1, 0.3, 0.2]), RATE),
        "bell": lambda: synth.bell(frequency, SECOND, 2.0, 0.3, RATE),
        "pluck": lambda: synth.pluck(frequency, SECOND, 0.1, rng(), RATE),
    }[kind]()
    assert note.dtype == np.float32
    assert note.shape == (SECOND,)
    assert np.abs(note).max() <= 1.001
    # Strings may have a harmonic that is stronger than the fundamental.
    ratio = peak_frequency(note) / frequency
    assert ratio == pytest.approx(max(1, round(ratio)), abs=0.02)


def test_midi():
    assert synth.midi_to_hz(69) == 440
    assert synth.midi_to_hz(60) == pytest.approx(261.63, abs=0.01)


def test_tone_has_no_alias():
    note = synth.tone(3000, SECOND, np.ones(40), RATE)
    spectrum = np.abs(np.fft.rfft(note))
    loud = np.flatnonzero(spectrum > 0.05 * spectrum.max())
    assert set(np.round(loud / 1000).astype(int)) == {3, 6, 9}


def test_pluck_loses_treble_before_bass():
    note = synth.pluck(220, SECOND, 0.3, rng(), RATE)

    def centroid(part):
        power = np.abs(np.fft.rfft(part)) ** 2
        return (power * np.arange(len(power))).sum() / power.sum()

    assert centroid(note[-4096:]) < 0.5 * centroid(note[:4096])
    assert np.abs(note[-4096:]).max() < np.abs(note[:4096]).max()


def test_envelopes():
    curve = synth.envelope(SECOND, 0.1, 0.2, RATE)
    assert curve[0] == 0
    assert curve[SECOND // 2] == 1
    assert curve[-1] == pytest.approx(0, abs=1e-6)
    assert len(synth.envelope(10, 0.1, 0.2, RATE)) == 10
    fall = synth.decay(SECOND + 1, 1.0, RATE)
    assert fall[-1] == pytest.approx(1e-3, rel=1e-3)
    assert synth.swell(101).argmax() == 50


def test_drums():
    boom = synth.kick(50, 0.3, RATE)
    assert len(boom) == int(0.3 * RATE)
    assert peak_frequency(boom[2000:]) == pytest.approx(50, abs=10)
    hiss = synth.noise(4000, 8000, SECOND, rng(), RATE)
    assert 4000 < peak_frequency(hiss) < 9000
    assert np.abs(hiss).max() == pytest.approx(1)
    rattle = synth.snare(180, 0.2, 0.5, rng(), RATE)
    assert np.abs(rattle).max() <= 1.001
