import os

import librosa
import numpy as np
import pytest
import soundfile
import soxr
from numpy.testing import assert_allclose, assert_array_equal

from skgenre.audio import AudioError, load_audio
from skgenre.audio._readers import open_audio
from skgenre.audio._reading import (
    one_opening,
    open_shared,
    read_blocks,
    read_samples,
)

RATE = 22050
N = 6 * RATE


def write_noise(path, rate=44100, n_channels=2, seconds=3.0, **kwargs):
    rng = np.random.default_rng(0)
    samples = 0.1 * rng.standard_normal((round(rate * seconds), n_channels))
    soundfile.write(path, samples, rate, **kwargs)
    return path


@pytest.fixture
def wav(tmp_path):
    return write_noise(tmp_path / "noise.wav")


@pytest.mark.parametrize("rate", [44100, 48000])
def test_in_the_first_second_a_part_is_that_of_the_whole_to_the_bit(tmp_path, rate):
    path = write_noise(tmp_path / "noise.wav", rate)
    part = load_audio(path, offset=0.9, duration=0.3)
    start = round(0.9 * 22050)
    assert_array_equal(part, load_audio(path)[start : start + len(part)])


@pytest.mark.parametrize("n_samples", [44099, 44100, 44101])
def test_a_last_half_sample_counts(tmp_path, n_samples):
    soundfile.write(tmp_path / "odd.wav", np.ones(n_samples) / 2, 44100)
    assert len(load_audio(tmp_path / "odd.wav")) == (n_samples + 1) // 2


def test_result(wav):
    waveform = load_audio(wav)
    assert waveform.shape == (3 * 22050,)
    assert waveform.dtype == np.float32
    assert waveform.flags.c_contiguous


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 96000, 192000])
@pytest.mark.parametrize("n_channels", [1, 2, 6])
def test_rates_and_channels_equal_librosa(tmp_path, rate, n_channels):
    path = write_noise(tmp_path / "noise.wav", rate, n_channels, seconds=0.5)
    expected, _ = librosa.load(path, sr=22050)
    assert_allclose(load_audio(path), expected, atol=1e-6)


def test_own_rate(tmp_path):
    path = write_noise(tmp_path / "noise.wav", 11025, 1, subtype="FLOAT")
    samples, _ = soundfile.read(path, dtype="float32")
    assert_array_equal(load_audio(path, sample_rate=None), samples)


def test_32_channels(tmp_path):
    path = write_noise(tmp_path / "noise.wav", n_channels=32, seconds=0.2)
    samples, rate = soundfile.read(path)
    expected = soxr.resample(samples.mean(axis=1), rate, 22050)
    assert_allclose(load_audio(path), expected, atol=1e-6)


@pytest.mark.parametrize("sample_rate", [22050, 16000, 44100, 48000, 22051, None])
@pytest.mark.parametrize(
    ("offset", "duration"), [(0.0, 1.0), (1.7, 0.5), (2.6, 9.0), (2.0, None)]
)
def test_part_equals_slice_of_whole(wav, sample_rate, offset, duration):
    whole = load_audio(wav, sample_rate)
    part = load_audio(wav, sample_rate, offset, duration)
    rate = sample_rate or 44100
    start = round(offset * rate)
    stop = None if duration is None else start + round(duration * rate)
    assert part.shape == whole[start:stop].shape
    assert_allclose(part, whole[start:stop], atol=1e-5)


@pytest.mark.parametrize("extension", ["mp3", "ogg", "flac"])
def test_part_of_compressed_file(tmp_path, extension):
    path = write_noise(tmp_path / f"noise.{extension}")
    whole = load_audio(path)
    for start in (100, 10_000, 30_001, 33_075, 44_100):
        part = load_audio(path, offset=start / 22050, duration=0.5)
        assert_allclose(part, whole[start : start + 11025], atol=1e-5)


def test_part_of_44100_hz_is_the_same_to_the_bit(tmp_path):
    path = write_noise(tmp_path / "noise.wav", seconds=8)
    whole = load_audio(path)
    for start in (22050, 50_000, 100_001):
        part = load_audio(path, offset=start / 22050, duration=1)
        assert_array_equal(part, whole[start : start + 22050])


