"""A cache of results on the disk, looked up before a clip is read."""

import hashlib
import os
import stat
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skgenre._version import __version__
from skgenre.audio._array_store import ArrayStore
from skgenre.audio._clip import Clip, FileClip, WaveformClip
from skgenre.audio._readers import decoder_versions
from skgenre.audio._reading import observe
from skgenre.audio._remote import is_url, url_version

# To be raised when the same parameters make other results within one version.
_FORMAT = 2
# A file is known by its size, its time and these many bytes of its beginning, middle
# and end. Name and place are of no influence.
_BLOCK = 1 << 16


def content_key(clip: Clip) -> str | None:
    """Return a key that identifies a clip by its content.

    Parameters
    ----------
    clip : Clip
        A file, of which little is read, a URL, whose store is asked for the file's
        version, an open file, all of which is read, or a waveform.

    Returns
    -------
    str or None
        32 hexadecimal digits; None for what is no file that can be read.
    """
    if isinstance(clip, WaveformClip):
        return clip.digest().hex()
    if isinstance(clip, FileClip):
        try:
            return clip.digest().hex()
        except Exception:  # of any type, as the file's; decoding will report it
            return None
    if isinstance(clip, np.ndarray):
        digest = hashlib.blake2b(b"samples", digest_size=16)
        digest.update(np.ascontiguousarray(clip, dtype=np.float32).data)
        return digest.hexdigest()
    if is_url(clip):
        version = url_version(clip)
        if version is None:
            return None
        return hashlib.blake2b(f"url {version}".encode(), digest_size=16).hexdigest()
    try:
        # Opening a pipe would wait for a writer.
        if not stat.S_ISREG(os.stat(clip).st_mode):
            return None
        with open(clip, "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            size = status.st_size
            facts = f"file {size} {status.st_mtime_ns}".encode()
            digest = hashlib.blake2b(facts, digest_size=16)
            last = max(0, size - _BLOCK)
            for start in sorted({0, last // 2, last}):
                file.seek(start)
                digest.update(file.read(_BLOCK) or b"")
    except (OSError, ValueError):
        return None
    return digest.hexdigest()


@dataclass
class _Looked:
    """The result for a clip, from the cache or the task."""

    value: Any
    is_kept: bool = False
    name: str | None = None
    """Name to keep it under; None if it must not be kept."""


@dataclass
class _LookUp:
    """A task that is run only on clips of which no result is kept."""

    task: Callable[[Clip], Any]
    store: ArrayStore
    shape: tuple[int | None, ...]
    dtype: type

    def __call__(self, clip: Clip) -> _Looked:
        name = content_key(clip)
        if name is None:  # the task will report what is wrong
            return _Looked(self.task(clip))
        kept = self.store.get(name)
        if kept is not None and self._is_possible(kept):
            return _Looked(kept, is_kept=True)
        with observe() as reading:
            value = self.task(clip)
        # A file that was written to meanwhile has another content now. What there is to
        # say about a clip is not kept: it is read again, and said again.
        is_waveform = isinstance(clip, np.ndarray | WaveformClip)
        is_same = is_waveform or content_key(clip) == name
        is_kept = is_same and reading.status == "ok"
        return _Looked(value, name=name if is_kept else None)

    def _is_possible(self, array: np.ndarray) -> bool:
        return (
            array.dtype == self.dtype
            and array.ndim == len(self.shape)
            and all(
                n > 0 and wanted in (n, None)
                for n, wanted in zip(array.shape, self.shape, strict=True)
            )
        )


class ClipCache:
    """The results of one kind of task on clips.

    Parameters
    ----------
    folder : str or os.PathLike
        Where they are kept; made if it is not there.

    name : str
        Name of the estimator that makes them.

    parameters : mapping
        Everything that they depend on besides the clip. Different values have different
        `repr`s.

    shape : tuple of int or None
        Shape of a result; None for sizes that differ from clip to clip.

    dtype : type
        Type of a result.

    Raises
    ------
    OSError
        If the folder is not there and can't be made.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        name: str,
        parameters: Mapping[str, Any],
        *,
        shape: tuple[int | None, ...],
        dtype: type = np.float32,
    ) -> None:
        known = {
            key: value.item() if isinstance(value, np.generic) else value
            for key, value in sorted(parameters.items())
        }
        versions = _FORMAT, __version__, decoder_versions()
        digest = hashlib.blake2b(repr((versions, known)).encode(), digest_size=8)
        path = os.path.abspath(os.path.expanduser(os.fspath(folder)))
        self._folder = path
        self._store = ArrayStore(path, f"{name}-{digest.hexdigest()}")
        self._shape = shape
        self._dtype = dtype
        self._is_writable = True

    @property
    def is_empty(self) -> bool:
        """Whether no result of this kind has ever been kept."""
        return self._store.is_empty

    def look_up(self, task: Callable[[Clip], Any]) -> Callable[[Clip], Any]:
        """Return the task as one that looks up first; for any thread or process."""
        return _LookUp(task, self._store, self._shape, self._dtype)

    def keep(self, looked: _Looked, finish: Callable[[Any], Any]) -> np.ndarray:
        """Return the cached result, or finish the new one and keep it.

        Parameters
        ----------
        looked : object
            What the task of `look_up` returned.

        finish : callable
            Makes the result from what the task itself returned.

        Warns
        -----
        UserWarning
            If it can't be kept; the first time only.
        """
        if looked.is_kept:
            return looked.value
        result: np.ndarray = np.asarray(finish(looked.value), self._dtype)
        if looked.name is not None and self._is_writable:
            try:
                self._store.put(looked.name, result)
            except OSError as error:
                self._is_writable = False
                warnings.warn(
                    f"Results can't be kept in the cache {self._folder!r} "
                    f"({error.strerror or error}). They are computed all the same. "
                    "Make room, or choose a folder that can be written to.",
                    stacklevel=2,
                )
        return result
