"""Keras networks as functions of their weights and a batch."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import tensorflow as tf
from numpy.typing import NDArray


def _without_weights(
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
    model = _without_weights(build, dict(parameters))
    if tuple(tuple(v.shape) for v in model.weights) != shapes:
        raise ValueError(
            f"The weights are not those of the network that {dict(parameters)} "
            "describe. Fit again, or get another model file."
        )
    both = keras.Model(
        model.inputs, [model.outputs[0], model.get_layer("embedding").output]
    )
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
            probabilities, embedding = both(batch, training=False)
        return probabilities, tf.cast(embedding, "float32")

    return predict
