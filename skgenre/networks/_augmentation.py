"""Layers that vary spectrograms in training, and do nothing afterwards."""

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="skgenre")
class RandomTimeCrop(layers.Layer):
    """Cut a stretch of frames out, elsewhere in each batch; only in training.

    What follows has to take any number of frames.

    Parameters
    ----------
    n_frames : int
        Length of the stretch; shorter spectrograms are left as they are.
    seed : int, default=None
        Decides where the stretches begin.
    **kwargs : dict
        For `keras.layers.Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.networks import RandomTimeCrop
    >>> crop, X = RandomTimeCrop(320, seed=0), np.zeros((8, 640, 128))
    >>> crop(X, training=True).shape, crop(X).shape
    (TensorShape([8, 320, 128]), TensorShape([8, 640, 128]))
    """

    def __init__(self, n_frames: int, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_frames = n_frames
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, x: Any, training: bool = False) -> Any:
        """Crop along the frames.

        Parameters
        ----------
        x : tensor of shape (batch, n_frames, n_mels)
            Spectrograms.
        training : bool, default=False
            Whether to crop at all.

        Returns
        -------
        tensor of shape (batch, n_cropped, n_mels)
        """
        n_left_over = x.shape[1] - self.n_frames
        if not training or n_left_over <= 0:
            return x
        start = keras.random.randint((), 0, n_left_over + 1, seed=self.seed_generator)
        return ops.take(x, start + ops.arange(self.n_frames), axis=1)

    def get_config(self) -> dict[str, Any]:
        """Return the layer's parameters.

        Returns
        -------
        dict
        """
        return super().get_config() | {"n_frames": self.n_frames, "seed": self.seed}
