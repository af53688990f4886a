"""Spectrograms of a corpus that is larger than the memory: one file of them all.

`SpectrogramFile` reads it, and `write_spectrograms` writes it as they are made, and
resumes after a stop.
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

from skgenre._files import check_space, check_writable, write_atomically
from skgenre.audio._load import Clip
from skgenre.features._lazy_rows import LazyRows

try:
    import fcntl
except ImportError:  # Windows, where nobody else can write to an open file
    fcntl = None  # type: ignore[assignment]

_FORMAT = "skgenre spectrograms 1"
_CLIPS_BETWEEN_SAVES = 64


class SpectrogramFile(LazyRows):
    """Spectrograms in a ``.npy`` file, of which classifiers read batch by batch.

    It is indexed as an array is, but only by rows, and without reading them:
    ``X[rows]`` stands for some spectrograms of the same file. So searches and
    cross-validation, which cut X into folds, don't hold the folds in memory.
    ``numpy.asarray(X[rows])`` reads.

    Parameters
    ----------
    path : str or os.PathLike
        A file that :meth:`MelSpectrogramTransformer.transform_to` or `numpy.save` has
        written: floats of shape (n_clips, n_frames, n_mels).

    Attributes
    ----------
    path : str
        Absolute path of the file.
    shape : tuple of (n_clips, n_frames, n_mels)
        As of an array.
    ndim : int
        3.
    dtype : numpy.dtype
        Type of the values.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no ``.npy`` file, or not one of spectrograms.

    See Also
    --------
    MelSpectrogramTransformer.transform_to : Writes such a file.
    numpy.load : With ``mmap_mode="r"`` it gives an array of the same file. It does for
        `fit` and `predict`; but any choice of its rows is a copy in memory.

    Notes
    -----
    A copy in another process, as joblib and Dask make, opens the file of that path
    there; nothing of its content is sent. One row, ``X[i]``, is an array.

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
        try:
            mapped = np.lib.format.open_memmap(self.path, mode="r")
        except ValueError as error:
            raise ValueError(
                f"{os.fspath(path)!r} is no .npy file of numbers, or not all of it is "
                f"there: {error}"
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
            # A view: nothing is copied, and nothing read before it is looked at.
            return np.asarray(self._mapped[rows[0] : rows[-1] + 1])
        self._read_ahead(rows)
        return np.asarray(self._mapped)[rows]

    def _read_ahead(self, rows: NDArray) -> None:
        """Tell the system all rows at once: a disk reads them faster than in turn."""
        mapping = self._mapped.base
        if not hasattr(mmap, "MADV_WILLNEED") or not self._mapped.flags.c_contiguous:
            return
        n_bytes = self._mapped.strides[0]
        for row in rows.tolist():
            start = self._mapped.offset + row * n_bytes
            page = start - start % mmap.PAGESIZE
            mapping.madvise(mmap.MADV_WILLNEED, page, start + n_bytes - page)  # type: ignore[union-attr]

    def __repr__(self) -> str:
        """Tell the file, and what of it is meant."""
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

    They are written in turn to ``{path}.part``, which gets its name when all are
    there; ``{path}.json`` keeps what they are of and how many are safely on the disk.
    A call that finds some goes on behind them, and one that finds all does nothing.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    clips : list
        Paths or waveforms.
    make : callable
        Takes clips and yields the spectrogram of each.
    settings : dict
        What the spectrograms depend on besides the clips, as JSON takes it.
    shape : tuple of (n_frames, n_mels)
        Of each spectrogram.
    dtype : dtype
        What to write.

    Raises
    ------
    FileExistsError
        If there are spectrograms of other clips or settings.
    OSError
        If the disk has not enough room, or the file can't be written.
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
    # Neither emptied nor appended to, before it is known what it is.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
    with open(os.open(part, flags, 0o666), "r+b") as file:
        _lock(file, part)
        if target.exists():  # another process was quicker
            part.unlink(missing_ok=True)
            progress.check_complete(clips)
            return
        n_there = max(0, os.path.getsize(part) - len(header)) // n_bytes
        n_done = progress.resume(clips, n_there)
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
                error.add_note(f"Clips are counted from clip {n_done} of X here.")
            raise
        finally:
            progress.save(file)
        os.replace(part, target)


class _Progress:
    """What of a file is written, and what it is of.

    Parameters
    ----------
    target : Path
        The file; beside it this is kept as JSON.
    settings : dict
        What the spectrograms depend on besides the clips.
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
        """Keep the count, once what was written to the file is on the disk."""
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

    def resume(self, clips: list[Clip], n_there: int) -> int:
        """Return how many of the clips are written.

        Parameters
        ----------
        clips : list
            Those to write, and that the first written ones must be.
        n_there : int
            Spectrograms in the unfinished file.
        """
        saved = self._read()
        if saved is not None and 0 < saved["n_done"] <= n_there:
            path = f"{self._target}.part"
            self._check_settings(saved, path)
            self._check_clips(saved, clips, path)
        return self._n_done

    def check_complete(self, clips: list[Clip]) -> None:
        """Refuse a file that doesn't hold just these clips."""
        path, saved = str(self._target), self._read()
        if saved is None:
            raise _other(path, f"there is no {self._path.name!r} beside it")
        self._check_settings(saved, path)
        if saved["n_done"] != len(clips):
            raise _other(path, f"they are of {saved['n_done']} clips, not {len(clips)}")
        self._check_clips(saved, clips, path)

    def _check_settings(self, saved: dict[str, Any], path: str) -> None:
        changed = [
            f"{name}={saved['settings'].get(name)!r} instead of {value!r}"
            for name, value in self._settings.items()
            if saved["settings"].get(name) != value
        ]
        if changed:
            raise _other(path, f"they were made with {', '.join(changed)}")

    def _check_clips(self, saved: dict[str, Any], clips: list[Clip], path: str) -> None:
        """Count the clips that are saved as written, if they are the first of these."""
        for clip in clips[: saved["n_done"]]:
            self.add(clip)
        if self._clips.hexdigest() != saved["clips"]:
            raise _other(
                path, f"their first {saved['n_done']} clips are others, or were changed"
            )

    def _read(self) -> dict[str, Any] | None:
        try:
            saved = json.loads(self._path.read_bytes())
            if saved["format"] == _FORMAT:
                return saved
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError):
            pass
        raise FileExistsError(
            f"{str(self._path)!r} is there already and does not tell of spectrograms. "
            "Choose another name for them."
        )


def _other(path: str, why: str) -> FileExistsError:
    return FileExistsError(
        f"{path!r} is there already and holds other spectrograms: {why}. Delete "
        "it, or choose another name."
    )


def _identity(clip: Clip) -> bytes:
    """Name a clip and, of a file, what changes when it is written anew."""
    if isinstance(clip, np.ndarray):
        return repr(clip.shape).encode() + clip.tobytes()
    try:
        facts = os.stat(clip)
    except OSError:  # decoding will tell what is wrong
        return os.fsencode(clip) + b"\0"
    return os.fsencode(clip) + f"\0{facts.st_size} {facts.st_mtime_ns}\0".encode()


def _header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """Return what a ``.npy`` file begins with; of any number of clips, as long."""
    header = io.BytesIO()
    facts = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(header, facts)
    return header.getvalue()


def _lock(file: io.BufferedRandom, path: Path) -> None:
    """Keep the file for this process, until it is closed."""
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(
            f"{str(path)!r} is being written by another process. Wait until that has "
            "ended, or choose another name."
        ) from None
