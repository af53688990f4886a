"""The graph from dB to a layer's values, with gradients that are never stuck at 0."""

from collections.abc import Callable

from skgenre import networks
from skgenre.classifiers import BaseGenreClassifier
from skgenre.runtime._keras import shield_from_interrupts

# isort: split
import keras
import tensorflow as tf

# Share of the gradient that passes a ReLU whose input is negative.
_LEAK = 0.1


@tf.custom_gradient
def _leaky_backward(x: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """Return a ReLU's values, but pass part of the gradient where they are 0.

    An inactive unit would give no gradient, and so stay inactive.
    """

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return upstream * tf.where(x > 0, 1.0, _LEAK)

    return tf.nn.relu(x), gradient


def _with_leaky_backward(layer: keras.Layer) -> keras.Layer:
    if isinstance(layer, keras.layers.ReLU):
        return keras.layers.Activation(_leaky_backward, name=layer.name)
    copy = type(layer).from_config(layer.get_config())
    if getattr(layer, "activation", None) is keras.activations.relu:
        copy.activation = _leaky_backward
    return copy


def _built(network: BaseGenreClassifier) -> keras.Model:
    parameters = network.network_parameters_ | {"precision": "float32"}
    model: keras.Model = getattr(networks, network._network)(**parameters, seed=0)
    return model


@shield_from_interrupts
def convolutions(network: BaseGenreClassifier) -> list[tuple[str, int]]:
    """Return the name of each convolution of a fitted network, and its filters."""
    return [
        (layer.name, layer.output.shape[-1])
        for layer in _built(network).layers
        if "Conv" in type(layer).__name__
    ]


@shield_from_interrupts
def layer_graph(
    network: BaseGenreClassifier, layer: str, *, leaky_backward: bool = False
) -> tuple[Callable[[tf.Tensor], tf.Tensor], int]:
    """Return a layer's values as a function of spectrograms in dB.

    Parameters
    ----------
    network : BaseGenreClassifier
        Fitted. Its weights are copied.
    layer : str
        Name of the layer. The values of 'genre' are those before the softmax, minus
        their mean over the genres: what is added to all of them changes nothing.
    leaky_backward : bool, default=False
        Whether inactive ReLUs pass part of the gradient.

    Returns
    -------
    values : callable
        Tensor of shape (batch, n_frames, n_mels) to (batch, n_positions, n_filters),
        float32 whatever the network's own precision.
    n_filters : int
        Filters or units of the layer.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    model = _built(network)
    names = [each.name for each in model.layers[1:]]  # without the input
    is_genre = layer in ("genre", names[-1])
    if is_genre:  # the last layer, whatever a network of the user's own calls it
        layer = names[-1]
    if layer not in names:
        raise ValueError(
            f"layer={layer!r} is not one of the network's layers: {', '.join(names)}."
        )
    if leaky_backward:
        model = keras.models.clone_model(model, clone_function=_with_leaky_backward)
    model.set_weights(network.weights_)
    # Logits: a softmax that is sure has no gradient left.
    model.layers[-1].activation = keras.activations.linear
    to_layer = keras.Model(model.inputs, model.get_layer(layer).output)
    n_filters = to_layer.output_shape[-1]
    mean, scale = tf.constant(network.input_mean_), tf.constant(network.input_scale_)

    def values(decibels: tf.Tensor) -> tf.Tensor:
        output = to_layer((decibels - mean) / scale, training=False)
        if is_genre:
            output -= tf.reduce_mean(output, axis=-1, keepdims=True)
        return tf.reshape(output, (tf.shape(output)[0], -1, n_filters))

    return values, n_filters
