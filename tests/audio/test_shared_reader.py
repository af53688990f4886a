import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose

from skgenre.audio import AudioError
from skgenre.audio._readers import open_audio
from skgenre.audio._shared_reader import one_opening, open_shared

RATE = 22050
N = 6 * RATE


@pytest.fixture(params=["wav", "flac", "mp3", "ogg"])
def path(request, tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / f"clip.{request.param}"
    soundfile.write(path, 0.1 * rng.normal(size=(N, 2)), RATE)
    return path


@pytest.fixture
def read(monkeypatch):
    """List of the ranges that are decoded."""
    ranges = []
    original = soundfile.SoundFile.read

    def counting_read(self, *args, **kwargs):
        start = self.tell()
        result = original(self, *args, **kwargs)
        ranges.append((start, start + len(result)))
        return result

    monkeypatch.setattr(soundfile.SoundFile, "read", counting_read)
    return ranges


RANGES = [
    (40_000, 50_000),
    (42_000, 43_000),  # inside
    (35_000, 45_000),  # begins before
    (45_000, 60_000),  # ends after
    (30_000, 70_000),  # around
    (100_000, 110_000),  # elsewhere
    (0, N),
    (N - 10, N + 500),  # behind the end
]


def test_each_reading_is_as_if_alone(path):
    with one_opening():
        for start, stop in RANGES:
            with open_audio(path) as reader:
                expected = reader.read(start, stop)
            with open_shared(path) as reader:
                actual = reader.read(start, stop)
            assert actual.shape == expected.shape
            # Lossy codecs round otherwise where they begin otherwise.
            assert_allclose(actual, expected, atol=1e-6)


def test_no_part_is_decoded_twice(tmp_path, read):
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.random.default_rng(0).normal(size=N) / 9, RATE)
    with one_opening():
        for start, stop in RANGES[:5]:
            with open_shared(path) as reader:
                assert reader.sample_rate == RATE
                reader.read(start, stop)
    assert sum(stop - start for start, stop in read) == 40_000


def test_a_file_is_opened_once_and_closed(tmp_path, monkeypatch):
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.zeros(N), RATE)
    opened, closed = [], []
    init, close = soundfile.SoundFile.__init__, soundfile.SoundFile.close
    monkeypatch.setattr(
        soundfile.SoundFile,
        "__init__",
        lambda self, *a, **k: opened.append(1) or init(self, *a, **k),
    )
    monkeypatch.setattr(
        soundfile.SoundFile, "close", lambda self: closed.append(1) or close(self)
    )
    with one_opening():
        for _ in range(3):
            with open_shared(path) as reader:
                reader.read(0, 100)
        assert len(opened) == 1
        assert not closed
    assert closed
    # Outside of a block each is on its own.
    for _ in range(2):
        with open_shared(path) as reader:
            reader.read(0, 100)
    assert len(opened) == 3


def test_a_length_that_was_corrected_stays(tmp_path):
    path = tmp_path / "cut.mp3"
    soundfile.write(path, np.random.default_rng(0).normal(size=N) / 9, RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with one_opening():
        with open_shared(path) as reader:
            reader.n_samples = reader.count()
            n_samples = reader.n_samples
        with open_shared(path) as reader:
            assert reader.n_samples == n_samples
            whole = reader.read(0, n_samples)
    with open_audio(path) as reader:
        expected = reader.read(0, n_samples)
    assert_allclose(whole, expected, atol=1e-6)


def test_errors(tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("no music")
    with pytest.raises(AudioError, match=r"bad\.wav"):
        with one_opening(), open_shared(bad):
            pass
    good = tmp_path / "good.wav"
    soundfile.write(good, np.zeros(100), RATE)
    # What fails later is of the file that is open, too.
    with pytest.raises(AudioError, match=r"good\.wav.*decoding failed \(broken\)"):
        with one_opening(), open_shared(good):
            raise RuntimeError("broken")
