"""What a network has learned, to be seen and heard.

TensorFlow is imported when somebody asks for filters, and not before.
"""

import math
import threading
from functools import lru_cache
from typing import Any

from numpy.typing import NDArray
from sklearn.utils import Bunch

from skgenre._text import printable
from skgenre.classifiers import BaseGenreClassifier
from skgenre.explore._media import Load, picture
from skgenre.explore._model._salience import Salience, explain_by_network
from skgenre.inspection import maximize_activation, sonify
from skgenre.inspection._displays._learning_curves import CURVES
from skgenre.inspection._displays._spectrogram import drawn_view
from skgenre.inspection._fitted_parts import mel_step

N_FILTERS = 8
"""Filters that are shown at a time."""
_TOP_DB = 80.0


class NetworkView:
    """A network's training and filters.

    Filters are found one request after the other, and kept.

    Parameters
    ----------
    model : estimator
        Fitted, with the network in it.
    network : BaseGenreClassifier
        The network.
    """

    def __init__(self, model: Any, network: BaseGenreClassifier) -> None:
        self._network = network
        self._mel = mel_step(model)
        self._top_db = _TOP_DB if self._mel is None else self._mel.top_db
        self._lock = threading.RLock()
        self._layers: list[tuple[str, int]] = []
        self._found = lru_cache(16)(self._find)

    @property
    def is_heard(self) -> bool:
        """Whether its spectrograms can become sound: there is a mel step before it."""
        return self._mel is not None

    def explain(self, predict_proba: Any, path: str, load: Load) -> Salience:
        """Return what of a song speaks for its genre; only where `is_heard`."""
        assert self._mel is not None
        with self._lock:
            return explain_by_network(
                predict_proba, self._network, self._mel, path, load
            )

    def curves(self) -> list[dict[str, Any]]:
        """Return title, 'training' and 'validation' of each learning curve."""
        history = self._network.history_
        return [
            {
                "title": title,
                "training": _finite(history[name]),
                "validation": _finite(history.get(f"val_{name}", [])),
            }
            for name, title in CURVES.items()
            if name in history
        ]

    def layers(self) -> list[tuple[str, int]]:
        """Return name and filters of each convolution and, last, the genres."""
        from skgenre.inspection._filters._layer_graph import convolutions

        with self._lock:
            if not self._layers:
                genres = "genre", len(self._network.classes_)
                self._layers = [*convolutions(self._network), genres]
            return self._layers

    def filters(self, layer: str, first: int) -> dict[str, Any]:
        """Return what some filters of a layer respond to most.

        Parameters
        ----------
        layer : str
            Of `layers`.
        first : int
            Number of the first of up to `N_FILTERS`.

        Returns
        -------
        dict
            'filters', a dict for each with 'number', 'name', how 'active' it is at the
            start and in the end, and its `picture`; 'is_heard', whether they have a
            sound.
        """
        with self._lock:
            found = self._found(layer, first)
        is_genre = layer == "genre"
        return {
            "is_heard": self.is_heard,
            "filters": [
                {
                    "number": first + i,
                    "name": printable(str(name)) if is_genre else f"{layer}, {name}",
                    "active": [
                        round(float(a), 3) for a in found.activations[[0, -1], i]
                    ],
                    **picture(self._drawn(found.spectrograms[i]), self._top_db),
                }
                for i, name in enumerate(found.filters)
            ],
        }

    def sound(self, layer: str, number: int) -> tuple[NDArray, int]:
        """Return what a filter responds to most as a waveform, and its sample rate.

        Raises
        ------
        ValueError
            If the model has no mel step, by which it could become one.
        """
        if self._mel is None:
            raise ValueError(
                "The model has no MelSpectrogramTransformer, so that its spectrograms "
                "can't be heard."
            )
        first = number - number % N_FILTERS
        with self._lock:
            found = self._found(layer, first)
        spectrogram = self._drawn(found.spectrograms[number - first])
        return sonify(spectrogram, self._mel, random_state=0), self._mel.sample_rate

    def _drawn(self, spectrogram: NDArray) -> NDArray:
        return (
            spectrogram
            if self._mel is None
            else drawn_view(spectrogram, self._mel.views)
        )

    def _find(self, layer: str, first: int) -> Bunch:
        names: Any = range(dict(self.layers())[layer])
        if layer == "genre":
            names = self._network.classes_
        return maximize_activation(
            self._network,
            layer,
            names[first : first + N_FILTERS],
            top_db=self._top_db,
            random_state=0,
        )


def _finite(values: list[float]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values]
