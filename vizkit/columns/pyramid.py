"""Pyramids: the least and greatest value of any range of a column, in a time that does not depend on it."""

from __future__ import annotations

import numpy as np

from vizkit.columns.packed import Column
from vizkit.metrics.arrays import AnyArray, Floats, Ints

__all__ = ["BLOCK", "FACTOR", "SHORT", "OddCounts", "Pyramid"]

BLOCK = 16
"""Values in a block of the first level."""

FACTOR = 4
"""Blocks in a block of the next level."""

SHORT = 4096
"""Values up to which a look at all of them is as quick: a pyramid is made where one is asked for."""

_PART = 1 << 20  # values that are read at once
_ROW = np.arange(BLOCK)[:, None]

OddCounts = tuple[Ints, Ints, Ints]
"""Numbers of NaN, inf and -inf."""


class _Growing:
    """An array that grows at its end."""

    def __init__(self, first: AnyArray) -> None:
        self._array, self._count = first, len(first)

    @property
    def view(self) -> AnyArray:
        return self._array[: self._count]

    def extend(self, more: AnyArray) -> None:
        count = self._count + len(more)
        if count > len(self._array):
            grown = np.empty(count + count // 4, more.dtype)
            grown[: self._count] = self.view
            self._array = grown
        self._array[self._count : count] = more
        self._count = count


class Pyramid:
    """The extremes of blocks of 16, 64, 256 ... values of a column, whole blocks only.

    That of a column of n values takes 1.3 n bytes, and 0.8 n more if some are not finite.

    Attributes:
        count: number of values that it knows.
        odd: False if all of them are finite.
    """

    def __init__(self, values: Column | None = None) -> None:
        self.count = 0
        self._least: list[_Growing] = []
        self._greatest: list[_Growing] = []
        self._odd: list[_Growing] | None = None  # NaN, inf and -inf before each block of the first level
        self._tail_is_odd = False
        if values is not None:
            self.extend(values)

    @classmethod
    def of(cls, count: int, arrays: list[AnyArray]) -> Pyramid:
        """The pyramid of ``count`` values that had these `arrays`; `extend` it with their column."""
        found = cls()
        found.count = count // BLOCK * BLOCK
        height = sum(count >= BLOCK * FACTOR**level for level in range(32))
        every = [_Growing(array) for array in arrays]
        found._least, found._greatest = every[:height], every[height : 2 * height]
        found._odd = every[2 * height :] or None
        return found

    @property
    def arrays(self) -> list[AnyArray]:
        """All that it keeps, to be written to a file."""
        return [one.view for one in (*self._least, *self._greatest, *(self._odd or ()))]

    @property
    def odd(self) -> bool:
        """True if some values are not finite."""
        return self._odd is not None or self._tail_is_odd

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return sum(array.nbytes for array in self.arrays)

    def extend(self, values: Column) -> None:
        """Take the values behind the first `count` ones of a column, which are those that it knows."""
        if self.count == len(values):
            return
        start = self.count // BLOCK * BLOCK
        while start < len(values):
            end = min(start + _PART, len(values))
            part = np.asarray(values[start:end], dtype=np.float64)
            self._take(part, start)
            start = end
        self.count = len(values)

    def _take(self, part: Floats, start: int) -> None:
        """Take values from a block's beginning on."""
        finite = np.isfinite(part)
        clean = bool(finite.all())
        whole = len(part) // BLOCK * BLOCK
        self._tail_is_odd = not finite[whole:].all()
        if whole and self._odd is None and not finite[:whole].all():
            self._odd = [_Growing(np.zeros(start // BLOCK + 1, np.int32)) for _ in range(3)]
        if self._odd is not None and whole:
            for one, kind in zip(self._odd, _kinds(part[:whole]), strict=True):
                counts = kind.reshape(-1, BLOCK).sum(axis=1, dtype=np.int32)
                one.extend(np.cumsum(counts, dtype=np.int32) + one.view[-1])
        for levels, ufunc, worst in self._sides():
            below = part[:whole] if clean else np.where(finite[:whole], part[:whole], worst)
            level, old, size = 0, start, BLOCK
            while True:
                first = old // size
                known = len(levels[level].view) if level < len(levels) else 0
                assert known == first
                below = below[: len(below) // size * size]
                if not len(below):
                    break
                blocks = _reduced(below, size, ufunc)
                if level == len(levels):
                    levels.append(_Growing(blocks))
                else:
                    levels[level].extend(blocks)
                level, old, size = level + 1, first // FACTOR * FACTOR, FACTOR
                below = levels[level - 1].view[old:]

    def _sides(self) -> tuple[tuple[list[_Growing], np.ufunc, float], ...]:
        return (self._least, np.minimum, np.inf), (self._greatest, np.maximum, -np.inf)

    def blocks(self, level: int) -> tuple[Floats, Floats]:
        """The least and greatest finite value of each whole block of a level, from 0 on."""
        if level >= len(self._least):
            return np.empty(0), np.empty(0)
        return self._least[level].view, self._greatest[level].view

    def first_place(self, values: Column, value: float) -> int:
        """The place of the first value that is as given, which is an extreme of all, or infinite."""
        start, size = 0, _PART
        if np.isfinite(value) and self._least:
            size = BLOCK
            blocks = (self._least[0].view == value) | (self._greatest[0].view == value)
            start = int(blocks.argmax()) * BLOCK if blocks.any() else len(blocks) * BLOCK
        while start < len(values):
            found = np.flatnonzero(values[start : start + size] == value)
            if len(found):
                return start + int(found[0])
            start += size
        raise ValueError(f"there is no {value}")

    def counts(self, values: Column, edges: Ints) -> OddCounts:
        """The numbers of NaN, inf and -inf between each two of (m + 1,) ascending places in a column."""
        if not self.odd:
            nothing = np.zeros(len(edges) - 1, np.int64)
            return nothing, nothing, nothing
        nan, above, below = map(np.diff, self._odd_before(values, edges))
        return nan, above, below

    def _odd_before(self, values: Column, places: Ints) -> list[Ints]:
        """The numbers of NaN, inf and -inf before each place."""
        blocks = places // BLOCK
        rows = blocks * BLOCK + _ROW
        inside = rows < places
        part = np.asarray(values[np.minimum(rows, len(values) - 1)], dtype=np.float64)
        within = [(kind & inside).sum(axis=0) for kind in _kinds(part)]
        if self._odd is None:
            return within
        return [one.view[blocks] + some for one, some in zip(self._odd, within, strict=True)]


def _kinds(values: Floats) -> tuple[AnyArray, AnyArray, AnyArray]:
    return np.isnan(values), np.isposinf(values), np.isneginf(values)


def _reduced(values: Floats, size: int, ufunc: np.ufunc) -> Floats:
    """Reduce each block of so many values."""
    blocks = values.reshape(-1, size).T  # NumPy reduces a few long rows much faster than many short ones
    found: Floats = ufunc(blocks[0], blocks[1])
    for one in blocks[2:]:
        ufunc(found, one, out=found)
    return found
