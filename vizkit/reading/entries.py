"""The records of a tag whose contents are decoded when they are asked for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar, overload

import numpy as np

from vizkit.errors import DataError
from vizkit.format.types import Record
from vizkit.metrics.arrays import AnyArray, Ints
from vizkit.reading.log_tail import LogTail

__all__ = ["Entries"]

Content = TypeVar("Content")


@dataclass(frozen=True)
class Entries(Sequence[Content]):
    """The records of one tag of any kind but scalar; contents are decoded when they are accessed.

    Attributes:
        kind: as in `vizkit.format.types.KINDS`.
        steps: (n,) int64 or float64.
        walltimes: (n,) int64 as recorded; see `vizkit.format.walltime.milliseconds`.
    """

    kind: str
    steps: AnyArray
    walltimes: Ints
    _tag: str
    _logs: Sequence[LogTail]
    _which: Ints  # (n,) the log of each record, and where it lies there
    _starts: Ints
    _ends: Ints

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, index: int) -> Content: ...
    @overload
    def __getitem__(self, index: slice) -> list[Content]: ...
    def __getitem__(self, index: int | slice) -> Content | list[Content]:
        """The content of a record, as `Record.data` has it for this kind.

        Raises:
            DataError: the content is broken, or the log is gone or was replaced since the last refresh.
            IndexError: there is no such record.
        """
        if isinstance(index, slice):
            return list(self._contents(np.arange(len(self))[index]))
        return next(self._contents(np.arange(len(self))[index].reshape(1)))

    def __iter__(self) -> Iterator[Content]:
        return self._contents(np.arange(len(self)))

    def name(self, index: int) -> str:
        """Name a record for good: the same name never means another content, also in a later `Entries`."""
        columns = (self.steps, self.walltimes, self._starts, self._ends)
        log = os.path.basename(self._logs[self._which[index]].path)
        place = repr((log, self._tag, *(column[index].item() for column in columns)))
        return hashlib.blake2b(place.encode("utf-8", "replace"), digest_size=9).hexdigest()

    def layers(self, index: int) -> bytes:
        """The layers of an image, as `vizkit.format.packed_layers` reads them; empty if it has none.

        Raises:
            DataError, IndexError: as for its content.
        """
        return next(self._records(np.arange(len(self))[index].reshape(1))).layers

    def has_layers(self, index: int) -> bool:
        """True if an image has layers; its content is not read."""
        if self.kind != "image":
            return False
        log: LogTail = self._logs[self._which[index]]
        try:
            return log.has_layers(self._starts[index].item(), self._ends[index].item())
        except OSError:
            return False

    def _contents(self, indexes: Ints) -> Iterator[Content]:
        return (record.data for record in self._records(indexes))

    def _records(self, indexes: Ints) -> Iterator[Record]:
        for log, some in _by_log(self._logs, self._which, indexes):
            yield from self._records_in(log, self._starts[some], self._ends[some])

    def _records_in(self, log: LogTail, starts: Ints, ends: Ints) -> Iterator[Record]:
        try:
            for record in log.decoded(starts, ends):
                if (record.kind, record.tag) != (self.kind, self._tag):
                    raise ValueError("there is another record now")
                yield record
        except (OSError, ValueError) as error:
            raise DataError(
                "{path}: a record of {tag!r} ({kind}) cannot be decoded: {error}",
                path=log.path,
                tag=self._tag,
                kind=self.kind,
                error=error,
            ) from error


def _by_log(logs: Sequence[LogTail], which: Ints, indexes: Ints) -> Iterator[tuple[LogTail, Ints]]:
    """Consecutive indexes of records in the same log."""
    if len(indexes):
        bounds = np.flatnonzero(np.diff(which[indexes])) + 1
        for some in np.split(indexes, bounds):
            yield logs[which[some[0]]], some
