import io
import struct
import warnings

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose

from skgenre.audio import load_audio
from skgenre.audio._decoders import _ogg
from skgenre.audio._decoders._ogg import is_chained
from skgenre.audio._readers import open_audio

RATE = 44100


def ogg(seconds, subtype="VORBIS", rate=RATE, n_channels=1, pitch=440):
    t = np.arange(int(seconds * rate)) / rate
    samples = 0.3 * np.sin(2 * np.pi * pitch * t)
    file = io.BytesIO()
    samples = np.tile(samples[:, np.newaxis], (1, n_channels))
    soundfile.write(file, samples, rate, format="OGG", subtype=subtype)
    return file.getvalue()


def with_serial(content, serial):
    """Give all pages one number; their checksums are then wrong, and not looked at."""
    content = bytearray(content)
    at = content.find(b"OggS\0")
    while at >= 0:
        struct.pack_into("<I", content, at + 14, serial)
        at = content.find(b"OggS\0", at + 1)
    return bytes(content)


def test_which_are_chained(monkeypatch):
    one, other = ogg(2), ogg(1, pitch=880)
    assert not is_chained(io.BytesIO(one))
    assert is_chained(io.BytesIO(one + other))
    monkeypatch.setattr(_ogg, "_BLOCK", 100)
    assert not is_chained(io.BytesIO(one))
    assert is_chained(io.BytesIO(one + other))
    assert is_chained(io.BytesIO(with_serial(one, 7) + with_serial(other, 7)))
    monkeypatch.setattr(_ogg, "_MOST_SCANNED", 1000)  # only the end is looked at
    assert is_chained(io.BytesIO(with_serial(one, 7) + with_serial(other, 8)))
    assert not is_chained(io.BytesIO(with_serial(one, 7)))


@pytest.mark.parametrize("content", [b"", b"OggS", b"OggS\0\2" * 99, b"RIFF" * 9999])
def test_what_is_no_ogg(content):
    assert is_chained(io.BytesIO(content)) in (False, True)


def test_video_beside_the_sound_is_no_chain():
    page = struct.Struct("<4sBBqI")
    pages = [
        page.pack(b"OggS", 0, flags, 0, n) for flags, n in [(2, 1), (2, 2), (0, 1)]
    ]
    content = b"".join(each + bytes(20) for each in pages)
    assert not is_chained(io.BytesIO(content))


@pytest.mark.parametrize(("subtype", "rate"), [("VORBIS", RATE), ("OPUS", 48000)])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_chains_are_read_to_their_end(tmp_path, subtype, rate, n_channels):
    lengths = {300: 3, 600: 2, 900: 4}
    parts = [
        ogg(seconds, subtype, rate, n_channels, pitch)
        for pitch, seconds in lengths.items()
    ]
    path = tmp_path / "radio.ogg"
    path.write_bytes(b"".join(parts))
    with warnings.catch_warnings(action="error"):
        waveform = load_audio(path)
    assert len(waveform) / 22050 == pytest.approx(9, abs=0.1)
    for second, pitch in ((1, 300), (4, 600), (7, 900)):
        spectrum = np.abs(np.fft.rfft(waveform[second * 22050 : (second + 1) * 22050]))
        assert np.argmax(spectrum) == pytest.approx(pitch, abs=2)
    part = load_audio(path, offset=6, duration=1)
    assert_allclose(part, waveform[6 * 22050 : 7 * 22050], atol=1e-3)
    with open_audio(path) as reader:
        assert reader.n_samples == pytest.approx(9 * rate, abs=0.1 * rate)


@pytest.mark.parametrize("change", [{"n_channels": 2}, {"rate": 22050}])
def test_what_ffmpeg_can_not_read_of_a_chain_is_reported(tmp_path, change):
    path = tmp_path / "radio.ogg"
    path.write_bytes(ogg(4) + ogg(4, **change))
    with warnings.catch_warnings(record=True, action="always") as caught:
        waveform = load_audio(path)
    assert len(waveform) / 22050 == pytest.approx(8, abs=0.1) or caught
