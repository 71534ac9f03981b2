"""Windows of a curve: the points of a stretch of x, or the extremes of each of its pixel columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from vizkit.columns.column_extremes import ColumnEdges, column_extremes
from vizkit.columns.packed import Column, Packed, search
from vizkit.columns.pyramid import Pyramid
from vizkit.curves.smoothing import Smoothing, smoothed
from vizkit.metrics.arrays import AnyArray, Floats, Indices, Ints

__all__ = ["FEW", "Columns", "Points", "Trace", "Window", "columns_of", "pixel_places", "windows_of"]

FEW = 4
"""Points for each pixel column up to which all points are given: columns would not be fewer numbers."""

_EXACT = 2**53
"""Up to which a float holds every whole number."""

_AT_ONCE = 8
"""Curves whose columns may be in memory at once."""


class Points(NamedTuple):
    """All points of a window, in the order of recording: x and y, each (n,)."""

    x: Floats
    y: Floats


class Columns(NamedTuple):
    """The pixel columns of a window that hold points, from left to right, each (m,).

    Attributes:
        x, x_last: of the first and the last point.
        first, last: y of the first and the last point, which may not be finite.
        least, greatest: of the finite values; NaN where none is.
        n: number of points.
        nan, above, below: how many of them are NaN, inf and -inf.
    """

    x: Floats
    x_last: Floats
    first: Floats
    least: Floats
    greatest: Floats
    last: Floats
    n: Ints
    nan: Ints
    above: Ints
    below: Ints


@dataclass(frozen=True, eq=False)
class Window:
    """A stretch of a curve.

    Attributes:
        drawn: its points if they are few, or else its pixel columns.
        count: number of points in it.
        before, after: x and y of the points next to it, which its line comes from and goes to; None without
            one, and where x does not ascend.
    """

    drawn: Points | Columns
    count: int
    before: tuple[float, float] | None = None
    after: tuple[float, float] | None = None


def pixel_places(x: Column, start: float, end: float, width: int, *, log: bool = False) -> Ints:
    """The places where each pixel column of [start, end] begins in an ascending x, and where the last ends.

    The columns are equally wide, ``log``: on a logarithmic axis; each but the last one, which holds ``end``,
    ends before the next one.

    Returns:
        (width + 1,) ascending.
    """
    edges = (np.geomspace if log else np.linspace)(start, end, width + 1)
    return np.append(search(x, edges[:-1], "left"), search(x, edges[-1:], "right"))


class Trace:
    """A curve over an x axis.

    Args:
        x: (n,) finite; a curve whose x does not ascend is sorted once.
        y: (n,) the values, in the order of recording.
        pyramid: that of ``y``, if there is one already; else it is made when it is needed.
        ascends: True if x is known to ascend.
    """

    def __init__(
        self, x: Column, y: Column, pyramid: Pyramid | None = None, *, ascends: bool | None = None
    ) -> None:
        self.recorded = x, y
        self.kept: Indices | None = None
        """The records that the points are of; None for all."""
        self.steps, self.walltimes = x, x
        """Of the records: those that it was made from say what they are."""
        self.order: Indices | None = None
        """The places of the points by x; None if they are recorded so."""
        if ascends is None:
            ascends = getattr(x, "ascends", None)
        places = x[:] if not ascends else np.empty(0)
        if ascends is None:
            ascends = bool((places[1:] >= places[:-1]).all())
        if not ascends:
            self.order = np.argsort(places, kind="stable")
            x, y = places[self.order], np.asarray(y[:])[self.order]
            pyramid = None
        self.x, self.y = _as_drawn(x), y
        if pyramid is not None:
            self.pyramid = pyramid

    @cached_property
    def pyramid(self) -> Pyramid:
        """The extremes of y, which few windows of short curves need."""
        return Pyramid(self.y)

    def __len__(self) -> int:
        return len(self.x)

    @property
    def own_bytes(self) -> int:
        """Bytes of the arrays that were made for it."""
        arrays = [self.order, *self.recorded, self.x, self.y]
        return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))

    @property
    def extremes(self) -> tuple[float, float]:
        """The least and greatest finite y; inf and -inf without one."""
        if not len(self):
            return math.inf, -math.inf
        ((least, greatest),) = column_extremes(
            [(self.pyramid, self.y)], [ColumnEdges(np.array([0, len(self)]))]
        )
        return float(least[0]), float(greatest[0])

    @property
    def range(self) -> tuple[float, float] | None:
        """The least and greatest x; None without points."""
        ends = np.asarray(self.x[np.array([0, len(self) - 1])], dtype=np.float64) if len(self) else None
        return None if ends is None else (float(ends[0]), float(ends[1]))

    @property
    def first_positive(self) -> float | None:
        """The least x above zero; None without one."""
        place = int(search(self.x, np.array([0.0]), "right")[0])
        return float(self.x[place : place + 1][0]) if place < len(self) else None

    def nearest(self, x: float) -> int | None:
        """The place, in the order of recording, of the point nearest to an x; None without points."""
        if not len(self):
            return None
        behind = int(search(self.x, np.array([x]), "left")[0])
        sides = [place for place in (behind - 1, behind) if 0 <= place < len(self)]
        place = min(sides, key=lambda side: abs(float(self.x[side : side + 1][0]) - x))
        return place if self.order is None else int(self.order[place])

    def stretch(self, start: float, end: float) -> tuple[Floats, Floats]:
        """The points with x in [start, end] and the one next to them on each side, by x."""
        places = pixel_places(self.x, start, end, 1)
        where = slice(max(int(places[0]) - 1, 0), int(places[-1]) + 1)
        return _floats(self.x[where]), _floats(self.y[where])

    def window(self, start: float, end: float, width: int, *, log: bool = False) -> Window:
        """The points with x in [start, end], or the extremes of the columns of `pixel_places` in it."""
        (found,) = windows_of([self], start, end, width, log=log)
        return found

    def smoothed(self, start: float, end: float, width: int, how: Smoothing, *, log: bool = False) -> Window:
        """`window` of the smoothed curve; all points count, also those beyond the window."""
        places = pixel_places(self.x, start, end, width, log=log)
        first, last = int(places[0]), int(places[-1])
        if self.order is not None:
            x, y = (_floats(column[:]) for column in self.recorded)
            y = smoothed(y, how, x)
            if last - first <= FEW * width:
                recorded = np.sort(self.order[first:last])
                return Window(Points(x[recorded], y[recorded]), last - first)
            return Window(columns_of(x[self.order], y[self.order], places), last - first)
        low, high = self._reach(first, last, how)
        x, y = _floats(self.x[low:high]), _floats(self.y[low:high])
        ends = self.range or (0.0, 0.0)
        y = smoothed(y, how, x, ends[1] - ends[0])
        first, last = first - low, last - low
        if last - first <= FEW * width:
            return Window(Points(x[first:last], y[first:last]), last - first)
        return Window(columns_of(x, y, places - low), last - first)

    def _reach(self, first: int, last: int, how: Smoothing) -> tuple[int, int]:
        """The places of the points that count in a window's smoothed curve."""
        if self.pyramid.odd:  # points that do not count
            return 0, len(self)
        if how.kind == "time":
            if not first:
                return 0, last
            least, greatest = self.range or (0.0, 0.0)
            start = float(self.x[first - 1 : first][0]) - how.reach * (greatest - least)
            return int(search(self.x, np.array([start]), "left")[0]), last
        behind = 0 if how.kind == "exponential" else math.ceil(how.reach)
        return max(first - math.ceil(how.reach), 0), min(last + behind, len(self))


