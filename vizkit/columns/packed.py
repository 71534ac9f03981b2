"""Columns of numbers in as few bytes as hold them exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from vizkit.metrics.arrays import AnyArray, Ints

__all__ = ["Column", "Joined", "Packed", "Side", "block_values", "pack", "search"]

_FAR = 2**61  # beyond it, sums may not fit 64 bits

Side = Literal["left", "right"]


class Column(Protocol):
    """A column of numbers that is read in parts: an array, or one that is packed, or lies in a file."""

    def __len__(self) -> int: ...

    def __getitem__(self, where: slice | Ints, /) -> AnyArray: ...


@dataclass(frozen=True, eq=False)
class Packed:
    """A column: ``first + stride * place + data[place]``.

    Attributes:
        count: number of its numbers.
        dtype: their type.
        first, stride: of numbers at even distances; 0 for floating point.
        data: (count,) the rest, of a small type; None if there is none.
        ascends: True if no number is below the one before.
        bounds: the least and greatest of whole numbers; None where that is not known.
    """

    count: int
    dtype: np.dtype[np.generic]
    first: int
    stride: int
    data: AnyArray | None
    ascends: bool
    bounds: tuple[int, int] | None = None

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, where: slice | Ints) -> AnyArray:
        if self.data is None:
            if isinstance(where, slice):
                where = np.arange(*where.indices(self.count))
            return self.first + self.stride * where
        found = self.data[where]
        if found.dtype == self.dtype and not self.first:
            return found
        found = found.astype(self.dtype)
        if self.first:
            found += self.first
        return found

    def search(self, edges: AnyArray, side: Side) -> Ints:
        """As ``np.searchsorted``, in a column that ascends."""
        if self.data is not None:
            inner = np.asarray(self.data)
            if self.dtype.kind == "f" or not self.first:
                return search(inner, edges, side)
            return search(inner, self._whole(edges, side), side)
        if not self.count:
            return np.zeros(len(edges), np.int64)
        if not self.stride:
            return np.where(edges > self.first if side == "left" else edges >= self.first, self.count, 0)
        near = self._whole(edges, side)
        found = -(-near // self.stride) if side == "left" else near // self.stride + 1
        return np.clip(found, 0, self.count)

    def _whole(self, edges: AnyArray, side: Side) -> Ints:
        """Edges less `first`, in whole numbers: the difference of large floats would be rounded."""
        whole = np.ceil(edges) if side == "left" else np.floor(edges)
        return np.clip(whole, -2.0 * _FAR, 2.0 * _FAR).astype(np.int64) - self.first

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return 0 if self.data is None else self.data.nbytes


def pack(array: AnyArray) -> Packed:
    """Pack a column of int64 or float64."""
    n, dtype = len(array), array.dtype
    ascends = bool((array[1:] >= array[:-1]).all())
    if dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):
            single = array.astype(np.float32)
        same = np.array_equal(single, array, equal_nan=True)
        return Packed(n, dtype, 0, 0, single if same else array.copy(), ascends)
    if not n:
        return Packed(0, dtype, 0, 0, None, ascends)
    least, most = int(array.min()), int(array.max())
    if max(-least, most) < _FAR:
        first, last = int(array[0]), int(array[-1])
        stride = (last - first) // max(n - 1, 1)
        if first + stride * (n - 1) == last and (array[1:] - array[:-1] == stride).all():
            return Packed(n, dtype, first, stride, None, ascends, (least, most))
        if most - least < 2**32:
            return Packed(n, dtype, least, 0, (array - least).astype(np.uint32), ascends, (least, most))
    return Packed(n, dtype, 0, 0, array.copy(), ascends)


@dataclass(frozen=True, eq=False)
class Joined:
    """A packed column, and the numbers behind it."""

    packed: Packed
    rest: AnyArray

    def __len__(self) -> int:
        return len(self.packed) + len(self.rest)

    @property
    def ascends(self) -> bool:
        """As `Packed.ascends`."""
        last = self.packed[len(self.packed) - 1 :]
        rest = np.concatenate((last, self.rest))
        return self.packed.ascends and bool((rest[1:] >= rest[:-1]).all())

    def __getitem__(self, where: slice | Ints) -> AnyArray:
        count = len(self.packed)
        if isinstance(where, slice):
            start, end, _ = where.indices(len(self))
            if end <= count:
                return self.packed[start:end]
            if start >= count:
                return self.rest[start - count : end - count]
            return np.concatenate((self.packed[start:], self.rest[: end - count]))
        behind = where >= count
        if not behind.any():
            return self.packed[where]
        found = self.packed[np.where(behind, 0, where)]
        return np.where(behind, self.rest[np.where(behind, where - count, 0)], found)

    def search(self, edges: AnyArray, side: Side) -> Ints:
        """As `Packed.search`."""
        found = self.packed.search(edges, side)
        behind = found == len(self.packed)
        if behind.any():
            found[behind] += search(self.rest, edges[behind], side)
        return found


def block_values(x: Column, size: int, blocks: Ints) -> AnyArray:
    """The values of some blocks of ``size``, which ascend, as rows; beyond the end the last one again."""
    array = x.data if isinstance(x, Packed) and not x.first else x
    whole = len(x) // size
    if isinstance(array, np.ndarray) and len(blocks) and int(blocks[-1]) < whole:  # many times quicker
        return array[: whole * size].reshape(-1, size).take(blocks, axis=0)
    return x[np.minimum(blocks[:, None] * size + np.arange(size), len(x) - 1)]


def search(x: Column, edges: AnyArray, side: Side) -> Ints:
    """As ``np.searchsorted``, in any ascending column: the place of each edge."""
    own = getattr(x, "search", None)
    if own is not None:
        found: Ints = own(edges, side)
        return found
    array = np.asarray(x)
    if array.dtype.kind in "iu":  # a conversion of the whole column would take longer than the search
        info = np.iinfo(array.dtype)
        whole = np.ceil(edges) if side == "left" else np.floor(edges)
        least, most = (
            whole < info.min,
            whole > (info.max if whole.dtype.kind == "i" else np.nextafter(float(info.max), 0)),
        )
        inside = np.where(least | most, 0, whole).astype(array.dtype)
        places = np.searchsorted(array, inside, side=side)
        return np.where(least, 0, np.where(most, len(array), places))
    return np.searchsorted(array, edges, side=side).astype(np.int64)
