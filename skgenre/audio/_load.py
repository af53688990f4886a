"""Sound file to waveform: `load_audio`."""

import os
import warnings
from numbers import Integral, Real
from typing import BinaryIO

import numpy as np

from skgenre._sklearn_compat import Interval, validate_params
from skgenre._text import printable, shorten
from skgenre.audio._check_clips import as_clip, is_clip
from skgenre.audio._clip import Waveform, clip_name
from skgenre.audio._errors import AudioError
from skgenre.audio._readers import MAX_SAMPLE_RATE
from skgenre.audio._reading import observe, read_samples


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
