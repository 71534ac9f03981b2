"""The numbers that a chart carries along: all points of short curves, extremes of stretches of long ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from vizkit._checks import one_of, whole_number
from vizkit._language import tr
from vizkit.curves.binary_body import Body
from vizkit.curves.curves import Partial
from vizkit.curves.expressions import runs_with
from vizkit.curves.group_windows import GroupWindow, group_window, trace_bounds
from vizkit.curves.means import Band, band_text
from vizkit.curves.plot_arguments import (
    RunSource,
    as_runs,
    chosen_tags,
    group_positions,
    labelled_groups,
    positions,
)
from vizkit.curves.smoothing import Smoothing, SmoothLike, smoothing
from vizkit.curves.traces import trace_of
from vizkit.curves.windows import FEW, Columns, Points, Trace
from vizkit.curves.x_axis import X, check_x
from vizkit.media.palette import COLORS, color, lap
from vizkit.metrics.arrays import AnyArray
from vizkit.runs import Run

__all__ = ["POINTS", "Embedded", "Options", "Row", "embedded", "packed_chart"]

POINTS = 50_000
"""Numbers that the curves of a chart have together."""

_LEAST_STRETCHES = 200  # of a curve, however many there are
_WEIGHTS = ("0.6", "0.9", "0.99")  # of long curves, which the page cannot smooth itself
_COARSER = 8  # columns of a curve to one of its smoothed ones

_Places = dict[str, object]


@dataclass(frozen=True)
class Options:
    """Choices of what is shown of a tag; the arguments of `vizkit.charts.chart`."""

    x: X = "step"
    by: str | Sequence[str] | None = None
    smooth: SmoothLike = 0.0
    band: Band | None = "std"
    partial: Partial = "dotted"
    log: bool | Literal["x", "y", "xy"] = False
    outliers: bool = True
    points: int = POINTS
    quick: bool = False
    """Long curves are embedded in the given smoothing alone: others would take all points again."""

    def __post_init__(self) -> None:
        one_of("band", self.band, ("std", "se", "ci", "minmax", None))
        one_of("partial", self.partial, ("dotted", "stop"))
        one_of("log", self.log, (True, False, "x", "y", "xy"))
        whole_number("points", self.points)
        smoothing(self.smooth)


@dataclass(frozen=True)
class Row:
    """A curve in a few numbers: the chart's text.

    Attributes:
        name: of the run or group.
        tag: the scalar tag.
        n: number of points.
        last, least, greatest: values; NaN without one.
    """

    name: str
    tag: str
    n: int
    last: float
    least: float
    greatest: float


@dataclass(eq=False)
class Embedded:
    """The curves of some panels, packed.

    Attributes:
        panels: their heads.
        body: the arrays.
        rows: a line for each curve.
        stretches: the fewest stretches that a long curve is embedded as; 0 if all points are there.
        levels: smoothings that are there; empty if the page smooths all curves itself.
    """

    panels: list[dict[str, object]] = field(default_factory=list)
    body: Body = field(default_factory=Body)
    rows: list[Row] = field(default_factory=list)
    stretches: int = 0
    levels: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Line:
    """A curve to be: the trace of a run, or those of a group's runs."""

    name: str
    position: int
    tag: str
    traces: list[Trace]
    group: bool


