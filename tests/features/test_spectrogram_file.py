import json
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
from joblib import Parallel, delayed
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedGroupKFold,
    cross_val_predict,
    cross_val_score,
)

from skgenre import (
    AudioError,
    CRNNClassifier,
    MelSpectrogramTransformer,
    SpectrogramFile,
)
from skgenre.features import _spectrogram_file
from skgenre.features._spectrogram_file import _header, write_spectrograms

CRNN = CRNNClassifier(
    filters=(4,),
    lstm_units=4,
    embedding_units=4,
    epochs=2,
    batch_size=8,
    random_state=0,
)


@pytest.fixture(scope="module")
def clips():
    """Clips of two genres that differ in level, and the genres."""
    y = np.repeat(["folk", "techno"], 20)
    X = np.random.default_rng(0).normal(-40, 5, size=(40, 10, 4))
    return (X + 20 * (y == "techno")[:, None, None]).astype(np.float32), y


@pytest.fixture
def path(clips, tmp_path):
    np.save(tmp_path / "X.npy", clips[0])
    return tmp_path / "X.npy"


@pytest.mark.parametrize("key", [slice(3, 9), [5, 1, 2], np.arange(40)[::-1], [0]])
def test_reads_what_is_in_the_file(key, clips, path):
    X = SpectrogramFile(path)
    assert_array_equal(X[key], clips[0][key])
    assert_array_equal(pickle.loads(pickle.dumps(X[key])), clips[0][key])
    assert len(pickle.dumps(X)) < 1000


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8"])
def test_any_floats_in_any_layout(dtype, order, clips, path):
    values = np.asarray(clips[0], dtype=dtype, order=order)
    np.save(path, values)
    X = SpectrogramFile(path)
    assert X.dtype == values.dtype
    assert_array_equal(X[[30, 4]], values[[30, 4]])
    expected = clone(CRNN).fit(values, clips[1]).predict_proba(values)
    assert_array_equal(clone(CRNN).fit(X, clips[1]).predict_proba(X), expected)


def test_neighbours_are_a_view_and_can_not_be_written(path):
    X = SpectrogramFile(path)
    assert np.shares_memory(np.asarray(X), X._mapped)
    assert np.shares_memory(X[7], X._mapped)
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(X[2:5])[:] = 0


def test_repr_shows_file_and_shape(path):
    text = repr(SpectrogramFile(path)[:2])
    assert str(path) in text and "(2, 10, 4)" in text and "float32" in text


def test_other_files_are_refused(path, clips, tmp_path):
    with pytest.raises(FileNotFoundError):
        SpectrogramFile(tmp_path / "none.npy")
    odd = tmp_path / "odd.npy"
    for contents in (b"", b"RIFF" + bytes(200), path.read_bytes()[:-100]):
        odd.write_bytes(contents)
        with pytest.raises(ValueError, match="odd.npy' is not a .npy file of numbers"):
            SpectrogramFile(odd)
    np.save(odd, np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="is not a .npy file of numbers"):
        SpectrogramFile(odd)
    for values in (clips[0][0], clips[0].astype(int), clips[0].astype(complex)):
        np.save(odd, values)
        with pytest.raises(ValueError, match=f"{values.dtype} of shape"):
            SpectrogramFile(odd)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="files of POSIX")
def test_pipes_and_devices_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.npy")
    for name in (tmp_path / "pipe.npy", "/dev/zero", tmp_path):
        with pytest.raises(ValueError, match="is no regular file"):
            SpectrogramFile(name)


def test_searches_and_folds_never_hold_a_fold(clips, path, monkeypatch):
    sizes = []

    class Watched(SpectrogramFile):
        def _read(self, rows):
            sizes.append(len(rows))
            return super()._read(rows)

    for module in ("_checks", "_training._data"):
        monkeypatch.setattr(f"skgenre.classifiers.{module}.CHUNK_BYTES", 10 * 4 * 8)
    artists = np.arange(40) // 4

    def results(X, y):
        folds = {"groups": artists, "cv": StratifiedGroupKFold(2)}
        search = GridSearchCV(CRNN, {"epochs": [1, 2]}, cv=2)
        return [
            cross_val_score(CRNN, X, y, **folds),
            cross_val_predict(CRNN, X, y, **folds, method="predict_proba"),
            search.fit(X, y).predict_proba(X),
        ]

    for expected, actual in zip(
        results(*clips), results(Watched(path), clips[1]), strict=True
    ):
        assert_array_equal(actual, expected)
    assert max(sizes) == 8


