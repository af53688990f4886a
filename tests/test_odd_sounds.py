"""Files as real music folders hold them: each is read, or refused by its name.

What is ordinary about sample rates, channels, names and refusals is tested with
`load_audio` and the readers; here is what is wrong with files, or odd.
"""

import io
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import warnings
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from skgenre import (
    AudioError,
    KerasEmbedding,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    MusicnnEmbedding,
    load_audio,
)
from skgenre.audio._reading import read_samples
from skgenre.datasets import check_audio

RATE = 22050

pytestmark = pytest.mark.timeout(120)  # nothing may hang


@pytest.fixture(scope="module")
def sweep():
    """Three seconds: (n_samples,)."""
    t = np.arange(3 * RATE) / RATE
    noise = np.random.default_rng(0).normal(0, 0.01, len(t))
    return 0.3 * np.sin(2 * np.pi * (200 + 300 * t) * t) + noise


def encoded(extension, samples, rate=RATE, **options):
    """Return a file's bytes."""
    file = io.BytesIO()
    if extension in ("m4a", "mka"):
        with av.open(file, "w", {"m4a": "mp4", "mka": "matroska"}[extension]) as box:
            stream = box.add_stream("aac", rate=rate, layout="mono")
            frame = av.AudioFrame.from_ndarray(
                samples.astype(np.float32)[np.newaxis], format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = rate, 0
            box.mux(stream.encode(frame))
            box.mux(stream.encode(None))
    elif extension == "opus":
        soundfile.write(file, samples, 24000, format="OGG", subtype="OPUS")
    else:
        soundfile.write(file, samples, rate, format=extension.upper(), **options)
    return file.getvalue()


def is_read(path, whole=None):
    """Tell whether a file is read; what is read is finite, and as it should be."""
    try:
        waveform = load_audio(path)
    except AudioError as error:
        assert error.path == str(path) and error.cause and error.advice
        return False
    assert np.isfinite(waveform).all() and len(waveform)
    if whole is not None:
        assert len(waveform) <= len(whole) + 10
        n = len(waveform) - 3000  # the codecs' last frames lack what follows
        assert_allclose(waveform[: max(0, n)], whole[: max(0, n)], atol=1e-3)
    return True


FORMATS = ["mp3", "ogg", "opus", "flac", "wav", "aiff", "au", "m4a", "mka"]


@pytest.mark.parametrize("extension", FORMATS)
def test_truncated_at_many_offsets(tmp_path, sweep, extension):
    content = encoded(extension, sweep)
    path = tmp_path / f"song.{extension}"
    path.write_bytes(content)
    whole = load_audio(path)
    n = len(content)
    offsets = {*range(0, 100, 10), *np.linspace(100, n - 1, 30, dtype=int), n - 2}
    results = []
    for offset in sorted(offsets):
        path.write_bytes(content[:offset])
        results.append(is_read(path, whole))
    assert not results[0]
    if extension not in ("flac", "m4a"):  # these need their ends
        assert results[-5]
    path.write_bytes(content[: n // 2])
    checked = check_audio([path], duration=None)
    assert checked.readable[0] == is_read(path)


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("n_good", [4, 30, 100, 1000, 5000])
def test_garbage_after_the_beginning(tmp_path, sweep, extension, n_good):
    garbage = np.random.default_rng(n_good).bytes(20_000)
    path = tmp_path / f"song.{extension}"
    path.write_bytes(encoded(extension, sweep)[:n_good] + garbage)
    if is_read(path):
        assert n_good > 20
    (spectrogram,) = MelSpectrogramTransformer(on_error="ignore").transform([path])
    assert np.isfinite(spectrogram).all() == is_read(path)


def picture(kind):
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def id3(n_bytes, told=None):
    size = n_bytes if told is None else told
    sizes = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\4\0\0" + sizes + bytes(n_bytes)


NO_AUDIO = {
    "png": lambda: picture("PNG"),
    "jpeg": lambda: picture("JPEG"),
    "gif": lambda: picture("GIF"),
    "web page": lambda: b"<!DOCTYPE html><html><body>Not found</body></html>" * 50,
    "pdf": lambda: b"%PDF-1.7\n" + np.random.default_rng(0).bytes(5000),
    "zip": lambda: b"PK\3\4" + np.random.default_rng(0).bytes(5000),
    "noise": lambda: np.random.default_rng(0).bytes(100_000),
    "zeros": lambda: bytes(100_000),
    "ones": lambda: b"\xff" * 100_000,
    "subtitles": lambda: b"1\n00:00:01,000 --> 00:00:02,000\nla la la\n",
    "one byte": lambda: b"\xff",
    "ID3 alone": lambda: id3(1000),
    "ID3 that promises more": lambda: id3(100, told=10**8),
    "ID3v1 alone": lambda: b"TAG" + bytes(125),
    "APE tag alone": lambda: b"APETAGEX" + bytes(100),
}


@pytest.mark.parametrize("kind", NO_AUDIO)
@pytest.mark.parametrize("name", ["song.mp3", "song.wav", "song.flac", "song"])
def test_no_audio_whatever_the_name(tmp_path, kind, name):
    path = tmp_path / name
    path.write_bytes(NO_AUDIO[kind]())
    with pytest.raises(AudioError, match=rf"{name}': no decoder reads it as audio"):
        load_audio(path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (id3(200_000), b""),
        (b"", b"TAG" + bytes(125)),
        (np.random.default_rng(0).bytes(500), b""),
        (bytes(5000), b""),
        (b"", np.random.default_rng(0).bytes(500)),
    ],
    ids=["ID3", "ID3v1", "noise before", "zeros before", "noise after"],
)
def test_mp3_between_other_things(tmp_path, sweep, before, after):
    path = tmp_path / "song.mp3"
    path.write_bytes(encoded("mp3", sweep))
    whole = load_audio(path)
    path.write_bytes(before + encoded("mp3", sweep) + after)
    waveform = load_audio(path)
    # Behind junk, decoders don't find what tells the codec's lead-in to be dropped.
    assert len(waveform) == pytest.approx(len(whole), abs=2000)
    shift = len(waveform) - len(whole) if before.strip(b"\0")[:3] != b"ID3" else 0
    assert np.corrcoef(waveform[shift:][:RATE], whole[:RATE])[0, 1] > 0.5 or shift


def with_bytes(content, at, new):
    return content[:at] + new + content[at + len(new) :]


def lying_wav(n_bytes):
    def lie(sweep):
        content = encoded("wav", sweep)
        size = content.index(b"data") + 4
        content = with_bytes(content, 4, struct.pack("<I", 0xFFFFFFFF))
        return with_bytes(content, size, struct.pack("<I", n_bytes))

    return lie


def lying_flac(factor):
    def lie(sweep):
        content = encoded("flac", sweep)
        total = int(len(sweep) * factor).to_bytes(5, "big")
        return with_bytes(
            content, 21, bytes([content[21] & 0xF0 | total[0]]) + total[1:]
        )

    return lie


def lying_mp3(factor):
    def lie(sweep):
        content = encoded("mp3", sweep, bitrate_mode="VARIABLE")
        number = content.index(b"Xing") + 8
        n_frames = int.from_bytes(content[number : number + 4], "big")
        return with_bytes(content, number, struct.pack(">I", int(n_frames * factor)))

    return lie


@pytest.mark.parametrize(
    ("extension", "lie", "share"),
    [
        ("wav", lying_wav(0xFFFFFFFF), 1),  # as it is written to a pipe
        ("wav", lying_wav(10**9), 1),
        ("wav", lying_wav(2 * RATE), 1 / 3),
        ("flac", lying_flac(10), 1),
        ("mp3", lying_mp3(10), 1),
        ("mp3", lying_mp3(1e5), 1),
    ],
)
def test_wrong_duration_in_the_header(tmp_path, sweep, extension, lie, share):
    """What is promised and isn't there is no part of the clip."""
    path = tmp_path / f"song.{extension}"
    path.write_bytes(encoded(extension, sweep))
    whole = load_audio(path)
    path.write_bytes(lie(sweep))
    waveform = load_audio(path)
    n = round(len(whole) * share)
    assert len(waveform) == pytest.approx(n, abs=2000)
    n = min(len(waveform), n) - 2000
    assert_allclose(waveform[:n], whole[:n], atol=1e-3)
    part = load_audio(path, offset=0.5 * share, duration=0.2)
    start = round(0.5 * share * RATE)
    assert_allclose(part, waveform[start : start + len(part)], atol=1e-5)
    # The middle is that of what is there.
    step = MelSpectrogramTransformer(n_frames=16)
    assert_allclose(step.transform([path]), step.transform([waveform]), atol=1e-3)


@pytest.mark.parametrize("extension", ["flac", "mp3"])
def test_more_than_the_header_promises(tmp_path, sweep, extension):
    """What follows is found by whoever reads to the promised end."""
    sweep = np.tile(sweep, 5)
    path = tmp_path / f"song.{extension}"
    lie = {"flac": lying_flac(0.4), "mp3": lying_mp3(0.4)}[extension]
    path.write_bytes(lie(sweep))
    assert len(load_audio(path)) == pytest.approx(len(sweep), abs=2000)


UNFINISHED = {
    "wav": (b"data", 4, 4, "<I"),
    "aiff": (b"SSND", 4, 4, ">I"),
    "w64": (b"data\xf3\xac", 16, 8, "<Q"),
    "caf": (b"data", 4, 8, ">Q"),
}


@pytest.mark.parametrize("extension", UNFINISHED)
@pytest.mark.parametrize("size", [0, -1])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_header_that_was_never_finished(tmp_path, sweep, extension, size, n_channels):
    """As of a recorder that was killed."""
    mark, behind, n_bytes, kind = UNFINISHED[extension]
    samples = np.tile(sweep[:, np.newaxis], (1, n_channels))
    content = encoded(extension, samples, subtype="PCM_16")
    value = struct.pack(kind, size % (1 << 8 * n_bytes))
    at = content.index(mark) + behind
    path = tmp_path / f"song.{extension}"
    path.write_bytes(with_bytes(content, at, value))
    with warnings.catch_warnings(action="error"):
        waveform = load_audio(path)
    assert_allclose(waveform, sweep, atol=1e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_matter_where_they_are_read(tmp_path, value):
    path = tmp_path / "song.wav"
    samples = np.random.default_rng(0).uniform(-0.1, 0.1, 10 * RATE)
    samples[100] = value
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="NaN or infinite"):
        load_audio(path)
    assert_allclose(load_audio(path, offset=1), samples[RATE:], atol=1e-6)
    assert check_audio([path], duration=5).readable[0]
    assert not check_audio([path], duration=None).readable[0]


ODD_SOUNDS = {
    "1 sample": np.array([0.5]),
    "2 samples": np.array([0.5, -0.5]),
    "0.1 s": np.random.default_rng(0).uniform(-0.1, 0.1, RATE // 10),
    "silence": np.zeros(RATE),
    "constant": np.full(RATE, 0.5),
    "one impulse": np.eye(1, RATE, 500)[0],
    "square wave": np.sign(np.sin(np.arange(RATE) / 50)),
    "beyond one": 7.5 * np.random.default_rng(0).uniform(-1, 1, RATE),
    "far beyond one": 1e30 * np.random.default_rng(0).uniform(-1, 1, RATE),
    "one sample far beyond": np.r_[np.full(RATE, 1e-3), 1e37],
    "almost nothing": 1e-40 * np.random.default_rng(0).uniform(-1, 1, RATE),
}


def network():
    import keras

    waveform = keras.Input((None,))
    frames = keras.layers.Reshape((-1, 1))(waveform)
    return keras.Model(waveform, keras.layers.Conv1D(4, 3, padding="same")(frames))


STEPS = {
    "mel": MelSpectrogramTransformer,
    "whole clips": lambda: MelSpectrogramTransformer(n_frames=None),
    "moments": MFCCStandardizer,
    "correlations": lambda: MFCCStandardizer(statistics="correlations"),
    "network": lambda: KerasEmbedding(network(), input="waveform"),
    "musicnn": lambda: MusicnnEmbedding(output=["penultimate", "correlations"]),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_every_step_makes_numbers_of_odd_sounds(tmp_path, name):
    if name == "musicnn":
        pytest.importorskip("musicnn")
    paths = []
    for i, samples in enumerate(ODD_SOUNDS.values()):
        paths.append(tmp_path / f"{i}.wav")
        soundfile.write(paths[-1], samples, RATE, subtype="FLOAT")
        for extension in ("flac", "mp3") * (i < 3):
            paths.append(tmp_path / f"{i}.{extension}")
            soundfile.write(paths[-1], samples, RATE)
    results = STEPS[name]().fit_transform(paths)
    assert len(results) == len(paths)
    for path, result in zip(paths, results, strict=True):
        assert np.isfinite(result).all(), path


class TestChangingFiles:
    """What happens to a file once it is open."""

    @pytest.fixture(params=["wav", "flac", "mp3", "mka"])
    def path(self, request, tmp_path, sweep):
        path = tmp_path / f"song.{request.param}"
        path.write_bytes(encoded(request.param, np.tile(sweep, 10)))
        return path

    def read(self, path, change):
        """Change the file when its header has been read, and nothing else."""

        def choose(n_samples, sample_rate):
            change(path)
            return 0, n_samples

        return read_samples(path, RATE, choose)

    def test_it_vanishes(self, path):
        expected = load_audio(path)
        assert_array_equal(self.read(path, os.unlink), expected)
        with pytest.raises(AudioError, match="there is no such file"):
            load_audio(path)

    def test_it_grows(self, path):
        expected = load_audio(path)

        def grow(path):
            with open(path, "ab") as file:
                file.write(bytes(100_000))

        waveform = self.read(path, grow)
        assert_allclose(waveform[: 25 * RATE], expected[: 25 * RATE], atol=1e-6)
        assert len(waveform) == pytest.approx(len(expected), abs=5000)

    def test_it_shrinks(self, path):
        expected = load_audio(path)
        half = path.stat().st_size // 2
        try:
            waveform = self.read(path, lambda path: os.truncate(path, half))
        except AudioError as error:
            assert "decoding failed" in error.cause
        else:
            assert 0 < len(waveform) < len(expected)
            n = len(waveform) - 3000
            assert_allclose(waveform[:n], expected[:n], atol=1e-3)

    def test_it_is_replaced(self, path):
        expected = load_audio(path)

        def replace(path):
            (path.parent / "new").write_bytes(b"something else")
            os.replace(path.parent / "new", path)

        assert_array_equal(self.read(path, replace), expected)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
class TestNoFiles:
    """What can be opened like a file, and may never end."""

    def make(self, folder, kind):
        path = folder / "song.mp3"
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "link to a pipe":
            os.mkfifo(folder / "pipe")
            path.symlink_to(folder / "pipe")
        elif kind == "link to a device":
            path.symlink_to("/dev/zero")
        elif kind == "socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(os.path.relpath(path))  # names of sockets are short
        return path

    @pytest.mark.parametrize(
        "kind", ["pipe", "link to a pipe", "link to a device", "socket"]
    )
    def test_refused_at_once(self, tmp_path, kind):
        path = self.make(tmp_path, kind)
        cause = "it is a pipe, socket or device"
        with pytest.raises(AudioError, match=cause):
            MFCCStandardizer().fit([path])
        assert check_audio([path]).report["cause"].tolist() == [cause]

    @pytest.mark.parametrize("kind", ["dangling", "loop", "mutual"])
    def test_links_that_lead_nowhere(self, tmp_path, kind):
        path = tmp_path / "song.mp3"
        target = {"dangling": "gone.mp3", "loop": "song.mp3", "mutual": "other.mp3"}
        path.symlink_to(target[kind])
        (tmp_path / "other.mp3").symlink_to("song.mp3")
        cause = "no such file" if kind == "dangling" else "symbolic links"
        with pytest.raises(AudioError, match=cause):
            load_audio(path)

    def test_name_that_is_too_long(self, tmp_path):
        with pytest.raises(AudioError, match="[Nn]ame too long"):
            load_audio(tmp_path / ("x" * 300))

    def test_file_that_becomes_a_pipe_before_it_is_opened(self, tmp_path):
        """Refused, or read: but it is not waited for a writer."""
        song, pipe = tmp_path / "song.wav", tmp_path / "pipe"
        soundfile.write(tmp_path / "file", np.zeros(100), RATE, format="WAV")
        song.symlink_to("file")
        os.mkfifo(pipe)
        stop = threading.Event()

        def swap():
            while not stop.is_set():
                for target in ("pipe", "file"):
                    (tmp_path / "new").symlink_to(target)
                    os.replace(tmp_path / "new", song)

        thread = threading.Thread(target=swap)
        thread.start()
        causes = set()
        try:
            for _ in range(2000):
                try:
                    causes.add(len(load_audio(song)))
                except AudioError as error:
                    causes.add(error.cause)
        finally:
            stop.set()
            thread.join()
        assert causes == {100, "it is a pipe, socket or device"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_permission_denied():
    # Not below tmp_path, whose parents nobody else may enter.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder, "song.wav")
        soundfile.write(path, np.zeros(100), RATE)
        path.chmod(0)
        code = (
            "import os, sys\n"
            "from skgenre.audio import AudioError, load_audio\n"
            "load_audio(sys.argv[2])\n"  # imports all that it needs
            "os.geteuid() or os.seteuid(65534)\n"  # root may read everything
            "try:\n"
            "    load_audio(sys.argv[1])\n"
            "except AudioError as error:\n"
            "    print(error)\n"
        )
        readable = Path(folder, "readable.wav")
        soundfile.write(readable, np.zeros(100), RATE)
        run = subprocess.run(
            [sys.executable, "-c", code, path, readable],
            capture_output=True,
            text=True,
            check=True,
        )
    assert run.stdout == (
        f"Cannot read {str(path)!r}: Permission denied. Check the permissions.\n"
    )


HOURS = 10


def ten_hours(path):
    """Make a file of ten hours that takes little of the disk."""
    n_samples = HOURS * 3600 * 44100
    if path.suffix == ".mp3":
        minute = np.random.default_rng(0).normal(0, 0.1, 60 * 8000)
        content = encoded(
            "mp3", minute, 8000, bitrate_mode="CONSTANT", compression_level=0.99
        )
        with open(path, "wb") as file:
            for _ in range(HOURS * 60):
                file.write(content)
        return
    soundfile.write(path, np.zeros((0, 2)), 44100, "PCM_16")
    size = path.stat().st_size
    n_bytes = 4 * n_samples
    content = bytearray(path.read_bytes())
    if path.suffix == ".rf64":
        struct.pack_into("<3Q", content, 20, size + n_bytes - 8, n_bytes, n_samples)
    elif path.suffix == ".w64":
        struct.pack_into("<Q", content, 16, size + n_bytes)
        struct.pack_into("<Q", content, content.index(b"data") + 16, n_bytes + 24)
    path.write_bytes(content)
    os.truncate(path, size + n_bytes)  # a hole, where the file system has them


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux tells it")
def test_excerpt_of_ten_hours_takes_little_memory(tmp_path):
    paths = [tmp_path / f"long.{extension}" for extension in ("rf64", "w64", "mp3")]
    for path in paths:
        ten_hours(path)
    soundfile.write(tmp_path / "short.mp3", np.zeros(40 * 44100), 44100)
    code = (
        "import sys\n"
        "from resource import RUSAGE_SELF, getrusage\n"
        "from skgenre import MelSpectrogramTransformer\n"
        "step = MelSpectrogramTransformer(on_error='ignore')\n"
        "peaks = []\n"
        "for path in sys.argv[1:]:\n"
        "    step.fit_transform([path])\n"
        "    (row,) = step.extraction_report_.itertuples()\n"
        "    peaks.append(getrusage(RUSAGE_SELF).ru_maxrss)\n"
        "    print(row.status, round(row.duration), peaks[-1] - peaks[0])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "short.mp3", *paths],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split() for line in run.stdout.splitlines()]
    # They are of zeros, but for the last.
    assert [row[0] for row in rows] == ["silent"] * 3 + ["ok"], run.stdout
    for _, seconds, growth in rows[1:]:
        assert int(seconds) == pytest.approx(HOURS * 3600, rel=0.01)
        assert int(growth) < 30_000, "kB beyond what a clip of 40 s takes"


def test_messages_are_one_line_each(tmp_path):
    """As logs and tables need them."""
    path = tmp_path / "two\nlines \x1b[31m.mp3"
    path.write_bytes(b"no music")
    with pytest.raises(AudioError) as caught:
        load_audio(path)
    assert re.fullmatch(r"Cannot read '[^\n\x1b]*': [^\n\x1b]*\.", str(caught.value))
