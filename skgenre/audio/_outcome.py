"""A task on one clip, and its outcome: a result or an error, never an exception."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from skgenre._text import format_list, printable, shorten
from skgenre.audio._clip import Clip, clip_name, clip_path
from skgenre.audio._errors import AudioError
from skgenre.audio._load import one_opening, open_shared
from skgenre.audio._remote import is_url

if TYPE_CHECKING:
    import pandas

_NAMED = 3  # failed clips that a message names


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
    seconds: float = 0.0
    """Time that it took."""

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


def outcome_report(
    clips: Sequence[Clip], outcomes: Sequence[Outcome]
) -> "pandas.DataFrame":
    """Return one row a clip: path, status, cause, facts and seconds."""
    import pandas as pd

    errors = [outcome.error for outcome in outcomes]
    facts = [outcome.facts for outcome in outcomes]
    columns = {
        "path": [clip_path(clip) for clip in clips],
        "status": ["ok" if error is None else "error" for error in errors],
        "cause": ["" if error is None else error.cause for error in errors],
        "duration": [fact.duration for fact in facts],
        "channels": [fact.channels for fact in facts],
        "sample_rate": [fact.sample_rate for fact in facts],
        "seconds": [outcome.seconds for outcome in outcomes],
    }
    types = {"duration": float, "channels": "Int64", "sample_rate": "Int64"}
    report = pd.DataFrame(columns, dtype=object).astype(types | {"seconds": float})
    return report.rename_axis("clip")


def failures(report: "pandas.DataFrame") -> str:
    """Return the first clips that failed, and why; an empty string if none did."""
    failed = report[report["status"] != "ok"]
    lines = [
        f"clip {row.Index}"
        + (f" ({shorten(repr(printable(row.path)), 80)})" if row.path else "")
        + f": {shorten(printable(row.cause), 150)}"
        for row in failed.itertuples()
    ]
    return format_list(lines, limit=_NAMED, sep="; ")