def test_only_the_part_is_read(wav, monkeypatch):
    counts = []
    read = soundfile.SoundFile.read

    def counting_read(self, *args, **kwargs):
        result = read(self, *args, **kwargs)
        counts.append(len(result))
        return result

    monkeypatch.setattr(soundfile.SoundFile, "read", counting_read)
    load_audio(wav, offset=2.0, duration=0.1)
    assert sum(counts) < 0.3 * 44100


@pytest.mark.parametrize(
    "name",
    ["ünïcødé ♫.wav", "new\nline.wav", "no_extension", "wrong.raw", "x" * 255, " a b "],
)
def test_names(wav, name):
    expected = load_audio(wav)
    path = wav.rename(wav.parent / name)
    for form in (path, str(path), os.fsencode(path)):
        assert_array_equal(load_audio(form), expected)


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_name_that_is_no_text(wav):
    path = os.path.join(os.fsencode(wav.parent), b"\xff\xfe.wav")
    try:
        os.rename(wav, path)
    except OSError:
        pytest.skip("this file system takes text only")
    assert len(load_audio(path)) == len(load_audio(os.fsdecode(path))) == 3 * 22050


def test_symbolic_link(wav):
    link = wav.parent / "link.wav"
    link.symlink_to(wav)
    assert_array_equal(load_audio(link), load_audio(wav))


def test_truncated_mp3_gives_what_decodes(tmp_path):
    path = write_noise(tmp_path / "noise.mp3")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    waveform = load_audio(path)
    assert 22050 < len(waveform) < 2 * 22050
    assert waveform[-2000:].std() > 0.01
    part = load_audio(path, offset=1.0, duration=2.0)
    assert_allclose(part, waveform[22050:], atol=1e-5)


def test_samples_beyond_one_are_kept(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.full(100, 7.5), 22050, subtype="FLOAT")
    assert_array_equal(load_audio(tmp_path / "a.wav"), np.full(100, 7.5))


def refused(tmp_path, kind):
    """Make a path that has to be refused."""
    path = tmp_path / f"{kind}.mp3"
    if kind == "directory":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("This is no music. " * 500)
    elif kind == "zero_samples":
        soundfile.write(path, np.empty(0), 22050, format="WAV")
    elif kind == "nan":
        soundfile.write(path, [0, np.nan, 0], 22050, format="WAV", subtype="FLOAT")
    elif kind == "infinite":
        soundfile.write(path, [0, -np.inf, 0], 44100, format="WAV", subtype="FLOAT")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    return path


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("missing", "there is no such file"),
        ("directory", "it is a directory"),
        ("empty", r"the file is empty \(0 bytes\)"),
        ("text", "no decoder reads it as audio"),
        ("zero_samples", "it holds no samples"),
        ("nan", "NaN or infinite samples"),
        ("infinite", "NaN or infinite samples"),
        ("pipe", "pipe, socket or device"),
        ("loop", "symbolic links"),
    ],
)
def test_refusals(tmp_path, kind, cause):
    if kind in ("pipe", "loop") and os.name == "nt":
        pytest.skip("not on Windows")
    path = refused(tmp_path, kind)
    with pytest.raises(AudioError, match=rf"{kind}\.mp3'.*{cause}.*\. [A-Z].*\."):
        load_audio(path)


def test_device():
    if not os.path.exists("/dev/zero"):
        pytest.skip("no devices here")
    with pytest.raises(AudioError, match="pipe, socket or device"):
        load_audio("/dev/zero")


def test_null_byte_in_name():
    with pytest.raises(AudioError, match="null"):
        load_audio("a\0b.mp3")


@pytest.mark.parametrize("offset", [3.0, 1e300])
def test_offset_beyond_the_end(wav, offset):
    with pytest.raises(AudioError, match=r"noise\.wav.*ends at 3\.00 s.*offset"):
        load_audio(wav, offset=offset)


