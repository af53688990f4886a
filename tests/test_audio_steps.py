"""What holds of every audio step, whatever the clips: properties, on random ones."""

from itertools import combinations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from published_weights import needs_weights
from sklearn.base import clone

from skgenre.classifiers import GenreTagger
from skgenre.features import (
    KerasEmbedding,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    MusicnnEmbedding,
    log_mel_spectrogram,
    mfcc_statistics,
)

SETTINGS = {"sample_rate": 8000, "n_fft": 256, "hop_length": 128, "n_mels": 16}
HOP = SETTINGS["hop_length"]
few = settings(max_examples=25, deadline=None, derandomize=True)
fewer = settings(max_examples=3, deadline=None, derandomize=True)

SOUNDS = {
    "noise": lambda t, rng: rng.normal(size=len(t)),
    "tone": lambda t, rng: np.sin(2 * np.pi * rng.uniform(50, 3900) * t),
    "sweep": lambda t, rng: np.sin(2 * np.pi * 500 * t * (1 + t)),
    "click": lambda t, rng: np.where(t == t[rng.integers(len(t))], 1.0, 0.0),
    "beat": lambda t, rng: rng.normal(size=len(t)) * np.exp(-((t % 0.1) / 0.01)),
    "constant": lambda t, rng: np.ones_like(t),
    "silence": lambda t, rng: np.zeros_like(t),
}


@st.composite
def sounds(draw, kinds=tuple(SOUNDS), shortest=1, longest=6000, levels=(-30, 0)):
    """Waveforms at 8 kHz, of a level in dB."""
    n_samples = draw(st.integers(shortest, longest))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    t = np.arange(n_samples) / 8000
    gain = 10 ** (draw(st.floats(*levels)) / 20)
    return (gain * SOUNDS[draw(st.sampled_from(kinds))](t, rng)).astype(np.float32)


loud = ("noise", "tone", "sweep")


def of_network(shape, **parameters):
    """Return a step with a network of two random layers."""
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Conv1D(4, 3, activation="relu"),
            keras.layers.GlobalAveragePooling1D(),
        ]
    )
    return KerasEmbedding(network, **SETTINGS, **parameters)


STEPS = {
    "mel": lambda: MelSpectrogramTransformer(n_frames=20, **SETTINGS),
    "mel start": lambda: MelSpectrogramTransformer(
        n_frames=20, excerpt="start", **SETTINGS
    ),
    "whole clips": lambda: MelSpectrogramTransformer(n_frames=None, **SETTINGS),
    "moments": lambda: MFCCStandardizer(n_mfcc=5, **SETTINGS),
    "correlations": lambda: MFCCStandardizer(
        n_mfcc=5, statistics="correlations", duration=0.5, **SETTINGS
    ),
    "network": lambda: of_network((20, 16)),
    "network, db": lambda: of_network((20, 16), scaling="db", hop=7),
    "network, log": lambda: of_network((20, 16), scaling="log_compression"),
    "network, waveform": lambda: of_network((700, 1), input="waveform", duration=None),
    "musicnn": lambda: MusicnnEmbedding(
        weights=["mtt", "mtt"], output=["penultimate", "correlations"]
    ),
    "tagger": GenreTagger,
}
OF_MUSICNN = {"musicnn", "tagger"}
steps = pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=needs_weights if n in OF_MUSICNN else ()) for n in STEPS],
)


def fitted(name):
    """Return a step, fitted on clips of its own."""
    rng = np.random.default_rng(0)
    return STEPS[name]().fit([rng.normal(size=n) for n in (2000, 4000, 6000)])


@steps
def test_a_row_is_the_clips_own(name):
    """Neighbours, their order and the number of threads change no bit of it."""
    step = fitted(name)
    in_threads = clone(step).set_params(n_jobs=2)
    if hasattr(step, "_scaler"):
        in_threads = step.__class__(**in_threads.get_params())
        vars(in_threads).update({k: v for k, v in vars(step).items() if k != "n_jobs"})

    @fewer if name in OF_MUSICNN else few
    @given(st.lists(sounds(), min_size=1, max_size=5), st.randoms())
    def check(clips, random):
        together = step.transform(clips)
        for row, clip in zip(together, clips, strict=True):
            assert_array_equal(step.transform([clip])[0], row)
        order = list(range(len(clips)))
        random.shuffle(order)
        moved = in_threads.transform([clips[i] for i in order])
        for row, i in zip(moved, order, strict=True):
            assert_array_equal(row, together[i])

    check()


