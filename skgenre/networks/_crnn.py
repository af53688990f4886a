"""The convolutional recurrent network (section 3.2 of the paper)."""

from collections.abc import Sequence

import keras
from keras import layers

from skgenre.networks._augmentation import SpecAugment
from skgenre.networks._layers import glorot, recurrent, seeds
from skgenre.runtime._layer_sizes import padding, shrunk_kernel, shrunk_pool


def crnn(
    input_shape: tuple[int, int],
    n_classes: int,
    *,
    filters: Sequence[int] = (56, 56, 56),
    kernel_size: int = 5,
    pool_size: int = 2,
    batch_norm_momentum: float = 0.9,
    batch_norm_position: str = "after_relu",
    lstm_units: int = 96,
    embedding_units: int = 64,
    dropout: float = 0.4,
    l2: float = 0.001,
    recurrent_activation: str = "sigmoid",
    time_mask: int = 0,
    frequency_mask: int = 0,
    classifier_activation: str = "softmax",
    precision: str = "float32",
    seed: int | None = None,
) -> keras.Model:
    """Build the convolutional recurrent network.

    One-dimensional convolutions over time, an LSTM over what they found, and two
    dense layers [1]_.

    Parameters
    ----------
    input_shape : tuple of (n_frames, n_mels)
        Shape of one spectrogram. Where a kernel or a pool is longer than what is left
        of the frames, the convolution pads ('same') and the pool shrinks.
    n_classes : int
        Number of genres.
    filters : sequence of int, default=(56, 56, 56)
        Filters of each convolution block; as many blocks as numbers.
    kernel_size : int, default=5
        Frames that a filter of a block spans.
    pool_size : int, default=2
        Frames that each block's max-pooling merges.
    batch_norm_momentum : float, default=0.9
        Momentum of the running mean and variance.
    batch_norm_position : {'after_relu', 'before_relu'}, default='after_relu'
        Whether the batch is normalised after the ReLU (the paper's text) or before
        it (the networks that its figures are of).
    lstm_units : int, default=96
        Size of the LSTM's state.
    embedding_units : int, default=64
        Size of the dense layer named 'embedding'.
    dropout : float, default=0.4
        Share of values that each dropout layer sets to zero in training.
    l2 : float, default=0.001
        Weight of the L2 penalty on the convolutions' and the embedding's kernels.
    recurrent_activation : {'sigmoid', 'hard_sigmoid'}, default='sigmoid'
        Activation of the LSTM's gates; 'hard_sigmoid' is ``clip(0.2 * x + 0.5, 0, 1)``,
        the default of the Keras that the paper used.
    time_mask, frequency_mask : int, default=0
        Most frames and most mel bands that a mask of `SpecAugment` hides in training.
    classifier_activation : {'softmax', 'sigmoid'}, default='softmax'
        Activation of the last layer: 'softmax' for one genre a clip, 'sigmoid' where a
        clip may have several.
    precision : str, default='float32'
        Keras dtype policy of the layers; the output is always float32.
    seed : int, default=None
        Seed of the initial weights and of the dropout.

    Returns
    -------
    keras.Model
        Not compiled; (batch, n_frames, n_mels) to (batch, n_classes) probabilities.

    References
    ----------
    .. [1] P. Dwivedi, "Deep Learning for Music Genre Recognition", section 3.2.

    Examples
    --------
    >>> from skgenre.networks import crnn
    >>> crnn((640, 128), 8).count_params()
    133520
    """
    seed_of = seeds(seed)
    penalty = keras.regularizers.L2(l2) if l2 else None

    spectrogram = keras.Input(input_shape, dtype="float32", name="spectrogram")
    x = spectrogram
    if time_mask or frequency_mask:
        x = SpecAugment(
            time_mask, frequency_mask, next(seed_of), dtype=precision, name="masks"
        )(x)
    for number, n_filters in enumerate(filters, start=1):
        x = layers.Conv1D(
            n_filters,
            shrunk_kernel(x.shape[1:2], (kernel_size,)),
            padding=padding(x.shape[1:2], (kernel_size,)),
            data_format="channels_last",
            kernel_initializer=glorot(seed_of),
            kernel_regularizer=penalty,
            dtype=precision,
            name=f"conv{number}",
        )(x)
        relu = layers.ReLU(dtype=precision, name=f"relu{number}")
        batch_norm = layers.BatchNormalization(
            momentum=batch_norm_momentum, dtype=precision, name=f"batch_norm{number}"
        )
        if batch_norm_position == "after_relu":
            x = batch_norm(relu(x))
        else:
            x = relu(batch_norm(x))
        (pool,) = shrunk_pool(x.shape[1:2], (pool_size,))
        x = layers.MaxPooling1D(
            pool, data_format="channels_last", dtype=precision, name=f"pool{number}"
        )(x)
        x = layers.Dropout(
            dropout, seed=next(seed_of), dtype=precision, name=f"dropout{number}"
        )(x)

    gates = recurrent(seed_of, recurrent_activation)
    x = layers.LSTM(lstm_units, dtype=precision, name="lstm", **gates)(x)
    x = layers.Dropout(
        dropout, seed=next(seed_of), dtype=precision, name="lstm_dropout"
    )(x)
    x = layers.Dense(
        embedding_units,
        kernel_initializer=glorot(seed_of),
        kernel_regularizer=penalty,
        dtype=precision,
        name="embedding",
    )(x)
    x = layers.Dropout(
        dropout, seed=next(seed_of), dtype=precision, name="embedding_dropout"
    )(x)
    genre = layers.Dense(
        n_classes,
        activation=classifier_activation,
        kernel_initializer=glorot(seed_of),
        dtype="float32",
        name="genre",
    )(x)
    return keras.Model(spectrogram, genre, name="crnn")
