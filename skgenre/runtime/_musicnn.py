"""musicnn's network without the filters that its training has silenced, as a graph."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgenre.runtime._graph import Graph

if TYPE_CHECKING:
    import onnx

N_FRAMES, N_MELS = 187, 96
"""Size of the 3 s patches that the network was trained on."""
_FRONT, _MIDDLE = range(5), range(5, 8)  # convolutions, as they are numbered
# Sum of a silent kernel's absolute values, at most; the loudest have 30. It is so small
# that tags differ by less than 1e-5 from those of all filters.
_SILENT = 0.03
_BLOCK = 16
"""Runtimes compute so many filters together, where there are fewer, too."""


class Audible(NamedTuple):
    """The network's variables without those filters of its front that hear nothing.

    Weight decay has taken the kernels of nine filters in ten ('msd') or of six in ten
    ('mtt') to zero. What such a filter finds is its bias, whatever the music is: the
    convolution that reads it has the same offset for every patch, and the pools give
    that bias, normalised.

    The convolutions find as much before their ReLU and their pool over the bands as
    after it: the largest of what a filter finds is normalised. Where a normalisation
    turns the order round, that is the smallest, or, of a kernel with the other sign,
    the largest.
    """

    variables: dict[str, NDArray]
    """By their names in the checkpoint; ``front_norm`` is that of all front filters."""
    signs: NDArray
    """1, or -1 for a filter whose kernel and bias are given with the other sign."""
    offset: NDArray
    """What the first convolution over time finds in the silent filters, and its bias:
    of shape (187, 64), since there are fewer of them around the ends."""
    places: NDArray
    """For each of the 753 pooled features its place among those that are left, or
    their number."""
    silence: NDArray
    """What the pools find of a silent filter, and 0 for other features."""


def audible(variables: Mapping[str, NDArray]) -> Audible:
    """Return the variables of the filters that hear anything.

    Parameters
    ----------
    variables : mapping of str to ndarray
        All of a published checkpoint.
    """
    left = dict(variables)
    hears, signs, biases, norms = [], [], [], []
    for i in _FRONT:
        names = _names("conv2d", i)
        kernel, bias = (variables[name] for name in names)
        norm = [variables[name] for name in _names("batch_normalization", i + 1)]
        sign = np.where(norm[0] < 0, np.float32(-1), np.float32(1))
        is_heard = _loudest(np.abs(kernel).sum(axis=(0, 1, 2)))
        for name, part in zip(names, (kernel, bias), strict=True):
            left[name] = (part * sign)[..., is_heard]
        hears.append(is_heard)
        signs.append(sign)
        biases.append(bias)
        norms.append(norm)
    heard = np.concatenate(hears)
    norm = [np.concatenate(parts) for parts in zip(*norms, strict=True)]
    left |= {
        name: part[heard]
        for name, part in zip(_names("front_norm", 0), norm, strict=True)
    }
    gamma, beta, mean, variance = norm
    found = np.maximum(np.concatenate(biases), 0)
    found = (found - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    silence = np.where(heard, 0, found)

    kernel_name, bias_name = _names("conv2d", _MIDDLE[0])
    kernel, bias = variables[kernel_name], variables[bias_name]
    left |= {kernel_name: kernel[:, heard], bias_name: np.zeros_like(bias)}
    taps = np.tensordot(kernel[:, :, 0], silence, axes=(1, 0))
    frames = np.arange(N_FRAMES)[:, np.newaxis] + np.arange(len(taps)) - len(taps) // 2
    is_inside = (frames >= 0) & (frames < N_FRAMES)

    later = np.ones(len(_MIDDLE) * len(bias), bool)
    pooled = np.concatenate([heard, later])
    return Audible(
        left,
        signs=np.concatenate(signs)[heard],
        offset=is_inside @ taps + bias,
        places=np.where(pooled, np.cumsum(pooled) - 1, pooled.sum()),
        silence=np.pad(silence, (0, len(later))),
    )


def _loudest(loudness: NDArray) -> NDArray:
    """Return which filters to compute: those that hear, and more to fill a block."""
    n_blocks = -(-np.count_nonzero(loudness > _SILENT) // _BLOCK)
    ranks = np.argsort(np.argsort(-loudness, kind="stable"))
    return ranks < n_blocks * _BLOCK


def musicnn_graph(variables: Mapping[str, NDArray]) -> "onnx.ModelProto":
    """Return the network with the variables of a published checkpoint.

    Parameters
    ----------
    variables : mapping of str to ndarray
        By their names in the checkpoint.

    Returns
    -------
    onnx.ModelProto
        'patches' (n, 187, 96) to 'pooled' (n, 1506), 'penultimate' (n, 200), 'tags'
        (n, 50) and 'correlations' (n, 187, 64), as
        :func:`skgenre.features._pretrained._musicnn_network.build_musicnn` documents.
    """
    network = audible(variables)
    g = Graph([*_weights(network.variables)])
    x = g.batch_norm(g.reshape("patches", (-1, 1, N_FRAMES, N_MELS)))

    around = g.add("Pad", x, g.constant((0, 0, 3, 0, 0, 0, 3, 0), "int64"))
    found = []
    for i in _FRONT:
        n_bands = N_MELS - len(network.variables[_names("conv2d", i)[0]][0]) + 1
        y = g.conv(around, "valid") if i < 2 else g.conv(x, "same")
        found.append(g.max_pool(y, (1, n_bands)))
    x = g.reshape(g.add("Concat", *found, axis=1), (0, 0, -1))
    x = g.add("Mul", x, g.constant(network.signs[:, np.newaxis]))
    front = g.batch_norm(g.add("Relu", x))

    levels, y = [front], front
    for i in _MIDDLE:
        z = g.conv(y, "same")
        if i == _MIDDLE[0]:
            z = g.add("Add", z, g.constant(network.offset.T))
        z = g.batch_norm(g.add("Relu", z))
        y = z if i == _MIDDLE[0] else g.add("Add", z, y)
        levels.append(y)
    g.add("Transpose", y, perm=(0, 2, 1), output="correlations")
    x = g.add("Concat", *levels, axis=1)

    pools = (g.add(f"Reduce{kind}", x, axes=[2]) for kind in ("Max", "Mean"))
    # A zero stands where a filter is silent, until what is found of it is added.
    x = g.add(
        "Pad", g.add("Concat", *pools, axis=2), g.constant((0, 0, 0, 0, 1, 0), "int64")
    )
    x = g.add("Gather", x, g.constant(network.places, "int64"), axis=1)
    x = g.add("Add", x, g.constant(network.silence[:, np.newaxis]))
    x = g.add("Flatten", x, output="pooled")
    x = g.add("Relu", g.dense(g.batch_norm(x)))
    x = g.add("Identity", g.batch_norm(x), output="penultimate")
    g.add("Sigmoid", g.dense(x), output="tags")
    return g.model(
        {"patches": ("n", N_FRAMES, N_MELS)},
        {
            "correlations": ("n", N_FRAMES, 64),
            "pooled": ("n", 1506),
            "penultimate": ("n", 200),
            "tags": ("n", 50),
        },
        "musicnn",
    )


def _weights(variables: Mapping[str, NDArray]) -> list[NDArray]:
    """Return the variables in the order in which the graph takes them."""

    def layer(name: str, number: int = 0) -> list[NDArray]:
        return [variables[variable] for variable in _names(name, number)]

    weights = layer("batch_normalization")
    for i in _FRONT:
        weights += layer("conv2d", i)
    weights += layer("front_norm")
    for i in _MIDDLE:
        kernel, bias = layer("conv2d", i)
        # It is as high as what it reads: a convolution over time.
        weights += [kernel[:, :, 0], bias, *layer("batch_normalization", i + 1)]
    return (
        weights
        + layer("batch_normalization", 9)
        + layer("dense")
        + layer("batch_normalization", 10)
        + layer("dense", 1)
    )


def _names(layer: str, number: int) -> list[str]:
    """Return the names of a layer's variables in the checkpoint."""
    parts = (
        "gamma beta moving_mean moving_variance" if "norm" in layer else "kernel bias"
    )
    layer = f"{layer}_{number}" if number else layer
    return [f"{layer}/{part}" for part in parts.split()]
