"""Audio steps that go on where a file can't be read."""

import copy
import pickle
import threading
import warnings

import keras
import numpy as np
import pytest
import soundfile
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skgenre import (
    AudioError,
    GenreTagger,
    KerasEmbedding,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    MusicnnEmbedding,
    load,
    save,
)
from skgenre.audio._array_store import usage


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Good files, and among them an empty one, text, and one that isn't there."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    for i in range(4):
        soundfile.write(folder / f"{i}.flac", rng.uniform(-0.3, 0.3, 22050), 22050)
    (folder / "empty.mp3").touch()
    (folder / "text.mp3").write_text("no music " * 99)
    return folder


@pytest.fixture(scope="module")
def paths(folder):
    names = "0.flac", "empty.mp3", "1.flac", "text.mp3", "2.flac", "gone.ogg", "3.flac"
    return [str(folder / name) for name in names]


BAD = [1, 3, 5]


def network():
    waveform = keras.Input((None,))
    frames = keras.layers.Reshape((-1, 1))(waveform)
    return keras.Model(waveform, keras.layers.Conv1D(4, 9, padding="valid")(frames))


STEPS = {
    "mel": lambda: MelSpectrogramTransformer(n_frames=16, n_mels=32),
    "whole clips": lambda: MelSpectrogramTransformer(n_frames=None, n_mels=32),
    "mfcc": MFCCStandardizer,
    "keras": lambda: KerasEmbedding(network(), input="waveform"),
    "musicnn": lambda: MusicnnEmbedding(output="tags"),
    "tagger": GenreTagger,
}


@pytest.fixture(params=STEPS)
def step(request):
    if request.param in ("musicnn", "tagger"):
        pytest.importorskip("musicnn")
    return STEPS[request.param]()


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_bad_clips_are_nan_and_the_others_as_ever(step, paths, n_jobs):
    good = [path for i, path in enumerate(paths) if i not in BAD]
    expected = step.fit_transform(good)
    step.set_params(on_error="ignore", n_jobs=n_jobs)
    with warnings.catch_warnings(action="error"):
        result = step.fit_transform(paths)
    assert len(result) == len(paths)
    for i in BAD:
        assert np.isnan(result[i]).all()
    for i, row in zip(np.delete(np.arange(7), BAD), expected, strict=True):
        assert_array_equal(result[i], row)


def test_raise_names_the_file(step, paths):
    with pytest.raises(AudioError, match=r"empty\.mp3'.*0 bytes") as caught:
        step.fit_transform(paths)
    assert caught.value.__notes__ == ["This happened in clip 1 of X."]
    assert not hasattr(step, "extraction_report_")


def test_report(step, paths):
    step.set_params(on_error="ignore").fit_transform(paths)
    report = step.extraction_report_
    assert report["path"].tolist() == paths
    assert np.flatnonzero(report["status"] == "error").tolist() == BAD
    assert "0 bytes" in report["cause"][1]
    assert "no decoder" in report["cause"][3]
    assert report["cause"][5] == "there is no such file"
    good = report.drop(index=BAD)
    assert (good["cause"] == "").all()
    assert (good["duration"] == 1).all()
    assert (good["channels"] == 1).all()
    assert (good["sample_rate"] == 22050).all()
    assert (report["seconds"] >= 0).all() and good["seconds"].min() > 0


def test_with_a_cache(step, paths, tmp_path):
    if isinstance(step, KerasEmbedding):
        step.model.save(tmp_path / "network.keras")
        step.set_params(model=tmp_path / "network.keras")
    step.set_params(on_error="ignore", cache_dir=tmp_path / "cache")
    first = step.fit_transform(paths)
    report = step.extraction_report_
    second = step.fit_transform(paths)
    for one, other in zip(first, second, strict=True):
        assert_array_equal(one, other)
    unchanged = ["path", "status", "cause", "duration", "channels", "sample_rate"]
    assert report[unchanged].equals(step.extraction_report_[unchanged])
    # Whatever on_error is, the same results are looked up; errors are none.
    step.set_params(on_error="raise").transform([paths[0], paths[2]])
    with pytest.raises(AudioError, match=r"empty\.mp3"):
        step.transform(paths)


def test_what_was_computed_before_an_error_is_kept(paths, tmp_path):
    step = MFCCStandardizer(cache_dir=tmp_path)
    with pytest.raises(AudioError):
        step.fit([paths[0], paths[2], paths[3], paths[4]])
    assert sum(kind.n_arrays for kind in usage(tmp_path)) >= 2


