import librosa
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgenre.features import (
    MelSpectrogramTransformer,
    MFCCStandardizer,
    log_mel_spectrogram,
    mfcc_statistics,
)
from skgenre.features._spectrogram import VIEWS
from skgenre.features._views import median_filter, separate_views

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("width", [5, 9, 17, 31])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (16, 1), (31, 5), (300, 70)])
def test_median_filter_equals_numpy(shape, width):
    x = RNG.gamma(0.2, size=shape).astype(np.float32)
    x[RNG.random(shape) < 0.2] = 0
    around = np.pad(x, ((width // 2, width // 2), (0, 0)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(around, width, axis=0)
    assert_array_equal(median_filter(x, width), np.median(windows, axis=-1))


def test_views_equal_librosa():
    power = RNG.gamma(0.2, size=(120, 128)).astype(np.float32)
    power[40:90] = 0  # no share of these frames is defined
    masks = librosa.decompose.hpss(power.T, kernel_size=(31, 17), power=2, mask=True)
    (found,) = separate_views([(power, 0.0)], VIEWS)
    for view, mask in zip(found[1:], masks, strict=True):
        assert_allclose(view, power * mask.T, rtol=1e-5)
    assert_array_equal(found[0], power)


def test_parts_are_one_clip():
    power = RNG.gamma(0.2, size=(130, 40)).astype(np.float32)
    (whole,) = separate_views([(power, 0.0)], VIEWS)
    # The second part is on another scale, whose gain brings it back.
    parts = [(power[:32], 0.0), (power[32:128] / 100, 20.0), (power[128:], 0.0)]
    found = [np.array(views) for views in separate_views(parts, VIEWS)]
    found[1] *= 100
    assert_allclose(np.concatenate(found, axis=1), whole, rtol=1e-4)


def test_tones_are_harmonic_and_clicks_percussive():
    t = np.arange(3 * 22050) / 22050
    tone = np.sin(2 * np.pi * 440 * t)
    clicks = np.where(t % 0.5 < 1e-3, 1.0, 0.0)
    mel = log_mel_spectrogram(tone + clicks, views=VIEWS)
    mix, harmonic, percussive = np.split(mel, 3, axis=1)
    band = int(mix.mean(axis=0).argmax())
    quiet, loud = 5, 11  # frames between two clicks, and with one
    assert harmonic[quiet, band] > -3 and percussive[quiet, band] < -20
    assert percussive[loud, 100] > harmonic[loud, 100] + 20
    for view in (mix, harmonic, percussive):
        assert view.max() == 0 and view.min() >= -80


@pytest.mark.parametrize("views", [(), ("mix", "mix"), ["drums"], [1], "mix", None])
def test_views_that_there_are_not(views):
    clip = np.zeros(3000)
    for use in (
        lambda: MelSpectrogramTransformer(views=views).fit([clip]),
        lambda: MFCCStandardizer(views=views).fit([clip]),
        lambda: mfcc_statistics(clip, views=views),
        lambda: log_mel_spectrogram(clip, views=views),
    ):
        with pytest.raises(ValueError, match="views"):
            use()


@pytest.mark.parametrize("n_frames", [8, None])
def test_columns_of_a_step(n_frames, tmp_path):
    clips = [RNG.normal(size=n) for n in (9000, 2000)]
    step = MelSpectrogramTransformer(
        n_frames=n_frames, n_mels=16, views=["harmonic", "mix"], cache_dir=tmp_path
    )
    X = step.fit_transform(clips)
    assert all(x.shape[1] == 32 for x in X)
    alone = step.set_params(views=("mix",)).transform(clips)
    again = step.set_params(views=["harmonic", "mix"]).transform(clips)
    for x, y, mix in zip(X, again, alone, strict=True):
        assert_array_equal(x[:, 16:], mix)
        assert_array_equal(x, y)
