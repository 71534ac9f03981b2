"""Columns of a whole log: its records sorted by tag and kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from vizkit.columns.frame_scan import FrameWalk, Piece, Readable, read_bytes
from vizkit.columns.record_batch import MEMBER, ODD, SCALAR, LogNames, RecordBatch, parse_records
from vizkit.columns.repeats import Repeats, before_round, known_round, learn
from vizkit.columns.series import Series
from vizkit.columns.varints import Bytes
from vizkit.format.decode import decode_head, decode_record
from vizkit.format.frame_rule import HEAD, claimed_size
from vizkit.format.types import KINDS, HParams, SessionMark
from vizkit.metrics.arrays import AnyArray, Indices, Ints

__all__ = ["ColumnBuilder", "NoRecord", "SeriesKey", "read_log"]

_NUMBERS = {kind: number for number, kind in KINDS.items()}
_NAME, _HPARAMS = _NUMBERS["meta_data"], _NUMBERS["hparams"]
# Starting a stretch of rounds costs as much as parsing this many records; the credit limits the starts.
_STRETCH = 384
_CREDIT, _MAX_CREDIT = 2 * _STRETCH, 16 * _STRETCH
_PATIENCE = 63  # pieces, at most, until rounds are looked for again
_SHORT = 1 << 17  # bytes: enough of a log to know if it repeats
_MANY = 128  # records per tag


class SeriesKey(NamedTuple):
    """Tag and kind of the records of a `Series`; ``member`` is the name within a group, or empty."""

    tag: str
    kind: str
    member: str


class NoRecord(NamedTuple):
    """The bytes [start, end) of a whole frame that is not a record, and the reason."""

    start: int
    end: int
    why: str


class _Rounds(NamedTuple):
    """Rounds of scalars: the bytes [start, end) of the log, and the columns from `Repeats.read`."""

    repeats: Repeats
    start: int
    end: int
    steps: AnyArray
    walltimes: AnyArray
    values: AnyArray


class ColumnBuilder:
    """Columns of a log, built piece by piece: contents of scalars, positions of other records.

    Attributes:
        series: key -> columns, in no particular order.
        display_name: the last one that is not empty.
        hparams: the last ones.
        broken: frames that are not records.
        hparams_of: number of a session -> its last hyper-parameters.
        created: the walltime of the record that names the run, the first of a log.
        lost: tag, for each session -> number of records that it lost, and the reason.
        sessions: the mark of each session; NONE for the first one of a log of stock VisualDL.
        expected: the log's size in bytes once all of it is taken; columns are allocated accordingly.
    """

    def __init__(self) -> None:
        self.series: dict[SeriesKey, Series] = {}
        self.display_name = ""
        self.hparams: HParams | None = None
        self.broken: list[NoRecord] = []
        self.hparams_of: dict[int, HParams] = {}
        self.sessions = [SessionMark.NONE]
        self.created: int | None = None
        self.lost: dict[tuple[str, int], tuple[int, str]] = {}
        self.expected = 0
        self._marks = 0
        self._names = LogNames()
        self._by_number: dict[tuple[int, int, int], Series] = {}  # kind, tag, member
        self._waiting: list[RecordBatch] = []
        self._repeats: Repeats | None = None
        self._patience = 0  # pieces to parse before rounds are looked for again
        self._pieces = 0
        self._credit = _CREDIT

    @classmethod
    def of(
        cls,
        series: Iterable[tuple[SeriesKey, Series]],
        display_name: str,
        hparams_of: dict[int, HParams],
        sessions: list[SessionMark],
    ) -> ColumnBuilder:
        """The columns of a log that was read before, ready for what follows in it."""
        records = cls()
        records.display_name, records.hparams_of, records.sessions = display_name, hparams_of, sessions
        records.hparams = next(reversed(hparams_of.values()), None)
        for key, one in series:
            member = records._names.members.number(key.member) if key.kind == "scalars" else -1
            records.series[key] = one
            records._by_number[_NUMBERS[key.kind], records._names.tags.number(key.tag), member] = one
        return records

    def take_repeats(self, buf: Bytes, size: int, base: int) -> tuple[int, int]:
        """Take the rounds of scalars that a window begins with; the ``take`` of a `FrameWalk`."""
        taken = 0
        found: list[_Rounds] = []
        while True:
            rest = buf[taken:]
            if self._repeats is None and self._pieces >= self._patience:
                self._repeats = known_round(rest, size - taken)
            repeats = self._repeats
            if repeats is None:
                break
            rounds, ended = repeats.count(rest, size - taken)
            behind = taken + rounds * repeats.size
            cut = rounds > 0 and not self._goes_on(buf[behind : min(behind + HEAD, size)], base + behind)
            rounds -= cut
            if rounds:
                start, end = base + taken, base + taken + rounds * repeats.size
                found.append(_Rounds(repeats, start, end, *repeats.read(rest, rounds)))
                taken += rounds * repeats.size
            self._credit = min(self._credit + rounds * len(repeats.starts) - ended * _STRETCH, _MAX_CREDIT)
            if not ended:
                if cut or size - taken < repeats.size:
                    break
                continue
            self._repeats = None
            self._pieces = 0
            if self._credit >= _STRETCH:
                self._patience = 0
            else:  # rounds that change often cost more than parsing
                self._patience = min(2 * self._patience + 1, _PATIENCE)
                self._credit = _CREDIT
                break
        if found:
            self._sort_waiting()
            for _, some in groupby(found, lambda one: one.repeats.tags):
                self._take_rounds(list(some))
        looking = self._repeats is None and self._patience == self._pieces == 0
        return taken, before_round(buf, size) or min(size, _SHORT) if looking and not taken else size

    def _goes_on(self, head: Bytes, at: int) -> bool:
        """True if a frame begins at the position ``at``; if not, the last round may have been torn."""
        return at == self.expected or claimed_size(head.tobytes(), self.expected - at) is not None

    def _take_rounds(self, found: list[_Rounds]) -> None:
        """Append rounds that have the same tags."""
        every = [one[3:] for one in found]
        steps, walltimes, values = (_side_by_side(parts) for parts in zip(*every, strict=True))
        repeats, start, end = found[0].repeats, found[0].start, found[-1].end
        for tag, which in repeats.tags.items():
            key = SCALAR, self._names.tags.number(tag), -1
            series = self._series_of(key, start + repeats.starts[which[0]], np.float64)
            columns = [_of_records(column, which, len(values)) for column in (steps, walltimes, values)]
            room = self._room(end)
            if room > 1 or series.count:
                series.extend(room, end, columns[0], None, *columns[1:])
            else:
                series.adopt(end, columns)

    def take(self, log: Readable, piece: Piece) -> None:
        """Take all records of a piece; some may wait until `finish`."""
        batch = parse_records(piece.buf, piece.size, piece.frames, self._names)
        if (batch.kinds == ODD).any():
            batch = self._decode_odd(log, piece, batch)
        batch = batch._replace(starts=batch.starts + piece.base, ends=batch.ends + piece.base)
        self._pieces += 1
        if self._repeats is None and self._pieces > self._patience:
            self._repeats = learn(piece.buf, piece.base, batch, self._names.tags.names)
        begins, hparams = self._describe(log, piece, batch)
        for start, end in zip([0, *begins], [*begins, len(batch.kinds)], strict=True):
            if start in begins:
                self._begin_session(begins[start])
            self.hparams_of.update(
                {len(self.sessions) - 1: hparams[row] for row in hparams if start <= row < end}
            )
            if start < end:
                self._sort_kinds(_select(batch, np.arange(start, end)) if begins else batch)
        # With many tags, few records of each are in one window.
        if sum(len(part.tags) for part in self._waiting) > _MANY * len(self._names.tags.names):
            self._sort_waiting()

    def finish(self) -> None:
        """Put all records that were taken into their columns."""
        self._sort_waiting()

    def _sort_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            batch = _concatenate(waiting)
            self._sort(batch, batch.tags, SCALAR, batch.values)

    def _sort_members(self, batch: RecordBatch) -> None:
        assert batch.members is not None
        keys = np.unique(batch.tags << 32 | batch.members, return_inverse=True)[1]
        self._sort(batch, keys, MEMBER, batch.values)

    def _sort(self, batch: RecordBatch, keys: Ints, number: int, *content: AnyArray) -> None:
        """Append records of one kind to the columns of their keys, such as their tags."""
        if keys.max() < 1 << 16:
            keys = keys.astype(np.uint16)  # NumPy sorts these by counting
        order = np.argsort(keys, kind="stable")
        bounds = (np.flatnonzero(np.diff(keys[order])) + 1).tolist()
        batch = _select(batch, order)
        columns = [batch.walltimes, *(column[order] for column in content)]
        for start, end in zip([0, *bounds], [*bounds, len(order)], strict=True):
            part = slice(start, end)
            fractions = None if batch.fractions is None else batch.fractions[part]
            others = [column[part] for column in columns]
            member = int(batch.members[start]) if batch.members is not None and number == MEMBER else -1
            key = number, int(batch.tags[start]), member
            series = self._series_of(key, int(batch.starts[start]), *(column.dtype for column in content))
            behind = int(batch.ends[end - 1])
            series.extend(self._room(behind), behind, batch.steps[part], fractions, *others)

    def _series_of(self, key: tuple[int, int, int], first: int, *content: DTypeLike) -> Series:
        """The columns of a kind, tag and member; new ones for the first record.

        Args:
            key: field number of the kind, number of the tag, number of the member or -1.
            first: position of the record's frame.
            content: types of the columns of the content.
        """
        series = self._by_number.get(key)
        if series is None:
            number, tag, member = key
            name = self._names.members.names[member] if member >= 0 else ""
            series = self._by_number[key] = Series(first, *content)
            self.series[SeriesKey(self._names.tags.names[tag], KINDS[number], name)] = series
        series.begin(len(self.sessions) - 1)
        return series

    def _room(self, end: int) -> float:
        return self.expected / max(end, self.expected // 64, 1)

    def _decode_odd(self, log: Readable, piece: Piece, batch: RecordBatch) -> RecordBatch:
        """Fill in the records that were not parsed; frames that are not records go into `broken`."""
        fractions = np.full(len(batch.starts), np.nan) if batch.fractions is None else batch.fractions
        members = np.full(len(batch.starts), -1) if batch.members is None else batch.members
        batch = batch._replace(fractions=fractions, members=members)
        for index in np.flatnonzero(batch.kinds == ODD).tolist():
            start, end = int(batch.starts[index]), int(batch.ends[index])
            data = _content(log, piece, start, end)
            try:
                record = decode_head(data)
                if record.kind in ("scalar", "scalars"):
                    record = decode_record(data)
            except ValueError as error:
                self.broken.append(NoRecord(piece.base + start, piece.base + end, str(error)))
                continue
            batch.kinds[index] = _NUMBERS[record.kind]
            batch.tags[index] = self._names.tags.number(record.tag)
            batch.walltimes[index] = record.walltime
            fractions[index] = record.step if isinstance(record.step, float) else np.nan
            batch.steps[index] = 0 if isinstance(record.step, float) else record.step
            if record.kind == "scalar":
                batch.values[index] = record.data
            elif record.kind == "scalars":
                batch.values[index] = record.data.value
                members[index] = self._names.members.number(record.data.tag)
        return batch

    def _describe(
        self, log: Readable, piece: Piece, batch: RecordBatch
    ) -> tuple[dict[int, SessionMark], dict[int, HParams]]:
        """Take the run's display names; find the rows where sessions begin, and hyper-parameters."""
        begins: dict[int, SessionMark] = {}
        hparams: dict[int, HParams] = {}
        for row in np.flatnonzero((batch.kinds == _NAME) | (batch.kinds == _HPARAMS)).tolist():
            start, end = int(batch.starts[row]), int(batch.ends[row])
            try:
                record = decode_record(_content(log, piece, start - piece.base, end - piece.base))
            except ValueError as error:
                self.broken.append(NoRecord(start, end, str(error)))
                continue
            if record.kind == "meta_data" and self.created is None:
                self.created = record.walltime
            if record.session:
                self._marks += 1
                begins[row] = record.session
            self.lost.update({(tag, self._marks): lost for tag, lost in record.lost.items()})
            if record.kind == "hparams":
                earlier = self.hparams.bare if self.hparams else []  # VisualDL shows the first record's
                self.hparams = hparams[row] = replace(record.data, bare=[*earlier, *record.data.bare])
            elif record.data:
                self.display_name = record.data
        return begins, hparams

    def _begin_session(self, session: SessionMark) -> None:
        self._sort_waiting()
        if self.series:
            self.sessions.append(session)
        else:
            self.sessions[-1] = session

    def _sort_kinds(self, batch: RecordBatch) -> None:
        if (batch.kinds == SCALAR).all():
            self._waiting.append(batch)
            return
        for number in np.flatnonzero(np.bincount(batch.kinds)).tolist():
            part = _select(batch, np.flatnonzero(batch.kinds == number))
            if number == SCALAR:
                self._waiting.append(part)
            elif number == MEMBER:
                self._sort_members(part)
            elif number not in (ODD, _NAME, _HPARAMS):
                self._sort(part, part.tags, number, part.starts, part.ends)


