"""Columns of a whole log: its records sorted by tag and kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from vizkit.columns.frame_scan import FrameWalk, Piece, Readable, read_bytes
from vizkit.columns.record_batch import ODD, LogNames, RecordBatch, parse_records
from vizkit.columns.repeats import Repeats, before_round, known_round, learn
from vizkit.columns.series import Series
from vizkit.columns.series_table import SeriesKey, SeriesTable
from vizkit.columns.varints import Bytes
from vizkit.format.decode import decode_head, decode_record
from vizkit.format.frame_rule import HEAD, claimed_size
from vizkit.format.types import KINDS, HParams, Record, SessionMark
from vizkit.metrics.arrays import Ints

__all__ = ["ColumnBuilder", "NoRecord", "read_log"]

_NUMBERS = {kind: number for number, kind in KINDS.items()}
_NAME, _HPARAMS = _NUMBERS["meta_data"], _NUMBERS["hparams"]
# What the end of a stretch of rounds costs, as so many records that are parsed: by itself, for each tag,
# and if what follows has to be looked for. Where rounds often change, parsing all is better: the ends may
# cost what rounds have saved, a share of the records that were parsed, and at first what a log of its size
# is worth.
_STRETCH, _STRETCH_OF_TAG, _LOOKING = 768, 128, 2048
_SHARE = 32
_CREDIT, _FIRST_CREDIT, _MAX_CREDIT = 1 << 11, 1 << 14, 1 << 17  # of an empty log, of a long one, at any time
_BYTES = 400  # of a log for each record more of its first credit
_SHORT = 1 << 17  # bytes: enough of a log to know if it repeats
_MOST_CONTENTS = 64  # decoded names, marks and hyper-parameters


class NoRecord(NamedTuple):
    """The bytes [start, end) of a whole frame that is not a record, and the reason."""

    start: int
    end: int
    why: str


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
        expected: the log's size in bytes once all of it is taken.
        last: position of the last frame that was taken.
        intact: False if `read_log` found damage, or what may be a frame once more bytes are there.
    """

    def __init__(self) -> None:
        self.display_name = ""
        self.hparams: HParams | None = None
        self.broken: list[NoRecord] = []
        self.hparams_of: dict[int, HParams] = {}
        self.sessions = [SessionMark.NONE]
        self.created: int | None = None
        self.lost: dict[tuple[str, int], tuple[int, str]] = {}
        self.expected = 0
        self.last = 0
        self.intact = True
        self._marks = 0
        self._names = LogNames()
        self._table = SeriesTable(self._names)
        self.series = self._table.series
        self._contents: dict[bytes, Record] = {}  # decoded names, marks and hyper-parameters
        self._repeats: Repeats | None = None
        self._credit = 0
        self._looks = True  # at the beginning, and where a stretch has ended

    @classmethod
    def of(
        cls,
        series: Iterable[tuple[SeriesKey, Series]],
        display_name: str,
        hparams_of: dict[int, HParams],
        sessions: list[SessionMark],
        created: int | None,
        lost: dict[tuple[str, int], tuple[int, str]],
    ) -> ColumnBuilder:
        """The columns of a log that was read before, ready for what follows in it; see the attributes."""
        records = cls()
        records.created, records.lost = created, lost
        records._marks = max([len(sessions), *(session for _, session in lost)])
        records.display_name, records.hparams_of, records.sessions = display_name, hparams_of, sessions
        records.hparams = next(reversed(hparams_of.values()), None)
        for key, one in series:
            records._table.put(key, one)
        return records

    def take_repeats(self, buf: Bytes, size: int, base: int) -> tuple[int, int]:
        """Take the rounds of scalars that a window begins with; the ``take`` of a `FrameWalk`."""
        taken, changes = 0, False
        while True:
            rest = buf[taken:]
            if self._repeats is None and self._may_look:
                self._repeats = known_round(rest, size - taken)
                self._credit -= _LOOKING * (changes and self._repeats is None)
            repeats = self._repeats
            if repeats is None:
                break
            rounds, changes = repeats.count(rest, size - taken)
            behind = taken + rounds * repeats.size
            cut = rounds > 0 and not self._goes_on(buf[behind : min(behind + HEAD, size)], base + behind)
            rounds -= cut
            if rounds:
                self._table.add_rounds(
                    repeats, repeats.read(rest, rounds), base + taken, len(self.sessions) - 1
                )
                self.last = base + taken + (rounds - 1) * repeats.size + repeats.starts[-1]
                taken += rounds * repeats.size
            self._credit = min(self._credit + rounds * len(repeats.starts), _MAX_CREDIT)
            if not changes:
                if cut or size - taken < repeats.size:
                    break
                continue
            self._credit -= _STRETCH + _STRETCH_OF_TAG * len(repeats.tags)
            self._repeats, self._looks = None, True
        if taken or self._repeats is not None or not self._may_look:
            return taken, size
        if some := before_round(buf, size):
            self._credit -= _STRETCH
            return taken, some
        return taken, min(size, _SHORT) if self._looks else size

    @property
    def _may_look(self) -> bool:
        """True if it is worth looking for rounds."""
        return self._credit + min(_CREDIT + self.expected // _BYTES, _FIRST_CREDIT) >= 0

    def _goes_on(self, head: Bytes, at: int) -> bool:
        """True if a frame begins at the position ``at``; if not, the last round may have been torn."""
        return at == self.expected or claimed_size(head.tobytes(), self.expected - at) is not None

    def take(self, log: Readable, piece: Piece) -> None:
        """Take all records of a piece; some may wait until `finish`."""
        batch, contents = parse_records(piece.buf, piece.size, piece.frames, self._names)
        if (batch.kinds == ODD).any():
            contents = np.where(batch.kinds == ODD, batch.starts + 8, contents)
            batch = self._decode_odd(log, piece, batch)
        self._looks = False
        self._credit = min(self._credit + len(batch.starts) // _SHARE, _MAX_CREDIT)
        if self._repeats is None and self._may_look:
            self._repeats = learn(piece.buf, batch, self._names.tags.names)
            self._credit -= _LOOKING * (self._repeats is None)
        sessions = self._describe(log, piece, batch, contents)
        batch = batch._replace(starts=batch.starts + piece.base, ends=batch.ends + piece.base)
        self.last = int(batch.starts[-1])
        self._table.add(batch, sessions)

    def finish(self) -> None:
        """Put all records that were taken into their columns."""
        self._table.sort()

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

    def _describe(self, log: Readable, piece: Piece, batch: RecordBatch, contents: Ints) -> Ints:
        """Take the run's display names, hyper-parameters and marks; return the session of each record."""
        described = (batch.kinds == _NAME) | (batch.kinds == _HPARAMS)
        sessions = np.full(len(batch.kinds), len(self.sessions) - 1)
        if not described.any():
            return sessions
        other = np.flatnonzero(~described & (batch.kinds != ODD))
        filled = int(other[0]) if len(other) else len(described)  # here the first session has a record
        if not self._table.is_empty:
            filled = 0
        begins = np.zeros(len(sessions), np.int64)
        rows = np.flatnonzero(described)
        places = (batch.starts[rows].tolist(), batch.ends[rows].tolist(), contents[rows].tolist())
        for row, start, end, content in zip(rows.tolist(), *places, strict=True):
            try:
                record = self._decoded(log, piece, start, end, content)
            except ValueError as error:
                self.broken.append(NoRecord(piece.base + start, piece.base + end, str(error)))
                continue
            if record.kind == "meta_data" and self.created is None:
                self.created = int(batch.walltimes[row])
            self._marks += bool(record.session)
            self.lost.update({(tag, self._marks): lost for tag, lost in record.lost.items()})
            if record.session and row < filled:
                self.sessions[-1] = record.session
            elif record.session:
                self.sessions.append(record.session)
                begins[row] = 1
            if record.kind == "hparams":
                # VisualDL shows the first record's.
                bare = dict.fromkeys([*(self.hparams.bare if self.hparams else []), *record.data.bare])
                self.hparams = replace(record.data, bare=list(bare))
                self.hparams_of[len(self.sessions) - 1] = self.hparams
            elif record.data:
                self.display_name = record.data
        sessions += begins.cumsum()
        return sessions

    def _decoded(self, log: Readable, piece: Piece, start: int, end: int, content: int) -> Record:
        """A record whose content alone matters; many sessions begin with the same one."""
        data = _content(log, piece, start, end)
        known = data[content - start - 8 :]
        if known not in self._contents:
            if len(self._contents) >= _MOST_CONTENTS:
                self._contents.clear()
            self._contents[known] = decode_record(data)
        return self._contents[known]


def _content(log: Readable, piece: Piece, start: int, end: int) -> bytes:
    if end <= piece.size:
        return piece.buf[start + 8 : end].tobytes()
    return read_bytes(log, piece.base + start + 8, piece.base + end)


def read_log(log: Readable, size: int, start: int = 0) -> ColumnBuilder:
    """Read all whole records of a log of ``size`` bytes from the position ``start`` of a frame on.

    Raises:
        OSError: the log cannot be read.
    """
    records = ColumnBuilder()
    records.expected = size
    walk = FrameWalk(log, start, size, records.take_repeats)
    for part in walk:
        if isinstance(part, Piece):
            records.take(log, part)
        else:
            records.intact = False
    records.intact &= not walk.pending
    records.finish()
    return records
