"""The one place that knows scikeras from inside."""

from collections.abc import Callable
from typing import Any

import keras
from numpy.typing import NDArray
from scikeras.wrappers import KerasClassifier
from sklearn.preprocessing import FunctionTransformer

from skgenre.classifiers._input_scaling import scaled
from skgenre.classifiers._training._batches import SpectrogramBatches
from skgenre.classifiers._training._callbacks import LetInterruptsIn
from skgenre.classifiers._training._compiled import (
    CompiledNetwork,
    give_back,
    take_compiled,
)
from skgenre.networks import set_statistics


class NetworkClassifier(KerasClassifier):
    """scikeras's classifier, for batches that the estimator has made.

    The estimators of this package validate and encode their data themselves and pass
    `SpectrogramBatches` as ``X``. scikeras would copy the array, refuse a second fit on
    another float type, trace the network again for every fit and, with a
    ``random_state``, switch TensorFlow's determinism on for the whole process.
    """

    _fit_callbacks: list[Any]  # scikeras sets it

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
        """Scales an array as the batches are scaled."""
        return FunctionTransformer(self._scale_array)

    def _scale_array(
        self, X: NDArray | SpectrogramBatches
    ) -> NDArray | SpectrogramBatches:
        if isinstance(X, SpectrogramBatches):
            return X
        return scaled(X, *self._scaling)

    def _get_compile_kwargs(self) -> dict[str, Any]:
        arguments = super()._get_compile_kwargs()
        if self.get_params()["model__precision"] == "mixed_float16":
            # Keras would do so only where all of a model's layers are of this policy.
            arguments["optimizer"] = keras.optimizers.LossScaleOptimizer(
                arguments["optimizer"]
            )
        return arguments

    def _build_keras_model(self) -> keras.Model:
        start = super()._build_keras_model()
        graph = {
            name: value
            for name, value in sorted(self.get_params().items())
            if name.startswith(("model", "optimizer", "loss"))
            and name not in ("model__seed", "optimizer__learning_rate")
        }
        if self._pooled:
            self._compiled = take_compiled(
                repr(graph),
                start,
                self._get_compile_kwargs,
                self.optimizer__learning_rate,
            )
        else:
            self._compiled = CompiledNetwork("", start, self._get_compile_kwargs())
        if self._start_weights is not None:
            self._compiled.model.set_weights(self._start_weights)
        if self._start_optimizer is not None:
            self._compiled.set_optimizer(
                self._start_optimizer, self.optimizer__learning_rate
            )
        return self._compiled.model

    def _fit_keras_model(
        self, X: SpectrogramBatches, y: Any, sample_weight: None, **kwargs: Any
    ) -> None:
        if self._start_weights is None:
            set_statistics(self.model_, X)
        if kwargs.get("validation_data") is not None:
            kwargs["validation_data"] = kwargs["validation_data"].as_dataset()
        shuffle = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: X.on_epoch_end()
        )
        self._fit_callbacks = [*self._fit_callbacks, shuffle, LetInterruptsIn()]
        # The batches carry genres and weights.
        super()._fit_keras_model(X.as_dataset(), None, None, **kwargs)

    def optimizer_state(self) -> list[NDArray]:
        """Return what the optimiser remembers, for a training that continues."""
        return [v.numpy() for v in self.model_.optimizer.variables]

    def state(self) -> list[NDArray]:
        """Return all that training changes."""
        assert self._compiled is not None  # in training
        return self._compiled.state()

    def set_state(self, state: list[NDArray]) -> None:
        """Set all that training changes."""
        assert self._compiled is not None
        self._compiled.set_state(state)

    def release(self) -> None:
        """Give the compiled network back; this object can't be used afterwards."""
        if self._compiled is not None:
            give_back(self._compiled)
        self._compiled = None
        self.__dict__.pop("model_", None)
