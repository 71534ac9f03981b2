"""The state that the operations of the API answer from."""

from __future__ import annotations

import secrets
import time
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from weakref import WeakKeyDictionary

from vizkit.curves.traces import TraceStore
from vizkit.errors import UnknownNameError
from vizkit.runs import Run, Runs
from vizkit.runs.remarks import Remarks
from vizkit.runs.run import ENDED
from vizkit.runs.saved_views import SavedViews
from vizkit.server.live_runs import LiveRuns
from vizkit.server.workspace.api.kept_records import KeptRecords
from vizkit.server.workspace.api.table_store import TableStore
from vizkit.server.workspace.current_runs import CurrentRuns

__all__ = ["RELEASED_AFTER", "WorkspaceState", "named"]

RELEASED_AFTER = 8
"""Runs whose columns may be in memory at once."""

_REMARKS_AT_ONCE = 200  # files of remarks that one look reads
_STATUS_SECONDS = 0.5  # between two looks at the statuses of runs that go on


@dataclass
class WorkspaceState:
    """Live runs, and what was computed from them.

    Attributes:
        live: the runs of the log directory.
        current: the same as `Runs`.
        views: the views that people saved.
        edit: True if the page may change remarks and views.
        traces: lines of runs.
        tables: tables of runs.
        kept: records of runs that a server made before.
        records: run -> what its record depends on besides its logs, the language of words in it, and the
            record as JSON.
    """

    live: LiveRuns
    current: CurrentRuns
    views: SavedViews
    edit: bool = False
    traces: TraceStore = field(default_factory=TraceStore)
    tables: TableStore = field(default_factory=TableStore)
    kept: KeptRecords = field(default_factory=lambda: KeptRecords(None, ""))
    records: WeakKeyDictionary[Run, tuple[Hashable, str, bytes]] = field(default_factory=WeakKeyDictionary)
    instance: str = field(default_factory=lambda: secrets.token_hex(4))
    """Differs for each start of the server, whose versions count anew."""

    _remarks: dict[str, Remarks] = field(default_factory=dict)
    _next_remarks: int = 0
    _statuses: dict[str, str] = field(default_factory=dict)
    _status_versions: dict[str, int] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    _refused_version: int = 0
    _next_look: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def runs(self) -> Iterator[Runs]:
        """All runs, while no other thread reads logs."""
        with self.live.lock:
            yield self.current.get()

    def cursor(self) -> str:
        """The state of the log directory, for `changes`."""
        return f"{self.instance}.{self.live.snapshot.version}.{self._last_version()}"

    def _last_version(self) -> int:
        return max(self._refused_version, *self._status_versions.values(), 0)

    def look_at_statuses(self) -> None:
        """Note which runs have ended since, and which are not served any more; that may change no log."""
        start = time.monotonic()
        with self._lock:
            if start < self._next_look:
                return
            self._next_look = start + _STATUS_SECONDS
        with self.runs() as runs:
            found = {run.name: run.status for run in runs if self._statuses.get(run.name) not in ENDED}
            remarks = self._some_remarks(runs)
        version = self._last_version() + 1
        if (refused := set(self.live.refused)) != self._refused:
            self._refused, self._refused_version = refused, version
        for name, status in found.items():
            if self._statuses.setdefault(name, status) != status:
                self._statuses[name] = status
                self._status_versions[name] = version
        for name, remark in remarks.items():
            if self._remarks.setdefault(name, remark) != remark:
                self._remarks[name] = remark
                self._status_versions[name] = version
        now = time.monotonic()
        self._next_look = now + max(_STATUS_SECONDS, 10 * (now - start))

    def layout_changed_since(self, version: int, statuses: int) -> bool:
        """True if runs or tags have come or gone, or other runs are not served."""
        return self.live.snapshot.tags_version > version or self._refused_version > statuses

    def _some_remarks(self, runs: Runs) -> dict[str, Remarks]:
        """The remarks on the runs whose turn it is; those on all, look after look."""
        start = self._next_remarks if self._next_remarks < len(runs) else 0
        self._next_remarks = start + _REMARKS_AT_ONCE
        some = runs[start : self._next_remarks]
        return {run.name: run.remarks for run in some}

    def remember_remarks(self, name: str, remarks: Remarks) -> None:
        """Keep the remarks on a run that a page is shown first: later ones are changes."""
        self._remarks.setdefault(name, remarks)

    def note_remarks(self, run: Run) -> None:
        """Tell all pages at once of new remarks on a run, which were written here."""
        self._remarks[run.name] = run.remarks
        self._status_versions[run.name] = self._last_version() + 1

    def changed_since(self, version: int, statuses: int) -> list[str]:
        """Names of runs with records or a status of a later version."""
        with self.runs():
            grown = [name for name, own in self.current.versions().items() if own > version]
        ended = [name for name, own in self._status_versions.items() if own > statuses]
        return list(dict.fromkeys([*grown, *ended]))


def named(runs: Runs, names: Sequence[str]) -> list[Run]:
    """The runs of these very names; all of them for none.

    Raises:
        UnknownNameError: there is no such run.
    """
    if not names:
        return list(runs)
    by_name = {run.name: run for run in runs}
    for name in names:
        if name not in by_name:
            raise UnknownNameError("there is no run {name}", name=repr(name[:200]))
    return [by_name[name] for name in dict.fromkeys(names)]
