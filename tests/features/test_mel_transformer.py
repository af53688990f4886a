import json
import pickle

import joblib
import librosa
import numpy as np
import pandas as pd
import pytest
import sklearn
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgenre.audio import AudioError, load_audio
from skgenre.features import (
    MelSpectrogramTransformer,
    SpectrogramFile,
    log_mel_spectrogram,
)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Sound files of several formats and lengths."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    result = []
    for i, (extension, rate, seconds) in enumerate(
        [("wav", 44100, 4), ("flac", 22050, 6), ("mp3", 44100, 5), ("ogg", 48000, 0.7)]
    ):
        t = np.arange(int(rate * seconds)) / rate
        tone = np.sin(2 * np.pi * 150 * (i + 1) * t) * np.exp(-(t % 0.7))
        samples = np.stack([0.5 * tone, 0.1 * tone], axis=1)
        result.append(folder / f"{i}.{extension}")
        soundfile.write(
            result[-1], samples + 1e-3 * rng.standard_normal(samples.shape), rate
        )
    return result


def expected_spectrogram(waveform, n_frames, excerpt):
    """Take librosa's spectrogram of all, then the excerpt."""
    power = librosa.feature.melspectrogram(
        y=waveform, sr=22050, n_fft=2048, hop_length=1024, n_mels=128
    )
    first = max(0, (power.shape[1] - n_frames) // 2) if excerpt == "middle" else 0
    power = power[:, first : first + n_frames]
    decibels = librosa.power_to_db(power, ref=np.max).T
    padding = n_frames - len(decibels)
    return np.pad(decibels, ((0, padding), (0, 0)), constant_values=-80)


@pytest.mark.parametrize("excerpt", ["middle", "start"])
@pytest.mark.parametrize("n_frames", [1, 20, 21, 86, 200])
def test_equals_librosa(paths, excerpt, n_frames):
    step = MelSpectrogramTransformer(n_frames=n_frames, excerpt=excerpt)
    spectrograms = step.fit_transform(paths)
    assert spectrograms.shape == (len(paths), n_frames, 128)
    assert spectrograms.dtype == np.float32
    for path, spectrogram in zip(paths, spectrograms, strict=True):
        waveform, _ = librosa.load(path, sr=22050)
        expected = expected_spectrogram(waveform, n_frames, excerpt)
        above = expected > -79.99
        assert_allclose(spectrogram[above], expected[above], atol=1e-3)
        assert (spectrogram[~above] < -79.98).all()


def test_files_and_their_waveforms_agree(paths):
    step = MelSpectrogramTransformer(n_frames=30)
    waveforms = [load_audio(path) for path in paths]
    assert_allclose(step.transform(paths), step.transform(waveforms), atol=2e-3)


@pytest.mark.parametrize("parameters", [{"n_fft": 1001, "hop_length": 251}, {}])
def test_excerpt_is_a_run_of_the_clips_frames(parameters):
    waveform = np.random.default_rng(0).standard_normal(50_000)
    whole = log_mel_spectrogram(waveform, **parameters)
    step = MelSpectrogramTransformer(n_frames=20, **parameters)
    first = (len(whole) - 20) // 2
    expected = whole[first : first + 20]
    actual = step.transform([waveform])[0]
    assert_allclose(actual, expected - expected.max(), atol=1e-4)


def test_whole_clip_when_n_frames_fits():
    waveform = np.random.default_rng(0).standard_normal(50_000)
    step = MelSpectrogramTransformer(n_frames=49)
    assert_array_equal(step.transform([waveform])[0], log_mel_spectrogram(waveform))


def test_short_clips_are_padded_with_floor():
    waveform = np.random.default_rng(0).standard_normal(3000)
    spectrogram = MelSpectrogramTransformer(n_frames=10, top_db=50).transform(
        [waveform]
    )
    assert_array_equal(spectrogram[0, 3:], -50)
    assert spectrogram[0, :3].max() == 0


def test_silent_clip_is_floor(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(44100), 44100)
    spectrogram = MelSpectrogramTransformer(n_frames=5).transform(
        [tmp_path / "silent.wav"]
    )
    assert_array_equal(spectrogram, -80)


def test_whole_clips(paths):
    step = MelSpectrogramTransformer(n_frames=None, n_mels=32, top_db=60)
    waveforms = [load_audio(path) for path in paths]
    spectrograms = step.fit_transform(waveforms)
    assert spectrograms.shape == (len(paths),)
    assert spectrograms.dtype == object
    for waveform, spectrogram in zip(waveforms, spectrograms, strict=True):
        expected = log_mel_spectrogram(waveform, n_mels=32, top_db=60)
        assert spectrogram.dtype == np.float32
        assert_array_equal(spectrogram, expected)
    for of_file, spectrogram in zip(step.transform(paths), spectrograms, strict=True):
        assert_allclose(of_file, spectrogram, atol=2e-3)


def test_whole_clips_of_one_length_are_an_array_of_arrays_too():
    waves = np.random.default_rng(0).standard_normal((3, 5000))
    whole = MelSpectrogramTransformer(n_frames=None).fit_transform(waves)
    assert whole.shape == (3,)
    as_one = MelSpectrogramTransformer(n_frames=5).fit_transform(waves)
    assert_array_equal(np.stack(whole), as_one)


def test_whole_clips_are_copied_and_made_in_threads(paths):
    step = MelSpectrogramTransformer(n_frames=None)
    expected = step.fit_transform(paths)
    copy = pickle.loads(pickle.dumps(step.set_params(n_jobs=2)))
    actual = pickle.loads(pickle.dumps(copy.transform(paths)))
    for one, other in zip(actual, expected, strict=True):
        assert_array_equal(one, other)
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(step.transform(paths), np.ndarray)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_n_jobs_changes_nothing(paths, backend):
    expected = MelSpectrogramTransformer(n_frames=40).transform(paths * 3)
    with joblib.parallel_config(backend=backend):
        actual = MelSpectrogramTransformer(n_frames=40, n_jobs=2).transform(paths * 3)
    assert_array_equal(actual, expected)


def test_clips_do_not_depend_on_the_batch(paths):
    step = MelSpectrogramTransformer(n_frames=40)
    together = step.transform(paths)
    for i, path in enumerate(paths):
        assert_array_equal(step.transform([path])[0], together[i])
    assert_array_equal(step.transform(paths[::-1]), together[::-1])


def test_only_the_excerpt_is_read(tmp_path, monkeypatch):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.random.default_rng(0).normal(size=22050 * 60) / 9, 22050)
    counts = []
    read = soundfile.SoundFile.read

    def counting_read(self, *args, **kwargs):
        result = read(self, *args, **kwargs)
        counts.append(len(result))
        return result

    monkeypatch.setattr(soundfile.SoundFile, "read", counting_read)
    MelSpectrogramTransformer(n_frames=10).transform([path])
    assert sum(counts) == 9 * 1024 + 2048


