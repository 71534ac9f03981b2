"""The columns of a log's tags, and the records that wait to be sorted into them."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from vizkit.columns.record_batch import MEMBER, ODD, SCALAR, LogNames, RecordBatch
from vizkit.columns.repeats import Repeats
from vizkit.columns.series import Series, SortedRows
from vizkit.format.types import KINDS
from vizkit.metrics.arrays import AnyArray, Floats, Indices, Ints

__all__ = ["SeriesKey", "SeriesTable"]

_NUMBERS = {kind: number for number, kind in KINDS.items()}
_NAMELESS = (ODD, _NUMBERS["meta_data"], _NUMBERS["hparams"])
_MANY, _VERY_MANY = 32, 256  # records per tag
_LARGE = 1 << 16  # records: so many fit the processor's cache
_SEVERAL = 16  # tags: to sort records of fewer costs no more than to let rounds wait with them


class SeriesKey(NamedTuple):
    """Tag and kind of the records of a `Series`; ``member`` is the name within a group, or empty."""

    tag: str
    kind: str
    member: str


class SeriesTable:
    """The columns of a log's tags.

    Records wait until there are many for each tag, since every sort costs something a tag.

    Args:
        names: the tags of the log.

    Attributes:
        series: key -> columns, in no particular order.
    """

    def __init__(self, names: LogNames) -> None:
        self.series: dict[SeriesKey, Series] = {}
        self._names = names
        self._by_number: dict[tuple[int, int, int], Series] = {}  # kind, tag, member
        self._waiting: dict[int, list[tuple[RecordBatch, Ints]]] = {}  # kind -> records and their sessions
        self._waits = 0  # the number of these records

    @property
    def is_empty(self) -> bool:
        """True if no record was added."""
        return not self.series and not self._waits

    def put(self, key: SeriesKey, series: Series) -> None:
        """Take columns that are known already."""
        member = self._names.members.number(key.member) if key.kind == "scalars" else -1
        self.series[key] = series
        self._by_number[_NUMBERS[key.kind], self._names.tags.number(key.tag), member] = series

    def add(self, batch: RecordBatch, sessions: Ints) -> None:
        """Add records, and the number of the session of each."""
        if (batch.kinds == SCALAR).all():
            self._wait_for(SCALAR, batch, sessions)
            return
        for number in np.flatnonzero(np.bincount(batch.kinds)).tolist():
            if number not in _NAMELESS:
                rows = np.flatnonzero(batch.kinds == number)
                self._wait_for(number, _select(batch, rows), sessions[rows])

    def add_rounds(
        self, repeats: Repeats, every: tuple[Ints, Ints, Floats], start: int, session: int
    ) -> None:
        """Add rounds of scalars; a few wait to be sorted with others.

        Args:
            repeats: the round.
            every: its columns, as `Repeats.read` returns them.
            start: the position of the first one in the log.
            session: the number of the session that recorded them.
        """
        rounds = every[2].shape[1]
        ends = [*repeats.starts[1:], repeats.size]
        last = start + (rounds - 1) * repeats.size  # where the last round begins
        numbers = {self._names.tags.number(tag): which for tag, which in repeats.tags.items()}
        tags = len(self._names.tags.names)
        if self._waits and tags > _SEVERAL and rounds * len(repeats.starts) < _MANY * tags:
            self._wait_for(SCALAR, *_as_batch(repeats, every, numbers, start, session))
            return
        self.sort()
        for number, which in numbers.items():
            steps, walltimes, values = (_of_records(column, which, len(repeats.starts)) for column in every)
            series = self._series_of((SCALAR, number, -1), start + repeats.starts[which[0]])
            columns = SortedRows(steps, walltimes, (values,))
            series.append(session, columns, 0, len(steps), last + ends[which[-1]])

    def _wait_for(self, number: int, batch: RecordBatch, sessions: Ints) -> None:
        """Have records of a kind wait: with many tags, few records of each are in one window."""
        self._waiting.setdefault(number, []).append((batch, sessions))
        self._waits += len(sessions)
        names = len(self._names.tags.names) + len(self._names.members.names)
        if self._waits > max(_MANY * names, min(_VERY_MANY * names, _LARGE)):
            self.sort()

    def sort(self) -> None:
        """Sort the records that wait into their columns."""
        waiting, self._waiting, self._waits = self._waiting, {}, 0
        for number, parts in waiting.items():
            batch = _concatenate([batch for batch, _ in parts])
            sessions = np.concatenate([sessions for _, sessions in parts])
            if number == MEMBER and batch.members is not None:
                keys = batch.tags * len(self._names.members.names) + batch.members
                self._sort(number, batch, sessions, keys, batch.values)
            elif number == SCALAR:
                self._sort(number, batch, sessions, batch.tags, batch.values)
            else:
                self._sort(number, batch, sessions, batch.tags, batch.starts, batch.ends)

    def _sort(self, number: int, batch: RecordBatch, sessions: Ints, keys: Ints, *content: AnyArray) -> None:
        """Append records of one kind to the columns of their keys, such as their tags."""
        order = _in_order(keys)
        keys = keys[order]
        new = keys[1:] != keys[:-1]
        if sessions[0] != sessions[-1]:
            of_session = sessions[order]
            new |= of_session[1:] != of_session[:-1]
        bounds = np.concatenate([[0], np.flatnonzero(new) + 1, [len(order)]])
        firsts, lasts = order[bounds[:-1]], order[bounds[1:] - 1]
        others = tuple(column[order] for column in content)
        whole = SortedRows(batch.steps[order], batch.walltimes[order], others)
        columns = [whole] * len(firsts)
        if batch.fractions is not None:
            fractions = batch.fractions[order]
            none = np.isnan(fractions)
            fractional = whole._replace(steps=np.where(none, whole.steps, fractions))
            every = np.logical_and.reduceat(none, bounds[:-1]).tolist()
            columns = [whole if each else fractional for each in every]
        members = np.full(len(firsts), -1)
        if number == MEMBER and batch.members is not None:
            members = batch.members[firsts]
        rows = (batch.tags[firsts], members, batch.starts[firsts], batch.ends[lasts], sessions[firsts])
        keyed = zip(*(row.tolist() for row in rows), columns, pairwise(bounds.tolist()), strict=True)
        for tag, member, first, end, session, some, (start, stop) in keyed:
            self._series_of((number, tag, member), first).append(session, some, start, stop, end)

    def _series_of(self, key: tuple[int, int, int], first: int) -> Series:
        """The columns of a kind, tag and member; new ones for the first record.

        Args:
            key: field number of the kind, number of the tag, number of the member or -1.
            first: position of the record's frame.
        """
        series = self._by_number.get(key)
        if series is None:
            number, tag, member = key
            name = self._names.members.names[member] if member >= 0 else ""
            series = self._by_number[key] = Series(first)
            self.series[SeriesKey(self._names.tags.names[tag], KINDS[number], name)] = series
        return series


def _in_order(keys: Ints) -> Ints:
    """The order that sorts keys that are not negative; equal ones stay in theirs."""
    order = np.argsort(keys.astype(np.uint16), kind="stable")  # NumPy sorts these by counting
    shift = 16
    while int(keys.max()) >> shift:
        order = order[np.argsort((keys[order] >> shift).astype(np.uint16), kind="stable")]
        shift += 16
    return order


def _of_records(column: AnyArray, which: list[int], count: int) -> AnyArray:
    """The numbers of some of a round's ``count`` records, round by round."""
    if len(which) == 1:
        row: AnyArray = column[which[0] if len(column) > 1 else 0]
        return row
    return np.broadcast_to(column, (count, column.shape[1]))[which].T.reshape(-1)


