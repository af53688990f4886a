"""Sound files of all formats that can be written here, and damaged ones made of them.

Each damaged file is a function of the whole files, a seed and a number alone.
"""

import io
import random
import struct
from fractions import Fraction
from functools import partial

import numpy as np
import soundfile

# (container, codec, suffix, sample rate), as FFmpeg calls them.
_AV_FORMATS = (
    ("ipod", "aac", "m4a", 44100),
    ("ipod", "alac", "m4a", 44100),
    ("mp4", "mp3", "mp4", 44100),
    ("mov", "pcm_s24le", "mov", 48000),
    ("mov", "adpcm_ima_qt", "mov", 22050),
    ("3gp", "aac", "3gp", 22050),
    ("adts", "aac", "aac", 44100),
    ("latm", "aac", "latm", 44100),
    ("asf", "wmav1", "wma", 44100),
    ("asf", "wmav2", "wma", 44100),
    ("matroska", "flac", "mka", 44100),
    ("matroska", "vorbis", "mkv", 44100),
    ("matroska", "aac", "mkv", 44100),
    ("matroska", "pcm_f32le", "mkv", 44100),
    ("webm", "libopus", "webm", 48000),
    ("avi", "mp3", "avi", 44100),
    ("avi", "adpcm_ms", "avi", 22050),
    ("flv", "aac", "flv", 44100),
    ("flv", "nellymoser", "flv", 22050),
    ("mpegts", "mp2", "ts", 44100),
    ("mpegts", "aac", "ts", 44100),
    ("mp2", "mp2", "mp2", 44100),
    ("mp3", "mp3", "mp3", 44100),
    ("ac3", "ac3", "ac3", 48000),
    ("eac3", "eac3", "eac3", 48000),
    ("tta", "tta", "tta", 44100),
    ("wv", "wavpack", "wv", 44100),
    ("nut", "libopus", "nut", 48000),
    ("ogg", "flac", "oga", 44100),
    ("aiff", "pcm_s16be", "aif", 44100),
    ("caf", "alac", "caf", 44100),
    ("amr", "libopencore_amrnb", "amr", 8000),
    ("mmf", "adpcm_yamaha", "mmf", 22050),
    ("sbc", "sbc", "sbc", 44100),
    ("aptx", "aptx", "aptx", 44100),
    ("adx", "adpcm_adx", "adx", 44100),
    ("rm", "ac3", "rm", 44100),
    ("swf", "mp3", "swf", 44100),
    ("g722", "g722", "g722", 16000),
)
NOT_READ = {"mmf", "sbc", "aptx", "adx", "swf", "g722"}
"""Formats of games and telephones, some without a header."""
# These have no header: any file is one.
_NOT_WRITTEN = {"RAW", "SD2"}
_EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000)


def _resampled(waveform, rate, wanted):
    n_samples = int(len(waveform) * wanted / rate)
    places = np.linspace(0, len(waveform) - 1, n_samples)
    return np.interp(places, np.arange(len(waveform)), waveform).astype(np.float32)


def _by_libsndfile(samples, rate, container, subtype):
    """Return a file's bytes, or None where this combination can't be written."""
    for data in (samples, samples[:, :1]):
        for allowed in (rate, 8000):
            buffer = io.BytesIO()
            try:
                soundfile.write(buffer, data, allowed, subtype, format=container)
            except (soundfile.SoundFileError, ValueError):
                continue
            if len(buffer.getvalue()) > 100:
                return buffer.getvalue()
    return None


def _by_ffmpeg(waveform, rate, container, codec):
    import av

    buffer = io.BytesIO()
    for layout in ("stereo", "mono"):
        buffer = io.BytesIO()
        try:
            with av.open(buffer, "w", format=container) as output:
                stream = output.add_stream(codec, rate=rate, layout=layout)
                stream.bit_rate = 64_000
                stream.options = {"strict": "experimental"}  # FFmpeg's own Vorbis
                n_channels = 2 if layout == "stereo" else 1
                frame = av.AudioFrame.from_ndarray(
                    np.stack([waveform] * n_channels), format="fltp", layout=layout
                )
                frame.sample_rate = rate
                frame.pts = 0
                frame.time_base = Fraction(1, rate)
                output.mux(stream.encode(frame))
                output.mux(stream.encode(None))
        except (av.FFmpegError, ValueError):
            continue
        return buffer.getvalue()
    return None


