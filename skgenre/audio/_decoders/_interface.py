"""The interface of the decoders, and the blocks in which they give samples."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

BLOCK = 1 << 22
"""Values of a block in which files are decoded.

So a header that lies about the length or the channels can't make us reserve memory that
the file never fills. A 30 s clip in stereo is one block.
"""


class Reader(Protocol):
    """The samples of a sound file, mono and at the file's own rate."""

    sample_rate: int
    n_channels: int
    n_samples: int
    """Length of the whole file: by its header, until decoding shows otherwise."""
    n_bytes: int
    """Size of the file; set by the code that opens it."""

    @property
    def n_promised(self) -> int:
        """Length by the header; 0 where it has none, or only a guess."""

    @property
    def n_lost(self) -> int:
        """Samples that could not be decoded so far, in whose place silence is."""

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read samples `start` to `stop`; fewer where the file ends early."""
        return join(list(self.blocks(start, stop)))

    def blocks(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yield the same samples some at a time."""

    def count(self) -> int:
        """Decode from the beginning to the end and count samples."""

    def close(self) -> None:
        """Free the decoder."""


def to_mono(samples: np.ndarray) -> np.ndarray:
    """Average the channels of (n_samples, n_channels) with equal weights."""
    n_channels = samples.shape[1]
    if n_channels == 1:
        return samples[:, 0]
    # A product with the weights takes 2 ms where mean(axis=1) takes 30.
    weights = np.full(n_channels, 1 / n_channels, dtype=np.float32)
    # NaN, infinity and what is near zero are no errors here, whatever the user has set.
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        return samples @ weights


def join(blocks: list[np.ndarray]) -> np.ndarray:
    """Return the samples of blocks as one array; a single one as it is."""
    if len(blocks) == 1:
        return blocks[0]
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=np.float32)
