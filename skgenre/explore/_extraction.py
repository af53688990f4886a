"""Songs heard in the background, and what has been heard so far."""

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skgenre._warnings import ignored_warnings
from skgenre.explore._kept import Kept
from skgenre.explore._listener import Heard, Listener
from skgenre.features._precompute import results_in_chunks

# Few, so that the first songs are soon on the map, and a stop is soon obeyed.
_CLIPS_AT_A_TIME = 8


class Extraction:
    """A thread that hears songs, in no order of the files, and keeps the results.

    What was computed before a stop is in the cache of the model's steps, and is looked
    up the next time; of a collection that was heard to its end, all is there at once.

    Parameters
    ----------
    listener : Listener
        Computes.
    paths : sequence of str
        The songs.
    n_jobs : int or None
        Files read at a time.
    kept : Kept or None, default=None
        Where the results of all songs are kept.
    """

    def __init__(
        self,
        listener: Listener,
        paths: Sequence[str],
        n_jobs: int | None,
        kept: Kept | None = None,
    ) -> None:
        self._listener, self._paths, self._n_jobs = listener, paths, n_jobs
        self.kept = Kept(None, None, ()) if kept is None else kept
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.done = np.zeros(len(paths), bool)
        self.errors: dict[int, str] = {}
        """By number, why songs are not on the map."""
        self.notes: dict[int, str] = {}
        """By number, what is odd in others."""
        self.failure: str | None = None
        """What has ended it before its time."""
        self.embeddings: NDArray | None = None
        self.proba: NDArray | None = None
        self.tags: NDArray | None = None

    @property
    def phase(self) -> str:
        """Return 'listening', 'done', 'stopped' or 'failed'."""
        if self.failure is not None:
            return "failed"
        if self._thread.is_alive() and not self._stop.is_set():
            return "listening"
        return "stopped" if self._stop.is_set() else "done"

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the songs that are being read."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all songs are heard, or it has stopped."""
        self._thread.join(timeout)

    def rows(self) -> NDArray:
        """Return the numbers of the songs that were heard."""
        return np.flatnonzero(self.done)

    def _run(self) -> None:
        try:
            state = self.kept.state()
            self._recall(state)
            n_recalled = self.done.sum()
            with ignored_warnings():
                self._listen()
            is_whole = not self._stop.is_set() and self.done.sum() > n_recalled
            if is_whole and self.kept.state() == state:
                self._remember(state)
        except Exception as error:  # of any type, as a model's; the page shows it
            self.failure = f"{type(error).__name__}: {error}"

    def _listen(self) -> None:
        order = np.random.default_rng(0).permutation(np.flatnonzero(~self.done))
        numbers = {self._paths[i]: int(i) for i in order}
        for found in results_in_chunks(
            self._listener.listen,
            self._listener.steps,
            [*numbers],
            n_jobs=self._n_jobs,
            n_clips=_CLIPS_AT_A_TIME,
            n_chunks=1,
        ):
            for path, error in found.errors.items():
                self.errors[numbers[path]] = error
            for path, reading in found.readings.items():
                text = f"{reading.status}: {reading.cause}"
                kept = self.notes if reading.has_music else self.errors
                kept[numbers[path]] = text
            for path, heard in found.results.items():
                if numbers[path] not in self.errors:
                    self._keep(numbers[path], heard)
            if self._stop.is_set():
                break

    def _recall(self, state: str) -> None:
        """Take what is kept of all songs."""
        found: dict[str, NDArray] = {}
        for name, width in self._listener.makes.items():
            array = self.kept.get(state, name)
            if array is None or array.dtype != np.float32 or array.ndim != 2:
                return
            if len(array) != len(self._paths) or width not in (None, array.shape[1]):
                return
            found[name] = array
        for name, array in found.items():
            setattr(self, name, array)
        self.done = np.all([np.isfinite(a).all(axis=1) for a in found.values()], axis=0)

    def _remember(self, state: str) -> None:
        """Keep all; what there is to say about a song is said again the next time."""
        for name in self._listener.makes:
            array = getattr(self, name).copy()
            array[[*self.notes]] = np.nan
            self.kept.put(state, name, array)

    def _keep(self, number: int, heard: Heard) -> None:
        for name, value in zip(("embeddings", "proba", "tags"), heard, strict=True):
            if value is None:
                continue
            if getattr(self, name) is None:
                shape = len(self._paths), len(value)
                setattr(self, name, np.full(shape, np.nan, np.float32))
            getattr(self, name)[number] = value
        self.done[number] = True
