"""libsndfile, and FFmpeg from where that fails.

libmpg123 prints errors to the standard error, and libsndfile what it was debugged with
to the standard output, among the results. libsndfile gives no access to an option
against it. They print through the C library's `stderr` and `stdout`, variables that
`quiet` points to the null device meanwhile. Python prints through descriptors, so that
messages, tracebacks and progress bars of other threads are not affected; what other C
code has to say at such a moment is lost.
"""

import contextlib
import ctypes
import io
import os
import platform
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, TypeVar

import numpy as np
import soundfile

from skgenre.audio._decoders import _interface
from skgenre.audio._decoders._av import AVReader
from skgenre.audio._decoders._interface import Reader, to_mono
from skgenre.audio._decoders._mpeg import has_length, length_is_guessed
from skgenre.audio._decoders._ogg import is_chained

# libsndfile gives a length near 2**63 for files whose header has none.
_UNKNOWN_LENGTH = 1 << 48
# Lossy codecs need some packets before the wanted ones to decode these exactly: an
# MP3 frame may hold bits of the ten after it. libsndfile's seek takes no care of it.
_PREROLL_SECONDS = 0.5
_PREROLL_FORMATS = {"MP3", "OGG"}
# Their frames may follow one another for longer than the header says.
_ENDLESS_FORMATS = {"MP3", "OGG", "FLAC"}

_Found = TypeVar("_Found")


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


