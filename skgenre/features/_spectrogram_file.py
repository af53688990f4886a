"""A file of spectrograms, for collections larger than the memory.

`SpectrogramFile` reads it. `write_spectrograms` writes it as they are computed, and
resumes after it was stopped.
"""

import hashlib
import io
import json
import mmap
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre._files import (
    check_space,
    check_writable,
    open_regular,
    write_atomically,
)
from skgenre.audio._clip import Clip, FileClip, WaveformClip
from skgenre.audio._clip_cache import content_key
from skgenre.features._lazy_rows import LazyRows

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_FORMAT = "skgenre spectrograms 1"
_CLIPS_BETWEEN_SAVES = 64
# Bytes of the record of spectrograms, which has a few hundred.
_LONGEST_RECORD = 1 << 20


class SpectrogramFile(LazyRows):
    """Spectrograms in a ``.npy`` file, which classifiers read batch by batch.

    It is indexed like an array, but only by rows, and without reading them: ``X[rows]``
    is a `SpectrogramFile` of these rows. So searches and cross-validation, which split
    X into folds, don't hold the folds in memory. ``numpy.asarray(X[rows])`` reads them.

    Parameters
    ----------
    path : str or os.PathLike
        A file written by :meth:`MelSpectrogramTransformer.transform_to` or
        `numpy.save`: floats of shape (n_clips, n_frames, n_mels).

    Attributes
    ----------
    path : str
        Absolute path of the file.
    shape : tuple of (n_clips, n_frames, n_mels)
        Shape of the array.
    ndim : int
        3.
    dtype : numpy.dtype
        Type of the values.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a ``.npy`` file of spectrograms.

    See Also
    --------
    MelSpectrogramTransformer.transform_to : Writes such a file.
    numpy.load : With ``mmap_mode="r"`` it returns an array of the same file. `fit` and
        `predict` take it, too; but a selection of its rows is a copy in memory.

    Notes
    -----
    Pickles hold the path and the rows: joblib and Dask open the file in their worker
    processes instead of sending its contents. One row, ``X[i]``, is an array.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.features import SpectrogramFile
    >>> np.save("spectrograms.npy", np.zeros((50, 20, 8), np.float32))
    >>> X = SpectrogramFile("spectrograms.npy")
    >>> X.shape, X[[3, 4, 7]].shape
    ((50, 20, 8), (3, 20, 8))
    >>> np.asarray(X[:2]).max()
    np.float32(0.0)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(path)
        # Opening a pipe would wait for a writer.
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            raise ValueError(
                f"{os.fspath(path)!r} is no regular file. Give a .npy file of "
                "spectrograms."
            )
        try:
            mapped = np.lib.format.open_memmap(self.path, mode="r")
        except ValueError as error:
            raise ValueError(
                f"{os.fspath(path)!r} is not a .npy file of numbers, or is truncated: "
                f"{error}"
            ) from error
        if mapped.ndim != 3 or mapped.dtype.kind != "f":
            raise ValueError(
                f"{os.fspath(path)!r} holds {mapped.dtype} of shape {mapped.shape}; "
                "expected floats of shape (n_clips, n_frames, n_mels)."
            )
        super().__init__(mapped.shape, mapped.dtype)
        self._mapped = mapped

    def _read(self, rows: NDArray) -> NDArray:
        if len(rows) and (np.diff(rows) == 1).all():
            # A view: nothing is copied, and nothing is read before it is needed.
            return np.asarray(self._mapped[rows[0] : rows[-1] + 1])
        self._read_ahead(rows)
        return np.asarray(self._mapped)[rows]

    def _read_ahead(self, rows: NDArray) -> None:
        """Announce all rows to the system: a disk reads them faster than one by one."""
        mapping = self._mapped.base
        if not hasattr(mmap, "MADV_WILLNEED") or not self._mapped.flags.c_contiguous:
            return
        n_bytes = self._mapped.strides[0]
        for row in rows.tolist():
            start = self._mapped.offset + row * n_bytes
            page = start - start % mmap.PAGESIZE
            mapping.madvise(mmap.MADV_WILLNEED, page, start + n_bytes - page)  # type: ignore[union-attr]

    def __repr__(self) -> str:
        """Return the path, the shape and the type."""
        return f"<SpectrogramFile {self.path!r}, shape {self.shape}, {self.dtype}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the path and the rows."""
        return _opened, (type(self), self.path, self._rows)


