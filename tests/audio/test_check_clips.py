import io
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator

from skgenre import MelSpectrogramTransformer, Waveform
from skgenre.audio._check_clips import check_clips
from skgenre.audio._clip import FileClip, WaveformClip

NAMES = ["a.mp3", "b/c.wav", "ü.flac"]


@pytest.mark.parametrize(
    "X",
    [
        NAMES,
        tuple(NAMES),
        np.array(NAMES),
        np.array(NAMES, dtype=object),
        np.array(NAMES)[:, np.newaxis],
        pd.Series(NAMES, index=[5, 3, 9]),
        pd.Series(NAMES, dtype="string"),
        pd.Series(NAMES, dtype="category"),
        pd.DataFrame({"path": NAMES}),
        pl.Series(NAMES),
        pl.DataFrame({"path": NAMES}),
    ],
    ids=lambda X: f"{type(X).__module__}.{type(X).__name__}",
)
def test_sequences_of_text(X):
    assert check_clips(X) == NAMES


@pytest.mark.parametrize("container", [list, pd.Series])
def test_other_path_types(container):
    paths = [Path("a.mp3"), "b.mp3", b"c.mp3"]
    assert check_clips(container(paths)) == paths


def test_paths_are_not_looked_at():
    assert check_clips(["not audio at all", ""]) == ["not audio at all", ""]


@pytest.mark.parametrize("X", ["song.mp3", b"song.mp3", Path("song.mp3")])
def test_single_path(X):
    with pytest.raises(TypeError, match=r"single path.*Wrap it in a list: \[.*song"):
        check_clips(X)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i8", object])
def test_waveform_table(dtype):
    X = np.eye(3, 4).astype(dtype)
    clips = check_clips(X)
    assert all(clip.dtype == np.float32 for clip in clips)
    assert_array_equal(clips, X.astype(float))
    assert_array_equal(check_clips(X.tolist()), X.astype(float))
    assert_array_equal(check_clips(pd.DataFrame(X)), X.astype(float))


def test_waveforms_of_any_length():
    X = [np.zeros(3), np.ones(5, dtype=np.int16), [0.5, 0.25]]
    for form in (X, tuple(X), pd.Series(X)):
        clips = check_clips(form)
        assert [len(clip) for clip in clips] == [3, 5, 2]
        assert all(clip.dtype == np.float32 for clip in clips)
    ragged = check_clips([[1.0, 2.0], [3.0]])
    assert [clip.tolist() for clip in ragged] == [[1, 2], [3]]


def test_input_is_not_changed():
    X = [np.ones(3), np.ones(4)]
    check_clips(X)
    assert X[0].dtype == np.float64


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([], ValueError, r"0 sample\(s\).*at least one path"),
        (np.array([], dtype=str), ValueError, r"0 sample\(s\).*at least one path"),
        (pd.Series([], dtype=object), ValueError, r"0 sample\(s\).*at least one path"),
        (np.empty((0, 3)), ValueError, r"0 sample\(s\)"),
        (np.empty((3, 0)), ValueError, r"0 feature\(s\)"),
        (np.ones(5), ValueError, "Reshape your data"),
        ([1.0, 2.0], ValueError, "Reshape your data"),
        (np.ones((2, 3, 4)), ValueError, "dim 3"),
        (np.array([[1, np.nan]]), ValueError, "NaN"),
        (np.array([[1, np.inf]]), ValueError, "infinity"),
        (np.ones((2, 3), dtype=complex), ValueError, "Complex data not supported"),
        (csr_array(np.eye(3)), TypeError, "[Ss]parse"),
        (None, TypeError, "NoneType.*Expected a sequence"),
        ({"a": 1}, TypeError, "dict.*Expected a sequence"),
        ((p for p in NAMES), TypeError, "generator.*Expected a sequence"),
        (["a.mp3", None], TypeError, "Clip 1 of X is of type NoneType.*Leave"),
        ([None, None], TypeError, "Clip 0 of X is of type NoneType.*Leave"),
        (pd.Series(["a.mp3", np.nan]), TypeError, "Clip 1 of X is of type float"),
        (np.array([NAMES, NAMES]), ValueError, r"shape \(2, 3\).*one column"),
        ([np.ones(3), np.ones((2, 3))], ValueError, "Clip 1.*expected a 1-D"),
        ([np.ones(3), np.ones(0)], ValueError, "Clip 1 of X has 0 samples"),
        ([np.ones(3), np.array([1, np.nan])], ValueError, "Clip 1 of X contains NaN"),
        ([np.ones(3), np.array([1e300])], ValueError, "Clip 1 .*too large"),
        ([np.ones(3), np.ones(2, complex)], ValueError, "Complex.*Clip 1"),
        ([np.ones(3), np.array(["a", "b"])], ValueError, "Clip 1.*numeric"),
        ([np.ones(3), [[1.0], [1.0, 2.0]]], ValueError, "Clip 1"),
        ([np.ones(3), 7], TypeError, "Clip 1 of X is of type int"),
    ],
)
def test_refusals(X, error, message):
    with pytest.raises(error, match=message):
        check_clips(X)