BAD = {
    "cache_dir": 3,
    "duration": 0,
    "excerpt": "end",
    "fmax": 4001.0,
    "fmin": 4000.0,
    "genres": ["rock", "polka"],
    "hop": 0,
    "hop_length": -1,
    "n_fft": 1,
    "n_frames": 0,
    "n_jobs": "all",
    "n_mels": 4,
    "n_mfcc": 17,
    "on_error": "skip",
    "output": "tags and more",
    "preprocessing": "resnet",
    "sample_rate": 0,
    "scaling": "dB",
    "standardize": "yes",
    "statistics": "means",
    "threshold": 2,
    "time_limit": -1,
    "top_db": 0,
    "unknown": "rock",
    "verbose": -1,
    "weights": ["mtt"],
    "window": 21,
}
"""Values that are out of range, or contradict the other parameters."""
ALLOWED = {
    "mel": {"n_mels"},
    "mel start": {"n_mels"},
    "whole clips": {"n_mels"},
    "network, waveform": {"fmax", "fmin", "n_mels"},
}


@steps
def test_transform_refuses_what_fit_refuses(name):
    clips = [np.ones(2000, np.float32)]
    step = fitted(name)
    tried = (step.get_params().keys() & BAD.keys()) - ALLOWED.get(name, set())
    assert len(tried) >= 8
    for parameter in tried:
        good = getattr(step, parameter)
        step.set_params(**{parameter: BAD[parameter]})
        with pytest.raises(ValueError) as of_fit:
            clone(step).fit(clips)
        with pytest.raises(ValueError) as of_transform:
            step.transform(clips)
        assert str(of_transform.value) == str(of_fit.value)
        step.set_params(**{parameter: good})
    step.transform(clips)


@steps
def test_genres_of_other_clips_are_refused_before_anything_is_read(name, tmp_path):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        STEPS[name]().fit([tmp_path / "no.wav"], ["folk", "rock"])


def test_parameters_of_a_table_are_checked_too():
    table = np.arange(6.0).reshape(3, 2)
    step = MFCCStandardizer(input="features").fit(table)
    with pytest.raises(ValueError, match="'hop_length' parameter"):
        step.set_params(hop_length=-1).transform(table)


@steps
def test_rows_of_any_sound_are_finite(name):
    step = fitted(name)

    @fewer if name in OF_MUSICNN else few
    @given(st.lists(sounds(levels=(-800, 700)), min_size=1, max_size=3))
    def check(clips):
        for row in step.transform(clips):
            assert np.isfinite(row).all()

    check()


@pytest.mark.parametrize("name", ["mel", "mel start", "whole clips", "network"])
def test_gain_changes_nothing_in_decibels_of_the_clip(name):
    step = fitted(name)

    @few
    @given(sounds(loud, shortest=HOP), st.floats(-40, 120))
    def check(clip, gain):
        louder = clip.astype(np.float64) * 10 ** (gain / 20)
        before, after = step.transform([clip])[0], step.transform([louder])[0]
        assert_allclose(after, before, atol=2e-3)

    check()


@few
@given(sounds(loud, levels=(-10, 0), shortest=2000), st.floats(0, 60))
def test_gain_is_in_the_first_coefficient_alone(clip, gain):
    given = {**SETTINGS, "n_mfcc": 5}
    louder = clip.astype(np.float64) * 10 ** (gain / 20)
    shift = np.zeros((7, 5))
    shift[[1, 2, 3, 4], 0] = gain * SETTINGS["n_mels"] ** 0.5  # max, mean, median, min
    # Where nothing is below the floor of 80 dB, or at librosa's limit of 1e-10.
    before, after = mfcc_statistics(clip, **given), mfcc_statistics(louder, **given)
    assert_allclose(after - before, shift.ravel(), atol=0.02)
    shift = np.zeros(2 * 5 + len(list(combinations(range(5), 2))))
    shift[0] = gain * SETTINGS["n_mels"] ** 0.5
    given["statistics"] = "correlations"
    before, after = mfcc_statistics(clip, **given), mfcc_statistics(louder, **given)
    assert_allclose(after - before, shift, atol=0.02)


