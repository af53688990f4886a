"""Arrays in a folder, of which the least recently used are deleted when it is full.

Each is a `.npy` file of its own, with a digest behind it, which finds damage and is no
seal. Pickles are neither written nor read: whoever can write into the folder could hide
code in them. So that nobody else chooses the numbers either, a file is used only if it
can't have been written by just anybody; see `ArrayStore`.
"""

import contextlib
import errno
import hashlib
import io
import os
import re
import stat
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skgenre._files import (
    OLD_TEMPORARY,
    TEMPORARY,
    open_regular,
    read_array,
    write_atomically,
)

LIMIT = "SKGENRE_CACHE_SIZE"
"""Environment variable: how many gigabytes a folder may hold."""

_DEFAULT_LIMIT = 50.0
_KEPT = 0.9  # of the limit, when something has to go
# How much of the limit may be written before looking again what others have written.
_SHARE = 1 / 20
_DIGEST_SIZE = 16
# Bytes of a file; a spectrogram of three hours takes a tenth of it.
_LARGEST = 1 << 30
_MODE = 0o775  # of folders: never for everybody to write to, whatever the umask is
_FOLDER = re.compile(r"\w+-[0-9a-f]{16}")
_FILE = re.compile(r"[0-9a-f]{32}\.npy")
# By folder and limit, what this process may write until it looks what there is, which
# takes a second where there are 100,000 files.
_bytes_left: dict[tuple[Path, int], int] = {}


@dataclass(frozen=True)
class Usage:
    """What a folder holds of one kind."""

    kind: str
    n_arrays: int
    n_bytes: int
    last_used: float
    """Seconds since the epoch."""


def size_limit() -> int:
    """Return how many bytes a folder may hold.

    Raises
    ------
    ValueError
        If the environment variable holds no positive number.
    """
    text = os.environ.get(LIMIT) or str(_DEFAULT_LIMIT)
    try:
        limit = float(text)
    except ValueError:
        limit = -1.0
    if not 0 < limit < 1e9:
        raise ValueError(
            f"The environment variable {LIMIT} must be a number of gigabytes above 0, "
            f"got {text!r}."
        )
    return int(limit * 1e9)


class ArrayStore:
    """The arrays of one kind in a folder, by name.

    Parameters
    ----------
    folder : str
        Absolute path; made if it is not there.

    kind : str
        A word, a hyphen and 16 hexadecimal digits.

    Raises
    ------
    OSError
        If the folder is not there and can't be made.

    Notes
    -----
    On POSIX, an array is used if not everybody may write to its file, and it is the
    user's own or root's. Those of others are used as well, if not everybody may write
    to its folder or to one above: then only the owners of these folders, and groups
    that may write to them, can have put it there. Links, pipes and devices are not
    opened.
    """

    def __init__(self, folder: str, kind: str) -> None:
        self._folder = Path(folder)
        self._kind = kind
        self._limit = size_limit()
        try:
            self._folder.mkdir(_MODE, parents=True, exist_ok=True)
        except OSError as error:
            raise type(error)(
                f"There is no cache folder {folder!r}, and none can be made "
                f"({error.strerror or error}). Choose another one."
            ) from error

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the kind has ever been kept."""
        return not (self._folder / self._kind).is_dir()

    def get(self, name: str) -> np.ndarray | None:
        """Return an array; None if it is missing, damaged or perhaps a stranger's."""
        path = self._path(name)
        try:
            with open(open_regular(path), "rb") as file:
                status = os.fstat(file.fileno())
                if status.st_size > _LARGEST or not self._is_trusted(status):
                    return None
                contents = memoryview(file.read(status.st_size))
        except OSError:
            return None
        body, digest = contents[:-_DIGEST_SIZE], contents[-_DIGEST_SIZE:]
        if self._digest(name, body) != digest:
            return None
        try:
            array = read_array(body)
        except ValueError:
            return None
        with contextlib.suppress(OSError):  # its time is that of the last use
            os.utime(path)
        return array

    def put(self, name: str, array: np.ndarray) -> None:
        """Keep an array that is not too large, and delete others if the limit is met.

        Raises
        ------
        OSError
            If it can't be written, or `get` would not use it.
        """
        body = io.BytesIO()
        np.lib.format.write_array(body, np.asarray(array), allow_pickle=False)
        contents = body.getvalue() + self._digest(name, body.getbuffer())
        if len(contents) > _LARGEST:
            return
        path = self._path(name)
        path.parent.mkdir(_MODE, exist_ok=True)
        if path.parent.is_symlink():
            raise OSError(errno.ENOTDIR, "It holds a link", str(path.parent))
        _delete(os.fspath(path))  # what `get` refused; its mode would be kept
        # What a crash of the machine damages is found out, and computed again.
        write_atomically(path, contents, survive_crash=False)
        if not self._is_trusted(os.stat(path)):
            _delete(os.fspath(path))
            raise OSError(errno.EPERM, "Others may write to its files", str(path))
        limits = self._folder, self._limit
        _bytes_left[limits] = _bytes_left.get(limits, 0) - len(contents)
        if _bytes_left[limits] < 0:
            unused = self._limit - evict(self._folder, self._limit)
            _bytes_left[limits] = min(unused, int(_SHARE * self._limit))

    def _path(self, name: str) -> Path:
        return self._folder / self._kind / f"{name}.npy"

    def _is_trusted(self, status: os.stat_result) -> bool:
        """Return whether a file with such an owner and mode may be used."""
        if os.name != "posix":  # permissions are not in the mode
            return True
        if status.st_mode & stat.S_IWOTH:
            return False
        if status.st_uid in (0, os.geteuid()):
            return True
        named = self._folder / self._kind
        resolved = Path(os.path.realpath(named))
        folders = {named, *named.parents, resolved, *resolved.parents}
        return not any(os.stat(folder).st_mode & stat.S_IWOTH for folder in folders)

    def _digest(self, name: str, body: memoryview) -> bytes:
        digest = hashlib.blake2b(f"{self._kind}/{name}".encode(), digest_size=16)
        digest.update(body)
        return digest.digest()


