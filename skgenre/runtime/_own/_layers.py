"""The closed list of Keras's layers that a network may be described by, as plain data.

A description is a tuple of layers, in the order in which Keras has them. A layer is a
tuple of its kind, its name, the numbers of the layers whose outputs it takes, and its
settings, as pairs of a name and a value: texts, numbers, None, and tuples of these. The
first layer is the input, the last one gives the probabilities. No setting is a function
or names one: what a layer can be is this list.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

Shape = tuple[int, ...]
Settings = Mapping[str, Any]
Layers = tuple[tuple[str, str, tuple[int, ...], tuple[tuple[str, Any], ...]], ...]

_MOST_LAYERS = 500
_MOST_SERIES = 50  # layers over series: each takes as long to trace as ten others
_LARGEST_STRIDE = 2**12  # of a kernel; TensorFlow takes memory in proportion
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)

# What a setting may be.

_Check = Callable[[Any], bool]


def _one_of(*choices: Any) -> _Check:
    # True equals 1, but is of another type.
    return lambda value: any(type(value) is type(c) and value == c for c in choices)


def _number(low: float = -math.inf, high: float = math.inf) -> _Check:
    def check(value: Any) -> bool:
        return type(value) in (int, float) and (
            math.isfinite(value) and low <= value <= high
        )

    return check


def _integer(low: int = 1, high: int = 2**31 - 1) -> _Check:
    return lambda value: type(value) is int and low <= value <= high


def _tuple(check: _Check, n: int | None = None) -> _Check:
    def check_all(value: Any) -> bool:
        is_tuple = type(value) is tuple and n in (None, len(value))
        return is_tuple and len(value) <= 10 and all(map(check, value))

    return check_all


def _pair(value: Any) -> bool:
    return type(value) is tuple and len(value) == 2


def _optional(check: _Check) -> _Check:
    return lambda value: value is None or check(value)


_flag = _one_of(True, False)
_rate = _number(0, 1)

ACTIVATIONS = (
    *("linear", "relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "softplus"),
    *("sigmoid", "hard_sigmoid", "hard_silu", "tanh", "softmax"),
)
_activation = _one_of(*ACTIVATIONS)
_DISTRIBUTIONS = ("uniform", "truncated_normal", "untruncated_normal")
INITIALIZERS: dict[str, dict[str, _Check]] = {
    "Constant": {"value": _number()},
    **{name: {} for name in ("Zeros", "Ones")},
    "Orthogonal": {"gain": _number()},
    **{
        f"{scheme}{distribution}": {}
        for scheme in ("Glorot", "He", "Lecun")
        for distribution in ("Normal", "Uniform")
    },
    **{
        name: {"mean": _number(), "stddev": _number(0)}
        for name in ("RandomNormal", "TruncatedNormal")
    },
    "RandomUniform": {"minval": _number(), "maxval": _number()},
    "VarianceScaling": {
        "scale": _number(1e-12),
        "mode": _one_of("fan_in", "fan_out", "fan_avg"),
        "distribution": _one_of(*_DISTRIBUTIONS),
    },
}
"""Initialisers that a layer may have, and their settings, but for the seed."""
REGULARIZERS = {
    kind: {name: _number(0) for name in penalties}
    for kind, penalties in [("L1", ["l1"]), ("L2", ["l2"]), ("L1L2", ["l1", "l2"])]
}
"""Penalties that a layer may have, and their settings."""


def _object_of(classes: Mapping[str, Mapping[str, _Check]]) -> _Check:
    def check(value: Any) -> bool:
        if not _pair(value) or type(value[0]) is not str or value[0] not in classes:
            return False
        kinds, settings = classes[value[0]], value[1]
        return _tuple(_pair)(settings) and all(
            type(name) is str and name in kinds and kinds[name](each)
            for name, each in settings
        )

    return check


_initializer = _object_of(INITIALIZERS)
_penalty = _optional(_object_of(REGULARIZERS))
DTYPES = ("float32", "mixed_bfloat16", "mixed_float16")

_OF_ALL: dict[str, _Check] = {"dtype": _one_of(*DTYPES), "trainable": _flag}


def _weighted(*names: str) -> dict[str, _Check]:
    """Return the settings of weights: how they begin, and the penalties on them."""
    return {
        **{f"{name}_initializer": _initializer for name in names},
        **{f"{name}_regularizer": _penalty for name in names},
    }


# What a layer makes of the shapes of its inputs, without the batch.


class Made(NamedTuple):
    """What a layer consists of and makes."""

    output: Shape
    """Shape of the output for one clip."""
    weights: tuple[Shape, ...] = ()
    """Shapes of the weights, in Keras's order."""
    n_operations: int = 0
    """Time for one clip, in multiplications by weights."""
    inside: Shape = ()
    """Shape of the largest array on the way, or of several side by side."""


