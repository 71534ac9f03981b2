"""The records of a tag over the logs of a run: the rows of each log's series that belong to a training."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from vizkit.columns.series import Series
from vizkit.metrics.arrays import AnyArray
from vizkit.reading.log_tail import LogTail
from vizkit.reading.sessions import Begin, counting

__all__ = ["Part", "Parts", "begins_of", "column_of_parts", "columns_of_parts", "part_of", "session_begins"]


class Part(NamedTuple):
    """The records of a tag in one log: rows of its series, and where its sessions begin among them."""

    log: LogTail
    series: Series
    start: int
    end: int
    begins: list[int]


Parts = list[Part]


def session_begins(series: Series) -> Iterator[tuple[int, Begin]]:
    """The number of each session of a series, and where it begins."""
    steps, walltimes = series.columns()[:2]
    for (number, row), (_, behind) in pairwise([*series.sessions, (0, series.count)]):
        yield number, Begin(steps.item(row), walltimes.item(row), steps.item(behind - 1))


def part_of(log: LogTail, series: Series, first: int, last: int) -> Part | None:
    """The records of the sessions from ``first`` up to but not including ``last``, if there are any."""
    sessions = series.sessions
    begin, end = bisect_left(sessions, (first,)), bisect_left(sessions, (last,))
    if begin == end:
        return None
    rows = [row for _, row in sessions[begin:end]]
    return Part(log, series, rows[0], sessions[end][1] if end < len(sessions) else series.count, rows)


def begins_of(parts: Parts) -> list[int]:
    """The rows of a tag's records, over all logs, where sessions begin."""
    begins, offset = [], 0
    for part in parts:
        begins += [offset + row - part.start for row in part.begins]
        offset += part.end - part.start
    return begins


def _columns_of_part(part: Part) -> list[AnyArray]:
    columns = part.series.columns()
    whole = part.end - part.start == part.series.count
    return columns if whole else [column[part.start : part.end] for column in columns]


def column_of_parts(parts: Parts, index: int) -> AnyArray:
    """One column of a tag over all logs: 0 the steps, 1 the walltimes."""
    columns = [np.asarray(part.series.column(index)[part.start : part.end]) for part in parts]
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def columns_of_parts(parts: Parts, superseded: bool, *more: AnyArray) -> list[AnyArray]:
    """The columns of a tag over all logs, and ``more`` of the same length."""
    if len(parts) == 1:
        columns = _columns_of_part(parts[0])
    else:
        columns = [*map(np.concatenate, zip(*map(_columns_of_part, parts), strict=True))]
    columns = [*columns, *more]
    rows = None if superseded else counting(columns[0], begins_of(parts))
    if rows is not None:
        columns = [column[rows] for column in columns]
    for column in columns:
        column.flags.writeable = False
    return columns
