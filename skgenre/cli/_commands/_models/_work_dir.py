"""Spectrograms that a network is trained on: in memory, or on the disk."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from sklearn.pipeline import Pipeline

from skgenre._files import size_text
from skgenre.audio import AudioError
from skgenre.classifiers import BaseGenreClassifier, SegmentClassifier
from skgenre.cli._console import plain
from skgenre.cli._files import print_notes
from skgenre.features import MelSpectrogramTransformer, SpectrogramFile
from skgenre.features._lazy_rows import LazyRows
from skgenre.features._missing_clips import missing_clips
from skgenre.features._precompute import read_once

# Files that are tried again, of which the spectrograms are held in memory.
_CLIPS_AT_A_TIME = 32
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
    if work_dir is not None and not _is_network(model):
        raise ValueError(
            "--work-dir is for networks, and this model trains none. Leave it out, or "
            "choose --model scratch, crnn, parallel or paper."
        )
    if work_dir is not None or not _is_network(model):
        return
    n_bytes = n_clips * model[0].n_frames * model[0]._n_columns * 4
    memory = _memory_bytes()
    if n_bytes > _SHARE * memory:
        raise ValueError(
            f"The spectrograms of {n_clips:,} clips take {size_text(n_bytes)}, and "
            f"this machine has {size_text(memory)} of memory. Give --work-dir, a "
            "folder on a disk that has room for them."
        )


def _is_network(model: Pipeline) -> bool:
    """Return whether a model is a network behind a step that makes spectrograms."""
    mel, network = model[0], model[-1]
    return isinstance(mel, MelSpectrogramTransformer) and isinstance(
        network, BaseGenreClassifier | SegmentClassifier
    )


def _memory_bytes() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows, among others
        return math.inf


@contextmanager
def clips_to_learn_from(
    model: Pipeline, paths: Sequence[str], work_dir: Path | None, console: Console
) -> Iterator[tuple[Any, Any, Mapping[str, AudioError | str]]]:
    """Read each file once, and yield what is to be fitted on what.

    Parameters
    ----------
    model : Pipeline
        Its first step reads files.
    paths : sequence of str
        Files.
    work_dir : Path or None
        Folder to keep spectrograms in, rather than in memory.
    console : Console
        Where to say that they are there.

    Yields
    ------
    learner : estimator
        The model, or only its network.
    clips : ndarray or LazyRows
        What the learner takes, of the files that can be read. To be used inside the
        block.
    errors : dict of str to (AudioError or str)
        By path, what is wrong with the others, which in memory include those that are
        silent or too short to learn a genre from.
    """
    if work_dir is not None:
        spectrograms, broken = _spectrograms_on_disk(model[0], paths, work_dir, console)
        readable = [path not in broken for path in paths]
        yield model[-1], spectrograms[np.array(readable)], broken
        return
    mel = model[0]
    with read_once(model, paths, n_jobs=mel.n_jobs, verbose=mel.verbose) as read:
        errors: dict[str, AudioError | str] = dict(read.errors)
        damaged = {}
        for path, reading in read.readings.items():
            if reading.has_music:
                damaged[path] = reading
            else:
                errors[path] = f"{path!r} is {reading.status}: {reading.cause}."
        print_notes(damaged, console)
        good = [path for path in paths if path not in errors]
        if not _is_network(model):
            yield model, np.array(good, dtype=object), errors
            return
        found = read.results_of(mel)
        shape = len(good), mel.n_frames, mel._n_columns
        yield (
            model[-1],
            _SpectrogramList([found[path] for path in good], shape),
            errors,
        )


class _SpectrogramList(LazyRows):
    """Spectrograms in memory, of which a choice of rows is no copy."""

    def __init__(
        self, spectrograms: Sequence[NDArray], shape: tuple[int, int, int]
    ) -> None:
        super().__init__(shape, np.float32)
        self._spectrograms = spectrograms

    def _read(self, rows: NDArray) -> NDArray:
        chosen = np.empty((len(rows), *self._row_shape), np.float32)
        for place, row in zip(chosen, rows, strict=True):
            place[...] = self._spectrograms[row]
        return chosen


def _spectrograms_on_disk(
    mel: MelSpectrogramTransformer,
    paths: Sequence[str],
    folder: Path,
    console: Console,
) -> tuple[SpectrogramFile, dict[str, AudioError]]:
    """Write the spectrograms, or what is missing of them, into a folder.

    Returns
    -------
    spectrograms : SpectrogramFile
        Of all files; those that can't be read are NaN.
    errors : dict of str to AudioError
        By path, what is wrong with these.

    Raises
    ------
    OSError
        If the folder holds others, or has not enough room.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mel.set_params(on_error="ignore")
    try:
        spectrograms: SpectrogramFile = mel.transform_to(
            folder / "spectrograms.npy", paths
        )
    finally:
        mel.set_params(on_error="raise")
    console.print(
        f"Spectrograms are in [bold]{plain(spectrograms.path)}[/]: another training "
        "uses them again. Delete them when they are no longer needed.",
        soft_wrap=True,
    )
    # The file does not hold why, and an earlier training may have written it: those
    # that are missing are tried again, and written if they can be read now.
    missing = [
        row
        for row, spectrogram in enumerate(spectrograms)
        if missing_clips([spectrogram])[0]
    ]
    errors: dict[str, AudioError] = {}
    stored = np.lib.format.open_memmap(spectrograms.path, mode="r+")
    for start in range(0, len(missing), _CLIPS_AT_A_TIME):
        rows = missing[start : start + _CLIPS_AT_A_TIME]
        with read_once(mel, [paths[row] for row in rows], n_jobs=mel.n_jobs) as read:
            errors |= read.errors
            found = read.results_of(mel)
        for row in rows:
            if paths[row] in found:
                stored[row] = found[paths[row]]
    stored.flush()
    return spectrograms, errors
