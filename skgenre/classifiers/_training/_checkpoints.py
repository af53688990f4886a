"""Checkpoints: a training that was cut off resumes after the last epoch kept."""

import hashlib
import io
import json
import os
import time
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow
from numpy.typing import NDArray

from skgenre._files import (
    check_stored,
    check_writable,
    open_regular,
    read_array,
    write_atomically,
)
from skgenre._version import __version__
from skgenre.classifiers._training._data import ClipRows
from skgenre.classifiers._training._wrapper import NetworkClassifier
from skgenre.features._lazy_rows import LazyRows

# Numbers change from version to version, and then no training is resumed.
_VERSIONS = {
    "skgenre": __version__,
    "keras": keras.__version__,
    "tensorflow": tensorflow.__version__,
}
_CLIPS_OF_A_FILE = 256
_SHARE = 0.05  # of the time goes into writing, at most


def checkpoint_path(
    folder: str | os.PathLike,
    network: str,
    facts: dict[str, Any],
    arrays: Iterable[NDArray],
    clips: Iterable[ClipRows],
) -> Path:
    """Return the file of one training, named by all that decides its result.

    Parameters
    ----------
    folder : str or PathLike
        Made if it is not there.
    network : str
        Beginning of the file's name.
    facts : dict
        Parameters and seeds, as Python's own numbers, strings and tuples.
    arrays : iterable of ndarray
        Scaling, weights, state of the optimiser.
    clips : iterable of ClipRows
        Their genres, weights and rows; of `X`, its shape, its type and the middle frame
        of each clip, or, in a file, of some clips.

    Raises
    ------
    OSError
        If nothing can be written there.
    """
    facts = facts | _VERSIONS
    digest = hashlib.blake2b(repr(sorted(facts.items())).encode(), digest_size=16)
    for array in map(np.asarray, [*arrays, *_arrays(clips)]):
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    os.makedirs(folder, exist_ok=True)
    path = Path(os.path.realpath(folder), f"{network}-{digest.hexdigest()}.npz")
    check_writable(path)
    return path  # a link under this name is replaced, and not what it leads to


def _arrays(clips: Iterable[ClipRows]) -> Iterator[NDArray]:
    for X, codes, weights, rows in clips:
        yield from (np.array(X.shape), codes[rows], weights[rows], rows)
        if isinstance(X, LazyRows):
            rows = rows[:: len(rows) // _CLIPS_OF_A_FILE + 1]
        for row in rows:
            yield X[row][X.shape[1] // 2]


class Checkpoints(keras.callbacks.Callback):
    """Keep the state of a training after its epochs; resume one that was kept.

    The file has the weights, the optimiser, the counters of the random layers, the
    weights of the best epoch, and the logs of the epochs. The logs decide what the
    other callbacks remember, and the number of epochs decides the order of the clips.
    Keras's ``BackupAndRestore`` keeps the weights and the optimiser only.

    Parameters
    ----------
    path : Path
        An ``.npz`` file, read now if it is there.
    network : NetworkClassifier
        The network in training.
    others : sequence of keras.callbacks.Callback
        The other callbacks, which come before this one.
    best_epoch : BestEpoch or None
        That one of them whose `weights` are kept, too.

    Attributes
    ----------
    n_epochs : int
        Epochs that need not be trained again.
    """

    def __init__(
        self,
        path: Path,
        network: NetworkClassifier,
        others: Sequence[keras.callbacks.Callback],
        best_epoch: Any,
    ) -> None:
        super().__init__()
        self._path, self._network = path, network
        self._others = list(others)
        self._best_epoch = best_epoch
        self._logs, self._state, self._best_weights = _read(path)
        self.n_epochs = len(self._logs)
        self._may_write_at = 0.0
        self._has_warned = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Restore the state after the last epoch that was kept."""
        if not self.n_epochs:
            return
        for epoch, logs_then in enumerate(self._logs):
            logs_then = dict(logs_then)
            for callback in self._others:
                callback.on_epoch_begin(epoch)
            for callback in self._others:
                callback.on_epoch_end(epoch, logs_then)
        if self._best_epoch is not None:
            self._best_epoch.weights = self._best_weights
        self._network.set_state(self._state)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write, but not when training ends, nor too often where epochs are short."""
        # Callbacks of the user's may have added NumPy's numbers.
        self._logs.append({name: float(value) for name, value in (logs or {}).items()})
        ends = epoch + 1 == self.params["epochs"] or self.model.stop_training
        begin = time.monotonic()
        if ends or begin < self._may_write_at:
            return
        try:
            self._write()
        except OSError as error:
            if not self._has_warned:
                warnings.warn(
                    f"Epoch {epoch + 1} is not kept in checkpoint_dir: {error}. "
                    "Training continues, and later epochs are tried again; cut off, "
                    "it would resume from an earlier one.",
                    stacklevel=2,
                )
            self._has_warned = True
        end = time.monotonic()
        self._may_write_at = end + (end - begin) / _SHARE

    def _write(self) -> None:
        arrays = {f"state{i}": a for i, a in enumerate(self._network.state())}
        if self._best_epoch is not None:
            best = self._best_epoch.weights or []
            arrays |= {f"best{i}": a for i, a in enumerate(best)}
        logs = np.frombuffer(json.dumps(self._logs).encode(), np.uint8)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, logs=logs, **arrays)
        write_atomically(self._path, buffer.getvalue())

    def remove(self) -> None:
        """Delete the file: the training has ended."""
        self._path.unlink(missing_ok=True)


def _read(path: Path) -> tuple[list[dict[str, float]], list[NDArray], list[NDArray]]:
    """Return the logs, the state and the best weights; empty where there is no file.

    Nothing is unpickled, and no array is larger than its bytes in the file.
    """
    try:
        with open(open_regular(path), "rb") as file, zipfile.ZipFile(file) as archive:
            check_stored(archive, os.fstat(file.fileno()).st_size)
            kept = {
                name.removesuffix(".npy"): read_array(archive.read(name))
                for name in archive.namelist()
            }
        logs = [
            {str(name): float(value) for name, value in epoch.items()}
            for epoch in json.loads(kept["logs"].tobytes())
        ]
        state, best = (
            [kept[f"{kind}{i}"] for i in range(len(kept)) if f"{kind}{i}" in kept]
            for kind in ("state", "best")
        )
        return logs, state, best
    except FileNotFoundError:
        return [], [], []
    except Exception as error:
        # A damaged archive makes zipfile raise errors of any type.
        warnings.warn(
            f"The checkpoint {os.fspath(path)!r} can't be read and is not used: "
            f"{error}. Training starts from the first epoch.",
            stacklevel=2,
        )
        return [], [], []
