"""Power in mel bands to the numbers that networks were trained on."""

from collections.abc import Callable

import numpy as np

from skgenre.features._spectrogram import AMIN, relative_decibels

TOP_DB = 80.0
"""Depth of the floor of 'relative_db' below the loudest value."""


def _relative_db(power: np.ndarray, gain: float) -> np.ndarray:
    return relative_decibels(power, TOP_DB)


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