def _require(holds: Any, what: str) -> None:
    if not holds:
        raise ValueError(what)


def _biased(settings: Settings, *kernels: Shape, n: int) -> tuple[Shape, ...]:
    return (*kernels, (n,)) if settings["use_bias"] else kernels


# The time of other work, in multiplications of large matrices: measured on a processor,
# in batches of eight clips.
_VALUE = 2**7  # of a layer's output; it bounds the memory, too
_SOFTMAX = 2**10  # a value of a softmax, in short rows
_STEP = 2**18  # of a series, the least
_POOLED_1D, _POOLED_2D = 2**9, 2**4  # a value under a pool
LEAST_CHANNELS = 2**6
"""Of a kernel, inputs times outputs: fewer take as long."""
# Values of a kernel over two axes. TensorFlow copies what is under it for thousands of
# places at a time, and ends the process at some kernels of 40,000.
_MOST_UNDER_KERNEL = 2**13


def check_kernel(*size: int) -> None:
    """Refuse a kernel over two axes with which TensorFlow may end the process.

    Raises
    ------
    ValueError
        If it has too many values.
    """
    _require(
        math.prod(size) <= _MOST_UNDER_KERNEL,
        f"A kernel of {' x '.join(map(str, size))} values is too large: the most are "
        f"{_MOST_UNDER_KERNEL}. Make it smaller",
    )


def cost(kind: str, settings: Settings, made: Made) -> int:
    """Return the time of a layer for one clip, in multiplications by weights."""
    n_values = math.prod(made.output) + math.prod(made.inside)
    n = made.n_operations + _VALUE * n_values
    if "softmax" in (kind.lower(), settings.get("activation")):
        n += _SOFTMAX * n_values
    return n


def _same_shape(settings: Settings, x: Shape) -> Made:
    return Made(x)


def _dense(settings: Settings, x: Shape) -> Made:
    kernel = (x[-1], settings["units"])
    output = (*x[:-1], settings["units"])
    n = math.prod(x) * settings["units"]
    return Made(output, _biased(settings, kernel, n=settings["units"]), n)