def _as_drawn(x: Column) -> Column:
    """An ascending x; as the floats that are drawn, where whole numbers are so large that these are rounded.

    A window's ends are such floats, and would leave out the last steps of a run that counts nanoseconds.
    """
    ends = np.append(x[:1], x[len(x) - 1 :])
    far = ends.dtype.kind == "i" and bool(((ends > _EXACT) | (ends < -_EXACT)).any())
    return _floats(x[:]) if far else x


class _Stretch:
    """Where a window lies in an x axis, which curves may share.

    Attributes:
        first, last: the place of its first point, and that behind its last one.
        order: the places of its points by x, in the order of recording; None if they are recorded by x.
        x: of its points, or of the first one of each of its columns.
        x_last: of the last point of each of its columns.
        edges: those of its columns; None if it is drawn in points.
        before, after: x of the points next to it; None without one, and where x does not ascend.
    """

    def __init__(self, trace: Trace, start: float, end: float, width: int, log: bool) -> None:
        x = trace.x
        self.first = int(search(x, np.array([start]), "left")[0])
        self.last = int(search(x, np.array([end]), "right")[0])
        self.edges: ColumnEdges | None = None
        self.order: Indices | None = None
        if self.count > FEW * width:
            edges = _filled(pixel_places(x, start, end, width, log=log))
            self.edges = ColumnEdges(edges)
            self.x, self.x_last = _floats(x[edges[:-1]]), _floats(x[edges[1:] - 1])
            self.n = np.diff(edges)
            self.none = np.zeros(len(self.n), np.int64)
            # What is read of y: the points at the ends of each column, and those beside the window.
            beside = [max(self.first - 1, 0), min(self.last, len(trace) - 1)]
            self.ends = np.concatenate((edges[:-1], edges[1:] - 1, beside))
        elif trace.order is None:
            self.x = _floats(x[self.first : self.last])
        else:
            self.order = np.sort(trace.order[self.first : self.last])
            self.x = _floats(trace.recorded[0][self.order])
        self.before, self.after = (
            float(x[place : place + 1][0]) if trace.order is None and 0 <= place < len(trace) else None
            for place in (self.first - 1, self.last)
        )

    @property
    def count(self) -> int:
        return self.last - self.first

    def points(self, trace: Trace) -> Window:
        if self.order is not None:
            return Window(Points(self.x, _floats(trace.recorded[1][self.order])), self.count)
        low = self.first - (self.before is not None)
        y = _floats(trace.y[low : self.last + (self.after is not None)])
        ends = (y[0], y[-1]) if len(y) else (math.nan, math.nan)
        return self._window(Points(self.x, y[self.first - low :][: self.count]), *ends)

    def columns(self, trace: Trace, least: Floats, greatest: Floats) -> Window:
        assert self.edges is not None
        ends = _floats(trace.y[self.ends])
        count = len(self.n)
        counts = (self.none, self.none, self.none)
        if trace.pyramid.odd:
            counts = trace.pyramid.counts(trace.y, self.edges.places)
            none = sum(counts) == self.n
            least, greatest = np.where(none, np.nan, least), np.where(none, np.nan, greatest)
        drawn = Columns(self.x, self.x_last, ends[:count], least, greatest, ends[count:-2], self.n, *counts)
        return self._window(drawn, ends[-2], ends[-1])

    def _window(self, drawn: Points | Columns, before: float, after: float) -> Window:
        return Window(
            drawn,
            self.count,
            None if self.before is None else (self.before, float(before)),
            None if self.after is None else (self.after, float(after)),
        )


