"""Arrays whose rows are read when they are needed."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

CHUNK_BYTES = 32 * 2**20
"""The most of an array that is read at a time, where some rows suffice."""


class LazyRows(ABC):
    """An array that holds in memory only the rows that are being worked on.

    Indexing chooses rows without reading them, so that the folds of scikit-learn are
    never in memory as a whole; `numpy.asarray` reads the chosen rows.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array; the first axis are the rows.
    dtype : dtype
        Type of its values.
    """

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._row_shape = tuple(shape[1:])
        self._dtype = np.dtype(dtype)
        self._rows = np.arange(shape[0])

    @abstractmethod
    def _read(self, rows: NDArray) -> NDArray:
        """Return rows of the whole array, by their numbers."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array that `numpy.asarray` would make."""
        return (len(self._rows), *self._row_shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return 1 + len(self._row_shape)

    @property
    def dtype(self) -> np.dtype:
        """Type of the values."""
        return self._dtype

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def __iter__(self) -> Iterator[NDArray]:
        """Yield one row after another."""
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        """Return one row as an array, or several as an object of the same kind."""
        if isinstance(key, tuple):  # scikit-learn writes X[rows, ...]
            if len(key) != 2 or key[1] is not Ellipsis:
                raise IndexError(
                    f"{type(self).__name__} is indexed by rows alone, got {key!r}. "
                    "numpy.asarray(X[rows]) reads them; index what it returns."
                )
            key = key[0]
        rows = self._rows[key]
        if rows.ndim == 0:
            return self._read(rows[np.newaxis])[0]
        if rows.ndim > 1:
            raise IndexError(
                f"{type(self).__name__} is indexed by one axis of rows, got an index "
                f"of {rows.ndim}."
            )
        return self._of(rows)

    def _of(self, rows: NDArray) -> Self:
        other = object.__new__(type(self))
        vars(other).update(vars(self), _rows=rows)
        return other

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray:
        """Read all rows."""
        return np.array(self._read(self._rows), dtype=dtype, copy=copy)