def test_truncated_file(tmp_path):
    path = tmp_path / "cut.mp3"
    soundfile.write(path, np.random.default_rng(0).normal(size=44100 * 8) / 9, 44100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    step = MelSpectrogramTransformer(n_frames=20)
    expected = step.transform([load_audio(path)])
    assert_allclose(step.transform([path]), expected, atol=2e-3)


def test_containers_of_paths(paths):
    step = MelSpectrogramTransformer(n_frames=4)
    expected = step.transform(paths)
    texts = [str(path) for path in paths]
    for X in (texts, np.array(texts), pd.Series(texts), pd.DataFrame({"path": texts})):
        assert_array_equal(step.fit_transform(X), expected)


def test_unreadable_file(paths, tmp_path):
    bad = tmp_path / "bad.mp3"
    bad.write_text("no music")
    step = MelSpectrogramTransformer(n_frames=4, n_jobs=2)
    step.fit([*paths, bad])  # reads no file
    with pytest.raises(AudioError, match=r"bad\.mp3"):
        step.transform([*paths, bad])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_frames": 0}, "'n_frames' parameter of MelSpectrogramTransformer"),
        ({"excerpt": "end"}, "'excerpt' parameter"),
        ({"n_jobs": "two"}, "'n_jobs' parameter"),
        ({"fmax": 20000.0}, "fmax must be at most half the sample rate"),
        ({"fmin": 9000.0, "fmax": 8000.0}, "fmin must be smaller than fmax"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_refused_parameters(parameters, message, method):
    step = MelSpectrogramTransformer(**parameters)
    with pytest.raises(ValueError, match=message):
        getattr(step, method)(np.ones((2, 100)))


def test_copies(paths):
    step = MelSpectrogramTransformer(n_frames=4, n_mels=32).fit(paths)
    expected = step.transform(paths)
    for copy in (clone(step), pickle.loads(pickle.dumps(step))):
        assert_array_equal(copy.transform(paths), expected)


def test_pipeline_and_output_setting(paths):
    step = MelSpectrogramTransformer(n_frames=4)
    pipeline = make_pipeline(step, FunctionTransformer(lambda X: X.mean(axis=1)))
    assert pipeline.fit_transform(paths).shape == (4, 128)
    assert step.set_output(transform="pandas") is step
    assert isinstance(step.transform(paths), np.ndarray)
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(step.transform(paths), np.ndarray)


def test_progress_bar(paths, capsys):
    MelSpectrogramTransformer(n_frames=4, verbose=True).transform(paths)
    assert "Spectrograms: 100%" in capsys.readouterr().err


def test_real_music_equals_librosa(music_tracks):
    paths = [path for path, _, _ in music_tracks[::60]]
    spectrograms = MelSpectrogramTransformer(n_jobs=2).transform(paths)
    for path, spectrogram in zip(paths, spectrograms, strict=True):
        waveform, _ = librosa.load(path, sr=22050)
        expected = expected_spectrogram(waveform, 640, "middle")
        above = expected > -79.99
        assert_allclose(spectrogram[above], expected[above], atol=1e-3)


class TestTransformTo:
    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_equals_transform(self, paths, n_jobs, tmp_path):
        step = MelSpectrogramTransformer(n_frames=60, n_jobs=n_jobs)
        X = step.transform_to(tmp_path / "X.npy", paths)
        assert isinstance(X, SpectrogramFile)
        assert_array_equal(X, step.transform(paths))
        assert_array_equal(np.load(tmp_path / "X.npy"), step.transform(paths))

    def test_float16_rounds_by_at_most_half_a_step(self, paths, tmp_path):
        step = MelSpectrogramTransformer(n_frames=60)
        X = step.transform_to(tmp_path / "X.npy", paths, dtype=np.float16)
        assert X.dtype == np.float16
        error = np.abs(np.asarray(X, np.float32) - step.transform(paths))
        assert 0.015 < error.max() <= 2**-5

    def test_is_opened_the_second_time(self, paths, tmp_path):
        step = MelSpectrogramTransformer(n_frames=60, n_mels=np.int64(32), fmax=8000.0)
        step.transform_to(tmp_path / "X.npy", paths)
        written = (tmp_path / "X.npy").stat().st_mtime_ns
        step.set_params(n_jobs=2).transform_to(tmp_path / "X.npy", paths)
        assert (tmp_path / "X.npy").stat().st_mtime_ns == written
        with pytest.raises(FileExistsError, match="excerpt='middle' instead of 'star"):
            step.set_params(excerpt="start").transform_to(tmp_path / "X.npy", paths)
        with pytest.raises(FileExistsError, match="dtype='float32' instead of 'float1"):
            step.transform_to(tmp_path / "X.npy", paths, dtype="float16")

    def test_goes_on_behind_a_broken_file(self, paths, tmp_path):
        step = MelSpectrogramTransformer(n_frames=60)
        broken = tmp_path / "broken.wav"
        broken.write_bytes(b"RIFF")
        with pytest.raises(AudioError, match="broken.wav"):
            step.transform_to(tmp_path / "X.npy", [*paths[:2], broken, *paths[2:]])
        assert json.loads((tmp_path / "X.npy.json").read_text())["n_done"] == 2
        X = step.transform_to(tmp_path / "X.npy", paths)
        assert_array_equal(X, step.transform(paths))

    def test_refusals(self, paths, tmp_path):
        for parameters, dtype, match in (
            ({"n_frames": None}, "float32", "n_frames=None gives whole clips"),
            ({}, "float64", "must be 'float32' or 'float16'. Got 'float64'"),
            ({"top_db": 1e5}, "float16", "top_db=100000.0 is more than dtype='float16"),
            ({"n_mels": 0}, "float32", "n_mels"),
        ):
            step = MelSpectrogramTransformer(**parameters)
            with pytest.raises(ValueError, match=match):
                step.transform_to(tmp_path / "X.npy", paths, dtype=dtype)
        assert not list(tmp_path.iterdir())
