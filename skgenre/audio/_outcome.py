"""A task on one clip, and its outcome: a result or an error, never an exception."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from skgenre._install import require
from skgenre._text import format_list, printable, shorten
from skgenre.audio._clip import Clip, clip_name, clip_path
from skgenre.audio._errors import AudioError
from skgenre.audio._reading import Reading, observe, one_opening, open_shared
from skgenre.audio._remote import is_url

if TYPE_CHECKING:
    import pandas

_NAMED = 3  # clips that a message names
# Columns of a report.
_TYPES = {
    **dict.fromkeys(("path", "status", "cause"), object),
    "duration": float,
    **dict.fromkeys(("channels", "sample_rate"), "Int64"),
    **dict.fromkeys(("decoded", "lost", "seconds"), float),
}


class Facts(NamedTuple):
    """Duration, channels and sample rate of a clip, before it is decoded."""

    duration: float = math.nan
    """Seconds, by the header."""
    channels: int | None = None
    sample_rate: int | None = None


def read_facts(clip: Clip, sample_rate: int | None = None) -> Facts:
    """Return the facts in a file's header.

    Parameters
    ----------
    clip : Clip
        The file, or a waveform.
    sample_rate : int or None, default=None
        That of the waveform, if it has none of its own.

    Returns
    -------
    Facts
        Of a bare waveform, those of one channel. Of a URL, none.

    Raises
    ------
    AudioError
        If the file can't be opened as audio.
    """
    if isinstance(clip, np.ndarray):
        return Facts(len(clip) / (sample_rate or math.nan), 1, sample_rate)
    if is_url(clip):  # which would be fetched a second time
        return Facts()
    with open_shared(clip) as reader:
        seconds = reader.n_samples / reader.sample_rate
        return Facts(seconds, reader.n_channels, reader.sample_rate)


@dataclass
class Outcome:
    """The result of a task on one clip, or its error."""

    result: Any = None
    """Returned by the task; None if it failed."""
    error: AudioError | None = None
    facts: Facts = Facts()
    reading: Reading = field(default_factory=Reading)
    """What was decoded; nothing where a result was looked up."""
    seconds: float = 0.0
    """Time that it took."""

    @property
    def status(self) -> str:
        """'ok', 'damaged', 'silent' or 'too short'; or 'error'."""
        return "error" if self.error is not None else self.reading.status

    @property
    def cause(self) -> str:
        """What is wrong with the clip; empty if nothing is."""
        return self.reading.cause if self.error is None else self.error.cause

    def run(self, clip: Clip, function: Callable[[Any], Any], argument: Any) -> Any:
        """Call a function, unless one has failed before; return None if it fails."""
        if self.error is not None:
            return None
        start = time.perf_counter()
        try:
            return function(argument)
        except ImportError:  # not the clip's fault
            raise
        # Whatever a decoder or a network raises for one clip, the others are still
        # processed.
        except Exception as error:
            self.error = _plain_error(clip, error)
            return None
        finally:
            self.seconds += time.perf_counter() - start


def attempt(
    clip: Clip,
    task: Callable[[Clip], Any],
    look: Callable[[Clip], Facts] | None = read_facts,
) -> Outcome:
    """Return the outcome of a task on one clip.

    Parameters
    ----------
    clip : Clip
        The file or the waveform.
    task : callable
        Takes the clip.
    look : callable or None, default=read_facts
        Returns the facts, before the task runs; with None they stay unknown.

    Returns
    -------
    Outcome
        Can be pickled if the result can be.
    """
    outcome = Outcome()
    with observe() as outcome.reading:
        if look is None:
            outcome.result = outcome.run(clip, task, clip)
            return outcome
        with one_opening(remember=False):  # the header has no samples
            outcome.facts = outcome.run(clip, look, clip) or Facts()
            outcome.result = outcome.run(clip, task, clip)
    return outcome


def _plain_error(clip: Clip, error: Exception) -> AudioError:
    """Return an error that holds no frames, which would hold the samples."""
    if isinstance(error, AudioError):
        return AudioError(error.path, error.cause, error.advice)
    return AudioError(clip_name(clip), f"{type(error).__name__}: {error}".rstrip("."))


def outcome_records(
    clips: Sequence[Clip], outcomes: Sequence[Outcome]
) -> list[dict[str, Any]]:
    """Return one dict a clip: path, status, cause, facts, what was read, seconds."""
    return [
        {
            "path": clip_path(clip),
            "status": outcome.status,
            "cause": outcome.cause,
            **outcome.facts._asdict(),
            "decoded": outcome.reading.decoded,
            "lost": outcome.reading.lost,
            "seconds": outcome.seconds,
        }
        for clip, outcome in zip(clips, outcomes, strict=True)
    ]


def records_frame(records: Sequence[Mapping[str, Any]]) -> "pandas.DataFrame":
    """Return what `outcome_records` gives as a data frame, one row a clip.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    require("pandas")
    import pandas as pd

    report = pd.DataFrame(records, columns=[*_TYPES], dtype=object)
    return report.astype(_TYPES).rename_axis("clip")


def failures(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the first clips that failed, and why; an empty string if none did."""
    return _listed(
        (i, record["path"], record["cause"])
        for i, record in enumerate(records)
        if record["status"] == "error"
    )


def remarks(clips: Sequence[Clip], readings: Mapping[int, Reading]) -> str:
    """Return what there is to say about clips that could be read, in one line.

    Parameters
    ----------
    clips : sequence
        Paths or waveforms.
    readings : mapping of int to Reading
        What was read of clips, by their places.

    Returns
    -------
    str
        Empty if all is well.
    """
    paths = (clip_path(clips[i]) for i in readings)
    texts = (f"{reading.status} ({reading.cause})" for reading in readings.values())
    return _listed(zip(readings, paths, texts, strict=True))


def _listed(clips: Iterable[tuple[int, Any, str]]) -> str:
    """Return places, paths and texts as one line, which names the first few."""
    lines = [
        f"clip {i}"
        + (f" ({shorten(repr(printable(path)), 80)})" if path else "")
        + f": {shorten(printable(text), 150)}"
        for i, path, text in clips
    ]
    return format_list(lines, limit=_NAMED, sep="; ")
