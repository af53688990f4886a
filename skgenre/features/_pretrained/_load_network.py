"""A trained network, of Keras or in an ONNX file, as a function of batches."""

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skgenre.runtime._keras import check_process, shield_from_interrupts
from skgenre.runtime._session import open_session

# isort: split
import keras
import tensorflow as tf

_SUFFIXES = (".keras", ".h5", ".onnx")


@dataclass(frozen=True)
class Network:
    """A network as a function of a batch, with its shapes."""

    name: str
    run: Callable[[np.ndarray], np.ndarray]
    """(n, ...) float32 to (n, n_features)."""
    input_shape: tuple[int | None, ...]
    """With the batch axis; None for axes of any size."""
    n_features: int

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """Return the embeddings of a batch; refuse values that are not finite."""
        try:
            embeddings = self.run(batch)
        except Exception as error:  # TensorFlow's and ONNX Runtime's own types
            raise ValueError(
                f"{self.name} fails on inputs of shape {batch.shape[1:]}. If they are "
                "too short for it, set `window`, up to which clips are padded."
            ) from error
        if not np.isfinite(embeddings).all():
            raise ValueError(
                f"{self.name} outputs NaN or infinity. Leave the clip out (is it "
                "silent?), or choose another layer or network."
            )
        return embeddings


def load_network(model: Any, layer: str | None) -> Network:
    """Return the network up to a layer; the last few are cached.

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
        If the file doesn't exist.
    ImportError
        If it is an ONNX file, and onnxruntime is not installed.
    ValueError
        If the file is no network or not safe to load, or the network has no such layer,
        several inputs, or several outputs and no layer was chosen.
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
            f"The network file {os.fspath(model)!r} doesn't exist. Check the path."
        )
    written = path.stat()
    return _network_of_file(path, written.st_mtime_ns, written.st_size, layer)


@functools.lru_cache(maxsize=4)
def _network_of_file(path: Path, mtime: int, size: int, layer: str | None) -> Network:
    """Return the network in a file, known by its path, time and size."""
    if path.suffix.lower() == ".onnx":
        return _onnx_network(path, layer)
    try:
        model = keras.saving.load_model(path, compile=False)  # in its safe mode
    except Exception as error:  # of any type, where the file is damaged
        raise ValueError(f"Can't load {os.fspath(path)!r}: {error}") from error
    return _keras_network(model, layer)


def _keras_network(model: keras.Model, layer: str | None) -> Network:
    name = f"The network {model.name!r}"
    # A Sequential without an input raises AttributeError.
    if not getattr(model, "inputs", None):
        raise ValueError(
            f"{name} has no input of a known shape. Make it a functional or sequential "
            "network with a keras.Input."
        )
    _check_one_input(name, model.inputs)
    return _sub_network(model, layer, tuple(model.outputs))


# Tracing takes longer than a clip. By the outputs, too: layers may be added later.
@functools.lru_cache(maxsize=4)
def _sub_network(model: keras.Model, layer: str | None, outputs: tuple) -> Network:
    name = f"The network {model.name!r}"
    layers = ", ".join(each.name for each in model.layers)
    (source,) = model.inputs
    if layer is not None:
        if layer not in {each.name for each in model.layers}:
            raise ValueError(f"{name} has no layer {layer!r}. Its layers are {layers}.")
        source, outputs = _first_call(model.get_layer(layer), model)
    if len(outputs) != 1:
        raise ValueError(
            f"{name} has {len(outputs)} outputs. Choose the layer of one by `layer`: "
            f"{layers}."
        )
    (output,) = outputs
    if len(output.shape) < 2 or output.shape[-1] is None:
        raise ValueError(
            f"{name} gives values of shape {tuple(output.shape)}; expected (batch, "
            "..., n_features), with a known number of features. Choose another layer."
        )
    function = tf.function(
        functools.partial(keras.Model(source, output), training=False),
        input_signature=[tf.TensorSpec(source.shape, "float32")],
        jit_compile=False,
    )

    @shield_from_interrupts
    def run(batch: np.ndarray) -> np.ndarray:
        values = np.asarray(function(batch), np.float32)
        # A map of features is averaged over the map.
        return values.reshape(len(values), -1, values.shape[-1]).mean(axis=1)

    return Network(name, run, tuple(source.shape), output.shape[-1])


def _first_call(layer: keras.Layer, model: keras.Model) -> tuple[Any, tuple]:
    """Return an input, and a layer's outputs where the network first calls the layer.

    Not `layer.output`, which belongs to the layer's first call in any network, and in a
    network inside another to its own layers. The clone calls the same layers again.
    """
    outputs: list[Any] = []

    def call(called: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        result = called(*args, **kwargs)
        if called is layer and not outputs:
            outputs.extend(keras.tree.flatten(result))
        return result

    (source,) = keras.models.clone_model(
        keras.Model(model.inputs, model.outputs),  # also of a keras.Sequential
        clone_function=lambda layer: layer,
        call_function=call,
    ).inputs
    return source, tuple(outputs or [source])  # the input layer is not called


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
            "other layers of an ONNX network can't be used."
        )
    output = outputs[layer] if layer is not None else next(iter(outputs.values()))
    shape = output.shape or []
    if len(shape) != 2 or not isinstance(shape[1], int):
        raise ValueError(
            f"{name} gives {output.name!r} of shape {tuple(shape)}; expected (batch, "
            "n_features). Export it with a pooling layer and a fixed size."
        )

    def run(batch: np.ndarray) -> np.ndarray:
        (values,) = session.run([output.name], {source.name: batch})
        return np.asarray(values, np.float32)

    sizes = tuple(size if isinstance(size, int) else None for size in source.shape)
    return Network(name, run, sizes, shape[1])


def _check_one_input(name: str, inputs: Sequence[Any]) -> None:
    if len(inputs) != 1:
        raise ValueError(
            f"{name} has {len(inputs)} inputs ({', '.join(i.name for i in inputs)}); "
            "expected one."
        )


def _or(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