def window(settings: Settings, space: Shape, size: Shape) -> Shape:
    """Return how many places a kernel or a pool of a size has along each axis."""
    dilation = settings.get("dilation_rate", (1,) * len(space))
    _require(
        max(settings["strides"]) == 1 or max(dilation) == 1,
        "a convolution has strides and a dilation",
    )
    result = []
    axes = zip(space, size, settings["strides"], dilation, strict=True)
    for n, k, step, rate in axes:
        _require(rate <= n, "a kernel has gaps that are larger than what it is over")
        reach = (k - 1) * rate + 1
        if settings["padding"] == "same":
            _require(
                reach < 2 * n or rate == 1, "a kernel reaches beyond what it is over"
            )
            result.append(-(-n // step))
        else:
            _require(n >= reach, "a kernel or a pool is larger than what it is over")
            result.append((n - reach) // step + 1)
    return tuple(result)


def _convolution(settings: Settings, x: Shape) -> Made:
    size = settings["kernel_size"]
    _require(len(x) == len(size) + 1, "a convolution is over other axes")
    if len(size) == 2:
        check_kernel(*size)
    *space, channels = x
    places = window(settings, tuple(space), size)
    kernel = (*size, channels, settings["filters"])
    weights = _biased(settings, kernel, n=settings["filters"])
    n = math.prod(places) * math.prod(size)
    n *= max(channels * settings["filters"], LEAST_CHANNELS)
    return Made((*places, settings["filters"]), weights, n)


def _depthwise(settings: Settings, x: Shape) -> Made:
    _require(len(x) == 3, "a convolution is over other axes")
    check_kernel(*settings["kernel_size"])
    places = window(settings, x[:2], settings["kernel_size"])
    kernel = (*settings["kernel_size"], x[2], 1)
    weights = _biased(settings, kernel, n=x[2])
    n = math.prod(places) * math.prod(settings["kernel_size"])
    return Made((*places, x[2]), weights, n * max(_POOLED_2D * x[2], LEAST_CHANNELS))


def _pool(settings: Settings, x: Shape) -> Made:
    size = settings["pool_size"]
    _require(len(x) == len(size) + 1, "a pool is over other axes")
    _require(max(size) <= max(x[:-1]), "a pool is larger than what it is over")
    output = (*window(settings, x[:-1], size), x[-1])
    under = (*output, *size)
    if len(size) == 2:
        return Made(output, n_operations=_POOLED_2D * math.prod(under))
    # TensorFlow takes the windows out one by one.
    return Made(output, n_operations=_POOLED_1D * math.prod(under), inside=under)


def _global_pool(n_axes: int) -> Callable[[Settings, Shape], Made]:
    def made(settings: Settings, x: Shape) -> Made:
        _require(len(x) == n_axes + 1, "a pool is over other axes")
        kept = (1,) * n_axes if settings["keepdims"] else ()
        return Made((*kept, x[-1]))

    return made


def _padding(settings: Settings, x: Shape) -> Made:
    _require(len(x) == 3, "zeros are put around other axes")
    space = (n + sum(pads) for n, pads in zip(x, settings["padding"], strict=False))
    return Made((*space, x[-1]))


def _batch_norm(settings: Settings, x: Shape) -> Made:
    n = 2 + settings["scale"] + settings["center"]
    return Made(x, ((x[-1],),) * n)


def _layer_norm(settings: Settings, x: Shape) -> Made:
    n = settings["scale"] + settings["center"]
    return Made(x, ((x[-1],),) * n)


def _reshape(settings: Settings, x: Shape) -> Made:
    shape = settings["target_shape"]
    if -1 in shape:
        known = -math.prod(shape)
        _require(shape.count(-1) == 1 and known > 0, "a shape is not known")
        shape = tuple(math.prod(x) // known if n == -1 else n for n in shape)
    _require(math.prod(shape) == math.prod(x), "a shape is for other values")
    return Made(shape)


def _permute(settings: Settings, x: Shape) -> Made:
    dims = settings["dims"]
    _require(sorted(dims) == [*range(1, len(x) + 1)], "axes are changed to others")
    return Made(tuple(x[i - 1] for i in dims))


def _broadcast(settings: Settings, *xs: Shape) -> Made:
    rank = max(map(len, xs))
    _require(all(len(x) == rank for x in xs), "what is merged has other axes")
    shape = tuple(max(sizes) for sizes in zip(*xs, strict=True))
    fits = all(n in (1, most) for x in xs for n, most in zip(x, shape, strict=True))
    _require(fits, "what is merged has other sizes")
    return Made(shape, n_operations=len(xs) * _VALUE * math.prod(shape))


def _concatenate(settings: Settings, *xs: Shape) -> Made:
    _require(len({x[:-1] for x in xs}) == 1, "what is merged has other sizes")
    return Made((*xs[0][:-1], sum(x[-1] for x in xs)))


def _recurrent(n_gates: int) -> Callable[[Settings, Shape], Made]:
    def made(settings: Settings, x: Shape) -> Made:
        _require(len(x) == 2, "a series has other axes")
        n_steps, n_in = x
        units = settings["units"]
        width = n_gates * units
        biases = (2, width) if settings.get("reset_after", False) else (width,)
        weights = ((n_in, width), (units, width), biases)
        series = (n_steps, width)
        output = (n_steps, units) if settings["return_sequences"] else (units,)
        n = n_steps * max(sum(map(math.prod, weights)), _STEP)
        return Made(output, weights, n, series)

    return made


def _bidirectional(settings: Settings, x: Shape) -> Made:
    kind, inner = settings["layer"]
    made = LAYERS[kind].made(dict(inner), x)
    output = (*made.output[:-1], 2 * made.output[-1])
    return Made(output, made.weights * 2, 2 * made.n_operations, made.inside)


def _attention(settings: Settings, *xs: Shape) -> Made:
    query, value, key = (*xs, xs[-1])[:3]
    _require(all(len(x) == 2 for x in xs), "attention is over other axes")
    _require(value[0] == key[0], "attention is over series of other lengths")
    heads, size = settings["num_heads"], settings["key_dim"]
    value_size = settings["value_dim"] or size
    weights: list[Shape] = []
    for n_in, n_out in ((query[1], size), (key[1], size), (value[1], value_size)):
        weights.append((n_in, heads, n_out))
        weights += [(heads, n_out)] * settings["use_bias"]
    weights.append((heads, value_size, query[1]))
    weights += [(query[1],)] * settings["use_bias"]
    n = (query[0] + value[0]) * sum(map(math.prod, weights))
    n += heads * query[0] * value[0] * (size + value_size)
    # The scores, and what the heads make of each series.
    of_head = query[0] * value[0] + (query[0] + value[0]) * (size + value_size)
    return Made(query, tuple(weights), n, (heads, of_head))


# The list.


class Layer(NamedTuple):
    """What a kind of layer may be."""

    settings: Mapping[str, _Check]
    """Kinds of its settings, all of which are in a description."""
    made: Callable[..., Made]
    """Takes the settings and the shapes of the inputs."""
    n_inputs: tuple[int, ...] = (1,)
    """How many inputs it may have."""


_several = tuple(range(2, 65))
_norm = {"epsilon": _number(1e-12, 1), "center": _flag, "scale": _flag}


def _sliding(axes: int, size: str) -> dict[str, _Check]:
    return {
        size: _tuple(_integer(), axes),
        "strides": _tuple(_integer(), axes),
        "padding": _one_of("valid", "same"),
    }


def _conv(axes: int, kernel: str = "kernel") -> dict[str, _Check]:
    return {
        **_sliding(axes, "kernel_size"),
        "strides": _tuple(_integer(high=_LARGEST_STRIDE), axes),
        "dilation_rate": _tuple(_integer(), axes),
        "activation": _activation,
        "use_bias": _flag,
        **_weighted(kernel, "bias"),
    }


_SERIES: dict[str, _Check] = {
    "units": _integer(),
    "return_sequences": _flag,
    "dropout": _rate,
    "recurrent_dropout": _rate,
    **_weighted("kernel", "recurrent", "bias"),
}
_LSTM = {**_SERIES, "unit_forget_bias": _flag}
_GRU = {**_SERIES, "reset_after": _flag}


def _inner(value: Any) -> bool:
    if not _pair(value) or value[0] not in ("LSTM", "GRU"):
        return False
    try:
        check_settings(*value)
    except ValueError:
        return False
    return True


LAYERS: dict[str, Layer] = {
    "Dense": Layer(
        {
            "units": _integer(),
            "activation": _activation,
            "use_bias": _flag,
            **_weighted("kernel", "bias"),
        },
        _dense,
    ),
    **{
        f"Conv{n}D": Layer({"filters": _integer(), **_conv(n)}, _convolution)
        for n in (1, 2)
    },
    "DepthwiseConv2D": Layer(_conv(2, "depthwise"), _depthwise),
    **{
        f"{kind}Pooling{n}D": Layer(_sliding(n, "pool_size"), _pool)
        for kind in ("Max", "Average")
        for n in (1, 2)
    },
    **{
        f"Global{kind}Pooling{n}D": Layer({"keepdims": _flag}, _global_pool(n))
        for kind in ("Max", "Average")
        for n in (1, 2)
    },
    "ZeroPadding2D": Layer(
        {"padding": _tuple(_tuple(_integer(0), 2), 2)},
        _padding,
    ),
    "BatchNormalization": Layer(
        {
            **_norm,
            "momentum": _rate,
            **{
                f"{name}_initializer": _initializer
                for name in ("gamma", "beta", "moving_mean", "moving_variance")
            },
        },
        _batch_norm,
    ),
    "LayerNormalization": Layer(
        {**_norm, **{f"{n}_initializer": _initializer for n in ("gamma", "beta")}},
        _layer_norm,
    ),
    "Activation": Layer({"activation": _activation}, _same_shape),
    "ReLU": Layer({"max_value": _optional(_number(0))}, _same_shape),
    "LeakyReLU": Layer({"negative_slope": _number(0, 1)}, _same_shape),
    "Softmax": Layer({}, _same_shape),
    "Rescaling": Layer({"scale": _number(), "offset": _number()}, _same_shape),
    **{
        kind: Layer({"rate": _rate}, _same_shape)
        for kind in ("Dropout", "SpatialDropout1D", "SpatialDropout2D")
    },
    "GaussianNoise": Layer({"stddev": _number(0, 1)}, _same_shape),
    "Flatten": Layer({}, lambda settings, x: Made((math.prod(x),))),
    "Reshape": Layer({"target_shape": _tuple(_integer(-1))}, _reshape),
    "Permute": Layer({"dims": _tuple(_integer())}, _permute),
    "Add": Layer({}, _broadcast, _several),
    "Multiply": Layer({}, _broadcast, _several),
    "Concatenate": Layer({}, _concatenate, _several),
    "LSTM": Layer(_LSTM, _recurrent(4)),
    "GRU": Layer(_GRU, _recurrent(3)),
    "Bidirectional": Layer({"layer": _inner}, _bidirectional),
    "MultiHeadAttention": Layer(
        {
            "num_heads": _integer(),
            "key_dim": _integer(),
            "value_dim": _optional(_integer()),
            "dropout": _rate,
            "use_bias": _flag,
            **_weighted("kernel", "bias"),
        },
        _attention,
        (2, 3),
    ),
}
"""The layers that a network may be described by, by the names of Keras's classes."""
ARITHMETIC = {"x + y": "Add", "x * y": "Multiply"}
"""Sums and products of a value and a number, or of two values, which are no layers."""
_SERIES_LAYERS = ("LSTM", "GRU", "Bidirectional", "MultiHeadAttention")
INPUT = "InputLayer"


def check_settings(kind: str, settings: Any) -> dict[str, Any]:
    """Return the settings of a layer, held against the list.

    Raises
    ------
    ValueError
        If they are others, or have other values.
    """
    kinds = {**LAYERS[kind].settings, **_OF_ALL}
    is_plain = type(settings) is tuple and all(map(_pair, settings))
    _require(is_plain, f"a layer {kind} has no settings by name")
    _require(
        [name for name, _ in settings] == sorted(kinds),
        f"a layer {kind} has other settings than Keras's",
    )
    for name, value in settings:
        _require(kinds[name](value), f"the {name} of a layer {kind} is out of range")
    return dict(settings)


def described_layers(
    layers: Any, input_shape: Shape
) -> Iterator[tuple[str, dict[str, Any], tuple[Shape, ...], Made]]:
    """Yield each layer's kind, settings, shapes of its inputs, and what it makes.

    Parameters
    ----------
    layers : tuple
        The description, of unknown origin.
    input_shape : tuple of int
        Shape of a spectrogram.

    Raises
    ------
    ValueError
        If it describes no network, or a layer can't take what it is given.
    """
    is_tuple = type(layers) is tuple and 2 <= len(layers) <= _MOST_LAYERS
    _require(is_tuple, f"expected 2 to {_MOST_LAYERS} layers")
    outputs: list[Shape] = []
    used: set[int] = set()
    seen: set[str] = set()
    n_series = 0
    for number, layer in enumerate(layers):
        is_layer = type(layer) is tuple and len(layer) == 4
        _require(is_layer, "a layer is not described by four values")
        kind, name, sources, settings = layer
        _require(type(kind) is str and type(name) is str, "a layer has no name")
        _require(
            _NAME.fullmatch(name) and name not in seen,
            f"the name {name[:100]!r} of a layer is not of letters, digits and _.-, or "
            "is another's, too",
        )
        seen.add(name)
        _require(
            type(sources) is tuple
            and all(type(i) is int and 0 <= i < number for i in sources),
            f"the layer {name!r} takes the output of none before it",
        )
        used.update(sources)
        inputs = tuple(outputs[i] for i in sources)
        if number == 0:
            _require(layer == (INPUT, name, (), ()), "the first layer is no input")
            made, values = Made(tuple(input_shape)), {}
        elif kind in ARITHMETIC:
            made, values = _arithmetic(settings, inputs), dict(settings)
        else:
            _require(
                kind in LAYERS,
                f"the layer {name!r} is a {kind[:80]}, which is not in the list",
            )
            values = check_settings(kind, settings)
            n_inputs = LAYERS[kind].n_inputs
            _require(len(inputs) in n_inputs, f"the layer {name!r} takes other inputs")
            made = LAYERS[kind].made(values, *inputs)
            n_series += kind in _SERIES_LAYERS
        _require(n_series <= _MOST_SERIES, f"more than {_MOST_SERIES} are over series")
        _require(
            made.output and len(made.output) <= 8 and min(made.output) > 0,
            f"the layer {name!r} has no output",
        )
        outputs.append(made.output)
        yield kind, values, inputs, made
    is_used = used == set(range(len(layers) - 1))
    _require(is_used, "the output of a layer is not used")


def _arithmetic(settings: Any, inputs: tuple[Shape, ...]) -> Made:
    if len(inputs) == 1:
        is_number = type(settings) is tuple and len(settings) == 1
        _require(
            is_number
            and _pair(settings[0])
            and settings[0][0] == "y"
            and _number()(settings[0][1]),
            "a sum or product is with no number",
        )
        return _same_shape({}, inputs[0])
    _require(len(inputs) == 2 and settings == (), "a sum or product is of others")
    return _broadcast({}, *inputs)


def embedding_shape(layers: Layers, input_shape: Shape, embedding: int | None) -> Shape:
    """Return the shape of the output of the layer that is the embedding.

    Parameters
    ----------
    layers : tuple
        The description.
    input_shape : tuple of int
        Shape of a spectrogram.
    embedding : int or None
        Number of the layer, where sums and products don't count; None is the one before
        the last.

    Raises
    ------
    ValueError
        If there is no such layer, or several are before the last.
    """
    return [made for *_, made in described_layers(layers, input_shape)][
        embedding_number(layers, embedding)
    ].output


def embedding_number(layers: Layers, embedding: int | None) -> int:
    """Return which of all layers, sums and products the embedding is."""
    if embedding is None:
        _require(len(layers[-1][2]) == 1, "several layers are before the last")
        return layers[-1][2][0]
    numbers = [i for i, layer in enumerate(layers) if layer[0] not in ARITHMETIC]
    _require(0 <= embedding < len(numbers), "there is no such embedding")
    return numbers[embedding]
