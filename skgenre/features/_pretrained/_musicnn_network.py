"""musicnn's network in Keras, with its published weights."""

import functools
from collections.abc import Callable

from skgenre.features._pretrained._musicnn_weights import musicnn_variables
from skgenre.runtime._keras import (
    check_process,
    layers_of,
    shield_from_interrupts,
)
from skgenre.runtime._musicnn import N_FRAMES, N_MELS, audible

# isort: split
import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

_PENULTIMATE, _N_TAGS = 200, 50


def _norm(name: str) -> layers.Layer:
    """Return a batch normalisation as TensorFlow 1 had it."""
    return layers.BatchNormalization(epsilon=1e-3, name=name)


@layers_of("float32")
def build_musicnn(weights: str) -> keras.Model:
    """Return the trained network.

    Parameters
    ----------
    weights : {'msd', 'mtt'}
        Music that it was trained on.

    Returns
    -------
    keras.Model
        (batch, 187, 96) log-mel patches to a dict of 'pooled' (batch, 1506),
        'penultimate' (batch, 200), 'tags' (batch, 50), which are probabilities, and
        'correlations' (batch, 187, 64), the features to correlate.

    Raises
    ------
    ImportError
        If the weights are not here.

    References
    ----------
    .. [1] J. Pons, X. Serra, "musicnn: Pre-trained convolutional neural networks for
       music audio tagging", ISMIR late-breaking demo, 2019.
    """
    network = audible(musicnn_variables(weights))
    variables = network.variables
    last = {"data_format": "channels_last"}
    patch = keras.Input((N_FRAMES, N_MELS), dtype="float32", name="patch")
    x = layers.Reshape((N_FRAMES, N_MELS, 1))(patch)
    x = _norm("batch_normalization")(x)

    # Timbre: patterns of 7 frames at any pitch. Tempo: patterns over time in any band.
    # Pooling keeps the strongest of all bands.
    around = layers.ZeroPadding2D(((3, 3), (0, 0)), **last)(x)
    found = []
    for i, name in enumerate(("conv2d", *(f"conv2d_{i}" for i in range(1, 5)))):
        *size, _, n_filters = variables[f"{name}/kernel"].shape
        padding, source = ("valid", around) if i < 2 else ("same", x)
        y = layers.Conv2D(n_filters, size, padding=padding, name=name, **last)(source)
        y = layers.MaxPooling2D((1, y.shape[2]), **last)(y)
        found.append(layers.Reshape((N_FRAMES, n_filters))(y))
    x = layers.Concatenate()(found) * network.signs
    front = _norm("front_norm")(layers.ReLU()(x))

    # Three convolutions over time, each added to the one before.
    levels, y = [front], front
    for i in (5, 6, 7):
        z = layers.ZeroPadding1D(3, **last)(y)
        # The published kernels are two-dimensional, as high as what they read.
        z = layers.Reshape((*z.shape[1:], 1))(z)
        kernel = (7, z.shape[2])
        z = layers.Conv2D(64, kernel, name=f"conv2d_{i}", **last)(z)
        z = layers.Reshape((N_FRAMES, 64))(z)
        if i == 5:
            z += network.offset
        z = _norm(f"batch_normalization_{i + 1}")(layers.ReLU()(z))
        y = z if i == 5 else layers.Add()([z, y])
        levels.append(y)
    x = layers.Concatenate()(levels)

    pools = [
        layers.GlobalMaxPooling1D(**last)(x),
        layers.GlobalAveragePooling1D(**last)(x),
    ]
    # A zero stands where a filter is silent, until what is found of it is added.
    pools = [ops.pad(pool, ((0, 0), (0, 1))) for pool in pools]
    x = ops.take(ops.stack(pools, axis=-1), network.places, axis=1)
    x = x + network.silence[:, np.newaxis]
    x = pooled = layers.Flatten(name="pooled", **last)(x)
    x = _norm("batch_normalization_9")(x)
    x = layers.Dense(_PENULTIMATE, activation="relu", name="dense")(x)
    x = penultimate = _norm("batch_normalization_10")(x)
    tags = layers.Dense(_N_TAGS, activation="sigmoid", name="dense_1")(x)
    outputs = {
        "correlations": levels[-1],
        "pooled": pooled,
        "penultimate": penultimate,
        "tags": tags,
    }
    model = keras.Model(patch, outputs, name="musicnn")
    for layer in model.layers:
        layer.set_weights(
            [variables[f"{layer.name}/{variable.name}"] for variable in layer.weights]
        )
    return model


def load_musicnn(weights: str) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """Return the trained network as a compiled function of a batch of patches."""
    check_process()
    return _load(weights)


@functools.lru_cache(maxsize=2)
@shield_from_interrupts
def _load(weights: str) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    network = tf.function(
        functools.partial(build_musicnn(weights), training=False),
        input_signature=[tf.TensorSpec((None, N_FRAMES, N_MELS), "float32")],
        jit_compile=False,
    )
    return shield_from_interrupts(network)  # traced when it is first called
