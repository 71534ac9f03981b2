"""One log file, read as far as it is written, and further whenever it is looked at again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vizkit.records.bulk import MEMBER, ODD, SCALAR, Batch, Bytes, Names, parse_records
from vizkit.records.decode import decode_head, decode_record
from vizkit.records.frames import Damage
from vizkit.records.repeats import Repeats, learn
from vizkit.records.series import Series
from vizkit.records.store import LogStat, Store
from vizkit.records.types import KINDS, HParams, Record
from vizkit.records.walk import Piece, Readable, Walk, read_bytes

__all__ = ["FollowedLog", "Problem", "SeriesKey"]

_NUMBERS = {kind: number for number, kind in KINDS.items()}
_NAME, _HPARAMS = _NUMBERS["meta_data"], _NUMBERS["hparams"]
_WORTHWHILE = 256  # rounds
_MARK = 256  # bytes before the place where reading stopped, by which a rewritten file is known


class Problem(NamedTuple):
    """Something of a run that could not be read.

    Attributes:
        path: the file.
        kind: ``"torn"`` (a tail that is not whole, or not yet), ``"damaged"`` (broken bytes within),
            ``"undecodable"`` (a whole frame that is no record), ``"mixed"`` (records of another kind
            under a tag), ``"unreadable"`` (the file could not be opened).
        start: first byte of it.
        end: the byte after it.
        message: a sentence for people.
    """

    path: str
    kind: str
    start: int
    end: int
    message: str


class SeriesKey(NamedTuple):
    """Whose records a `Series` holds; ``member`` is the name within a group, else empty."""

    tag: str
    kind: str
    member: str


class FollowedLog:
    """The records of one log: scalars as columns, of all else where it lies.

    What is whole is read once. A tail that is not whole is looked at again when the file has grown.
    A file that was replaced, cut behind what was read, or rewritten (the bytes before the place
    where reading stopped are others) is read anew from its beginning.

    Args:
        path: the file.
        store: where it lies.
    """

    def __init__(self, path: str, store: Store) -> None:
        self.path = path
        self._store = store
        self._seen: LogStat | None = None
        self._begin()

    def _begin(self) -> None:
        self.series: dict[SeriesKey, Series] = {}
        self.display_name = ""
        self.hparams: HParams | None = None
        self._names = Names()
        self._waiting: list[Batch] = []
        self._repeats: Repeats | None = None
        self._room = 1.0  # how many times as many records as there are will be there soon
        self._patience = 0  # windows to read in the general way before repeats are looked for again
        self._pieces = 0
        self._by_number: dict[tuple[int, int, int], Series] = {}
        self._position = 0  # behind the last whole frame
        self._mark = b""
        self._found: list[Problem] = []
        self._tail: Problem | None = None
        self._unreadable: Problem | None = None
        self._anew_at: float = math.inf  # a file of this size may hold a frame where damage was seen

    @property
    def unreadable(self) -> bool:
        """Whether the file could not be opened the last time."""
        return self._unreadable is not None

    @property
    def problems(self) -> list[Problem]:
        """What could not be read, in the order in which it lies in the file."""
        return [*self._found, *filter(None, (self._tail, self._unreadable))]

    def refresh(self, stat: LogStat) -> bool:
        """Reads what was appended since the last time.

        Args:
            stat: the file as it is now.

        Returns:
            Whether there are other records or problems than before.
        """
        if stat == self._seen and not self._unreadable:
            return False
        before = (self._position, self.problems)
        anew = False
        try:
            with self._store.open(self.path) as log:
                if self._changed_before(log, stat):
                    self._begin()
                    anew = True
                self._unreadable = None
                self._read(log, stat.size)
            self._seen = stat
        except OSError as error:
            why = error.strerror or str(error) or type(error).__name__
            self._unreadable = Problem(
                self.path, "unreadable", 0, stat.size, f"{self.path} cannot be read: {why}"
            )
        return anew or before != (self._position, self.problems)

    def _changed_before(self, log: Readable, stat: LogStat) -> bool:
        if self._seen is not None and stat.identity != self._seen.identity:
            return True
        if stat.size < self._position or stat.size >= self._anew_at:
            return True
        return read_bytes(log, self._position - len(self._mark), self._position) != self._mark

    def _read(self, log: Readable, size: int) -> None:
        walk = Walk(log, self._position, size, self._take_repeats)
        self._tail = None
        for part in walk:
            if isinstance(part, Piece):
                self._room = size / max(int(part.frames.ends[-1]) + part.base, size // 64)
                self._take(log, part)
                self._position = part.base + int(part.frames.ends[-1])
            elif part.end == walk.size:
                self._tail = self._broken("torn", part)
            else:
                self._found.append(self._broken("damaged", part))
        self._add_waiting()
        self._mark = read_bytes(log, max(self._position - _MARK, 0), self._position)
        later = [end for start, end in walk.pending if start < self._position]
        self._anew_at = min([self._anew_at, *later])
        self._found.sort(key=lambda problem: problem.start)

    def _broken(self, kind: str, part: Damage) -> Problem:
        size = f"{part.end - part.start:,} bytes"
        if kind == "torn":
            message = f"{self.path}: the last {size} are not a whole record, or not yet"
        else:
            message = f"{self.path}: {size} from byte {part.start:,} on are broken and left out"
        return Problem(self.path, kind, part.start, part.end, message)

    def _take_repeats(self, buf: Bytes, size: int, base: int) -> tuple[int, bool]:
        """Takes the rounds of scalars that a window begins with, if it is known what they look like."""
        if self._repeats is None:
            return 0, False
        repeats = self._repeats
        rounds, ended = repeats.count(buf, size)
        taken = rounds * repeats.size
        if ended:
            self._repeats = None
            # What changes often is better read in the general way.
            self._patience = 0 if rounds >= _WORTHWHILE else 2 * self._patience + 1
            self._pieces = 0
        if rounds:
            self._add_waiting()
            self._position = base + taken
            columns = repeats.read(buf, rounds)
            for tag in dict.fromkeys(repeats.tags.tolist()):
                which = np.flatnonzero(repeats.tags == tag)
                steps, walltimes, values = (np.ravel(column[which].T) for column in columns)
                series = self._by_number[SCALAR, tag, -1]
                series.extend(self._room, self._position, steps, None, walltimes, values)
        return taken, ended and self._patience == 0

    def _take(self, log: Readable, piece: Piece) -> None:
        batch = parse_records(piece.buf, piece.size, piece.frames, self._names)
        if (batch.kinds == ODD).any():
            batch = self._decode_odd(log, piece, batch)
        batch = batch._replace(starts=batch.starts + piece.base, ends=batch.ends + piece.base)
        self._pieces += 1
        if self._repeats is None and self._pieces > self._patience:
            self._repeats = learn(piece.buf, piece.base, batch)
        if (batch.kinds == SCALAR).all():
            self._waiting.append(batch)
        else:
            for number in np.unique(batch.kinds).tolist():
                part = _select(batch, np.flatnonzero(batch.kinds == number))
                if number == SCALAR:
                    self._waiting.append(part)
                elif number == MEMBER:
                    self._add_members(part)
                elif number in (_NAME, _HPARAMS):
                    self._describe(log, piece, part, number)
                elif number != ODD:
                    self._add_places(part, number)
        # With many tags, few records of each are in one window.
        if sum(len(part.tags) for part in self._waiting) > 64 * len(self._names.tags.names):
            self._add_waiting()

    def _add_waiting(self) -> None:
        """Scalars go to their tags' columns."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        batch = waiting[0]
        if len(waiting) > 1:
            batch = _concatenate(waiting)
        for part in _split(batch, batch.tags):
            self._extend(self._series(part, SCALAR, np.float64), part, part.values)

    def _decode_odd(self, log: Readable, piece: Piece, batch: Batch) -> Batch:
        """Fills in the records that were not taken at once; those that are none are reported."""
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
                where = (piece.base + start, piece.base + end)
                message = f"{self.path}: the frame at byte {where[0]:,} is no record: {error}"
                self._found.append(Problem(self.path, "undecodable", *where, message))
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

    def _add_members(self, batch: Batch) -> None:
        """Members of groups."""
        assert batch.members is not None
        keys = np.unique(batch.tags << 32 | batch.members, return_inverse=True)[1]
        for part in _split(batch, keys):
            self._extend(self._series(part, MEMBER, np.float64), part, part.values)

    def _add_places(self, batch: Batch, number: int) -> None:
        """Where the content of other records lies."""
        for part in _split(batch, batch.tags):
            self._extend(self._series(part, number, np.int64, np.int64), part, part.starts, part.ends)

    def _series(self, part: Batch, number: int, *content: type) -> Series:
        member = int(part.members[0]) if part.members is not None and number == MEMBER else -1
        key = (number, int(part.tags[0]), member)
        series = self._by_number.get(key)
        if series is None:
            name = self._names.members.names[member] if member >= 0 else ""
            series = self._by_number[key] = Series(int(part.starts[0]), *content)
            self.series[SeriesKey(self._names.tags.names[key[1]], KINDS[number], name)] = series
        return series

    def _extend(self, series: Series, part: Batch, *content: NDArray[Any]) -> None:
        end = int(part.ends[-1])
        series.extend(self._room, end, part.steps, part.fractions, part.walltimes, *content)

    def _describe(self, log: Readable, piece: Piece, batch: Batch, number: int) -> None:
        """The run's display name, or its hyper-parameters: the last ones count."""
        for start, end in zip(batch.starts.tolist(), batch.ends.tolist(), strict=True):
            try:
                content = decode_record(_content(log, piece, start - piece.base, end - piece.base)).data
            except ValueError as error:
                message = f"{self.path}: the {KINDS[number]} at byte {start:,} cannot be decoded: {error}"
                self._found.append(Problem(self.path, "undecodable", start, end, message))
                continue
            if number == _HPARAMS:
                self.hparams = content
            elif content:
                self.display_name = content

    def records(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Iterator[Record]:
        """Decodes the records in some frames.

        Raises:
            OSError: the file cannot be read.
            ValueError: there is no such record, or no more.
        """
        with self._store.open(self.path) as log:
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                yield decode_record(read_bytes(log, start + 8, end))


def _content(log: Readable, piece: Piece, start: int, end: int) -> bytes:
    if end <= piece.size:
        return piece.buf[start + 8 : end].tobytes()
    return read_bytes(log, piece.base + start + 8, piece.base + end)


def _select(batch: Batch, indexes: Any) -> Batch:
    columns: Any = [None if column is None else column[indexes] for column in batch]
    return Batch(*columns)


def _concatenate(batches: list[Batch]) -> Batch:
    """Batches of scalars as one."""
    columns: Any = []
    for name in Batch._fields:
        parts = [getattr(batch, name) for batch in batches]
        if name == "members" or all(part is None for part in parts):
            columns.append(None)
        else:
            none = [np.full(len(batch.tags), np.nan) for batch in batches]
            columns.append(np.concatenate([n if p is None else p for n, p in zip(none, parts, strict=True)]))
    return Batch(*columns)


def _split(batch: Batch, keys: NDArray[np.int64]) -> Iterator[Batch]:
    """The records of each key, in the order of the batch."""
    if len(keys) and keys.max() < 1 << 16:
        keys = keys.astype(np.uint16)  # which NumPy sorts by counting
    order = np.argsort(keys, kind="stable")
    bounds = (np.flatnonzero(np.diff(keys[order])) + 1).tolist()
    ordered = _select(batch, order)
    for start, end in zip([0, *bounds], [*bounds, len(order)], strict=True):
        yield _select(ordered, slice(start, end))
