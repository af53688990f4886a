import librosa
import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose, assert_array_equal

from skgenre.features import mfcc_statistics
from skgenre.features._mfcc import STATISTICS, correlations, mfcc, moments
from skgenre.features._spectrogram import MelSettings


def reference(waveform, sample_rate=22050, n_mfcc=20, hop_length=512, n_mels=128):
    """Compute as FMA's features.py does, in the order of its columns."""
    mel = librosa.feature.melspectrogram(
        y=waveform, sr=sample_rate, n_fft=2048, hop_length=hop_length, n_mels=n_mels
    )
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=n_mfcc)
    mfcc = mfcc.astype(np.float64)
    return np.concatenate(
        [
            scipy.stats.kurtosis(mfcc, axis=1),
            mfcc.max(axis=1),
            mfcc.mean(axis=1),
            np.median(mfcc, axis=1),
            mfcc.min(axis=1),
            scipy.stats.skew(mfcc, axis=1),
            mfcc.std(axis=1),
        ]
    )


@pytest.fixture
def waveform():
    rng = np.random.default_rng(0)
    t = np.arange(4 * 22050) / 22050
    tone = 0.3 * np.sin(2 * np.pi * (200 + 60 * t) * t) * np.exp(-3 * (t % 0.5))
    return (tone + 1e-3 * rng.standard_normal(len(t))).astype(np.float32)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"n_mfcc": 13, "n_mels": 40},
        {"hop_length": 1000},
        {"sample_rate": 44100},
        {"n_mfcc": 128},
    ],
)
def test_equals_librosa_and_scipy(waveform, parameters):
    statistics = mfcc_statistics(waveform, **parameters)
    assert statistics.dtype == np.float64
    assert_allclose(statistics, reference(waveform, **parameters), atol=1e-3)


def test_quiet_clip_equals_librosa(waveform):
    quiet = waveform * np.float32(1e-4)
    assert_allclose(mfcc_statistics(quiet), reference(quiet), atol=1e-3)


@pytest.mark.parametrize("clip", [np.zeros(20_000), np.zeros(1), np.ones(300)])
def test_constant_series(clip):
    statistics = dict(
        zip(STATISTICS, mfcc_statistics(clip).reshape(7, 20), strict=True)
    )
    assert_array_equal(statistics["kurtosis"], -3)
    assert_array_equal(statistics["skew"], 0)
    assert_allclose(statistics["std"], 0, atol=1e-9)
    assert_allclose(statistics["mean"], statistics["median"], atol=1e-9)


@pytest.mark.parametrize("statistics", ["moments", "correlations"])
@pytest.mark.parametrize("gain", [1e-30, 1e30])
def test_extreme_samples_are_finite(waveform, gain, statistics):
    features = mfcc_statistics(waveform * np.float32(gain), statistics=statistics)
    assert np.isfinite(features).all()


def test_correlations_equal_librosa_and_numpy(waveform):
    mel = librosa.feature.melspectrogram(y=waveform, sr=22050, hop_length=512)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=5).astype(float)
    features = mfcc_statistics(waveform, n_mfcc=5, statistics="correlations")
    assert features.shape == (20,)
    assert_allclose(features[:5], mfcc.mean(axis=1), atol=1e-3)
    assert_allclose(features[5:10], mfcc.std(axis=1), atol=1e-3)
    r = np.corrcoef(mfcc)
    assert_allclose(features[10:14], r[0, 1:], atol=1e-4)
    assert_allclose(features[[14, 19]], [r[1, 2], r[3, 4]], atol=1e-4)


def test_huge_gain_shifts_the_first_coefficient_only(waveform):
    expected = mfcc_statistics(waveform * np.float32(1e3)).reshape(7, 20)
    actual = mfcc_statistics(waveform * np.float32(1e23)).reshape(7, 20)
    assert_allclose(actual[:, 1:], expected[:, 1:], atol=1e-3)
    assert_allclose(actual[2, 0] - expected[2, 0], 400 * np.sqrt(128), rtol=1e-5)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_mfcc": 0}, "'n_mfcc' parameter"),
        (
            {"n_mfcc": 41, "n_mels": 40},
            "n_mfcc must be at most n_mels=40. Got n_mfcc=41",
        ),
        ({"sample_rate": -1}, "'sample_rate' parameter"),
        ({"statistics": "fma"}, "'statistics' parameter"),
    ],
)
def test_refused_parameters(waveform, parameters, message):
    with pytest.raises(ValueError, match=message):
        mfcc_statistics(waveform, **parameters)


def test_refused_waveform():
    with pytest.raises(ValueError, match="contains NaN"):
        mfcc_statistics([0.0, np.nan])


def test_real_music_equals_librosa(music_tracks):
    for path, _, _ in music_tracks[::60]:
        waveform, _ = librosa.load(path, sr=22050)
        assert_allclose(mfcc_statistics(waveform), reference(waveform), atol=1e-3)


def test_moments_equal_scipy():
    series = np.random.default_rng(0).gamma(2, size=(500, 3))
    statistics = dict(zip(STATISTICS, moments(series).reshape(7, 3), strict=True))
    assert_allclose(statistics["kurtosis"], scipy.stats.kurtosis(series), rtol=1e-10)
    assert_allclose(statistics["skew"], scipy.stats.skew(series), rtol=1e-10)
    assert_allclose(statistics["std"], series.std(axis=0))


def test_correlations_equal_numpy():
    series = np.random.default_rng(0).normal(size=(500, 4)) @ np.tri(4)
    values = correlations(series)
    assert_allclose(values[:4], series.mean(axis=0))
    assert_allclose(values[4:8], series.std(axis=0))
    expected = np.corrcoef(series.T)[np.triu_indices(4, k=1)]
    assert_allclose(values[8:], expected)


@pytest.mark.parametrize("n_frames", [1, 300])
def test_a_constant_series_is_correlated_with_nothing(n_frames):
    series = np.random.default_rng(0).normal(size=(n_frames, 3))
    series[:, 1] = 1 / 3
    _, r, _ = correlations(series)[6:]
    assert np.isfinite(correlations(series)).all()
    assert_array_equal(correlations(series)[[6, 8]], 0)
    assert abs(r) > 0 or n_frames == 1


@pytest.mark.parametrize("gain", [1, 1e-6, 1e20])
def test_blocks_have_one_floor(waveform, gain):
    samples = waveform * np.float32(gain)
    samples[:40_000] *= 1e-3  # the loudest frame is in a later block
    settings = MelSettings(hop_length=512)
    views = ("mix", "harmonic", "percussive")
    expected = np.array(mfcc([samples], settings, 20, views))
    parts = np.array(mfcc(np.array_split(samples, 7), settings, 20, views))
    # So loud that squares leave float32's range, each block has a scale of its own.
    tolerance = 1e-6 if gain > 1 else 0
    assert_allclose(parts, expected, rtol=0, atol=tolerance * np.abs(expected).max())
