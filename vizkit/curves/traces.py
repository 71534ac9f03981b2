"""Traces of runs: a scalar tag over an x axis, without a copy of its columns where that is possible."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from vizkit.columns.packed import Column, Joined, Packed, Side, search
from vizkit.curves.expressions import Computed, computed
from vizkit.curves.windows import Trace
from vizkit.curves.x_axis import X, x_of
from vizkit.format.walltime import are_milliseconds
from vizkit.metrics.arrays import AnyArray, Floats, Ints
from vizkit.runs import Run

__all__ = ["TraceStore", "trace_of"]

_MOST = 256 << 20  # bytes of traces whose x had to be computed


def trace_of(run: Run, tag: str, x: X = "step") -> Trace:
    """The trace of a scalar tag, or of an expression, over an axis; records without an x are left out.

    Raises:
        DataError: ``x`` is ``"epoch"``, and the run does not record epochs; an expression that is none.
        UnknownNameError: the run has no such tag.
    """
    one = computed(run, tag)
    found = _trace(run, one, x)
    found.steps, found.walltimes = one.recorded.steps, one.recorded.walltimes
    return found


def _trace(run: Run, one: Computed, x: X) -> Trace:
    recorded = one.recorded
    if x == "step":
        return Trace(recorded.steps, recorded.values, recorded.pyramid, ascends=recorded.ascends)
    if x in ("time", "relative", "walltime") and (ends := _bounds(recorded.walltimes)):
        zero = _zero(run, recorded.walltimes, ends, x)
        if zero is not None:
            return Trace(_Seconds(recorded.walltimes, zero), recorded.values, recorded.pyramid)
    columns = one.columns
    places = x_of(run, one.tag, columns, x)
    there = np.isfinite(places)
    if there.all():
        return Trace(places, columns.values, recorded.pyramid)
    found = Trace(places[there], columns.values[there])
    found.kept = np.flatnonzero(there)
    return found


def _zero(run: Run, walltimes: Column, ends: tuple[int, int], x: X) -> int | None:
    """The walltime that is x = 0 for all walltimes between two ones; None if there is no such."""
    if x != "time":
        return 0 if x == "walltime" else int(walltimes[:1][0])
    seconds = run.seconds(np.array(ends))
    zeros = {end - round(1000 * second) for end, second in zip(ends, seconds.tolist(), strict=True)}
    return zeros.pop() if len(zeros) == 1 and seconds[0] > 0 else None


def _bounds(walltimes: Column) -> tuple[int, int] | None:
    """The least and greatest of walltimes that are certainly times in milliseconds, or None."""
    if isinstance(walltimes, Joined):
        parts = [_bounds(walltimes.packed), _bounds(walltimes.rest)]
        ends = [end for part in parts if part for end in part]
        return (min(ends), max(ends)) if all(parts) else None
    if isinstance(walltimes, Packed):
        found = walltimes.bounds
    else:
        array = np.asarray(walltimes)
        found = (int(array.min()), int(array.max())) if len(array) else None
    return found if found and are_milliseconds(*found) else None


class _Seconds:
    """Walltimes as seconds since one of them."""

    def __init__(self, walltimes: Column, zero: int) -> None:
        self._walltimes, self._zero = walltimes, zero

    def __len__(self) -> int:
        return len(self._walltimes)

    @property
    def ascends(self) -> bool | None:
        """True if no time is before the one before; None where that is not known."""
        return getattr(self._walltimes, "ascends", None)

    def __getitem__(self, where: slice | Ints) -> Floats:
        return self._seconds(self._walltimes[where])

    def _seconds(self, walltimes: AnyArray) -> Floats:
        seconds: Floats = (walltimes - self._zero) / 1000
        return seconds

    def search(self, edges: Floats, side: Side) -> Ints:
        """As ``np.searchsorted``; exact, though seconds are rounded."""
        whole = np.clip(np.round(edges * 1000), -(2.0**61), 2.0**61).astype(np.int64) + self._zero
        # The first walltime that is not before the edge, or is behind it, is within 1 ms of the edge.
        behind = np.greater_equal if side == "left" else np.greater
        found = whole + 2
        for by in (1, 0, -1):
            found = np.where(behind(self._seconds(whole + by), edges), whole + by, found)
        return search(self._walltimes, found, "left")


class TraceStore:
    """The traces of runs, kept until the runs change."""

    def __init__(self) -> None:
        self._traces: WeakKeyDictionary[Run, dict[tuple[str, X], Trace]] = WeakKeyDictionary()
        self._nbytes = 0

    def trace(self, run: Run, tag: str, x: X = "step") -> Trace:
        """The trace of a run, as of `trace_of`."""
        traces = self._traces.setdefault(run, {})
        found = traces.get((tag, x))
        if found is None:
            found = traces[tag, x] = trace_of(run, tag, x)
            self._nbytes += found.own_bytes
            if self._nbytes > _MOST:
                self._traces.clear()
                self._nbytes = 0
        return found
