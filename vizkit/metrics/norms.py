"""Norms of tensors, and fractions of zeros and of values that are not finite."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vizkit.metrics.arrays import AnyArray

__all__ = ["TensorNorms", "tensor_norms"]

_CHUNK = 1 << 15  # values: their squares in float64 stay in a core's L2 cache


@dataclass(frozen=True)
class TensorNorms:
    """Sums over the values of a tensor; those of several tensors can be added.

    Attributes:
        size: number of values.
        squares: sum of their squares in float64; NaN or Inf if a value is.
        zeros: number of zeros.
        nonfinite: number of NaN and infinite values.
    """

    size: int = 0
    squares: float = 0.0
    zeros: int = 0
    nonfinite: int = 0

    def __add__(self, other: TensorNorms) -> TensorNorms:
        return TensorNorms(
            self.size + other.size,
            self.squares + other.squares,
            self.zeros + other.zeros,
            self.nonfinite + other.nonfinite,
        )

    @property
    def norm(self) -> float:
        """The L2 norm: the square root of the sum of squares."""
        return math.sqrt(self.squares)

    @property
    def zero_fraction(self) -> float:
        """Fraction of zeros; NaN if empty."""
        return self.zeros / self.size if self.size else math.nan

    @property
    def nonfinite_fraction(self) -> float:
        """Fraction of NaN and infinite values; NaN if empty."""
        return self.nonfinite / self.size if self.size else math.nan


def tensor_norms(values: AnyArray, minus: AnyArray | None = None) -> TensorNorms:
    """Sum up ``values``, or ``values - minus``, in one pass and in float64.

    Args:
        values: real numbers of any shape and type.
        minus: as many numbers, subtracted from ``values``.
    """
    flat = values.ravel()
    other = None if minus is None else minus.ravel()
    buffer = np.empty(min(_CHUNK, flat.size), np.float64)
    squares, nonzeros, nonfinite = 0.0, 0, 0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, flat.size, _CHUNK):
            chunk = flat[start : start + _CHUNK]
            if other is not None:
                chunk = np.subtract(chunk, other[start : start + _CHUNK], dtype=np.float64)
            squared = np.multiply(chunk, chunk, out=buffer[: chunk.size], dtype=np.float64)
            part = float(squared.sum())
            if not math.isfinite(part):
                nonfinite += chunk.size - int(np.count_nonzero(np.isfinite(chunk)))
            squares += part
            nonzeros += int(np.count_nonzero(chunk))
    return TensorNorms(flat.size, squares, flat.size - nonzeros, nonfinite)
