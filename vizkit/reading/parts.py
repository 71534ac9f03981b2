"""The records of a tag over the logs of a run: the rows of each log's series that belong to a training."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from vizkit.columns.series import Series
from vizkit.metrics.arrays import AnyArray
from vizkit.reading.log_tail import LogTail
from vizkit.reading.sessions import counting

__all__ = [
    "Part",
    "Parts",
    "begins_of",
    "column_of_parts",
    "columns_of_parts",
    "columns_of_tags",
    "parts_of_trainings",
]


class Part(NamedTuple):
    """The records of a tag in one log: rows of its series, and where its sessions begin among them."""

    log: LogTail
    series: Series
    start: int
    end: int
    begins: list[int]


Parts = list[Part]


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
        training = bisect_right(starts, base + sessions[begin].session) - 1
        end, behind = len(sessions), series.count
        if training + 1 < len(starts):
            end = bisect_left(sessions, starts[training + 1] - base, begin, key=attrgetter("session"))
            behind = sessions[end].row if end < len(sessions) else behind
        rows = [stretch.row for stretch in sessions[begin:end]]
        yield training, Part(log, series, rows[0], behind, rows)
        begin = end


def begins_of(parts: Parts) -> list[int]:
    """The rows of a tag's records, over all logs, where sessions begin."""
    begins, offset = [], 0
    for part in parts:
        begins += [offset + row - part.start for row in part.begins]
        offset += part.end - part.start
    return begins


def column_of_parts(parts: Parts, index: int) -> AnyArray:
    """One column of a tag over all logs: 0 the steps, 1 the walltimes."""
    columns = [np.asarray(part.series.column(index)[part.start : part.end]) for part in parts]
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def columns_of_parts(parts: Parts, superseded: bool, *more: AnyArray) -> list[AnyArray]:
    """The columns of a tag over all logs, and ``more`` of the same length."""
    if len(parts) == 1:
        columns = parts[0].series.rows(parts[0].start, parts[0].end)
    else:
        rows_of = (part.series.rows(part.start, part.end) for part in parts)
        columns = [*map(np.concatenate, zip(*rows_of, strict=True))]
    columns += more
    begins = begins_of(parts) if len(parts) > 1 or parts[0].start else parts[0].begins
    rows = None if superseded else counting(columns[0], begins)
    if rows is not None:
        columns = [column.take(rows) for column in columns]
    for column in columns:
        column.setflags(write=False)
    return columns


def columns_of_tags(tags: list[Parts], superseded: bool) -> list[list[AnyArray]]:
    """The columns of each of several scalar tags over all logs: sorted together, as all are short."""
    rows = [[part.series.rows(part.start, part.end) for part in parts] for parts in tags]
    fractional = [any(columns[0].dtype.kind == "f" for columns in some) for some in rows]
    found: list[list[AnyArray]] = [[] for _ in tags]
    for kind in set(fractional):  # whole steps stay so
        some = [index for index, is_fractional in enumerate(fractional) if is_fractional == kind]
        columns = _sorted_together(
            [tags[index] for index in some], [rows[index] for index in some], superseded
        )
        for index, one in zip(some, columns, strict=True):
            found[index] = one
    return found


def _sorted_together(
    tags: list[Parts], rows: list[list[list[AnyArray]]], superseded: bool
) -> Iterator[list[AnyArray]]:
    """The columns of several tags; ``rows`` are those of their parts."""
    columns = [*map(np.concatenate, zip(*chain.from_iterable(rows), strict=True))]
    begins: list[int] = []
    firsts, bounds, offset = [], [0], 0
    for parts in tags:
        firsts.append(len(begins))
        for part in parts:
            begins += [offset + row - part.start for row in part.begins]
            offset += part.end - part.start
        bounds.append(offset)
    order = None if superseded else counting(columns[0], begins, firsts)
    if order is not None:
        columns = [column[order] for column in columns]
        if len(order) < offset:
            counts = np.add.reduceat(np.bincount(order, minlength=offset), bounds[:-1])
            bounds = [0, *counts.cumsum().tolist()]
    for column in columns:
        column.flags.writeable = False
    return ([column[start:stop] for column in columns] for start, stop in pairwise(bounds))
