"""One log file, read as it grows."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from vizkit._language import tr, trn
from vizkit.columns.column_builder import ColumnBuilder
from vizkit.columns.content_scan import broken_contents
from vizkit.columns.frame_scan import FrameWalk, Piece, Readable, read_bytes
from vizkit.format.contents import NO_TEXT
from vizkit.format.decode import decode_record, has_layers
from vizkit.format.frame_rule import HEAD, claimed_size
from vizkit.format.types import Record
from vizkit.metrics.arrays import Ints
from vizkit.reading.column_cache import ColumnCache
from vizkit.reading.filesystem import LogStat, Store

__all__ = ["LogTail", "Problem"]

_WORTH = 4 << 20  # bytes of records that are worth writing to the cache
_MARK = 256  # bytes before the position where reading stopped; they change if the file is rewritten


class Problem(NamedTuple):
    """A part of a run that could not be read, or was not recorded.

    Attributes:
        path: the file.
        kind: ``"torn"`` (a tail that is incomplete, or still being written), ``"damaged"`` (broken bytes
            within), ``"undecodable"`` (a whole frame that is not a record, or whose content is broken),
            ``"text"`` (a record with a text that is not UTF-8), ``"mixed"`` (records of another kind under
            a tag), ``"unreadable"`` (the file could not be opened), ``"lost"`` (records that the training
            could not write), ``"table"`` (a file of a table), ``"table gone"``.
        start: its first byte.
        end: the byte after it.
        message: a sentence for people.
    """

    path: str
    kind: str
    start: int
    end: int
    message: str


class LogTail:
    """The records of one log, and those that are appended.

    Whole records are read once; an incomplete tail is read again when the file has grown. A file that was
    replaced, truncated or rewritten (the bytes before the position where reading stopped have changed) is
    read again from its beginning.

    Args:
        path: the file.
        store: the file system.
        cache: a cache of long logs' columns; with one, they are packed.

    Attributes:
        records: the records read so far.
        unreadable: True if the file could not be read the last time.
    """

    def __init__(self, path: str, store: Store, cache: ColumnCache | None = None) -> None:
        self.path = path
        self._cache = cache
        self.unreadable = False
        self._store = store
        self._seen: LogStat | None = None
        self._begin()

    def _begin(self) -> None:
        self.records = ColumnBuilder()
        self._position = 0  # after the last whole frame
        self._end = 0  # of the log when it was read
        self._mark = b""
        self._damaged: list[Problem] = []
        self._texts: list[Problem] = []
        self._passing: list[Problem] = []  # problems that may be gone the next time
        self._cached = 0  # bytes of the log that the cache knows
        self._anew_at: float = math.inf  # from this size on, a frame may be complete where damage was seen

    @property
    def problems(self) -> list[Problem]:
        """The lost records, and the parts that could not be read in the order of the file."""
        undecodable = [
            self._problem(
                "undecodable",
                start,
                end,
                tr("the frame at byte {start:,} is no record ({why})", start=start, why=why),
            )
            for start, end, why in self.records.broken
        ]
        totals: Counter[str] = Counter()
        reasons = {}
        for (tag, _), (count, reason) in self.records.lost.items():
            totals[tag] += count
            reasons[tag] = reason
        lost = [
            self._problem(
                "lost",
                0,
                0,
                trn(
                    "{n:,} of {tag} was not recorded: {reason}",
                    "{n:,} of {tag} were not recorded: {reason}",
                    count,
                    tag=tag,
                    reason=reasons[tag],
                ),
            )
            for tag, count in totals.items()
        ]
        found = [*lost, *self._damaged, *undecodable, *self._texts, *self._passing]
        return sorted(found, key=lambda problem: problem.start)

    def _problem(self, kind: str, start: int, end: int, what: str) -> Problem:
        return Problem(self.path, kind, start, end, tr("{path}: {what}", path=self.path, what=what))

    def refresh(self, stat: LogStat) -> bool:
        """Read what was appended since the last time.

        Returns:
            True if records or problems have changed.
        """
        if stat == self._seen and not self.unreadable:
            return False
        before = (self.records, self._position, self.problems)
        try:
            with self._store.open(self.path) as log:
                if self._is_another(log, stat):
                    self._begin()
                self._passing = []
                if self._cache is not None and not self._position:
                    self._take_cached(log, stat, self._cache)
                self._read(log, stat.size)
                if self._cache is not None:
                    self._keep(log, stat, self._cache)
            self._seen = stat
            self.unreadable = False
        except OSError as error:
            why = tr(error.strerror or str(error) or type(error).__name__)
            self._passing = [
                self._problem("unreadable", 0, stat.size, tr("cannot be read: {error}", error=why))
            ]
            self.unreadable = True
            self._anew_at = 0  # a part of it may have been read
        return before != (self.records, self._position, self.problems)

    def check(self) -> None:
        """Look into the content of every record, for the `problems` with them."""
        known = {broken.start for broken in self.records.broken}
        self._texts = []
        with suppress(OSError), self._store.open(self.path) as log:
            for broken in broken_contents(log, self._end):
                start, end, why = broken
                if why == NO_TEXT:
                    what = tr("the record at byte {start:,} has a text that is not UTF-8", start=start)
                    self._texts.append(self._problem("text", start, end, what))
                elif start not in known:
                    self.records.broken.append(broken)

    def _is_another(self, log: Readable, stat: LogStat) -> bool:
        """True if the file must be read again from its beginning."""
        if self._seen is not None and stat.identity != self._seen.identity:
            return True
        if stat.size < self._position or stat.size >= self._anew_at:
            return True
        start = self._position - len(self._mark)
        data = read_bytes(log, start, min(self._position + HEAD, stat.size))
        return data[: len(self._mark)] != self._mark or self._is_doubtful(data, start)

    def _is_doubtful(self, data: bytes, start: int) -> bool:
        """True if what was appended casts doubt on the last record: see `vizkit.format.frame_rule`."""
        if self._mark[-1:] == b"\0" and data[len(self._mark) : len(self._mark) + 1] == b"\0":
            return True
        first = max(self._end - HEAD + 1 - start, 0)  # the head of a frame there was not whole yet
        heads = (data[at : at + HEAD] for at in range(first, len(self._mark)))
        return any(claimed_size(head, sys.maxsize) for head in heads)

    def _read(self, log: Readable, size: int) -> None:
        self.records.expected = size
        walk = FrameWalk(log, self._position, size, self.records.take_repeats)
        torn = size
        for part in walk:
            if isinstance(part, Piece):
                self.records.take(log, part)
            elif part.end < walk.size:
                what = tr(
                    "{n:,} bytes from byte {start:,} on are broken and left out",
                    n=part.end - part.start,
                    start=part.start,
                )
                self._damaged.append(self._problem("damaged", part.start, part.end, what))
            else:
                torn = part.start
                what = tr("the last {n:,} bytes are not a whole record, or not yet", n=part.end - torn)
                self._passing = [self._problem("torn", torn, part.end, what)]
        self.records.finish()
        self._position = min(torn, walk.size)
        self._end = walk.size
        self._mark = read_bytes(log, max(self._position - _MARK, 0), self._position)
        later = [end for start, end in walk.pending if start < self._position]
        self._anew_at = min([self._anew_at, *later])

    def _take_cached(self, log: Readable, stat: LogStat, cache: ColumnCache) -> None:
        known = cache.load(log, stat)
        if known is not None:
            self.records, self._position = known
            self._end = self._cached = self._position

    def _keep(self, log: Readable, stat: LogStat, cache: ColumnCache) -> None:
        """Pack the columns, and write them to the cache if much is new."""
        whole = self._position == stat.size and not self._damaged and self._anew_at == math.inf
        if whole and self._seen is None and self._cached != stat.size:
            cache.note_short(log, stat, self.records)
        for series in self.records.series.values():
            series.pack()
        if self._position - self._cached < max(_WORTH, self._cached // 4) or self._damaged:
            return
        if self._anew_at == math.inf:
            self._cached = self._position
            self.records = cache.save(log, stat, self.records, self._position) or self.records

    def decoded(self, starts: Ints, ends: Ints) -> Iterator[Record]:
        """Decode the records of the frames that begin at ``starts`` and end before ``ends``.

        Raises:
            OSError: the file cannot be read.
            ValueError: there is no record (any more).
        """
        with self._store.open(self.path) as log:
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                yield decode_record(read_bytes(log, start + 8, end))

    def has_layers(self, start: int, end: int) -> bool:
        """True if the frame that begins at ``start`` and ends before ``end`` is an image with layers.

        Raises:
            OSError: the file cannot be read.
        """
        with self._store.open(self.path) as log:
            return has_layers(partial(read_bytes, log), start + 8, end)
