"""Octaves that speak for a genre, of a model that listens to one of them."""

import numpy as np
import pytest
import soundfile

from skgenre.audio import load_audio
from skgenre.explore._model import _why
from skgenre.explore._model._why import explain

RATE = 22050


def loudness(samples, low, high):
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return power[(hertz >= low) & (hertz < high)].sum() / len(samples)


@pytest.fixture
def song(tmp_path):
    """Tones at 300 Hz and 5 kHz."""
    seconds = np.arange(4 * RATE + 7) / RATE
    tones = sum(0.2 * np.sin(2 * np.pi * hertz * seconds) for hertz in (300, 5000))
    path = tmp_path / "song.flac"
    soundfile.write(path, tones, RATE)
    return str(path)


def low_or_not(clips):
    """A model: the more there is between 200 and 400 Hz, the more it is of genre 1."""
    share = [loudness(c.samples, 200, 400) for c in clips]
    share = np.array(share) / (np.array(share) + 1)
    return np.column_stack([1 - share, share])


def test_the_octave_that_matters_is_found_and_heard_alone(song):
    why = explain(low_or_not, song, load_audio)
    assert why.genre == 1 and why.probability > 0.9
    bands = why.shown()["bands"]
    assert [band["low"] for band in bands if band["is_kept"]] == [200]
    assert bands[2]["weight"] == 1 and bands[6]["weight"] == 0
    assert bands[0]["from"] == 0 and bands[-1]["to"] == 1
    sound, rate = why.sound(song, load_audio)
    assert rate == RATE and len(sound) == 4 * RATE + 7
    assert loudness(sound, 200, 400) > 1000 * loudness(sound, 4000, 6000)


def test_of_a_long_song_a_part_is_explained_and_heard(song, monkeypatch):
    monkeypatch.setattr(_why, "LONGEST", 1.0)
    lengths = set()

    def look_at_lengths(clips):
        lengths.update(len(clip.samples) for clip in clips)
        return low_or_not(clips)

    sound, _ = explain(look_at_lengths, song, load_audio).sound(song, load_audio)
    assert lengths == {RATE} and len(sound) == RATE


def test_nothing_matters(song):
    why = explain(lambda clips: np.full((len(clips), 2), 0.5), song, load_audio)
    assert not why.weights.any()
    assert not any(band["is_kept"] for band in why.shown()["bands"])
