"""musicnn's network as an ONNX graph."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from skgenre.runtime._graph import Graph

if TYPE_CHECKING:
    import onnx

_N_FRAMES, _N_MELS = 187, 96
_FRONT, _MIDDLE = range(5), range(5, 8)  # convolutions, as they are numbered


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
    g = Graph([*_weights(variables)])
    x = g.batch_norm(g.reshape("patches", (-1, 1, _N_FRAMES, _N_MELS)))

    around = g.add("Pad", x, g.constant((0, 0, 3, 0, 0, 0, 3, 0), "int64"))
    found = []
    for i in _FRONT:
        y = g.conv(around, "valid") if i < 2 else g.conv(x, "same")
        y = g.batch_norm(g.add("Relu", y))
        found.append(g.add("ReduceMax", y, axes=[3], keepdims=0))
    front = g.add("Concat", *found, axis=1)

    levels, y = [front], front
    for i in _MIDDLE:
        z = g.batch_norm(g.add("Relu", g.conv(y, "same")))
        y = z if i == _MIDDLE[0] else g.add("Add", z, y)
        levels.append(y)
    g.add("Transpose", y, perm=(0, 2, 1), output="correlations")
    x = g.add("Concat", *levels, axis=1)

    pools = (g.add(f"Reduce{kind}", x, axes=[2]) for kind in ("Max", "Mean"))
    x = g.add("Flatten", g.add("Concat", *pools, axis=2), output="pooled")
    x = g.add("Relu", g.dense(g.batch_norm(x)))
    x = g.add("Identity", g.batch_norm(x), output="penultimate")
    g.add("Sigmoid", g.dense(x), output="tags")
    return g.model(
        {"patches": ("n", _N_FRAMES, _N_MELS)},
        {
            "correlations": ("n", _N_FRAMES, 64),
            "pooled": ("n", 1506),
            "penultimate": ("n", 200),
            "tags": ("n", 50),
        },
        "musicnn",
    )


def _weights(variables: Mapping[str, NDArray]) -> list[NDArray]:
    """Return the variables in the order in which the graph takes them."""

    def layer(name: str, number: int) -> list[NDArray]:
        names = (
            ("gamma", "beta", "moving_mean", "moving_variance")
            if name == "batch_normalization"
            else ("kernel", "bias")
        )
        name = f"{name}_{number}" if number else name
        return [variables[f"{name}/{variable}"] for variable in names]

    weights = layer("batch_normalization", 0)
    for i in (*_FRONT, *_MIDDLE):
        kernel, bias = layer("conv2d", i)
        if i in _MIDDLE:  # as high as what it reads: a convolution over time
            kernel = kernel[:, :, 0]
        weights += [kernel, bias, *layer("batch_normalization", i + 1)]
    return (
        weights
        + layer("batch_normalization", 9)
        + layer("dense", 0)
        + layer("batch_normalization", 10)
        + layer("dense", 1)
    )
