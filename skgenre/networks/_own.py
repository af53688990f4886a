"""Networks of the user's own: built, and described as plain data."""

import inspect
import random
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import layers

from skgenre.runtime._keras import layers_of
from skgenre.runtime._keras_function import embedding_values, without_weights
from skgenre.runtime._own._layers import (
    ARITHMETIC,
    INPUT,
    LAYERS,
    Layers,
    described_layers,
)


def own_network(
    input_shape: tuple[int, ...],
    n_classes: int,
    *,
    network: Callable[..., keras.Model] | keras.Model | Layers,
    network_parameters: Sequence[tuple[str, Any]] = (),
    embedding: int | None = None,
    precision: str = "float32",
    seed: int | None = None,
) -> keras.Model:
    """Build a network of the user's own.

    Parameters
    ----------
    input_shape : tuple of (n_frames, n_mels)
        Shape of one spectrogram.
    n_classes : int
        Number of genres.
    network : callable, keras.Model or tuple
        Called with `input_shape`, `n_classes` and the parameters; or a network, of
        which another one is made, without its weights; or the layers of one, as
        `describe` returns them.
    network_parameters : sequence of (str, value)
        Keyword arguments of the callable.
    embedding : int, default=None
        Not used here: which layer's output the embedding is.
    precision : str, default='float32'
        Keras dtype policy of the layers that state none.
    seed : int, default=None
        Seed of the layers and initialisers that state none.

    Returns
    -------
    keras.Model
        Not compiled; (batch, n_frames, n_mels) to (batch, n_classes) probabilities.

    Raises
    ------
    TypeError, ValueError
        If it is no such network.
    """
    with layers_of(precision), _drawing_from(seed):
        if isinstance(network, tuple):
            for _ in described_layers(network, tuple(input_shape)):
                pass  # or it raises, before anything is built
            model = _of_layers(network, input_shape)
        elif isinstance(network, keras.Model):
            model = keras.models.clone_model(network)
        else:
            model = network(input_shape, n_classes, **dict(network_parameters))
    _check(model, input_shape, n_classes)
    # A Sequential leaves its input out of its layers; others may take a list or a dict.
    if isinstance(model, keras.Sequential) or not all(
        isinstance(values, keras.KerasTensor) for values in (model.input, model.output)
    ):
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return model


_lock = threading.Lock()


@contextmanager
def _drawing_from(seed: int | None) -> Iterator[None]:
    """Have Keras draw the seeds that nobody has given it from this one.

    It draws them from Python's global generator, which is left as it was.
    """
    with _lock:
        before = random.getstate()
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(before)


def _check(model: Any, input_shape: tuple[int, ...], n_classes: int) -> None:
    if not isinstance(model, keras.Model):
        raise TypeError(
            "network must return a keras.Model, got "
            f"{type(model).__name__}: {model!r:.100}."
        )
    # A Sequential without an input raises AttributeError.
    inputs, outputs = (
        [tuple(x.shape[1:]) for x in getattr(model, side, None) or ()]
        for side in ("inputs", "outputs")
    )
    if inputs != [tuple(input_shape)]:
        shape = ", ".join(map(str, inputs)) or "no known shape"
        raise ValueError(
            f"The network takes {shape}, but the spectrograms are of the shape "
            f"{tuple(input_shape)}. Begin it with keras.Input(input_shape) and, for "
            "convolutions over two axes, keras.layers.Reshape((*input_shape, 1))."
        )
    if outputs != [(n_classes,)]:
        shape = ", ".join(map(str, outputs))
        raise ValueError(
            f"The network gives {shape}, but there are {n_classes} genres. End it "
            'with keras.layers.Dense(n_classes, activation="softmax").'
        )


def examined(
    input_shape: tuple[int, ...],
    n_classes: int,
    *,
    network: Callable[..., keras.Model] | keras.Model | Layers,
    network_parameters: tuple[tuple[str, Any], ...],
    embedding: str | None,
    precision: str,
    several: bool,
) -> dict[str, Any]:
    """Return what `own_network` is to build the network with in predictions.

    These are its layers as data where all are in the closed list, and otherwise the
    function or the network itself. `embedding` is the number of the layer of this name,
    and `several` says whether clips may have several genres.

    Raises
    ------
    TypeError, ValueError
        If it is no network for these spectrograms and genres, its outputs are no
        probabilities of one genre or of several, or there is no such layer.
    """
    parameters: dict[str, Any] = {
        "input_shape": input_shape,
        "n_classes": n_classes,
        "precision": precision,
        "network": network,
        "network_parameters": network_parameters,
    }
    model = own_network(**parameters, seed=0)
    _check_probabilities(model, several)
    number = _layer_number(model, embedding)
    embedding_values(model, number)  # or it raises
    described = layers_or_none(model)
    if described is not None and _is_same(model, described):
        parameters |= {"network": described, "network_parameters": ()}
    try:
        hash(parameters["network_parameters"])  # networks are kept by it
    except TypeError as error:
        raise TypeError(
            f"network_parameters={dict(network_parameters)!r:.200}: {error}. A network "
            "of other layers than common ones, which the user guide lists, takes "
            "only values that can be hashed: make it tuples and names."
        ) from None
    return parameters | {"embedding": number}