class SoundFileReader(Reader):
    """Read what libsndfile knows: WAV, FLAC, OGG, Opus, MP3, AIFF, AU and more."""

    n_bytes = 0
    n_lost = 0

    def __init__(self, file: BinaryIO) -> None:
        self._source = file
        self._open()
        self.sample_rate: int = self._file.samplerate
        self.n_channels: int = self._file.channels
        self.n_samples: int = self._file.frames
        self._n_promised = self.n_samples
        if self.n_samples >= _UNKNOWN_LENGTH:
            self._file.close()
            raise soundfile.SoundFileRuntimeError("the header has no length")

    @property
    def n_promised(self) -> int:
        """Length by the header; 0 where it has none, or only a guess."""
        if self._file.format != "MP3":
            return self._n_promised
        return self._n_promised if self._look(has_length) else 0

    def is_cut_short(self) -> bool:
        """Return whether there is more than `n_samples`, which libsndfile can't read.

        In MP3 they may be a guess, in chained Ogg files those of the first stream.
        """
        if self._file.format == "MP3":
            return self._look(length_is_guessed)
        return self._file.format == "OGG" and self._look(is_chained)

    @property
    def has_pages(self) -> bool:
        """Whether all bytes of the file belong to pages of sound, as in Ogg."""
        return self._file.format == "OGG"

    def n_bytes_behind(self) -> int:
        """Return the bytes that have not been read, where these may be sound."""
        if self._file.format not in _ENDLESS_FORMATS:
            return 0
        position = self._source.tell()
        return self._look(lambda source: source.seek(0, 2)) - position

    def _look(self, function: Callable[[BinaryIO], _Found]) -> _Found:
        position = self._source.tell()
        try:
            return function(self._source)
        finally:
            self._source.seek(position)  # where libsndfile reads on

    def _open(self) -> None:
        self._source.seek(0)
        source = _for_libsndfile(self._source)
        with quiet:
            self._file = _SequentialSoundFile(source, closefd=False)
        self._position = 0  # of files that can't be sought

    def _read(self, n_samples: int) -> np.ndarray:
        with quiet:
            block = self._file.read(n_samples, dtype="float32", always_2d=True)
        self._position += len(block)
        return block

    def _go_to(self, position: int) -> None:
        if self._file.can_seek:
            with quiet:
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
        return max(1, _interface.BLOCK // self._file.channels)

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
            yield to_mono(block)
            start += len(block)
            if len(block) < size:
                break

    def count(self) -> int:
        """Decode from the beginning to the end and count samples."""
        self._go_to(0)
        size = max(1, (1 << 17) // self._file.channels)
        buffer = np.empty((size, self._file.channels), dtype=np.float32)
        n_samples = 0
        with quiet:
            while n_read := len(self._file.read(out=buffer)):
                n_samples += n_read
        self._position = n_samples
        return n_samples

    def close(self) -> None:
        """Free the decoder."""
        self._file.close()


# Seconds: how much earlier than its header says an intact file may end.
_TOLERANCE = 0.1
# Bytes and share of a file behind the end that its header gives. Less is a tag.
_LEAST_BEHIND = 1 << 12
_LEAST_SHARE_BEHIND = 0.05


class ResumingReader(Reader):
    """Read by libsndfile; from where that fails, or ends too early, by FFmpeg.

    libsndfile is several times as fast, and gives up a damaged MP3, FLAC or Ogg file
    where FFmpeg skips a packet.

    Parameters
    ----------
    file : binary file
        The whole file.

    first : SoundFileReader
        Has opened it.
    """

    n_bytes = 0

    def __init__(self, file: BinaryIO, first: SoundFileReader) -> None:
        self._file = file
        self._first = first
        self._second: AVReader | None = None
        self._has_looked_behind = False
        self._n_believed = 0  # where the header is not, and the file's size is
        self.sample_rate = first.sample_rate
        self.n_channels = first.n_channels
        self.n_samples = first.n_samples

    @property
    def n_promised(self) -> int:
        """Length by the header; 0 where it has none, or only a guess."""
        return self._n_believed or self._first.n_promised

    @property
    def n_lost(self) -> int:
        """Samples that could not be decoded so far, in whose place silence is."""
        return self._second.n_lost if self._second is not None else 0

    def blocks(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yield samples `start` to `stop`, some at a time."""
        position = start
        last = np.empty(0, np.float32)
        if self._second is None:
            failure = None
            try:
                for block in self._first.blocks(start, stop):
                    if len(last):
                        yield last
                        position += len(last)
                    last = block
            except soundfile.SoundFileError as error:
                # Its frames would hold this one, and this one it.
                failure = error.with_traceback(None)
            end = position + len(last)
            if failure is None and end > stop - _TOLERANCE * self.sample_rate:
                yield last
                if stop >= self.n_samples:
                    self._look_behind()
                return
            self._second = self._resume()
            if self._second is None:
                if failure is not None:
                    try:
                        raise failure
                    finally:
                        del failure
                yield last
                return
        # The last block is read again: libsndfile may have left something out of it.
        n_before, n_read = self._second.n_samples, 0
        for block in self._second.blocks(position, stop):
            yield block
            n_read += len(block)
        yield last[n_read:]
        if self._second.n_samples > n_before:
            self.n_samples = self._second.n_samples

    def _resume(self) -> AVReader | None:
        """Return FFmpeg's reader, if it takes the file for the same as libsndfile."""
        try:
            second = AVReader(self._file, n_samples=self.n_samples)
        except MemoryError:
            raise
        except Exception:  # of many types, where a file is damaged
            return None
        if second.sample_rate == self.sample_rate:
            return second
        second.close()
        return None

    def _look_behind(self) -> None:
        """Have the rest read, where a file holds more than its header says."""
        if self._has_looked_behind:
            return
        self._has_looked_behind = True
        n_behind = self._first.n_bytes_behind()
        if n_behind < _LEAST_BEHIND:
            return
        place = self._file.tell()
        try:
            size = self._file.seek(0, 2)
            if n_behind < _LEAST_SHARE_BEHIND * size:
                return
            second = self._resume()
            n_samples = second.count() if second is not None else 0
            if second is not None and n_samples > (
                self.n_samples + _TOLERANCE * self.sample_rate
            ):
                self.n_samples = second.n_samples = n_samples
                self._second = second
                return
            if second is not None:
                second.close()
            if self._first.has_pages:  # that are no tag, and don't decode
                self._n_believed = self.n_samples * size // max(1, size - n_behind)
        finally:
            self._file.seek(place)  # where libsndfile reads on

    def count(self) -> int:
        """Decode from the beginning to the end and count samples."""
        if self._second is None:
            with contextlib.suppress(soundfile.SoundFileError):
                return self._first.count()
            self._second = self._resume()
        return 0 if self._second is None else self._second.count()

    def close(self) -> None:
        """Free the decoders."""
        self._first.close()
        if self._second is not None:
            self._second.close()


def c_streams() -> list[Any]:
    """Return the C library's variables; none where they can't be set."""
    # In other libraries, such as musl, they are constants.
    if sys.platform == "darwin":
        names = ["__stdoutp", "__stderrp"]
    elif platform.libc_ver()[0] == "glibc":
        names = ["stdout", "stderr"]
    else:
        names = []
    try:
        return [ctypes.c_void_p.in_dll(ctypes.CDLL(None), name) for name in names]
    except (OSError, ValueError):
        return []


class _Quiet:
    """A state of the process, from when the first enters until the last has left."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0
        self._is_ready = False
        self._streams: list[Any] = []
        self._before: list[int | None] = []
        self._null: int | None = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._is_ready:
                self._open_null()
            if self._n_inside == 0:
                self._before = [stream.value for stream in self._streams]
                for stream in self._streams:
                    stream.value = self._null
            self._n_inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._restore()

    def _open_null(self) -> None:
        self._is_ready = True
        if streams := c_streams():
            fopen = ctypes.CDLL(None).fopen
            fopen.restype, fopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p] * 2
            self._null = fopen(os.fsencode(os.devnull), b"w")
            self._streams = streams if self._null else []

    def _restore(self) -> None:
        for stream, before in zip(self._streams, self._before, strict=True):
            stream.value = before

    def after_fork(self) -> None:
        """Restore the streams in a child, where no other thread is left."""
        self._lock = threading.Lock()
        if self._n_inside:
            self._n_inside = 0
            self._restore()


quiet = _Quiet()
"""A context in which C libraries print nothing."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=quiet.after_fork)
