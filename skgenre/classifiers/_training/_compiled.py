"""Compiled networks, kept for the next fit of the same architecture.

Tracing takes seconds and training a small network does not: a grid search, a
cross-validation or the estimator checks fit the same architecture again and again.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import keras
from numpy.typing import NDArray

_MAX_IDLE = 4
_idle: OrderedDict[tuple[str, int], "CompiledNetwork"] = OrderedDict()
_lock = threading.Lock()


class CompiledNetwork:
    """A compiled Keras network that can be set back to the start.

    Parameters
    ----------
    key : str
        Names everything that is in the traced graph.
    model : keras.Model
        Built, not compiled.
    compile_arguments : dict
        For `keras.Model.compile`.
    """

    def __init__(
        self, key: str, model: keras.Model, compile_arguments: dict[str, Any]
    ) -> None:
        self.key = key
        self.model = model
        # Weights and the counters of the random layers, but not yet the metrics'.
        self._variables = list(model.variables)
        # Compiling by XLA makes an epoch several times slower on a CPU.
        model.compile(**compile_arguments, jit_compile=False)
        model.optimizer.build(model.trainable_variables)
        self._optimizer_start = [v.numpy() for v in model.optimizer.variables]

    def reset(self, start: keras.Model, learning_rate: float) -> None:
        """Take the weights and random seeds of `start`, and a fresh optimiser."""
        for variable, value in zip(self._variables, start.variables, strict=True):
            variable.assign(value)
        self.set_optimizer(self._optimizer_start, learning_rate)
        self.model.stop_training = False

    def state(self) -> list[NDArray]:
        """Return all that training changes: weights, random seeds, the optimiser."""
        return [v.numpy() for v in self._all_variables()]

    def set_state(self, state: list[NDArray]) -> None:
        """Set all that training changes."""
        for variable, value in zip(self._all_variables(), state, strict=True):
            variable.assign(value)

    def _all_variables(self) -> list[Any]:
        return [*self._variables, *self.model.optimizer.variables]

    def set_optimizer(self, state: list[NDArray], learning_rate: float) -> None:
        """Give the optimiser the values of its variables, but this learning rate."""
        optimizer = self.model.optimizer
        for variable, value in zip(optimizer.variables, state, strict=True):
            variable.assign(value)
        optimizer.learning_rate = learning_rate


def take_compiled(
    key: str,
    start: keras.Model,
    compile_arguments: Callable[[], dict[str, Any]],
    learning_rate: float,
) -> CompiledNetwork:
    """Return a compiled network that nobody else uses, in the state of `start`.

    Give it back with `give_back`.
    """
    with _lock:
        found = next((k for k in reversed(_idle) if k[0] == key), None)
        network = _idle.pop(found) if found else None
    if network is None:
        return CompiledNetwork(key, start, compile_arguments())
    network.reset(start, learning_rate)
    return network


def give_back(network: CompiledNetwork) -> None:
    """Keep a compiled network for the next fit; the longest idle one is dropped."""
    with _lock:
        _idle[network.key, id(network)] = network
        while len(_idle) > _MAX_IDLE:
            _idle.popitem(last=False)
