"""What a clip is: a path or URL, an open file, a waveform with or without its rate.

`check_clips` makes a `FileClip` of an open file and a `WaveformClip` of a waveform with
its rate. Readers open them as they open paths, so that whatever works for a path works
for them. Bare arrays, already at the rate that is wanted, need no reader.
"""

import hashlib
import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from skgenre.audio._errors import AudioError

_BLOCK = 1 << 20
# Threads must not move a file between another's seek and its read. Each file has one
# of these locks, which are more than there are threads.
_locks = [threading.Lock() for _ in range(61)]


class Waveform(NamedTuple):
    """A waveform that knows its rate, as a clip for whatever takes paths.

    Audio steps resample it to their own rate, as they resample files: a file and its
    samples give the same result.

    Parameters
    ----------
    samples : array-like of shape (n_samples,), (n_samples, n_channels) or \
            (n_channels, n_samples)
        Of two axes the shorter one is that of the channels, which are averaged. Floats
        are in -1 to 1; integers are fractions of their type's largest value.

    sample_rate : int
        Samples a second, in Hz: 1,000 to 1,000,000.

    See Also
    --------
    load_audio : The waveform of a file.

    Notes
    -----
    It is a tuple, and the pair ``(samples, sample_rate)``, which soundfile, librosa and
    torchaudio return, does as well.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import MelSpectrogramTransformer, Waveform
    >>> noise = np.random.default_rng(0).integers(-9999, 9999, 48000, dtype=np.int16)
    >>> clips = [Waveform(noise, 48000), Waveform(noise, 44100)]
    >>> MelSpectrogramTransformer(n_frames=None).transform(clips)[0].shape
    (22, 128)
    """

    samples: Any
    sample_rate: int


def full_scale(samples: np.ndarray) -> np.ndarray:
    """Return samples as float32, integers of up to 32 bits as fractions.

    Parameters
    ----------
    samples : ndarray of float or integer
        Signed integers are around 0, unsigned ones around the middle of their range.
        Those of 64 bits have no full scale and keep their values.

    Returns
    -------
    ndarray of the same shape, float32
        Integers are in -1 to 1, as decoders return them.
    """
    kind, bits = samples.dtype.kind, 8 * samples.dtype.itemsize
    if kind == "f" or bits == 64:
        with np.errstate(over="ignore", under="ignore"):
            return samples.astype(np.float32, copy=False)
    half = 2.0 ** (bits - 1)
    if kind == "u":
        samples = samples.astype(np.float64) - half
    return samples.astype(np.float32) * np.float32(1 / half)


class WaveformClip:
    """A waveform with its rate.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,) or (n_samples, n_channels)
        Of floats or integers; not copied.
    sample_rate : float
        Hertz, of any value: the reader checks it.
    name : str
        What messages call it.
    """

    path = None
    """It has no file."""

    def __init__(self, samples: np.ndarray, sample_rate: float, name: str) -> None:
        self.samples = samples
        self.sample_rate = sample_rate
        self.name = name

    def digest(self) -> bytes:
        """Return bytes that identify samples and rate."""
        samples = np.ascontiguousarray(self.samples)
        facts = f"waveform {self.sample_rate!r} {samples.dtype.str} {samples.shape}"
        digest = hashlib.blake2b(facts.encode(), digest_size=16)
        digest.update(samples.data.cast("B") if samples.size else b"")
        return digest.digest()


class FileClip:
    """An open binary file, all of which is the clip.

    Its position stays where it is. Copies in other processes hold the contents.

    Parameters
    ----------
    file : binary file
        It can be sought.
    name : str
        What messages call it.
    path : str or bytes or None, default=None
        Its own name, if it has one.
    """

    def __init__(
        self, file: BinaryIO, name: str, path: str | bytes | None = None
    ) -> None:
        self.file = file
        self.name = name
        self.path = path
        self._error: Exception | None = None
        self._lock = _locks[id(file) % len(_locks)]

    def open(self) -> BinaryIO:
        """Return the contents as a file of its own, at its beginning."""
        return _Contents(self)  # type: ignore[return-value]

    def read(self, start: int, size: int) -> bytes:
        """Return some bytes from byte `start` on; all of them if `size` is -1."""
        blocks, n_missing = [], size
        with self._in_place():
            self.file.seek(start)
            # Once more where some was missing: only nothing is the end of a raw file.
            while n_missing and (block := self.file.read(n_missing)):
                blocks.append(block)
                n_missing = size if size < 0 else n_missing - len(block)
        return b"".join(blocks)

    def size(self) -> int:
        """Return the number of bytes."""
        with self._in_place():
            self.file.seek(0, os.SEEK_END)
            return self.file.tell()

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        with self._lock:
            position = self.file.tell()
            try:
                yield
            finally:
                self.file.seek(position)

    def fail(self, error: Exception) -> None:
        """Keep an error for `raise_failure`: libsndfile's callbacks raise none."""
        self._error = error

    def raise_failure(self) -> None:
        """Raise an AudioError if reading has failed."""
        error, self._error = self._error, None
        if isinstance(error, MemoryError):
            raise error
        if error is not None:
            cause = f"reading it failed ({type(error).__name__}: {error})"
            raise AudioError(self.name, cause, "Pass an open file.") from error

    def digest(self) -> bytes:
        """Return bytes that identify the contents."""
        digest = hashlib.blake2b(b"file object", digest_size=16)
        position = 0
        while data := self.read(position, _BLOCK):
            digest.update(data)
            position += len(data)
        return digest.digest()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the contents."""
        try:
            contents = self.read(0, -1)
        except Exception as error:
            self.fail(error)
            self.raise_failure()
            raise
        return FileClip, (io.BytesIO(contents), self.name, self.path)


class _Contents(io.RawIOBase):
    """The contents of a `FileClip`, with a position of its own."""

    def __init__(self, clip: FileClip) -> None:
        self._clip = clip
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = self._position if whence == os.SEEK_CUR else 0
        if whence == os.SEEK_END:
            try:
                start = self._clip.size()
            except Exception as error:
                self._clip.fail(error)
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._clip.read(self._position, len(buffer))
        except Exception as error:
            self._clip.fail(error)
            return 0
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


Readable = str | bytes | os.PathLike | FileClip | WaveformClip
"""Clips that a reader opens."""
Clip = Readable | np.ndarray
"""What tasks get; whatever else is passed is made one of these, or refused."""


def clip_name(clip: Clip) -> str | bytes:
    """Return what messages call a clip: its path, if it has one."""
    if isinstance(clip, np.ndarray):
        return "a waveform"
    if isinstance(clip, WaveformClip | FileClip):
        return clip.name
    return os.fspath(clip)


def clip_path(clip: Clip) -> str | None:
    """Return a clip's path as text, None if it has none."""
    if isinstance(clip, np.ndarray):
        return None
    path = clip.path if isinstance(clip, WaveformClip | FileClip) else clip
    return None if path is None else os.fsdecode(path)
