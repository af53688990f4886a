"""Spectrograms of a corpus that is larger than the memory."""

import mmap
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.features._lazy_rows import LazyRows


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
