"""The networks of `skgenre.networks` as ONNX graphs, layer by layer.

Each function takes the weights of the Keras network of its name, in the same order, and
computes what that does after training: nothing is dropped, hidden or cropped.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from skgenre.runtime._graph import Graph
from skgenre.runtime._layer_sizes import (
    bands_of_view,
    embedding_size,
    padding,
    pairs_within,
    shrunk_pool,
)
from skgenre.runtime._own._graph import add_layers

if TYPE_CHECKING:
    import onnx


def _crnn(g: Graph, x: str, parameters: dict[str, Any]) -> str:
    size = parameters["input_shape"][:1]
    x = g.transpose(x, (0, 2, 1))  # channels before frames
    for _ in parameters["filters"]:
        kernel_size = (parameters["kernel_size"],)
        pads = padding(size, kernel_size)
        x = g.conv(x, pads)
        if parameters["batch_norm_position"] == "after_relu":
            x = g.batch_norm(g.add("Relu", x))
        else:
            x = g.add("Relu", g.batch_norm(x))
        size = _convolved(size, kernel_size, pads)
        pool = shrunk_pool(size, (parameters["pool_size"],))
        x = g.max_pool(x, pool)
        size = _pooled(size, pool)
    x = g.lstm(g.transpose(x, (0, 2, 1)), parameters["recurrent_activation"])
    return g.dense(x)


def _parallel_cnn_rnn(g: Graph, x: str, parameters: dict[str, Any]) -> str:
    whole = size = parameters["input_shape"]
    image = x = g.reshape(x, (-1, 1, *size))
    for pool_size in parameters["pool_sizes"]:
        pads = padding(size, parameters["kernel_size"])
        x = g.add("Relu", g.conv(x, pads))
        size = _convolved(size, parameters["kernel_size"], pads)
        pool = shrunk_pool(size, pool_size)
        x = g.max_pool(x, pool)
        size = _pooled(size, pool)
    left = g.add("Flatten", g.transpose(x, (0, 2, 3, 1)))
    pool = shrunk_pool(whole, parameters["rnn_pool_size"])
    series = g.reshape(g.max_pool(image, pool), (-1, *_pooled(whole, pool)))
    right = g.gru(
        series,
        parameters["recurrent_activation"],
        parameters["reset_after"],
        n_directions=2,
    )
    return g.add("Concat", left, right, axis=1)


def _second_order(g: Graph, x: str, parameters: dict[str, Any]) -> str:
    n_frames, n_mels = parameters["input_shape"]
    if n_mels == 1:
        n_frames, n_mels = 1, n_frames
        x = g.transpose(x, (0, 2, 1))
    n_views = parameters["n_views"]
    n_mels = bands_of_view(n_mels, n_views)
    n = min(parameters["n_mfcc"], n_mels)
    mean, variance = g.weights(2)
    # Before anything is made of that size.
    if g.shape(mean) != (n_views * n * (n + 3) // 2,):
        raise ValueError(f"Its weights are not for {n} coefficients.")
    cosines = scipy.fft.dct(np.eye(n_mels), norm="ortho")[:, :n]
    cosines = np.kron(np.eye(n_views), cosines)
    x = g.add("MatMul", x, g.constant(cosines))
    x = _second_order_pooling(g, x, n_frames, n_views * n, n_views)
    x = g.scaled(x, mean, variance)
    return g.batch_norm(_radial_basis(g, x))


def _second_order_pooling(g: Graph, x: str, n_frames: int, n: int, n_views: int) -> str:
    mean = g.add("ReduceMean", x, axes=[1], keepdims=1)
    deviations = g.add("Sub", x, mean)
    products = g.add("MatMul", g.transpose(deviations, (0, 2, 1)), deviations)
    covariance = g.reshape(g.add("Div", products, g.constant(n_frames)), (-1, n * n))

    def chosen(values: str, indices: Sequence[int]) -> str:
        return g.add("Gather", values, g.constant(indices, np.int64), axis=1)

    variance = chosen(covariance, [n * i + i for i in range(n)])
    std = g.add("Sqrt", g.add("Add", variance, g.constant(1e-3)))
    above = pairs_within(n, n_views)
    parts = [g.reshape(mean, (-1, n)), std]
    if above:  # a runtime may refuse to choose nothing
        scales = (chosen(std, indices) for indices in zip(*above, strict=True))
        pairs = chosen(covariance, [n * i + j for i, j in above])
        parts.append(g.add("Div", pairs, g.add("Mul", *scales)))
    return g.add("Concat", *parts, axis=1)


def _radial_basis(g: Graph, x: str) -> str:
    centers, log_gamma = g.weights(2)

    def squares(values: str) -> str:
        return g.add("ReduceSumSquare", values, axes=[1], keepdims=1)

    products = g.add("MatMul", x, g.transpose(centers, (1, 0)))
    distances = g.add(
        "Sub",
        g.add("Add", squares(x), g.transpose(squares(centers), (1, 0))),
        g.add("Mul", products, g.constant(2)),
    )
    gamma = g.add("Exp", log_gamma)
    return g.add("Exp", g.add("Neg", g.add("Mul", gamma, distances)))


_BODIES: dict[str, Callable[[Graph, str, dict[str, Any]], str]] = {
    "crnn": _crnn,
    "parallel_cnn_rnn": _parallel_cnn_rnn,
    "second_order": _second_order,
}


def classifier_graph(
    network: str,
    parameters: dict[str, Any],
    weights: Sequence[NDArray],
    mean: NDArray,
    scale: NDArray,
) -> "onnx.ModelProto":
    """Return a trained network as an ONNX model.

    Parameters
    ----------
    network : str
        Name of the function in `skgenre.networks` that builds it.
    parameters : dict
        Its keyword arguments.
    weights : sequence of ndarray
        In Keras's order.
    mean, scale : ndarray of shape (n_mels,)
        What is subtracted from each band, and what it is then divided by.

    Returns
    -------
    onnx.ModelProto
        'spectrograms' (n, n_frames, n_mels) in dB to 'probabilities' (n, n_classes)
        and 'embedding' (n, n_components). It computes in float32 whatever the
        precision in training was.

    Raises
    ------
    ValueError
        If the weights are not those of this network.
    """
    g = Graph(weights)
    probabilities, embedding = add_classifier(
        g, "spectrograms", network, parameters, mean, scale
    )
    g.add("Identity", probabilities, output="probabilities")
    g.add("Identity", embedding, output="embedding")
    return g.model(
        {"spectrograms": ("n", *parameters["input_shape"])},
        {
            "probabilities": ("n", parameters["n_classes"]),
            "embedding": ("n", embedding_size(network, parameters, weights)),
        },
        network,
    )


def add_classifier(
    g: Graph,
    x: str,
    network: str,
    parameters: dict[str, Any],
    mean: NDArray,
    scale: NDArray,
) -> tuple[str, str]:
    """Add a trained network to the graph of its weights.

    Parameters
    ----------
    g : Graph
        Its next weights are the network's.
    x : str
        Spectrograms in dB, of shape (n, n_frames, n_mels).
    network, parameters, mean, scale : object
        As in `classifier_graph`.

    Returns
    -------
    probabilities, embedding : str
        Of shapes (n, n_classes) and (n, n_components).
    """
    if not mean.shape == scale.shape == (parameters["input_shape"][1],):
        raise ValueError("The scaling is not that of as many bands as the network's.")
    x = g.add("Div", g.add("Sub", x, g.constant(mean)), g.constant(scale))
    nan_or_zero = g.reshape(g.nan_or_zero(x), (-1, 1))
    if network == "own_network":
        probabilities, embedding = add_layers(g, x, parameters)
        embedding = g.add("Add", embedding, nan_or_zero)
        return g.add("Add", probabilities, nan_or_zero), embedding
    embedding = g.add("Add", _BODIES[network](g, x, parameters), nan_or_zero)
    kernel, bias = g.weights(2)
    logits = g.add("Add", g.add("MatMul", embedding, kernel), bias)
    if parameters.get("classifier_activation") == "sigmoid":
        return g.add("Sigmoid", logits), embedding
    return g.add("Softmax", logits, axis=-1), embedding


def _convolved(
    size: tuple[int, ...], kernel_size: tuple[int, ...], pads: str
) -> tuple[int, ...]:
    if pads == "same":
        return size
    return tuple(s - k + 1 for s, k in zip(size, kernel_size, strict=True))


def _pooled(size: tuple[int, ...], pool: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(s // p for s, p in zip(size, pool, strict=True))
