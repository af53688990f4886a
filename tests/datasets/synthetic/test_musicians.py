import numpy as np
import pytest

from skgenre.datasets._synthetic._musicians import draw_artist, draw_song, perform
from skgenre.datasets._synthetic._styles import STYLES

RATE = 22050


@pytest.mark.parametrize("genre", STYLES)
@pytest.mark.parametrize("rate", [8000, RATE, 44100])
def test_clips_are_sound(genre, rate):
    artist = draw_artist(np.random.default_rng(1))
    n_samples = 3 * rate
    rng = np.random.default_rng(2)
    clip = perform(STYLES[genre], artist, n_samples, rng, rate)
    assert clip.shape == (n_samples,)
    assert clip.dtype == np.float32
    assert 0.35 < np.abs(clip).max() < 1
    assert 0.01 < np.sqrt(np.mean(clip**2)) < 0.4
    assert abs(clip.mean()) < 1e-4


def test_songs_of_an_artist_share_keys_and_tempo():
    artist = draw_artist(np.random.default_rng(0))
    rng = np.random.default_rng(1)
    songs = [draw_song(STYLES["rock"], artist, 10.0, rng) for _ in range(20)]
    assert {song.tonic - 48 for song, _ in songs} <= set(artist.tonics)
    tempos = [tempo for _, tempo in songs]
    slow, fast = STYLES["rock"].tempo
    assert slow <= min(tempos) < max(tempos) <= fast
    assert len({song.begin for song, _ in songs}) == 20
    song, tempo = songs[0]
    assert (song.end - song.begin) * 60 / tempo == pytest.approx(10)


def test_beat_of_a_steady_genre_is_in_the_sound():
    artist = draw_artist(np.random.default_rng(0))
    seconds = 10
    tempo = draw_song(STYLES["techno"], artist, seconds, np.random.default_rng(5))[1]
    clip = perform(
        STYLES["techno"], artist, seconds * RATE, np.random.default_rng(5), RATE
    )
    # Energy of the bass in steps of 10 ms, and how it repeats.
    spectrum = np.fft.rfft(clip)
    spectrum[150 * seconds :] = 0
    low = np.fft.irfft(spectrum)
    energy = (low[: seconds * 100 * 220].reshape(-1, 220) ** 2).sum(axis=1)
    rise = np.maximum(0, np.diff(energy))
    period = 60 / tempo * RATE / 220
    lags = np.arange(int(0.7 * period), int(1.4 * period))
    likeness = [(rise[:-lag] * rise[lag:]).sum() for lag in lags]
    assert lags[np.argmax(likeness)] == pytest.approx(period, abs=2)
