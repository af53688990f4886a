"""Spectrograms of large collections, on the disk while a network is trained."""

import math
import os
from pathlib import Path

from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from sklearn.pipeline import Pipeline

from skgenre._files import size_text
from skgenre.classifiers import BaseGenreClassifier
from skgenre.features import MelSpectrogramTransformer, SpectrogramFile

# Of the memory, what spectrograms may take; a network and the system need some, too.
_SHARE = 0.8


def check_work_dir(model: Pipeline, n_clips: int, work_dir: Path | None) -> None:
    """Refuse spectrograms that will not go into the memory, and needless folders.

    Raises
    ------
    ValueError
        If a folder is given for a model that makes no spectrograms, or none is given
        for more of them than most of the memory can hold.
    """
    makes_spectrograms = isinstance(model[0], MelSpectrogramTransformer) and isinstance(
        model[-1], BaseGenreClassifier
    )
    if work_dir is not None and not makes_spectrograms:
        raise ValueError(
            "--work-dir is for networks, and this model trains none. Leave it out, or "
            "choose --model scratch or paper."
        )
    if work_dir is not None or not makes_spectrograms:
        return
    n_bytes = n_clips * model[0].n_frames * model[0].n_mels * 4
    memory = _memory_bytes()
    if n_bytes > _SHARE * memory:
        raise ValueError(
            f"The spectrograms of {n_clips:,} clips take {size_text(n_bytes)}, and "
            f"this machine has {size_text(memory)} of memory. Give --work-dir, a "
            "folder on a disk that has room for them."
        )


def _memory_bytes() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows, among others
        return math.inf


def spectrograms_on_disk(
    model: Pipeline, paths: NDArray, folder: Path, console: Console
) -> SpectrogramFile:
    """Write the spectrograms, or what is missing of them, into a folder.

    Raises
    ------
    OSError
        If the folder holds others, or has not enough room.
    """
    folder.mkdir(parents=True, exist_ok=True)
    spectrograms: SpectrogramFile = model[0].transform_to(
        folder / "spectrograms.npy", paths
    )
    console.print(
        f"Spectrograms are in [bold]{escape(spectrograms.path)}[/]: another training "
        "uses them again. Delete them when they are no longer needed.",
        soft_wrap=True,
    )
    return spectrograms
