"""A compiled Keras network inside scikeras's classifier, kept for the next training.

Tracing takes seconds and training a small network does not: a grid search, a
cross-validation or the estimator checks fit the same architecture again and again.
"""

import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scikeras.wrappers import KerasClassifier
from sklearn.preprocessing import FunctionTransformer

from skgenre.classifiers._checks import scaled
from skgenre.classifiers._training._data import SpectrogramBatches
from skgenre.networks import set_statistics
from skgenre.networks._own import layers_or_none

_MAX_IDLE = 4
_idle: OrderedDict[tuple[str, int], "CompiledNetwork"] = OrderedDict()
_lock = threading.Lock()
_OF_PLAIN_SETTINGS = (
    keras.losses.Loss,
    keras.optimizers.schedules.LearningRateSchedule,
    keras.DTypePolicy,
)


class NetworkClassifier(KerasClassifier):
    """scikeras's classifier, of a network that may be compiled already.

    scikeras still does this for us: it sorts its parameters into those of the function
    that builds the network (``model__``), of ``compile`` and of ``fit``, turns names of
    optimisers and losses into objects, encodes the genres, and gives
    `keras_classifier_` the methods of a scikit-learn classifier.

    We don't let it check or copy the data, shuffle or split it, weigh the clips, choose
    the seeds, or compile the network, because it would copy the array, refuse a second
    fit on another float type, trace the network again for every fit and, with a
    ``random_state``, switch TensorFlow's determinism on for the whole process. Its
    ``fit`` is not called; `run_epochs` takes its place.

    Parameters
    ----------
    model : callable
        Builds the network; from `skgenre.networks`.
    scaling : tuple of (ndarray, ndarray)
        Mean and scale of the mel bands, of shape (n_mels,).
    pooled : bool, default=True
        Whether to share compiled networks with other trainings; then call `release`.
    start_weights, start_optimizer : list of ndarray or None
        Where to begin; None means weights drawn from the seed, and a fresh optimiser.
    **kwargs : dict
        scikeras's parameters.
    """

    def __init__(
        self,
        model: Callable[..., keras.Model],
        *,
        scaling: tuple[NDArray, NDArray],
        pooled: bool = True,
        start_weights: list[NDArray] | None = None,
        start_optimizer: list[NDArray] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(model, **kwargs)
        self._scaling = scaling
        self._pooled = pooled
        self._start_weights, self._start_optimizer = start_weights, start_optimizer
        self._compiled: CompiledNetwork | None = None

    def build(
        self, classes: NDArray, input_shape: tuple[int, int], *, several: bool
    ) -> None:
        """Build the network for these genres, or reset a compiled one.

        Parameters
        ----------
        classes : ndarray of shape (n_classes,)
            The genres, sorted.
        input_shape : tuple of (n_frames, n_mels)
            Shape of one spectrogram.
        several : bool
            Whether a clip may have several genres.
        """
        y = np.eye(len(classes), dtype=int) if several else classes
        self.initialize(np.empty((len(classes), *input_shape), np.float32), y)

    def run_epochs(
        self,
        training: SpectrogramBatches,
        validation: SpectrogramBatches | None,
        callbacks: list[keras.callbacks.Callback],
        *,
        initial_epoch: int,
        epochs: int,
    ) -> None:
        """Run Keras's ``fit`` on batches that carry genres and weights.

        Parameters
        ----------
        training, validation : SpectrogramBatches
            `training` is shuffled again after each epoch.
        callbacks : list of keras.callbacks.Callback
            Called by Keras, in this order.
        initial_epoch, epochs : int
            Epochs that were run before, and all of them.
        """
        # Of the user's networks, statistics may be those of other data on purpose.
        if self._start_weights is None and "model__network" not in self.get_params():
            set_statistics(self.model_, training)
        shuffle = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: training.reshuffle()
        )
        self._fit_callbacks = [*callbacks, shuffle]
        self._fit_keras_model(
            training.as_dataset(),
            y=None,
            sample_weight=None,
            warm_start=False,
            epochs=epochs - initial_epoch,
            initial_epoch=initial_epoch,
            steps_per_epoch=len(training),
            validation_data=None if validation is None else validation.as_dataset(),
            validation_steps=None if validation is None else len(validation),
        )

    def release(self) -> None:
        """Give the compiled network back; this object can't be used afterwards."""
        if self._compiled is not None and self._compiled.key is not None:
            _give_back(self._compiled.key, self._compiled)
        self._compiled = None
        self.__dict__.pop("model_", None)

    def optimizer_state(self) -> list[NDArray]:
        """Return the optimiser's variables, for a training that continues."""
        return [v.numpy() for v in self.model_.optimizer.variables]

    def state(self) -> list[NDArray]:
        """Return all that training changes: weights, random seeds, the optimiser."""
        assert self._compiled is not None  # in training
        return [v.numpy() for v in self._compiled.variables()]

    def set_state(self, state: list[NDArray]) -> None:
        """Set all that training changes."""
        assert self._compiled is not None
        for variable, value in zip(self._compiled.variables(), state, strict=True):
            variable.assign(value)

    # What scikeras calls.

    def _validate_data(
        self, X: Any = None, y: Any = None, reset: bool = False, y_numeric: bool = False
    ) -> tuple[Any, Any]:
        if reset:
            self.target_type_ = self._type_of_target(y)
            self.y_dtype_, self.y_ndim_ = y.dtype, y.ndim
            self.X_shape_ = X.shape
            self.n_features_in_ = X.shape[1]
        return X, y

    @property
    def feature_encoder(self) -> FunctionTransformer:
        """Scales spectrograms as the batches are scaled."""
        mean, scale = self._scaling
        scaler = FunctionTransformer(scaled, kw_args={"mean": mean, "scale": scale})
        return scaler.set_output(transform="default")  # whatever the user has set

    def _get_compile_kwargs(self) -> dict[str, Any]:
        arguments = super()._get_compile_kwargs()
        if self.get_params()["model__precision"] == "mixed_float16":
            # Keras would do so only if the global policy was this one.
            arguments["optimizer"] = keras.optimizers.LossScaleOptimizer(
                arguments["optimizer"]
            )
        return arguments

    def _build_keras_model(self) -> keras.Model:
        start = super()._build_keras_model()
        learning_rate = self.optimizer__learning_rate
        settings = {
            name: value
            for name, value in sorted(self.get_params().items())
            if name.startswith(("model", "optimizer", "loss", "compile__"))
            and name not in ("model__seed", "optimizer__learning_rate")
        }
        if "model__network" in settings and (layers := layers_or_none(start)):
            # The user's own: known by what it is made of.
            settings |= {"model__network": layers, "model__network_parameters": ()}
        if not isinstance(learning_rate, float):  # a schedule: it can't be set
            settings["schedule"], learning_rate = learning_rate, None
        key = description(settings) if self._pooled else None
        compiled = None if key is None else _take(key)
        if compiled is None:
            compiled = CompiledNetwork(key, start, self._get_compile_kwargs())
        else:
            compiled.reset(start, learning_rate)
        if self._start_weights is not None:
            compiled.model.set_weights(self._start_weights)
        if self._start_optimizer is not None:
            compiled.set_optimizer(self._start_optimizer, learning_rate)
        self._compiled = compiled
        return compiled.model


