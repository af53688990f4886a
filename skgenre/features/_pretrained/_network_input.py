"""The input of a network: scaled windows in the order and size of its axes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skgenre.features._spectrogram import AMIN, relative_decibels

if TYPE_CHECKING:
    from skgenre.features._pretrained._load_network import Network

_TOP_DB = 80.0
"""Depth of the floor of 'relative_db' below the loudest value."""


def _relative_db(power: np.ndarray, gain: float) -> np.ndarray:
    return relative_decibels(power, _TOP_DB)


def _db(power: np.ndarray, gain: float) -> np.ndarray:
    floor = np.float32(10 * np.log10(AMIN))
    with np.errstate(divide="ignore"):
        return np.maximum(10 * np.log10(power) + np.float32(gain), floor)


def log_compression(power: np.ndarray, gain: float) -> np.ndarray:
    """Return ``log10(1 + 10000 * power)``, float32, which is 0 in silence.

    Parameters
    ----------
    power : ndarray of float32
        As `mel_power_and_gain` returns it.
    gain : float
        Decibels to add to those of the power.
    """
    if gain or power.max() > 1e30:  # the product would leave float32's range
        power = power.astype(np.float64) * 10 ** (gain / 10)
    return np.log10(1e4 * power + 1).astype(np.float32)


SCALINGS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "relative_db": _relative_db,
    "db": _db,
    "log_compression": log_compression,
}
"""By name: functions of power and of the decibels to add to its own."""


def cut_windows(
    values: np.ndarray,
    gain: float,
    scaling: str | None,
    window: int | None,
    hop: int | None,
) -> np.ndarray:
    """Return the windows of an excerpt, as a view of its frames or samples."""
    window = window or len(values)
    if len(values) < window:  # pad with silence
        padded = np.zeros((window, *values.shape[1:]), np.float32)
        padded[: len(values)] = values
        values = padded
    if scaling is not None:
        values = SCALINGS[scaling](values, gain)
    views = np.lib.stride_tricks.sliding_window_view(values, window, axis=0)
    # `sliding_window_view` puts the axis of the window last.
    return np.moveaxis(views[:: hop or window], -1, 1)


@dataclass(frozen=True)
class NetworkInput:
    """How windows (n, window, ...) become batches of a network."""

    window: int | None
    """Frames or samples of a window; None if the network takes any number."""
    shape: tuple[int | None, ...]
    """Shape of one input; axes that the windows don't have are 1."""
    transposed: bool = False
    image: bool = False
    preprocessing: str | None = None

    def batches(
        self, windows: np.ndarray, batch_size: int, fixed: bool
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the number of windows in a batch, and the batch.

        Parameters
        ----------
        windows : ndarray of shape (n, window) or (n, window, n_mels)
            May be a view; one batch of it is copied at a time.
        batch_size : int
            Windows in each batch, at the most.
        fixed : bool
            Whether to pad the last batch to `batch_size`.
        """
        for first in range(0, len(windows), batch_size):
            batch = windows[first : first + batch_size]
            n = len(batch)
            if fixed and n < batch_size:
                padding = np.zeros((batch_size - n, *batch.shape[1:]), np.float32)
                batch = np.concatenate([batch, padding])
            batch = self._as_images(batch) if self.image else self._reshape(batch)
            yield n, np.ascontiguousarray(batch, dtype=np.float32)

    def _reshape(self, windows: np.ndarray) -> np.ndarray:
        if self.transposed:
            windows = windows.swapaxes(1, 2)
        sizes = iter(windows.shape[1:])
        inner = [1 if size == 1 else next(sizes) for size in self.shape]
        return windows.reshape(len(windows), *inner)

    def _as_images(self, windows: np.ndarray) -> np.ndarray:
        """Return images of three equal channels, 0 to 255 for -80 to 0 dB."""
        import keras

        grey = (windows[..., np.newaxis] + np.float32(_TOP_DB)) * (255 / _TOP_DB)
        channels_first = self.shape[-1] != 3
        size = self.shape[1:] if channels_first else self.shape[:-1]
        given = windows.shape[1:]
        wanted = tuple(n or m for n, m in zip(size, given, strict=True))
        if wanted != given:
            grey = np.asarray(
                keras.ops.image.resize(grey, wanted, data_format="channels_last")
            )
        images = np.repeat(grey, 3, axis=-1)
        if self.preprocessing is not None:
            module = getattr(keras.applications, self.preprocessing)
            images = module.preprocess_input(images, data_format="channels_last")
        return np.moveaxis(images, -1, 1) if channels_first else images


def network_input(
    network: "Network",
    kind: str,
    *,
    window: int | None,
    n_mels: int,
    preprocessing: str | None,
) -> NetworkInput:
    """Return how windows of these parameters become the network's input.

    Raises
    ------
    ValueError
        If they don't match; the message names both shapes.
    """
    if len(network.input_shape) < 2:
        raise ValueError(
            f"{network.name} takes inputs of shape {network.input_shape}, which has no "
            "batch axis. Wrap it in a network that has one."
        )
    shape = network.input_shape[1:]
    if kind == "image":
        if len(shape) == 3 and 3 in (shape[0], shape[-1]):
            _check_preprocessing(preprocessing)
            return NetworkInput(window, shape, image=True, preprocessing=preprocessing)
        raise _mismatch(network, "images of shape (height, width, 3)", kind)
    sizes = [size for size in shape if size != 1]
    if kind == "waveform":
        if len(sizes) == 1 and _fits(sizes[0], window):
            return NetworkInput(window or sizes[0], shape)
        length = "n_samples" if window is None else str(window)
        raise _mismatch(network, f"windows of shape ({length},)", kind)
    if len(sizes) == 2:
        for transposed in (False, True):
            frames, bands = sizes[::-1] if transposed else sizes
            if _fits(bands, n_mels) and _fits(frames, window):
                return NetworkInput(window or frames, shape, transposed)
    length = "n_frames" if window is None else str(window)
    raise _mismatch(network, f"windows of shape ({length}, n_mels={n_mels})", kind)


def _fits(size: int | None, given: int | None) -> bool:
    return size is None or given is None or size == given


def _mismatch(network: "Network", windows: str, kind: str) -> ValueError:
    return ValueError(
        f"{network.name} takes inputs of shape {network.input_shape[1:]}, and "
        f"input={kind!r} makes {windows}. Set `input`, `window` and `n_mels` to "
        "match the network."
    )


def _check_preprocessing(preprocessing: str | None) -> None:
    import keras

    if preprocessing is None:
        return
    known = [
        name
        for name in dir(keras.applications)
        if name != "imagenet_utils"
        and hasattr(getattr(keras.applications, name), "preprocess_input")
    ]
    if preprocessing not in known:
        raise ValueError(
            "The 'preprocessing' parameter must be a module of keras.applications "
            f"({', '.join(known)}) or None, got {preprocessing!r}."
        )