def windows_of(
    traces: Sequence[Trace],
    start: float,
    end: float,
    width: int,
    *,
    log: bool = False,
    between: Callable[[], None] = lambda: None,
) -> list[Window]:
    """The window of each trace, as of `Trace.window`: of many at once, each one costs much less.

    Args:
        traces: the curves.
        start, end, width, log: as of `pixel_places`.
        between: called after every few curves, to give memory of their columns back.
    """
    known: dict[object, _Stretch] = {}
    windows: list[Window] = []
    for first in range(0, len(traces), _AT_ONCE):
        some = []
        for trace in traces[first : first + _AT_ONCE]:
            key = _axis(trace.x)
            stretch = known.get(key) or known.setdefault(key, _Stretch(trace, start, end, width, log))
            some.append((trace, stretch))
        thinned = [(trace, one.edges) for trace, one in some if one.edges is not None]
        extremes = iter(
            column_extremes(
                [(trace.pyramid, trace.y) for trace, _ in thinned], [edges for _, edges in thinned]
            )
        )
        windows += [
            one.points(trace) if one.edges is None else one.columns(trace, *next(extremes))
            for trace, one in some
        ]
        between()
    return windows


def _axis(x: Column) -> object:
    """Differs for x axes that differ; steps at even distances are the same for many curves."""
    if isinstance(x, Packed) and x.data is None:
        return x.count, x.first, x.stride
    return id(x)


def columns_of(x: Floats, y: Floats, places: Ints) -> Columns:
    """The pixel columns of points that are all at hand; ``places`` as of `pixel_places`."""
    edges = _filled(places)
    low, high = edges[:-1], edges[1:]
    if not len(low):
        nothing, none = np.empty(0), np.empty(0, np.int64)
        return Columns(nothing, nothing, nothing, nothing, nothing, nothing, none, none, none, none)
    part, starts = y[low[0] : high[-1]], low - low[0]
    finite = np.where(np.isfinite(part), part, np.nan)
    counts = [
        np.add.reduceat(kind.astype(np.int64), starts)
        for kind in (np.isnan(part), np.isposinf(part), np.isneginf(part))
    ]
    least, greatest = np.fmin.reduceat(finite, starts), np.fmax.reduceat(finite, starts)
    return Columns(x[low], x[high - 1], y[low], least, greatest, y[high - 1], high - low, *counts)


def _filled(places: Ints) -> Ints:
    """The places without columns that hold no points."""
    return np.append(places[:-1][places[1:] > places[:-1]], places[-1])


def _floats(values: AnyArray) -> Floats:
    return np.asarray(values, dtype=np.float64)
