"""The logs of one run directory, as columns of its tags."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, overload

import numpy as np

from vizkit.columns.column_builder import SeriesKey
from vizkit.columns.series import Series, kept
from vizkit.errors import DataError
from vizkit.format.types import HParams
from vizkit.metrics.arrays import AnyArray, Floats, Ints
from vizkit.reading.filesystem import LogStat, Store, store_of
from vizkit.reading.log_tail import LogTail, Problem

__all__ = ["Entries", "RunReader", "Scalars"]

Content = TypeVar("Content")


class Scalars(NamedTuple):
    """Columns of one scalar tag, in the order of writing.

    They are read-only, and do not change when more is read.

    Attributes:
        steps: (n,) int64, or float64 if any step is a fraction.
        walltimes: (n,) int64 as recorded; see `vizkit.format.walltime.milliseconds`.
        values: (n,) float64.
    """

    steps: AnyArray
    walltimes: Ints
    values: Floats


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

    def _contents(self, indexes: Ints) -> Iterator[Content]:
        for log, some in _by_log(self._logs, self._which, indexes):
            yield from self._contents_in(log, self._starts[some], self._ends[some])

    def _contents_in(self, log: LogTail, starts: Ints, ends: Ints) -> Iterator[Content]:
        try:
            for record in log.decoded(starts, ends):
                if (record.kind, record.tag) != (self.kind, self._tag):
                    raise ValueError("there is another record now")
                yield record.data
        except (OSError, ValueError) as error:
            raise DataError(
                f"{log.path}: a record of {self._tag!r} ({self.kind}) cannot be decoded: {error}"
            ) from error


def _by_log(logs: Sequence[LogTail], which: Ints, indexes: Ints) -> Iterator[tuple[LogTail, Ints]]:
    """Consecutive indexes of records in the same log."""
    if len(indexes):
        bounds = np.flatnonzero(np.diff(which[indexes])) + 1
        for some in np.split(indexes, bounds):
            yield logs[which[some[0]]], some


_Parts = list[tuple[LogTail, Series]]


class RunReader:
    """The logs of one run directory, followed as they grow.

    All logs of the directory are one run, in the order of their names. A record at step s supersedes the
    earlier ones of its tag at steps >= s, as when a run is resumed from a checkpoint; if all records of a tag
    have the same step, none is superseded. For this, each member of a group counts as a tag of its own.

    Args:
        directory: the run directory, or a remote one with a scheme (``s3://``).
        stats: the state of its logs, if the caller has it already.

    Raises:
        MissingDependencyError: the directory is remote, and the package for it is not installed.
    """

    def __init__(self, directory: str | os.PathLike[str], stats: list[LogStat] | None = None) -> None:
        self.directory = os.fspath(directory)
        self.kinds: dict[str, str] = {}
        """Tag -> kind of its records, in the order of the first records."""
        self._store: Store = store_of(self.directory)
        self._logs: list[LogTail] = []
        self._stats: list[LogStat] = []
        self._parts: dict[str, dict[str, _Parts]] = {}  # tag -> name within the group -> in each log
        self._mixed: list[tuple[LogTail, SeriesKey, Series]] = []
        self._scalars: dict[tuple[str, str, bool], Scalars] = {}  # cache of `scalars` and `group`
        self.refresh(stats)

    @property
    def files(self) -> list[str]:
        """Paths of the logs, in the order of their names."""
        return [log.path for log in self._logs]

    @property
    def display_name(self) -> str:
        """The run's name on VisualDL's page; empty if none was given."""
        names = [log.records.display_name for log in self._logs]
        return next(filter(None, reversed(names)), "")

    @property
    def hparams(self) -> HParams:
        """The hyper-parameters that were recorded last."""
        found = [log.records.hparams for log in self._logs]
        return next(filter(None, reversed(found)), HParams({}))

    @property
    def problems(self) -> list[Problem]:
        """The parts that could not be read, in the order of the logs."""
        found = []
        for log in self._logs:
            mixed = [
                Problem(
                    log.path,
                    "mixed",
                    series.first,
                    series.end,
                    f"{log.path}: {series.count:,} {key.kind} records have the tag {key.tag!r}, which holds "
                    f"{self.kinds[key.tag]} records: they are left out",
                )
                for where, key, series in self._mixed
                if where is log
            ]
            found += sorted([*log.problems, *mixed], key=lambda problem: problem.start)
        return found

    def refresh(self, stats: list[LogStat] | None = None) -> bool:
        """Read what was appended; a file that was truncated, replaced or rewritten is read again.

        Args:
            stats: the state of the logs, if the caller has it already.

        Returns:
            True if anything has changed.
        """
        if stats is None:
            stats = self._store.logs(self.directory)
        if stats == self._stats and not any(log.unreadable for log in self._logs):
            return False
        self._stats = stats
        before = self._logs
        known = {log.path: log for log in before}
        self._logs = [known.get(stat.path) or LogTail(stat.path, self._store) for stat in stats]
        grown = [log.refresh(stat) for log, stat in zip(self._logs, stats, strict=True)]
        if self._logs == before and not any(grown):
            return False
        self._sort_out()
        return True

    def _sort_out(self) -> None:
        """Find the kind of each tag and its records in each log."""
        self.kinds, self._parts, self._mixed, self._scalars = {}, {}, [], {}
        for log in self._logs:
            for key, series in sorted(log.records.series.items(), key=lambda item: item[1].first):
                if self.kinds.setdefault(key.tag, key.kind) == key.kind:
                    self._parts.setdefault(key.tag, {}).setdefault(key.member, []).append((log, series))
                else:
                    self._mixed.append((log, key, series))

    def count(self, tag: str) -> int:
        """The number of records of a tag, superseded ones included; nothing is read.

        Raises:
            KeyError: there is no such tag.
        """
        return sum(series.count for parts in self._parts[tag].values() for _, series in parts)

    def last(self, tag: str) -> tuple[int | float, int, float]:
        """Step, walltime and value of a scalar tag's last record; nothing is joined or copied.

        Raises:
            KeyError: there is no such scalar tag.
        """
        columns = self._parts_of(tag, "scalar")[""][-1][1].columns()
        step, walltime, value = (column[-1].item() for column in columns)
        return step, walltime, value

    def scalars(self, tag: str, *, superseded: bool = False) -> Scalars:
        """The columns of a scalar tag.

        Args:
            tag: such as ``train/loss``.
            superseded: whether to include superseded records.

        Raises:
            KeyError: there is no such scalar tag.
        """
        return self._columns_of(tag, "", self._parts_of(tag, "scalar")[""], superseded)

    def group(self, tag: str, *, superseded: bool = False) -> dict[str, Scalars]:
        """The members of a group of scalars: name within the group -> columns.

        Raises:
            KeyError: there is no such group.
        """
        members = self._parts_of(tag, "scalars")
        return {name: self._columns_of(tag, name, parts, superseded) for name, parts in members.items()}

    def _columns_of(self, tag: str, member: str, parts: _Parts, superseded: bool) -> Scalars:
        key = tag, member, superseded
        if key not in self._scalars:
            self._scalars[key] = Scalars(*_columns(parts, superseded))
        return self._scalars[key]

    def entries(self, tag: str, *, superseded: bool = False) -> Entries[Any]:
        """The records of a tag of any kind but ``scalar`` and ``scalars``; the kind decides their type.

        Raises:
            KeyError: there is no such tag.
        """
        kind = self.kinds[tag]
        if kind in ("scalar", "scalars"):
            raise KeyError(tag)
        parts = self._parts[tag][""]
        logs = [log for log, _ in parts]
        which = np.repeat(np.arange(len(parts)), [series.count for _, series in parts])
        steps, walltimes, starts, ends, which = _columns(parts, superseded, which)
        return Entries(kind, steps, walltimes, tag, logs, which, starts, ends)

    def _parts_of(self, tag: str, kind: str) -> dict[str, _Parts]:
        if self.kinds[tag] != kind:
            raise KeyError(tag)
        return self._parts[tag]


def _columns(parts: _Parts, superseded: bool, *more: AnyArray) -> list[AnyArray]:
    """The columns of a tag over all logs, followed by ``more`` of the same length."""
    if len(parts) == 1:
        columns = [*parts[0][1].columns(), *more]
    else:
        columns = [np.concatenate(c) for c in zip(*(s.columns() for _, s in parts), strict=True)]
        columns += more
    mask = None if superseded else kept(columns[0])
    if mask is not None:
        columns = [column[mask] for column in columns]
    for column in columns:
        column.flags.writeable = False
    return columns
