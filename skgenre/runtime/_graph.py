"""An ONNX graph in the making, with the layers that our networks consist of."""

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

# Of 2022, for old runtimes on phones and in browsers.
_OPSET, _IR_VERSION = 17, 8
_FLOAT, _DOUBLE = 1, 11  # of onnx.TensorProto


class Graph:
    """A graph to which nodes are added; values go by their names.

    The weights stay as Keras orders their axes, and nodes turn them: a runtime does
    that once, when it loads the graph.

    Parameters
    ----------
    weights : sequence of ndarray
        They become the initialisers ``weights_0``, ``weights_1``, ...
    """

    def __init__(self, weights: Sequence[NDArray]) -> None:
        self._nodes: list[Any] = []
        self._tensors: dict[str, NDArray] = {}
        self._left = self._named(weights)

    def _named(self, weights: Sequence[NDArray]) -> Iterator[str]:
        for i, values in enumerate(weights):
            yield self._tensor(f"weights_{i}", values)

    def _tensor(self, name: str, values: NDArray) -> str:
        self._tensors[name] = values
        return name

    def add(
        self,
        kind: str,
        *inputs: str,
        output: str | None = None,
        skipped: int = 0,
        unused: int = 0,
        **attributes: Any,
    ) -> str:
        """Add a node; return the name of its output.

        Parameters
        ----------
        kind : str
            ONNX operator.
        *inputs : str
            Values that it takes.
        output : str, default=None
            Name of its output; None finds one.
        skipped : int, default=0
            Outputs of the operator before the one that is used; it need not make them.
        unused : int, default=0
            Outputs after that one, which it makes all the same.
        **attributes : dict
            Of the operator.

        Returns
        -------
        str
        """
        from onnx import helper

        name = output or f"{kind.lower()}_{len(self._nodes)}"
        outputs = [""] * skipped + [name] + [f"{name}_{i}" for i in range(unused)]
        self._nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return name

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """Return the name of a new array that is not one of the weights."""
        return self._tensor(f"constant_{len(self._tensors)}", np.asarray(values, dtype))

    def weights(self, n: int) -> list[str]:
        """Return the names of the next weights.

        Raises
        ------
        ValueError
            If there are no more.
        """
        names = list(itertools.islice(self._left, n))
        if len(names) < n:
            raise ValueError("The network has fewer weights than its layers need.")
        return names

    def shape(self, tensor: str) -> tuple[int, ...]:
        """Return the shape of weights or of a constant."""
        return self._tensors[tensor].shape

    def reshape(self, x: str, shape: Sequence[int]) -> str:
        return self.add("Reshape", x, self.constant(shape, np.int64))

    def transpose(self, x: str, axes: Sequence[int]) -> str:
        return self.add("Transpose", x, perm=axes)

    def double(self, x: str) -> str:
        return self.add("Cast", x, to=_DOUBLE)

    def single(self, x: str) -> str:
        return self.add("Cast", x, to=_FLOAT)

    def nan_or_zero(self, x: str) -> str:
        """Add a term for the output of `x`, (n, n_frames, n_values): (n, 1, 1).

        It is NaN for a clip that is not finite, and 0 otherwise: ``Max``, ``Relu`` and
        the pools of ONNX Runtime turn NaN into a number.
        """
        means = self.add("ReduceMean", x, axes=[1, 2], keepdims=1)
        return self.add("Sub", means, means)

    def dense(self, x: str) -> str:
        """Add a dense layer without activation."""
        kernel, bias = self.weights(2)
        return self.add("Add", self.add("MatMul", x, kernel), bias)

    def conv(self, x: str, padding: str) -> str:
        """Add a convolution over all axes from the third on."""
        kernel, bias = self.weights(2)
        *space, inputs, filters = range(len(self.shape(kernel)))
        kernel = self.transpose(kernel, (filters, inputs, *space))
        auto_pad = {"valid": "VALID", "same": "SAME_UPPER"}[padding]
        return self.add("Conv", x, kernel, bias, auto_pad=auto_pad)

    def max_pool(self, x: str, size: Sequence[int]) -> str:
        return self.add("MaxPool", x, kernel_shape=size, strides=size)

    def batch_norm(self, x: str) -> str:
        """Add a batch normalisation over the second axis, as Keras has it by default.

        That is with a scale and a centre that are learned.
        """
        return self._normalized(x, *self.weights(4))

    def scaled(self, x: str, mean: str, variance: str) -> str:
        """Add a batch normalisation with this mean and variance alone."""
        scale = self.constant(np.ones(self.shape(mean)))
        center = self.constant(np.zeros(self.shape(mean)))
        return self._normalized(x, scale, center, mean, variance)

    def _normalized(self, x: str, *parameters: str) -> str:
        return self.add("BatchNormalization", x, *parameters, epsilon=1e-3)

    def lstm(
        self, x: str, activation: str, *, n_directions: int = 1, series: bool = False
    ) -> str:
        """Add LSTMs over (n, n_frames, n_inputs).

        Parameters
        ----------
        x : str
            Series.
        activation : {'sigmoid', 'hard_sigmoid'}
            That of the gates.
        n_directions : {1, 2}
            With 2, another one runs from the end to the beginning.
        series : bool
            Whether to return the states at all frames, or the last ones.

        Returns
        -------
        str
            Of shape (n, n_frames, n_directions * units) or (n, n_directions * units).
        """
        directions = []
        for _ in range(n_directions):
            kernel, recurrent, bias = self.weights(3)
            units = self.shape(recurrent)[0]
            # Keras's gates are input, forget, cell, output; ONNX's input, output, ...
            order = np.arange(4 * units).reshape(4, units)[[0, 3, 1, 2]].ravel()
            gates = self.constant(order, np.int64)
            kernel, recurrent, bias = (
                self.add("Gather", part, gates, axis=-1)
                for part in (kernel, recurrent, bias)
            )
            none = self.constant(np.zeros(4 * units))
            bias = self.add("Concat", bias, none, axis=0)
            directions.append((kernel, recurrent, bias))
        more = _activations(activation, "Tanh", "Tanh", n_directions=n_directions)
        return self._recurrent("LSTM", x, directions, units, more, series=series)

    def gru(
        self,
        x: str,
        activation: str,
        reset_after: bool,
        *,
        n_directions: int = 1,
        series: bool = False,
    ) -> str:
        """Add GRUs; see `lstm`."""
        directions = [self.weights(3) for _ in range(n_directions)]
        units = self.shape(directions[0][1])[0]
        if not reset_after:
            none = self.constant(np.zeros(3 * units))
            for direction in directions:
                direction[2] = self.add("Concat", direction[2], none, axis=0)
        more = {
            "linear_before_reset": int(reset_after),
            **_activations(activation, "Tanh", n_directions=n_directions),
        }
        return self._recurrent("GRU", x, directions, units, more, series=series)

    def _recurrent(
        self,
        kind: str,
        x: str,
        directions: Sequence[Sequence[str]],
        units: int,
        attributes: dict[str, Any],
        *,
        series: bool,
    ) -> str:
        n_gates = {"LSTM": 4, "GRU": 3}[kind]
        shapes = (n_gates * units, -1), (n_gates * units, units), (2 * n_gates * units,)
        parts = []
        for of_kind, shape in zip(zip(*directions, strict=True), shapes, strict=True):
            turned = (
                self.transpose(part, (1, 0)) if len(shape) == 2 else part
                for part in of_kind
            )
            stacked = [self.reshape(part, (1, *shape)) for part in turned]
            parts.append(self.add("Concat", *stacked, axis=0))
        if len(directions) == 2:
            attributes = attributes | {"direction": "bidirectional"}
        # ONNX Runtime 1.32 ends the process where there are no clips: then a clip of
        # zeros is added, and its output removed.
        n_clips, one = self.add("Shape", x, end=1), self.constant([1], np.int64)
        added = self.add("Sub", one, self.add("Min", n_clips, one))
        none = [self.constant([0] * n, np.int64) for n in (3, 2)]
        x = self.add("Pad", x, self.add("Concat", none[0], added, none[1], axis=0))
        x = self.transpose(x, (1, 0, 2))  # frames first
        skipped = 0 if series else 1
        states = self.add(
            kind, x, *parts, skipped=skipped, hidden_size=units, **attributes
        )
        n_outputs = len(directions) * units
        if series:  # (n_frames, n_directions, n, units)
            states = self.transpose(states, (2, 0, 1, 3))
            states = self.reshape(states, (0, 0, n_outputs))
        else:
            states = self.reshape(self.transpose(states, (1, 0, 2)), (-1, n_outputs))
        return self.add("Slice", states, self.constant([0], np.int64), n_clips)

    def model(
        self,
        inputs: dict[str, Sequence[int | str]],
        outputs: dict[str, Sequence[int | str]],
        name: str,
    ) -> "onnx.ModelProto":
        """Return the model that has these inputs and outputs, all of float32.

        Parameters
        ----------
        inputs, outputs : dict of str to sequence of (int or str)
            Names, and shapes in which a string stands for any size.
        name : str
            Of the graph.

        Raises
        ------
        ValueError
            If there are weights that no node took.
        """
        from onnx import TensorProto, helper, numpy_helper

        if next(self._left, None) is not None:
            raise ValueError("The network has more weights than its layers take.")
        sources, results = (
            [
                helper.make_tensor_value_info(value, TensorProto.FLOAT, shape)
                for value, shape in side.items()
            ]
            for side in (inputs, outputs)
        )
        tensors = [
            numpy_helper.from_array(np.asarray(values, order="C"), tensor)
            for tensor, values in self._tensors.items()
        ]
        return helper.make_model(
            helper.make_graph(self._nodes, name, sources, results, tensors),
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="skgenre",
        )


def _activations(gates: str, *others: str, n_directions: int = 1) -> dict[str, Any]:
    """Return the attributes of a recurrent node whose gates have an activation.

    Parameters
    ----------
    gates : {'sigmoid', 'hard_sigmoid'}
        The latter is that of Keras 2.
    *others : str
        Activations of what the gates let through, as ONNX names them.
    n_directions : int, default=1
        Each direction has the same.

    Returns
    -------
    dict
    """
    if gates == "sigmoid":
        return {"activations": ["Sigmoid", *others] * n_directions}
    return {
        "activations": ["HardSigmoid", *others] * n_directions,
        "activation_alpha": [0.2] * n_directions,
        "activation_beta": [0.5] * n_directions,
    }
