import io

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose

from skgenre.audio import load_audio
from skgenre.audio._decoders._av import AVReader
from skgenre.audio._decoders._mpeg import length_is_guessed
from skgenre.audio._decoders._soundfile import ResumingReader
from skgenre.audio._readers import open_audio

RATE = 22050


def encoded(bit_rate_mode, rate=RATE, level=0.3):
    """Twelve seconds, quiet at first, so that variable bit rates begin low."""
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 0.1, 12 * rate) * np.repeat([0.001, 1, 1], 4 * rate)
    file = io.BytesIO()
    options = {"bitrate_mode": bit_rate_mode, "compression_level": level}
    soundfile.write(file, samples, rate, format="MP3", **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def constant():
    return encoded("CONSTANT")


@pytest.fixture(scope="module")
def variable():
    return encoded("VARIABLE")


def without_number(mp3):
    """Take away the number of frames, as a piece of a file lacks it."""
    mark = mp3.index(b"Xing")
    return mp3[: mark + 8] + bytes(4) + mp3[mark + 12 :]


def without_first_frame(mp3):
    begin = mp3.index(mp3[:2], mp3.index(b"Xing"))
    return mp3[begin:]


def guessed(content):
    return length_is_guessed(io.BytesIO(content))


def test_which_are_guessed(constant, variable):
    assert not guessed(constant)
    assert not guessed(variable)
    assert guessed(without_number(variable))
    assert guessed(without_first_frame(variable))
    tag = b"ID3\4\0\0\0\0\x07\x68" + bytes(1000)
    assert guessed(tag + without_first_frame(variable))
    assert not guessed(tag + variable)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 24000, 32000, 44100, 48000])
def test_all_versions_of_mpeg(rate):
    assert not guessed(encoded("CONSTANT", rate))
    assert guessed(without_first_frame(encoded("VARIABLE", rate)))


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"ID3", b"RIFF" * 9999, b"\xff" * 9999, b"\xff\xfb" * 9999),
        b"\xff\xfb\xf0\x00" * 9999,  # of a bit rate that there is not
    ],
)
def test_what_is_no_mp3(content):
    assert not guessed(content)


@pytest.mark.parametrize("cut", [without_number, without_first_frame])
def test_all_is_read_without_a_number_of_frames(tmp_path, variable, cut):
    path = tmp_path / "piece.mp3"
    path.write_bytes(variable)
    whole = load_audio(path)
    with open_audio(path) as reader:
        assert isinstance(reader, ResumingReader)
    path.write_bytes(cut(variable))
    with open_audio(path) as reader:
        assert isinstance(reader, AVReader)
        assert reader.n_samples == pytest.approx(len(whole), abs=3 * 1152)
    waveform = load_audio(path)
    loud = np.abs(waveform) > 0.05
    assert np.argmax(loud) == pytest.approx(4 * RATE, abs=2000)
    # The same music, a few frames later or earlier.
    lag = np.argmax(
        np.correlate(waveform[: 6 * RATE], whole[5 * RATE : 5 * RATE + 500])
    )
    part = waveform[lag : lag + RATE]
    assert_allclose(part, whole[5 * RATE : 6 * RATE], atol=1e-3)
    middle = load_audio(path, offset=9, duration=1)
    assert_allclose(middle, waveform[9 * RATE : 10 * RATE], atol=1e-5)
