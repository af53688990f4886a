"""A training that was cut off goes on after the last epoch that was kept."""

import hashlib
import io
import json
import os
import time
import warnings
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from skgenre._files import check_writable, write_atomically
from skgenre.classifiers._base import plain
from skgenre.classifiers._training._callbacks import BestEpoch
from skgenre.features._lazy_rows import LazyRows

if TYPE_CHECKING:
    from skgenre.classifiers._base import BaseGenreClassifier
    from skgenre.classifiers._training._train import ClipRows
    from skgenre.classifiers._training._wrapper import NetworkClassifier

# Parameters that change nothing, or whose effect is in the seeds and the weights.
_WITHOUT_INFLUENCE = {
    "checkpoint_dir",
    "class_weight",
    "random_state",
    "verbose",
    "warm_start",
}
# Where numbers change from version to version, a training can't go on.
_PACKAGES = ("skgenre", "keras", "tensorflow")
_CLIPS_OF_A_FILE = 256
_SHARE = 0.05  # of the time goes into writing, at most


def checkpoint_path(
    folder: str | os.PathLike,
    estimator: "BaseGenreClassifier",
    training: "ClipRows",
    validation: "ClipRows",
    **more: int,
) -> Path:
    """Return the file of one training, by all that decides its result.

    Parameters
    ----------
    folder : str or PathLike
        Made if it is not there.
    estimator : BaseGenreClassifier
        Before the training.
    training, validation : tuple of ndarray
        Of `X`, its shape, its type and the middle frame of each clip are looked at;
        in a file, of some clips.
    **more : int
        Seeds and so on.

    Raises
    ------
    OSError
        If nothing can be written there.
    """
    parameters = estimator.get_params(deep=False).items()
    facts = {
        **{k: plain(v) for k, v in parameters if k not in _WITHOUT_INFLUENCE},
        **estimator.network_parameters_,
        **{name: version(name) for name in _PACKAGES},
        **more,
    }
    digest = hashlib.blake2b(repr(sorted(facts.items())).encode(), digest_size=16)
    for array in _arrays(estimator, training, validation):
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    os.makedirs(folder, exist_ok=True)
    return check_writable(
        Path(folder) / f"{estimator._network}-{digest.hexdigest()}.npz"
    )


def _arrays(estimator: "BaseGenreClassifier", *clips: "ClipRows") -> Iterable[NDArray]:
    yield from (estimator.input_mean_, estimator.input_scale_)
    yield from getattr(estimator, "weights_", [])
    yield from map(np.asarray, getattr(estimator, "optimizer_state_", []))
    for X, codes, weights, rows in clips:
        yield from (np.array(X.shape), codes[rows], weights[rows], rows)
        if isinstance(X, LazyRows):
            rows = rows[:: len(rows) // _CLIPS_OF_A_FILE + 1]
        for row in rows:
            yield X[row][X.shape[1] // 2]


class Checkpoints(keras.callbacks.Callback):
    """Keep the state of a training after its epochs; go on from one that was kept.

    Kept are the weights, the optimiser, the counters of the random layers, the weights
    of the best epoch, and what the epochs gave. From the last follows what the other
    callbacks remember, and from the number of epochs the order of the clips. Keras's
    ``BackupAndRestore`` keeps the first two alone.

    Parameters
    ----------
    path : Path
        An ``.npz`` file, read now if it is there.
    others : sequence of keras.callbacks.Callback
        The other callbacks, which come before this one.
    network : NetworkClassifier
        What is trained.

    Attributes
    ----------
    n_epochs : int
        Epochs that need not be trained again.
    """

    def __init__(
        self,
        path: Path,
        others: Sequence[keras.callbacks.Callback],
        network: "NetworkClassifier",
    ) -> None:
        super().__init__()
        self._path, self._network = path, network
        self._others = list(others)
        self._best = [each for each in others if isinstance(each, BestEpoch)]
        self._logs, self._state, self._best_weights = _read(path)
        self.n_epochs = len(self._logs)
        self._may_write_at = 0.0
        self._has_warned = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Make everything what it was after the last epoch that was kept."""
        if not self.n_epochs:
            return
        for epoch, told in enumerate(self._logs):
            told = dict(told)
            for callback in self._others:
                callback.on_epoch_begin(epoch)
            for callback in self._others:
                callback.on_epoch_end(epoch, told)
        for best in self._best:
            best.weights = self._best_weights
        self._network.set_state(self._state)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write, but not when training ends, nor too often where epochs are short."""
        self._logs.append(dict(logs or {}))
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
                    "Training goes on, and tries again after later epochs; cut off, it "
                    "would start from an earlier one.",
                    stacklevel=2,
                )
            self._has_warned = True
        end = time.monotonic()
        self._may_write_at = end + (end - begin) / _SHARE

    def _write(self) -> None:
        arrays = {f"state{i}": a for i, a in enumerate(self._network.state())}
        for best in self._best:
            arrays |= {f"best{i}": a for i, a in enumerate(best.weights or [])}
        told = np.frombuffer(json.dumps(self._logs).encode(), np.uint8)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, logs=told, **arrays)
        write_atomically(self._path, buffer.getvalue())

    def remove(self) -> None:
        """Delete the file: the training has ended."""
        self._path.unlink(missing_ok=True)


def _read(path: Path) -> tuple[list[dict[str, float]], list[NDArray], list[NDArray]]:
    """Return what the epochs gave, the state and the best weights; empty for no file.

    Nothing is unpickled.
    """
    try:
        with np.load(path, allow_pickle=False) as kept:
            logs = [
                {str(name): float(value) for name, value in told.items()}
                for told in json.loads(kept["logs"].tobytes())
            ]
            state, best = (
                [kept[f"{kind}{i}"] for i in range(len(kept)) if f"{kind}{i}" in kept]
                for kind in ("state", "best")
            )
        return logs, state, best
    except FileNotFoundError:
        return [], [], []
    except Exception as error:
        # What a damaged archive makes NumPy raise is of any type.
        warnings.warn(
            f"The checkpoint {os.fspath(path)!r} can't be read and is not used: "
            f"{error}. Training starts from the first epoch.",
            stacklevel=2,
        )
        return [], [], []
