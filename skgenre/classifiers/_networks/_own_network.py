"""Any Keras network as a classifier."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from skgenre.classifiers._base import BaseGenreClassifier, plain
from skgenre.classifiers._networks._shared_parameters import document_shared
from skgenre.runtime._layer_sizes import embedding_size

if TYPE_CHECKING:
    import keras

_PREFIX = "network__"


@document_shared
class KerasGenreClassifier(BaseGenreClassifier):
    """Classify spectrograms by genre with a Keras network of your own.

    It trains, validates, predicts and is saved as :class:`CRNNClassifier` is; only the
    network is yours.

    Parameters
    ----------
    network : callable or keras.Model
        ``network(input_shape, n_classes, **network_parameters)`` returns a functional
        or sequential Keras model from spectrograms of ``input_shape``, which is
        (n_frames, n_mels), to the probabilities of ``n_classes`` genres: it ends in a
        softmax, or, where clips may have several genres, in a sigmoid. It may have
        weights already, from which training then begins, and need not be compiled. Of a
        Keras model, each fit trains another one of the same layers, with new weights. A
        loaded model file has a tuple here: its layers, as data.
    network_parameters : dict or None, default=None
        Keyword arguments of the function. Searches and `set_params` reach them as
        ``network__NAME``.
    embedding : str or None, default=None
        Name of the layer whose output `transform` returns, averaged over all its axes
        but the last; None is the one before the last.
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    CRNNClassifier : The paper's network.
    skgenre.KerasEmbedding : Features from a network that is not trained further.

    Notes
    -----
    The dropout and the initialisers get their seeds from `random_state` unless they
    have seeds of their own. `precision` is for layers that state none.

    Networks that consist of common layers of Keras can be saved by
    :func:`skgenre.save` and exported by :func:`skgenre.export_onnx`; the user guide
    lists these layers. Others are refused there, and can be pickled, as by joblib,
    if the function `network` can be imported. A file has no `metrics` and
    `callbacks`.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from skgenre import KerasGenreClassifier
    >>> def build(input_shape, n_classes, units=8):
    ...     return keras.Sequential(
    ...         [
    ...             keras.Input(input_shape),
    ...             keras.layers.Conv1D(units, 3, activation="relu"),
    ...             keras.layers.GlobalMaxPooling1D(),
    ...             keras.layers.Dense(n_classes, activation="softmax"),
    ...         ]
    ...     )
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 20, 8)) + np.repeat([0, 3], 20)[:, None, None]
    >>> y = np.repeat(["folk", "techno"], 20)
    >>> network = KerasGenreClassifier(
    ...     build, network_parameters={"units": 4}, learning_rate=0.05, random_state=0
    ... )
    >>> network.fit(X, y).score(X, y)
    1.0
    >>> network.transform(X).shape
    (40, 4)
    """

    _network = "own_network"
    _network_parameters = ("network", "network_parameters", "embedding")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseGenreClassifier._parameter_constraints,
        "network": [callable, tuple],
        "network_parameters": [dict, None],
        "embedding": [str, None],
    }

    def __init__(
        self,
        network: "Callable[..., keras.Model] | keras.Model | tuple",
        *,
        network_parameters: Mapping[str, Any] | None = None,
        embedding: str | None = None,
        input_scaling: str = "standardize",
        optimizer: Any = "adam",
        learning_rate: float = 0.001,
        learning_rate_schedule: str = "plateau",
        loss: Any = None,
        label_smoothing: float = 0.0,
        metrics: Sequence[Any] | None = None,
        callbacks: Any = None,
        batch_size: int = 32,
        epochs: int = 70,
        validation_fraction: float = 0.1,
        plateau_patience: int | None = 10,
        plateau_factor: float = 0.5,
        plateau_min_delta: float = 0.01,
        early_stopping_patience: int | None = None,
        class_weight: dict | str | None = None,
        precision: str = "float32",
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        checkpoint_dir: str | os.PathLike | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            input_scaling=input_scaling,
            optimizer=optimizer,
            learning_rate=learning_rate,
            learning_rate_schedule=learning_rate_schedule,
            loss=loss,
            label_smoothing=label_smoothing,
            metrics=metrics,
            callbacks=callbacks,
            batch_size=batch_size,
            epochs=epochs,
            validation_fraction=validation_fraction,
            plateau_patience=plateau_patience,
            plateau_factor=plateau_factor,
            plateau_min_delta=plateau_min_delta,
            early_stopping_patience=early_stopping_patience,
            class_weight=class_weight,
            precision=precision,
            warm_start=warm_start,
            random_state=random_state,
            checkpoint_dir=checkpoint_dir,
            verbose=verbose,
        )
        self.network = network
        self.network_parameters = network_parameters
        self.embedding = embedding

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, and those of the function as ``network__NAME``.

        Parameters
        ----------
        deep : bool, default=True
            Whether those of the function are returned, too.

        Returns
        -------
        dict
        """
        own = super().get_params(deep)
        inner = self.network_parameters
        if not deep or not isinstance(inner, dict):  # which `fit` refuses
            return own
        return own | {f"{_PREFIX}{name}": value for name, value in inner.items()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, and those of the function by ``network__NAME``.

        Parameters
        ----------
        **params : dict
            Their values.

        Returns
        -------
        self : object
        """
        inner = {
            name.removeprefix(_PREFIX): params.pop(name)
            for name in list(params)
            if name.startswith(_PREFIX)
        }
        super().set_params(**params)
        if inner:
            self.network_parameters = {**(self.network_parameters or {}), **inner}
        return self

    @property
    def _training_parameters(self) -> dict[str, Any]:  # type: ignore[override]
        # The user's own function, whose weights may have been trained already.
        return {"network": self.network, "network_parameters": self._arguments()}

    def _arguments(self) -> tuple[tuple[str, Any], ...]:
        given = self.network_parameters or {}
        return tuple((name, plain(given[name])) for name in sorted(given))

    def _built_with(
        self, input_shape: tuple[int, ...], n_classes: int, several: bool
    ) -> dict:
        from skgenre.networks._own import examined
        from skgenre.runtime._keras import shield_from_interrupts

        return shield_from_interrupts(examined)(
            input_shape,
            n_classes,
            network=self.network,
            network_parameters=self._arguments(),
            embedding=self.embedding,
            precision=self.precision,
            several=several,
        )

    @property
    def _n_features_out(self) -> int:
        parameters = self.network_parameters_
        if isinstance(parameters["network"], tuple):
            return embedding_size(self._network, parameters, self.weights_)
        from skgenre.networks import own_network
        from skgenre.runtime._keras_function import embedding_values

        model = own_network(**parameters)
        return embedding_values(model, parameters["embedding"]).shape[-1]