def _writers(waveform, rate):
    """Yield names of files, and functions that return their bytes, or None."""
    stereo = np.column_stack([waveform, waveform[::-1]])

    def by_ffmpeg(container, codec, wanted):
        return _by_ffmpeg(_resampled(waveform, rate, wanted), wanted, container, codec)

    for container in sorted(soundfile.available_formats()):
        if container in _NOT_WRITTEN:
            continue
        for subtype in sorted(soundfile.available_subtypes(container)):
            write = partial(_by_libsndfile, stereo, rate, container, subtype)
            yield f"{container}-{subtype}.{container.lower()}", write
    for container in ("WAV", "FLAC", "OGG", "CAF"):  # 5.1
        write = partial(_by_libsndfile, np.tile(stereo, 3), rate, container, None)
        yield f"{container}-5.1.{container.lower()}", write
    mp3 = partial(_by_libsndfile, stereo, rate, "MP3", "MPEG_LAYER_III")
    yield "MP3-tagged.mp3", lambda: _tag() + mp3()
    for container, codec, suffix, wanted in _AV_FORMATS:
        yield (
            f"{container}-{codec}.{suffix}",
            partial(by_ffmpeg, container, codec, wanted),
        )


def whole_files(waveform, rate, names=None):
    """Return by name the bytes of a file in each format that can be written here.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        What to write.
    rate : int
        Samples a second.
    names : collection of str or None, default=None
        Names of the files to write; None writes all.

    Returns
    -------
    dict of str to bytes
        Such as ``{"FLAC-PCM_24.flac": b"..."}``.
    """
    files = {
        name: write()
        for name, write in _writers(waveform, rate)
        if names is None or name in names
    }
    return {name: data for name, data in files.items() if data is not None}


def _tag():
    """Return an ID3v2 tag with a title and a picture."""
    frames = b""
    for name, body in (
        (b"TIT2", b"\0Song"),
        (b"APIC", b"\0image/png\0\3\0\x89PNG" + bytes(2000)),
    ):
        frames += name + struct.pack(">I", len(body)) + b"\0\0" + body
    size = len(frames)
    digits = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + digits + frames


def _flip_bits(data, rng, others):
    for _ in range(rng.choice((1, 3, 10, 100, 1000))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _flip_header_bits(data, rng, others):
    for _ in range(rng.choice((1, 2, 5, 20))):
        data[rng.randrange(min(len(data), 400))] ^= 1 << rng.randrange(8)


def _set_header_number(data, rng, others):
    """Write a size, rate or count that is wrong: zero, huge, negative."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        size, letter = rng.choice(((1, "B"), (2, "H"), (4, "I"), (8, "Q")))
        number = rng.choice((*_EXTREMES, rng.getrandbits(32), rng.getrandbits(8)))
        if size == 8 and rng.random() < 0.5:
            number = (number << 32) | 0xFFFFFFFF
        order = rng.choice("<>")
        place = rng.randrange(min(len(data), rng.choice((64, 400, 4000))))
        number &= (1 << (8 * size)) - 1
        data[place : place + size] = struct.pack(order + letter, number)


def _cut_off(data, rng, others):
    del data[int(len(data) * rng.random() ** rng.choice((1, 4))) :]


def _cut_out(data, rng, others):
    start, size = _some_block(data, rng)
    del data[start : start + size]


def _swap_blocks(data, rng, others):
    size = _some_block(data, rng)[1]
    one, other = (rng.randrange(max(1, len(data) - size)) for _ in range(2))
    block = data[one : one + size]
    data[one : one + size] = data[other : other + size]
    data[other : other + size] = block


def _repeat_block(data, rng, others):
    start, size = _some_block(data, rng)
    data[start:start] = data[start : start + size] * rng.choice((1, 2, 20))


def _overwrite(data, rng, others):
    start, size = _some_block(data, rng)
    fill = rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size)))
    data[start : start + size] = fill


def _splice(data, rng, others):
    """Go on as another file, from some place of it."""
    other = rng.choice(others)
    data[rng.randrange(len(data)) :] = other[rng.randrange(len(other)) :]


def _insert_other(data, rng, others):
    other = rng.choice(others)
    start, size = _some_block(other, rng)
    place = rng.randrange(len(data))
    data[place:place] = other[start : start + size]


def _wrap_in_garbage(data, rng, others):
    garbage = rng.randbytes(rng.choice((1, 100, 5000)))
    data[:] = rng.choice((garbage + data, data + garbage, garbage))


def _some_block(data, rng):
    size = min(len(data), rng.choice((1, 4, 16, 100, 1000, 10_000)))
    return rng.randrange(len(data) - size + 1), size


_CHANGES = (
    _flip_bits,
    _flip_header_bits,
    _flip_header_bits,
    _set_header_number,
    _set_header_number,
    _set_header_number,
    _cut_off,
    _cut_out,
    _swap_blocks,
    _repeat_block,
    _overwrite,
    _splice,
    _insert_other,
    _wrap_in_garbage,
)


def mutation(files, seed, number):
    """Return the name and the bytes of a damaged file.

    Parameters
    ----------
    files : dict of str to bytes
        Whole files; they take turns.
    seed, number : int
        Together they tell which files are made.
    """
    names = list(files)
    name = names[number % len(names)]
    rng = random.Random(f"{seed}-{number}")
    data = bytearray(files[name])
    others = list(files.values())
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if data:
            rng.choice(_CHANGES)(data, rng, others)
    return f"{number}-{name}", bytes(data)