def _files(folder: Path) -> Iterator[tuple[str, str, os.stat_result]]:
    """Yield kind, path and status of the files that a store has made, no others."""
    try:
        kinds = [entry for entry in os.scandir(folder) if _FOLDER.fullmatch(entry.name)]
    except FileNotFoundError:
        return
    for kind in kinds:
        if not kind.is_dir(follow_symlinks=False):
            continue
        # Another process may delete what this one has just listed.
        with contextlib.suppress(FileNotFoundError):
            for entry in os.scandir(kind):
                is_ours = _FILE.fullmatch(entry.name) or TEMPORARY.fullmatch(entry.name)
                if not is_ours or not entry.is_file(follow_symlinks=False):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    yield kind.name, entry.path, entry.stat(follow_symlinks=False)


def _is_temporary(path: str) -> bool:
    return bool(TEMPORARY.fullmatch(os.path.basename(path)))


def _delete(path: str) -> bool:
    """Delete a file and return whether it is gone."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return True
    except OSError:  # not ours
        return False
    return True


def evict(folder: Path, limit: int) -> int:
    """Delete the least recently used arrays where they are more than `limit` bytes.

    Returns
    -------
    n_bytes : int
        What is left.

    Warns
    -----
    UserWarning
        If arrays are deleted.
    """
    now = time.time()
    found, n_bytes = [], 0
    for _, path, status in _files(folder):
        if not _is_temporary(path):
            found.append((status.st_mtime, status.st_size, path))
            n_bytes += status.st_size
        elif now - status.st_mtime > OLD_TEMPORARY:
            _delete(path)
    if n_bytes <= limit:
        return n_bytes
    n_deleted = 0
    for _, size, path in sorted(found):
        if n_bytes <= _KEPT * limit:
            break
        if _delete(path):
            n_bytes -= size
            n_deleted += 1
    others = " The others can't be deleted." if n_bytes > limit else ""
    warnings.warn(
        f"The cache {os.fspath(folder)!r} has reached its limit of {limit / 1e9:g} GB: "
        f"{n_deleted} of its {len(found)} results, those not used for longest, were "
        f"deleted.{others} Set the environment variable {LIMIT} to more gigabytes if "
        "you use all of them.",
        stacklevel=2,
    )
    return n_bytes


def usage(folder: str | os.PathLike) -> list[Usage]:
    """Return what a folder holds, the most recently used kind first."""
    kinds: dict[str, list[os.stat_result]] = {}
    for kind, path, status in _files(Path(folder)):
        if not _is_temporary(path):
            kinds.setdefault(kind, []).append(status)
    found = [
        Usage(
            kind,
            len(files),
            sum(status.st_size for status in files),
            max(status.st_mtime for status in files),
        )
        for kind, files in kinds.items()
    ]
    return sorted(found, key=lambda each: each.last_used, reverse=True)


def clear(folder: str | os.PathLike) -> None:
    """Delete all that stores have made in a folder, and nothing else."""
    kinds = set()
    for kind, path, _ in _files(Path(folder)):
        _delete(path)
        kinds.add(kind)
    for kind in kinds:
        with contextlib.suppress(OSError):  # something else lies in it
            os.rmdir(Path(folder, kind))
