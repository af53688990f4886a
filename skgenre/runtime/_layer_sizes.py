"""Sizes of a network's layers, whichever library builds them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from skgenre.runtime._own._layers import (
    LEAST_CHANNELS,
    Shape,
    check_kernel,
    cost,
    described_layers,
    embedding_shape,
)


def padding(size: Shape, kernel_size: Shape) -> str:
    """Return 'valid' where the kernel fits into the dimensions, else 'same'."""
    fits = all(s >= k for s, k in zip(size, kernel_size, strict=True))
    return "valid" if fits else "same"


def shrunk_kernel(size: Shape, kernel_size: Shape) -> Shape:
    """Return the kernel without what could reach no input, wherever it stands."""
    return tuple(min(2 * s - 1, k) for s, k in zip(size, kernel_size, strict=True))


def shrunk_pool(size: Shape, pool_size: Shape) -> Shape:
    """Return the pool, no larger than the dimensions it pools over."""
    return tuple(min(s, p) for s, p in zip(size, pool_size, strict=True))


def bands_of_view(n_columns: int, n_views: int) -> int:
    """Return the mel bands of each of several views that stand side by side.

    Raises
    ------
    ValueError
        If the columns are no multiple of the views, or of one band each.
    """
    n_mels, rest = divmod(n_columns, n_views)
    if rest or (n_mels == 1 and n_views > 1):
        raise ValueError(
            f"n_views={n_views} does not fit spectrograms of {n_columns} columns, "
            "which must be a multiple of it, with two or more for each view. Set "
            "n_views to the number of views in MelSpectrogramTransformer, 1 by default."
        )
    return n_mels


def pairs_within(n_channels: int, n_views: int) -> list[tuple[int, int]]:
    """Return each pair of channels of the same view, of which all have as many."""
    n = n_channels // n_views
    return [
        (first + i, first + j)
        for first in range(0, n_channels, n)
        for i, j in combinations(range(n), 2)
    ]


def layer_shapes(
    network: str, parameters: Mapping[str, Any]
) -> tuple[list[Shape], list[Shape], int]:
    """Return the shapes of a network's weights, of its layers' outputs, and its cost.

    Parameters
    ----------
    network : str
        Name of the function in `skgenre.networks` that builds it.
    parameters : mapping
        Its keyword arguments.

    Returns
    -------
    weights : list of tuple of int
        In Keras's order.
    outputs : list of tuple of int
        For one clip, of the layers with the largest outputs.
    n_operations : int
        Multiplications by weights, for one clip; of a network of the user's own also
        other work, in multiplications that take as long.
    """
    weights: list[Shape] = []
    outputs: list[Shape] = [tuple(parameters["input_shape"])]
    n_operations = 0
    if network == "own_network":
        layers = described_layers(parameters["network"], parameters["input_shape"])
        for kind, settings, _, made in layers:
            weights += made.weights
            outputs += [made.output, made.inside]
            n_operations += cost(kind, settings, made)
        return weights, outputs, n_operations
    for of_weights, of_output in _LAYERS[network](parameters):
        weights += of_weights
        outputs.append(of_output)
        # Each weight is used once wherever the layer stands: its output's axes but one.
        n_operations += math.prod(of_output[:-1]) * sum(
            math.prod(shape[:-2]) * max(math.prod(shape[-2:]), LEAST_CHANNELS)
            for shape in of_weights
        )
    return weights, outputs, n_operations


def embedding_size(
    network: str, parameters: Mapping[str, Any], weights: Sequence[Any]
) -> int:
    """Return the number of values of the embedding of a clip.

    Parameters
    ----------
    network, parameters
        As in `layer_shapes`.
    weights : sequence of ndarray
        In Keras's order.
    """
    if network == "own_network":
        of_user = (parameters[name] for name in ("network", "input_shape", "embedding"))
        return embedding_shape(*of_user)[-1]
    return len(weights[-2])  # rows of the kernel that reads it


_Layers = Iterator[tuple[list[Shape], Shape]]


def _crnn(parameters: Mapping[str, Any]) -> _Layers:
    n_frames, channels = parameters["input_shape"]
    size: Shape = (n_frames,)
    for n_filters in parameters["filters"]:
        convolution, size = _convolution(
            size, channels, n_filters, (parameters["kernel_size"],)
        )
        yield [*convolution, *_batch_norm(n_filters)], (*size, n_filters)
        size = _pooled(size, (parameters["pool_size"],))
        channels = n_filters
    series = (*size, parameters["lstm_units"])
    yield _recurrent(4, channels, parameters["lstm_units"], biases=()), series
    units = parameters["embedding_units"]
    yield _dense(parameters["lstm_units"], units), (units,)
    yield _dense(units, parameters["n_classes"]), (parameters["n_classes"],)


def _parallel_cnn_rnn(parameters: Mapping[str, Any]) -> _Layers:
    whole = size = tuple(parameters["input_shape"])
    channels = 1
    for n_filters, pool_size in zip(
        parameters["filters"], parameters["pool_sizes"], strict=True
    ):
        convolution, size = _convolution(
            size, channels, n_filters, parameters["kernel_size"]
        )
        yield convolution, (*size, n_filters)
        size = _pooled(size, pool_size)
        channels = n_filters
    units = parameters["gru_units"]
    series = _pooled(whole, parameters["rnn_pool_size"])
    biases = (2,) if parameters["reset_after"] else ()
    gru = _recurrent(3, series[1], units, biases=biases)
    yield gru + gru, (series[0], 2 * units)
    n_components = math.prod(size) * channels + 2 * units
    yield _dense(n_components, parameters["n_classes"]), (n_components,)


def _second_order(parameters: Mapping[str, Any]) -> _Layers:
    n_frames, n_mels = parameters["input_shape"]
    n_views, n_prototypes = parameters["n_views"], parameters["n_prototypes"]
    n_mels = bands_of_view(n_mels, n_views)
    n = min(parameters["n_mfcc"], n_frames if n_mels == 1 else n_mels)
    n_statistics = n_views * n * (n + 3) // 2
    n_channels = n_views * n
    # The cosines, of which there are several copies in double precision.
    yield [], (n_views * n_mels, n_channels, 8)
    yield [], (n_channels, n_channels)
    yield [(n_statistics,)] * 2, (n_statistics,)
    yield [(n_prototypes, n_statistics), ()], (n_prototypes,)
    yield _batch_norm(n_prototypes), (n_prototypes,)
    yield _dense(n_prototypes, parameters["n_classes"]), (parameters["n_classes"],)


_LAYERS = {
    "crnn": _crnn,
    "parallel_cnn_rnn": _parallel_cnn_rnn,
    "second_order": _second_order,
}


def _convolution(
    size: Shape, channels: int, n_filters: int, kernel_size: Shape
) -> tuple[list[Shape], Shape]:
    kernel = shrunk_kernel(size, kernel_size)
    if len(kernel) == 2:
        check_kernel(*kernel)
    if padding(size, kernel_size) == "valid":
        size = tuple(s - k + 1 for s, k in zip(size, kernel, strict=True))
    return [(*kernel, channels, n_filters), (n_filters,)], size


def _pooled(size: Shape, pool_size: Shape) -> Shape:
    pool = shrunk_pool(size, pool_size)
    return tuple(s // p for s, p in zip(size, pool, strict=True))


def _batch_norm(n: int) -> list[Shape]:
    return [(n,)] * 4


def _recurrent(n_gates: int, n_in: int, units: int, *, biases: Shape) -> list[Shape]:
    width = n_gates * units
    return [(n_in, width), (units, width), (*biases, width)]


def _dense(n_in: int, n_out: int) -> list[Shape]:
    return [(n_in, n_out), (n_out,)]
