"""The layers that describe a network of the user's own, as an ONNX graph."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from skgenre.runtime._graph import Graph
from skgenre.runtime._own._layers import (
    ARITHMETIC,
    INPUT,
    Made,
    Shape,
    described_layers,
    embedding_number,
)


def add_layers(g: Graph, x: str, parameters: dict[str, Any]) -> tuple[str, str]:
    """Add the layers of a description to the graph of their weights.

    Parameters
    ----------
    g : Graph
        Its next weights are those of the layers, in order.
    x : str
        Spectrograms after scaling, (n, n_frames, n_mels).
    parameters : dict
        Of `skgenre.networks.own_network`.

    Returns
    -------
    probabilities, embedding : str
        Of shapes (n, n_classes) and (n, n_components).
    """
    layers, number = parameters["network"], parameters["embedding"]
    values: list[str] = []
    shapes: list[Shape] = []
    described = described_layers(layers, parameters["input_shape"])
    for (*_, sources, _), (kind, settings, inputs, made) in zip(
        layers, described, strict=True
    ):
        names = [values[source] for source in sources]
        if kind == INPUT:
            values.append(x)
        elif kind in ARITHMETIC:
            more = [g.constant(value) for value in settings.values()]
            node = {"x + y": "Add", "x * y": "Mul"}[kind]
            values.append(g.add(node, *names, *more))
        else:
            values.append(_NODES[kind](g, settings, names, inputs, made))
        shapes.append(made.output)
    at = embedding_number(layers, number)
    embedding, axes = values[at], [*range(1, len(shapes[at]))]
    if axes:  # a map of features is averaged over the map
        embedding = g.add("ReduceMean", embedding, axes=axes, keepdims=0)
    return values[-1], embedding


_Settings = dict[str, Any]
_Nodes = Callable[[Graph, _Settings, Sequence[str], Sequence[Shape], Made], str]


def _activated(g: Graph, x: str, activation: str) -> str:
    if activation == "linear":
        return x
    if activation == "softmax":
        return g.add("Softmax", x, axis=-1)
    if activation == "relu6":
        return g.add("Clip", x, g.constant(0), g.constant(6))
    if activation == "silu":
        return g.add("Mul", x, g.add("Sigmoid", x))
    if activation == "gelu":
        erf = g.add("Erf", g.add("Mul", x, g.constant(math.sqrt(0.5))))
        half = g.add("Mul", x, g.constant(0.5))
        return g.add("Mul", half, g.add("Add", erf, g.constant(1)))
    node, attributes = _ACTIVATIONS[activation]
    return g.add(node, x, **attributes)


_ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
    "elu": ("Elu", {"alpha": 1.0}),
    "softplus": ("Softplus", {}),
    "sigmoid": ("Sigmoid", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "hard_silu": ("HardSwish", {}),
    "tanh": ("Tanh", {}),
}


def _biased(g: Graph, settings: _Settings, x: str) -> str:
    """Add the bias, if there is one, and the activation."""
    if settings["use_bias"]:
        x = g.add("Add", x, *g.weights(1))
    return _activated(g, x, settings["activation"])


def _dense(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    return _biased(g, settings, g.add("MatMul", xs[0], *g.weights(1)))


def _channels_first(g: Graph, x: str, n_axes: int) -> str:
    return g.transpose(x, (0, n_axes + 1, *range(1, n_axes + 1)))


def _channels_last(g: Graph, x: str, n_axes: int) -> str:
    return g.transpose(x, (0, *range(2, n_axes + 2), 1))


def _window(settings: _Settings, size: Shape, space: Shape, places: Shape) -> Any:
    """Return the attributes of a node whose kernel or pool slides over axes."""
    n_axes = len(size)
    dilations = settings.get("dilation_rate", (1,) * n_axes)
    pads: list[tuple[int, int]] = [(0, 0)] * n_axes
    if settings["padding"] == "same":
        reach = ((k - 1) * d + 1 for k, d in zip(size, dilations, strict=True))
        missing = (
            max((m - 1) * step + r - n, 0)
            for m, step, r, n in zip(
                places, settings["strides"], reach, space, strict=True
            )
        )
        pads = [(n // 2, n - n // 2) for n in missing]
    more = {"dilations": dilations} if "dilation_rate" in settings else {}
    return {
        "kernel_shape": size,
        "strides": settings["strides"],
        "pads": [n for side in zip(*pads, strict=True) for n in side],
        **more,
    }


def _convolution(
    g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made
) -> str:
    size, n_axes = settings["kernel_size"], len(settings["kernel_size"])
    window = _window(settings, size, inputs[0][:-1], made.output[:-1])
    (kernel,) = g.weights(1)
    *space, n_in, n_out = range(n_axes + 2)
    group = 1
    if "filters" not in settings:  # each channel by itself
        group, n_in, n_out = inputs[0][-1], n_out, n_in
    kernel = g.transpose(kernel, (n_out, n_in, *space))
    x = g.add("Conv", _channels_first(g, xs[0], n_axes), kernel, group=group, **window)
    return _biased(g, settings, _channels_last(g, x, n_axes))


def _pool(node: str) -> _Nodes:
    def add(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
        size = settings["pool_size"]
        window = _window(settings, size, inputs[0][:-1], made.output[:-1])
        x = g.add(node, _channels_first(g, xs[0], len(size)), **window)
        return _channels_last(g, x, len(size))

    return add


def _global_pool(node: str) -> _Nodes:
    def add(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
        axes = [*range(1, len(inputs[0]))]
        return g.add(node, xs[0], axes=axes, keepdims=int(settings["keepdims"]))

    return add


def _padding(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    (top, bottom), (left, right) = settings["padding"]
    pads = g.constant((0, top, left, 0, 0, bottom, right, 0), np.int64)
    return g.add("Pad", xs[0], pads)


def _batch_norm(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    learned = g.weights(settings["scale"] + settings["center"])
    mean, variance = g.weights(2)
    return _normalized(g, settings, g.add("Sub", xs[0], mean), variance, learned)


def _layer_norm(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    learned = g.weights(settings["scale"] + settings["center"])
    mean = g.add("ReduceMean", xs[0], axes=[-1], keepdims=1)
    centered = g.add("Sub", xs[0], mean)
    squares = g.add("Mul", centered, centered)
    variance = g.add("ReduceMean", squares, axes=[-1], keepdims=1)
    return _normalized(g, settings, centered, variance, learned)


def _normalized(
    g: Graph, settings: _Settings, centered: str, variance: str, learned: list[str]
) -> str:
    epsilon = g.constant(settings["epsilon"])
    x = g.add("Div", centered, g.add("Sqrt", g.add("Add", variance, epsilon)))
    if settings["scale"]:
        x = g.add("Mul", x, learned[0])
    return g.add("Add", x, learned[-1]) if settings["center"] else x


def _activation(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    return _activated(g, xs[0], settings["activation"])


def _relu(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    most = settings["max_value"]
    if most is None:
        return g.add("Relu", xs[0])
    return g.add("Clip", xs[0], g.constant(0), g.constant(most))


def _leaky_relu(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    return g.add("LeakyRelu", xs[0], alpha=float(settings["negative_slope"]))


def _softmax(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    return g.add("Softmax", xs[0], axis=-1)


def _rescaling(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    x = g.add("Mul", xs[0], g.constant(settings["scale"]))
    return g.add("Add", x, g.constant(settings["offset"]))


def _nothing(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    (x,) = xs
    return x


def _reshape(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    return g.reshape(xs[0], (-1, *made.output))


def _permute(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    return g.transpose(xs[0], (0, *settings["dims"]))


def _merge(node: str) -> _Nodes:
    def add(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
        first, *rest = xs
        for other in rest:
            first = g.add(node, first, other)
        return first

    return add


def _concatenate(
    g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made
) -> str:
    return g.add("Concat", *xs, axis=-1)


def _series(g: Graph, kind: str, settings: _Settings, x: str, n_directions: int) -> str:
    how: dict[str, Any] = {
        "n_directions": n_directions,
        "series": settings["return_sequences"],
    }
    if kind == "LSTM":
        return g.lstm(x, "sigmoid", **how)
    return g.gru(x, "sigmoid", settings["reset_after"], **how)


def _lstm(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    return _series(g, "LSTM", settings, xs[0], 1)


def _gru(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    return _series(g, "GRU", settings, xs[0], 1)


def _bidirectional(
    g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made
) -> str:
    kind, inner = settings["layer"]
    return _series(g, kind, dict(inner), xs[0], 2)


def _attention(g: Graph, settings: _Settings, xs: Any, inputs: Any, made: Made) -> str:
    query, value, key = (*xs, xs[-1])[:3]
    heads, size = settings["num_heads"], settings["key_dim"]
    value_size = settings["value_dim"] or size

    def projected(i: int, x: str, n_out: int) -> str:
        """Return (n, heads, n_steps, n_out)."""
        n_steps = inputs[min(i, len(inputs) - 1)][0]
        (kernel,) = g.weights(1)
        n_in = g.shape(kernel)[0]
        x = g.add("MatMul", x, g.reshape(kernel, (n_in, heads * n_out)))
        if settings["use_bias"]:
            x = g.add("Add", x, g.reshape(g.weights(1)[0], (heads * n_out,)))
        return g.transpose(g.reshape(x, (-1, n_steps, heads, n_out)), (0, 2, 1, 3))

    q, k = projected(0, query, size), projected(2, key, size)
    v = projected(1, value, value_size)
    q = g.add("Mul", q, g.constant(1 / math.sqrt(size)))
    scores = g.add("MatMul", q, g.transpose(k, (0, 1, 3, 2)))
    x = g.add("MatMul", g.add("Softmax", scores, axis=-1), v)
    n_steps, n_out = made.output
    x = g.reshape(g.transpose(x, (0, 2, 1, 3)), (-1, n_steps, heads * value_size))
    (kernel,) = g.weights(1)
    x = g.add("MatMul", x, g.reshape(kernel, (heads * value_size, n_out)))
    return g.add("Add", x, *g.weights(1)) if settings["use_bias"] else x


_NODES: dict[str, _Nodes] = {
    "Dense": _dense,
    **dict.fromkeys(("Conv1D", "Conv2D", "DepthwiseConv2D"), _convolution),
    **dict.fromkeys(("MaxPooling1D", "MaxPooling2D"), _pool("MaxPool")),
    **dict.fromkeys(("AveragePooling1D", "AveragePooling2D"), _pool("AveragePool")),
    **{f"GlobalMaxPooling{n}D": _global_pool("ReduceMax") for n in (1, 2)},
    **{f"GlobalAveragePooling{n}D": _global_pool("ReduceMean") for n in (1, 2)},
    "ZeroPadding2D": _padding,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "Activation": _activation,
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "Softmax": _softmax,
    "Rescaling": _rescaling,
    **dict.fromkeys(
        ("Dropout", "GaussianNoise", "SpatialDropout1D", "SpatialDropout2D"), _nothing
    ),
    **dict.fromkeys(("Flatten", "Reshape"), _reshape),
    "Permute": _permute,
    "Add": _merge("Add"),
    "Multiply": _merge("Mul"),
    "Concatenate": _concatenate,
    "LSTM": _lstm,
    "GRU": _gru,
    "Bidirectional": _bidirectional,
    "MultiHeadAttention": _attention,
}
