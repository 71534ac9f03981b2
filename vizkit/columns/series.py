"""Growing columns of one tag's records."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from vizkit.metrics.arrays import AnyArray, Floats, Ints

__all__ = ["Series"]


class Series:
    """The records of one tag and kind, in the order in which they were written.

    The cost of appending does not depend on the length: a full column grows by at least a quarter.

    Args:
        first: position of the first record's frame in the log.
        content: types of the columns of the content.

    Attributes:
        first: position of the first record's frame in the log.
        end: position after the last record's frame.
        count: number of records.
        sessions: (number, first row) of each session that recorded some of them.
    """

    __slots__ = ("_columns", "count", "end", "first", "sessions")

    def __init__(self, first: int, *content: DTypeLike) -> None:
        self.first = first
        self.end = first
        self.count = 0
        self.sessions: list[tuple[int, int]] = []
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
        count = self.count + len(steps)
        for index, part in enumerate((whole, *others)):
            column = self._columns[index]
            if count > len(column):
                grown = np.empty(int(max(count * room, 1.25 * len(column))), column.dtype)
                grown[: self.count] = column[: self.count]
                self._columns[index] = column = grown
            column[self.count : count] = part
        self.count = count
        self.end = end

    def adopt(self, end: int, columns: list[AnyArray]) -> None:
        """Use the columns of the first records without copying them, when no more are expected.

        They are never written to, and may be shared.
        """
        self._columns = columns
        self.count = len(columns[0])
        self.end = end

    def step(self, row: int) -> int | float:
        """The step of one record."""
        found: int | float = self._columns[0][row].item()
        return found

    def walltime(self, row: int) -> int:
        """The walltime of one record."""
        return int(self._columns[1][row])

    def columns(self) -> list[AnyArray]:
        """Steps, walltimes and content, each (n,) and read-only; later records do not change them."""
        views = [column[: self.count] for column in self._columns]
        for view in views:
            view.flags.writeable = False
        return views
