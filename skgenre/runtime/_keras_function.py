"""Keras networks as functions of their weights and a batch."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import tensorflow as tf
from numpy.typing import NDArray


def without_weights(
    build: Callable[..., keras.Model], parameters: dict[str, Any]
) -> keras.Model:
    """Return a network that has variables, but has not reserved memory for them.

    A forged model file could ask for more than there is.
    """

    def symbolic() -> keras.Model:
        with keras.StatelessScope(initialize_variables=False):
            return build(**parameters, seed=0)

    # Keras makes up for it later, but in the same thread only: this one ends at once.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(symbolic).result()


def embedding_values(model: keras.Model, layer: str | int | None) -> keras.KerasTensor:
    """Return the values of the layer that is the embedding, one row for a clip.

    Parameters
    ----------
    model : keras.Model
        Functional.
    layer : str, int or None
        Its name, or its number; None is what the last layer takes.

    Raises
    ------
    ValueError
        If the last layer takes several inputs.
    """
    if isinstance(layer, str):
        return model.get_layer(layer).output
    if layer is None:
        last = model.operations[-1]
        values = last.input
        if isinstance(values, list) or isinstance(last, keras.Model):
            raise ValueError(
                f"The last layer, {last.name!r}, is a network itself or takes several "
                "inputs. Choose the layer of the embedding by its name: embedding=..."
            )
    else:
        values = model.layers[layer].output
    if len(values.shape) == 2:
        return values
    # A map of features is averaged over the map.
    return keras.ops.mean(values, axis=tuple(range(1, len(values.shape) - 1)))


@functools.lru_cache(maxsize=8)
def predictor(
    build: Callable[..., keras.Model],
    parameters: tuple[tuple[str, Any], ...],
    shapes: tuple[tuple[int, ...], ...],
) -> Callable[[list[NDArray], NDArray], tuple[tf.Tensor, tf.Tensor]]:
    """Return the network as a function of its weights and a batch.

    As the weights are an argument, estimators of one architecture share the traced
    function, in any number of threads.

    Parameters
    ----------
    build : callable
        From `skgenre.networks`.
    parameters : tuple of (str, value)
        Keyword arguments of `build`.
    shapes : tuple of tuple of int
        Those of the weights that will be given.

    Returns
    -------
    callable
        ``(weights, batch) -> (probabilities, embedding)``.

    Raises
    ------
    ValueError
        If the network has weights of other shapes.
    """
    settings = dict(parameters)
    # A function of the user's may load weights, which it must have reserved.
    is_own = callable(settings.get("network"))
    model = build(**settings) if is_own else without_weights(build, settings)
    if tuple(tuple(v.shape) for v in model.weights) != shapes:
        raise ValueError(
            f"The weights are not those of the network that {settings!r:.500} "
            "describe. Fit again, or get another model file."
        )
    values = embedding_values(model, settings.get("embedding", "embedding"))
    both = keras.Model(model.inputs[0], [model.outputs[0], values])
    variables = model.weights

    @tf.function(
        input_signature=[
            [tf.TensorSpec(v.shape, v.dtype) for v in variables],
            tf.TensorSpec((None, *model.input_shape[1:]), "float32"),
        ],
        jit_compile=False,
        autograph=False,
    )
    def predict(
        weights: list[tf.Tensor], batch: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        state = list(zip(variables, weights, strict=True))
        with keras.StatelessScope(state_mapping=state):
            probabilities, values = both(batch, training=False)
        return tf.cast(probabilities, "float32"), tf.cast(values, "float32")

    return predict
