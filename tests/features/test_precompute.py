import pickle
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer

from skgenre.audio import AudioError
from skgenre.features import (
    KerasEmbedding,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    precompute,
)
from skgenre.features._precompute import read_once


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Stereo clips of several formats, longer than the excerpts that are taken."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    result = []
    for i, extension in enumerate(["wav", "flac", "mp3", "ogg", "mp3", "wav"]):
        result.append(str(folder / f"{i}.{extension}"))
        t = np.arange(44100 * 3) / 44100
        tone = 0.3 * np.sin(2 * np.pi * 200 * (i + 1) * t)
        noise = 0.02 * rng.normal(size=(len(t), 2))
        soundfile.write(result[-1], tone[:, np.newaxis] + noise, 44100)
    return result


@pytest.fixture
def opened(monkeypatch):
    """List of the files that are opened to be decoded."""
    files = []
    init = soundfile.SoundFile.__init__

    def counting_init(self, *args, **kwargs):
        files.append(args)
        init(self, *args, **kwargs)

    monkeypatch.setattr(soundfile.SoundFile, "__init__", counting_init)
    return files


def union(cache_dir=None):
    """Return features of two rates and of several excerpts."""
    spectrograms = MelSpectrogramTransformer(n_frames=40, n_mels=16)
    model = make_union(
        make_pipeline(
            spectrograms, FunctionTransformer(lambda X: X.reshape(len(X), -1))
        ),
        MFCCStandardizer(n_mfcc=5),
        MFCCStandardizer(n_mfcc=5, sample_rate=16000, duration=1.0),
    )
    steps = [spectrograms, model.transformer_list[1][1], model.transformer_list[2][1]]
    for step in steps:
        step.set_params(cache_dir=cache_dir)
    return model


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_each_file_is_opened_once_for_all_features(paths, opened, tmp_path, n_jobs):
    expected = union().fit_transform(paths)
    assert len(opened) == 3 * len(paths)
    opened.clear()
    model = union(tmp_path)
    precompute(model, paths, n_jobs=n_jobs)
    assert len(opened) == len(paths)
    actual = model.fit_transform(paths)
    # Lossy codecs round otherwise where they begin otherwise.
    assert_allclose(actual, expected, atol=2e-3)
    precompute(model, paths)
    model.transform(paths)
    assert len(opened) == len(paths)


@pytest.mark.slow
def test_in_worker_processes(paths, tmp_path):
    with joblib.parallel_config(backend="loky", n_jobs=2):
        precompute(union(tmp_path), paths)
    assert len(list(tmp_path.rglob("*.npy"))) == 3 * len(paths)


def test_only_what_is_missing_is_computed(paths, opened, tmp_path):
    step = MelSpectrogramTransformer(n_frames=40, n_mels=16, cache_dir=tmp_path)
    step.transform(paths[:4])
    opened.clear()
    precompute([step, step.set_params()], paths)
    assert len(opened) == 2


def test_steps_are_found_wherever_they_are(paths, opened, tmp_path):
    network = MFCCStandardizer(n_mfcc=5, cache_dir=tmp_path)
    other = MFCCStandardizer(n_mfcc=6, cache_dir=tmp_path)
    vote = VotingClassifier(
        [
            ("one", make_pipeline(network, LogisticRegression())),
            ("two", make_pipeline(other, LogisticRegression())),
        ]
    )
    search = GridSearchCV(vote, {"one__logisticregression__C": [0.1, 1.0]}, cv=2)
    precompute(search, paths)
    assert len(opened) == len(paths)
    assert not hasattr(network, "mean_")
    search.fit(paths, [0, 1] * 3)
    assert len(opened) == len(paths)


def test_networks(paths, opened, tmp_path):
    import keras

    keras.Sequential(
        [keras.Input((20, 16)), keras.layers.Flatten(), keras.layers.Dense(3)]
    ).save(tmp_path / "tiny.keras")
    step = KerasEmbedding(tmp_path / "tiny.keras", n_mels=16)
    expected = step.transform(paths)
    step.set_params(cache_dir=tmp_path / "cache")
    mel = MelSpectrogramTransformer(cache_dir=tmp_path / "cache")
    opened.clear()
    precompute((mel, step), paths)
    assert_allclose(step.transform(paths), expected, atol=1e-3)
    assert len(opened) == len(paths)