@few
@given(
    st.lists(sounds(("noise",), shortest=2000), min_size=2, max_size=5),
    st.sampled_from(["moments", "correlations"]),
    st.floats(0, 40),
)
def test_a_standardised_table_has_mean_0_and_variance_1(clips, statistics, gain):
    """And a gain that all clips have in common is not in it."""
    step = MFCCStandardizer(n_mfcc=5, statistics=statistics, **SETTINGS)
    table = step.fit_transform(clips)
    assert_array_equal(table, step.transform(clips))
    assert_allclose(table.mean(axis=0), 0, atol=1e-6)
    deviations = table.std(axis=0)
    assert_allclose(deviations[deviations > 1e-9], 1)
    louder = [clip.astype(np.float64) * 10 ** (gain / 20) for clip in clips]
    is_wide = step.scale_ > 0.1  # of the others the table shows the rounding
    assert_allclose(
        step.fit_transform(louder)[:, is_wide], table[:, is_wide], atol=1e-3
    )


@few
@given(sounds(), st.integers(0, 8))
def test_shift_by_whole_hops(clip, n_hops):
    depth = 150.0
    given = SETTINGS | {"top_db": 2 * depth}
    before = log_mel_spectrogram(clip, **given)
    shifted = np.concatenate([np.zeros(n_hops * HOP, np.float32), clip])
    after = log_mel_spectrogram(shifted, **given)[n_hops:]
    assert after.shape == before.shape
    # A frame before the clip's first may be the loudest of all.
    after = np.maximum(after - after.max(), -depth)
    before = np.maximum(before - before.max(), -depth)
    assert_allclose(after, before, atol=1e-3)


@few
@given(sounds(longest=20 * HOP - 1), st.sampled_from(["mel", "mel start"]))
def test_short_clips_are_whole_clips_and_then_floor(clip, name):
    (padded,) = fitted(name).transform([clip])
    (whole,) = fitted("whole clips").transform([clip])
    assert_array_equal(padded[: len(whole)], whole)
    assert_array_equal(padded[len(whole) :], -80)


@few
@given(sounds(loud, shortest=20 * HOP), st.sampled_from(["mel", "mel start"]))
def test_an_excerpt_is_a_run_of_frames_but_for_its_loudest(clip, name):
    step = fitted(name)
    (excerpt,) = step.transform([clip])
    whole = log_mel_spectrogram(clip, **SETTINGS, top_db=400)
    first = 0 if name == "mel start" else (len(whole) - 20) // 2
    run = whole[first : first + 20]
    assert_allclose(excerpt, np.maximum(run - run.max(), -80), atol=1e-3)


class TestWindowsOfWaveforms:
    """A network that takes windows of 700 samples."""

    @few
    @given(sounds(longest=699))
    def test_a_short_clip_is_filled_up_with_silence(self, clip):
        step = fitted("network, waveform")
        filled = np.concatenate([clip, np.zeros(700 - len(clip), np.float32)])
        assert_array_equal(step.transform([clip]), step.transform([filled]))

    @few
    @given(sounds(shortest=700), st.integers(1, 4))
    def test_silence_before_a_clip_is_windows_of_its_own(self, clip, n_silent):
        step = fitted("network, waveform")
        silence = np.zeros(700, np.float32)
        shifted = np.concatenate([*[silence] * n_silent, clip])
        of_clip, of_silence, of_both = step.transform([clip, silence, shifted])
        n = len(clip) // 700
        expected = (n * of_clip + n_silent * of_silence) / (n + n_silent)
        assert_allclose(of_both, expected, rtol=1e-4, atol=1e-6)
