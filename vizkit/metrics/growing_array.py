"""An array to which rows are appended, in amortised constant time."""

from __future__ import annotations

import numpy as np

from vizkit.metrics.arrays import AnyArray

__all__ = ["GrowingArray"]


class GrowingArray:
    """An array to which rows are appended."""

    def __init__(self) -> None:
        self._array: AnyArray = np.empty(0)
        self._count = 0

    @property
    def filled(self) -> AnyArray:
        """The rows so far, without a copy."""
        return self._array[: self._count]

    @property
    def size(self) -> int:
        """The number of values."""
        return self.filled.size

    @property
    def nbytes(self) -> int:
        """The bytes that it takes, those of rows to come included."""
        return self._array.nbytes

    def append(self, rows: AnyArray) -> None:
        """Add rows, all of one shape; the type becomes one that holds all of them."""
        if not len(rows):  # none of a batch counts
            return
        end = self._count + len(rows)
        dtype = np.promote_types(self._array.dtype, rows.dtype) if self._count else rows.dtype
        if end > len(self._array) or dtype != self._array.dtype:
            grown = np.empty((max(end, 2 * self._count), *rows.shape[1:]), dtype)
            if self._count:
                grown[: self._count] = self.filled
            self._array = grown
        self._array[self._count : end] = rows
        self._count = end

    def clear(self) -> None:
        """Forget all rows."""
        self._count = 0
