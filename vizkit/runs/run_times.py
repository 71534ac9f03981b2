"""Start, end and duration of a run, from its sessions and its records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from vizkit.format.tags import SECONDS
from vizkit.format.walltime import NO_TIME, is_time, milliseconds
from vizkit.metrics.arrays import Ints
from vizkit.reading import RunReader

__all__ = ["RunTimes"]

_LONGEST = 10**15  # milliseconds: sessions that overlap, as no process writes them, may add up to more


class RunTimes:
    """The times of a run, from its environment or else its logs; walltimes are milliseconds since 1970."""

    def __init__(self, logs: RunReader) -> None:
        self._logs = logs
        self._recorded: tuple[int, int] | None = None

    def forget(self) -> None:
        """Look at the records again: there are more."""
        self._recorded = None

    def started(self, environment: Mapping[str, Any]) -> datetime | None:
        """The start of the first session, or else the first record, in UTC; None without either."""
        sessions = _sessions(environment)
        known = sessions[0].get("started") if sessions else None
        if not is_time(known):
            known = span[0] if (span := self._span()) else None
        return _utc(known)

    def ended(self, environment: Mapping[str, Any]) -> datetime | None:
        """The end of the last session, or else the last record, in UTC; None while the run goes on."""
        if environment.get("status") == "running":
            return None
        known = environment.get("ended")
        if not is_time(known):
            known = span[1] if (span := self._span()) else None
        return _utc(known)

    def duration(self, environment: Mapping[str, Any]) -> timedelta | None:
        """The total duration of all sessions; one without an end ends with its last record."""
        sessions = [s for s in _sessions(environment) if is_time(s.get("started"))]
        if not sessions:
            return timedelta(milliseconds=span[1] - span[0]) if (span := self._span()) else None
        starts = [session["started"] for session in sessions]
        total = 0
        for session, following in zip(sessions, [*starts[1:], None], strict=True):
            end = session.get("ended")
            if not is_time(end):
                end = self._last_record_before(following)
            total += max(end - session["started"], 0) if end is not None else 0
        return timedelta(milliseconds=min(total, _LONGEST))

    def of_training(self, environment: dict[str, Any]) -> dict[str, Any]:
        """Leave out the sessions of the directory's other trainings."""
        span = self._span()
        if span is None or (self._logs.is_last and not self._logs.earlier):
            return environment
        every = _sessions(environment)
        following = [*(session.get("started", 0) for session in every[1:]), span[1] + 1]
        kept = [
            {key: session[key] for key in session if key != "sessions"}
            for session, next_start in zip(every, following, strict=False)
            if session.get("started", 0) <= span[1] and next_start > span[0]
        ]
        return {**kept[-1], "sessions": kept[:-1]} if kept else {}

    def _walltimes(self) -> Iterator[Ints]:
        """The times of each tag but those of system metrics, which may outlast the training."""
        for tag, kind in self._logs.kinds.items():
            if tag.startswith(SECONDS):
                continue
            if kind == "scalar":
                found = [self._logs.scalars(tag, superseded=True).walltimes]
            elif kind == "scalars":
                members = self._logs.group(tag, superseded=True).values()
                found = [columns.walltimes for columns in members]
            else:
                found = [self._logs.entries(tag, superseded=True).walltimes]
            for walltimes in map(milliseconds, found):
                if len(walltimes) and walltimes.min() == NO_TIME:
                    walltimes = walltimes[walltimes != NO_TIME]
                if len(walltimes):
                    yield walltimes

    def _span(self) -> tuple[int, int] | None:
        """Walltimes of the first and the last record."""
        if self._recorded is None and (every := list(self._walltimes())):
            self._recorded = int(min(w.min() for w in every)), int(max(w.max() for w in every))
        return self._recorded

    def _last_record_before(self, limit: int | None) -> int | None:
        if limit is None:
            return span[1] if (span := self._span()) else None
        earlier = [int(before.max()) for w in self._walltimes() if len(before := w[w < limit])]
        return max(earlier, default=None)


def _sessions(environment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*environment.get("sessions", []), environment] if environment else []


def _utc(walltime: int | None) -> datetime | None:
    if walltime is None:
        return None
    try:
        return datetime.fromtimestamp(walltime / 1000, tz=timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
