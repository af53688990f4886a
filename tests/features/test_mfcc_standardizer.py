import pickle
import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skgenre.audio import AudioError, load_audio
from skgenre.features import MFCCStandardizer, mfcc_statistics
from skgenre.features import _mfcc_standardizer as module


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    result = []
    for i in range(6):
        noise = rng.standard_normal(22050 + 3000 * i) * rng.uniform(0.01, 0.2)
        result.append(str(folder / f"{i}.wav"))
        soundfile.write(result[-1], np.convolve(noise, np.ones(i + 1)), 22050)
    return result


def test_features_before_standardising(paths):
    step = MFCCStandardizer().fit(paths)
    table = np.array([mfcc_statistics(load_audio(path)) for path in paths])
    assert_allclose(step.mean_, table.mean(axis=0))
    assert_allclose(step.scale_, table.std(axis=0))
    assert_allclose(step.transform(paths) * step.scale_ + step.mean_, table)


def test_correlations(paths):
    step = MFCCStandardizer(n_mfcc=4, statistics="correlations").fit(paths)
    table = np.array(
        [
            mfcc_statistics(load_audio(path), n_mfcc=4, statistics="correlations")
            for path in paths
        ]
    )
    assert_allclose(step.transform(paths) * step.scale_ + step.mean_, table)
    names = step.get_feature_names_out()
    assert list(names[[0, 4, 8, 9, 13]]) == [
        "mfcc_mean_01",
        "mfcc_std_01",
        "mfcc_corr_01_02",
        "mfcc_corr_01_03",
        "mfcc_corr_03_04",
    ]


def test_standardised(paths):
    table = MFCCStandardizer().fit_transform(paths)
    assert table.shape == (6, 140)
    assert_allclose(table.mean(axis=0), 0, atol=1e-10)
    assert_allclose(table.std(axis=0), 1)


def test_fit_transform_reads_each_clip_once(paths, monkeypatch):
    expected = MFCCStandardizer().fit(paths).transform(paths)
    clips = []
    read = module.read_blocks

    def counting_read(clip, *args):
        clips.append(clip)
        return read(clip, *args)

    monkeypatch.setattr(module, "read_blocks", counting_read)
    assert_allclose(MFCCStandardizer().fit_transform(paths), expected)
    assert clips == paths


def test_names_are_those_of_fma(paths):
    names = MFCCStandardizer().fit(paths).get_feature_names_out()
    assert len(names) == 140
    assert names.dtype == object
    assert list(names[:2]) == ["mfcc_kurtosis_01", "mfcc_kurtosis_02"]
    assert [name.split("_")[1] for name in names[::20]] == [
        "kurtosis",
        "max",
        "mean",
        "median",
        "min",
        "skew",
        "std",
    ]
    table = np.array([mfcc_statistics(load_audio(paths[0]))])
    frame = pd.DataFrame(table, columns=names)
    assert (frame["mfcc_min_07"] <= frame["mfcc_median_07"]).all()
    assert (frame["mfcc_median_07"] <= frame["mfcc_max_07"]).all()


@pytest.mark.parametrize("frame_type", [pd.DataFrame, pl.DataFrame])
def test_set_output(paths, frame_type):
    library = frame_type.__module__.split(".")[0]
    step = MFCCStandardizer(n_mfcc=3, input="audio").set_output(transform=library)
    for table in (step.fit_transform(paths), step.transform(paths)):
        assert isinstance(table, frame_type)
        assert list(table.columns) == list(step.get_feature_names_out())


@pytest.mark.parametrize(("excerpt", "start"), [("middle", 7350), ("start", 0)])
def test_duration(excerpt, start):
    waveform = np.random.default_rng(0).standard_normal(22050).astype(np.float32)
    step = MFCCStandardizer(duration=1 / 3, excerpt=excerpt).fit([waveform])
    assert_allclose(step.mean_, mfcc_statistics(waveform[start : start + 7350]))
    long = MFCCStandardizer(duration=1e9).fit([waveform])
    assert_allclose(long.mean_, mfcc_statistics(waveform))


def test_n_jobs_and_batches_change_nothing(paths):
    expected = MFCCStandardizer().fit_transform(paths)
    step = MFCCStandardizer(n_jobs=2)
    assert_array_equal(step.fit_transform(paths), expected)
    for i, path in enumerate(paths):
        assert_array_equal(step.transform([path])[0], expected[i])


def test_ready_made_features():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(5, 3, size=(20, 518))).add_prefix("column")
    step = MFCCStandardizer(input="features").set_output(transform="pandas")
    table = step.fit_transform(frame)
    assert_allclose(table, StandardScaler().fit_transform(frame))
    assert list(table.columns) == list(frame.columns)
    assert list(step.feature_names_in_) == list(frame.columns)
    with pytest.raises(ValueError, match="X has 3 features.*expecting 518"):
        MFCCStandardizer(input="features").fit(frame.to_numpy()).transform([[1, 2, 3]])


