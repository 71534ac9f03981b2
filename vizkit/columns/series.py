"""Growing columns of one tag's records."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from vizkit.columns.packed import Column, Joined, Packed, pack
from vizkit.columns.pyramid import Pyramid
from vizkit.metrics.arrays import AnyArray, Floats, Ints

__all__ = ["LONG", "Series"]

LONG = 1 << 16
"""Records from which on columns are worth packing."""


class Series:
    """The records of one tag and kind, in the order in which they were written.

    The cost of appending does not depend on the length: a full column grows by at least a quarter. Once
    `pack` was called, the first records are packed, and each call of `columns` makes arrays of them.

    Args:
        first: position of the first record's frame in the log.
        content: types of the columns of the content.

    Attributes:
        first: position of the first record's frame in the log.
        end: position after the last record's frame.
        count: number of records.
        sessions: (number, first row) of each session that recorded some of them.
        packed: the columns of the first records, packed; none if there are none.
    """

    __slots__ = ("_ascending", "_columns", "_pyramid", "count", "end", "first", "packed", "sessions")

    def __init__(self, first: int, *content: DTypeLike) -> None:
        self.first = first
        self.end = first
        self.count = 0
        self.sessions: list[tuple[int, int]] = []
        self.packed: list[Packed] = []
        self._pyramid: Pyramid | None = None
        self._ascending = 1  # rows whose steps are known to ascend
        self._columns: list[AnyArray] = [np.empty(0, dtype) for dtype in (np.int64, np.int64, *content)]

    def begin(self, session: int) -> None:
        """Attribute the records that follow to a session."""
        if not self.sessions or self.sessions[-1][0] != session:
            self.sessions.append((session, self.count))

    def extend(self, room: float, end: int, steps: Ints, fractions: Floats | None, *others: AnyArray) -> None:
        """Append records.

        Args:
            room: the expected final number of records, as a multiple of their number after this call.
            end: position after the last record's frame.
            steps: (n,) int64.
            fractions: (n,) the fractional steps, NaN for whole ones; None if all are whole.
            others: (n,) walltimes and the columns of the content.
        """
        whole: AnyArray = steps
        if fractions is not None and not np.isnan(fractions).all():
            whole = np.where(np.isnan(fractions), steps, fractions)
            self._columns[0] = self._columns[0].astype(np.float64)
        known = self.count - self._base
        count = known + len(steps)
        for index, part in enumerate((whole, *others)):
            column = self._columns[index]
            if count > len(column):
                grown = np.empty(int(max(count * room, 1.25 * len(column))), column.dtype)
                grown[:known] = column[:known]
                self._columns[index] = column = grown
            column[known:count] = part
        self.count += len(steps)
        self.end = end

    def adopt(self, end: int, columns: list[AnyArray]) -> None:
        """Use the columns of the first records without copying them, when no more are expected.

        They are never written to, and may be shared.
        """
        self._columns = columns
        self.count = len(columns[0])
        self.end = end

    @property
    def _base(self) -> int:
        """Number of records that are packed."""
        return len(self.packed[0]) if self.packed else 0

    def pack(self, least: int | None = None) -> None:
        """Pack the columns if at least so many records are not; by default a quarter, if they are many."""
        base = self._base
        if self.count - base >= (max(LONG, base // 4) if least is None else least):
            self.take_packed([pack(column) for column in self.columns()])

    def take_packed(self, packed: list[Packed]) -> None:
        """Use packed columns for the first records."""
        base = self._base
        self._columns = [column[len(packed[0]) - base : self.count - base].copy() for column in self._columns]
        self.packed = packed
        self.count = max(self.count, len(packed[0]))

    def step(self, row: int) -> int | float:
        """The step of one record."""
        found: int | float = self._column(0)[row : row + 1][0].item()
        return found

    def walltime(self, row: int) -> int:
        """The walltime of one record."""
        return int(self._column(1)[row : row + 1][0])

    @property
    def walltime_bounds(self) -> tuple[int, int] | None:
        """The least and greatest walltime if that costs little, or else None."""
        rest = self._columns[1][: self.count - self._base]
        if not self.packed or (packed := self.packed[1].bounds) is None:
            return None
        return (min(packed[0], int(rest.min())), max(packed[1], int(rest.max()))) if len(rest) else packed

    def column(self, index: int) -> Column:
        """One column, packed as far as it is: 0 the steps, 1 the walltimes, then the content."""
        column = self._column(index)
        if isinstance(column, np.ndarray):
            column.flags.writeable = False
        return column

    def _column(self, index: int) -> Column:
        base = self._base
        rest = self._columns[index][: self.count - base]
        if not base:
            return rest
        return Joined(self.packed[index], rest) if len(rest) else self.packed[index]

    def columns(self) -> list[AnyArray]:
        """Steps, walltimes and content, each (n,) and read-only; later records do not change them."""
        views = [np.asarray(self._column(index)[: self.count]) for index in range(len(self._columns))]
        for view in views:
            view.flags.writeable = False
        return views

    @property
    def ascends(self) -> bool:
        """True if no step is below the one before."""
        if self._ascending < self._base and self.packed[0].ascends:
            self._ascending = self._base
        while self._ascending < self.count:
            steps = self._column(0)[self._ascending - 1 : self._ascending + LONG]
            if (steps[1:] < steps[:-1]).any():
                return False
            self._ascending += len(steps) - 1
        return True

    @property
    def pyramid(self) -> Pyramid:
        """The extremes of the values of a scalar, which are the first column of content."""
        if self._pyramid is None:
            self._pyramid = Pyramid()
        self._pyramid.extend(self._column(2))
        return self._pyramid

    @pyramid.setter
    def pyramid(self, known: Pyramid) -> None:
        self._pyramid = known