def layers_or_none(model: keras.Model) -> Layers | None:
    """Return what `describe` does; None where it refuses."""
    try:
        return describe(model)
    except ValueError:
        return None


def _check_probabilities(model: keras.Model, several: bool) -> None:
    """Refuse a network whose outputs for random inputs are no probabilities."""
    noise = np.random.default_rng(0).normal(size=(8, *model.input_shape[1:]))
    outputs = np.asarray(model(noise.astype(np.float32), training=False), np.float64)
    sums = outputs.sum(axis=1)
    if several:
        wanted, activation = "any sum where clips may have several genres", "sigmoid"
        last = model.operations[-1]
        is_softmax = isinstance(last, layers.Softmax) or (
            getattr(last, "activation", None) is keras.activations.softmax
        )
        fits = outputs.max() <= 1 and not is_softmax
    else:
        wanted, activation = "the sum 1", "softmax"
        fits = np.abs(sums - 1).max() <= 0.02
    if outputs.min() < 0 or not fits:
        raise ValueError(
            f"The network gives values from {outputs.min():.3g} to "
            f"{outputs.max():.3g} whose sums are {sums.min():.3g} to {sums.max():.3g}; "
            f"probabilities are from 0 to 1, with {wanted}. End it with "
            f'keras.layers.Dense(n_classes, activation="{activation}").'
        )


def _layer_number(model: keras.Model, embedding: str | None) -> int | None:
    names = [layer.name for layer in model.layers]
    if embedding is not None and embedding not in names:
        raise ValueError(
            f"embedding={embedding!r} is none of the network's layers: "
            f"{', '.join(names)}."
        )
    return None if embedding is None else names.index(embedding)


def describe(model: keras.Model) -> Layers:
    """Return the layers of a network as plain data.

    Parameters
    ----------
    model : keras.Model
        Functional, with one input and one output.

    Returns
    -------
    tuple
        As `skgenre.runtime._own._layers` documents it. Names that Keras gave are
        numbered anew, so that a network that is built again has the same.

    Raises
    ------
    ValueError
        If a layer, or what it was made with, is not in the closed list.
    """
    if type(model).__module__.partition(".")[0] != "keras":
        raise ValueError(f"it is of a class of its own, {type(model).__name__}")
    config = model.get_config()
    numbers: dict[str, int] = {}
    described: list[Any] = []
    counts: dict[str, int] = {}
    for layer in config["layers"]:
        kind = layer["class_name"]
        own = layer["config"]["name"]
        if layer.get("module") == "keras.src.ops.numpy":
            kind = {v: k for k, v in ARITHMETIC.items()}.get(kind, kind)
        sources, more = _sources(layer, numbers)
        if kind == INPUT:
            settings: tuple[Any, ...] = ()
        elif kind in ARITHMETIC:
            settings = tuple(("y", float(value)) for value in more)
        elif kind in LAYERS and layer.get("module") == "keras.layers":
            last = len(model.get_layer(own).output.shape) - 1
            is_last = layer["config"].get("axis") in (last, [last])
            as_default = {"axis": -1} if is_last else {}
            settings = _settings(kind, layer["config"] | as_default)
        else:
            raise ValueError(f"its layer {own!r} is a {kind}, which is not in the list")
        numbers[layer["name"]] = len(described)
        described.append((kind, _name(layer, counts), sources, settings))
    result = tuple(described)
    for _ in described_layers(result, tuple(model.input_shape[1:])):
        pass  # or it raises
    return result


def _name(layer: dict[str, Any], counts: dict[str, int]) -> str:
    """Return the layer's name, or the one that Keras would give in a new process."""
    name = layer["config"]["name"]
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", layer["class_name"])
    automatic = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
    if re.sub(r"_\d+$", "", name) != automatic:
        return name
    count = counts[automatic] = counts.get(automatic, -1) + 1
    return f"{automatic}_{count}" if count else automatic


def _sources(
    layer: dict[str, Any], numbers: dict[str, int]
) -> tuple[tuple[int, ...], list[float]]:
    """Return the numbers of the layers that a layer takes, and numbers it takes."""
    name, nodes = layer["config"]["name"], layer["inbound_nodes"]
    if len(nodes) > 1:
        raise ValueError(f"its layer {name!r} is used several times")
    sources: list[int] = []
    constants: list[float] = []
    rest = [*nodes[0]["args"]] if nodes else []
    while rest:
        value = rest.pop(0)
        if isinstance(value, list | tuple):
            rest = [*value, *rest]
        elif isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            sources.append(numbers[value["config"]["keras_history"][0]])
        elif isinstance(value, int | float):
            constants.append(value)
        else:
            raise ValueError(f"its layer {name!r} takes {value!r:.80}")
    options = nodes[0]["kwargs"] if nodes else {}
    if layer["class_name"] == "BatchNormalization" and "training" in options:
        raise ValueError(f"its layer {name!r} is called with training=...")
    if any(value not in (None, False) for value in options.values()):
        raise ValueError(f"its layer {name!r} is called with {', '.join(options)}")
    return tuple(sources), constants


