"""Plot of a spectrogram."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils import check_array

from skgenre._estimators import describe_estimator
from skgenre._install import require
from skgenre.inspection._fitted_parts import mel_step

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.axes import Axes


class SpectrogramDisplay:
    """Plot of a mel spectrogram: seconds, mel-spaced hertz, decibels.

    Make it by `from_estimator` from a clip, or from a given spectrogram.

    Parameters
    ----------
    spectrogram : array-like of shape (n_frames, n_mels)
        Decibels.
    sample_rate : float, default=22050
        Hertz, at which the spectrogram was made.
    hop_length : int, default=1024
        Samples between frames.
    fmin : float, default=0.0
        Lowest frequency of the mel bands, in hertz.
    fmax : float or None, default=None
        Highest frequency of the mel bands; None is half the sample rate.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the spectrogram is.
    figure_ : matplotlib Figure
        Figure that holds it.
    colorbar_ : matplotlib Colorbar or None
        Scale of the decibels.

    See Also
    --------
    skgenre.MelSpectrogramTransformer : Makes spectrograms.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import MelSpectrogramTransformer
    >>> from skgenre.inspection import SpectrogramDisplay
    >>> seconds = np.arange(3 * 22050) / 22050
    >>> sweep = np.sin(2 * np.pi * 200 * seconds**2)
    >>> display = SpectrogramDisplay.from_estimator(
    ...     MelSpectrogramTransformer(n_frames=64), sweep
    ... )
    >>> display.ax_.get_ylabel()
    'Hz (mel scale)'
    """

    def __init__(
        self,
        spectrogram: ArrayLike,
        *,
        sample_rate: float = 22050,
        hop_length: int = 1024,
        fmin: float = 0.0,
        fmax: float | None = None,
    ) -> None:
        self.spectrogram = spectrogram
        self.sample_rate = sample_rate
        self.hop_length = hop_length
        self.fmin = fmin
        self.fmax = fmax

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        clip: "str | PathLike | ArrayLike",
        *,
        ax: "Axes | None" = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the spectrogram that the mel step computes from one clip.

        Of several views, the mix is drawn, or else the first.

        Parameters
        ----------
        estimator : MelSpectrogramTransformer or Pipeline
            Mel step, fitted or not, or a Pipeline with one.
        clip : str, PathLike, binary file, Waveform or array-like of shape (n_samples,)
            Anything that the step takes as a clip: a file, a waveform with its rate, or
            a bare one at the step's `sample_rate`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed on to `plot`.

        Returns
        -------
        SpectrogramDisplay

        Raises
        ------
        ValueError
            If the estimator is no mel step and contains none.
        """
        mel = mel_step(estimator)
        if mel is None:
            raise ValueError(
                f"{cls.__name__} needs a MelSpectrogramTransformer, or a Pipeline with "
                f"one, got {describe_estimator(estimator)}."
            )
        (spectrogram,) = clone(mel).fit_transform([clip])
        display = cls(
            drawn_view(spectrogram, mel.views),
            sample_rate=mel.sample_rate,
            hop_length=mel.hop_length,
            fmin=mel.fmin,
            fmax=mel.fmax,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(
        self, *, ax: "Axes | None" = None, colorbar: bool = True, **kwargs: Any
    ) -> Self:
        """Draw the spectrogram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        colorbar : bool, default=True
            Whether to add the scale of the decibels.
        **kwargs : dict
            Passed on to `librosa.display.specshow` (``cmap``, ``vmin``, ...).

        Returns
        -------
        SpectrogramDisplay
        """
        require("librosa", "matplotlib")
        import librosa.display
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(8, 4), layout="constrained")
        decibels = check_array(self.spectrogram, input_name="spectrogram").T
        fmax = self.sample_rate / 2 if self.fmax is None else self.fmax
        # Centres of the bands; librosa's axis takes them from `fmin` to `fmax`.
        centers = librosa.mel_frequencies(len(decibels) + 2, fmin=self.fmin, fmax=fmax)
        image = librosa.display.specshow(
            decibels,
            sr=self.sample_rate,
            hop_length=self.hop_length,
            x_axis="s",
            y_axis="mel",
            y_coords=centers[1:-1],
            ax=ax,
            # librosa would choose two hues where decibels are on both sides of 0.
            **{"cmap": "magma"} | kwargs,
        )
        ax.set(xlabel="Seconds", ylabel="Hz (mel scale)")
        self.ax_, self.figure_ = ax, ax.figure
        self.colorbar_ = (
            self.figure_.colorbar(image, ax=ax, format="%.0f dB") if colorbar else None
        )
        return self


def drawn_view(spectrogram: NDArray, views: Sequence[str]) -> NDArray:
    """Return the mix of several views that stand side by side, or else the first."""
    number = views.index("mix") if "mix" in views else 0
    return np.split(spectrogram, len(views), axis=1)[number]