def test_worker_processes_open_the_file(clips, path):
    X = SpectrogramFile(path)
    parts = [X[[9, 2]], X[5:]]
    sums = Parallel(n_jobs=2)(delayed(np.sum)(part) for part in parts)
    assert_array_equal(sums, [np.asarray(part).sum() for part in parts])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_error_names_the_clip_that_is_not_finite(dtype, clips, path, monkeypatch):
    monkeypatch.setattr("skgenre.classifiers._checks.CHUNK_BYTES", 10 * 4 * 8)
    X, y = clips[0].astype(dtype), clips[1]
    fitted = clone(CRNN).fit(X, y)
    odd = X.copy()
    odd[29, 3, 1], odd[35] = np.nan, np.inf
    np.save(path, odd)
    bad = SpectrogramFile(path)
    for call in (
        lambda: clone(CRNN).fit(bad, y),
        lambda: clone(CRNN).fit(odd, y),
        lambda: fitted.predict(bad),
        lambda: fitted.transform(odd),
    ):
        with pytest.raises(ValueError, match="Input X contains NaN") as caught:
            call()
        assert caught.value.__notes__ == ["The first such clip has index 29."]
    with pytest.raises(ValueError, match="Input X of validation_data contains inf"):
        clone(CRNN).fit(X, y, validation_data=(bad[30:], y[30:]))


def test_large_float16_sums_are_no_error(clips):
    X = np.full((12, 10, 4), -4000, np.float16)  # their sum is -inf
    y = clips[1][14:26]
    with warnings.catch_warnings(action="error", category=RuntimeWarning):
        assert clone(CRNN).fit(X, y).predict_proba(X).shape == (12, 2)


SHAPE = (5, 4)


@pytest.fixture
def files(tmp_path):
    """Files of different content."""
    paths = [tmp_path / f"{i}.wav" for i in range(200)]
    for i, path in enumerate(paths):
        path.write_bytes(bytes(i))
    return paths


@pytest.fixture
def target(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "X.npy"


def spectrogram(clip):
    """Return what stands for the spectrogram of a clip."""
    return np.full(SHAPE, -float(clip.stem), np.float32)


def write(target, files, *, stop=None, made=None, **settings):
    """Write spectrograms; the clip named `stop` is broken."""

    def make(some):
        for clip in some:
            if clip.stem == stop:
                raise AudioError(clip, "it is broken")
            if made is not None:
                made.append(clip.stem)
            yield spectrogram(clip)

    settings = {"n_mels": 4, "fmax": None} | settings
    write_spectrograms(
        target,
        files,
        make,
        settings=settings,
        shape=SHAPE,
        dtype=np.dtype(np.float32),
    )


def expected(files):
    return np.stack([spectrogram(clip) for clip in files])


def test_written_and_not_written_again(target, files):
    made = []
    write(target, files, made=made)
    assert_array_equal(np.load(target), expected(files))
    assert sorted(p.name for p in target.parent.iterdir()) == ["X.npy", "X.npy.json"]
    write(target, files, made=made)
    assert len(made) == len(files)


def test_an_error_keeps_what_came_before(target, files):
    made = []
    with pytest.raises(AudioError):
        write(target, files, stop="150", made=made)
    assert not target.exists()
    with pytest.raises(AudioError) as caught:
        write(target, files, stop="150", made=made)
    assert caught.value.__notes__ == [
        "The clip's number is counted from clip 150 of X."
    ]
    good = files[:150] + files[151:]
    write(target, good, made=made)
    assert made == [clip.stem for clip in good]
    assert_array_equal(np.load(target), expected(good))


def test_a_killed_call_is_resumed(target, files):
    script = f"""
import time
from pathlib import Path
import numpy as np
from skgenre.features._spectrogram_file import write_spectrograms

def make(files):
    for clip in files:
        time.sleep(0.002)
        yield np.full({SHAPE}, -float(clip.stem), np.float32)

write_spectrograms(
    {str(target)!r},
    [Path({str(files[0].parent)!r}) / f"{{i}}.wav" for i in range(200)],
    make,
    settings={{"n_mels": 4, "fmax": None}},
    shape={SHAPE},
    dtype=np.dtype("float32"),
)
"""
    process = subprocess.Popen([sys.executable, "-c", script])
    note = target.with_name("X.npy.json")
    while not note.exists() or json.loads(note.read_text())["n_done"] == 0:
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not target.exists()
    made = []
    write(target, files, made=made)
    assert 0 < len(made) <= 200 - _spectrogram_file._CLIPS_BETWEEN_SAVES
    assert_array_equal(np.load(target), expected(files))


def test_the_note_counts_only_what_is_safely_on_the_disk(target, files, monkeypatch):
    """A test can have no power failure, so it records the calls that prevent harm."""
    note, part = target.with_name("X.npy.json"), target.with_name("X.npy.part")
    fsync, replace = os.fsync, os.replace
    safe_sizes, counts = {}, []

    def watched_fsync(descriptor):
        fsync(descriptor)
        facts = os.fstat(descriptor)
        safe_sizes[facts.st_ino] = facts.st_size

    def watched_replace(source, destination):
        if destination == note:
            counts.append(json.loads(source.read_text())["n_done"])
            n_bytes = counts[-1] * np.prod(SHAPE) * 4
            assert safe_sizes.get(part.stat().st_ino, 0) >= n_bytes
            assert source.stat().st_ino in safe_sizes
        replace(source, destination)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    write(target, files)
    assert counts == [0, 64, 128, 192, 200]


def test_what_was_not_safely_written_is_written_again(target, files):
    with pytest.raises(AudioError):
        write(target, files, stop="150")
    part = target.with_name("X.npy.part")
    # As after a power failure: the file is longer than the note says.
    with open(part, "ab") as file:
        file.write(os.urandom(1000))
    write(target, files)
    assert_array_equal(np.load(target), expected(files))


def test_a_lost_beginning_is_made_again(target, files):
    with pytest.raises(AudioError):
        write(target, files, stop="150")
    target.with_name("X.npy.part").unlink()
    write(target, files)
    assert_array_equal(np.load(target), expected(files))


@pytest.mark.parametrize("unfinished", [False, True])
def test_others_are_not_overwritten(unfinished, target, files):
    if unfinished:
        with pytest.raises(AudioError):
            write(target, files, stop="150")
        file = target.with_name("X.npy.part")
    else:
        write(target, files)
        file = target
    before = file.read_bytes()

    def refused(match, files=files, **settings):
        with pytest.raises(FileExistsError, match=match) as caught:
            write(target, files, **settings)
        assert f"{file.name}' exists and holds" in str(caught.value)
        assert file.read_bytes() == before

    refused("n_mels=4 instead of 8", n_mels=8)
    refused("fmax=None instead of 900", fmax=np.float64(900))
    refused("were changed", files[::-1])
    refused("first|100", files[:100])
    os.utime(files[3], ns=(1, 1))
    refused("were changed")


def test_an_array_of_unknown_origin_is_not_overwritten(target, files):
    np.save(target, np.zeros(3))
    with pytest.raises(FileExistsError, match="there is no 'X.npy.json' beside it"):
        write(target, files)
    assert np.load(target).shape == (3,)


@pytest.mark.skipif(os.name != "posix", reason="files of POSIX")
@pytest.mark.parametrize("suffix", ["part", "json"])
@pytest.mark.parametrize("kind", ["pipe", "device", "link"])
def test_what_is_no_file_of_ours_is_not_opened(kind, suffix, target, files):
    path = target.with_name(f"X.npy.{suffix}")
    mine = target.with_name("mine")
    mine.write_bytes(b"mine")
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else mine)
    if suffix == "json":
        target.with_name("X.npy.part").write_bytes(bytes(5000))
    with pytest.raises(OSError, match="another name") as caught:
        write(target, files)
    assert f"X.npy.{suffix}" in str(caught.value)
    assert mine.read_bytes() == b"mine"
    assert path.is_fifo() or path.is_symlink()


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_done", "1"), ("n_done", 1.5), ("settings", []), ("clips", 1)],
)
def test_a_record_of_other_types_is_refused(name, value, target, files):
    write(target, files)
    note = target.with_name("X.npy.json")
    note.write_text(json.dumps(json.loads(note.read_text()) | {name: value}))
    with pytest.raises(FileExistsError, match="is not a record of spectrograms"):
        write(target, files)


