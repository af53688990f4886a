"""Why a song has its genre: the octaves without which it would have it less."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from skgenre.audio import Waveform
from skgenre.explore._media import LONGEST, RATE, Load
from skgenre.features._mel_filters import hz_to_mel

_SECONDS = 30.0
# Octaves, and what is above them.
_EDGES = (0, 100, 200, 400, 800, 1600, 3200, 6400, RATE / 2)
_LEAST = 1e-6
_WORTH_HEARING = 0.4


class Why(NamedTuple):
    """What speaks for a song's genre."""

    genre: int
    """Its number among those of the model."""
    probability: float
    weights: NDArray
    """Of each band, from 0 to 1; 1 is the one whose absence lowers it most."""

    def shown(self) -> dict[str, Any]:
        """Return the bands, the lowest first, and their places in a mel spectrogram."""
        heights = hz_to_mel(np.array(_EDGES, float))
        heights /= heights[-1]
        bands = [
            {
                "low": float(low),
                "high": float(high),
                "from": round(float(bottom), 4),
                "to": round(float(top), 4),
                "weight": round(float(weight), 4),
                "is_kept": bool(weight >= _WORTH_HEARING),
            }
            for low, high, bottom, top, weight in zip(
                *(_EDGES[:-1], _EDGES[1:], heights[:-1], heights[1:], self.weights),
                strict=True,
            )
        ]
        return {"bands": bands}

    def sound(self, path: str, load: Load) -> tuple[NDArray, int]:
        """Return a song with nothing but the bands that matter, and its sample rate."""
        wave = load(path, sample_rate=RATE, duration=LONGEST)
        return _with_bands(wave, self.weights >= _WORTH_HEARING), RATE


def explain(predict_proba: Callable[[Any], NDArray], path: str, load: Load) -> Why:
    """Return how much each octave of a song speaks for its most probable genre.

    One octave after the other is taken out of 30 s of its middle, and the model
    predicts what is left (occlusion [1]_, for any model of sounds).

    Parameters
    ----------
    predict_proba : callable
        Of the model.
    path : str
        The song.
    load : callable
        Reads it.

    Raises
    ------
    AudioError
        If the song can't be read.

    References
    ----------
    .. [1] M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional
       Networks", ECCV 2014, section 4.2.
    """
    wave = load(path, sample_rate=RATE, duration=LONGEST)
    start = max(0, (len(wave) - int(_SECONDS * RATE)) // 2)
    wave = wave[start : start + int(_SECONDS * RATE)]
    bands = np.eye(len(_EDGES) - 1, dtype=bool)
    clips = [wave, *(_with_bands(wave, ~band) for band in bands)]
    proba = predict_proba([Waveform(clip, RATE) for clip in clips])
    genre = int(proba[0].argmax())
    # Without its only octave, a song is silent, of which a model may say nothing.
    without = np.nan_to_num(proba[1:, genre], nan=_LEAST)
    logarithms = np.log(np.maximum([proba[0, genre], *without], _LEAST))
    lost = np.maximum(logarithms[0] - logarithms[1:], 0)
    return Why(genre, float(proba[0, genre]), lost / (lost.max() or 1))


def _with_bands(wave: NDArray, is_kept: NDArray) -> NDArray:
    n = scipy.fft.next_fast_len(len(wave), real=True)
    spectrum = scipy.fft.rfft(wave, n)
    hertz = scipy.fft.rfftfreq(n, 1 / RATE)
    band = np.clip(
        np.searchsorted(_EDGES, hertz, side="right") - 1, 0, len(is_kept) - 1
    )
    spectrum[~is_kept[band]] = 0
    kept: NDArray = scipy.fft.irfft(spectrum, n)[: len(wave)].astype(np.float32)
    return kept
