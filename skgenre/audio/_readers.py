"""Two decoders, libsndfile and FFmpeg, and waveforms, behind one small interface.

A reader has the attributes ``sample_rate``, ``n_channels`` and ``n_samples`` (of the
whole file, by its header) and the methods ``read(start, stop)``, which returns
mono float32 samples, fewer than asked for where the file ends early,
``blocks(start, stop)``, which yields the same samples some at a time, and ``count()``,
which decodes the whole file to find its real length.
"""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any, BinaryIO, Protocol

import numpy as np
import soundfile

from skgenre.audio._clip import FileClip, Readable, WaveformClip, clip_name, full_scale
from skgenre.audio._errors import AudioError
from skgenre.audio._mpeg import length_is_guessed
from skgenre.audio._remote import fetched, is_url, local_path

BLOCK = 1 << 22
"""Values of a block in which files are decoded.

So a header that lies about the length or the channels can't make us reserve memory that
the file never fills. A 30 s clip in stereo is one block.
"""
# Hertz. Below, there is no music; resampling would make as many samples of a few bytes
# as the header says. Above, nothing is recorded.
_MIN_SAMPLE_RATE = 1_000
MAX_SAMPLE_RATE = 1_000_000
"""Hertz; far above what sound is recorded at, far below what exhausts the memory."""
# libsndfile gives a length near 2**63 for files whose header has none.
_UNKNOWN_LENGTH = 1 << 48
# Lossy codecs need some packets before the wanted ones to decode these exactly: an
# MP3 frame may hold bits of the ten after it. libsndfile's seek takes no care of it.
_PREROLL_SECONDS = 0.5
_PREROLL_FORMATS = {"MP3", "OGG"}
# FFmpeg's flag of formats whose index is made while reading.
_AVFMT_GENERIC_INDEX = 0x100

_SFE_BAD_FILE = 7  # libsndfile's error number

# The containers that music and videos come in, of FFmpeg's 350. The others are those of
# old games, images, texts and playlists, and the less tested their code is, the more
# of it crashes on damaged files.
_CONTAINERS = """
    aac ac3 aiff amr amrnb amrwb ape asf asf_o au avi caf dsf dts dtshd eac3 flac flv
    gxf iff loas matroska,webm mov,mp4,m4a,3gp,3g2,mj2 mp3 mpc mpc8 mpeg mpegts mxf nut
    ogg oma rm shn tak truehd tta voc w64 wav wtv wv xwma
"""

_DAMAGED = "The file is damaged: replace it or leave it out."
_INSTALL_AV = (
    'If it is M4A, AAC, WMA or video, install PyAV: pip install "skgenre[av]". '
    "Otherwise replace the file or leave it out."
)


class Reader(Protocol):
    """The interface of decoders and waveforms."""

    sample_rate: int
    n_channels: int
    n_samples: int

    def read(self, start: int, stop: int) -> np.ndarray: ...  # noqa: D102
    def blocks(self, start: int, stop: int) -> Iterator[np.ndarray]: ...  # noqa: D102
    def count(self) -> int: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


def _to_mono(samples: np.ndarray) -> np.ndarray:
    """Average the channels of (n_samples, n_channels) with equal weights."""
    n_channels = samples.shape[1]
    if n_channels == 1:
        return samples[:, 0]
    # A product with the weights takes 2 ms where mean(axis=1) takes 30.
    return samples @ np.full(n_channels, 1 / n_channels, dtype=np.float32)


def _reason(error: Exception) -> str:
    """Return a decoder's message, without the file's name or descriptor."""
    for name in "error_string", "strerror":  # of soundfile, of PyAV and the system
        if reason := getattr(error, name, None):
            return reason.rstrip(".")
    return str(error).rstrip(".") or type(error).__name__


def _join(blocks: list[np.ndarray]) -> np.ndarray:
    if len(blocks) == 1:
        return blocks[0]
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=np.float32)


def _for_libsndfile(file: BinaryIO) -> BinaryIO | int:
    """Return a file's descriptor, or the file where it has none that can be shared.

    It spares us libsndfile's ideas about file names (encodings, extensions); on Windows
    the two C libraries can't share it.
    """
    if os.name == "nt":
        return file
    try:
        return file.fileno()
    except io.UnsupportedOperation:  # in memory
        return file


