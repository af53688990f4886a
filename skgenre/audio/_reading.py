"""What was read of a clip: how much of it is lost, and whether it is music at all.

Code that decodes notes it; code that runs a task on a clip observes what the task has
noted, also in a worker process.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

SHORTEST = 0.25
"""Seconds; a shorter clip has no genre. Of as much, listeners name the genre in half of
the cases [1]_.

.. [1] R. O. Gjerdingen and D. Perrott, "Scanning the dial: the rapid recognition of
   music genres", Journal of New Music Research 37(2), 2008.
"""
SILENCE_DB = -60.0
"""Decibels of full scale; a clip with no sample above has no genre."""
LEAST_SHARE = 0.1
"""Share of a file that must be decodable; with less it counts as unreadable."""


@dataclass
class Reading:
    """How much of a clip was decoded, for one or several tasks."""

    decoded: float = math.nan
    """Seconds; of an excerpt no more than the excerpt's. NaN if nothing was read."""
    lost: float = math.nan
    """Seconds of the file that could not be decoded, as far as it was read."""
    duration: float = math.nan
    """Seconds of the whole file, what is lost included."""
    peak: float = math.nan
    """The largest absolute sample."""

    def add(self, other: "Reading") -> None:
        """Take another reading of the same clip in."""
        for name in ("decoded", "lost", "duration", "peak"):
            values = getattr(self, name), getattr(other, name)
            setattr(self, name, float(np.fmax(*values)))

    @property
    def status(self) -> str:
        """'ok', 'silent', 'too short' or 'damaged'; the first that holds."""
        if self.peak <= 10 ** (SILENCE_DB / 20):
            return "silent"
        if self.duration - self.lost < SHORTEST:
            return "too short"
        return "damaged" if self.lost > 0 else "ok"

    @property
    def has_music(self) -> bool:
        """Whether a genre can be predicted."""
        return self.status in ("ok", "damaged")

    @property
    def cause(self) -> str:
        """What there is to say about the clip; empty if all is well."""
        causes = []
        if self.status == "silent":
            causes.append(f"no sample is above {SILENCE_DB:g} dB of full scale")
        if self.status == "too short":
            seconds = self.duration - self.lost
            causes.append(f"{seconds:.3g} s are less than {SHORTEST:g} s")
        if self.lost > 0:
            causes.append(f"{self.lost:.2f} of {self.duration:.2f} s are lost")
        return "; ".join(causes)


_noted: ContextVar[Reading | None] = ContextVar("_noted", default=None)


def note(reading: Reading) -> None:
    """Note what was read of the clip that the task of this thread works on."""
    noted = _noted.get()
    if noted is not None:
        noted.add(reading)


@contextmanager
def observe() -> Iterator[Reading]:
    """Give what is noted inside the block, which is noted outside of it, too."""
    reading = Reading()
    token = _noted.set(reading)
    try:
        yield reading
    finally:
        _noted.reset(token)
        note(reading)


@dataclass(frozen=True)
class Observed:
    """A task on a clip that also returns what was read of it."""

    task: Callable[[Any], Any]

    def __call__(self, clip: Any) -> tuple[Any, Reading]:
        """Return the result and the reading."""
        with observe() as reading:
            result = self.task(clip)
        return result, reading


def peak(samples: np.ndarray) -> float:
    """Return the largest absolute sample; 0 of none."""
    # Without the copy that abs() would make.
    return float(max(samples.max(), -samples.min())) if len(samples) else 0.0
