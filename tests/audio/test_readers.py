import functools

import av
import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sound_files import write_av

from skgenre.audio import AudioError, load_audio
from skgenre.audio._decoders._av import AVReader
from skgenre.audio._decoders._soundfile import ResumingReader
from skgenre.audio._isolation._task import IsolatedTask
from skgenre.audio._readers import open_audio

RATE = 44100


@pytest.fixture(scope="module")
def stereo():
    """Two seconds of two different sweeps: (n_samples, 2)."""
    t = np.arange(2 * RATE) / RATE
    left = 0.5 * np.sin(2 * np.pi * (200 + 300 * t) * t)
    right = 0.4 * np.sin(2 * np.pi * (900 - 200 * t) * t)
    return np.stack([left, right], axis=1).astype(np.float32)


SNDFILE_FORMATS = [
    ("wav", "PCM_U8", 1e-2),
    ("wav", "PCM_16", 1e-4),
    ("wav", "PCM_24", 1e-6),
    ("wav", "PCM_32", 1e-6),
    ("wav", "FLOAT", 0),
    ("wav", "DOUBLE", 1e-7),
    ("wav", "ULAW", 0.03),
    ("wav", "ALAW", 0.03),
    ("flac", "PCM_16", 1e-4),
    ("ogg", "VORBIS", 0.1),
    ("mp3", "MPEG_LAYER_III", 0.1),
    ("aiff", "PCM_16", 1e-4),
    ("au", "PCM_16", 1e-4),
]


@pytest.mark.parametrize(("extension", "subtype", "tolerance"), SNDFILE_FORMATS)
def test_soundfile_formats(tmp_path, stereo, extension, subtype, tolerance):
    path = tmp_path / f"sweep.{extension}"
    soundfile.write(path, stereo, RATE, subtype=subtype)
    with open_audio(path) as reader:
        assert isinstance(reader, ResumingReader)
        assert (reader.sample_rate, reader.n_samples) == (RATE, len(stereo))
        whole = reader.read(0, reader.n_samples)
        part = reader.read(30_000, 40_000)
        assert reader.count() == len(stereo)
    assert whole.dtype == np.float32
    assert whole.shape == (len(stereo),)
    assert_allclose(whole, stereo.mean(axis=1), atol=tolerance)
    assert_allclose(part, whole[30_000:40_000], atol=1e-6)


