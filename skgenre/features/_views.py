"""Views of the power in mel bands: harmonic and percussive."""

import functools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

# Medians over so many frames leave tones, over so many bands strokes.
N_FRAMES = 31
N_BANDS = 17
# Values worked on together: what the medians need of them fits into the second cache.
_BLOCK = 1 << 15
_MAX = np.finfo(np.float32).max


def separate_views(
    parts: Sequence[tuple[NDArray, float]], views: Sequence[str]
) -> Iterator[list[NDArray]]:
    """Yield the power of each view in consecutive parts of a clip.

    Medians over frames and over bands of the power, H and P, give the share that is
    harmonic, H² / (H² + P²); the rest is percussive [1]_ [2]_. Where the medians reach
    beyond the clip, it is mirrored.

    Parameters
    ----------
    parts : sequence of tuple
        Power of shape (n_frames, n_mels), float32, and the decibels to add to it. All
        but the last are of 31 frames or more.

    views : sequence of {'mix', 'harmonic', 'percussive'}
        Which views, in which order.

    Yields
    ------
    list of ndarray of shape (n_frames, n_mels), float32
        A part's views, together the same as if the clip came in one part.

    References
    ----------
    .. [1] D. FitzGerald, "Harmonic/percussive separation using median filtering",
       DAFx 2010.
    .. [2] J. Driedger, M. Müller, S. Disch, "Extending harmonic-percussive separation
       of audio signals", ISMIR 2014.
    """
    n_around = N_FRAMES // 2
    for i, (power, gain) in enumerate(parts):
        before = [_with_gain(*part, gain)[-n_around:] for part in parts[:i][-1:]]
        after = [_with_gain(*part, gain)[:n_around] for part in parts[i + 1 :][:1]]
        around = np.concatenate([*before, power, *after])
        first = sum(map(len, before))
        sustained = median_filter(around, N_FRAMES)[first : first + len(power)]
        struck = median_filter(np.ascontiguousarray(power.T), N_BANDS).T
        with np.errstate(all="ignore"):
            odds = struck / sustained
            odds *= odds
            odds[np.isnan(odds)] = 1  # both medians are 0
            of = {
                "mix": power,
                "harmonic": power / (1 + odds),
                "percussive": power / (1 + 1 / odds),
            }
        yield [of[view] for view in views]


def _with_gain(power: NDArray, gain: float, wanted: float) -> NDArray:
    """Return power to which other decibels are to be added, but as large as before."""
    if gain == wanted:
        return power
    scaled = power * np.float64(10 ** ((gain - wanted) / 10))
    return np.minimum(scaled, _MAX).astype(np.float32)


def median_filter(x: NDArray, width: int) -> NDArray:
    """Return the median of each value and its neighbours along the first axis.

    The same as ``scipy.ndimage.median_filter(x, (width, 1))``, of this shape ten times
    as fast. The medians of two neighbours have all but two of their values in common.
    These are sorted by merging, half of them at a time [1]_, for all places at once;
    the two in their middle then bound the medians.

    Parameters
    ----------
    x : ndarray of shape (n, m)
        Finite; beyond its ends it is mirrored.

    width : int
        Odd, at least 5: values that a median is over.

    Returns
    -------
    ndarray of shape (n, m)

    References
    ----------
    .. [1] K. E. Batcher, "Sorting networks and their applications", AFIPS 1968.
    """
    half, n_odd = width // 2, len(x) % 2
    padded = np.pad(x, ((half, half + n_odd), (0, 0)), mode="symmetric")
    medians = np.empty((len(x) + n_odd, x.shape[1]), x.dtype)
    n_columns = max(1, _BLOCK // len(padded))
    for first in range(0, x.shape[1], n_columns):
        columns = slice(first, first + n_columns)
        _medians(np.ascontiguousarray(padded[:, columns]), width, medians[:, columns])
    return medians[: len(x)]


def _medians(x: NDArray, width: int, medians: NDArray) -> None:
    """Fill in the medians of all windows of rows, of which there is an even number."""
    n_both, n_pairs = len(medians) // 2, width // 2
    n_first = n_pairs - n_pairs // 2
    # Row i of these has the values that windows 2i and 2i + 1 have in common.
    pairs = _merged([x[1:-1:2]], [x[2::2]])
    first = _sorted_pairs(n_first, {1: pairs})
    rest = _sorted_pairs(n_pairs - n_first, {1: pairs})
    low = [values[:n_both] for values in first]
    high = [values[n_first : n_first + n_both] for values in rest]
    lower, upper = (_smallest(k, low, high) for k in (n_pairs, n_pairs + 1))
    for i, start in enumerate((0, width)):
        bounded = np.maximum(x[start : start + 2 * n_both : 2], lower)
        np.minimum(bounded, upper, out=medians[i::2])


def _sorted_pairs(n: int, known: dict[int, list[NDArray]]) -> list[NDArray]:
    """Return in order the 2n values of each n consecutive pairs, of which 1 is known.

    Each is an array of the smallest, the second smallest and so on of all places.
    """
    if n not in known:
        n_first = 1 << ((n - 1).bit_length() - 1)
        rest = [values[n_first:] for values in _sorted_pairs(n - n_first, known)]
        first = _sorted_pairs(n_first, known)
        n_places = len(rest[0])
        known[n] = _merged([values[:n_places] for values in first], rest)
    return known[n]


def _merged(a: list[NDArray], b: list[NDArray]) -> list[NDArray]:
    """Merge sorted values by Batcher's network, elementwise."""
    if not a or not b:
        return a or b
    if len(a) == len(b) == 1:
        return [np.minimum(a[0], b[0]), np.maximum(a[0], b[0])]
    first, second = _merged(a[::2], b[::2]), _merged(a[1::2], b[1::2])
    compared = [
        extreme(x, y)
        for x, y in zip(second, first[1:], strict=False)
        for extreme in (np.minimum, np.maximum)
    ]
    n = len(compared) // 2
    return [first[0], *compared, *second[n:], *first[1 + n :]]


def _smallest(k: int, a: list[NDArray], b: list[NDArray]) -> NDArray:
    """Return the k-th smallest of sorted values a and sorted values b, elementwise.

    Of i of the one and k - i of the other, the largest, at its least over all i.
    """
    largest = (
        functools.reduce(np.maximum, a[:i][-1:] + b[: k - i][-1:])
        for i in range(max(0, k - len(b)), min(k, len(a)) + 1)
    )
    return functools.reduce(np.minimum, largest)
