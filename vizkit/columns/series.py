"""Growing columns of one tag's records."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from vizkit.metrics.arrays import AnyArray, Bools, Floats, Ints

__all__ = ["Series", "kept"]


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
    """

    __slots__ = ("_columns", "count", "end", "first")

    def __init__(self, first: int, *content: DTypeLike) -> None:
        self.first = first
        self.end = first
        self.count = 0
        self._columns: list[AnyArray] = [np.empty(0, dtype) for dtype in (np.int64, np.int64, *content)]

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

    def columns(self) -> list[AnyArray]:
        """Steps, walltimes and content, each (n,) and read-only; later records do not change them."""
        views = [column[: self.count] for column in self._columns]
        for view in views:
            view.flags.writeable = False
        return views


def kept(steps: AnyArray) -> Bools | None:
    """Find the records of a tag that no later record supersedes.

    A record at step s supersedes the earlier ones at steps >= s, as when a run is resumed from a
    checkpoint. If all records have the same step, none is superseded.

    Args:
        steps: (n,) in the order of writing.

    Returns:
        (n,) True for the records that remain; None if all do.
    """
    if len(steps) < 2 or (steps[1:] > steps[:-1]).all() or (steps == steps[0]).all():
        return None
    later = np.minimum.accumulate(steps[::-1])[::-1]
    return np.append(steps[:-1] < later[1:], True)
