"""Plot of the spectrograms that activate filters most."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch

from skgenre._install import require
from skgenre.features import MelSpectrogramTransformer
from skgenre.inspection._displays._spectrogram import SpectrogramDisplay, drawn_view
from skgenre.inspection._displays._style import write_literally
from skgenre.inspection._filters._activation import maximize_activation
from skgenre.inspection._fitted_parts import mel_step


class FilterActivationDisplay:
    """Spectrograms that activate the filters of a layer most, side by side.

    Make it by `from_estimator`, or from a result of `maximize_activation`.

    Parameters
    ----------
    result : :class:`~sklearn.utils.Bunch`
        What `maximize_activation` returns.
    mel : MelSpectrogramTransformer, default=None
        Mel step in front of the network, for seconds and hertz; None is one with the
        defaults. Of several views, the mix is drawn, or else the first.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, of shape (n_rows, n_columns)
        One for each filter, row by row; unused axes in the last row are hidden.
        They share their limits: ``axes_[0, 0].set_xlim(0, 1)`` looks at one second
        in all.
    figure_ : matplotlib Figure
        Figure that holds them.
    colorbar_ : matplotlib Colorbar
        Scale of the decibels.

    See Also
    --------
    maximize_activation : Finds the spectrograms.
    SpectrogramDisplay : One spectrogram.

    References
    ----------
    .. [1] P. Dwivedi, "Deep Learning for Music Genre Recognition", figure 8.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import CRNNClassifier
    >>> from skgenre.inspection import FilterActivationDisplay
    >>> X = np.random.default_rng(0).normal(-40, 5, size=(40, 20, 8))
    >>> y = np.repeat(["folk", "techno"], 20)
    >>> crnn = CRNNClassifier(filters=(8,), lstm_units=8, epochs=1, random_state=0)
    >>> display = FilterActivationDisplay.from_estimator(
    ...     crnn.fit(X, y), "genre", n_steps=4, random_state=0
    ... )
    >>> [ax.get_title() for ax in display.axes_.flat]
    ['folk', 'techno']
    """

    def __init__(
        self, result: Bunch, *, mel: MelSpectrogramTransformer | None = None
    ) -> None:
        self.result = result
        self.mel = mel

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        layer: str,
        filters: ArrayLike | None = None,
        *,
        mel: MelSpectrogramTransformer | None = None,
        axes: ArrayLike | None = None,
        **kwargs: Any,
    ) -> Self:
        """Find the spectrograms that activate filters most, and draw them.

        Parameters
        ----------
        estimator : estimator
            Fitted network, or a Pipeline, `SegmentClassifier` or other estimator with
            one inside.
        layer : str
            Name of the layer.
        filters : array-like of shape (n_filters,), default=None
            Numbers of the filters, or genres; None takes the first 24, or all genres.
        mel : MelSpectrogramTransformer, default=None
            Mel step in front of the network; None takes the Pipeline's own, or else
            one with the defaults.
        axes : array-like of matplotlib Axes, default=None
            Where to draw, one for each filter; None makes a new figure.
        **kwargs : dict
            Passed on to `maximize_activation` (``random_state``, ``n_steps``, ...).

        Returns
        -------
        FilterActivationDisplay
        """
        if mel is None:
            mel = mel_step(estimator)
        if mel is not None:
            kwargs = {"top_db": mel.top_db} | kwargs
        result = maximize_activation(estimator, layer, filters, **kwargs)
        return cls(result, mel=mel).plot(axes=axes)

    def plot(
        self,
        *,
        axes: ArrayLike | None = None,
        n_columns: int = 8,
        **kwargs: Any,
    ) -> Self:
        """Draw the spectrograms.

        Parameters
        ----------
        axes : array-like of matplotlib Axes, default=None
            Where to draw, one for each filter; None makes a new figure.
        n_columns : int, default=8
            Plots in a row of the new figure.
        **kwargs : dict
            Passed on to `librosa.display.specshow` (``cmap``, ``vmin``, ...).

        Returns
        -------
        FilterActivationDisplay
        """
        from matplotlib.ticker import MaxNLocator

        mel = MelSpectrogramTransformer() if self.mel is None else self.mel
        filters = np.asarray(self.result.filters)
        if axes is None:
            self.axes_ = self._new_axes(n_columns)
        else:
            self.axes_ = np.atleast_2d(np.asarray(axes, dtype=object))
        if self.axes_.size < len(filters):
            raise ValueError(
                f"axes must be at least as many as the {len(filters)} filters, got "
                f"{self.axes_.size}."
            )
        kwargs = {"vmin": -mel.top_db, "vmax": 0, "cmap": "magma"} | kwargs
        is_genre = self.result.layer == "genre"
        for ax, name, spectrogram in zip(
            self.axes_.flat, filters.tolist(), self.result.spectrograms, strict=False
        ):
            SpectrogramDisplay(
                drawn_view(spectrogram, mel.views),
                sample_rate=mel.sample_rate,
                hop_length=mel.hop_length,
                fmin=mel.fmin,
                fmax=mel.fmax,
            ).plot(ax=ax, colorbar=False, **kwargs)
            ax.xaxis.set_major_locator(MaxNLocator(4))
            title = str(name) if is_genre else f"{self.result.layer}, {name}"
            write_literally([ax.set_title(title)])
        for ax in self.axes_.flat[len(filters) :]:
            ax.set_visible(False)
        if axes is None:
            _label_outer(self.axes_, len(filters))
        first = self.axes_.flat[0]
        self.figure_ = first.figure
        self.colorbar_ = self.figure_.colorbar(
            first.collections[0], ax=list(self.axes_.flat), format="%.0f dB", pad=0.01
        )
        return self

    def _new_axes(self, n_columns: int) -> NDArray:
        require("matplotlib")
        import matplotlib.pyplot as plt

        n_filters = len(self.result.filters)
        n_columns = min(n_columns, n_filters)
        n_rows = -(-n_filters // n_columns)
        figure = plt.figure(
            figsize=(1.7 * n_columns + 1.6, 1.5 * n_rows + 0.6), layout="constrained"
        )
        return figure.subplots(
            n_rows, n_columns, sharex=True, sharey=True, squeeze=False
        )


def _label_outer(axes: NDArray, n_filters: int) -> None:
    """Keep labels only at the left and below the last plot of each column."""
    n_columns = axes.shape[1]
    for number, ax in enumerate(axes.flat):
        ax.title.set_fontsize("small")
        ax.tick_params(labelsize="small")
        is_lowest = number + n_columns >= n_filters
        ax.tick_params(labelbottom=is_lowest)
        ax.set_xlabel("Seconds" if is_lowest else "", fontsize="small")
        ax.set_ylabel("Hz (mel)" if number % n_columns == 0 else "", fontsize="small")
