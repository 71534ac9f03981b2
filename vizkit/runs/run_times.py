"""Start, end and duration of a run, from its sessions and its records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import numpy as np

from vizkit.format.tags import SECONDS
from vizkit.format.walltime import NO_TIME, are_milliseconds, is_time, milliseconds
from vizkit.metrics.arrays import Floats, Ints
from vizkit.reading import RunReader

__all__ = ["RunTimes"]

_APART = 7 * 86_400_000  # milliseconds
_LONGEST = 10**15  # milliseconds: sessions that overlap, as no process writes them, may add up to more


class _Span(NamedTuple):
    """First and last time of some records, and their number."""

    first: int
    last: int
    records: int = 0


class RunTimes:
    """The times of a run, from its environment or else its logs; walltimes are milliseconds since 1970.

    Callers may pass walltimes of their own: seconds from 0, the dates of an earlier training. Tags whose
    times lie more than a week apart from all others, and from the sessions, have a *clock* of their own.
    """

    def __init__(self, logs: RunReader) -> None:
        self._logs = logs
        self._known: tuple[list[_Span], list[_Span]] | None = None

    def forget(self) -> None:
        """Look at the records again: there are more."""
        self._known = None

    def seconds(self, environment: Mapping[str, Any], walltimes: Ints) -> Floats:
        """Walltimes as seconds since their clock's beginning; NaN where there is no time.

        That is the start of the first session or the training's first record, whichever is earlier. System
        metrics from before are at 0.
        """
        times = milliseconds(np.asarray(walltimes))
        clocks = self._clocks(environment)
        begins = sorted(span.first for span in [*self._of_tags()[1], *_of_sessions(environment)])
        zeros = [next((t for t in begins if c.first <= t <= c.last), c.first) for c in clocks]
        place = np.searchsorted([clock.first for clock in clocks], times, side="right")
        found = np.maximum(times - np.array([0, *zeros])[place], 0) / 1000
        return found if (there := times != NO_TIME).all() else np.where(there, found, np.nan)

    def started(self, environment: Mapping[str, Any]) -> datetime | None:
        """The start of the first session, or else the first record, in UTC; None without either."""
        sessions = _sessions(environment)
        known = sessions[0].get("started") if sessions else None
        if not is_time(known):
            known = span.first if (span := self._span()) else None
        return _utc(known)

    def ended(self, environment: Mapping[str, Any]) -> datetime | None:
        """The end of the last session, or else the last record, in UTC; None while the run goes on."""
        if environment.get("status") == "running":
            return None
        known = environment.get("ended")
        if not is_time(known):
            known = span.last if (span := self._span()) else None
        return _utc(known)

    def duration(self, environment: Mapping[str, Any]) -> timedelta | None:
        """The total duration of all sessions; one without an end ends with its last record."""
        sessions = [s for s in _sessions(environment) if is_time(s.get("started"))]
        if not sessions:
            return timedelta(milliseconds=span.last - span.first) if (span := self._span()) else None
        starts = [session["started"] for session in sessions]
        ends = [session.get("ended") for session in sessions]
        if not all(map(is_time, ends)):
            last = self._last_records(starts, environment)
            ends = [end if is_time(end) else other for end, other in zip(ends, last, strict=True)]
        total = sum(max(end - start, 0) for start, end in zip(starts, ends, strict=True) if end is not None)
        return timedelta(milliseconds=min(total, _LONGEST))

    def of_training(self, environment: dict[str, Any]) -> dict[str, Any]:
        """Leave out the sessions of the directory's other trainings."""
        if self._logs.is_last and not self._logs.earlier:
            return environment
        span = self._span()
        if span is None:
            return environment
        every = _sessions(environment)
        following = [*(session.get("started", 0) for session in every[1:]), span.last + 1]
        kept = [
            {key: session[key] for key in session if key != "sessions"}
            for session, next_start in zip(every, following, strict=False)
            if session.get("started", 0) <= span.last and next_start > span.first
        ]
        if not kept:  # its records have a clock of their own
            return environment if self._logs.is_last else {}
        return {**kept[-1], "sessions": kept[:-1]}

    def _walltimes(self, tag: str, kind: str) -> Iterator[Ints]:
        """The times of a tag, group member by member."""
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

    def _of_tags(self) -> tuple[list[_Span], list[_Span]]:
        """The clocks of all tags, and those without system metrics, which may outlast the training."""
        if self._known is None:
            spans: dict[bool, list[_Span]] = {True: [], False: []}
            for tag, kind in self._logs.kinds.items():
                ends = self._logs.walltime_bounds(tag) if kind == "scalar" else None
                if ends and are_milliseconds(*ends):
                    spans[tag.startswith(SECONDS)].append(_Span(*ends, self._logs.count(tag)))
                    continue
                for w in self._walltimes(tag, kind):
                    spans[tag.startswith(SECONDS)].append(_Span(int(w.min()), int(w.max()), len(w)))
            self._known = _merged([*spans[False], *spans[True]]), _merged(spans[False])
        return self._known

    def _clocks(self, environment: Mapping[str, Any]) -> list[_Span]:
        """The clocks of sessions and tags, the earliest first."""
        return _merged([*self._of_tags()[0], *_of_sessions(environment)])

    def _span(self) -> _Span | None:
        """First and last record of the training, by the clock of most records."""
        return max(self._of_tags()[1], key=lambda clock: clock.records, default=None)

    def _last_records(self, starts: list[int], environment: Mapping[str, Any]) -> list[int | None]:
        """The last record of each session before the next one, by the session's clock; None without one."""
        kinds = self._logs.kinds.items()
        found = [w for tag, kind in kinds if not tag.startswith(SECONDS) for w in self._walltimes(tag, kind)]
        times = np.sort(np.concatenate(found)) if found else np.zeros(0, np.int64)
        clocks = self._clocks(environment)
        last: list[int | None] = []
        for start, following in zip(starts, [*starts[1:], None], strict=True):
            clock = next(clock for clock in clocks if clock.first <= start <= clock.last)
            end = clock.last + 1 if following is None else following
            place = int(np.searchsorted(times, end))
            record = int(times[place - 1]) if place else None
            last.append(record if record is not None and record >= clock.first else None)
        return last


def _merged(spans: list[_Span]) -> list[_Span]:
    """Join spans that overlap or are less than a week apart."""
    found: list[_Span] = []
    for span in sorted(spans):
        if found and span.first - found[-1].last <= _APART:
            before = found.pop()
            span = _Span(before.first, max(before.last, span.last), before.records + span.records)
        found.append(span)
    return found


def _of_sessions(environment: Mapping[str, Any]) -> list[_Span]:
    """The span of all sessions, if there are any."""
    every = _sessions(environment)
    times = [s[name] for s in every for name in ("started", "ended") if is_time(s.get(name))]
    return [_Span(min(times), max(times))] if times else []


def _sessions(environment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*environment.get("sessions", []), environment] if environment else []


def _utc(walltime: int | None) -> datetime | None:
    if walltime is None:
        return None
    try:
        return datetime.fromtimestamp(walltime / 1000, tz=timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
