"""The logs of one run directory, as columns of its tags."""

from __future__ import annotations

import gc
import os
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

import numpy as np

from vizkit._language import tr
from vizkit.columns.series import Series, Stretch
from vizkit.columns.series_table import SeriesKey
from vizkit.format.tags import SECONDS
from vizkit.format.types import HParams, SessionMark
from vizkit.format.walltime import count_odd
from vizkit.reading.column_cache import ColumnCache
from vizkit.reading.entries import Entries
from vizkit.reading.filesystem import LogStat, Store, store_of
from vizkit.reading.log_tail import LogTail, Problem
from vizkit.reading.parts import (
    Part,
    Parts,
    begins_of,
    column_of_parts,
    columns_of_parts,
    parts_of_trainings,
)
from vizkit.reading.run_tables import KnownTables, RunTables
from vizkit.reading.scalar_columns import Recorded, ScalarColumns, Scalars
from vizkit.reading.sessions import TrainingStarts, counting

__all__ = ["RunReader", "without_gc"]


class RunReader:
    """The logs of one run directory, followed as they grow.

    All logs of the directory are one run, in the order of their names; `vizkit.reading.sessions` has the rule
    for its sessions. For this, each member of a group counts as a tag of its own. If a session starts the
    training anew, the run is the last training; `earlier` has the others.

    Args:
        directory: the run directory, or a remote one with a scheme (``s3://``).
        stats: the state of its logs, if the caller has it already.
        cache: a cache of long logs' columns.

    Raises:
        MissingDependencyError: the directory is remote, and the package for it is not installed.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        stats: list[LogStat] | None = None,
        cache: ColumnCache | None = None,
    ) -> None:
        self.directory = os.fspath(directory)
        self.kinds: dict[str, str] = {}
        """Tag -> kind of its records, in the order of the first records."""
        self._store: Store = store_of(self.directory)
        self._cache = cache
        self._logs: list[LogTail] = []
        self._stats: list[LogStat] = []
        self._parts: dict[str, dict[str, Parts]] = {}  # tag -> name within the group -> in each log
        self._mixed: list[tuple[LogTail, SeriesKey, Series]] = []
        self._scalars = ScalarColumns({}, {})
        self._found: list[tuple[SeriesKey, Part]] = []  # of this training, in the order of the logs
        self._hparams = HParams({})
        self.is_last = True
        """False if a later training in the same directory started anew."""
        self._known_tables = KnownTables({}, {})
        self.earlier: list[RunReader] = []
        """The trainings before this one in the same directory, oldest first."""
        self.number = 1
        """The place of this training among those of its directory, from 1 in the order of their start."""
        self.refresh(stats)

    @property
    def files(self) -> list[str]:
        """Paths of the logs, in the order of their names."""
        return [log.path for log in self._logs]

    @property
    def tables(self) -> RunTables:
        """The tables of the run; made anew, since a run that held it would never be freed at once."""
        return RunTables(self, self._known_tables)

    @property
    def stats(self) -> list[LogStat]:
        """The state of its logs when they were read."""
        return self._stats

    @property
    def created(self) -> int:
        """The walltime of the first log's beginning; 0 for a log without its first record."""
        return next((log.records.created or 0 for log in self._logs), 0)

    @property
    def display_name(self) -> str:
        """The run's name on VisualDL's page; empty if it has none."""
        names = [log.records.display_name for log in self._logs]
        return next(filter(None, reversed(names)), "")

    @property
    def hparams(self) -> HParams:
        """The last hyper-parameters that the training recorded."""
        return self._hparams

    @property
    def problems(self) -> list[Problem]:
        """The parts that could not be read, in the order of the logs."""
        found: list[Problem] = []
        for log in self._logs if self.is_last else []:
            mixed = [
                Problem(
                    log.path,
                    "mixed",
                    series.first,
                    series.end,
                    tr(
                        "{path}: {what}",
                        path=log.path,
                        what=tr(
                            "{n:,} {kind} records have the tag {tag!r}, which holds {other} records: they "
                            "are left out",
                            n=series.count,
                            kind=key.kind,
                            tag=key.tag,
                            other=self.kinds[key.tag],
                        ),
                    ),
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
        if not self.is_last:
            return False  # it is sorted out with the last training
        if stats is None:
            stats = self._store.logs(self.directory)
        if stats == self._stats and not any(log.unreadable for log in self._logs):
            return False
        self._stats = stats
        before = self._logs
        known = {log.path: log for log in before}
        self._logs = [known.get(stat.path) or LogTail(stat.path, self._store, self._cache) for stat in stats]
        with without_gc():
            grown = [log.refresh(stat) for log, stat in zip(self._logs, stats, strict=True)]
            if self._logs == before and not any(grown):
                return False
            self._sort_out()
        return True

    def _sort_out(self) -> None:
        """Give each training its sessions; all logs are gone through once."""
        starts = self._training_starts()
        found: list[list[tuple[SeriesKey, Part]]] = [[] for _ in starts]
        hparams = [HParams({}) for _ in starts]
        base = 0
        for log in self._logs:
            for session, of_session in log.records.hparams_of.items():
                hparams[bisect_right(starts, base + session) - 1] = of_session
            for key, series in sorted(log.records.series.items(), key=lambda item: item[1].first):
                for index, part in parts_of_trainings(log, series, base, starts):
                    found[index].append((key, part))
            base += len(log.records.sessions)
        self.earlier = self.earlier[: len(starts) - 1]
        while len(self.earlier) < len(starts) - 1:
            training = copy(self)
            training._scalars, training._found = ScalarColumns({}, {}), []
            training._known_tables = KnownTables({}, {})
            training.earlier, training.is_last = [], False
            self.earlier.append(training)
        for index, training in enumerate((*self.earlier, self)):
            training._logs, training._stats, training.number = self._logs, self._stats, index + 1
            training._hparams = hparams[index]
            training._take(found[index])

    def _training_starts(self) -> list[int]:
        marks = [mark for log in self._logs for mark in log.records.sessions]
        if all(mark == SessionMark.RESUMES for mark in marks[1:]):
            return [0]
        found = TrainingStarts()
        number = 0
        hparams: dict[str, object] = {}
        for log in self._logs:
            sessions: list[dict[str, Stretch]] = [{} for _ in log.records.sessions]
            for key, series in log.records.series.items():
                if key.kind == "scalar" and not key.tag.startswith(SECONDS):
                    for stretch in series.sessions:
                        sessions[stretch.session][key.tag] = stretch
            own = log.records.hparams.hparams if log.records.hparams else {}
            other = bool(hparams) and bool(own) and own != hparams
            hparams = own or hparams
            for mark, tags in zip(log.records.sessions, sessions, strict=True):
                found.add(number, mark, tags, other=other)
                number, other = number + 1, False
        return found.found

    def _take(self, found: list[tuple[SeriesKey, Part]]) -> None:
        """Sort out the kinds and places of tags."""
        if found == self._found:
            return
        self._found = found
        self._parts, self._mixed = {}, []
        self.kinds, several = {}, set()
        for key, _ in found:
            if self.kinds.setdefault(key.tag, key.kind) != key.kind:
                several.add(key.tag)
        # Not the first record's kind: one damaged byte there would hide all others.
        counts: dict[str, Counter[str]] = {tag: Counter() for tag in several}
        for key, part in found if several else []:
            if key.tag in several:
                counts[key.tag][key.kind] += part.end - part.start
        self.kinds.update((tag, of_kind.most_common(1)[0][0]) for tag, of_kind in counts.items())
        for key, part in found:
            if key.kind == self.kinds[key.tag]:
                self._parts.setdefault(key.tag, {}).setdefault(key.member, []).append(part)
            else:
                self._mixed.append((part.log, key, part.series))
        self._scalars = ScalarColumns(self.kinds, self._parts, self._scalars)

    def check(self) -> None:
        """Look into the content of every record, for the `problems` with them."""
        for log in self._logs:
            log.check()

    def count(self, tag: str, member: str | None = None) -> int:
        """The number of records of a tag, or of a member of a group, superseded ones included.

        Raises:
            KeyError: there is no such tag.
        """
        members = self._parts[tag]
        some = members.values() if member is None else [members[member]]
        return sum(part.end - part.start for parts in some for part in parts)

    @property
    def superseded(self) -> dict[str, int]:
        """Tag -> the number of its records that later sessions superseded; tags with none are left out."""
        found = {}
        for tag, members in self._parts.items():
            hidden = 0
            for parts in members.values():
                if len(parts) > 1 or len(parts[0].begins) > 1:
                    steps = column_of_parts(parts, 0)
                    rows = counting(steps, begins_of(parts))
                    hidden += 0 if rows is None else len(steps) - len(rows)
            if hidden:
                found[tag] = hidden
        return found

    @property
    def starting_over(self) -> list[str]:
        """Scalar tags whose steps go back within a session."""
        found = []
        for tag, members in self._parts.items():
            if self.kinds[tag] == "scalar":
                parts = members[""]
                steps = column_of_parts(parts, 0)
                back = np.flatnonzero(steps[1:] < steps[:-1]) + 1
                if len(np.setdiff1d(back, begins_of(parts))):
                    found.append(tag)
        return found

    @property
    def odd_walltimes(self) -> dict[str, int]:
        """Tag -> the number of its records whose walltimes are neither seconds nor milliseconds of a time."""
        found = {}
        for tag, members in self._parts.items():
            if count := sum(count_odd(column_of_parts(parts, 1)) for parts in members.values()):
                found[tag] = count
        return found

    def walltime_bounds(self, tag: str) -> tuple[int, int] | None:
        """The least and greatest walltime of a scalar tag, or None if all have to be looked at."""
        parts = self._parts_of(tag, "scalar")[""]
        series = parts[0].series
        is_whole = len(parts) == 1 and parts[0].end - parts[0].start == series.count
        return series.walltime_bounds if is_whole else None

    def last(self, tag: str) -> tuple[int | float, int, float]:
        """Step, walltime and value of a scalar tag's last record: that with the highest step.

        Raises:
            KeyError: there is no such scalar tag.
        """
        step, walltime, value = (column[-1].item() for column in self.scalars(tag))
        return step, walltime, value

    def scalars(self, tag: str, member: str | None = None, *, superseded: bool = False) -> Scalars:
        """The columns of a scalar tag, or of a member of a group.

        Args:
            tag: such as ``train/loss``.
            member: the name within the group ``tag``.
            superseded: whether to include superseded records.

        Raises:
            KeyError: there is no such scalar tag or member.
        """
        self._parts_of(tag, "scalar" if member is None else "scalars")
        return self._scalars.of(tag, member or "", superseded)

    def members(self, tag: str) -> list[str]:
        """The names within a group of scalars.

        Raises:
            KeyError: there is no such group.
        """
        return list(self._parts_of(tag, "scalars"))

    def group(self, tag: str, *, superseded: bool = False) -> dict[str, Scalars]:
        """The members of a group of scalars: name within the group -> columns.

        Raises:
            KeyError: there is no such group.
        """
        members = self._parts_of(tag, "scalars")
        return {name: self._scalars.of(tag, name, superseded) for name in members}

    def recorded(self, tag: str, member: str = "") -> Recorded:
        """The columns of a scalar tag, or of a member of a group, without a copy where that is possible.

        Raises:
            KeyError: there is no such tag or member.
        """
        return self._scalars.recorded(tag, member)

    def entries(self, tag: str, *, superseded: bool = False) -> Entries[Any]:
        """The records of a tag of any kind but ``scalar`` and ``scalars``; the kind decides their type.

        Raises:
            KeyError: there is no such tag.
        """
        kind = self.kinds[tag]
        if kind in ("scalar", "scalars"):
            raise KeyError(tag)
        parts = self._parts[tag][""]
        logs = [part.log for part in parts]
        which = np.repeat(np.arange(len(parts)), [part.end - part.start for part in parts])
        steps, walltimes, starts, ends, which = columns_of_parts(parts, superseded, which)
        return Entries(kind, steps, walltimes, tag, logs, which, starts, ends)

    def _parts_of(self, tag: str, kind: str) -> dict[str, Parts]:
        if self.kinds[tag] != kind:
            raise KeyError(tag)
        return self._parts[tag]


class _Held:
    """The garbage collector, switched off while anybody holds it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._was_on = False

    def change(self, holders: int) -> None:
        with self._lock:
            if not self._holders:
                self._was_on = gc.isenabled()
                gc.disable()
            self._holders += holders
            if not self._holders and self._was_on:
                gc.enable()


_held = _Held()


@contextmanager
def without_gc() -> Iterator[None]:
    """Make many objects that are no garbage, without looking for some among them again and again."""
    _held.change(1)
    try:
        yield
    finally:
        _held.change(-1)
