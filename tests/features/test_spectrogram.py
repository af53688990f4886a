import librosa
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgenre.features import log_mel_spectrogram
from skgenre.features._spectrogram import (
    MelSettings,
    mel_power,
    mel_power_and_gain,
    mel_power_blocks,
    pad_to_frames,
)


def librosa_db(waveform, top_db=80.0, **parameters):
    parameters = {
        "sr": 22050,
        "n_fft": 2048,
        "hop_length": 1024,
        "n_mels": 128,
    } | parameters
    power = librosa.feature.melspectrogram(y=waveform, **parameters)
    return librosa.power_to_db(power, ref=np.max, top_db=top_db).T


def assert_close_above_floor(actual, expected, top_db=80.0):
    above = expected > -top_db + 1e-3
    assert above.any()
    assert_allclose(actual[above], expected[above], atol=1e-3)
    assert (actual[~above] < -top_db + 5e-3).all()


@pytest.fixture
def music_like():
    """Chords with a loud bass above faint noise: 80 dB between loud and faint."""
    rng = np.random.default_rng(0)
    t = np.arange(3 * 22050) / 22050
    notes = [
        np.sin(2 * np.pi * f * t) / i for i, f in enumerate((55, 220, 277, 3300), 1)
    ]
    waveform = 0.3 * sum(notes) * np.exp(-2 * (t % 0.5))
    return (waveform + 3e-4 * rng.standard_normal(len(t))).astype(np.float32)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"hop_length": 512},
        {"n_fft": 1024, "hop_length": 300, "n_mels": 40},
        {"n_fft": 1001, "hop_length": 251, "n_mels": 17},
        {"n_fft": 512, "hop_length": 2000, "n_mels": 20},
        {"fmin": 100.0, "fmax": 8000.0, "n_mels": 64},
    ],
)
def test_equals_librosa(music_like, parameters):
    spectrogram = log_mel_spectrogram(music_like, **parameters)
    expected = librosa_db(music_like, **parameters)
    assert spectrogram.shape == expected.shape
    assert spectrogram.dtype == np.float32
    assert spectrogram.max() == 0
    assert_close_above_floor(spectrogram, expected)


@pytest.mark.parametrize("top_db", [10.0, 40.0, 100.0])
def test_top_db(music_like, top_db):
    spectrogram = log_mel_spectrogram(music_like, top_db=top_db)
    assert spectrogram.min() >= -top_db
    assert_close_above_floor(spectrogram, librosa_db(music_like, top_db), top_db)


@pytest.mark.parametrize("n_samples", [1, 2, 100, 1023, 1024, 1025, 2047, 2048, 2049])
@pytest.mark.parametrize("n_fft", [2048, 2047])
def test_short_clips_equal_librosa(n_samples, n_fft):
    waveform = np.random.default_rng(1).standard_normal(n_samples).astype(np.float32)
    spectrogram = log_mel_spectrogram(waveform, n_fft=n_fft)
    with np.errstate(all="ignore"), pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *args, **kwargs: None)
        expected = librosa_db(waveform, n_fft=n_fft)
    assert spectrogram.shape == expected.shape
    assert_close_above_floor(spectrogram, expected)


@pytest.mark.parametrize("n_samples", [1, 5000])
def test_silence_is_floor(n_samples):
    spectrogram = log_mel_spectrogram(np.zeros(n_samples))
    assert_array_equal(spectrogram, -80)
    faint = np.random.default_rng(0).normal(scale=1e-8, size=n_samples)
    assert_array_equal(log_mel_spectrogram(faint), -80)


@pytest.mark.parametrize("gain", [2.0**-8, 1e-3, 0.37, 30.0, 32768.0, 1e25])
def test_gain_invariance(music_like, gain):
    expected = log_mel_spectrogram(music_like)
    actual = log_mel_spectrogram(music_like * np.float32(gain))
    assert_allclose(actual, expected, atol=1e-3)


def test_quiet_clip_equals_librosa_above_its_limit(music_like):
    quiet = music_like * np.float32(1e-3)
    expected = librosa_db(quiet)
    limit = expected.min()  # librosa sees no power below 1e-10
    above = expected > limit + 1e-3
    assert limit > -80
    assert_allclose(log_mel_spectrogram(quiet)[above], expected[above], atol=1e-3)


def test_shift_by_whole_hops(music_like):
    shifted = np.concatenate([np.zeros(7 * 1024, dtype=np.float32), music_like])
    expected = log_mel_spectrogram(music_like)
    actual = log_mel_spectrogram(shifted)
    assert_allclose(actual[7 + 1 :][: len(expected) - 1], expected[1:], atol=1e-3)