def test_waveforms(tmp_path):
    waves = np.random.default_rng(0).normal(size=(3, 30_000))
    step = MelSpectrogramTransformer(n_frames=20, cache_dir=tmp_path)
    precompute(step, waves)
    kept = set(tmp_path.rglob("*.npy"))
    step.transform(waves)
    assert len(kept) == 3
    assert set(tmp_path.rglob("*.npy")) == kept


def test_files_that_can_not_be_read_are_left_to_the_steps(paths, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("no music")
    model = union(tmp_path / "cache")
    precompute(model, [*paths, bad])
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 3 * len(paths)
    with pytest.raises(AudioError, match=r"bad\.wav"):
        model.fit([*paths, bad])


def test_refusals(paths, tmp_path):
    table = MFCCStandardizer(input="features")
    for model in (table, [], FeatureUnion([("a", LogisticRegression())])):
        with pytest.raises(ValueError, match="model has no audio step"):
            precompute(model, paths)
    with pytest.raises(ValueError, match="has no cache_dir"):
        precompute([MFCCStandardizer(cache_dir=tmp_path), MFCCStandardizer()], paths)
    with pytest.raises(ValueError, match="'n_frames' parameter"):
        precompute(MelSpectrogramTransformer(n_frames=0, cache_dir=tmp_path), paths)
    with pytest.raises(TypeError, match="X is a single path"):
        precompute(MFCCStandardizer(cache_dir=tmp_path), paths[0])
    with pytest.raises(ValueError, match="'model' parameter of precompute"):
        precompute("mel", paths)


def test_its_task_goes_to_other_processes():
    from skgenre.features._precompute import _AllTasks

    assert pickle.loads(pickle.dumps(_AllTasks([len])))("ab") == [2]


class TestReadOnce:
    @pytest.fixture
    def bad(self, tmp_path):
        (tmp_path / "bad.wav").write_text("no music")
        return str(tmp_path / "bad.wav")

    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_steps_take_the_results(self, paths, bad, opened, n_jobs):
        step = MFCCStandardizer(n_mfcc=5)
        expected = step.fit_transform(paths)
        opened.clear()
        files = [paths[0], bad, *paths[1:]]
        with read_once(step, files, n_jobs=n_jobs) as read:
            assert read.good(files) == paths
            assert list(read.errors) == [bad]
            assert "bad.wav" in str(read.errors[bad])
            assert_array_equal(step.fit_transform(paths), expected)
            assert_array_equal(step.transform(paths[2:4]), expected[2:4])
            assert len(opened) == len(files)
        step.transform(paths)
        assert len(opened) == len(files) + len(paths)

    def test_what_is_not_known_is_read(self, paths, bad):
        step = MFCCStandardizer(n_mfcc=5).fit(paths)
        other = MFCCStandardizer(n_mfcc=6).fit(paths)
        noise = np.random.default_rng(0).normal(size=(2, 30_000))
        expected = step.transform(paths), step.transform(noise), other.transform(paths)
        with read_once(step, paths[:3]):
            assert_array_equal(step.transform(paths), expected[0])
            assert_array_equal(step.transform(noise), expected[1])
            assert_array_equal(other.transform(paths[:3]), expected[2][:3])
            with pytest.raises(AudioError, match=r"bad\.wav"):
                step.transform([paths[0], bad])

    def test_each_thread_has_its_own(self, paths, opened):
        step = MelSpectrogramTransformer(n_frames=40, n_mels=16)
        with read_once(step, paths), ThreadPoolExecutor(1) as pool:
            opened.clear()
            pool.submit(step.transform, paths).result()
        assert len(opened) == len(paths)

    def test_several_steps_and_models(self, paths, bad, opened):
        models = [union(), MFCCStandardizer(n_mfcc=5)]
        expected = [model.fit_transform(paths) for model in models]
        opened.clear()
        with read_once(models, [*paths, bad]) as read:
            actual = [model.fit_transform(read.good(paths)) for model in models]
            assert len(opened) == len(paths) + 1
        for one, other in zip(actual, expected, strict=True):
            assert_allclose(one, other, atol=2e-3)

    def test_equal_steps_are_computed_once(self, paths):
        steps = [MFCCStandardizer(n_jobs=n_jobs) for n_jobs in (1, 2)]
        with read_once(steps, paths) as read:
            first, second = (read.results_of(step) for step in steps)
        assert first is second

    def test_a_model_that_reads_nothing(self, paths):
        with read_once(LogisticRegression(), paths) as read:
            assert read.good(paths) == paths
            assert not read.errors
