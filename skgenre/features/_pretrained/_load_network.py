"""A network of the user's, in Keras or ONNX, as a function of batches."""

import functools
import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from skgenre.runtime._keras import check_process, shield_from_interrupts
from skgenre.runtime._session import open_session

_SUFFIXES = (".keras", ".h5", ".onnx")


@dataclass(frozen=True)
class Network:
    """What an embedding has to know of a network."""

    name: str
    ask: Callable[[np.ndarray], np.ndarray]
    """(n, ...) float32 to (n, n_features)."""
    input_shape: tuple[int | None, ...]
    """With the batch; None where any size is taken."""
    n_features: int

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """Return the answers to a batch, which are finite; an error tells its shape."""
        try:
            answers = self.ask(batch)
        except Exception as error:  # TensorFlow's and ONNX Runtime's own types
            raise ValueError(
                f"{self.name} fails on inputs of shape {batch.shape[1:]}. If they are "
                "too short for it, set `window`, up to which clips are padded."
            ) from error
        if not np.isfinite(answers).all():
            raise ValueError(
                f"{self.name} answers NaN or infinity. Leave the clip out (is it "
                "silent?), or choose another layer or network."
            )
        return answers


def load_network(model: Any, layer: str | None) -> Network:
    """Return the network up to a layer; the last few asked for are kept.

    Parameters
    ----------
    model : keras.Model, str or PathLike
        The network, or a `.keras`, `.h5` or `.onnx` file.
    layer : str or None
        A layer of a Keras network, or an output of an ONNX one; None means the only
        output.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If it is an ONNX file, and onnxruntime is not installed.
    ValueError
        If the file is none of a network or would not be safe to load, or the network
        has no such layer, several inputs, or several outputs and none was chosen.
    """
    check_process()
    if not isinstance(model, str | os.PathLike):
        if not isinstance(model, keras.Model):
            raise ValueError(
                "The 'model' parameter must be a keras.Model or the path of a file, "
                f"got {model!r}."
            )
        return _keras_network(model, layer)
    path = Path(os.path.realpath(model))
    if path.suffix.lower() not in _SUFFIXES:
        raise ValueError(
            f"The 'model' parameter must name a file that ends in {_or(_SUFFIXES)}, "
            f"got {os.fspath(model)!r}."
        )
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no network file {os.fspath(model)!r}. Check the path."
        )
    written = path.stat()
    return _network_of_file(path, written.st_mtime_ns, written.st_size, layer)


@functools.lru_cache(maxsize=4)
def _network_of_file(path: Path, mtime: int, size: int, layer: str | None) -> Network:
    """Read a file; of another time or size, it is another file."""
    if path.suffix.lower() == ".onnx":
        return _onnx_network(path, layer)
    try:
        model = keras.saving.load_model(path, compile=False)  # in its safe mode
    except Exception as error:  # of any type, where the file is damaged
        raise ValueError(f"Can't load {os.fspath(path)!r}: {error}") from error
    return _keras_network(model, layer)


def _keras_network(model: keras.Model, layer: str | None) -> Network:
    name = f"The network {model.name!r}"
    # Of a Sequential, even to ask for its inputs is an error then.
    if not getattr(model, "inputs", None):
        raise ValueError(
            f"{name} has no input of a known shape. Make it a functional or sequential "
            "network with a keras.Input."
        )
    _check_one_input(name, model.inputs)
    output = _keras_output(model, layer, name)
    return _keras_part(model, output)


# Tracing takes longer than a clip does. The output, as layers may be added later.
@functools.lru_cache(maxsize=4)
def _keras_part(model: keras.Model, output: Any) -> Network:
    part = keras.Model(model.inputs, output)
    function = tf.function(
        functools.partial(part, training=False),
        input_signature=[tf.TensorSpec(model.inputs[0].shape, "float32")],
        jit_compile=False,
    )

    @shield_from_interrupts
    def ask(batch: np.ndarray) -> np.ndarray:
        values = np.asarray(function(batch), np.float32)
        # Of a map of features, their mean over the map.
        return values.reshape(len(values), -1, values.shape[-1]).mean(axis=1)

    name = f"The network {model.name!r}"
    return Network(name, ask, tuple(model.inputs[0].shape), output.shape[-1])


def _outputs_of(layer: keras.Layer, model: keras.Model) -> list[Any]:
    """Return a layer's outputs in the network, where it is first called there.

    `layer.output` is that of its first call anywhere, and of a network inside another
    that of its own layers.
    """
    calls = getattr(model, "_functional", model)._nodes_by_depth.values()
    inside = list(itertools.chain.from_iterable(calls))
    first = next(call for call in layer._inbound_nodes if call in inside)
    return list(first.output_tensors)


def _keras_output(model: keras.Model, layer: str | None, name: str) -> Any:
    outputs = model.outputs
    if layer is not None:
        names = [each.name for each in model.layers]
        if layer not in names:
            raise ValueError(
                f"{name} has no layer {layer!r}. Its layers are {', '.join(names)}."
            )
        outputs = _outputs_of(model.get_layer(layer), model)
    if len(outputs) != 1:
        raise ValueError(
            f"{name} has {len(outputs)} outputs. Choose the layer of one by `layer`: "
            f"{', '.join(each.name for each in model.layers)}."
        )
    if len(outputs[0].shape) < 2 or outputs[0].shape[-1] is None:
        raise ValueError(
            f"{name} gives values of shape {tuple(outputs[0].shape)}; expected (batch, "
            "..., n_features), with a known number of features. Choose another layer."
        )
    return outputs[0]


def _onnx_network(path: Path, layer: str | None) -> Network:
    name = f"The network {path.name!r}"
    try:
        # From bytes: of a file, ONNX Runtime would read the other files that it names.
        session = open_session(path.read_bytes())
    except ImportError:
        raise
    except Exception as error:
        raise ValueError(f"Can't load {os.fspath(path)!r}: {error}") from error
    _check_one_input(name, session.get_inputs())
    (source,) = session.get_inputs()
    if source.type != "tensor(float)":
        raise ValueError(f"{name} takes {source.type}; expected tensor(float).")
    outputs = {output.name: output for output in session.get_outputs()}
    if layer is None and len(outputs) > 1:
        raise ValueError(
            f"{name} has {len(outputs)} outputs. Choose one by `layer`: "
            f"{', '.join(outputs)}."
        )
    if layer is not None and layer not in outputs:
        raise ValueError(
            f"{name} has no output {layer!r}. Its outputs are {', '.join(outputs)}; "
            "of an ONNX network, other layers can't be asked for."
        )
    output = outputs[layer] if layer is not None else next(iter(outputs.values()))
    shape = output.shape or []
    if len(shape) != 2 or not isinstance(shape[1], int):
        raise ValueError(
            f"{name} gives {output.name!r} of shape {tuple(shape)}; expected (batch, "
            "n_features). Export it with a pooling layer and a fixed size."
        )

    def ask(batch: np.ndarray) -> np.ndarray:
        (values,) = session.run([output.name], {source.name: batch})
        return np.asarray(values, np.float32)

    sizes = tuple(size if isinstance(size, int) else None for size in source.shape)
    return Network(name, ask, sizes, shape[1])


def _check_one_input(name: str, inputs: Sequence[Any]) -> None:
    if len(inputs) != 1:
        raise ValueError(
            f"{name} has {len(inputs)} inputs ({', '.join(i.name for i in inputs)}); "
            "expected one."
        )


def _or(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
