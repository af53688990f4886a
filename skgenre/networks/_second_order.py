"""The network of second-order pooling, which ignores the order of frames."""

import math
from typing import Any

import keras
import numpy as np
import scipy.fft
from keras import layers, ops

from skgenre.networks._augmentation import RandomTimeCrop
from skgenre.networks._layers import glorot, seeds
from skgenre.runtime._layer_sizes import bands_of_view, pairs_within

_PACKAGE = keras.saving.register_keras_serializable(package="skgenre")


@_PACKAGE
class Cepstra(layers.Layer):
    """Cosine transform of each frame's bands, whose first values are kept.

    Parameters
    ----------
    n_mfcc : int
        Coefficients to keep; all, where there are fewer bands.
    n_views : int, default=1
        Views, side by side, of which each is transformed by itself.
    **kwargs : dict
        For `keras.layers.Layer`.
    """

    def __init__(self, n_mfcc: int, n_views: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_mfcc = n_mfcc
        self.n_views = n_views

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Compute the orthonormal transform (type II)."""
        n_mels = input_shape[-1] // self.n_views
        n = min(self.n_mfcc, n_mels)
        cosines = scipy.fft.dct(np.eye(n_mels), norm="ortho")[:, :n]
        self._cosines = np.kron(np.eye(self.n_views), cosines)

    def call(self, x: Any) -> Any:
        """Transform (batch, n_frames, n_mels) to (batch, n_frames, n_mfcc)."""
        return ops.matmul(x, ops.convert_to_tensor(self._cosines, x.dtype))

    def get_config(self) -> dict[str, Any]:
        """Return the layer's parameters."""
        return super().get_config() | {"n_mfcc": self.n_mfcc, "n_views": self.n_views}


@_PACKAGE
class SecondOrderPooling(layers.Layer):
    """Mean and standard deviation over time of each channel, and correlations.

    (batch, n_frames, n) to (batch, 2 * n + n * (n - 1) / 2), or fewer of several views.

    Parameters
    ----------
    n_views : int, default=1
        Views, side by side: channels are correlated with those of their own view.
    **kwargs : dict
        For `keras.layers.Layer`.
    """

    # Added to variances: a channel that doesn't change is correlated with nothing.
    _EPSILON = 1e-3

    def __init__(self, n_views: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_views = n_views

    def call(self, x: Any) -> Any:
        """Pool over the frames."""
        n = x.shape[-1]
        mean = ops.mean(x, axis=1, keepdims=True)
        deviations = x - mean
        covariance = ops.matmul(ops.transpose(deviations, (0, 2, 1)), deviations)
        covariance = covariance / ops.cast(ops.shape(x)[1], x.dtype)
        variance = ops.diagonal(covariance, axis1=1, axis2=2)
        std = ops.sqrt(variance + self._EPSILON)
        r = covariance / (std[:, :, None] * std[:, None, :])
        above = [n * i + j for i, j in pairs_within(n, self.n_views)]
        pairs = ops.take(
            ops.reshape(r, (-1, n * n)), ops.array(above, dtype="int32"), axis=1
        )
        return ops.concatenate([mean[:, 0], std, pairs], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the layer's parameters."""
        return super().get_config() | {"n_views": self.n_views}


@_PACKAGE
class RadialBasis(layers.Layer):
    """How near an input is to each of some points: ``exp(-gamma * distance**2)``.

    Parameters
    ----------
    units : int
        Number of points, which are learned, as is gamma. It starts at 1 / n_features.
    center_initializer : keras.initializers.Initializer
        Draws the points.
    **kwargs : dict
        For `keras.layers.Layer`.
    """

    def __init__(
        self,
        units: int,
        center_initializer: Any = "random_normal",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.center_initializer = keras.initializers.get(center_initializer)

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Draw the points."""
        n_features = input_shape[-1]
        self.centers = self.add_weight(
            shape=(self.units, n_features),
            initializer=self.center_initializer,
            name="centers",
        )
        self.log_gamma = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(-math.log(n_features)),
            name="log_gamma",
        )

    def call(self, x: Any) -> Any:
        """Compare (batch, n_features) with each point: (batch, units)."""
        distances = (
            ops.sum(ops.square(x), axis=-1, keepdims=True)
            + ops.sum(ops.square(self.centers), axis=-1)
            - 2 * ops.matmul(x, ops.transpose(self.centers))
        )
        return ops.exp(-ops.exp(self.log_gamma) * distances)

    def get_config(self) -> dict[str, Any]:
        """Return the layer's parameters."""
        return super().get_config() | {
            "units": self.units,
            "center_initializer": keras.initializers.serialize(self.center_initializer),
        }


def second_order(
    input_shape: tuple[int, int],
    n_classes: int,
    *,
    n_mfcc: int = 20,
    crop_frames: int = 320,
    n_prototypes: int = 128,
    dropout: float = 0.2,
    n_views: int = 1,
    classifier_activation: str = "softmax",
    precision: str = "float32",
    seed: int | None = None,
) -> keras.Model:
    """Build a network of second-order pooling and radial basis functions.

    It learns which cepstral coefficients rise and fall together [1]_ [2]_ and how near
    that is to some prototypes, not what follows what. Trained on few labelled clips, it
    is more accurate than the convolutional networks.

    Parameters
    ----------
    input_shape : tuple of (n_frames, n_mels)
        Shape of one spectrogram. A series of one band, which has no cepstrum, counts as
        one frame of `n_frames` bands.
    n_classes : int
        Number of genres.
    n_mfcc : int, default=20
        Cepstral coefficients that each frame is turned into; no more than `n_mels`.
    crop_frames : int, default=320
        Consecutive frames of each clip that training sees, others in each batch;
        afterwards all frames are used.
    n_prototypes : int, default=128
        Number of radial basis functions: the size of the layer named 'embedding'.
    dropout : float, default=0.2
        Share of the embedding's values that are set to zero in training.
    n_views : int, default=1
        Views of the sound that stand side by side in the spectrograms, each with
        ``n_mels / n_views`` bands. Each is described by itself.
    classifier_activation : {'softmax', 'sigmoid'}, default='softmax'
        Activation of the last layer: 'softmax' for one genre a clip, 'sigmoid' where a
        clip may have several.
    precision : str, default='float32'
        Keras dtype policy from the prototypes on; what comes before them, and the
        output, is always float32.
    seed : int, default=None
        Seed of the initial weights, the crops and the dropout.

    Returns
    -------
    keras.Model
        Not compiled; (batch, n_frames, n_mels) to (batch, n_classes) probabilities.
        The layer named 'scaling' isn't trained: its mean and variance are to be set to
        those of its input over all training clips, by `set_statistics`.

    Raises
    ------
    ValueError
        If `n_mels` is no multiple of `n_views`.

    References
    ----------
    .. [1] M. Mandel, D. Ellis, "Song-level features and support vector machines for
       music classification", ISMIR 2005.
    .. [2] J. Carreira, R. Caseiro, J. Batista, C. Sminchisescu, "Semantic segmentation
       with second-order pooling", ECCV 2012.

    Examples
    --------
    >>> from skgenre.networks import second_order
    >>> network = second_order((640, 128), 8)
    >>> network.get_layer("pooling").output.shape
    (None, 230)
    """
    bands_of_view(input_shape[1], n_views)
    seed_of = seeds(seed)
    spectrogram = keras.Input(input_shape, dtype="float32", name="spectrogram")
    # Differences of nearly equal numbers: they cost little, and need all digits.
    exact: dict[str, Any] = {"dtype": "float32"}
    if input_shape[1] == 1:
        x = layers.Permute((2, 1), **exact, name="one_frame")(spectrogram)
    else:
        x = RandomTimeCrop(crop_frames, next(seed_of), **exact, name="crop")(
            spectrogram
        )
    x = Cepstra(n_mfcc, n_views, **exact, name="cepstra")(x)
    x = SecondOrderPooling(n_views, **exact, name="pooling")(x)
    # Frozen: statistics of all training clips, where those of a batch are too few.
    x = layers.BatchNormalization(
        center=False, scale=False, trainable=False, **exact, name="scaling"
    )(x)
    x = RadialBasis(
        n_prototypes,
        keras.initializers.RandomNormal(stddev=1.0, seed=next(seed_of)),
        dtype=precision,
        name="prototypes",
    )(x)
    x = layers.BatchNormalization(momentum=0.9, dtype=precision, name="embedding")(x)
    x = layers.Dropout(dropout, seed=next(seed_of), dtype=precision, name="dropout")(x)
    genre = layers.Dense(
        n_classes,
        activation=classifier_activation,
        kernel_initializer=glorot(seed_of),
        dtype="float32",
        name="genre",
    )(x)
    return keras.Model(spectrogram, genre, name="second_order")
