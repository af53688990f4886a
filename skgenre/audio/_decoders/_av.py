"""The decoder FFmpeg, by PyAV, which skips what does not decode."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import numpy as np

from skgenre.audio._decoders import _interface
from skgenre.audio._decoders._interface import Reader, join, to_mono
from skgenre.audio._decoders._ogg import is_chained

# FFmpeg's flag of formats whose index is made while reading.
_AVFMT_GENERIC_INDEX = 0x100
# Lossy codecs need some packets before the wanted ones to decode these exactly.
_PREROLL_SECONDS = 0.5
# Formats without the length of each stream whose headers give that of the file. Of
# others, FFmpeg guesses it from bit rates.
_STATE_LENGTH = {"matroska,webm", "asf"}
# Errors in a row of a container, after which nothing more is expected of it.
_MOST_ERRORS = 100
# Seconds between two frames in which none is lost: some containers count milliseconds.
_JITTER = 0.005
# Seconds of silence that are put in place of what is lost, in all; more where more has
# been decoded. So timestamps that lie can't fill the memory.
_MOST_SILENCE = 60
# Seconds by which a file may be longer than its header says: codecs' frames.
_OVERHANG = 0.1

# The containers that music and videos come in, of FFmpeg's 350. The others are those of
# old games, images, texts and playlists, and the less tested their code is, the more
# of it crashes on damaged files.
_CONTAINERS = """
    aac ac3 aiff amr amrnb amrwb ape asf asf_o au avi caf dsf dts dtshd eac3 flac flv
    gxf iff loas matroska,webm mov,mp4,m4a,3gp,3g2,mj2 mp3 mpc mpc8 mpeg mpegts mxf nut
    ogg oma rm shn tak truehd tta voc w64 wav wtv wv xwma
"""


class _Source:
    """A file as FFmpeg sees it: places that are none, as of headers that lie, are none.

    Of an exception in a seek, PyAV may print a traceback.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._seek = file.seek
        self.name = getattr(file, "name", "")
        self.read, self.tell = file.read, file.tell
        self.readable, self.seekable = file.readable, file.seekable
        self.writable = file.writable

    def seek(self, offset: int, whence: int = 0) -> int:
        """Return the place, or -1."""
        try:
            return self._seek(offset, whence)
        except (OSError, OverflowError, ValueError):
            return -1


def _open_container(file: BinaryIO) -> Any:
    import av

    file.seek(0)
    # Playlist formats may name other files and addresses; none is opened.
    options = {
        "protocol_whitelist": "none",
        "format_whitelist": ",".join(_CONTAINERS.split()),
    }
    container = av.open(_Source(file), options=options)
    if not container.streams.audio:
        container.close()
        raise ValueError("it holds no audio stream")
    return container


def stream_digest(file: BinaryIO) -> str:
    """Return the SHA-256 of the first audio stream's packets, which are not decoded.

    Tags and pictures are of no influence.

    Raises
    ------
    Exception
        Of PyAV's types, if FFmpeg can't read all of it; a ValueError if there is no
        audio.
    """
    # Ctrl-C comes to the main thread, and in the methods of a file PyAV would drop it.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_stream_digest, file).result()


def _stream_digest(file: BinaryIO) -> str:
    with _open_container(file) as container:
        stream = container.streams.audio[0]
        digest = hashlib.sha256(f"{stream.codec_context.name} {stream.rate}".encode())
        for packet in container.demux(stream):
            digest.update(bytes(packet))
    return digest.hexdigest()


