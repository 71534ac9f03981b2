"""The least and greatest value of each column of pixels, of many curves at once, from their pyramids."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from vizkit.columns.packed import Column, block_values
from vizkit.columns.pyramid import BLOCK, FACTOR, Pyramid
from vizkit.metrics.arrays import Floats, Ints

__all__ = ["ColumnEdges", "column_extremes"]

_LEAST_BLOCKS = 6
"""Whole blocks in a column, at least, on average: few of those that its edges part change its extremes."""

_SIZES: tuple[int, ...] = tuple(BLOCK * FACTOR**level for level in range(3))
"""Of blocks: the values of a larger one would be too many to look at."""

_SHORT = 20
"""Numbers up to which ranges are reduced as columns of a matrix: NumPy does so sooner than one by one."""

_SIDES = ((np.minimum, np.inf), (np.maximum, -np.inf))
"""How extremes are found, and what they are of nothing."""


class ColumnEdges:
    """The edges of columns, which many curves may share.

    Args:
        places: (m + 1,) ascending, no two the same: where the columns begin, and where the last one ends.
    """

    def __init__(self, places: Ints) -> None:
        self.places = places
        self._cuts: dict[int, _Cut] = {}

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def level(self) -> int:
        """The highest level of pyramids with several blocks in most columns; -1: the values themselves."""
        length, columns = int(self.places[-1] - self.places[0]), len(self) - 1
        return sum(length >= _LEAST_BLOCKS * size * columns for size in _SIZES) - 1

    @cached_property
    def ranges(self) -> _Ranges:
        """Those of the columns' values, from the first edge on."""
        places = self.places - self.places[0]
        return _Ranges(places[:-1], places[1:])

    def cut(self, count: int) -> _Cut:
        """How they cut the blocks of ``count`` values."""
        found = self._cuts.get(count)
        if found is None:
            found = self._cuts[count] = _Cut(self.places, _SIZES[self.level], count)
        return found


def column_extremes(
    curves: Sequence[tuple[Pyramid, Column]], edges: Sequence[ColumnEdges]
) -> list[tuple[Floats, Floats]]:
    """The least and greatest finite value of each column of each curve.

    The blocks of a pyramid that lie within a column are reduced. The values of a block that an edge parts are
    looked at where that block could change the extremes of a column beside the edge; those of all curves at
    once.

    Args:
        curves: their pyramids and values.
        edges: of each curve; curves with the same columns may share them, which is quicker.

    Returns:
        For each curve two arrays of (m,); inf and -inf where no value is finite.
    """
    # Each curve has m + 2 columns: those beyond its first and last edge, which nothing changes, stand at the
    # ends. The edge at a place is to the right of the column there, and to the left of the next one.
    starts = np.cumsum([0, *(len(one) + 1 for one in edges)])
    found = [np.full(starts[-1], -worst) for _, worst in _SIDES]
    parted = [np.full(starts[-1], worst) for _, worst in _SIDES]  # the extremes of the blocks there
    cuts: list[_Cut | None] = []
    for (pyramid, values), one, start in zip(curves, edges, starts.tolist(), strict=False):
        columns = slice(start + 1, start + len(one))
        inside = [side[columns] for side in found]
        if one.level < 0:
            cuts.append(None)
            part = np.asarray(values[int(one.places[0]) : int(one.places[-1])], dtype=np.float64)
            sides = [part, part]
            if pyramid.odd:
                finite = np.isfinite(part)
                sides = [np.where(finite, part, worst) for _, worst in _SIDES]
            one.ranges.reduce(sides, inside)
            continue
        cut = one.cut(len(values))
        cuts.append(cut)
        sides = list(pyramid.blocks(one.level))
        cut.whole.reduce(sides, inside)
        cut.note_parted(sides, [side[start : columns.stop] for side in parted])
    for size in {cut.size for cut in cuts if cut}:
        for side in range(2):
            _look_into_parted(curves, cuts, size, starts, side, found[side], parted[side])
    return [
        (found[0][start + 1 : end - 1], found[1][start + 1 : end - 1])
        for start, end in itertools.pairwise(starts.tolist())
    ]


