"""Damaged files of real and synthetic sound, and how much of them is read."""

import gc
import subprocess
import sys
import warnings

import numpy as np
import pytest
import soundfile
from damage import seconds_by_ffmpeg
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import correlate
from sound_files import write_av

from skgenre.audio import AudioError, load_audio
from skgenre.audio._decoders._av import AVReader
from skgenre.audio._decoders._soundfile import ResumingReader, c_streams, quiet
from skgenre.audio._readers import open_audio
from skgenre.audio._reading import observe, read_blocks, read_samples

RATE = 44100
SECONDS = 10


@pytest.fixture(scope="module")
def samples():
    """Ten seconds of a tone that rises, and noise: (n_samples,)."""
    t = np.arange(SECONDS * RATE) / RATE
    noise = np.random.default_rng(0).normal(0, 0.1, len(t))
    return (0.2 * np.sin(2 * np.pi * (200 + 100 * t) * t) + noise).astype(np.float32)


def flips(content, every=1000):
    content = bytearray(content)
    rng = np.random.default_rng(0)
    # Behind the headers, of which Ogg has long ones.
    for at in rng.integers(len(content) // 5, len(content), len(content) // every):
        content[at] = rng.integers(256)
    return bytes(content)


def hole(content, size=2048):
    middle = len(content) // 2
    junk = np.random.default_rng(0).bytes(size)
    return content[:middle] + junk + content[middle + size :]


def tag(content):
    middle = len(content) // 2
    return content[:middle] + b"ID3\4\0\0\0\0\x07\x68" + bytes(1000) + content[middle:]


def cut(content):
    return content[: len(content) * 6 // 10]


def one_byte(content):
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :]


def beginning(content):
    return content[:100]


DAMAGES = [flips, hole, tag, cut, one_byte]


def write(path, samples):
    if path.suffix in (".m4a", ".aac", ".mka"):
        stereo = np.stack([samples, samples], axis=1)
        write_av(path, stereo, "flac" if path.suffix == ".mka" else "aac")
    else:
        soundfile.write(path, samples, RATE)


def observed(path):
    with observe() as reading:
        waveform = read_samples(path, None, lambda n_samples, _: (0, n_samples))
    return waveform, reading


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("extension", ["mp3", "flac", "ogg", "m4a", "aac", "mka"])
def test_as_much_as_ffmpeg_reads_and_the_rest_is_reported(
    tmp_path, samples, extension, damage
):
    if extension == "m4a" and damage in (cut, tag):
        pytest.skip("its index is at its end, and holds places in the file")
    path = tmp_path / f"song.{extension}"
    write(path, samples)
    intact, reading = observed(path)
    assert (reading.lost, reading.status) == (0, "ok")
    path.write_bytes(damage(path.read_bytes()))
    waveform, reading = observed(path)
    assert np.isfinite(waveform).all()
    assert reading.decoded >= 0.99 * seconds_by_ffmpeg(path) - 0.1
    n_lost = len(intact) - reading.decoded * RATE
    # Where these end, only their last bytes say.
    is_open = extension in ("ogg", "aac") and damage is cut
    if n_lost > 0.1 * RATE and not is_open:
        assert reading.lost > 0 and reading.status == "damaged"
    # In blocks it is the same, and so it is at another rate.
    blocks = list(read_blocks(path, RATE))
    assert sum(map(len, blocks)) == len(waveform)
    at_22050 = read_samples(path, 22050, lambda n_samples, _: (0, n_samples))
    assert len(at_22050) == pytest.approx(len(waveform) / 2, abs=1)


@pytest.mark.parametrize("damage", [hole, cut, beginning])
@pytest.mark.parametrize("extension", ["mp3", "flac", "m4a", "wav"])
def test_nothing_waits_for_the_garbage_collector(tmp_path, samples, extension, damage):
    """Or the sound of many damaged files would be in memory until it runs."""
    path = tmp_path / f"song.{extension}"
    write(path, samples[:RATE])
    path.write_bytes(damage(path.read_bytes()))

    def read():
        try:
            load_audio(path)
        except AudioError:
            pass

    read()  # imports
    gc.disable()
    gc.freeze()  # what other tests have left does not count
    try:
        read()
        assert gc.collect() == 0
    finally:
        gc.unfreeze()
        gc.enable()


@pytest.mark.parametrize("extension", ["mp3", "m4a", "ogg", "flac"])
def test_what_follows_the_damage_stays_where_it_is(tmp_path, samples, extension):
    path = tmp_path / f"song.{extension}"
    write(path, samples)
    intact = load_audio(path, None)
    path.write_bytes(hole(path.read_bytes()))
    with pytest.warns(UserWarning, match=r"song.* of 10\.\d+ s are lost"):
        waveform = load_audio(path, None)
    part = intact[8 * RATE : 9 * RATE]
    products = correlate(waveform[7 * RATE :], part, "valid")
    # The hole itself is one packet to FFmpeg's MP3 decoder, however long it is.
    lag = np.argmax(products) - RATE
    assert abs(lag) <= (0.3 * RATE if extension == "mp3" else 2)


def test_ffmpeg_is_not_asked_about_intact_files(tmp_path, samples, monkeypatch):
    monkeypatch.setattr(AVReader, "__init__", pytest.fail)
    for extension in ("mp3", "flac", "ogg", "wav"):
        path = tmp_path / f"song.{extension}"
        write(path, samples)
        with open_audio(path) as reader:
            assert isinstance(reader, ResumingReader)
            assert len(reader.read(0, reader.n_samples)) == len(samples)
            assert (reader.n_lost, reader.n_promised) == (0, len(samples))


@pytest.mark.parametrize("tail", [b"TAG" + bytes(125), b"APETAGEX" + bytes(40_000)])
def test_tags_at_the_end_are_no_sound(tmp_path, samples, tail):
    path = tmp_path / "song.mp3"
    write(path, samples)
    path.write_bytes(path.read_bytes() + tail)
    with warnings.catch_warnings(action="error"):
        assert len(load_audio(path, None)) == len(samples)


@pytest.mark.parametrize("extension", ["mp3", "flac"])
def test_files_that_were_joined(tmp_path, samples, extension):
    path = tmp_path / f"song.{extension}"
    write(path, samples)
    path.write_bytes(2 * path.read_bytes())
    waveform, reading = observed(path)
    assert len(waveform) == pytest.approx(2 * len(samples), abs=0.1 * RATE)
    assert sum(map(len, read_blocks(path, RATE))) == pytest.approx(
        len(waveform), abs=10
    )


def test_a_part_behind_the_damage(tmp_path, samples):
    path = tmp_path / "song.mp3"
    write(path, samples)
    path.write_bytes(flips(path.read_bytes()))
    whole, _ = observed(path)
    with warnings.catch_warnings(action="ignore"):
        part = load_audio(path, None, offset=8, duration=1)
    assert len(part) == RATE
    spectra = [np.abs(np.fft.rfft(x)) for x in (part, whole[8 * RATE : 9 * RATE])]
    assert np.argmax(spectra[0]) == pytest.approx(np.argmax(spectra[1]), abs=2)


def test_reads_in_any_order(tmp_path, samples):
    path = tmp_path / "song.mp3"
    write(path, samples)
    path.write_bytes(hole(path.read_bytes()))
    with open_audio(path) as reader:
        whole = reader.read(0, reader.n_samples)
    with open_audio(path) as reader:
        end = reader.read(7 * RATE, 8 * RATE)
        again = reader.read(0, reader.n_samples)
        assert_array_equal(reader.read(7 * RATE, 8 * RATE), again[7 * RATE : 8 * RATE])
    assert_allclose(again, whole, atol=1e-6)
    assert len(end) == RATE


CODE = """
import sys, warnings
from skgenre.audio import AudioError, load_audio
warnings.simplefilter("ignore")
for path in sys.argv[1:]:
    try:
        load_audio(path)
    except AudioError:
        pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="libmpg123 prints there")
def test_decoders_print_nothing(tmp_path, samples):
    paths = []
    for extension in ("mp3", "flac", "ogg", "m4a", "aac"):
        whole = tmp_path / f"song.{extension}"
        write(whole, samples)
        for damage in DAMAGES:
            paths.append(whole.with_stem(damage.__name__))
            paths[-1].write_bytes(damage(whole.read_bytes()))
    run = subprocess.run(
        [sys.executable, "-c", CODE, *paths], capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ("", "")


def test_real_music(music_tracks, tmp_path):
    """MP3s as they come, of which 1 of 1,000 bytes is changed."""
    for source, _, _ in music_tracks[::40][:8]:
        path = tmp_path / "song.mp3"
        path.write_bytes(flips(source.read_bytes()))
        waveform, reading = observed(path)
        assert len(waveform) / RATE > 29.5
        assert reading.decoded >= 0.99 * seconds_by_ffmpeg(path)


c_streams_can_be_set = pytest.mark.skipif(
    not c_streams(), reason="this C library's streams can't be set"
)

CODE_OF_STREAMS = """
import ctypes, os, sys, threading
from skgenre.audio._decoders._soundfile import quiet
libc = ctypes.CDLL(None)
libc.fputs.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
def say(text):
    name = "__stderrp" if sys.platform == "darwin" else "stderr"
    libc.fputs(text, ctypes.c_void_p.in_dll(libc, name))
say(b"before ")
with quiet:
    say(b"one ")
    with quiet:
        say(b"two ")
        print("python", end=" ", file=sys.stderr, flush=True)
    say(b"three ")
    thread = threading.Thread(target=say, args=[b"four "])
    thread.start()
    thread.join()
    if not (child := os.fork()):
        say(b"child ")
        os._exit(0)
    os.waitpid(child, 0)
try:
    with quiet:
        raise KeyError
except KeyError:
    say(b"after")
"""


@c_streams_can_be_set
def test_only_what_c_prints_inside_is_lost():
    run = subprocess.run(
        [sys.executable, "-c", CODE_OF_STREAMS],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == "before python child after"


@c_streams_can_be_set
def test_nothing_is_left_behind():
    before = [stream.value for stream in c_streams()]
    with quiet:
        assert all(s.value != b for s, b in zip(c_streams(), before, strict=True))
    assert [stream.value for stream in c_streams()] == before