@pytest.mark.parametrize("extension", ["mp3", "ogg", "flac"])
def test_blocks_join_without_seams(tmp_path, stereo, monkeypatch, extension):
    path = tmp_path / f"sweep.{extension}"
    soundfile.write(path, stereo, RATE)
    expected, _ = soundfile.read(path, dtype="float32")
    monkeypatch.setattr("skgenre.audio._decoders._interface.BLOCK", 10_000)
    with open_audio(path) as reader:
        whole = reader.read(0, reader.n_samples)
    assert_allclose(whole, expected.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("extension", ["wav", "mp3", "ogg", "flac", "mka", "aac"])
def test_blocks_are_what_is_read_at_once(tmp_path, stereo, monkeypatch, extension):
    path = tmp_path / f"sweep.{extension}"
    if extension in ("mka", "aac"):
        write_av(path, stereo, "flac" if extension == "mka" else "aac")
    else:
        soundfile.write(path, stereo, RATE)
    monkeypatch.setattr("skgenre.audio._decoders._interface.BLOCK", 20_000)
    for start, stop in ((0, len(stereo) + 500), (30_000, 70_000), (50, 60)):
        with open_audio(path) as reader:
            expected = reader.read(start, stop)
        with open_audio(path) as reader:
            blocks = list(reader.blocks(start, stop))
        assert max(map(len, blocks)) < 20_000
        assert len(blocks) > 2 or stop == 60
        assert_array_equal(np.concatenate(blocks), expected)


@pytest.mark.parametrize("compression_level", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("rate", [22050, 44100])
def test_parts_of_mp3_at_all_bit_rates(tmp_path, stereo, compression_level, rate):
    # Frames of low bit rates borrow bits from frames long before them.
    path = tmp_path / "sweep.mp3"
    samples = np.tile(stereo, (3, 1))
    soundfile.write(path, samples, rate, compression_level=compression_level)
    with open_audio(path) as reader:
        whole = reader.read(0, reader.n_samples)
        for start in np.random.default_rng(0).integers(1, len(whole) - 5000, 20):
            part = reader.read(start, start + 5000)
            assert_allclose(part, whole[start : start + 5000], atol=1e-6)


def test_opus(tmp_path, stereo):
    path = tmp_path / "sweep.opus"
    soundfile.write(path, stereo, 48000, format="OGG", subtype="OPUS")
    with open_audio(path) as reader:
        assert reader.sample_rate == 48000
        whole = reader.read(0, reader.n_samples)
        part = reader.read(40_000, 50_000)
    assert_allclose(whole[:-1000], stereo.mean(axis=1)[:-1000], atol=0.1)
    assert_allclose(part, whole[40_000:50_000], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "codec", "tolerance"),
    [
        ("sweep.m4a", "aac", 0.2),
        ("lossless.m4a", "alac", 1e-4),
        ("video.mp4", "aac", 0.2),
        ("sweep.mka", "aac", 0.2),  # timestamps in milliseconds
    ],
)
def test_av_formats(tmp_path, stereo, name, codec, tolerance):
    path = tmp_path / name
    write_av(path, stereo, codec)
    with open_audio(path) as reader:
        assert isinstance(reader, AVReader)
        assert reader.sample_rate == RATE
        assert abs(reader.n_samples - len(stereo)) < 2048
        whole = reader.read(0, reader.n_samples)
        part = reader.read(50_000, 60_000)
        end = reader.read(reader.n_samples - 100, reader.n_samples)
    assert whole.dtype == np.float32
    n = min(len(whole), len(stereo)) - 2048
    assert_allclose(whole[2048:n], stereo.mean(axis=1)[2048:n], atol=tolerance)
    # AAC fills noise in at random: equal as far as the codec allows.
    assert_allclose(part, whole[50_000:60_000], atol=tolerance / 20)
    assert_allclose(end, whole[-100:], atol=tolerance / 20)


def test_surround(tmp_path, stereo):
    path = tmp_path / "surround.mka"
    channels = np.concatenate([stereo, stereo[::-1], stereo / 2], axis=1)
    write_av(path, channels, "flac", layout="5.1")
    with open_audio(path) as reader:
        assert isinstance(reader, AVReader)
        assert reader.n_channels == 6
        whole = reader.read(0, reader.n_samples)
    assert_allclose(whole[: len(stereo)], channels.mean(axis=1), atol=1e-4)


def test_raw_aac_has_no_timestamps(tmp_path, stereo):
    path = tmp_path / "sweep.aac"
    write_av(path, stereo, "aac")
    with open_audio(path) as reader:
        n_samples = reader.n_samples
        whole = reader.read(0, n_samples)
        assert len(whole) == n_samples == reader.count()
        assert_array_equal(reader.read(50_000, 60_000), whole[50_000:60_000])


def test_video_without_sound(tmp_path):
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    with pytest.raises(AudioError, match="no audio stream"):
        with open_audio(path):
            pass


def test_playlists_open_nothing(tmp_path, stereo):
    write_av(tmp_path / "secret.aac", stereo, "aac")
    path = tmp_path / "list.m3u8"
    path.write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n"
        f"file://{tmp_path}/secret.aac\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(AudioError, match="no decoder"):
        with open_audio(path):
            pass


def test_what_is_audio_by_its_name_alone(tmp_path):
    path = tmp_path / "notes.flac"
    path.write_text("This is no music. " * 300)
    with pytest.raises(AudioError, match=r"notes\.flac.*no sample rate"):
        with open_audio(path):
            pass


def test_flac_without_length(tmp_path, stereo):
    path = tmp_path / "stream.flac"
    soundfile.write(path, stereo, RATE)
    header = bytearray(path.read_bytes())
    header[21] &= 0xF0  # the 36 bits of the total in the STREAMINFO block
    header[22:26] = bytes(4)
    path.write_bytes(header)
    with open_audio(path) as reader:
        assert reader.n_samples == len(stereo)
        assert_allclose(reader.read(0, len(stereo)), stereo.mean(axis=1), atol=1e-4)


def test_errors_inside_become_audio_errors(tmp_path, stereo):
    path = tmp_path / "song.flac"
    soundfile.write(path, stereo, RATE)
    with pytest.raises(AudioError, match=r"song\.flac.*decoding failed.*damaged"):
        with open_audio(path):
            raise soundfile.SoundFileRuntimeError("a decoder's error")


@pytest.mark.parametrize(("name", "codec"), [("8.mkv", "pcm_f32le"), ("8.mka", "flac")])
def test_eight_channels_of_ffmpeg(tmp_path, name, codec):
    """Of so many planes, PyAV reads on behind the last one, and crashes."""
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (4096, 8))
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48000, layout="7.1")
        frame = av.AudioFrame(format="flt", layout="7.1", samples=len(samples))
        frame.planes[0].update(samples.astype(np.float32).tobytes())
        frame.sample_rate = 48000
        frame.pts = 0
        convert = av.AudioResampler(
            format=stream.codec_context.format, layout="7.1", rate=48000
        )
        for part in [*convert.resample(frame), *convert.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    read = IsolatedTask(functools.partial(load_audio, sample_rate=None), 60)
    waveform = read(path)[: len(samples)]
    assert_allclose(waveform, samples.mean(axis=1), atol=1e-4)


@pytest.mark.parametrize(
    ("container", "subtype"),
    [("WAV", "GSM610"), ("AU", "G721_32"), ("WAV", "NMS_ADPCM_24"), ("XI", "DPCM_16")],
)
def test_formats_that_can_not_be_sought(tmp_path, stereo, container, subtype):
    path = tmp_path / "file"
    soundfile.write(path, stereo[:20_000, 0], 44100, subtype, format=container)
    expected, _ = soundfile.read(path, dtype="float32")
    with open_audio(path) as reader:
        assert isinstance(reader, ResumingReader)
        for start, stop in [(100, 20_000), (3, 50), (0, 10), (15_000, 15_001)]:
            assert_array_equal(reader.read(start, stop), expected[start:stop])
        assert reader.count() == len(expected)
        assert_array_equal(reader.read(0, len(expected)), expected)


@pytest.mark.parametrize("rate", [1, 999, 1_000_001])
def test_rates_of_damaged_headers(tmp_path, stereo, rate):
    """At 22,050 Hz, 90 kB at a rate of 1 would be 8 GB."""
    path = tmp_path / "file.wav"
    soundfile.write(path, stereo, rate)
    with pytest.raises(AudioError, match=f"its sample rate is {rate} Hz, and expected"):
        load_audio(path)


def test_many_channels_need_little_memory(tmp_path):
    """A block for 1,000 channels is not made for as many samples as one for two."""
    path = tmp_path / "file.w64"
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (10_000, 1000))
    soundfile.write(path, samples, 22050, "FLOAT")
    expected, _ = soundfile.read(path, dtype="float32")
    read = IsolatedTask(
        functools.partial(load_audio, sample_rate=None), 60, 200_000_000
    )
    assert_allclose(read(path), expected.mean(axis=1), atol=1e-6)


def test_damaged_files_of_odd_formats_are_not_tried(tmp_path, stereo):
    """FFmpeg divides by zero here; it is not asked for the formats of old games."""
    path = tmp_path / "song.adx"
    write_av(path, stereo[:4096], "adpcm_adx", 44100)
    data = bytearray(path.read_bytes())
    data[34] |= 128
    path.with_suffix(".mp3").write_bytes(data)
    with pytest.raises(AudioError, match="no decoder reads it as audio"):
        IsolatedTask(load_audio, 60)(path.with_suffix(".mp3"))


def test_codecs_that_nobody_knows(tmp_path, stereo):
    path = tmp_path / "file.wav"
    soundfile.write(path, stereo, RATE)
    data = bytearray(path.read_bytes())
    data[20:22] = b"\x99\x77"
    path.write_bytes(data)
    with pytest.raises(AudioError, match="FFmpeg: its codec is not known"):
        load_audio(path)
