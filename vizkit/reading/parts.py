"""The records of a tag over the logs of a run: the rows of each log's series that belong to a training."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from vizkit.columns.series import Series
from vizkit.metrics.arrays import AnyArray
from vizkit.reading.log_tail import LogTail
from vizkit.reading.sessions import Begin, counting

__all__ = [
    "Part",
    "Parts",
    "begins_of",
    "column_of_parts",
    "columns_of_parts",
    "parts_of_trainings",
    "session_begins",
]


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


def parts_of_trainings(
    log: LogTail, series: Series, base: int, starts: Sequence[int]
) -> Iterator[tuple[int, Part]]:
    """The records of each training that has some: its index, and its part of the series.

    Args:
        log: the log.
        series: of a tag in it.
        base: the number of the log's first session.
        starts: numbers of the sessions with which trainings begin, ascending from 0.
    """
    sessions = series.sessions
    begin = 0
    while begin < len(sessions):
        training = bisect_right(starts, base + sessions[begin][0]) - 1
        end, behind = len(sessions), series.count
        if training + 1 < len(starts):
            end = bisect_left(sessions, (starts[training + 1] - base,), begin)
            behind = sessions[end][1] if end < len(sessions) else behind
        rows = [row for _, row in sessions[begin:end]]
        yield training, Part(log, series, rows[0], behind, rows)
        begin = end


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
