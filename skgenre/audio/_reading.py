"""Reading a clip: its samples, and what is to be said about them.

A file is opened once, its length is learnt, and what is wanted of it is decoded. How
much of it is lost, and whether it is music at all, is noted on the way; code that runs
a task on a clip observes what the task has noted, also in a worker process.
"""

import contextlib
import math
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr

from skgenre.audio._clip import Clip, FileClip, Readable, clip_name
from skgenre.audio._decoders._interface import BLOCK, Reader
from skgenre.audio._errors import AudioError
from skgenre.audio._readers import decoding_errors, open_audio

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


# Samples, at the lower of the two rates, after which soxr's filter ('HQ') has no
# more influence. A part of a file is resampled with so much around it, and so equals
# the same part of the whole file.
_FILTER_REACH = 1024
# soxr's rounding errors (1e-7) depend on where it begins; near the floor of a
# spectrogram they reach 0.004 dB. When it halves the rate, as from 44100 to 22050 Hz,
# they are the same again every 830 samples.
_HALVING_GRID = 830
# Samples resampled together, which fit into the processor's cache; the result doesn't
# depend on it.
_RESAMPLED = 1 << 16
# Samples that are kept of a file for other reads: 12 min at 44.1 kHz, 128 MiB. Longer
# ones are decoded again.
_MOST_KEPT = 1 << 25
# Seconds that a file may be shorter than its header says, as with some encoders.
_TOLERANCE = 0.1
# Bits a second of the thinnest music, by which a file's size limits what a header is
# believed of.
_LEAST_BIT_RATE = 32_000


class _RememberingReader:
    """A reader that keeps what it has decoded, for reads that overlap it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.sample_rate = reader.sample_rate
        self.n_channels = reader.n_channels
        self.n_bytes = reader.n_bytes
        self._start = 0
        self._samples = np.empty(0, dtype=np.float32)

    @property
    def n_samples(self) -> int:
        """Length of the whole file, as far as it is known."""
        return self._reader.n_samples

    @n_samples.setter
    def n_samples(self, n_samples: int) -> None:
        self._reader.n_samples = n_samples

    @property
    def n_promised(self) -> int:
        """Length by the header; 0 where it has none, or only a guess."""
        return self._reader.n_promised

    @property
    def n_lost(self) -> int:
        """Samples that could not be decoded so far, in whose place silence is."""
        return self._reader.n_lost

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

    def blocks(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yield samples `start` to `stop`; those of long files are not kept."""
        if stop - start > _MOST_KEPT:
            yield from self._reader.blocks(start, stop)
        else:
            yield from _slices(self.read(start, stop))

    def count(self) -> int:
        """Decode from the beginning to the end and count samples."""
        return self._reader.count()

    def close(self) -> None:
        """Do nothing: the file is closed by the code that opened it."""


def _slices(samples: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(samples), BLOCK):
        yield samples[start : start + BLOCK]


# Of the task that runs in this thread: where files stay open, which are open, and
# whether what was decoded is kept.
_Opened = tuple[contextlib.ExitStack, dict[Readable, Reader], bool]
_opened: ContextVar[_Opened | None] = ContextVar("_opened", default=None)


@contextlib.contextmanager
def one_opening(*, remember: bool = True) -> Iterator[None]:
    """Open each file once, however often it is read inside the block.

    With `remember`, what was decoded is kept for reads that overlap it.
    """
    stack = contextlib.ExitStack()
    token = _opened.set((stack, {}, remember))
    try:
        yield
    finally:
        _opened.reset(token)
        stack.close()  # apart from errors, which may be none of the files'


@contextlib.contextmanager
def open_shared(clip: Readable) -> Iterator[Reader]:
    """Open a clip by `open_audio`; inside `one_opening`, reuse one that is open."""
    opened = _opened.get()
    if opened is None:
        with _errors_of_file(clip), open_audio(clip) as reader:
            yield reader
        return
    stack, readers, remember = opened
    key = os.fspath(clip) if isinstance(clip, os.PathLike) else clip
    with _errors_of_file(clip):
        if key not in readers:
            reader = stack.enter_context(open_audio(clip))
            readers[key] = _RememberingReader(reader) if remember else reader
        with decoding_errors(clip):
            yield readers[key]


