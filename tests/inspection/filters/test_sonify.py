"""Sounds made of spectrograms come back through the mel step."""

import os
import warnings

import librosa
import numpy as np
import pytest
import soundfile

from skgenre import MelSpectrogramTransformer
from skgenre.datasets import make_genre_clips
from skgenre.inspection import sonify


@pytest.fixture(scope="module")
def spectrograms():
    clips = make_genre_clips(4, duration=6, random_state=0)
    return MelSpectrogramTransformer(n_frames=120).fit_transform(clips.waveforms)


def errors(spectrogram, mel, **parameters):
    """Return the mean error above -40 dB, in dB, and the correlation of all."""
    sound = sonify(spectrogram, mel, random_state=0, **parameters)
    (again,) = mel.fit_transform([sound])
    loud = spectrogram > -40
    error = np.abs(again - spectrogram)[loud].mean()
    return error, np.corrcoef(again.ravel(), spectrogram.ravel())[0, 1]


def test_spectrograms_come_back_close(spectrograms):
    mel = MelSpectrogramTransformer(n_frames=120)
    for spectrogram in spectrograms:
        error, correlation = errors(spectrogram, mel)
        assert error < 1.0 and correlation > 0.97


@pytest.mark.slow
def test_real_music_comes_back_close(music_tracks):
    mel = MelSpectrogramTransformer()
    paths = [str(path) for path, _, _ in music_tracks[::120]]
    for spectrogram in mel.fit_transform(paths):
        error, correlation = errors(spectrogram, mel)
        assert error < 0.6 and correlation > 0.98


@pytest.mark.parametrize(
    "parameters",
    [
        {"sample_rate": 16000, "hop_length": 256, "n_fft": 1023, "n_mels": 40},
        {"fmin": 200, "fmax": 6000, "top_db": 50, "n_mels": 32},
        {"n_fft": 1024, "hop_length": 512, "n_mels": 32},
    ],
)
def test_other_mel_steps(parameters):
    mel = MelSpectrogramTransformer(n_frames=60, **parameters)
    rate = parameters.get("sample_rate", 22050)
    seconds = np.arange(rate * 3) / rate
    sweep = np.sin(2 * np.pi * (400 * seconds + 300 * seconds**2))
    (spectrogram,) = mel.fit_transform([sweep])
    sound = sonify(spectrogram, mel, random_state=0)
    assert len(sound) == 59 * mel.hop_length + mel.n_fft % 2
    error, correlation = errors(spectrogram, mel)
    assert error < 3 and correlation > 0.9


def test_a_file_of_the_sound(spectrograms, tmp_path):
    path = tmp_path / "чалга filter.wav"
    sound = sonify(spectrograms[0], path=path, random_state=0)
    assert sound.dtype == np.float32 and sound.shape == (119 * 1024,)
    assert np.abs(sound).max() == pytest.approx(0.9)
    written, rate = soundfile.read(path)
    assert rate == 22050
    np.testing.assert_allclose(written, sound, atol=1e-4)
    sonify(spectrograms[0], path=str(tmp_path / "x.flac"), n_iter=1)
    assert soundfile.info(tmp_path / "x.flac").frames == 119 * 1024


def test_it_is_seeded(spectrograms):
    first, again, other = (
        sonify(spectrograms[1], n_iter=2, random_state=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


@pytest.mark.parametrize("name", ["random_state", "rng"])
def test_librosa_calls_the_seed_by_either_name(spectrograms, name, monkeypatch):
    real = librosa.griffinlim

    def before(S, *, random_state=None, **parameters):  # librosa 0.10 and 0.11
        return real(S, random_state=random_state, **parameters)

    def after(S, *, rng=None, **parameters):  # librosa 1.2
        return real(S, random_state=rng, **parameters)

    expected = sonify(spectrograms[0], n_iter=1, random_state=3)
    monkeypatch.setattr(librosa, "griffinlim", after if name == "rng" else before)
    sound = sonify(spectrograms[0], n_iter=1, random_state=3)
    np.testing.assert_array_equal(sound, expected)


def test_silence_and_what_is_below_the_floor():
    sound = sonify(np.full((10, 128), -80.0))
    np.testing.assert_array_equal(sound, np.zeros(9 * 1024, np.float32))
    part = np.full((40, 128), -80.0)
    part[:15, 40] = -20
    sound = sonify(part, random_state=0)
    assert np.abs(sound[: 14 * 1024]).max() == pytest.approx(0.9)
    assert np.abs(sound[20 * 1024 :]).max() < 0.01


def test_very_loud_and_very_quiet_spectrograms(spectrograms):
    mel = MelSpectrogramTransformer(n_frames=120, top_db=2000)
    with warnings.catch_warnings(action="error"):
        loud = sonify(spectrograms[0] + 5000, mel, n_iter=2, random_state=0)
        quiet = sonify(spectrograms[0] - 1500, mel, n_iter=2, random_state=0)
    assert np.isfinite(loud).all() and np.isfinite(quiet).all()
    np.testing.assert_allclose(loud, quiet, atol=1e-3)


@pytest.mark.parametrize(
    ("spectrogram", "message"),
    [
        (np.zeros((128, 640)), r"128 bands that mel makes. Got shape \(128, 640\)"),
        (np.zeros((1, 128)), "minimum of 2 is required"),
        (np.zeros((2, 10, 128)), "dim"),
        (np.full((10, 128), np.nan), "spectrogram contains NaN"),
        (np.full((10, 128), np.inf), "spectrogram contains infinity"),
    ],
)
def test_refuses_other_spectrograms(spectrogram, message):
    with pytest.raises(ValueError, match=message):
        sonify(spectrogram)


def test_refuses_paths_and_parameters_before_the_work(tmp_path):
    spectrogram = np.zeros((4, 128))
    with pytest.raises(ValueError, match=r"must end in one of .wav, .flac"):
        sonify(spectrogram, path=tmp_path / "sound.xyz")
    with pytest.raises(FileNotFoundError, match="no folder.*/no"):
        sonify(spectrogram, path=tmp_path / "no" / "sound.wav")
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(FileExistsError, match=r"folder\.wav"):
        sonify(spectrogram, path=tmp_path / "folder.wav")
    with pytest.raises(ValueError, match="n_iter"):
        sonify(spectrogram, n_iter=0)
    with pytest.raises(ValueError, match="hop_length"):
        sonify(spectrogram, MelSpectrogramTransformer(hop_length=0))
    with pytest.raises(ValueError, match="'mel' parameter"):
        sonify(spectrogram, "mel")
    assert os.listdir(tmp_path) == ["folder.wav"]
