"""Layers that vary spectrograms in training, and do nothing afterwards."""

from typing import Any

import keras
from keras import layers, ops

_N_MASKS = 2  # along each axis, as in the larger policies of SpecAugment's authors


class _Augmentation(layers.Layer):
    """A layer with a seed, for spectrograms of a known size."""

    def __init__(self, seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Refuse spectrograms of unknown size.

        Parameters
        ----------
        input_shape : tuple of (batch, n_frames, n_mels)
            Shape of the input.

        Raises
        ------
        ValueError
            If the number of frames or bands is None.
        """
        if None in input_shape[1:]:
            raise ValueError(
                f"{type(self).__name__} needs clips of a known number of frames and "
                f"bands. Got input_shape={input_shape}: set it in keras.Input."
            )

    def get_config(self) -> dict[str, Any]:
        """Return the layer's parameters."""
        return super().get_config() | {"seed": self.seed}


@keras.saving.register_keras_serializable(package="skgenre")
class RandomTimeCrop(_Augmentation):
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
        super().__init__(seed, **kwargs)
        self.n_frames = n_frames

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
        return super().get_config() | {"n_frames": self.n_frames}


@keras.saving.register_keras_serializable(package="skgenre")
class SpecAugment(_Augmentation):
    """Hide stretches of frames and of mel bands, others in each clip; only in training.

    What is hidden becomes the clip's mean [1]_.

    Parameters
    ----------
    time_mask : int, default=0
        Most frames that a mask hides; each clip has two masks of random width.
    frequency_mask : int, default=0
        Most mel bands that a mask hides; each clip has two.
    seed : int, default=None
        Decides what is hidden.
    **kwargs : dict
        For `keras.layers.Layer`.

    References
    ----------
    .. [1] D. Park et al., "SpecAugment: a simple data augmentation method for automatic
       speech recognition", Interspeech 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.networks import SpecAugment
    >>> X = np.random.default_rng(0).normal(size=(8, 640, 128))
    >>> hidden = SpecAugment(time_mask=40, seed=0)(X, training=True) != X
    >>> bool(hidden.numpy().any()), bool((SpecAugment(40)(X) == X).numpy().all())
    (True, True)
    """

    def __init__(
        self,
        time_mask: int = 0,
        frequency_mask: int = 0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, **kwargs)
        self.time_mask = time_mask
        self.frequency_mask = frequency_mask

    def call(self, x: Any, training: bool = False) -> Any:
        """Hide parts of each clip.

        Parameters
        ----------
        x : tensor of shape (batch, n_frames, n_mels)
            Spectrograms.
        training : bool, default=False
            Whether to hide anything at all.

        Returns
        -------
        tensor of shape (batch, n_frames, n_mels)
        """
        if not training:
            return x
        seen = ops.ones_like(x, dtype="bool")
        for axis, longest in ((1, self.time_mask), (2, self.frequency_mask)):
            for _ in range(_N_MASKS if longest else 0):
                hidden = self._stretches(ops.shape(x)[0], x.shape[axis], longest)
                seen = seen & ~ops.expand_dims(hidden, 3 - axis)
        return ops.where(seen, x, ops.mean(x, axis=(1, 2), keepdims=True))

    def _stretches(self, n_clips: Any, size: int, longest: int) -> Any:
        """Return (n_clips, size) booleans, true in one stretch of each row."""
        shape, seed = (n_clips, 1), self.seed_generator
        width = keras.random.randint(shape, 0, min(longest, size) + 1, seed=seed)
        # Of each clip another range of starts, which randint doesn't have.
        room = ops.cast(size - width + 1, "float32")
        start = ops.cast(keras.random.uniform(shape, seed=seed) * room, width.dtype)
        position = ops.arange(size, dtype=width.dtype)
        return (position >= start) & (position < start + width)

    def get_config(self) -> dict[str, Any]:
        """Return the layer's parameters.

        Returns
        -------
        dict
        """
        return super().get_config() | {
            "time_mask": self.time_mask,
            "frequency_mask": self.frequency_mask,
        }
