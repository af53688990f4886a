"""The decoder libsndfile."""

import io
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

import numpy as np
import soundfile

from skgenre.audio._decoders import _interface
from skgenre.audio._decoders._chatter import quiet
from skgenre.audio._decoders._interface import join, to_mono
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


class SoundFileReader:
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

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read samples `start` to `stop`."""
        return join(list(self.blocks(start, stop)))

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
