"""The records of one tag as columns that grow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Series", "kept"]

Ints = NDArray[np.int64]


class Series:
    """The records of one tag and kind, in the order in which they were written.

    Appending costs what is appended, whatever there is already: a full column grows by a quarter at least.

    Attributes:
        first: position in the log of the first record's frame.
        end: position behind the last one's.
        count: how many records there are.
    """

    __slots__ = ("_columns", "count", "end", "first")

    def __init__(self, first: int, *content: Any) -> None:
        self.first = first
        self.end = first
        self.count = 0
        self._columns: list[NDArray[Any]] = [np.empty(0, dtype) for dtype in (np.int64, np.int64, *content)]

    def extend(
        self, room: float, end: int, steps: Ints, fractions: NDArray[np.float64] | None, *others: NDArray[Any]
    ) -> None:
        """Appends records.

        Args:
            room: how many times as many records as there will be then are soon to be there.
            end: position behind the last record's frame.
            steps: (n,) int64.
            fractions: (n,) the steps that are fractions, NaN for the others; None if none is.
            others: (n,) walltimes and the columns of the content.
        """
        whole: NDArray[Any] = steps
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

    def adopt(self, end: int, columns: list[NDArray[Any]]) -> None:
        """Takes all columns of the first records as they are, when no more are expected.

        They are never written to, and may be shared.
        """
        self._columns = columns
        self.count = len(columns[0])
        self.end = end

    def columns(self) -> list[NDArray[Any]]:
        """Steps, walltimes and content, each (n,) and read-only; what comes later leaves them alone."""
        views = [column[: self.count] for column in self._columns]
        for view in views:
            view.flags.writeable = False
        return views


def kept(steps: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Which records of a tag no later one supersedes, None if that is all of them.

    A record at step s supersedes the earlier ones at steps >= s, as when a run is resumed from a
    checkpoint; where all have one step, none is superseded.
    """
    if len(steps) < 2 or (steps[1:] > steps[:-1]).all() or (steps == steps[0]).all():
        return None
    later = np.minimum.accumulate(steps[::-1])[::-1]
    return np.append(steps[:-1] < later[1:], True)
