"""The least and greatest value of each column of pixels, of many curves at once, from their pyramids."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from vizkit.columns.packed import Column
from vizkit.columns.pyramid import FACTOR, Pyramid
from vizkit.metrics.arrays import Floats, Ints

__all__ = ["column_extremes"]

_LEAST_BLOCKS = 8
"""Whole blocks in a column, at least, on average: few of those that its edges part change its extremes."""

_LEVELS = (1, 2)
"""Of pyramids: the values of a larger block would be too many to look at."""

_SIDES = ((np.minimum, np.inf), (np.maximum, -np.inf))
"""How extremes are found, and what they are of nothing."""


def column_extremes(
    curves: Sequence[tuple[Pyramid, Column]], edges: Sequence[Ints]
) -> list[tuple[Floats, Floats]]:
    """The least and greatest finite value of each column of each curve.

    The blocks of a pyramid that lie within a column are reduced. The values of a block that an edge parts are
    looked at where that block could change the extremes of a column beside the edge; those of all curves at
    once.

    Args:
        curves: their pyramids and values.
        edges: of each curve, (m + 1,) ascending places, no two the same: where its columns begin, and where
            the last one ends. Curves with the same columns may share the array, which is quicker.

    Returns:
        For each curve two arrays of (m,); inf and -inf where no value is finite.
    """
    # Each curve has m + 2 columns: those beyond its first and last edge, which nothing changes, stand at the
    # ends. The edge at a place is to the right of the column there, and to the left of the next one.
    starts = np.cumsum([0, *(len(one) + 1 for one in edges)])
    found = [np.full(starts[-1], -worst) for _, worst in _SIDES]
    parted = [np.full(starts[-1], worst) for _, worst in _SIDES]  # the extremes of the blocks there
    cuts: list[_Cut | None] = []
    known: dict[tuple[int, int, int], _Cut] = {}
    for (pyramid, values), places, start in zip(curves, edges, starts.tolist(), strict=False):
        inner = slice(start + 1, start + len(places))
        level = _level(places)
        if not level:
            cuts.append(None)
            part = np.asarray(values[int(places[0]) : int(places[-1])], dtype=np.float64)
            finite = np.isfinite(part) if pyramid.odd else None
            for (ufunc, worst), all_ in zip(_SIDES, found, strict=True):
                one = part if finite is None else np.where(finite, part, worst)
                ufunc.reduceat(one, places[:-1] - places[0], out=all_[inner])
            continue
        key = id(places), level, len(values)
        cut = known.get(key) or known.setdefault(key, _Cut(places, FACTOR**level, len(values)))
        cuts.append(cut)
        for side, blocks in enumerate(pyramid.blocks(level)):
            found[side][inner], parted[side][start : inner.stop] = cut.reduced(blocks, *_SIDES[side])
    if any(cuts):
        least, greatest = parted
        some = np.flatnonzero(
            (least[:-1] < np.maximum(found[0][:-1], found[0][1:]))
            | (greatest[:-1] > np.minimum(found[1][:-1], found[1][1:]))
        )
        for level in _LEVELS:
            _look_into_parted(curves, cuts, FACTOR**level, starts, some, found)
    return [
        (found[0][start + 1 : end - 1], found[1][start + 1 : end - 1])
        for start, end in itertools.pairwise(starts.tolist())
    ]


def _level(edges: Ints) -> int:
    """The highest level with several blocks in most columns; 0: the values themselves."""
    length = (int(edges[-1]) - int(edges[0])) / (len(edges) - 1)
    return sum(length >= _LEAST_BLOCKS * FACTOR**level for level in _LEVELS)


class _Cut:
    """Blocks of ``size`` of ``count`` values, cut by edges.

    Attributes:
        block: (m + 1,) the block that each edge lies in.
        parts: (m + 1, 3) of the values of that block: where those begin that belong to the column before the
            edge, the edge, and where those end that belong to the column behind it.
    """

    def __init__(self, edges: Ints, size: int, count: int) -> None:
        self.size = size
        self.block = edges // size
        whole = -(-edges // size)  # the first block that begins at the edge or behind it
        self._parted = whole > self.block
        self._last, self._known = int(self.block[-1]), count // size
        # The whole blocks of each column, and the one between them and those of the next column, by turns.
        places = np.empty(2 * len(edges) - 3, np.int64)
        places[::2], places[1::2] = whole[:-1], self.block[1:-1]
        self._places = np.minimum(places, self._last)
        self._reaches_end = bool((places >= self._last).any())
        self._empty = whole[:-1] >= self.block[1:]
        start = self.block * size
        self.parts = np.stack([np.zeros_like(edges), edges - start, np.full_like(edges, size)], axis=1)
        np.maximum(edges[:-1] - start[1:], 0, out=self.parts[1:, 0])
        np.minimum(edges[1:] - start[:-1], size, out=self.parts[:-1, 2])

    def reduced(self, blocks: Floats, ufunc: np.ufunc, worst: float) -> tuple[Floats, Floats]:
        """The extremes of the whole blocks of each column, and of the block that each edge parts.

        That of a block that the pyramid does not know yet, as it is not full, might be anything.
        """
        row = blocks[: self._last]
        if self._reaches_end:
            row = np.append(row, worst)
        every = ufunc.reduceat(row, self._places)
        inside = np.where(self._empty, worst, every[::2])
        parted = np.full(len(self.block), worst)
        parted[1:-1] = every[1::2]
        parted[0] = blocks[self.block[0]]
        parted[self.block == self._last] = blocks[self._last] if self._last < self._known else -worst
        return inside, np.where(self._parted, parted, worst)


def _look_into_parted(
    curves: Sequence[tuple[Pyramid, Column]],
    cuts: Sequence[_Cut | None],
    size: int,
    starts: Ints,
    some: Ints,
    found: Sequence[Floats],
) -> None:
    """Take the values of parted blocks of a size, at some edges, into account."""
    ends = np.searchsorted(some, starts).tolist()
    rows, parts, places, odd = [], [], [], False
    within = np.arange(size)
    for number, ((pyramid, values), cut) in enumerate(zip(curves, cuts, strict=True)):
        own = some[ends[number] : ends[number + 1]]
        if cut is None or cut.size != size or not len(own):
            continue
        edges = own - starts[number]
        row = cut.block[edges][:, None] * size + within
        if row[-1, -1] >= len(values):
            row = np.minimum(row, len(values) - 1)
        rows.append(np.asarray(values[row], dtype=np.float64))
        parts.append(cut.parts[edges])
        places.append(own)
        odd |= pyramid.odd
    if not rows:
        return
    where = np.concatenate(places)
    cells = np.append(np.concatenate(rows), 0.0)  # a part may end where all of them do
    at = (np.concatenate(parts) + size * np.arange(len(where))[:, None]).reshape(-1)
    finite = np.isfinite(cells) if odd else None
    for (ufunc, worst), one in zip(_SIDES, found, strict=True):
        side = cells if finite is None else np.where(finite, cells, worst)
        before, behind, _ = ufunc.reduceat(side, at).reshape(-1, 3).T
        one[where] = ufunc(one[where], before)
        one[where + 1] = ufunc(one[where + 1], behind)