class AVReader(Reader):
    """Read the first audio stream of what FFmpeg knows: M4A, AAC, WMA, video...

    A packet that doesn't decode is skipped. FFmpeg's own program then shortens the
    sound; here silence is put in the place of what is lost, as far as the timestamps
    show it, so that all else stays where it is in time.

    Parameters
    ----------
    file : binary file
        The whole file.

    n_samples : int or None, default=None
        Its length, if that is known; the file is read from its beginning then, as its
        index may be damaged.
    """

    n_bytes = 0
    n_promised = 0

    def __init__(self, file: BinaryIO, *, n_samples: int | None = None) -> None:
        self._file = file
        # Chained streams have timestamps of their own each.
        self._has_timestamps = not is_chained(file)
        self._container: Any  # PyAV has types of its own only in newer versions
        self._stream: Any
        self._error: Exception | None = None
        self._gave_up_at: int | None = None  # byte
        self._lost: dict[int, int] = {}  # by position
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
            is_exact = not int(self._container.format.flags) & _AVFMT_GENERIC_INDEX
            is_fine = stream.time_base * self.sample_rate <= 1
            self._is_exact = is_exact and is_fine
            self._can_seek = (
                self._is_exact and self._has_timestamps and n_samples is None
            )
            if n_samples is not None:
                self.n_samples = n_samples
            elif self._can_seek and stream.duration:
                self.n_samples = self.n_promised = self._to_samples(stream.duration)
            else:
                self.n_samples = self.count()
                if not self.n_samples and self._error is not None:
                    try:
                        raise self._error
                    finally:
                        self._error = None
                is_alone = len(self._container.streams) == 1  # no longer video
                if is_alone and self._container.format.name in _STATE_LENGTH:
                    microseconds = self._container.duration or 0
                    length = microseconds * self.sample_rate // 1_000_000
                    self.n_promised = max(self.n_promised, length)
        except BaseException:
            self.close()
            raise

    @property
    def n_lost(self) -> int:
        """Samples that could not be decoded so far, in whose place silence is."""
        return sum(self._lost.values())

    def _open(self) -> None:
        self._container = _open_container(self._file)
        self._stream = self._container.streams.audio[0]
        self._is_new = True

    def _to_samples(self, pts: int) -> int:
        return round(pts * self._stream.time_base * self.sample_rate)

    def _decode(self) -> Iterator[Any]:
        """Yield the frames of all packets that decode."""
        from av import FFmpegError

        packets = self._container.demux(self._stream)
        n_errors = 0
        self._gave_up_at = None
        place = 0
        while n_errors < _MOST_ERRORS:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except MemoryError:
                raise
            except FFmpegError as error:  # the next packet may be readable
                self._error = error.with_traceback(None)  # its frames hold this reader
                n_errors += 1
                packets = self._container.demux(self._stream)
                continue
            n_errors = 0
            place = packet.pos or place
            try:
                frames = packet.decode()
            except MemoryError:
                raise
            except FFmpegError as error:
                self._error = error.with_traceback(None)
            else:
                yield from frames
        self._gave_up_at = place

    def _frames(self, start: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (position, samples) from at or before sample `start` on.

        Samples are of shape (n_samples, n_channels).
        """
        if not self._is_new:
            # Rewound, a decoder gives the codec's lead-in that it drops when new.
            self.close()
            self._open()
        self._is_new = False
        seconds = start / self.sample_rate - _PREROLL_SECONDS
        has_sought = self._can_seek and seconds > 0
        if has_sought:
            pts = self._first_pts + int(seconds / self._stream.time_base)
            self._container.seek(pts, stream=self._stream)
        position = n_silent = 0
        expected: int | None = None  # time of the next frame, if none is lost
        if self._is_exact and not has_sought:
            expected = self._to_samples(self._first_pts)
        resampler = _Resampler(self.sample_rate)
        for decoded in self._decode():
            time = None
            if self._has_timestamps and decoded.pts is not None:
                time = self._to_samples(decoded.pts)
                if has_sought:
                    position = max(0, time - self._to_samples(self._first_pts))
                    has_sought = False
                gap = 0 if expected is None else time - expected
                if not position and self._error is None:  # codecs' lead-in
                    gap = 0
                most = max(_MOST_SILENCE * self.sample_rate, position - n_silent)
                if _JITTER * self.sample_rate < gap <= most - n_silent:
                    yield position, np.zeros((gap, 1), np.float32)
                    self._lost[position] = gap
                    n_silent += gap
                    position += gap
            n_before = position
            for samples in resampler(decoded):
                yield position, samples
                # Frames follow one another without gaps.
                position += len(samples)
            if time is not None:
                expected = time
            if expected is not None:
                expected += position - n_before
        if self._gave_up_at:
            # How long the rest is, the size of the file says.
            n_samples = position * self._file.seek(0, 2) // self._gave_up_at
            self.n_promised = max(self.n_promised, n_samples)

    def blocks(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yield samples `start` to `stop`, some at a time."""
        frames: list[np.ndarray] = []
        n_values = 0
        end = 0
        for position, samples in self._frames(start):
            end = position + len(samples)
            if position >= stop:
                if stop < self.n_samples:
                    break
                continue  # to learn how long the file is
            if end > start:
                part = slice(max(0, start - position), stop - position)
                frames.append(to_mono(samples[part]))
                n_values += samples.size
            if n_values >= _interface.BLOCK:
                yield join(frames)
                frames, n_values = [], 0
        if frames:
            yield join(frames)
        if end > self.n_samples + _OVERHANG * self.sample_rate:
            self.n_samples = end

    def count(self) -> int:
        """Decode from the beginning to the end and count samples."""
        n_samples = 0
        for position, samples in self._frames(0):
            n_samples = position + len(samples)
        return n_samples

    def close(self) -> None:
        """Free the decoder."""
        self._container.close()


class _Resampler:
    """FFmpeg's frames to arrays, at one rate, whatever comes.

    The rate and the channels of radio recordings change on the way, and those of single
    frames where a header is damaged.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._kind: tuple | None = None
        self._resampler: Any = None

    def __call__(self, frame: Any) -> Iterator[np.ndarray]:
        from av import AudioResampler

        kind = frame.format.name, frame.layout.name, frame.sample_rate
        frames = []
        if kind != self._kind:
            if self._kind is not None and self._kind[2] != self._sample_rate:
                frames += self._resampler.resample(None)
            # Channels are interleaved: of 8 or more planes, PyAV would read on behind
            # the last one.
            rate = self._sample_rate
            self._resampler = AudioResampler(format="flt", rate=rate)
            self._kind = kind
        frames += self._resampler.resample(frame)
        for converted in frames:
            if converted.samples:
                yield converted.to_ndarray().reshape(converted.samples, -1)
