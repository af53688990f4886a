"""Why a song has its genre to a network: what of its spectrogram speaks for it."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skgenre._warnings import ignored_warnings
from skgenre.audio import Waveform
from skgenre.classifiers import BaseGenreClassifier
from skgenre.explore._media import LONGEST, N_MELS, RATE, Load, picture
from skgenre.features import MelSpectrogramTransformer
from skgenre.features._mel_filters import hz_to_mel, mel_to_hz

# Loudnesses at which gradients are taken; a picture for the eye needs no more.
_N_STEPS = 8
_SMOOTHNESS = 2.0
_DEPTH = 60.0
_N_FFT = 2048
_PEAK = 0.9


class Salience(NamedTuple):
    """What speaks for a song's genre, in each frame and mel band."""

    genre: int
    """Its number among those of the model."""
    probability: float
    weights: NDArray
    """Of shape (n_frames, n_mels), from 0 to 1, which speaks for it most."""
    mel: MelSpectrogramTransformer
    """The step that made the frames and bands."""

    def shown(self) -> dict[str, Any]:
        """Return a picture with the bands of the page's spectrograms.

        Of the roots of the weights, by which the loudness is turned down in `sound`.
        """
        first, step = _bands(0.0, RATE / 2, N_MELS)
        hertz = mel_to_hz(first + step * np.arange(N_MELS))
        frames = np.arange(len(self.weights))
        seconds = len(self.weights) * self.mel.hop_length / self.mel.sample_rate
        found = picture(np.sqrt(self._at(frames, hertz)) - 1, 1.0)
        return {"salience": found | {"seconds": seconds}}

    def sound(self, path: str, load: Load) -> tuple[NDArray, int]:
        """Return the song with the rest turned down, and its sample rate."""
        from scipy.signal import istft, stft

        rate = int(self.mel.sample_rate)
        wave = load(path, sample_rate=rate, duration=LONGEST)
        sizes = {"fs": rate, "nperseg": _N_FFT, "noverlap": _N_FFT // 2}
        hertz, seconds, spectrum = stft(wave, **sizes)
        weights = self._at(seconds * rate / self.mel.hop_length, hertz).T
        decibels = _DEPTH * (np.sqrt(weights) - 1)
        _, sound = istft(spectrum * 10 ** (decibels / 20), **sizes)
        sound = sound[: len(wave)].astype(np.float32)
        return sound * (_PEAK / (np.abs(sound).max(initial=0) or 1)), rate

    def _at(self, frames: NDArray, hertz: NDArray) -> NDArray:
        """Return the weights at some places in time and in pitch."""
        mel = self.mel
        top = mel.sample_rate / 2 if mel.fmax is None else mel.fmax
        first, step = _bands(mel.fmin, top, mel.n_mels)
        bands = (hz_to_mel(hertz) - first) / step
        return _interpolated(_interpolated(self.weights.T, bands).T, frames)


def _bands(low: float, high: float, n_mels: int) -> tuple[float, float]:
    """Return the middle of the lowest mel band and the distance to the next, in mel."""
    ends = hz_to_mel(np.array([low, high]))
    step = float(ends[1] - ends[0]) / (n_mels + 1)
    return float(ends[0]) + step, step


def _interpolated(values: NDArray, rows: NDArray) -> NDArray:
    """Return rows between those of an array; beyond its ends, its first and last."""
    rows = np.clip(rows, 0, len(values) - 1)
    below = rows.astype(int)
    share = (rows - below).astype(np.float32)[:, np.newaxis]
    above = np.minimum(below + 1, len(values) - 1)
    found: NDArray = values[below] * (1 - share) + values[above] * share
    return found


def explain_by_network(
    predict_proba: Any,
    network: BaseGenreClassifier,
    mel: MelSpectrogramTransformer,
    path: str,
    load: Load,
) -> Salience:
    """Return how much each part of a song speaks for its most probable genre.

    Of one window after the other, of the length that the network takes; see
    :func:`~skgenre.inspection.saliency`. TensorFlow is loaded.

    Parameters
    ----------
    predict_proba : callable
        Of the model.
    network : BaseGenreClassifier
        In it.
    mel : MelSpectrogramTransformer
        In front of the network.
    path : str
        The song.
    load : callable
        Reads it.

    Raises
    ------
    AudioError
        If the song can't be read.
    """
    from scipy.ndimage import gaussian_filter

    from skgenre.inspection._filters._saliency import contributions

    proba = predict_proba([path])[0]
    genre = int(proba.argmax())
    wave = load(path, sample_rate=mel.sample_rate, duration=LONGEST)
    whole = clone(mel).set_params(n_frames=None, cache_dir=None)
    with ignored_warnings():  # of silence
        (spectrogram,) = whole.transform([Waveform(wave, mel.sample_rate)])
    length = network.network_parameters_["input_shape"][0]
    n_windows = -(-len(spectrogram) // length)
    padded = np.full(
        (n_windows * length, spectrogram.shape[1]), -mel.top_db, np.float32
    )
    padded[: len(spectrogram)] = spectrogram
    windows = padded.reshape(n_windows, length, -1)
    parts = contributions(network, windows, np.full(n_windows, genre), _N_STEPS)
    song = parts.reshape(padded.shape)[: len(spectrogram)]
    views = np.split(song, len(mel.views), axis=1)
    smooth = gaussian_filter(np.sum(views, axis=0), _SMOOTHNESS, mode="nearest")
    positive = np.maximum(smooth, 0)
    # The loudest thousandth would leave the rest in the dark.
    most = np.quantile(positive, 0.999) or positive.max() or 1
    return Salience(genre, float(proba[genre]), np.minimum(positive / most, 1), mel)