# What decides nothing here: seeds are drawn, and no series is masked.
_IGNORED = {"name", "seed", "zero_output_for_mask", "backward_layer"}
_AS_BY_DEFAULT = {
    "attention_axes": ([1], (1,)),
    "axis": ([-1], (-1,)),
    "data_format": ("channels_last",),
}


def _settings(kind: str, config: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return the settings of a layer, or refuse those that are not in the list."""
    known = LAYERS[kind].settings
    defaults = inspect.signature(getattr(layers, kind)).parameters
    found = {
        "trainable": config.get("trainable", True),
        "dtype": _policy(config.get("dtype", "float32")),
    }
    for name, value in config.items():
        if name in known:
            found[name] = _plain(name, value)
        elif name not in found and name not in _IGNORED:
            default = [defaults[name].default] if name in defaults else [None, False]
            if value not in [*default, *_AS_BY_DEFAULT.get(name, ())]:
                raise ValueError(
                    f"its layer {config['name']!r} has {name}={value!r:.80}, which is "
                    "not in the list"
                )
    if kind == "Bidirectional":
        back = config["backward_layer"]
        forth = config["layer"]["config"]
        same = back["config"] | {n: forth[n] for n in ("name", "go_backwards")}
        if _plain("layer", back | {"config": same}) != found["layer"]:
            raise ValueError(f"its layer {config['name']!r} has two kinds of layers")
    return tuple(sorted(found.items()))


def _policy(dtype: Any) -> Any:
    return dtype["config"].get("name") if isinstance(dtype, dict) else dtype


def _plain(name: str, value: Any) -> Any:
    """Return a setting as a text, a number, None, or tuples of these."""
    if isinstance(value, dict):  # of an initialiser, a penalty or a layer
        kind, config = value.get("class_name"), value.get("config", {})
        if value.get("registered_name") is not None:
            raise ValueError(f"{name} is {value['registered_name']!r}")
        if name == "layer" and kind in ("LSTM", "GRU"):
            return kind, _settings(kind, config)
        kept = {k: v for k, v in config.items() if k != "seed" and v is not None}
        return kind, tuple(sorted(kept.items()))
    if isinstance(value, list | tuple):
        return tuple(_plain(name, each) for each in value)
    return value


def _is_same(model: keras.Model, described: Layers) -> bool:
    """Return whether the network of a description has the same weights, in order."""
    again = without_weights(
        own_network,
        {
            "input_shape": tuple(model.input_shape[1:]),
            "n_classes": model.output_shape[-1],
            "network": described,
        },
    )
    names = [name for kind, name, *_ in described if kind not in ARITHMETIC]
    shapes, ours = ([tuple(w.shape) for w in m.weights] for m in (model, again))
    return [layer.name for layer in again.layers] == names and shapes == ours


def _of_layers(described: Layers, input_shape: tuple[int, ...]) -> keras.Model:
    """Return the network that layers describe; they are in the closed list."""
    values: list[Any] = []
    for kind, name, sources, settings in described:
        inputs = [values[source] for source in sources]
        if kind == INPUT:
            value = keras.Input(input_shape, dtype="float32", name=name)
        elif kind in ARITHMETIC:
            combine = {"Add": keras.ops.add, "Multiply": keras.ops.multiply}
            value = combine[ARITHMETIC[kind]](*inputs, *dict(settings).values())
        else:
            layer = _layer(kind, settings, name=name)
            merges = kind in ("Add", "Multiply", "Concatenate")
            value = layer(inputs) if merges else layer(*inputs)
        values.append(value)
    return keras.Model(values[0], values[-1])


def _layer(
    kind: str, settings: tuple[tuple[str, Any], ...], **more: Any
) -> keras.layers.Layer:
    arguments = dict(settings)
    is_trained = arguments.pop("trainable")  # not every constructor takes it
    for name, value in arguments.items():
        if name == "layer":
            value = _layer(*value)
        elif name.endswith("_initializer"):
            value = _object(keras.initializers, value)
        elif name.endswith("_regularizer") and value is not None:
            value = _object(keras.regularizers, value)
        arguments[name] = value
    layer = getattr(layers, kind)(**arguments, **more)
    layer.trainable = is_trained
    return layer


def _object(module: Any, value: tuple[str, Any]) -> Any:
    kind, settings = value
    return getattr(module, kind)(**dict(settings))
