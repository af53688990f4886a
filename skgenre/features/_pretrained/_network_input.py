"""What a network takes: scaled windows, in the order and the size of its own axes."""

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
        Decibels that are missing in it.
    """
    if gain or power.max() > 1e30:  # its product would leave float32's range
        power = power.astype(np.float64) * 10 ** (gain / 10)
    return np.log10(1e4 * power + 1).astype(np.float32)


SCALINGS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "relative_db": _relative_db,
    "db": _db,
    "log_compression": log_compression,
}
"""By name: functions of power and of the decibels that are missing in it."""


def windows_of(
    values: np.ndarray,
    gain: float,
    scaling: str | None,
    window: int | None,
    hop: int | None,
) -> np.ndarray:
    """Return the windows of an excerpt, as a view of its frames or samples."""
    window = window or len(values)
    if len(values) < window:  # silence
        padded = np.zeros((window, *values.shape[1:]), np.float32)
        padded[: len(values)] = values
        values = padded
    if scaling is not None:
        values = SCALINGS[scaling](values, gain)
    views = np.lib.stride_tricks.sliding_window_view(values, window, axis=0)
    # The axis of the window comes last there.
    return np.moveaxis(views[:: hop or window], -1, 1)


@dataclass(frozen=True)
class NetworkInput:
    """How windows (n, window, ...) become a network's batches."""

    window: int | None
    """Frames or samples that the network looks at; None where it takes any number."""
    shape: tuple[int | None, ...]
    """Of one input; all that it has besides the windows' own axes are 1."""
    transposed: bool = False
    image: bool = False
    preprocessing: str | None = None

    def batches(
        self, windows: np.ndarray, batch_size: int, fixed: bool
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield how many windows are in a batch, and the batch.

        Parameters
        ----------
        windows : ndarray of shape (n, window) or (n, window, n_mels)
            May be a view; only a batch of it is copied at a time.
        batch_size : int
            Windows in each batch, at the most.
        fixed : bool
            Fill up the last one.
        """
        for first in range(0, len(windows), batch_size):
            some = windows[first : first + batch_size]
            n = len(some)
            if fixed and n < batch_size:
                empty = np.zeros((batch_size - n, *some.shape[1:]), np.float32)
                some = np.concatenate([some, empty])
            some = self._image(some) if self.image else self._layout(some)
            yield n, np.ascontiguousarray(some, dtype=np.float32)

    def _layout(self, windows: np.ndarray) -> np.ndarray:
        if self.transposed:
            windows = windows.swapaxes(1, 2)
        sizes = iter(windows.shape[1:])
        inner = [1 if size == 1 else next(sizes) for size in self.shape]
        return windows.reshape(len(windows), *inner)

    def _image(self, windows: np.ndarray) -> np.ndarray:
        """Return 0 to 255 for -80 to 0 dB, three times, in the network's size."""
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
    """Match what the network takes with what it is to be given.

    Raises
    ------
    ValueError
        If they don't match; the message names both shapes.
    """
    if len(network.input_shape) < 2:
        raise ValueError(
            f"{network.name} takes inputs of shape {network.input_shape}, which has no "
            "axis for several windows. Wrap it in a network that has one."
        )
    shape = network.input_shape[1:]
    if kind == "image":
        if len(shape) == 3 and 3 in (shape[0], shape[-1]):
            return NetworkInput(
                window, shape, image=True, preprocessing=_known(preprocessing)
            )
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
        f"input={kind!r} makes {windows}. Set `input`, `window` and `n_mels` as the "
        "network needs them."
    )


def _known(preprocessing: str | None) -> str | None:
    import keras

    if preprocessing is None:
        return None
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
    return preprocessing
