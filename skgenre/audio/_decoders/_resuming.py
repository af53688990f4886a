"""libsndfile, and FFmpeg from where that fails."""

import contextlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import soundfile

from skgenre.audio._decoders._av import AVReader
from skgenre.audio._decoders._interface import join
from skgenre.audio._decoders._soundfile import SoundFileReader

# Seconds: how much earlier than its header says an intact file may end.
_TOLERANCE = 0.1
# Bytes and share of a file behind the end that its header gives. Less is a tag.
_LEAST_BEHIND = 1 << 12
_LEAST_SHARE_BEHIND = 0.05


class ResumingReader:
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

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read samples `start` to `stop`."""
        return join(list(self.blocks(start, stop)))

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
                failure = error
            end = position + len(last)
            if failure is None and end > stop - _TOLERANCE * self.sample_rate:
                yield last
                if stop >= self.n_samples:
                    self._look_behind()
                return
            self._second = self._resume()
            if self._second is None:
                if failure is not None:
                    raise failure
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