def _content(log: Readable, piece: Piece, start: int, end: int) -> bytes:
    if end <= piece.size:
        return piece.buf[start + 8 : end].tobytes()
    return read_bytes(log, piece.base + start + 8, piece.base + end)


def _side_by_side(parts: Sequence[AnyArray]) -> AnyArray:
    """Columns of consecutive rounds as one."""
    if len(parts) == 1:
        return parts[0]
    height = max(map(len, parts))
    return np.concatenate([np.broadcast_to(part, (height, part.shape[1])) for part in parts], axis=1)


def _of_records(column: AnyArray, which: list[int], count: int) -> AnyArray:
    """The numbers of some of a round's ``count`` records, round by round."""
    if len(which) == 1:
        row: AnyArray = column[which[0] if len(column) > 1 else 0]
        return row
    return np.broadcast_to(column, (count, column.shape[1]))[which].T.reshape(-1)


def _select(batch: RecordBatch, indexes: Indices) -> RecordBatch:
    return RecordBatch._make(None if column is None else column[indexes] for column in batch)


def _concatenate(batches: list[RecordBatch]) -> RecordBatch:
    """Join batches of scalars."""
    if len(batches) == 1:
        return batches[0]
    columns: list[AnyArray | None] = []
    for name in RecordBatch._fields:
        parts = [getattr(batch, name) for batch in batches]
        if name == "members" or all(part is None for part in parts):
            columns.append(None)
        else:
            none = [np.full(len(batch.tags), np.nan) for batch in batches]
            columns.append(np.concatenate([n if p is None else p for n, p in zip(none, parts, strict=True)]))
    return RecordBatch._make(columns)


def read_log(log: Readable, size: int) -> ColumnBuilder:
    """Read all whole records of a log of ``size`` bytes.

    Raises:
        OSError: the log cannot be read.
    """
    records = ColumnBuilder()
    records.expected = size
    for part in FrameWalk(log, 0, size, records.take_repeats):
        if isinstance(part, Piece):
            records.take(log, part)
    records.finish()
    return records