def _opened(kind: type[SpectrogramFile], path: str, rows: NDArray) -> SpectrogramFile:
    return kind(path)._of(rows)


def write_spectrograms(
    path: str | os.PathLike[str],
    clips: list[Clip],
    make: Callable[[list[Clip]], Iterable[NDArray]],
    *,
    settings: dict[str, Any],
    shape: tuple[int, int],
    dtype: np.dtype,
) -> None:
    """Write the spectrogram of each clip into one ``.npy`` file.

    They are written one by one to ``{path}.part``, which is renamed when it is
    complete; ``{path}.json`` records the clips, the settings and how many are safely on
    the disk. A call that finds some resumes behind them, and one that finds all does
    nothing.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    clips : list
        Paths or waveforms.
    make : callable
        Takes clips and yields the spectrogram of each.
    settings : dict
        Values on which the spectrograms depend besides the clips; JSON's types.
    shape : tuple of (n_frames, n_mels)
        Shape of each spectrogram.
    dtype : dtype
        Type of the values in the file.

    Raises
    ------
    FileExistsError
        If the file has spectrograms of other clips or settings.
    OSError
        If the disk has too little space, or the file can't be written.
    """
    target = check_writable(path)
    progress = _Progress(target, settings | {"dtype": dtype.name})
    if target.exists():
        progress.check_complete(clips)
        return
    header = _header((len(clips), *shape), dtype)
    n_bytes = int(np.prod(shape)) * dtype.itemsize
    part = Path(f"{target}.part")
    n_written = part.stat().st_size if part.exists() else 0
    n_missing = len(header) + len(clips) * n_bytes - n_written
    check_space(str(target.parent), n_missing, f"{str(target)!r}")
    # Neither emptied nor appended to, before its contents are known to be ours.
    with open(open_regular(part, os.O_RDWR | os.O_CREAT), "r+b") as file:
        _lock(file, part)
        if target.exists():  # another process was quicker
            _close_on_windows(file)
            part.unlink(missing_ok=True)
            progress.check_complete(clips)
            return
        size = os.path.getsize(part)
        n_there = max(0, size - len(header)) // n_bytes
        n_done = progress.resume(clips, n_there, is_new=not size)
        progress.save()
        file.write(header)
        file.truncate(len(header) + n_done * n_bytes)
        file.seek(0, os.SEEK_END)
        try:
            for i, (clip, spectrogram) in enumerate(
                zip(clips[n_done:], make(clips[n_done:]), strict=True), start=1
            ):
                file.write(np.ascontiguousarray(spectrogram, dtype).data)
                progress.add(clip)
                if i % _CLIPS_BETWEEN_SAVES == 0:
                    progress.save(file)
        except Exception as error:
            if n_done:
                error.add_note(f"The clip's number is counted from clip {n_done} of X.")
            raise
        finally:
            progress.save(file)
        _close_on_windows(file)
        os.replace(part, target)