@contextlib.contextmanager
def _errors_of_file(clip: Readable) -> Iterator[None]:
    """Raise what an open file has raised inside the block, and decoders didn't."""
    try:
        yield
    except AudioError:  # perhaps of a decoder that took it for the file's end
        if isinstance(clip, FileClip):
            clip.raise_failure()
        raise
    if isinstance(clip, FileClip):
        clip.raise_failure()


def _read_at_rate(
    reader: Reader, sample_rate: int, start: int, stop: int
) -> tuple[np.ndarray, int]:
    """Read `start` to `stop`, which count samples at `sample_rate`.

    Returns
    -------
    samples : ndarray of shape (n_samples,)
        Shorter than asked for when the file ends early.

    end : int
        Where the file ended, in its own samples; -1 when all that was asked for
        was there.
    """
    if sample_rate == reader.sample_rate:
        samples = reader.read(start, stop)
        return samples, start + len(samples) if len(samples) < stop - start else -1
    divisor = math.gcd(sample_rate, reader.sample_rate)
    up, down = sample_rate // divisor, reader.sample_rate // divisor
    reach = -(-_FILTER_REACH * up // min(up, down))
    # Sample i * up of the result is sample i * down of the file: only there can a
    # part begin that has the same phase as the whole.
    grid = _HALVING_GRID if (up, down) == (1, 2) else up
    begin = max(0, start - reach) // grid * grid
    if begin < sample_rate:
        begin = 0  # a second more to decode, for the same rounding as the whole's
    file_start = begin // up * down
    file_stop = min(reader.n_samples, -(-(stop + reach) * down // up))
    samples = reader.read(file_start, file_stop)
    n_read = len(samples)
    if n_read:
        samples = soxr.resample(samples, reader.sample_rate, sample_rate, quality="HQ")
    samples = samples[start - begin : stop - begin]
    return samples, file_start + n_read if n_read < file_stop - file_start else -1


def _fill(samples: np.ndarray, before: int, n_samples: int) -> np.ndarray:
    """Put `samples` into zeros of length `n_samples`, after `before` of them."""
    if len(samples) == n_samples:
        return samples
    filled = np.zeros(n_samples, dtype=np.float32)
    filled[before : before + len(samples)] = samples
    return filled


def read_samples(
    clip: Clip,
    sample_rate: int | None,
    choose: Callable[[int, int], tuple[int, int]],
) -> np.ndarray:
    """Read the part of a clip that is chosen once its length is known.

    Parameters
    ----------
    clip : Clip
        A sound file or its URL, an open file, a waveform with its rate, or an array of
        shape (n_samples,) that already is at `sample_rate`.

    sample_rate : int or None
        Samples a second of the result; None keeps the clip's own, which an array
        lacks.

    choose : callable
        Gets the clip's length in samples at `sample_rate` and the sample rate, and
        returns the range (start, stop) to read. What lies outside the clip is
        filled with zeros.

    Returns
    -------
    samples : ndarray of shape (stop - start,), float32
        Mono waveform.

    Raises
    ------
    AudioError
        If the clip can't be read.
    """
    if isinstance(clip, np.ndarray):
        assert sample_rate is not None
        start, stop = choose(len(clip), sample_rate)
        inside = clip[max(0, start) : max(0, stop)]
        _note_waveform(clip, sample_rate, peak(inside))
        return _fill(inside, max(0, -start), stop - start)
    with open_shared(clip) as reader:
        rate = sample_rate or reader.sample_rate
        for _ in range(3):
            n_before = reader.n_samples
            if n_before < 1:
                raise _no_samples(clip)
            n_samples = -(-n_before * rate // reader.sample_rate)
            start, stop = choose(n_samples, rate)
            first, last = max(0, start), min(n_samples, stop)
            if first >= last:
                return np.zeros(stop - start, dtype=np.float32)
            samples, end = _read_at_rate(reader, rate, first, last)
            if end >= 0:  # a truncated file, whose header promises more
                reader.n_samples = end if len(samples) else reader.count()
            if reader.n_samples == n_before:
                break
            # Choose again, now with the length that it has.
        _check_finite(samples, clip)
        _note_reading(clip, reader, len(samples) / rate, peak(samples))
    return _fill(samples, first - start, stop - start)


def _note_waveform(waveform: np.ndarray, sample_rate: int, highest: float) -> None:
    seconds = len(waveform) / sample_rate
    note(Reading(seconds, 0.0, seconds, highest))


def _note_reading(
    clip: Readable, reader: Reader, seconds: float, highest: float
) -> None:
    """Note how much of a file was read; raise an error if it is too little."""
    rate = reader.sample_rate
    length, lost = reader.n_samples / rate, reader.n_lost / rate
    if (promised := reader.n_promised / rate) > length + _TOLERANCE:
        # A header that lies may promise any length.
        believed = max(length, min(promised, 8 * reader.n_bytes / _LEAST_BIT_RATE))
    else:
        promised = believed = length
    if (decoded := length - lost) < LEAST_SHARE * believed:
        raise AudioError(
            clip_name(clip),
            f"only {decoded:.2f} of its {promised:.2f} s can be decoded",
            "The file is damaged: replace it or leave it out.",
        )
    lost += promised - length
    note(Reading(max(0.0, seconds - reader.n_lost / rate), lost, promised, highest))


def _no_samples(clip: Readable) -> AudioError:
    name = clip_name(clip)
    return AudioError(name, "it holds no samples", "Replace it or leave it out.")


def _check_finite(samples: np.ndarray, clip: Readable) -> None:
    # One sum is quicker than a look at each sample, and enough for most clips.
    with np.errstate(over="ignore", invalid="ignore"):
        is_finite = np.isfinite(samples.sum())
    if not is_finite and not np.isfinite(samples).all():
        raise AudioError(
            clip_name(clip),
            "it holds NaN or infinite samples",
            "Replace it or leave it out.",
        )


def read_blocks(clip: Clip, sample_rate: int) -> Generator[np.ndarray]:
    """Yield the samples of a whole clip, of any length, some at a time.

    Parameters
    ----------
    clip : Clip
        A sound file or its URL, an open file, a waveform with its rate, or an array of
        shape (n_samples,) that already is at `sample_rate`.

    sample_rate : int
        Samples a second of the result.

    Yields
    ------
    samples : ndarray of shape (n,), float32
        Together the same, to the last bit, as `read_samples` returns of the whole clip.

    Raises
    ------
    AudioError
        If the clip can't be read.
    """
    if isinstance(clip, np.ndarray):
        _note_waveform(clip, sample_rate, peak(clip))
        yield from _slices(clip)
        return
    with open_shared(clip) as reader:
        if reader.n_samples < 1:
            raise _no_samples(clip)
        stream = None
        if reader.sample_rate != sample_rate:
            stream = soxr.ResampleStream(
                reader.sample_rate, sample_rate, 1, dtype="float32", quality="HQ"
            )
        n_read = n_samples = 0
        highest = 0.0
        for samples in _all_blocks(reader):
            n_read += len(samples)
            if stream is not None:
                samples = np.concatenate(
                    [
                        stream.resample_chunk(samples[start : start + _RESAMPLED])
                        for start in range(0, len(samples), _RESAMPLED)
                    ]
                )
            n_samples += len(samples)
            _check_finite(samples, clip)
            highest = max(highest, peak(samples))
            yield samples
        if not n_read:
            raise _no_samples(clip)
        reader.n_samples = n_read
        _note_reading(clip, reader, n_read / reader.sample_rate, highest)
        if stream is not None:
            n_wanted = -(-n_read * sample_rate // reader.sample_rate)
            samples = stream.resample_chunk(np.empty(0, np.float32), last=True)
            _check_finite(samples, clip)
            yield _fill(samples[: n_wanted - n_samples], 0, n_wanted - n_samples)


def _all_blocks(reader: Reader) -> Iterator[np.ndarray]:
    """Yield the blocks of a file, which may turn out longer than its header says."""
    n_read, n_before = 0, -1
    while n_before < n_read < reader.n_samples:
        n_before = n_read
        for samples in filter(len, reader.blocks(n_read, reader.n_samples)):
            n_read += len(samples)
            yield samples
