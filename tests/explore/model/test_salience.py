"""Parts of a song that speak for a genre to a network, of one that hears a tone."""

import base64

import numpy as np
import pytest
import soundfile
from sklearn.pipeline import make_pipeline

from skgenre import CRNNClassifier, MelSpectrogramTransformer, SegmentClassifier
from skgenre.audio import load_audio
from skgenre.explore._media import spectrogram
from skgenre.explore._model._network import NetworkView

pytestmark = pytest.mark.slow  # TensorFlow is loaded

RATE = 22050
HERTZ = 3000


def sound_of(is_tone, seconds, seed, start=0.0):
    """Return noise, with a tone of a second after each other if it is to have some."""
    wave = np.random.default_rng(seed).normal(0, 0.01, int(seconds * RATE))
    time = np.arange(len(wave)) / RATE
    if is_tone:
        wave += 0.3 * np.sin(2 * np.pi * HERTZ * time) * (time >= start)
    return wave.astype(np.float32)


@pytest.fixture(scope="module")
def model():
    clips = [(sound_of(i % 2, 2.0, i), RATE) for i in range(40)]
    network = CRNNClassifier(
        filters=(8,), lstm_units=8, learning_rate=0.01, epochs=15, random_state=0
    )
    segments = SegmentClassifier(network, window=20, hop=20)
    mel = MelSpectrogramTransformer(n_frames=40, n_mels=32)
    return make_pipeline(mel, segments).fit(clips, ["noise", "tone"] * 20)


def test_the_tone_is_found_where_it_is_and_heard_alone(model, tmp_path):
    path = tmp_path / "song.flac"
    soundfile.write(path, sound_of(True, 6.0, 99, start=3.0), RATE)
    view = NetworkView(model, model[-1].estimator_)
    found = view.explain(model.predict_proba, str(path), load_audio)
    assert model.classes_[found.genre] == "tone" and found.probability > 0.5
    shown = found.shown()["salience"]
    seen = spectrogram(str(path), load_audio)
    assert shown["bands"] == seen["bands"]
    assert shown["seconds"] == pytest.approx(seen["seconds"], abs=0.1)
    weights = np.frombuffer(base64.b64decode(shown["values"]), np.uint8)
    weights = weights.reshape(shown["columns"], shown["bands"]).astype(float)
    loud = np.frombuffer(base64.b64decode(seen["values"]), np.uint8)
    band = loud.reshape(seen["columns"], -1).mean(axis=0).argmax()
    half = shown["columns"] // 2
    around = weights[half + 4 :, band - 3 : band + 4]
    assert around.mean() > 4 * weights[: half - 4].mean()
    assert around.mean() > 4 * weights[half + 4 :, : band - 8].mean()
    sound, rate = found.sound(str(path), load_audio)
    assert rate == RATE and len(sound) == 6 * RATE
    assert np.abs(sound).max() == pytest.approx(0.9, abs=0.01)
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    assert power[np.abs(hertz - HERTZ) < 200].sum() > 0.95 * power.sum()


def test_silence_speaks_for_nothing(model, tmp_path):
    path = tmp_path / "silence.flac"
    soundfile.write(path, np.zeros(RATE), RATE)
    view = NetworkView(model, model[-1].estimator_)
    found = view.explain(lambda paths: np.array([[0.4, 0.6]]), str(path), load_audio)
    assert not found.weights.any() and not found.sound(str(path), load_audio)[0].any()
