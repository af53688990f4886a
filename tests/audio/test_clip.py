import gzip
import io
import mmap
import pickle
import tempfile
import threading
import zipfile

import numpy as np
import pytest
import soundfile
from joblib import Parallel, delayed, parallel_config
from numpy.testing import assert_array_equal

from skgenre import AudioError, MelSpectrogramTransformer, Waveform, load_audio
from skgenre.audio._check_clips import as_clip
from skgenre.audio._clip import FileClip, WaveformClip, full_scale
from skgenre.audio._clip_cache import content_key
from skgenre.audio._isolation._task import IsolatedTask


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "noise.wav"
    samples = np.random.default_rng(0).normal(0, 0.1, (22_050, 2))
    soundfile.write(path, samples, 44_100)
    return path


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.array([-32768, 0, 32767], "i2"), [-1, 0, 32767 / 32768]),
        (np.array([-32768, 0, 16384], ">i2"), [-1, 0, 0.5]),
        (np.array([0, 128, 192], "u1"), [-1, 0, 0.5]),
        (np.array([-128, 0, 64], "i1"), [-1, 0, 0.5]),
        (np.array([0, 1 << 15], "u2"), [-1, 0]),
        (np.array([-(1 << 31), 0, 1 << 30], "i4"), [-1, 0, 0.5]),
        (np.array([0, 1 << 31, 3 << 30], "u4"), [-1, 0, 0.5]),
        (np.array([-3, 7], "i8"), [-3, 7]),
        (np.array([0.5, 7.5, 1e300]), [0.5, 7.5, np.inf]),
    ],
)
def test_full_scale(samples, expected):
    before = samples.copy()
    scaled = full_scale(samples)
    assert scaled.dtype == np.float32 and scaled.tolist() == expected
    assert_array_equal(samples, before)


def test_a_waveform_is_a_pair():
    samples, rate = waveform = Waveform(np.zeros(3), 8000)
    assert waveform == (samples, rate) and waveform.sample_rate == rate
    with pytest.raises(TypeError, match="sample_rate"):
        Waveform(samples)