class _Ranges:
    """Ranges of an array, which ascend: where they begin, and where they end; some may be empty."""

    def __init__(self, low: Ints, high: Ints) -> None:
        self._empty = np.flatnonzero(low >= high)
        self._end = int(high[-1])
        self._matrix: Ints | None = None
        longest = int((high - low).max())
        if longest <= _SHORT:
            # The last place of shorter ones comes several times, which changes no extreme.
            self._matrix = np.minimum(low + np.arange(longest)[:, None], np.maximum(high - 1, 0))
            return
        self._step = 1 if np.array_equal(low[1:], high[:-1]) else 2
        places = low
        if self._step == 2:  # the ranges, and what is between them, by turns
            places = np.empty(2 * len(low) - 1, np.int64)
            places[::2], places[1::2] = low, high[:-1]
        self._places = np.minimum(places, self._end)
        self._reaches_end = bool((places >= self._end).any())

    def reduce(self, sides: Sequence[Floats], out: Sequence[Floats]) -> None:
        """Find the least values in the first of two arrays, the greatest in the second one."""
        matrix = None
        for number, (ufunc, worst) in enumerate(_SIDES):
            if self._matrix is not None:
                if matrix is None or sides[0] is not sides[1]:
                    matrix = sides[number].take(self._matrix)
                ufunc.reduce(matrix, axis=0, out=out[number])
            else:
                row = sides[number][: self._end]
                if self._reaches_end:
                    row = np.append(row, worst)
                out[number][:] = ufunc.reduceat(row, self._places)[:: self._step]
            out[number][self._empty] = worst


class _Cut:
    """Blocks of ``size`` of ``count`` values, cut by edges.

    Attributes:
        block: (m + 1,) the block that each edge lies in.
        whole: the whole blocks of each column.
        parts: (m + 1, 3) of the values of the block of an edge: where those begin that belong to the column
            before the edge, the edge, and where those end that belong to the column behind it.
    """

    def __init__(self, edges: Ints, size: int, count: int) -> None:
        self.size = size
        self.block = edges // size
        whole = -(-edges // size)  # the first block that begins at the edge or behind it
        self.whole = _Ranges(whole[:-1], self.block[1:])
        self._not_parted = np.flatnonzero(whole == self.block)
        known = count // size
        self._known = np.minimum(self.block, known - 1)
        self._not_known = np.flatnonzero(self.block >= known)
        start = self.block * size
        self.parts = np.stack([np.zeros_like(edges), edges - start, np.full_like(edges, size)], axis=1)
        np.maximum(edges[:-1] - start[1:], 0, out=self.parts[1:, 0])
        np.minimum(edges[1:] - start[:-1], size, out=self.parts[:-1, 2])

    def note_parted(self, sides: Sequence[Floats], out: Sequence[Floats]) -> None:
        """Note the extremes of the block that each edge parts.

        Those of a block that the pyramid does not know yet, as it is not full, might be anything.
        """
        for blocks, one, (_, worst) in zip(sides, out, _SIDES, strict=True):
            blocks.take(self._known, out=one, mode="clip")
            one[self._not_known] = -worst
            one[self._not_parted] = worst


def _look_into_parted(
    curves: Sequence[tuple[Pyramid, Column]],
    cuts: Sequence[_Cut | None],
    size: int,
    starts: Ints,
    side: int,
    found: Floats,
    parted: Floats,
) -> None:
    """Take the values of parted blocks of a size into account, where they could change an extreme."""
    ufunc, worst = _SIDES[side]
    beside = found[:-1], found[1:]
    some = np.flatnonzero(
        parted[:-1] < np.maximum(*beside) if side == 0 else parted[:-1] > np.minimum(*beside)
    )
    ends = np.searchsorted(some, starts).tolist()
    cells = np.empty(len(some) * size + 1)
    at, places, count = [], [], 0
    for number, ((pyramid, values), cut) in enumerate(zip(curves, cuts, strict=True)):
        own = some[ends[number] : ends[number + 1]]
        if cut is None or cut.size != size or not len(own):
            continue
        edges = own - starts[number]
        part = cells[count * size : (count + len(own)) * size].reshape(-1, size)
        part[:] = block_values(values, size, cut.block[edges])
        if pyramid.odd:
            part[~np.isfinite(part)] = worst
        at.append(cut.parts[edges] + size * np.arange(count, count + len(own))[:, None])
        places.append(own)
        count += len(own)
    if not count:
        return
    where = np.concatenate(places)
    rows = cells[: count * size + 1]
    rows[-1] = worst  # a part may end where all of them do
    before, behind, _ = ufunc.reduceat(rows, np.concatenate(at).reshape(-1)).reshape(-1, 3).T
    found[where] = ufunc(found[where], before)
    found[where + 1] = ufunc(found[where + 1], behind)
