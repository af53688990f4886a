"""Sound from spectrograms."""

import os
from inspect import signature
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_random_state

from skgenre._files import check_writable
from skgenre._install import require
from skgenre._sklearn_compat import Interval, validate_params
from skgenre.features import MelSpectrogramTransformer
from skgenre.features._mel_filters import mel_filter_bank

_PEAK = 0.9
_ENDINGS = ".wav", ".flac"
# Multiplicative updates; with more of them, music comes no closer.
_N_UPDATES = 20


@validate_params(
    {
        "mel": [MelSpectrogramTransformer, None],
        "path": [str, os.PathLike, None],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def sonify(
    spectrogram: ArrayLike,
    mel: MelSpectrogramTransformer | None = None,
    *,
    path: str | os.PathLike | None = None,
    n_iter: int = 32,
    random_state: int | np.random.RandomState | None = None,
) -> NDArray:
    """Return a waveform that has a given mel spectrogram.

    Parameters
    ----------
    spectrogram : array-like of shape (n_frames, n_mels)
        In dB: that of a clip, one that activates a filter most, a clip weighted by its
        saliency, or a mean of clips. Values at or below the floor, ``-mel.top_db``, are
        silent.
    mel : MelSpectrogramTransformer, default=None
        Mel step that made the spectrogram, for its sample rate, frames and bands,
        fitted or not; None is one with the defaults.
    path : str or os.PathLike, default=None
        Sound file to write, in the format of its ending, .wav or .flac; an existing
        file is overwritten.
    n_iter : int, default=32
        Iterations of the Griffin-Lim algorithm.
    random_state : int, RandomState instance or None, default=None
        Decides the phases that the algorithm starts from.

    Returns
    -------
    ndarray of shape (n_samples,), float32
        Waveform with a peak of 0.9, at the sample rate of `mel`; zeros for silence.
        ``n_samples`` is ``(n_frames - 1) * hop_length``, and one more where `n_fft` is
        odd: the mel step turns it into `n_frames` frames again.

    Raises
    ------
    ValueError
        If the spectrogram has fewer than 2 frames, another number of bands than `mel`
        makes, or values that are not finite, or `path` has another ending.
    OSError
        If `path` can't be written to.

    See Also
    --------
    maximize_activation : Spectrograms that activate filters and genres most.
    saliency : Parts of a clip that speak for a genre.

    Notes
    -----
    A mel spectrogram has neither phases nor the detail within a band. A power spectrum
    with these mel bands is found by multiplicative updates [1]_, which come nearer to
    quiet bands than non-negative least squares; phases are found by the Griffin-Lim
    algorithm [2]_. The loudness relative to other clips is lost.

    Measured on 4 clips of real music, 640 frames x 128 bands: passed through the mel
    step again, the sound differs by 0.1 to 0.3 dB, on average, where the clip is above
    -40 dB. Spectrograms that no sound has, such as those of `maximize_activation`, are
    matched less closely.

    References
    ----------
    .. [1] D. Lee, H. S. Seung, "Algorithms for non-negative matrix factorization",
       NIPS 2000.
    .. [2] D. Griffin, J. Lim, "Signal estimation from modified short-time Fourier
       transform", IEEE Transactions on Acoustics, Speech, and Signal Processing, 1984.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import MelSpectrogramTransformer
    >>> from skgenre.inspection import sonify
    >>> mel = MelSpectrogramTransformer(n_frames=40)
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(40 * 1024) / 22050)
    >>> (spectrogram,) = mel.fit_transform([tone])
    >>> sound = sonify(spectrogram, mel, random_state=0)
    >>> sound.shape, sound.dtype
    ((39936,), dtype('float32'))
    >>> (again,) = mel.transform([sound])
    >>> bool(abs(again - spectrogram)[5:-5][spectrogram[5:-5] > -40].mean() < 1)
    True
    """
    mel = MelSpectrogramTransformer() if mel is None else mel
    mel._check_parameters()
    decibels = check_array(
        spectrogram, dtype=np.float64, ensure_min_samples=2, input_name="spectrogram"
    )
    if decibels.shape[1] != mel.n_mels:
        raise ValueError(
            "The spectrogram must have shape (n_frames, n_mels), with the "
            f"{mel.n_mels} bands that mel makes. Got shape {decibels.shape}: set "
            "n_mels in mel, or transpose the spectrogram."
        )
    if path is not None:
        _check_path(path)
    power = np.where(
        decibels > -mel.top_db, 10 ** ((decibels - decibels.max()) / 10), 0
    )
    if power.any():
        sound = _griffin_lim(_spectrum(power, mel), mel, n_iter, random_state)
        sound *= _PEAK / (np.abs(sound).max() or 1)
    else:
        sound = np.zeros(_n_samples(len(decibels), mel), np.float32)
    if path is not None:
        import soundfile

        soundfile.write(os.fspath(path), sound, mel.sample_rate)
    return sound


def _check_path(path: str | os.PathLike) -> None:
    """Refuse a path that can't be written, before the work starts."""
    name = os.fspath(path)
    if os.path.splitext(name)[1].lower() not in _ENDINGS:
        raise ValueError(f"path={name!r} must end in one of {', '.join(_ENDINGS)}.")
    check_writable(path)


def _n_samples(n_frames: int, mel: MelSpectrogramTransformer) -> int:
    return (n_frames - 1) * mel.hop_length + mel.n_fft % 2


def _spectrum(power: NDArray, mel: MelSpectrogramTransformer) -> NDArray:
    """Return a power spectrum, (n_frames, n_bins), that has these mel bands."""
    from sklearn.decomposition import non_negative_factorization

    bank = mel_filter_bank(
        sample_rate=mel.sample_rate,
        n_fft=mel.n_fft,
        n_mels=mel.n_mels,
        fmin=mel.fmin,
        fmax=mel.sample_rate / 2 if mel.fmax is None else mel.fmax,
    )
    spectrum, _, _ = non_negative_factorization(
        power,
        H=np.ascontiguousarray(bank.T, dtype=power.dtype),
        n_components=bank.shape[1],
        init="custom",
        update_H=False,
        solver="mu",
        beta_loss="kullback-leibler",
        max_iter=_N_UPDATES,
        tol=0,
    )
    return spectrum


def _griffin_lim(
    spectrum: NDArray,
    mel: MelSpectrogramTransformer,
    n_iter: int,
    random_state: int | np.random.RandomState | None,
) -> NDArray:
    require("librosa")
    import librosa

    seed = check_random_state(random_state).randint(2**31 - 1)
    # librosa 1.0 renames `random_state` to `rng`; 1.2 knows the new name only.
    takes_rng = "rng" in signature(librosa.griffinlim).parameters
    name = "rng" if takes_rng else "random_state"
    rng: dict[str, Any] = {name: np.random.default_rng(seed)}
    return librosa.griffinlim(
        np.sqrt(spectrum.T).astype(np.float32),
        n_iter=n_iter,
        hop_length=mel.hop_length,
        n_fft=mel.n_fft,
        length=_n_samples(len(spectrum), mel),
        pad_mode="constant",  # as the mel step: silence around the clip
        **rng,
    )