def test_missing_package_is_no_fault_of_a_clip(paths, monkeypatch):
    step = MelSpectrogramTransformer(on_error="ignore")
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    with pytest.raises(ImportError, match=r"skgenre\[remote\]"):
        step.transform(["memory://song.mp3"])


def test_warning(paths, tmp_path):
    step = MelSpectrogramTransformer(n_frames=4, n_mels=16, on_error="warn")
    with pytest.warns(UserWarning, match="3 of 7 clips could not be read") as caught:
        step.fit(paths).transform(paths)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="3 of 7 clips") as caught_of_file:
        X = step.transform_to(tmp_path / "spectrograms.npy", paths)
    assert caught_of_file[0].filename == __file__
    assert_array_equal(X, step.set_params(on_error="ignore").transform(paths))
    step.set_params(on_error="warn")
    assert "clip 1 (" in str(caught[0].message)
    with warnings.catch_warnings(action="error"):
        step.transform(paths[:1])


def test_whole_clip_is_one_frame(paths):
    step = MelSpectrogramTransformer(n_frames=None, n_mels=32, on_error="ignore")
    result = step.transform(paths)
    assert [clip.shape for clip in result[BAD]] == [(1, 32)] * 3
    assert all(clip.dtype == np.float32 for clip in result)


def test_standardizer_learns_from_good_clips(paths):
    good = [path for i, path in enumerate(paths) if i not in BAD]
    expected = MFCCStandardizer().fit(good)
    step = MFCCStandardizer(on_error="ignore").fit(paths)
    assert_array_equal(step.mean_, expected.mean_)
    assert_array_equal(step.scale_, expected.scale_)


def test_standardizer_needs_one_good_clip(paths):
    step = MFCCStandardizer(on_error="ignore")
    with pytest.raises(ValueError, match=r"None of the 2 clips.*text\.mp3"):
        step.fit([paths[1], paths[3]])


def test_network_that_fails_on_a_clip(paths):
    short = np.zeros(3, np.float32)  # fewer samples than the kernel has
    clips = [np.ones(100, np.float32), short]
    step = KerasEmbedding(network(), input="waveform")
    with pytest.raises(ValueError, match="fails on inputs"):
        step.transform(clips)
    result = step.set_params(on_error="ignore").transform(clips)
    assert np.isfinite(result[0]).all() and np.isnan(result[1]).all()
    assert "fails on inputs" in step.extraction_report_["cause"][1]
    assert step.extraction_report_["duration"][0] == 100 / 22050


def test_report_is_of_the_last_transform(paths):
    step = MelSpectrogramTransformer(n_frames=4, n_mels=16, on_error="ignore")
    step.transform(paths)
    step.transform(paths[:2])
    assert len(step.extraction_report_) == 2
    step.set_params(on_error="raise").transform(paths[:1])
    assert not hasattr(step, "extraction_report_")


def test_step_itself_stays_as_it_is(paths, tmp_path):
    step = MelSpectrogramTransformer(n_frames=4, n_mels=16, on_error="ignore")
    before = dict(vars(step))
    step.transform(paths)
    assert vars(step) == before
    assert len(step.extraction_report_) == 7
    save(step, tmp_path / "step.model")
    for other in (
        clone(step),
        copy.deepcopy(step),
        pickle.loads(pickle.dumps(step)),
        load(tmp_path / "step.model"),
    ):
        assert other.on_error == "ignore"
        assert not hasattr(other, "extraction_report_")


def test_each_thread_has_its_own_report(paths):
    step = MelSpectrogramTransformer(n_frames=4, n_mels=16, on_error="ignore")
    barrier = threading.Barrier(4)
    seen = {}

    def work(n_clips):
        for _ in range(5):
            step.transform(paths[:n_clips])
            barrier.wait(30)
            seen[n_clips] = len(step.extraction_report_)
            barrier.wait(30)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {1: 1, 2: 2, 3: 3, 4: 4}
    # This thread has transformed nothing: it sees one of theirs.
    assert len(step.extraction_report_) in seen


def test_waveforms_are_checked_as_ever():
    step = MelSpectrogramTransformer(n_frames=4, on_error="ignore")
    with pytest.raises(ValueError, match="Clip 1 of X contains NaN"):
        step.transform([np.zeros(5), np.full(5, np.nan)])


def test_invalid(paths):
    with pytest.raises(ValueError, match="'on_error' parameter"):
        MelSpectrogramTransformer(on_error="skip").fit(paths)