def _as_batch(
    repeats: Repeats,
    every: tuple[Ints, Ints, Floats],
    numbers: dict[int, list[int]],
    start: int,
    session: int,
) -> tuple[RecordBatch, Ints]:
    """Rounds that lie at the position ``start``, record by record, and the records' sessions.

    Args:
        repeats: the round.
        every: its columns, as `Repeats.read` returns them.
        numbers: number of a tag -> indexes of its records within the round.
        start: a position in the log.
        session: the number of a session.
    """
    count, rounds = len(repeats.starts), every[2].shape[1]
    steps, walltimes, values = (_of_records(column, [*range(count)], count) for column in every)
    of_round = np.empty(count, np.int64)
    for number, which in numbers.items():
        of_round[which] = number
    rows = start + repeats.size * np.arange(rounds)[:, None]
    starts = (rows + np.array(repeats.starts)).reshape(-1)
    ends = np.append(starts[1:], start + rounds * repeats.size)
    kinds, tags = np.full(len(starts), SCALAR, np.uint8), np.tile(of_round, rounds)
    batch = RecordBatch(starts, ends, kinds, tags, steps, None, walltimes, values, None)
    return batch, np.full(len(starts), session)


def _select(batch: RecordBatch, indexes: Indices) -> RecordBatch:
    return RecordBatch._make(None if column is None else column[indexes] for column in batch)


def _concatenate(batches: list[RecordBatch]) -> RecordBatch:
    """Join batches of records of one kind."""
    if len(batches) == 1:
        return batches[0]
    columns: list[AnyArray | None] = []
    for parts in zip(*batches, strict=True):
        if all(part is None for part in parts):
            columns.append(None)
        else:  # of those without fractions, or without members
            filled = zip(batches, parts, strict=True)
            columns.append(
                np.concatenate([_nothing(batch) if part is None else part for batch, part in filled])
            )
    return RecordBatch._make(columns)


def _nothing(batch: RecordBatch) -> Floats:
    return np.full(len(batch.tags), np.nan)