@pytest.mark.parametrize("contents", ["[1]", '{"format": "mine"}', "a,b", "\x00\xff"])
def test_a_note_of_another_program_is_not_overwritten(contents, target, files):
    note = target.with_name("X.npy.json")
    note.write_text(contents)
    with pytest.raises(FileExistsError, match="is not a record of spectrograms"):
        write(target, files)
    assert note.read_text() == contents


def test_only_one_process_writes(target, files):
    fcntl = pytest.importorskip("fcntl")
    with open(target.with_name("X.npy.part"), "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError, match="written by another process"):
            write(target, files)
    write(target, files)


def test_a_full_disk_is_reported_before_work_begins(target, files, monkeypatch):
    usage = type("Usage", (), {"free": 200 * 20 * 4})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    made = []
    with pytest.raises(OSError, match="needs 15.75 KiB, but only 15.62 KiB are free"):
        write(target, files, made=made)
    assert not made and not list(target.parent.iterdir())
    usage.free += 128  # the header
    write(target, files, made=made)
    assert len(made) == 200


def test_a_folder_that_is_not_there(target, files):
    with pytest.raises(FileNotFoundError, match="Make it first"):
        write(target.parent / "none" / "X.npy", files)


def test_headers_are_as_long_for_any_number_of_clips():
    dtype = np.dtype(np.float16)
    assert len(_header((1, 640, 128), dtype)) == len(_header((10**9, 640, 128), dtype))


def test_waveforms_are_known_by_their_samples(tmp_path):
    rng = np.random.default_rng(0)
    waves = [rng.normal(size=n) for n in (4000, 9000, 30000)]
    step = MelSpectrogramTransformer(sample_rate=8000, n_fft=256, n_frames=20, n_mels=8)
    step.transform_to(tmp_path / "X.npy", waves)
    step.transform_to(tmp_path / "X.npy", waves)
    split_elsewhere = np.split(np.concatenate(waves), [5000, 9000])
    waves[1][100] += 1
    for others in (waves, split_elsewhere):
        with pytest.raises(FileExistsError, match="were changed"):
            step.transform_to(tmp_path / "X.npy", others)