class CompiledNetwork:
    """A compiled Keras network that can be set back to the start.

    Parameters
    ----------
    key : str or None
        Describes everything that is in the traced graph; None means that it is not
        kept for another training.
    model : keras.Model
        Built, not compiled.
    compile_arguments : dict
        For `keras.Model.compile`.
    """

    def __init__(
        self, key: str | None, model: keras.Model, compile_arguments: dict[str, Any]
    ) -> None:
        self.key, self.model = key, model
        # Weights and the counters of the random layers, but not yet the metrics'.
        self._variables = list(model.variables)
        # Compiling by XLA makes an epoch several times slower on a CPU.
        model.compile(**compile_arguments, jit_compile=False)
        model.optimizer.build(model.trainable_variables)
        self._optimizer_start = [v.numpy() for v in model.optimizer.variables]

    def variables(self) -> list[Any]:
        """Return the variables that training changes, but for those of metrics."""
        return [*self._variables, *self.model.optimizer.variables]

    def reset(self, start: keras.Model, learning_rate: float | None) -> None:
        """Take the weights and random seeds of `start`, and a fresh optimiser."""
        for variable, value in zip(self._variables, start.variables, strict=True):
            variable.assign(value)
        self.set_optimizer(self._optimizer_start, learning_rate)
        self.model.stop_training = False

    def set_optimizer(self, state: list[NDArray], learning_rate: float | None) -> None:
        """Give the optimiser the values of its variables, but this learning rate.

        None leaves it to the optimiser's own schedule.
        """
        optimizer = self.model.optimizer
        for variable, value in zip(optimizer.variables, state, strict=True):
            variable.assign(value)
        if learning_rate is not None:
            optimizer.learning_rate = learning_rate


def description(value: Any) -> str | None:
    """Return a text that is equal, in any process, for all that trains in the same way.

    None means that nothing is sure, as of functions and classes of users: what they
    compute also depends on what is outside them. A loss is described by its attributes,
    as Keras's configuration lacks some; a metric is made from its configuration.
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, dict):
        if "class_name" in value:  # in a configuration, of an object of any class
            return None
        value = sorted(value.items())
    if isinstance(value, list | tuple):
        parts = [description(part) for part in value]
        return f"({', '.join(map(str, parts))})" if None not in parts else None
    is_code = inspect.isclass(value) or inspect.isfunction(value)
    code = value if is_code else type(value)
    if code.__module__.partition(".")[0] not in ("keras", "skgenre"):
        return None
    if is_code:
        return f"{code.__module__}.{code.__qualname__}"
    if isinstance(value, keras.metrics.Metric):
        return description((code, value.get_config()))
    if isinstance(value, _OF_PLAIN_SETTINGS):
        return description((code, vars(value)))
    return None


def _take(key: str) -> CompiledNetwork | None:
    """Return a compiled network that nobody else uses, if there is one of this key."""
    with _lock:
        found = next((k for k in reversed(_idle) if k[0] == key), None)
        return _idle.pop(found) if found else None


def _give_back(key: str, network: CompiledNetwork) -> None:
    """Keep a compiled network for the next fit; the longest idle one is dropped."""
    with _lock:
        _idle[key, id(network)] = network
        while len(_idle) > _MAX_IDLE:
            _idle.popitem(last=False)