def test_dc_and_constant():
    assert np.isfinite(log_mel_spectrogram(np.ones(5000))).all()


def test_input_types(music_like):
    expected = log_mel_spectrogram(music_like)
    for waveform in (music_like.astype(np.float64), music_like.tolist()):
        assert_array_equal(log_mel_spectrogram(waveform), expected)
    strided = np.repeat(music_like, 2)[::2]
    assert_array_equal(log_mel_spectrogram(strided), expected)
    read_only = music_like.copy()
    read_only.flags.writeable = False
    assert_array_equal(log_mel_spectrogram(read_only), expected)


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (np.empty(0), "0 samples"),
        (np.ones((2, 100)), r"shape \(2, 100\).*1-D"),
        ([0.0, np.nan], "NaN"),
        (["a.mp3"], "1-D numeric"),
    ],
)
def test_refused_waveforms(waveform, message):
    with pytest.raises(ValueError, match=message):
        log_mel_spectrogram(waveform)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_fft": 1}, "'n_fft' parameter"),
        ({"hop_length": 0}, "'hop_length' parameter"),
        ({"n_mels": 1.5}, "'n_mels' parameter"),
        ({"fmin": -1}, "'fmin' parameter"),
        ({"top_db": 0}, "'top_db' parameter"),
        ({"fmax": 12000}, "fmax must be at most half.*11025 Hz.*Got fmax=12000"),
        ({"fmin": 500, "fmax": 400}, "fmin must be smaller.*400 Hz.*Got fmin=500"),
        ({"fmin": 11025}, "fmin must be smaller than fmax, 11025"),
    ],
)
def test_refused_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        log_mel_spectrogram(np.ones(100), **parameters)


def test_empty_bands_warn():
    with pytest.warns(UserWarning, match="of n_mels=128 mel bands are narrower"):
        spectrogram = log_mel_spectrogram(np.ones(5000), n_fft=256)
    assert np.isfinite(spectrogram).all()


def test_frames_and_their_samples():
    settings = MelSettings(n_fft=2048, hop_length=1024)
    waveform = np.random.default_rng(0).standard_normal(30_000).astype(np.float32)
    whole = mel_power(pad_to_frames(waveform, settings), settings)
    assert len(whole) == settings.n_frames(30_000) == 30
    start, stop = settings.sample_range(5, 8)
    part = mel_power(waveform[start:stop], settings)
    assert_allclose(part, whole[5:13], rtol=1e-5)


def test_real_music_equals_librosa(music_tracks):
    for path, _, _ in music_tracks[::40]:
        waveform, _ = librosa.load(path, sr=22050)
        spectrogram = log_mel_spectrogram(waveform)
        assert_close_above_floor(spectrogram, librosa_db(waveform))


@pytest.mark.parametrize(("level", "is_silent"), [(0.9, True), (1.1, False)])
def test_power_up_to_the_limit_of_librosa_is_silence(music_like, level, is_silent):
    settings = MelSettings()
    peak = mel_power(pad_to_frames(music_like, settings), settings).max()
    quiet = music_like.astype(np.float64) * np.sqrt(level * 1e-10 / peak)
    assert (log_mel_spectrogram(quiet) == -80).all() == is_silent


# Of 22,272 samples, the last of 32 frames of 256, 700 apart, lies inside.
@pytest.mark.parametrize("n_samples", [1, 100, 5000, 22_272, 50_000])
@pytest.mark.parametrize("size", [1, 77, 5000, 100_000])
@pytest.mark.parametrize(
    ("n_fft", "hop_length"), [(512, 128), (511, 128), (256, 700), (255, 701), (64, 64)]
)
def test_blocks_are_the_whole_to_the_bit(n_samples, size, n_fft, hop_length):
    if size == 1 and n_samples > 5000:
        pytest.skip("takes long")
    settings = MelSettings(8000, n_fft, hop_length, 16)
    samples = np.random.default_rng(0).normal(0, 0.1, n_samples).astype(np.float32)
    blocks = [samples[i : i + size] for i in range(0, n_samples, size)]
    parts = list(mel_power_blocks(blocks, settings))
    expected, gain = mel_power_and_gain(pad_to_frames(samples, settings), settings)
    assert_array_equal(np.concatenate([power for power, _ in parts]), expected)
    assert {part_gain for _, part_gain in parts} == {gain} == {0.0}
