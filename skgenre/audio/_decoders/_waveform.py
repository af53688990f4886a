"""A waveform that knows its rate, behind the interface of the decoders."""

from collections.abc import Iterator

import numpy as np

from skgenre.audio._clip import WaveformClip, full_scale
from skgenre.audio._decoders import _interface
from skgenre.audio._decoders._interface import to_mono


class WaveformReader:
    """Read a waveform that is in memory, and whose rate was checked."""

    n_lost = 0

    def __init__(self, clip: WaveformClip) -> None:
        samples = clip.samples
        self._samples = samples if samples.ndim == 2 else samples[:, np.newaxis]
        self.sample_rate = int(clip.sample_rate)
        self.n_samples, self.n_channels = self._samples.shape
        self.n_bytes = samples.nbytes

    @property
    def n_promised(self) -> int:
        """Its length, which is no promise."""
        return self.n_samples

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read samples `start` to `stop`."""
        return np.ascontiguousarray(to_mono(full_scale(self._samples[start:stop])))

    def blocks(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yield samples `start` to `stop`, some at a time."""
        size = max(1, _interface.BLOCK // self.n_channels)
        for first in range(start, min(stop, self.n_samples), size):
            yield self.read(first, min(stop, first + size))

    def count(self) -> int:
        """Return the number of samples."""
        return self.n_samples

    def close(self) -> None:
        """Do nothing: there is no file."""
