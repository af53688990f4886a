"""What was computed of a whole collection, to be there at once the next time.

The audio steps have a cache of their own, by which a changed collection is heard soon:
but to look 20,000 songs up takes minutes.
"""

import contextlib
import hashlib
import os
from collections.abc import Sequence
from typing import Any

import joblib
from numpy.typing import NDArray

from skgenre._version import __version__
from skgenre._warnings import ignored_warnings
from skgenre.audio._array_store import ArrayStore
from skgenre.audio._readers import decoder_versions


class Kept:
    """Arrays of a collection and a model, in the folder of a cache.

    A collection is known by its files' paths, sizes and times of change. Folders that
    can't be written to keep nothing.

    Parameters
    ----------
    folder : path or None
        The cache; None keeps nothing.
    model : object
        What the arrays depend on besides the collection. If it can't be hashed, nothing
        is kept.
    paths : sequence of str
        The songs.
    """

    def __init__(self, folder: Any, model: Any, paths: Sequence[str]) -> None:
        self._paths = paths
        self._store: ArrayStore | None = None
        if folder is None:
            return
        try:
            known = joblib.hash(model)
        except Exception:  # of any type, as a model's own
            return
        facts = repr((__version__, decoder_versions(), known)).encode()
        kind = hashlib.blake2b(facts, digest_size=8).hexdigest()
        path = os.path.abspath(os.path.expanduser(os.fspath(folder)))
        with contextlib.suppress(OSError):
            self._store = ArrayStore(path, f"explored-{kind}")

    def state(self) -> str:
        """Return a digest of the collection as it is now."""
        digest = hashlib.blake2b(digest_size=16)
        for path in self._paths:
            try:
                status = os.stat(path)
                facts = status.st_size, status.st_mtime_ns
            except OSError:
                facts = -1, -1
            digest.update(os.fsencode(os.path.abspath(path)) + repr(facts).encode())
        return digest.hexdigest()

    def get(self, state: str, what: str) -> NDArray | None:
        """Return an array of a state of the collection, or None."""
        return None if self._store is None else self._store.get(_name(state, what))

    def put(self, state: str, what: str, array: NDArray) -> None:
        """Keep an array."""
        if self._store is None:
            return
        with contextlib.suppress(OSError), ignored_warnings():
            self._store.put(_name(state, what), array)


def _name(state: str, what: str) -> str:
    return hashlib.blake2b(f"{what} of {state}".encode(), digest_size=16).hexdigest()
