"""The parallel convolutional and recurrent network (section 3.3 of the paper)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from skgenre.networks._augmentation import SpecAugment
from skgenre.networks._compiled_layer import CompiledLayer
from skgenre.networks._layers import glorot, recurrent, seeds
from skgenre.runtime._layer_sizes import padding, shrunk_kernel, shrunk_pool

# Compiling the GRU takes about as long as it saves in a training of some thousand clips
# of so many steps, those of all epochs together.
_STEPS_WORTH_COMPILING = 64


class PooledConvolution(layers.Layer):
    """A convolution, its ReLU and the max-pooling after it, as they train fastest.

    The maximum is taken first: bias and ReLU, which never change the order of values,
    then have a quarter or a sixteenth of them to work on, forwards and backwards.
    Frames are the axis before the channels, along which oneDNN's gradients are fast.

    Parameters
    ----------
    filters : int
        Number of filters.
    kernel_size, pool_size : tuple of (int, int)
        Frames and mel bands; the pool may be larger than what it pools over.
    padding : {'valid', 'same'}
        Of the convolution.
    kernel_initializer : keras.initializers.Initializer
        Draws the kernel, of the shape and the values that `keras.layers.Conv2D` gives
        it.
    **kwargs : dict
        For `keras.layers.Layer`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: tuple[int, ...],
        pool_size: tuple[int, ...],
        *,
        padding: str,
        kernel_initializer: keras.initializers.Initializer,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.pool_size = pool_size
        self.padding = padding
        self.kernel_initializer = kernel_initializer

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Draw the kernel; the bias is 0."""
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, input_shape[-1], self.filters),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.filters,), initializer="zeros", name="bias"
        )

    def call(self, x: Any) -> Any:
        """Work on (batch, n_mels, n_frames, n_channels)."""
        kernel = ops.transpose(self.kernel, (1, 0, 2, 3))
        last = {"data_format": "channels_last"}
        x = ops.conv(x, kernel, padding=self.padding, **last)
        x = ops.max_pool(x, shrunk_pool(x.shape[1:3], self.pool_size[::-1]), **last)
        return ops.relu(x + self.bias)


def parallel_cnn_rnn(
    input_shape: tuple[int, int],
    n_classes: int,
    *,
    filters: Sequence[int] = (16, 32, 64, 64, 64),
    kernel_size: tuple[int, int] = (3, 1),
    pool_sizes: Sequence[tuple[int, int]] = ((2, 2), (2, 2), (2, 2), (4, 4), (4, 4)),
    rnn_pool_size: tuple[int, int] = (4, 2),
    gru_units: int = 64,
    recurrent_activation: str = "sigmoid",
    reset_after: bool = True,
    time_mask: int = 0,
    frequency_mask: int = 0,
    classifier_activation: str = "softmax",
    precision: str = "float32",
    seed: int | None = None,
    for_training: bool = False,
) -> keras.Model:
    """Build the parallel CNN-RNN network.

    A stack of two-dimensional convolutions and a bidirectional GRU read the same
    spectrogram side by side; what both found is joined [1]_.

    Parameters
    ----------
    input_shape : tuple of (n_frames, n_mels)
        Shape of one spectrogram. Where a kernel or a pool is larger than what is left
        of it, the convolution pads ('same') and the pool shrinks.
    n_classes : int
        Number of genres.
    filters : sequence of int, default=(16, 32, 64, 64, 64)
        Filters of each convolution block.
    kernel_size : tuple of (int, int), default=(3, 1)
        Frames and mel bands that a filter spans.
    pool_sizes : sequence of (int, int), \
            default=((2, 2), (2, 2), (2, 2), (4, 4), (4, 4))
        Frames and mel bands that each block's max-pooling merges; one for each block.
    rnn_pool_size : tuple of (int, int), default=(4, 2)
        Frames and mel bands merged before the GRU.
    gru_units : int, default=64
        Size of the GRU's state, for each of the two directions.
    recurrent_activation : {'sigmoid', 'hard_sigmoid'}, default='sigmoid'
        Activation of the GRU's gates; 'hard_sigmoid' is ``clip(0.2 * x + 0.5, 0, 1)``,
        the default of the Keras that the paper used.
    reset_after : bool, default=True
        Whether the GRU's reset gate acts after the product with the state's matrix, as
        in today's Keras, or before it, as in the paper's.
    time_mask, frequency_mask : int, default=0
        Most frames and most mel bands that a mask of `SpecAugment` hides in training.
    classifier_activation : {'softmax', 'sigmoid'}, default='softmax'
        Activation of the last layer: 'softmax' for one genre a clip, 'sigmoid' where a
        clip may have several.
    precision : str, default='float32'
        Keras dtype policy of the layers; the output is always float32.
    seed : int, default=None
        Seed of the initial weights.
    for_training : bool, default=False
        Build another graph of the same weights and the same output, which trains
        faster but has no layers 'pool1' and so on, and frames and mel bands swapped
        in 'conv1' and so on.

    Returns
    -------
    keras.Model
        Not compiled; (batch, n_frames, n_mels) to (batch, n_classes) probabilities.
        The layer named 'embedding' joins the convolutions' values (256 at 640 x 128)
        and the two directions of the GRU (128).

    References
    ----------
    .. [1] P. Dwivedi, "Deep Learning for Music Genre Recognition", section 3.3.

    Examples
    --------
    >>> from skgenre.networks import parallel_cnn_rnn
    >>> parallel_cnn_rnn((640, 128), 8).get_layer("embedding").output.shape
    (None, 384)
    """
    seed_of = seeds(seed)

    spectrogram = keras.Input(input_shape, dtype="float32", name="spectrogram")
    x = spectrogram
    if time_mask or frequency_mask:
        x = SpecAugment(
            time_mask, frequency_mask, next(seed_of), dtype=precision, name="masks"
        )(x)
    image = layers.Reshape((*input_shape, 1), dtype=precision, name="image")(x)

    x = layers.Permute((2, 1, 3), dtype=precision)(image) if for_training else image
    for number, (n_filters, pool_size) in enumerate(
        zip(filters, pool_sizes, strict=True), start=1
    ):
        size = x.shape[2:0:-1] if for_training else x.shape[1:3]
        parameters: dict[str, Any] = {
            "filters": n_filters,
            "kernel_size": shrunk_kernel(size, kernel_size),
            "padding": padding(size, kernel_size),
            "kernel_initializer": glorot(seed_of),
            "dtype": precision,
            "name": f"conv{number}",
        }
        if for_training:
            x = PooledConvolution(pool_size=pool_size, **parameters)(x)
        else:
            x = layers.Conv2D(
                activation="relu", data_format="channels_last", **parameters
            )(x)
            x = layers.MaxPooling2D(
                shrunk_pool(x.shape[1:3], pool_size),
                data_format="channels_last",
                dtype=precision,
                name=f"pool{number}",
            )(x)
    if for_training:
        x = layers.Permute((2, 1, 3), dtype=precision)(x)
    left = layers.Flatten("channels_last", dtype=precision, name="flatten")(x)

    x = layers.MaxPooling2D(
        shrunk_pool(input_shape, rnn_pool_size),
        data_format="channels_last",
        dtype=precision,
        name="rnn_pool",
    )(image)
    x = layers.Reshape(x.shape[1:3], dtype=precision, name="rnn_series")(x)
    # The backward layer is given, because Keras would copy the forward one's seeds.
    forward, backward = (
        layers.GRU(
            gru_units,
            reset_after=reset_after,
            go_backwards=go_backwards,
            dtype=precision,
            **recurrent(seed_of, recurrent_activation),
        )
        for go_backwards in (False, True)
    )
    gru = layers.Bidirectional(
        forward, backward_layer=backward, dtype=precision, name="gru"
    )
    if for_training and x.shape[1] >= _STEPS_WORTH_COMPILING:
        gru = CompiledLayer(gru, dtype=precision, name="gru")
    right = gru(x)

    x = layers.Concatenate(dtype=precision, name="embedding")([left, right])
    genre = layers.Dense(
        n_classes,
        activation=classifier_activation,
        kernel_initializer=glorot(seed_of),
        dtype="float32",
        name="genre",
    )(x)
    return keras.Model(spectrogram, genre, name="parallel_cnn_rnn")