def test_paths_as_features_are_refused(paths):
    with pytest.raises(ValueError, match="could not convert string to float|1D array"):
        MFCCStandardizer(input="features").fit(np.array(paths)[:, np.newaxis])


def test_constant_feature_has_scale_one():
    step = MFCCStandardizer().fit(np.zeros((3, 5000)))
    assert_array_equal(step.scale_, 1)
    assert_allclose(step.transform(np.zeros((1, 5000))), 0, atol=1e-9)


def test_not_fitted(paths):
    for method in ("transform", "get_feature_names_out"):
        with pytest.raises(NotFittedError):
            getattr(MFCCStandardizer(), method)(paths)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_mfcc": 200}, "n_mfcc must be at most n_mels=128"),
        ({"duration": 0}, "'duration' parameter of MFCCStandardizer"),
        ({"input": "files"}, "'input' parameter"),
    ],
)
def test_refused_parameters(paths, parameters, message):
    for method in ("fit", "fit_transform"):
        with pytest.raises(ValueError, match=message):
            getattr(MFCCStandardizer(**parameters), method)(paths)


def test_unreadable_file(paths):
    with pytest.raises(AudioError, match=r"'gone\.mp3'"):
        MFCCStandardizer(n_jobs=2).fit([*paths, "gone.mp3"])


def test_copies_and_pipeline(paths):
    step = MFCCStandardizer().fit(paths)
    copy = pickle.loads(pickle.dumps(step))
    assert_array_equal(copy.transform(paths), step.transform(paths))
    pipeline = make_pipeline(clone(step), SVC())
    scores = cross_val_score(pipeline, pd.Series(paths), [0, 0, 0, 1, 1, 1], cv=3)
    assert np.isfinite(scores).all()


def test_another_n_mfcc_after_fit_is_refused_before_decoding(paths):
    fitted = MFCCStandardizer(n_mfcc=11).fit(paths)
    names = fitted.get_feature_names_out()
    fitted.set_params(statistics="correlations")  # as many features, by chance
    assert list(fitted.get_feature_names_out()) == list(names)
    with pytest.raises(ValueError, match="mfcc_mean_01 to mfcc_corr_10_11, but 77"):
        fitted.transform(paths)
    fitted = MFCCStandardizer(n_mfcc=5).fit(paths).set_params(n_mfcc=6)
    with pytest.raises(ValueError, match="n_mfcc=6, .* make 42 features .* 35 others"):
        fitted.transform(["is never opened.mp3"])


def test_views_of_a_file_that_is_read_in_blocks(tmp_path):
    rng = np.random.default_rng(0)
    clicks = np.where(np.arange(30 * 22050) % 11025 < 50, 1, 0.01)
    samples = np.sin(np.arange(30 * 22050) / 10) + clicks * rng.normal(size=30 * 22050)
    soundfile.write(tmp_path / "it.wav", samples / 9, 22050, subtype="FLOAT")
    views = ("percussive", "mix", "harmonic")
    step = MFCCStandardizer(n_mfcc=4, statistics="correlations", views=views)
    of_file, of_waveform = (
        step.fit([clip]).mean_
        for clip in (tmp_path / "it.wav", np.float32(samples / 9))
    )
    assert_allclose(of_file, of_waveform, rtol=1e-9)
    alone = [step.set_params(views=[view]).fit([samples / 9]).mean_ for view in views]
    assert_allclose(of_file, np.concatenate(alone), rtol=1e-5)
    names = step.set_params(views=views).fit([samples]).get_feature_names_out()
    assert [*names[[0, 13, 14, 41]]] == [
        *("mfcc_percussive_mean_01", "mfcc_percussive_corr_03_04"),
        *("mfcc_mean_01", "mfcc_harmonic_corr_03_04"),
    ]


@pytest.mark.parametrize("statistics", ["moments", "correlations"])
def test_long_files_take_little_memory(statistics, tmp_path):
    path = tmp_path / "long.flac"
    minute = 0.1 * np.sin(np.arange(60 * 44100) / 10)
    with soundfile.SoundFile(path, "w", 44100, 2) as file:
        for i in range(12):
            file.write(np.stack([minute, minute * (i % 2)], axis=1))
    step = MFCCStandardizer(statistics=statistics)
    tracemalloc.start()
    try:
        step.fit([path])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    n_bytes = 4 * 12 * 60 * 44100  # of its samples in mono
    assert peak < n_bytes
    table = mfcc_statistics(load_audio(path), statistics=statistics)
    assert_allclose(step.mean_, table, rtol=1e-9, atol=1e-9)