@pytest.mark.parametrize(
    "parameters",
    [
        {"sample_rate": 0},
        {"sample_rate": 22050.5},
        {"offset": -1},
        {"offset": float("nan")},
        {"offset": float("inf")},
        {"duration": 0},
        {"duration": "1"},
    ],
)
def test_invalid_parameters(wav, parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter of load_audio"):
        load_audio(wav, **parameters)


def test_invalid_path():
    for path in (["a.mp3"], np.ones(3), None, 3, {}):
        with pytest.raises(TypeError, match="The 'path' parameter"):
            load_audio(path)


@pytest.mark.parametrize("bounds", [(-50, 70), (100, 200), (2900, 3100), (-9, 3009)])
@pytest.mark.parametrize("kind", ["file", "waveform"])
def test_outside_the_clip_are_zeros(tmp_path, kind, bounds):
    samples = np.arange(1, 3001, dtype=np.float32)
    clip = samples
    if kind == "file":
        clip = tmp_path / "ramp.wav"
        soundfile.write(clip, samples, 22050, subtype="FLOAT")
    start, stop = bounds
    result = read_samples(clip, 22050, lambda n_samples, rate: bounds)
    padded = np.concatenate([np.zeros(50), samples, np.zeros(100)])
    assert_array_equal(result, padded[start + 50 : stop + 50])


def whole(n_samples, rate):
    return 0, n_samples


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr("skgenre.audio._reading.BLOCK", 4000)
    monkeypatch.setattr("skgenre.audio._decoders._interface.BLOCK", 10_000)
    monkeypatch.setattr("skgenre.audio._reading._RESAMPLED", 3000)


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 11025, 8000, 22051])
@pytest.mark.parametrize("extension", ["wav", "mp3", "ogg"])
@pytest.mark.usefixtures("small_blocks")
def test_blocks_are_the_whole_to_the_bit(tmp_path, rate, extension):
    path = tmp_path / f"clip.{extension}"
    samples = np.random.default_rng(0).normal(0, 0.1, (50_001, 2))
    file_rate = 44100 if extension == "ogg" else min(rate, 48000)
    if extension == "mp3" and file_rate == 22051:
        pytest.skip("no rate of MP3")
    soundfile.write(path, samples, file_rate)
    expected = read_samples(path, 22050, whole)
    blocks = list(read_blocks(path, 22050))
    assert len(blocks) > 3
    assert_array_equal(np.concatenate(blocks), expected)
    with one_opening():
        for _ in range(2):
            blocks = list(read_blocks(path, 22050))
            assert_array_equal(np.concatenate(blocks), expected)


@pytest.mark.usefixtures("small_blocks")
def test_blocks_of_a_truncated_file_and_of_a_waveform(tmp_path):
    path = tmp_path / "clip.wav"
    samples = np.random.default_rng(0).normal(0, 0.1, 50_000).astype(np.float32)
    soundfile.write(path, samples, 44100)
    path.write_bytes(path.read_bytes()[:-50_001])
    blocks = list(read_blocks(path, 22050))
    assert_array_equal(np.concatenate(blocks), read_samples(path, 22050, whole))
    blocks = list(read_blocks(samples, 22050))
    assert max(map(len, blocks)) == 4000
    assert_array_equal(np.concatenate(blocks), samples)


@pytest.mark.usefixtures("small_blocks")
def test_refusals_of_blocks(tmp_path):
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.zeros(0), 44100)
    with pytest.raises(AudioError, match="it holds no samples"):
        list(read_blocks(path, 22050))
    samples = np.zeros(50_000, np.float32)
    samples[40_000] = np.nan
    soundfile.write(path, samples, 44100, subtype="FLOAT")
    for rate in (44100, 22050):
        with pytest.raises(AudioError, match="it holds NaN"):
            list(read_blocks(path, rate))


def test_long_files_are_not_kept(tmp_path, read, monkeypatch):
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.random.default_rng(0).normal(size=N) / 9, RATE)
    for most, times in ((N, 1), (N - 1, 2)):
        read.clear()
        monkeypatch.setattr("skgenre.audio._reading._MOST_KEPT", most)
        with one_opening():
            for _ in range(2):
                list(read_blocks(path, RATE))
        assert sum(stop - start for start, stop in read) == times * N


def test_real_music_equals_librosa(music_tracks):
    for path, _, _ in music_tracks[::60]:
        expected, _ = librosa.load(path, sr=22050)
        assert_allclose(load_audio(path), expected, atol=1e-6)


# Several readings of a file that is opened once


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
        for start, stop in RANGES[:6]:
            with open_shared(path) as reader:
                assert reader.sample_rate == RATE
                reader.read(start, stop)
    # Nor is what lies between two ranges.
    assert sum(stop - start for start, stop in read) == 50_000


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


def test_errors_of_a_shared_file(tmp_path):
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