class _SequentialSoundFile(soundfile.SoundFile):
    """A file whose `read` continues where the last one ended.

    soundfile's own seeks to that place after each read, which in MP3 files loses the
    bits that the next frames need: the beginning of each block would be distorted.
    """

    def seekable(self) -> bool:
        """Return False: then `read` doesn't seek, while `seek` still does."""
        return False

    @property
    def can_seek(self) -> bool:
        """Whether the file can really be sought."""
        return super().seekable()


class SoundFileReader:
    """Read what libsndfile knows: WAV, FLAC, OGG, Opus, MP3, AIFF, AU and more."""

    def __init__(self, file: BinaryIO) -> None:
        self._source = file
        self._open()
        self.sample_rate: int = self._file.samplerate
        self.n_channels: int = self._file.channels
        self.n_samples: int = self._file.frames
        if self.n_samples >= _UNKNOWN_LENGTH:
            self._file.close()
            raise soundfile.SoundFileRuntimeError("the header has no length")

    def is_cut_short(self) -> bool:
        """Return whether `n_samples` is a guess, behind which nothing is read."""
        if self._file.format != "MP3":
            return False
        position = self._source.tell()
        try:
            return length_is_guessed(self._source)
        finally:
            self._source.seek(position)  # where libsndfile reads on

    def _open(self) -> None:
        self._source.seek(0)
        self._file = _SequentialSoundFile(_for_libsndfile(self._source), closefd=False)
        self._position = 0  # of files that can't be sought

    def _read(self, n_samples: int) -> np.ndarray:
        block = self._file.read(n_samples, dtype="float32", always_2d=True)
        self._position += len(block)
        return block

    def _go_to(self, position: int) -> None:
        if self._file.can_seek:
            self._file.seek(position)
            return
        # GSM 6.10 and some kinds of ADPCM: libsndfile only reads forward.
        if position < self._position:
            self._file.close()
            self._open()
        while position > self._position:
            if not len(self._read(min(self._block, position - self._position))):
                break

    @property
    def _block(self) -> int:
        return max(1, BLOCK // self._file.channels)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read samples `start` to `stop`."""
        return _join(list(self.blocks(start, stop)))

    def blocks(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yield samples `start` to `stop`, some at a time."""
        lead = 0
        if self._file.format in _PREROLL_FORMATS:
            lead = min(start, int(_PREROLL_SECONDS * self.sample_rate))
        try:
            self._go_to(start - lead)
        except soundfile.SoundFileError:
            # Perhaps behind the end of a FLAC file whose header promises more; the
            # decoder is of no use then.
            self.close()
            self._open()
            if self.count() > start - lead:
                raise
            return
        self._read(lead)
        while start < stop:
            size = min(self._block, stop - start)
            block = self._read(size)
            yield _to_mono(block)
            start += len(block)
            if len(block) < size:
                break

    def count(self) -> int:
        """Decode from the beginning to the end and count samples."""
        self._go_to(0)
        size = max(1, (1 << 17) // self._file.channels)
        buffer = np.empty((size, self._file.channels), dtype=np.float32)
        n_samples = 0
        while n_read := len(self._file.read(out=buffer)):
            n_samples += n_read
        self._position = n_samples
        return n_samples

    def close(self) -> None:
        """Free the decoder."""
        self._file.close()


class AVReader:
    """Read the first audio stream of what FFmpeg knows: M4A, AAC, WMA, video..."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._container: Any  # PyAV is optional, and so are its types
        self._stream: Any
        self._open()
        try:
            stream = self._stream
            if stream.codec_context is None:
                raise ValueError("its codec is not known")
            self.sample_rate: int = stream.rate
            if not self.sample_rate:  # taken for audio only by its name
                raise ValueError("it has no sample rate")
            self.n_channels: int = stream.codec_context.layout.nb_channels
            self._first_pts: int = stream.start_time or 0
            # Seeking needs exact timestamps. Formats without their own (raw AAC) get
            # estimated ones, and those of some (Matroska, WMA) are in milliseconds.
            has_timestamps = (
                not int(self._container.format.flags) & _AVFMT_GENERIC_INDEX
            )
            is_fine = stream.time_base * self.sample_rate <= 1
            self._can_seek = has_timestamps and is_fine
            if self._can_seek and stream.duration:
                self.n_samples = self._to_samples(stream.duration)
            else:
                self.n_samples = self.count()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        import av

        self._file.seek(0)
        # Playlist formats may name other files and addresses; none is opened.
        options = {
            "protocol_whitelist": "none",
            "format_whitelist": ",".join(_CONTAINERS.split()),
        }
        self._container = av.open(self._file, options=options)
        if not self._container.streams.audio:
            self.close()
            raise ValueError("it holds no audio stream")
        self._stream = self._container.streams.audio[0]
        self._is_new = True

    def _to_samples(self, pts: int) -> int:
        return round(pts * self._stream.time_base * self.sample_rate)

    def _decode(self, start: int) -> Iterator[tuple[int, Any]]:
        """Yield (position, frame) from at or before sample `start` on."""
        from av import AudioResampler

        if not self._is_new:
            # Rewound, a decoder gives the codec's lead-in that it drops when new.
            self.close()
            self._open()
        self._is_new = False
        seconds = start / self.sample_rate - _PREROLL_SECONDS
        if self._can_seek and seconds > 0:
            pts = self._first_pts + int(seconds / self._stream.time_base)
            self._container.seek(pts, stream=self._stream)
        # Only the sample format changes. Channels are interleaved: of 8 or more planes,
        # PyAV would read on behind the last one.
        to_float = AudioResampler(format="flt")
        position = None
        for decoded in self._container.decode(self._stream):
            if decoded.sample_rate != self.sample_rate:
                raise ValueError("its sample rate changes on the way")
            for frame in to_float.resample(decoded):
                if position is None:
                    is_known = self._can_seek and decoded.pts is not None
                    pts = decoded.pts if is_known else self._first_pts
                    position = max(0, self._to_samples(pts - self._first_pts))
                yield position, frame
                # Frames follow one another without gaps.
                position += frame.samples

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read samples `start` to `stop`."""
        return _join(list(self.blocks(start, stop)))

    def blocks(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yield samples `start` to `stop`, some at a time."""
        frames: list[np.ndarray] = []
        n_values = 0
        for position, frame in self._decode(start):
            if position >= stop:
                break
            if position + frame.samples > start:
                part = slice(max(0, start - position), stop - position)
                samples = frame.to_ndarray().reshape(frame.samples, -1)
                frames.append(_to_mono(samples[part]))
                n_values += samples.size
            if n_values >= BLOCK:
                yield _join(frames)
                frames, n_values = [], 0
        if frames:
            yield _join(frames)

    def count(self) -> int:
        """Decode from the beginning to the end and count samples."""
        n_samples = 0
        for position, frame in self._decode(0):
            n_samples = position + frame.samples
        return n_samples

    def close(self) -> None:
        """Free the decoder."""
        self._container.close()


class WaveformReader:
    """Read a waveform that is in memory."""

    def __init__(self, clip: WaveformClip) -> None:
        rate = clip.sample_rate
        if not _MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE or rate != int(rate):
            raise AudioError(
                clip.name,
                f"its sample rate is {rate:.10g} Hz, and expected are whole numbers "
                f"from {_MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}",
                "Pass the rate that it was recorded at.",
            )
        samples = clip.samples
        self._samples = samples if samples.ndim == 2 else samples[:, np.newaxis]
        self.sample_rate = int(rate)
        self.n_samples, self.n_channels = self._samples.shape

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read samples `start` to `stop`."""
        return np.ascontiguousarray(_to_mono(full_scale(self._samples[start:stop])))

    def blocks(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yield samples `start` to `stop`, some at a time."""
        size = max(1, BLOCK // self.n_channels)
        for first in range(start, min(stop, self.n_samples), size):
            yield self.read(first, min(stop, first + size))

    def count(self) -> int:
        """Return the number of samples."""
        return self.n_samples

    def close(self) -> None:
        """Do nothing: there is no file."""


def _open_local(path: str | bytes, name: str | bytes) -> BinaryIO:
    """Open a regular file, and nothing else.

    Opening a named pipe would wait for a writer forever, and opening a device may do
    anything: so it is looked at first. That it may become one in between, the opened
    file is looked at again, and opened without waiting.
    """
    try:
        _check_is_file(os.stat(path), name)
        # Not buffered: libsndfile begins where the descriptor is.
        file = open(path, "rb", buffering=0, opener=_open_at_once)
    except AudioError:
        raise
    except FileNotFoundError:
        raise AudioError(name, "there is no such file", "Check the path.") from None
    except PermissionError as error:
        cause = error.strerror or str(error)
        raise AudioError(name, cause, "Check the permissions.") from error
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise AudioError(name, cause, "Check the path.") from error
    try:
        _check_is_file(os.fstat(file.fileno()), name)
    except BaseException:
        file.close()
        raise
    return file


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_is_file(status: os.stat_result, name: str | bytes) -> None:
    """Refuse what isn't a regular file, or is empty."""
    if stat.S_ISDIR(status.st_mode):
        raise AudioError(
            name, "it is a directory", "Pass the paths of the files inside it."
        )
    if not stat.S_ISREG(status.st_mode):
        raise AudioError(
            name, "it is a pipe, socket or device", "Pass the path of a regular file."
        )
    if status.st_size == 0:
        raise AudioError(
            name, "the file is empty (0 bytes)", "Replace it or leave it out."
        )


def _open_in_memory(clip: FileClip) -> BinaryIO:
    """Return the contents of an open file, and refuse an empty one."""
    try:
        is_empty = not clip.size()
    except (OSError, ValueError) as error:
        raise AudioError(
            clip.name,
            f"reading it failed ({_reason(error)})",
            "Pass an open file.",
        ) from error
    if is_empty:
        raise AudioError(
            clip.name, "the file is empty (0 bytes)", "Replace it or leave it out."
        )
    return clip.open()


def _av_reader(file: BinaryIO) -> AVReader | None:
    """Return FFmpeg's reader, if it is installed and takes the file."""
    if find_spec("av") is None:
        return None
    try:
        return AVReader(file)
    except MemoryError:
        raise
    except Exception:  # of many types, where a file is damaged
        return None


def _choose_reader(file: BinaryIO, path: str | bytes) -> Reader:
    try:
        reader = SoundFileReader(file)
    except soundfile.SoundFileError as error:
        sndfile_error = error
    else:
        if not reader.is_cut_short():
            return reader
        reader.close()
        return _av_reader(file) or SoundFileReader(file)
    reason = _reason(sndfile_error)
    if getattr(sndfile_error, "code", None) == _SFE_BAD_FILE:
        reason = (
            "it begins like MP3, and no frame decodes"  # libsndfile's text is vaguer
        )
    if find_spec("av") is None:
        raise AudioError(
            path, f"libsndfile does not read it ({reason})", _INSTALL_AV
        ) from sndfile_error
    try:
        return AVReader(file)
    except MemoryError:
        raise
    except Exception as error:  # of many types, where a file is damaged
        raise AudioError(
            path,
            f"no decoder reads it as audio (libsndfile: {reason}; FFmpeg: "
            f"{_reason(error)})",
            "Replace the file or leave it out.",
        ) from error


def open_file(
    path: str | bytes | os.PathLike | FileClip,
) -> AbstractContextManager[BinaryIO]:
    """Open a local file, a copy of one that a URL names, or one that is open.

    Parameters
    ----------
    path : str, bytes, os.PathLike or FileClip
        A path, or a str that begins with ``protocol://``; or an open file, which is
        left open.

    Returns
    -------
    context manager
        Gives a binary file, closed at the end of the block.

    Raises
    ------
    AudioError
        If the file can't be opened. If it can't be fetched, on entering the block.
    """
    if isinstance(path, FileClip):
        return _open_in_memory(path)
    name = os.fspath(path)
    local = name
    if isinstance(name, str) and "://" in name and is_url(name):
        in_place = local_path(name)
        if in_place is None:
            return fetched(name)
        local = in_place
    return _open_local(local, name)


@contextmanager
def decoding_errors(path: str | bytes) -> Iterator[None]:
    """Turn whatever a decoder raises inside the block into an `AudioError`."""
    try:
        yield
    except (AudioError, MemoryError):
        raise
    except Exception as error:
        raise AudioError(
            path, f"decoding failed ({_reason(error)})", _DAMAGED
        ) from error


@contextmanager
def open_audio(clip: Readable) -> Iterator[Reader]:
    """Open a clip; whatever fails inside the block becomes an `AudioError`.

    Parameters
    ----------
    clip : str, bytes, os.PathLike, FileClip or WaveformClip
        A sound file, its URL, or sound in memory.

    Yields
    ------
    reader : Reader
        Gives the clip's samples; closed at the end of the block.
    """
    name = clip_name(clip)
    if isinstance(clip, WaveformClip):
        yield WaveformReader(clip)
        return
    with open_file(clip) as file:
        reader = _choose_reader(file, name)
        try:
            rate = reader.sample_rate
            if not _MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE:
                raise AudioError(
                    name,
                    f"its sample rate is {rate} Hz, and expected are "
                    f"{_MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}",
                    _DAMAGED,
                )
            with decoding_errors(name):
                yield reader
        finally:
            reader.close()