def embedded(source: RunSource, panels: Sequence[str | Sequence[str]], options: Options) -> Embedded:
    """Gather the curves of panels, each of a tag or several.

    Raises:
        DataError: an argument that is not allowed, or no epochs for the x axis.
        UnknownNameError: no run has the tag.
    """
    runs = as_runs(source)
    found = [
        [line for tag in chosen_tags(runs, tags) for line in _lines(source, runs, tag, options)]
        for tags in panels
    ]
    share = _share([max(map(len, line.traces)) for lines in found for line in lines], options.points)
    width = max(-(-share // FEW), _LEAST_STRETCHES)
    how = smoothing(options.smooth)
    long = any(len(trace) > FEW * width for lines in found for line in lines for trace in line.traces)
    out = Embedded()
    if how and (how.kind != "exponential"):
        out.levels = ["0", str(options.smooth)]
    elif long:
        given = {str(how.amount)} if how else set()
        out.levels = ["0", *sorted({*(() if options.quick else _WEIGHTS), *given}, key=float)]
    for tags, lines in zip(panels, found, strict=True):
        names = chosen_tags(runs, tags)
        bands = ""
        curves = []
        for line in lines:
            if line.group:
                text, curve = _group(line, lines, width, options, out)
                bands = bands or text
            else:
                curve = _run(line, width, out)
            curves.append(curve | _look(line, lines, names))
        out.panels.append({"title": ", ".join(names), "tags": names, "band": bands, "curves": curves})
    return out


def _lines(source: RunSource, every: Sequence[Run], tag: str, options: Options) -> list[_Line]:
    runs = runs_with(every, tag)
    check_x(runs, options.x)
    if options.by is None:
        each = zip(runs, positions(runs), strict=True)
        lines = [_Line(run.name, place, tag, [trace_of(run, tag, options.x)], False) for run, place in each]
    else:
        places = group_positions(source, options.by)
        lines = [
            _Line(name, places[name], tag, [trace_of(run, tag, options.x) for run in some], True)
            for name, some in labelled_groups(runs, options.by).items()
        ]
    return [line for line in lines if any(map(len, line.traces))]


def _share(counts: Sequence[int], points: int) -> int:
    """The length up to which curves are whole, if all of them are to have so many points together."""
    left, rest = points, len(counts)
    for count in sorted(counts):
        if count * rest > left:
            return left // rest
        left, rest = left - count, rest - 1
    return max(counts, default=0)


def _look(line: _Line, lines: Sequence[_Line], tags: Sequence[str]) -> dict[str, object]:
    """Name, colour and dashes: tags of one run differ in colour, those of several in dashes."""
    alone = len({other.name for other in lines}) == 1
    turn = tags.index(line.tag)
    place = line.position + (turn % len(COLORS) if alone else 0)
    dash = turn // len(COLORS) if alone else turn if len(tags) > 1 else lap(place)
    return {"name": line.name, "tag": line.tag, "color": color(place), "dash": dash}


def _run(line: _Line, width: int, out: Embedded) -> dict[str, object]:
    (trace,) = line.traces
    start, end = trace.range or (0.0, 0.0)
    drawn = trace.window(start, end, width).drawn
    last = float(np.asarray(trace.recorded[1][len(trace.recorded[1]) - 1 :])[0])
    least, greatest = trace.extremes
    if least > greatest:
        least = greatest = float("nan")
    out.rows.append(Row(line.name, line.tag, len(trace), last, least, greatest))
    smooth = {}
    for level in _levels(drawn, out):
        part = width if isinstance(drawn, Points) else width // _COARSER
        smooth[level] = _drawn(trace.smoothed(start, end, part, smoothing(level)).drawn, out)
    return {
        "kind": _kind(drawn, out),
        "n": len(trace),
        "members": 0,
        "arrays": _drawn(drawn, out),
        "smooth": smooth,
    }


def _group(
    line: _Line, lines: Sequence[_Line], width: int, options: Options, out: Embedded
) -> tuple[str, dict[str, object]]:
    """The way in which the band was computed, and the mean's curve."""
    traces = [trace for trace in line.traces if len(trace)]
    ranges = [ends for trace in traces if (ends := trace.range)]
    start, end = min(low for low, _ in ranges), max(high for _, high in ranges)
    bounds = trace_bounds(
        line.tag, [trace for other in lines if other.tag == line.tag for trace in other.traces]
    )
    band = options.band if len(traces) > 1 else None

    def window(width: int, how: Smoothing) -> GroupWindow:
        found = group_window(traces, start, end, width, center="mean", band=band, bounds=bounds, how=how)
        return _whole(found, len(traces)) if options.partial == "stop" else found

    plain = window(width, smoothing(0))
    y, least, greatest = _sides(plain.drawn)
    none = float("nan")
    out.rows.append(
        Row(
            f"{line.name} ({tr('mean')})",
            line.tag,
            len(y),
            float(y[-1]) if len(y) else none,
            float(np.fmin.reduce(least, initial=none)),
            float(np.fmax.reduce(greatest, initial=none)),
        )
    )
    smooth = {}
    for level in _levels(plain.drawn, out):
        part = width if isinstance(plain.drawn, Points) else width // _COARSER
        smooth[level] = _mean(window(part, smoothing(level)), out)
    curve: dict[str, object] = {
        "kind": _kind(plain.drawn, out),
        "n": len(y),
        "members": len(line.traces),
        "arrays": _mean(plain, out),
        "smooth": smooth,
    }
    return (band_text("mean", band, bounds) if band else ""), curve


def _whole(window: GroupWindow, runs: int) -> GroupWindow:
    """A window without the places before the first and behind the last one that all runs reach."""
    full = np.flatnonzero(window.reach == runs)
    kept = slice(full[0], full[-1] + 1) if len(full) else slice(0, 0)
    parts = (array[kept] for array in window.drawn)
    drawn = Points(*parts) if isinstance(window.drawn, Points) else Columns(*parts)  # type: ignore[arg-type]
    low, high = (None if side is None else side[kept] for side in (window.low, window.high))
    return GroupWindow(drawn, low, high, window.reach[kept])


def _sides(drawn: Points | Columns) -> tuple[AnyArray, AnyArray, AnyArray]:
    return (drawn.y,) * 3 if isinstance(drawn, Points) else (drawn.last, drawn.least, drawn.greatest)


def _levels(drawn: Points | Columns, out: Embedded) -> list[str]:
    """The smoothings that a curve is embedded in; the page computes exponential ones of all points itself."""
    own = isinstance(drawn, Points)
    every = out.levels[1:]
    return [level for level in every if not (own and smoothing(level).kind == "exponential")]


def _kind(drawn: Points | Columns, out: Embedded) -> str:
    if isinstance(drawn, Points):
        return "points"
    out.stretches = min(out.stretches or len(drawn.x), len(drawn.x))
    return "columns"


def _mean(window: GroupWindow, out: Embedded) -> _Places:
    places = _drawn(window.drawn, out) | {"reach": out.body.add(window.reach)}
    if window.low is not None and window.high is not None:
        places |= {"low": out.body.add(window.low), "high": out.body.add(window.high)}
    return places


def _drawn(drawn: Points | Columns, out: Embedded) -> _Places:
    odd = ("nan", "above", "below")
    arrays = drawn._asdict().items()
    return {
        name: out.body.add(array)
        for name, array in arrays
        if name != "n" and (name not in odd or array.any())
    }


def packed_chart(data: Embedded, head: dict[str, Any]) -> bytes:
    """The bytes that the page reads: all else that it needs to know, the panels, and the arrays."""
    whole = {**head, "panels": data.panels, "stretches": data.stretches, "levels": data.levels}
    return data.body.behind(json.dumps(whole, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))
