"""Sound file to waveform: open once, learn the length, read what is wanted of it."""

import contextlib
import math
import os
import warnings
from collections.abc import Callable, Generator, Iterator
from contextvars import ContextVar
from numbers import Integral, Real
from typing import BinaryIO

import numpy as np
import soxr

from skgenre._sklearn_compat import Interval, validate_params
from skgenre._text import printable, shorten
from skgenre.audio._check_clips import as_clip, is_clip
from skgenre.audio._clip import Clip, FileClip, Readable, Waveform, clip_name
from skgenre.audio._decoders._interface import BLOCK, Reader
from skgenre.audio._errors import AudioError
from skgenre.audio._readers import MAX_SAMPLE_RATE, decoding_errors, open_audio
from skgenre.audio._reading import LEAST_SHARE, Reading, note, observe, peak

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
        with decoding_errors(clip_name(clip)):
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
        Samples a second of the result; None keeps the file's own.

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
        start, stop = choose(len(clip), sample_rate or 0)
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


def _note_waveform(
    waveform: np.ndarray, sample_rate: int | None, highest: float
) -> None:
    seconds = len(waveform) / (sample_rate or math.nan)
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


@validate_params(
    {
        "path": "no_validation",
        "sample_rate": [Interval(Integral, 1, MAX_SAMPLE_RATE, closed="both"), None],
        "offset": [Interval(Real, 0, None, closed="left")],
        "duration": [Interval(Real, 0, None, closed="neither"), None],
    },
    prefer_skip_nested_validation=True,
)
def load_audio(
    path: str | bytes | os.PathLike | BinaryIO | Waveform,
    sample_rate: int | None = 22050,
    offset: float = 0.0,
    duration: float | None = None,
) -> np.ndarray:
    """Load a sound file as a mono waveform.

    Parameters
    ----------
    path : str, bytes, os.PathLike, binary file or Waveform
        The file: WAV, FLAC, OGG, Opus, MP3, AIFF, AU, M4A, AAC, WMA, a video and
        others. A str that begins with a protocol, such as ``s3://`` or ``https://``,
        is a URL, which fsspec fetches (``pip install "skgenre[remote]"``). A binary
        file object, such as an upload or ``io.BytesIO(data)``, is read from its
        beginning, and its position stays as it is. A `Waveform` or a pair
        ``(samples, sample_rate)`` is treated as a file of these samples.

    sample_rate : int or None, default=22050
        Samples a second of the result; the file is resampled to it. None keeps the
        file's own rate, which ``soundfile.info(path).samplerate`` returns.

    offset : float, default=0.0
        Where to begin, in seconds.

    duration : float or None, default=None
        How much to load, in seconds; less is returned if the file ends before.
        None loads everything from `offset` on.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32
        Mean of all channels, in the range -1 to 1 (floating-point files may exceed
        it).

    Raises
    ------
    AudioError
        If the file is missing, empty or not audio, if less than a tenth of it can be
        decoded, if it ends before `offset`, or if it holds NaN or infinite samples; if
        a URL's store refuses it or fails.

    ValueError
        If a parameter is outside its range.

    TypeError
        If `path` is none of these.

    ImportError
        If `path` is a URL and fsspec, or the package of its protocol, is missing.

    Warns
    -----
    UserWarning
        If the file is damaged or truncated, and so a part of it is lost.

    See Also
    --------
    skgenre.features.MelSpectrogramTransformer : Takes paths and loads them itself.

    Notes
    -----
    Only the wanted part of a local file is read; a remote one is fetched as a whole,
    into a temporary file that is deleted at once. Parts are resampled with what is
    around them, so that they equal the same part of the whole file.

    Packets that don't decode are skipped. Silence takes their place where the file's
    timestamps show how long they were, so that the rest stays where it is in time.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import soundfile
    >>> from skgenre.audio import load_audio
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "tone.flac")
    ...     soundfile.write(path, tone, 44100)
    ...     whole = load_audio(path)
    ...     part = load_audio(path, offset=0.5, duration=0.1)
    >>> whole.shape, whole.dtype
    ((22050,), dtype('float32'))
    >>> part.shape
    (2205,)
    """
    if not is_clip(path):
        raise TypeError(
            "The 'path' parameter of load_audio must be a path, a URL, a binary file "
            f"or (samples, sample_rate). Got {type(path).__name__} instead."
        )
    clip = as_clip(path, "The file")

    def choose(n_samples: int, rate: int) -> tuple[int, int]:
        # min() before int(), which refuses infinity.
        start = int(round(min(offset * rate, n_samples)))
        if start >= n_samples:
            raise AudioError(
                clip_name(clip),
                f"it ends at {n_samples / rate:.2f} s, before offset={offset:g} s",
                "Choose a smaller offset.",
            )
        if duration is None:
            return start, n_samples
        length = max(1, int(round(min(duration * rate, n_samples))))
        return start, min(n_samples, start + length)

    with observe() as reading:
        waveform = read_samples(clip, sample_rate, choose)
    if reading.lost > 0:
        name = shorten(repr(printable(os.fsdecode(clip_name(clip)))), 80)
        warnings.warn(
            f"{name} is damaged: {reading.lost:.2f} of {reading.duration:.2f} s are "
            "lost.",
            stacklevel=3,  # behind the check of the parameters
        )
    return waveform
