"""The embeddings of a music library, kept in a file between commands."""

import io
import os
import time
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skgenre._files import check_stored, check_writable, read_array, write_atomically

_FORMAT = 1
_SECONDS_BETWEEN_WRITES = 30.0
# All that a file holds, by name: the kind of its values, and how many axes it has.
_ARRAYS = {
    "format": (np.integer, 0),
    "model": (np.str_, 0),
    "names": (np.uint8, 1),
    "sizes": (np.int64, 1),
    "times": (np.int64, 1),
    "embeddings": (np.float32, 2),
}


class LibraryIndex:
    """Embeddings of the audio files of one folder, by one model.

    A file is known by its name below the folder, its size and the time of its last
    change; a library may be moved as a whole. The index file holds arrays only, no
    pickles, and is written under another name first.

    Parameters
    ----------
    folder : Path
        The library.
    model : str
        Digest of the model file.
    file : Path or None
        The index file, which is read if it is there; None keeps nothing.

    Raises
    ------
    ValueError
        If the file is no index, or is one of another model or library.
    """

    def __init__(self, folder: Path, model: str, file: Path | None) -> None:
        self._folder, self._model, self._file = folder, model, file
        self._entries: dict[bytes, tuple[tuple[int, int], NDArray]] = {}
        self._written = time.monotonic()
        if file is not None and file.exists():
            self._entries = _read(file, model)

    def update(self, paths: Sequence[str]) -> tuple[list[str], str]:
        """Remove the files that are gone or have changed.

        Parameters
        ----------
        paths : sequence of str
            All files of the library.

        Returns
        -------
        wanted : list of str
            Files whose embeddings are missing now.
        counts : str
            How many are new, changed, removed and as they were.
        """
        known = self._entries
        names = {self._name(path): path for path in paths}
        if known and not names.keys() & known.keys():
            raise ValueError(
                f"{str(self._file)!r} is the index of another folder: none of its "
                f"{len(known)} files is in {str(self._folder)!r}. Choose another "
                "--index, or delete this one."
            )
        self._entries = {
            name: known[name]
            for name, path in names.items()
            if name in known and known[name][0] == _state(path)
        }
        wanted = [path for name, path in names.items() if name not in self._entries]
        n_new = len(names.keys() - known.keys())
        n_removed = len(known.keys() - names.keys())
        if wanted or n_removed:
            self.write()  # if it can't be written, fail now, not in an hour
        return wanted, (
            f"{n_new} new, {len(wanted) - n_new} changed, {n_removed} removed, "
            f"{len(self._entries)} as they were"
        )

    def add(self, path: str, state: tuple[int, int], embedding: NDArray) -> None:
        """Add a file: its state before it was read, and its embedding."""
        self.check_width(embedding)
        self._entries[self._name(path)] = state, embedding
        if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            self.write()

    def check_width(self, embedding: NDArray) -> None:
        """Refuse an embedding that is wider or narrower than those of the index."""
        for _, known in self._entries.values():
            if known.shape != embedding.shape:
                raise ValueError(
                    f"{str(self._file)!r} holds embeddings of {len(known)} numbers, "
                    f"and the model makes {len(embedding)}. Delete the index to have "
                    "it made anew."
                )
            return

    def embeddings(self, paths: Iterable[str]) -> dict[str, NDArray]:
        """Return by path the embeddings of those files that have one."""
        names = ((path, self._name(path)) for path in paths)
        return {
            path: self._entries[name][1]
            for path, name in names
            if name in self._entries
        }

    def write(self) -> None:
        """Write the file, if one is wanted."""
        if self._file is None:
            return
        states = np.array(
            [state for state, _ in self._entries.values()], dtype=np.int64
        )
        sizes, times = states.reshape(-1, 2).T
        rows = [embedding for _, embedding in self._entries.values()]
        contents = io.BytesIO()
        np.savez(
            contents,
            format=np.array(_FORMAT),
            model=np.array(self._model),
            names=np.frombuffer(b"\0".join(self._entries), dtype=np.uint8),
            sizes=sizes,
            times=times,
            embeddings=np.array(rows, np.float32).reshape(len(rows), -1 if rows else 0),
        )
        write_atomically(check_writable(self._file), contents.getvalue())
        self._written = time.monotonic()

    def _name(self, path: str) -> bytes:
        return os.fsencode(os.path.relpath(path, self._folder))


def file_states(paths: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return by path the size in bytes and the time of the last change in ns."""
    return {path: _state(path) for path in paths}


def _state(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:  # a broken link, which decoding will report
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _read(file: Path, model: str) -> dict[bytes, tuple[tuple[int, int], NDArray]]:
    advice = "Choose another --index, or delete it to have it made anew."
    try:
        arrays = _read_arrays(file)
        if arrays["format"] != _FORMAT:
            raise ValueError(f"its format is {arrays['format']}, not {_FORMAT}")
        names = arrays["names"].tobytes().split(b"\0") if arrays["names"].size else []
        states = list(
            zip(arrays["sizes"].tolist(), arrays["times"].tolist(), strict=True)
        )
        rows = arrays["embeddings"]
        lengths = len(names), len(arrays["sizes"]), len(arrays["times"]), len(rows)
        if len(set(lengths)) > 1:
            raise ValueError("its arrays are of different lengths")
        if b"" in names or len(set(names)) < len(names):
            raise ValueError("names of files are empty or repeated")
        if (rows.shape[1] == 0) != (len(rows) == 0) or not np.isfinite(rows).all():
            raise ValueError("its embeddings are empty, or not finite")
    except OSError:
        raise
    except Exception as error:  # a damaged archive makes zipfile raise any type
        raise ValueError(
            f"{str(file)!r} is no index of skgenre, or is damaged: {error}. {advice}"
        ) from error
    if arrays["model"] != model:
        raise ValueError(
            f"The index {str(file)!r} was made with another model, whose "
            f"embeddings can't be compared with this one's. {advice}"
        )
    return dict(zip(names, zip(states, rows, strict=True), strict=True))


def _read_arrays(file: Path) -> dict[str, NDArray]:
    """Return what `_ARRAYS` lists, if that is all that the file holds."""
    if file.exists() and not file.is_file():  # opening a pipe would wait for a writer
        raise ValueError("it is no regular file")
    with open(file, "rb") as opened, zipfile.ZipFile(opened) as archive:
        check_stored(archive, os.fstat(opened.fileno()).st_size)
        if sorted(archive.namelist()) != sorted(f"{name}.npy" for name in _ARRAYS):
            raise ValueError(f"its arrays are not {', '.join(_ARRAYS)}")
        arrays = {name: read_array(archive.read(f"{name}.npy")) for name in _ARRAYS}
    for name, (kind, ndim) in _ARRAYS.items():
        if not np.issubdtype(arrays[name].dtype, kind) or arrays[name].ndim != ndim:
            raise ValueError(
                f"{name!r} has the type {arrays[name].dtype} and the shape "
                f"{arrays[name].shape}, not {ndim} axes of {kind.__name__}"
            )
    return arrays