def members(path, folder):
    """Return file objects of many classes, which hold what the file holds."""
    contents = path.read_bytes()
    spooled = tempfile.SpooledTemporaryFile(max_size=100)
    spooled.write(contents)
    named = tempfile.NamedTemporaryFile(dir=folder)
    named.write(contents)
    with zipfile.ZipFile(folder / "it.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "it.wav")
    with gzip.open(folder / "it.gz", "wb") as file:
        file.write(contents)
    with open(path, "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return {
        "BytesIO": io.BytesIO(contents),
        "buffered": open(path, "rb"),
        "raw": open(path, "rb", buffering=0),
        "update": open(path, "r+b"),
        "spooled on the disk": spooled,
        "spooled in memory": tempfile.SpooledTemporaryFile(max_size=1 << 30),
        "named": named,
        "in an archive": zipfile.ZipFile(folder / "it.zip").open("it.wav"),
        "compressed": gzip.open(folder / "it.gz"),
        "mapped": mapped,
        "buffer around": io.BufferedReader(io.BytesIO(contents)),
    }


def test_file_objects_are_read_in_place(wav, tmp_path):
    expected = load_audio(wav, 16_000, 0.1, 0.2)
    files = members(wav, tmp_path)
    files["spooled in memory"].write(wav.read_bytes())
    for name, file in files.items():
        file.seek(5)
        for _ in range(2):
            assert_array_equal(load_audio(file, 16_000, 0.1, 0.2), expected, name)
            assert file.tell() == 5
        file.close()


def test_a_file_that_its_owner_reads_goes_on(wav):
    """Descriptor and buffer of an open file stay as they were."""
    with open(wav, "rb") as file:
        begin = file.read(1000)
        load_audio(file)
        assert begin + file.read() == wav.read_bytes()


def test_many_threads_share_a_file(wav):
    file, expected = io.BytesIO(wav.read_bytes()), load_audio(wav)
    results, clip = [], FileClip(file, "it")
    start = threading.Barrier(8)

    def read():
        start.wait()
        results.append(load_audio(clip))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    for result in results:
        assert_array_equal(result, expected)


def test_copies_hold_the_contents(wav):
    with open(wav, "rb") as file:
        clip = as_clip(file, "Clip 3 of X")
        copy = pickle.loads(pickle.dumps(clip))
    assert_array_equal(load_audio(copy), load_audio(wav))
    assert copy.path == copy.name == str(wav)
    with pytest.raises(AudioError, match="noise.wav': reading it failed .*closed"):
        pickle.dumps(clip)


def test_workers_get_the_contents(wav):
    expected = load_audio(wav)
    with open(wav, "rb") as file:
        clip = as_clip(file, "Clip 0 of X")
        assert_array_equal(IsolatedTask(load_audio, 60)(clip), expected)
    with pytest.raises(AudioError, match="reading it failed"):
        IsolatedTask(load_audio, 60)(clip)
    empty = as_clip(io.BytesIO(), "Clip 0 of X")
    with pytest.raises(AudioError, match="'clip 0 of X': the file is empty"):
        IsolatedTask(load_audio, 60)(empty)


@pytest.mark.slow
def test_processes_of_joblib_get_the_contents(wav):
    step = MelSpectrogramTransformer(n_frames=8, n_jobs=2)
    X = [wav, io.BytesIO(wav.read_bytes()), soundfile.read(wav)]
    expected = step.transform(X)
    with open(wav, "rb") as file, parallel_config("loky"):
        assert_array_equal(step.transform([*X, file])[:3], expected)
    found = Parallel(2)(delayed(load_audio)(file) for file in X[1:2] * 2)
    assert_array_equal(found[0], load_audio(wav))


class Failing(io.BytesIO):
    """A file on a disk that fails behind some byte."""

    def __init__(self, contents, error):
        super().__init__(contents)
        self.error = error

    def read(self, size=-1):
        if self.tell() > 10_000:
            raise self.error
        return super().read(size)


@pytest.mark.parametrize("extension", ["wav", "mp3", "m4a"])
def test_errors_of_files_are_not_taken_for_their_end(wav, tmp_path, extension, capfd):
    from sound_files import write_av

    path = tmp_path / f"it.{extension}"
    samples, rate = soundfile.read(wav, dtype="float32")
    samples = np.tile(samples, (8, 1))
    if extension == "m4a":
        write_av(path, samples, "aac")
    else:
        soundfile.write(path, samples, rate)
    file = Failing(path.read_bytes(), OSError(5, "Input/output error"))
    with pytest.raises(AudioError, match="reading it failed .*Input/output error"):
        load_audio(file)
    step = MelSpectrogramTransformer(n_frames=300, on_error="ignore")
    assert np.isnan(step.transform([file])).all()
    assert "Input/output error" in step.extraction_report_["cause"][0]
    assert "Exception ignored" not in capfd.readouterr().err
    file.error = MemoryError()
    with pytest.raises(MemoryError):
        load_audio(file)


def test_a_file_that_is_closed_too_early(wav):
    file = open(wav, "rb")
    clip = as_clip(file, "Clip 0 of X")
    file.close()
    with pytest.raises(AudioError, match="reading it failed .*closed.*Pass an open"):
        load_audio(clip)
    assert content_key(clip) is None


def test_keys_are_of_the_contents(wav):
    contents = wav.read_bytes()
    key = content_key(FileClip(io.BytesIO(contents), "a"))
    assert key == content_key(FileClip(open(wav, "rb"), "b")) and len(key) == 32
    middle = len(contents) // 2 + 70_000 // 3
    changed = contents[:middle] + b"xy" + contents[middle + 2 :]
    assert content_key(FileClip(io.BytesIO(changed), "a")) != key
    samples = np.arange(6, dtype=np.int16)
    keys = {
        content_key(WaveformClip(*clip, "a"))
        for clip in [
            (samples, 8000),
            (samples, 8001),
            (samples.astype("f4"), 8000),
            (samples.reshape(3, 2), 8000),
            (samples.reshape(2, 3).T, 8000),
            (samples[:5], 8000),
            (samples[:0], 8000),
        ]
    }
    assert len(keys) == 7
    assert content_key(WaveformClip(samples[::2], 8000, "a")) == content_key(
        WaveformClip(samples[::2].copy(), 8000, "b")
    )


class Halting(io.RawIOBase):
    """A raw file that returns a part of what is asked for, as networks do."""

    def __init__(self, contents):
        self.file = io.BytesIO(contents)

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=0):
        return self.file.seek(offset, whence)

    def tell(self):
        return self.file.tell()

    def readinto(self, buffer):
        return self.file.readinto(memoryview(buffer)[:700])


def test_files_that_return_less_than_asked_for(wav):
    assert_array_equal(load_audio(Halting(wav.read_bytes())), load_audio(wav))
