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
from skgenre.audio._reading import Reading
from skgenre.classifiers import BaseGenreClassifier, SegmentClassifier
from skgenre.cli._console import plain
from skgenre.cli._files import apply_in_chunks, print_notes
from skgenre.features import MelSpectrogramTransformer, SpectrogramFile
from skgenre.features._lazy_rows import LazyRows
from skgenre.features._missing_clips import missing_clips
from skgenre.features._precompute import CLIPS_AT_A_TIME, read_once
from skgenre.features._spectrogram_file import write_spectrograms

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
        Where to say that they are there, and which files are damaged.

    Yields
    ------
    learner : estimator
        The model, or only its network.
    clips : ndarray or LazyRows
        What the learner takes, of the files that it can learn from. To be used inside
        the block.
    errors : dict of str to (AudioError or str)
        By path, what is wrong with the others, which include those that are silent or
        too short to learn a genre from.
    """
    if work_dir is not None:
        spectrograms, broken = _spectrograms_on_disk(model[0], paths, work_dir, console)
        readable = [path not in broken for path in paths]
        yield model[-1], spectrograms[np.array(readable)], broken
        return
    mel = model[0]
    with read_once(model, paths, n_jobs=mel.n_jobs, verbose=mel.verbose) as read:
        errors = read.errors | _without_music(read.readings, console)
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


def _without_music(readings: Mapping[Any, Reading], console: Console) -> dict[str, str]:
    """Return by path what is wrong with files without music; print notes on others."""
    has_music = {path: r for path, r in readings.items() if r.has_music}
    print_notes(has_music, console)
    return {
        path: f"{path!r} is {reading.status}: {reading.cause}."
        for path, reading in readings.items()
        if path not in has_music
    }


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
) -> tuple[SpectrogramFile, dict[str, str]]:
    """Write the spectrograms, or what is missing of them, into a folder.

    Returns
    -------
    spectrograms : SpectrogramFile
        Of all files; those that no genre can be learnt from are NaN.
    errors : dict of str to str
        By path, what is wrong with these.

    Raises
    ------
    OSError
        If the folder holds others, or has not enough room.
    """
    errors: dict[str, str] = {}
    missing = mel._missing(mel.n_frames)

    def read(files: list[Any]) -> Iterator[NDArray]:
        chunks = apply_in_chunks(
            mel.transform,
            mel,
            files,
            n_jobs=mel.n_jobs,
            title="Spectrograms",
            console=console,
        )
        for i, found in enumerate(chunks):
            errors.update(found.errors | _without_music(found.readings, console))
            start = i * CLIPS_AT_A_TIME
            for path in files[start : start + CLIPS_AT_A_TIME]:
                yield missing if path in errors else found.results[path]

    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "spectrograms.npy"
    write_spectrograms(
        target,
        list(paths),
        read,
        settings=mel._spectrogram_parameters(),
        shape=missing.shape,
        dtype=np.dtype(np.float32),
    )
    spectrograms = SpectrogramFile(target)
    console.print(
        f"Spectrograms are in [bold]{plain(spectrograms.path)}[/]: another training "
        "uses them again. Delete them when they are no longer needed.",
        soft_wrap=True,
    )
    # The file does not hold why, and an earlier training may have written it: those
    # that are missing are tried again, and written if they can be read now.
    again = [
        row
        for row, spectrogram in enumerate(spectrograms)
        if paths[row] not in errors and missing_clips([spectrogram])[0]
    ]
    stored = np.lib.format.open_memmap(spectrograms.path, mode="r+")
    for row, spectrogram in zip(again, read([paths[i] for i in again]), strict=True):
        stored[row] = spectrogram
    stored.flush()
    return spectrograms, errors
