"""One opening of a file for several readings, which decode each part of it once."""

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar

import numpy as np

from skgenre.audio._readers import Reader, open_audio


class _RememberingReader:
    """A reader that keeps what it has decoded, for readings that overlap it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.sample_rate = reader.sample_rate
        self.n_channels = reader.n_channels
        self.n_samples = reader.n_samples
        self._start = 0
        self._samples = np.empty(0, dtype=np.float32)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read samples `start` to `stop`; a view of what is kept."""
        end = self._start + len(self._samples)
        if not len(self._samples) or stop < self._start or end < start:
            self._start, self._samples = start, self._reader.read(start, stop)
            return self._samples
        missing = []
        if start < self._start:
            before = self._reader.read(start, self._start)
            if len(before) < self._start - start:  # damaged there
                return self._reader.read(start, stop)
            missing.append(before)
            self._start = start
        missing.append(self._samples)
        if end < stop:
            missing.append(self._reader.read(end, stop))
        if len(missing) > 1:
            self._samples = np.concatenate(missing)
        return self._samples[start - self._start : stop - self._start]

    def count(self) -> int:
        """Decode from the beginning to the end and count samples."""
        return self._reader.count()

    def close(self) -> None:
        """Do nothing: who has opened the file closes it."""


# Of the task that runs in this thread: where files stay open, and which are.
_Opened = tuple[contextlib.ExitStack, dict[str | bytes, _RememberingReader]]
_opened: ContextVar[_Opened | None] = ContextVar("_opened", default=None)


@contextlib.contextmanager
def one_opening() -> Iterator[None]:
    """Open each file once, however often `open_shared` is called inside the block."""
    with contextlib.ExitStack() as stack:
        token = _opened.set((stack, {}))
        try:
            yield
        finally:
            _opened.reset(token)


@contextlib.contextmanager
def open_shared(path: str | bytes | os.PathLike) -> Iterator[Reader]:
    """Like `open_audio`; inside of `one_opening`, a file that is open is taken."""
    opened = _opened.get()
    if opened is None:
        with open_audio(path) as reader:
            yield reader
        return
    stack, readers = opened
    name = os.fspath(path)
    if name not in readers:
        readers[name] = _RememberingReader(stack.enter_context(open_audio(name)))
    yield readers[name]
