"""Pyramids: the least and greatest value of any range of a column, in a time that does not depend on it."""

from __future__ import annotations

import numpy as np

from vizkit.columns.packed import Column
from vizkit.metrics.arrays import AnyArray, Floats, Ints

__all__ = ["FACTOR", "SHORT", "OddCounts", "Pyramid"]

FACTOR = 16
"""Values in a block of the first level, and blocks in a block of every further one."""

SHORT = 4096
"""Values up to which a look at all of them is as quick: a pyramid is made where one is asked for."""

_PART = 1 << 20  # values that are read at once
_ROW = np.arange(FACTOR)[:, None]

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
    """The extremes of blocks of 16, 256, 4096 ... values of a column, whole blocks only.

    That of a column of n values takes 1.1 n bytes, and 0.8 n more if some are not finite.

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
        found.count = count // FACTOR * FACTOR
        height = sum(count >= FACTOR**level for level in range(1, 17))
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
        start = self.count // FACTOR * FACTOR
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
        whole = len(part) // FACTOR * FACTOR
        self._tail_is_odd = not finite[whole:].all()
        if whole and self._odd is None and not finite[:whole].all():
            self._odd = [_Growing(np.zeros(start // FACTOR + 1, np.int32)) for _ in range(3)]
        if self._odd is not None and whole:
            for one, kind in zip(self._odd, _kinds(part[:whole]), strict=True):
                counts = kind.reshape(-1, FACTOR).sum(axis=1, dtype=np.int32)
                one.extend(np.cumsum(counts, dtype=np.int32) + one.view[-1])
        for levels, ufunc, worst in self._sides():
            below = part[:whole] if clean else np.where(finite[:whole], part[:whole], worst)
            level, old = 0, start
            while True:
                first = old // FACTOR
                known = len(levels[level].view) if level < len(levels) else 0
                assert known == first
                below = below[: len(below) // FACTOR * FACTOR]
                if not len(below):
                    break
                blocks = _reduced(below, ufunc)
                if level == len(levels):
                    levels.append(_Growing(blocks))
                else:
                    levels[level].extend(blocks)
                level, old = level + 1, first // FACTOR * FACTOR
                below = levels[level - 1].view[old:]

    def _sides(self) -> tuple[tuple[list[_Growing], np.ufunc, float], ...]:
        return (self._least, np.minimum, np.inf), (self._greatest, np.maximum, -np.inf)

    def extremes(self, values: Column, low: Ints, high: Ints) -> tuple[Floats, Floats]:
        """The least and greatest finite value of each range.

        Args:
            values: the column.
            low, high: (m,) first place of each range, and the place behind its last one; none is empty.

        Returns:
            Two arrays of (m,); inf and -inf where no value is finite.
        """
        levels = [
            (least.view, greatest.view) for least, greatest in zip(self._least, self._greatest, strict=True)
        ]
        return _Query(levels, values, low, high).answer()

    def first_place(self, values: Column, value: float) -> int:
        """The place of the first value that is as given, which is an extreme of all, or infinite."""
        start, size = 0, _PART
        if np.isfinite(value) and self._least:
            size = FACTOR
            blocks = (self._least[0].view == value) | (self._greatest[0].view == value)
            start = int(blocks.argmax()) * FACTOR if blocks.any() else len(blocks) * FACTOR
        while start < len(values):
            found = np.flatnonzero(values[start : start + size] == value)
            if len(found):
                return start + int(found[0])
            start += size
        raise ValueError(f"there is no {value}")

    def counts(self, values: Column, low: Ints, high: Ints) -> OddCounts:
        """The numbers of NaN, inf and -inf in each range; arguments as of `extremes`."""
        if not self.odd:
            nothing = np.zeros(len(low), np.int64)
            return nothing, nothing, nothing
        before = [self._odd_before(values, places) for places in (low, high)]
        nan, above, below = (high - low for low, high in zip(*before, strict=True))
        return nan, above, below

    def _odd_before(self, values: Column, places: Ints) -> list[Ints]:
        """The numbers of NaN, inf and -inf before each place."""
        blocks = places // FACTOR
        rows = blocks * FACTOR + _ROW
        inside = rows < places
        part = np.asarray(values[np.minimum(rows, len(values) - 1)], dtype=np.float64)
        within = [(kind & inside).sum(axis=0) for kind in _kinds(part)]
        if self._odd is None:
            return within
        return [one.view[blocks] + some for one, some in zip(self._odd, within, strict=True)]


def _kinds(values: Floats) -> tuple[AnyArray, AnyArray, AnyArray]:
    return np.isnan(values), np.isposinf(values), np.isneginf(values)


def _reduced(values: Floats, ufunc: np.ufunc) -> Floats:
    """Reduce each block of values."""
    # Halves of rows: NumPy reduces long rows much faster than many short ones.
    rows = values.reshape(-1, FACTOR)
    width = FACTOR
    while width > 1:
        width //= 2
        rows = ufunc(rows[:, :width], rows[:, width:])
    flat: Floats = rows.reshape(-1)
    return flat


_Extremes = tuple[Floats, Floats]


class _Query:
    """The extremes of each range.

    A range is covered by blocks of the highest level that has whole ones in it, and at its two ends by the
    children of the blocks that reach beyond it, level by level, where these may change the extremes.
    """

    def __init__(
        self, levels: list[tuple[AnyArray, AnyArray]], values: Column, low: Ints, high: Ints
    ) -> None:
        self._levels, self._values = levels, values
        self._low, self._high = low, high
        self._least, self._greatest = np.full(len(low), np.inf), np.full(len(low), -np.inf)

    def answer(self) -> _Extremes:
        sizes = [FACTOR**level for level in range(len(self._levels) + 1)]
        level = np.zeros(len(self._low), np.int64)
        for number, size in enumerate(sizes[1:], start=1):
            level[-(-self._low // size) < self._high // size] = number
        for number in np.flatnonzero(np.bincount(level)).tolist():
            some = np.flatnonzero(level == number)
            self._take(some, number, -(-self._low[some] // sizes[number]), self._high[some] // sizes[number])
        for number in range(int(level.max(initial=0)) - 1, -1, -1):
            size, above = sizes[number], sizes[number + 1]
            deep = np.flatnonzero(level > number)
            for ends in (self._low, self._high):
                block = ends[deep] // above
                inside = self._worth(number, deep, block) & (ends[deep] > block * above)
                some, block = deep[inside], block[inside]
                if not len(some):
                    continue
                if ends is self._low:
                    self._take(some, number, -(-ends[some] // size), (block + 1) * FACTOR)
                else:
                    self._take(some, number, block * FACTOR, ends[some] // size)
        return self._least, self._greatest

    def _worth(self, number: int, some: Ints, block: Ints) -> AnyArray:
        """True where a block one level above ``number`` may change the extremes of a range."""
        least, greatest = self._levels[number]
        place = np.minimum(block, len(least) - 1)
        changes = (least[place] < self._least[some]) | (greatest[place] > self._greatest[some])
        return changes | (block >= len(least))

    def _take(self, some: Ints, number: int, first: Ints, last: Ints) -> None:
        """Take the blocks [first, last) of a level into account; of level 0, the values themselves."""
        height = int((last - first).max(initial=0))
        if height <= 0:
            return
        places = first + np.arange(height)[:, None]
        inside = places < last
        np.minimum(places, np.maximum(last - 1, 0), out=places)
        if number:
            least, greatest = (side[places] for side in self._levels[number - 1])
        else:
            least = greatest = np.asarray(self._values[places], dtype=np.float64)
            inside &= np.isfinite(least)
        least = np.where(inside, least, np.inf).min(axis=0)
        greatest = np.where(inside, greatest, -np.inf).max(axis=0)
        self._least[some] = np.minimum(self._least[some], least)
        self._greatest[some] = np.maximum(self._greatest[some], greatest)