def test_attributes_of_the_estimator():
    estimator = BaseEstimator()
    check_clips(np.ones((2, 7)), estimator=estimator, reset=True)
    assert estimator.n_features_in_ == 7
    with pytest.raises(ValueError, match="X has 3 features.*expecting 7"):
        check_clips(np.ones((2, 3)), estimator=estimator)
    check_clips(["a.mp3"], estimator=estimator)  # lists have no columns to compare

    check_clips(["a.mp3"], estimator=estimator, reset=True)
    assert not hasattr(estimator, "n_features_in_")
    check_clips(np.ones((2, 3)), estimator=estimator)

    check_clips(pd.DataFrame({"path": NAMES}), estimator=estimator, reset=True)
    assert estimator.n_features_in_ == 1
    assert list(estimator.feature_names_in_) == ["path"]


MONO = np.array([0.0, 0.5, -0.5, 0.25], np.float32)
STEREO = np.stack([MONO, MONO], axis=1)


class Decoder:
    """Stands for torchcodec's decoder, which Hugging Face's datasets hold."""

    def get_all_samples(self):
        raise AssertionError("not needed")

    def __getitem__(self, key):
        return {"array": STEREO.T, "sampling_rate": 8000}[key]


class Column:
    """Stands for a column of Hugging Face's datasets, which is indexed."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


class Tensor:
    """Stands for a tensor of PyTorch."""

    def __init__(self, values):
        self.values = np.asarray(values)
        self.shape = self.values.shape

    def __array__(self, dtype=None, copy=None):
        return self.values


PAIRS = {
    "pair": (MONO, 8000),
    "list": [MONO, 8000],
    "lists": (MONO.tolist(), 8000),
    "Waveform": Waveform(MONO, 8000),
    "row": {"path": "a.wav", "array": MONO, "sampling_rate": 8000},
    "decoder": Decoder(),
    "samples first": (STEREO, np.int64(8000)),
    "channels first": (STEREO.T, 8000.0),
    "one channel": (MONO[np.newaxis], np.float32(8000)),
    "one column": (MONO[:, np.newaxis], 8000),
    "tensor": (Tensor(STEREO.T), Tensor(8000)),
}


@pytest.mark.parametrize("form", PAIRS)
@pytest.mark.parametrize("container", [list, tuple, pd.Series, Column, "objects"])
def test_waveforms_with_their_rate(form, container):
    X = [PAIRS[form]] * 3
    if container == "objects":
        X = np.empty(3, dtype=object)
        for i in range(3):
            X[i] = PAIRS[form]
    else:
        X = container(X)
    for i, clip in enumerate(check_clips(X)):
        assert isinstance(clip, WaveformClip)
        assert clip.samples.shape[0] == 4 and clip.samples.ndim <= 2
        assert clip.sample_rate == 8000 and clip.name == f"clip {i} of X"


def test_numpy_and_pandas_make_columns_of_pairs():
    pairs = [(MONO, 8000), (MONO[:3], 16000)]
    for X in (np.array(pairs, dtype=object), pd.DataFrame(pairs)):
        assert X.shape == (2, 2)
        clips = check_clips(X)
        assert [clip.sample_rate for clip in clips] == [8000, 16000]
        assert [len(clip.samples) for clip in clips] == [4, 3]


def test_samples_are_not_copied():
    (clip,) = check_clips([(STEREO.T, 8000)])
    assert np.shares_memory(clip.samples, STEREO)


def test_files_and_mixtures(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"contents")
    spooled = tempfile.SpooledTemporaryFile()
    with open(tmp_path / "a.wav", "rb") as file:
        X = ["a.mp3", io.BytesIO(b""), spooled, file, (MONO, 8000), MONO, [0.5, 0.25]]
        for form in (X, pd.Series(X)):
            path, *files, pair, bare, listed = check_clips(form)
            assert path == "a.mp3"
            assert all(isinstance(clip, FileClip) for clip in files)
            assert [clip.name for clip in files] == [
                "clip 1 of X",
                "clip 2 of X",
                str(tmp_path / "a.wav"),
            ]
            assert isinstance(pair, WaveformClip)
            assert bare.dtype == listed.dtype == np.float32
            assert check_clips([files[0], pair]) == [files[0], pair]


class Upload:
    """Stands for a file of a web framework that is read asynchronously."""

    async def read(self, size=-1):
        return b""

    async def seek(self, offset):
        return 0


class Response(io.BytesIO):
    def seekable(self):
        return False


def closed():
    file = io.BytesIO()
    file.close()
    return file


RATE = "The sample rate of Clip 0 of X must be a number of Hz, got "
WRONG = [
    ((44100, MONO), TypeError, "pair of sample rate and samples, as scipy.*Turn it"),
    (Waveform(MONO, None), TypeError, RATE + "None"),
    (Waveform(MONO, "44.1 kHz"), TypeError, RATE + "'44.1 kHz'"),
    (Waveform(MONO, True), TypeError, RATE + "True"),
    (Waveform(MONO, MONO), TypeError, RATE),
    ({"array": MONO, "sampling_rate": None}, TypeError, RATE + "None"),
    ({"bytes": b"", "path": "a"}, TypeError, r"keys \['bytes', 'path'\]; .*'array'"),
    ((np.zeros((2, 3, 4)), 8000), ValueError, r"Clip 0 .*\(2, 3, 4\).*n_channels"),
    ((np.zeros((128, 640)), 8000), ValueError, r"\(128, 640\).*at most 64"),
    ((np.zeros((2, 2)), 8000), ValueError, r"\(2, 2\).*fewer channels"),
    ((np.array(["a"]), 8000), ValueError, "Clip 0 of X has samples .*dtype <U1"),
    ((MONO.astype(complex), 8000), ValueError, "Complex.*Clip 0 of X"),
    ((MONO.astype(np.int64), 8000), ValueError, "int64, which has no full scale"),
    (([[1.0], [1.0, 2.0]], 8000), ValueError, "Clip 0 of X has samples"),
    (Upload(), TypeError, "Clip 0 of X is read asynchronously .*upload.file"),
    (io.StringIO("x"), TypeError, r"open file \(StringIO\) of text.*'rb'"),
    (closed(), ValueError, "that is closed"),
    (Response(b"x"), ValueError, r"can't be sought.*io.BytesIO\(file.read\(\)\)"),
    (b"RIFF\0\0\0\0WAVE", TypeError, r"Clip 0 of X is 12 bytes .*io.BytesIO\(con"),
    (b"x" * 1_700_000, TypeError, r"Clip 0 of X is 1,700,000 bytes .*io.BytesIO\(con"),
    (bytearray(1_700_000), TypeError, r"1,700,000 bytes .*io.BytesIO\(contents\)"),
    (memoryview(bytes(9)), TypeError, r"9 bytes .*io.BytesIO\(contents\)"),
    ({1, 2}, TypeError, "Clip 0 of X is of type set; expected a path, a binary file"),
    (dict.fromkeys(range(99_999)), TypeError, "Clip 0 of X is a dict with the keys"),
    (Waveform(MONO, "9" * 999_999), TypeError, RATE),
]


@pytest.mark.parametrize(("clip", "error", "message"), WRONG)
def test_wrong_clips_are_refused_in_a_line(clip, error, message):
    for others in ([], ["a.mp3"], [MONO]):
        with pytest.raises(error, match=message) as caught:
            check_clips([clip, *others])
        assert len(str(caught.value)) < 300 and "\n" not in str(caught.value)


def test_a_file_that_is_written(tmp_path):
    with open(tmp_path / "a.wav", "wb") as file:
        with pytest.raises(ValueError, match="for writing alone.*'rb'"):
            check_clips([file])


@pytest.mark.parametrize(
    "X",
    [
        (MONO, 8000),
        Waveform(MONO, 8000),
        io.BytesIO(b"x"),
        {"array": MONO, "sampling_rate": 8000},
        Decoder(),
        FileClip(io.BytesIO(b"x"), "it"),
    ],
    ids=lambda X: type(X).__name__,
)
def test_a_clip_is_no_sequence_of_clips(X):
    with pytest.raises(TypeError, match=r"X is a single clip, .*Wrap it .*: \[X\]"):
        check_clips(X)


def test_contents_in_place_of_a_list():
    with pytest.raises(TypeError, match=r"X is 1,700,000 bytes.*io.BytesIO\("):
        check_clips(bytes(1_700_000))
    with pytest.raises(TypeError, match="X is a single path") as caught:
        check_clips("x" * 1_700_000)
    assert len(str(caught.value)) < 600


def test_messages_name_the_rate_of_bare_waveforms():
    step = MelSpectrogramTransformer(sample_rate=16000)
    for X in ([np.ones(3), np.ones((2, 3))], 3):
        with pytest.raises((TypeError, ValueError), match="at 16000 Hz"):
            check_clips(X, estimator=step)


def test_integers_without_a_full_scale():
    with pytest.warns(UserWarning, match="64-bit integers have no full scale.*int16"):
        (clip,) = check_clips([[3, -7]])
    assert clip.tolist() == [3, -7]
    assert check_clips([[1, 0, -1]])[0].tolist() == [1, 0, -1]
    assert check_clips([np.array([-32768, 16384], "i2")])[0].tolist() == [-1, 0.5]
    assert check_clips(np.array([[0, 192]], "u1"))[0].tolist() == [-1, 0.5]
