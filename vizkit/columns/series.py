"""Growing columns of one tag's records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vizkit.columns.packed import Column, Joined, Packed, pack
from vizkit.columns.pyramid import Pyramid
from vizkit.metrics.arrays import AnyArray, Ints

__all__ = ["LONG", "Series", "SortedRows", "Stretch"]

LONG = 1 << 16
"""Records from which on columns are worth packing."""

_MOST_PARTS = 64  # that wait to be joined


class SortedRows(NamedTuple):
    """Records in the order in which they were written, often of several tags, tag by tag.

    Attributes:
        steps: (n,) int64, or float64 if there are fractions.
        walltimes: (n,) int64.
        content: columns of the content, each (n,).
    """

    steps: AnyArray
    walltimes: Ints
    content: tuple[AnyArray, ...]

    def part(self, start: int, stop: int) -> list[AnyArray]:
        """Steps, walltimes and content of some rows."""
        columns = (self.steps, self.walltimes, *self.content)
        return [column[start:stop] for column in columns]


@dataclass(slots=True)
class Stretch:
    """A session's records of one tag and kind.

    Attributes:
        session: the session's number.
        row: the first of them.
        step: of the first one.
        walltime: of the first one.
        last: step of the last one.
    """

    session: int
    row: int
    step: int | float
    walltime: int
    last: int | float

    def as_list(self) -> list[int | float]:
        """The attributes in this order."""
        return [self.session, self.row, self.step, self.walltime, self.last]


class Series:
    """The records of one tag and kind, in the order in which they were written.

    Appending copies nothing; what was appended is joined when it is asked for. Then the cost does not depend
    on the length: a full column grows by at least a quarter. Once `pack` was called, the first records are
    packed, and each call of `columns` makes arrays of them.

    Args:
        first: position of the first record's frame in the log.

    Attributes:
        first: position of the first record's frame in the log.
        end: position after the last record's frame.
        count: number of records.
        sessions: the stretch of each session that recorded some of them.
        packed: the columns of the first records, packed; none if there are none.
    """

    __slots__ = ("_ascending", "_joined", "_pyramid", "count", "end", "first", "packed", "sessions")

    def __init__(self, first: int) -> None:
        self.first = first
        self.end = first
        self.count = 0
        self.sessions: list[Stretch] = []
        self.packed: list[Packed] = []
        self._pyramid: Pyramid | None = None
        self._ascending = 1  # rows whose steps are known to ascend
        # Columns behind the packed ones, with room at their ends, and what comes next. Replaced at once:
        # several threads may read.
        self._joined: tuple[list[AnyArray], list[tuple[SortedRows, int, int]]] = [], []

    @classmethod
    def of(cls, first: int, end: int, sessions: list[Stretch], columns: list[AnyArray]) -> Series:
        """A series of these columns, which are never changed; the other arguments are attributes."""
        series = cls(first)
        series.end, series.sessions, series.count = end, sessions, len(columns[0])
        series._joined = columns, []
        return series

    def append(self, session: int, columns: SortedRows, start: int, stop: int, end: int) -> None:
        """Append records.

        Args:
            session: the number of the session that recorded them.
            columns: hold them, and are never changed.
            start: the first row of them.
            stop: the row behind them.
            end: position after the last record's frame.
        """
        last = columns.steps.item(stop - 1)
        if self.sessions and self.sessions[-1].session == session:
            self.sessions[-1].last = last
        else:
            step, walltime = columns.steps.item(start), columns.walltimes.item(start)
            self.sessions.append(Stretch(session, self.count, step, walltime, last))
        self.count += stop - start
        parts = self._joined[1]
        if parts and parts[-1][0] is columns and parts[-1][2] == start:  # of the session before
            start = parts.pop()[1]
        parts.append((columns, start, stop))
        self.end = end
        if len(parts) >= _MOST_PARTS:
            self._join()

    def _join(self) -> list[AnyArray]:
        """The columns behind the packed ones, which may have room at their ends; none for no records."""
        columns, parts = self._joined
        if not parts:
            return columns
        every = [some.part(start, stop) for some, start, stop in parts]
        if columns:
            held = self.count - self._base - sum(stop - start for _, start, stop in parts)
            columns = [_extended(old, held, new) for old, *new in zip(columns, *every, strict=True)]
        elif len(every) == 1:
            columns = every[0]
        else:
            columns = [np.concatenate(new) for new in zip(*every, strict=True)]
        self._joined = columns, []
        return columns

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
        """Use packed columns of all records."""
        self._joined = [], []
        self.packed = packed
        self.count = len(packed[0])

    @property
    def walltime_bounds(self) -> tuple[int, int] | None:
        """The least and greatest walltime; None where all packed ones would have to be looked at."""
        bounds = []
        if self.packed:
            if (packed := self.packed[1].bounds) is None:
                return None
            bounds.append(packed)
        if columns := self._join():
            rest = columns[1][: self.count - self._base]
            bounds.append((int(rest.min()), int(rest.max())))
        return min(low for low, _ in bounds), max(high for _, high in bounds)

    def column(self, index: int) -> Column:
        """One column, packed as far as it is: 0 the steps, 1 the walltimes, then the content."""
        columns = self._join()
        if not columns:
            return self.packed[index]
        rest = columns[index][: self.count - self._base]
        rest.flags.writeable = False
        return Joined(self.packed[index], rest) if self.packed else rest

    def columns(self) -> list[AnyArray]:
        """Steps, walltimes and content, each (n,) and read-only; later records do not change them.

        Steps are int64, or float64 if any of them is a fraction.
        """
        count, columns = self.count, self._join()
        if self.packed:
            views = [np.asarray(self.column(index)[:count]) for index in range(len(self.packed))]
        else:
            views = [column if len(column) == count else column[:count] for column in columns]
        for view in views:
            view.flags.writeable = False
        return views

    def rows(self, start: int, stop: int) -> list[AnyArray]:
        """Some rows of `columns`, which may be writable but must not be changed."""
        columns, parts = self._joined
        if len(parts) == 1 and not columns and not self.packed:  # as they were sorted
            some, first, _ = parts[0]
            return some.part(first + start, first + stop)
        columns = self.columns() if self.packed else self._join()
        return [column[start:stop] for column in columns]

    @property
    def ascends(self) -> bool:
        """True if no step is below the one before."""
        if self._ascending < self._base and self.packed[0].ascends:
            self._ascending = self._base
        while self._ascending < self.count:
            steps = self.column(0)[self._ascending - 1 : self._ascending + LONG]
            if (steps[1:] < steps[:-1]).any():
                return False
            self._ascending += len(steps) - 1
        return True

    @property
    def pyramid(self) -> Pyramid:
        """The extremes of the values of a scalar, which are the first column of content."""
        if self._pyramid is None:
            self._pyramid = Pyramid()
        self._pyramid.extend(self.column(2))
        return self._pyramid

    @pyramid.setter
    def pyramid(self, known: Pyramid) -> None:
        self._pyramid = known


def _extended(column: AnyArray, held: int, parts: list[AnyArray]) -> AnyArray:
    """A column of ``held`` records with more behind them, in its own room if there is enough."""
    count = held + sum(map(len, parts))
    kind = np.result_type(column, *parts)
    if count > len(column) or kind != column.dtype:
        grown = np.empty(max(count, len(column) + len(column) // 4), kind)
        grown[:held] = column[:held]
        column = grown
    np.concatenate(parts, out=column[held:count])
    return column
