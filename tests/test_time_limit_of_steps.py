"""Audio steps that decode in worker processes equal those that decode in threads."""

import hazards
import numpy as np
import pytest
import soundfile
from numpy.testing import assert_array_equal
from published_weights import HAS_WEIGHTS

from skgenre.audio import AudioError
from skgenre.audio._isolation._task import _idle
from skgenre.features import (
    KerasEmbedding,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    MusicnnEmbedding,
)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Files of several formats, lengths, rates and channels."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    result = []
    for name, seconds, rate, n_channels in [
        ("a.wav", 2, 22050, 1),
        ("b.flac", 3.5, 44100, 2),
        ("c.ogg", 0.4, 48000, 6),
        ("d.mp3", 4, 44100, 2),
        ("e.aiff", 1, 8000, 1),
    ]:
        result.append(folder / name)
        noise = rng.uniform(-0.5, 0.5, (int(seconds * rate), n_channels))
        soundfile.write(result[-1], noise, rate)
    return result


@pytest.fixture(params=["mel", "whole", "mfcc", "correlations", "keras", "musicnn"])
def step(request):
    if request.param == "keras":
        import keras

        keras.utils.set_random_seed(0)
        network = keras.Sequential(
            [keras.Input((20, 16)), keras.layers.Flatten(), keras.layers.Dense(3)]
        )
        return KerasEmbedding(network, n_mels=16, hop=5)
    if request.param == "musicnn":
        if not HAS_WEIGHTS:
            pytest.skip("musicnn is not installed")
        return MusicnnEmbedding()
    return {
        "mel": MelSpectrogramTransformer(n_frames=64),
        "whole": MelSpectrogramTransformer(n_frames=None),
        "mfcc": MFCCStandardizer(),
        "correlations": MFCCStandardizer(statistics="correlations", duration=1),
    }[request.param]


def test_results_are_the_same_to_the_bit(step, paths):
    expected = step.fit(paths).transform(paths)
    step.set_params(time_limit=60, n_jobs=2)
    assert len(step.transform(paths)) == len(paths)
    for one, other in zip(step.transform(paths), expected, strict=True):
        assert_array_equal(one, other)


def test_real_music_is_the_same_to_the_bit(music_tracks):
    paths = [path for path, _, _ in music_tracks[::20]]
    step = MelSpectrogramTransformer(n_jobs=2)
    expected = step.transform(paths)
    assert_array_equal(step.set_params(time_limit=60).transform(paths), expected)


def test_waveforms_need_no_workers():
    waveforms = np.random.default_rng(0).normal(size=(2, 22050))
    step = MelSpectrogramTransformer(n_frames=8)
    expected = step.transform(waveforms)
    assert_array_equal(step.set_params(time_limit=1e-6).transform(waveforms), expected)


def test_files_take_too_long(paths):
    step = MelSpectrogramTransformer(time_limit=1e-6)
    with pytest.raises(AudioError, match="it takes more than 1e-06 s. Leave"):
        step.transform(paths)


@pytest.mark.parametrize("limit", [0, -1, np.inf, 1e6, "60"])
def test_limits_that_are_refused(paths, limit):
    with pytest.raises(ValueError, match="'time_limit' parameter"):
        MelSpectrogramTransformer(time_limit=limit).fit(paths)


@pytest.mark.slow
def test_a_decoder_that_crashes(paths, tmp_path, monkeypatch):
    """As libsndfile does in the workers, on one file, by a copy of its binding."""
    hazards.write_crashing_soundfile(tmp_path)
    while _idle:  # they have the true one
        _idle.pop()[0].end()
    monkeypatch.syspath_prepend(tmp_path)
    step = MelSpectrogramTransformer(n_frames=64, time_limit=60, n_jobs=2)
    with pytest.raises(AudioError, match=r"c\.ogg': it crashes the decoder"):
        step.transform(paths)
    good = [path for path in paths if path.name != "c.ogg"]
    result = step.transform(good)
    while _idle:
        _idle.pop()[0].end()
    assert_array_equal(result, step.set_params(time_limit=None).transform(good))