class _Progress:
    """How much of a file is written, and from which clips and settings.

    Parameters
    ----------
    target : Path
        The file; the progress is kept as JSON beside it.
    settings : dict
        Values on which the spectrograms depend besides the clips.
    """

    def __init__(self, target: Path, settings: dict[str, Any]) -> None:
        self._target = target
        self._path = Path(f"{target}.json")
        self._settings = json.loads(json.dumps(settings, default=np.generic.item))
        self._n_done = 0
        self._clips = hashlib.blake2b(digest_size=16)

    def add(self, clip: Clip) -> None:
        """Count one more clip as written."""
        self._n_done += 1
        self._clips.update(_identity(clip))

    def save(self, file: io.BufferedRandom | None = None) -> None:
        """Write the count, once the data in the file are safely on the disk."""
        if file is not None:
            file.flush()
            os.fsync(file.fileno())
        facts = {
            "format": _FORMAT,
            "settings": self._settings,
            "n_done": self._n_done,
            "clips": self._clips.hexdigest(),
        }
        write_atomically(self._path, json.dumps(facts, indent=1).encode())

    def resume(self, clips: list[Clip], n_there: int, *, is_new: bool) -> int:
        """Return how many of the clips are written.

        Parameters
        ----------
        clips : list
            All clips to write; the first of them must be those written already.
        n_there : int
            Spectrograms in the unfinished file.
        is_new : bool
            Whether this file is empty. Another one is ours only if it has a record,
            which is written before it.
        """
        path, saved = f"{self._target}.part", self._read()
        if saved is None and not is_new:
            raise self._without_record(path)
        if saved is not None and 0 < saved["n_done"] <= n_there:
            self._check_settings(saved, path)
            self._check_clips(saved, clips, path)
        return self._n_done

    def check_complete(self, clips: list[Clip]) -> None:
        """Refuse a complete file of other clips or settings."""
        path, saved = str(self._target), self._read()
        if saved is None:
            raise self._without_record(path)
        self._check_settings(saved, path)
        if saved["n_done"] != len(clips):
            raise _other(path, f"they are of {saved['n_done']} clips, not {len(clips)}")
        self._check_clips(saved, clips, path)

    def _without_record(self, path: str) -> FileExistsError:
        return _other(path, f"there is no {self._path.name!r} beside it")

    def _check_settings(self, saved: dict[str, Any], path: str) -> None:
        changed = [
            f"{name}={saved['settings'].get(name)!r} instead of {value!r}"
            for name, value in self._settings.items()
            if saved["settings"].get(name) != value
        ]
        if changed:
            raise _other(path, f"they were computed with {', '.join(changed)}")

    def _check_clips(self, saved: dict[str, Any], clips: list[Clip], path: str) -> None:
        """Count the clips that were written, if they are the first of these."""
        for clip in clips[: saved["n_done"]]:
            self.add(clip)
        if self._clips.hexdigest() != saved["clips"]:
            raise _other(
                path, f"their first {saved['n_done']} clips differ, or were changed"
            )

    def _read(self) -> dict[str, Any] | None:
        try:
            with open(open_regular(self._path), "rb") as file:
                saved = json.loads(file.read(_LONGEST_RECORD))
            if saved["format"] == _FORMAT and _is_record(saved):
                return saved
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            pass
        raise FileExistsError(
            f"{str(self._path)!r} exists and is not a record of spectrograms. Choose "
            "another name for them."
        )


def _is_record(saved: dict[str, Any]) -> bool:
    kinds = {"settings": dict, "n_done": int, "clips": str}
    return all(type(saved[name]) is kind for name, kind in kinds.items())


def _other(path: str, why: str) -> FileExistsError:
    return FileExistsError(
        f"{path!r} exists and holds other spectrograms: {why}. Delete it, or choose "
        "another name."
    )


def _identity(clip: Clip) -> bytes:
    """Return bytes that identify a waveform, or a file and its last change."""
    if isinstance(clip, np.ndarray):
        return repr(clip.shape).encode() + clip.tobytes()
    if isinstance(clip, FileClip | WaveformClip):
        return (content_key(clip) or "").encode()
    try:
        facts = os.stat(clip)
    except OSError:  # decoding will report it
        return os.fsencode(clip) + b"\0"
    except ValueError:  # so that it can be no file's: a zero, or half of a character
        return ascii(os.fspath(clip)).encode()
    return os.fsencode(clip) + f"\0{facts.st_size} {facts.st_mtime_ns}\0".encode()


def _header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """Return the header of a ``.npy`` file, as long for any number of clips."""
    header = io.BytesIO()
    facts = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(header, facts)
    return header.getvalue()


def _close_on_windows(file: io.BufferedRandom) -> None:
    """Close the file before it is moved or deleted, as Windows does to no open one.

    Elsewhere it stays open, and so locked, until it has its name.
    """
    if fcntl is None:
        file.close()


def _lock(file: io.BufferedRandom, path: Path) -> None:
    """Lock the file for this process, until it is closed."""
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(
            f"{str(path)!r} is being written by another process. Wait until it has "
            "finished, or choose another name."
        ) from None
