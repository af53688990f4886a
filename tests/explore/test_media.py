"""Sound as a browser plays it, of songs of any length."""

import numpy as np
import soundfile

from skgenre.audio import load_audio
from skgenre.explore import _media
from skgenre.explore._media import Media, spectrogram


def test_of_a_long_song_a_part_is_played_and_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(_media, "_LONGEST_PLAYED", 2.0)
    monkeypatch.setattr(_media, "LONGEST", 1.0)
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, 3 * 8000)
    soundfile.write(path := tmp_path / "long.aiff", noise, 8000)
    media = Media(load_audio)
    try:
        assert soundfile.info(media.as_wav(str(path))).duration == 2
    finally:
        media.close()
    assert spectrogram(str(path), load_audio)["seconds"] == 1
