"""`curves`: scalars of runs, or means of groups of runs, over steps, epochs or time."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vizkit._checks import one_of
from vizkit._language import mark
from vizkit.curves.curves import Curve, CurvesData, Partial, curves_data
from vizkit.curves.means import Band
from vizkit.curves.plot_arguments import RunSource
from vizkit.curves.smoothing import SmoothLike, smoothing
from vizkit.curves.x_axis import X_LABELS, X
from vizkit.format.tags import SECONDS
from vizkit.media.lettering import picture_text
from vizkit.metrics.arrays import Floats
from vizkit.metrics.downsampling import Thinned, thinned
from vizkit.plots._lines import Lines, lines_of
from vizkit.plots._log_axis import few_decades, round_log_ticks
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish
from vizkit.runs.formatting import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

__all__ = ["CurvesPlot", "curves"]

_MOST_IN_ALL = 400_000  # points
_DAY = 86_400.0  # seconds
_MANY = 20  # lines, from which on they are thin
_LEAST, _GREATEST = 1e-280, 1e290  # of the values that matplotlib's axes bear
_MARKERS = ((np.isnan, "x", 0.02), (np.isposinf, "^", 0.98), (np.isneginf, "v", 0.02))


@dataclass(eq=False, repr=False)
class CurvesPlot(Plot[CurvesData]):
    """The artists of `curves`.

    Attributes:
        lines: name -> line; of several tags: tag, or run and tag.
        raw: name -> the faint line of recorded values, where ``lines`` are smoothed.
        partial: name -> dotted line of a mean where fewer runs than those of the group reach.
        bands: name -> area.
        marks: marks where values are NaN (``x``), inf or -inf (triangles).
        note: the text on values that are not visible; None if all are.
        legend: the legend; None for a single line.
    """

    lines: dict[str, Line2D]
    raw: dict[str, Line2D]
    partial: dict[str, Line2D]
    bands: dict[str, PolyCollection]
    marks: list[Line2D]
    note: Text | None
    legend: Legend | None


def curves(
    source: RunSource,
    tag: str | Sequence[str],
    *,
    x: X = "step",
    by: str | Sequence[str] | None = None,
    smooth: SmoothLike = 0.0,
    band: Band | None = "std",
    partial: Partial = "dotted",
    log: bool | Literal["x", "y", "xy"] = False,
    outliers: bool = True,
    ax: Axes | None = None,
) -> CurvesPlot:
    """Draw a scalar tag, or several, of runs or of groups of runs, a line each.

    Long curves are thinned for drawing; peaks and dips stay, on every stretch of the axis. NaN values are
    gaps in the line, with a mark at the edge. Several plots in the same axes share a legend.

    Args:
        source: a run or several; those without the tag are left out.
        tag: a scalar tag, such as ``train/loss``, a pattern (``*/loss``), an expression over tags in braces
            (``{eval/loss} - {train/loss}``), or several. A line has its run's colour, and dashes of its own
            where colours are equal; tags of a single run have a colour each.
        x: ``"step"``; ``"epoch"`` (from ``train/epoch``, which the hooks record); ``"time"`` since the
            start of the run; ``"relative"``, the time since the first record of the tag; ``"walltime"``, the
            time of day; or another scalar tag, whose values at the same steps are x.
        by: a hyper-parameter, or several: draw the mean of all runs with the same value.
        smooth: 0 (off) to below 1: the weight of an exponential moving average, as in TensorBoard; or
            ``"time:0.9"``, the same by x, ``"gaussian:20"`` or ``"mean:50"``, over so many points. Recorded
            values are drawn faintly beneath.
        band: the band around a mean: one standard deviation, the standard error (``"se"``), the 95 %
            confidence interval of the mean (``"ci"``), the extremes (``"minmax"``), or none. It stays
            within the bounds of a metric that has some: 0 and 1 of an accuracy.
        partial: where fewer runs than those of the group have values (some have ended, or are NaN), the mean
            jumps: draw it ``"dotted"`` there, or ``"stop"`` it where a first run ends. The legend says how
            many they are.
        log: logarithmic y (True), or the axes named.
        outliers: False to fit the y axis to the bulk of the values; a note counts those outside.
        ax: axes to draw into; a new figure by default.

    Raises:
        DataError: an argument that is not allowed, or no epochs.
        UnknownNameError: no run has the tag, or the hyper-parameter.
    """
    one_of("log", log, (True, False, "x", "y", "xy"))
    log_x, log_y = log in ("x", "xy"), log in (True, "y", "xy")
    data = curves_data(
        source, tag, x=x, by=by, smooth=smooth, band=band, partial=partial, outliers=outliers, log_y=log_y
    )
    ax, new = axes_for(ax)
    plot = CurvesPlot(data, ax, new, {}, {}, {}, {}, [], None, None)
    if new and x in ("step", "epoch"):
        ax.locator_params(axis="x", integer=True)
    if log_x:
        ax.set_xscale("symlog" if any((line.x <= 0).any() for line in data.series) else "log")
        if ax.get_xscale() == "log":
            round_log_ticks(ax.xaxis)
        else:
            few_decades(ax.xaxis)
    if log_y:
        ax.set_yscale("log", nonpositive="mask")
        round_log_ticks(ax.yaxis)
    factor = _factor(data, log_y)
    scale = functools.partial(_scaled, factor=factor, log_y=log_y)
    drawn = lines_of(ax)
    alone = len({line.name for line in data.series}) == 1
    for line, label in zip(_on_axis(data, ax, log_x), data.labels, strict=True):
        style = drawn.style(line.name, line.position, alone)
        _draw(line, label, plot, style, scale, bool(smoothing(smooth)))
        drawn.add(plot.lines[label], line.name, line.tag, f"  ({picture_text(line.runs_text)})" if by else "")
    if data.limits is not None:
        ax.set_ylim(*_padded(data.limits, factor, log_y))
    _say_if_empty(data, ax, log_y, drawn)
    x = "seconds" if data.x == "step" and data.tag.startswith(SECONDS) else data.x
    label = picture_text(X_LABELS[x]) if x in X_LABELS else x
    unit = f" (× {factor:.0e})".replace("e+", "e") if factor != 1 else ""
    ax.set(xlabel=f"{label} ({data.unit})" if data.unit else label)
    ax.set_ylabel(shortened(", ".join(drawn.tags), 48) + unit)
    ax.grid(color=drawn.looks.grid, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.margins(x=0.02)
    plot.note = _note(data, ax)
    plot.legend = drawn.label(ax)
    finish(ax)
    return plot


def _draw(
    line: Curve,
    label: str,
    plot: CurvesPlot,
    style: dict[str, Any],
    scale: Callable[[Floats], Floats],
    smooth: bool,
) -> None:
    ax, n = plot.ax, len(plot.data.series)
    most = min(max(_MOST_IN_ALL // n, 800), 16_000)
    across = _across(line.x, ax)
    faint = {"color": style["color"], "alpha": 0.25, "linewidth": 0.9, "zorder": 2}
    points = thinned(line.x, scale(line.smooth), most, across)
    if len(line.x) <= 30:
        style |= {"marker": "o", "markersize": 3.5}
    if smooth:
        raw = thinned(line.x, scale(line.y), most, across)
        (plot.raw[label],) = ax.plot(raw.x, raw.y, **faint)
    if line.low is not None and line.high is not None:
        low, high = scale(line.low), scale(line.high)
        x = np.unique(np.concatenate([thinned(line.x, edge, most, across).x for edge in (low, high)]))
        edges = np.interp(x, line.x, low), np.interp(x, line.x, high)
        plot.bands[label] = ax.fill_between(
            x, *edges, color=style["color"], alpha=0.18, linewidth=0, zorder=1.5
        )
    whole = points
    if line.fewer.any():
        values, partial = line.parts(scale(line.smooth))
        whole, part = (thinned(line.x, each, most, across) for each in (values, partial))
        (plot.partial[label],) = ax.plot(
            part.x, part.y, color=style["color"], linestyle=":", linewidth=1.2, zorder=2.5
        )
    thin = 1.5 if n <= _MANY else 1.0
    (plot.lines[label],) = ax.plot(whole.x, whole.y, linewidth=thin, zorder=3, **style)
    there = line.x[np.isfinite(line.x)]
    if len(there):  # the axis reaches to values that are not finite, too
        ax.update_datalim([(there.min(), 0.0), (there.max(), 0.0)], updatey=False)
    plot.marks += _mark(points, ax, style["color"])


def _on_axis(data: CurvesData, ax: Axes, log_x: bool) -> Sequence[Curve]:
    """The curves as they are drawn: over matplotlib's dates, in local time, if x is a time of day."""
    if data.x != "walltime" or log_x:
        return data.series
    from dateutil.tz import tzlocal  # type: ignore[import-untyped]
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    locator = AutoDateLocator(tz=tzlocal())
    formatter = ConciseDateFormatter(locator, tz=tzlocal())
    formatter.formats[1:3] = "%Y-%m", "%m-%d"  # no names of months, which are in a language
    formatter.zero_formats[2:4] = "%Y-%m", "%m-%d"
    formatter.offset_formats[2:] = "%Y-%m", "%Y-%m-%d", "%Y-%m-%d", "%Y-%m-%d %H:%M"
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(formatter)
    start = float(date2num(np.datetime64(0, "s")))
    return [replace(line, x=start + line.x / _DAY) for line in data.series]


def _across(x: Floats, ax: Axes) -> Floats:
    """Where points stand on the x axis, up to a factor."""
    if ax.get_xscale() == "linear":
        return x
    return np.log(x) if (x > 0).all() else np.arcsinh(x)


def _factor(data: CurvesData, log_y: bool) -> float:
    """The power of ten to divide values by, so that axes bear them; 1 for all but the greatest and least."""
    every = np.concatenate([line.y for line in data.series])
    greatest = float(np.abs(every, where=np.isfinite(every), out=np.zeros(len(every))).max(initial=0.0))
    if 0 < greatest < _LEAST and not log_y:
        return 1e-300
    return 1.0 if greatest < _GREATEST else 1e100 if log_y else 1e300


def _scaled(values: Floats, factor: float, log_y: bool) -> Floats:
    if factor == 1.0:
        return values
    return np.where(values > 0, np.maximum(values / factor, 1e-250), values) if log_y else values / factor


def _say_if_empty(data: CurvesData, ax: Axes, log_y: bool, drawn: Lines) -> None:
    """No scale of values that are not there, as long as no curve in the axes has any."""
    values = [line.y[np.isfinite(line.y)] for line in data.series]
    there = any((each > 0).any() if log_y else len(each) for each in values)
    drawn.has_values = drawn.has_values or there
    if drawn.no_values is not None and drawn.has_values:  # but the curves before had none
        words, major, minor, scaled = drawn.no_values
        words.remove()
        ax.yaxis.set_major_locator(major)
        ax.yaxis.set_minor_locator(minor)
        ax.set_autoscaley_on(scaled and data.limits is None)
        drawn.no_values = None
    if drawn.has_values or drawn.no_values is not None:
        return
    why = mark("no positive value") if any(map(len, values)) else mark("no finite value")
    before = ax.yaxis.get_major_locator(), ax.yaxis.get_minor_locator(), ax.get_autoscaley_on()
    if before[-1] and log_y:
        ax.set_autoscaley_on(False)  # else matplotlib warns that it finds none
        ax.set_ylim(1, 10)
    ax.set_yticks([])
    ax.set_yticks([], minor=True)
    style: dict[str, Any] = {
        "ha": "center",
        "va": "center",
        "color": looks_on(ax).pale,
        "transform": ax.transAxes,
    }
    drawn.no_values = (ax.text(0.5, 0.5, picture_text(why), **style), *before)


def _mark(points: Thinned, ax: Axes, color: str) -> list[Line2D]:
    marks: list[Line2D] = []
    style: dict[str, Any] = {"color": color, "markersize": 6, "markeredgewidth": 1.6, "zorder": 4}
    style |= {"transform": ax.get_xaxis_transform(), "scalex": False, "scaley": False}  # at the edge
    for is_it, marker, height in _MARKERS:
        x = points.gaps_x[is_it(points.gaps_y)]
        if len(x):
            marks += ax.plot(x, np.full(len(x), height), marker, **style)
    return marks


def _note(data: CurvesData, ax: Axes) -> Text | None:
    values = np.concatenate([line.y for line in data.series])
    counts = {
        mark("above the axis"): data.above,
        mark("below the axis"): data.below,
        mark("not positive, not shown"): data.hidden,
        "NaN (x)": int(np.isnan(values).sum()),
        mark("infinite (triangles)"): int(np.isinf(values).sum()),
    }
    lines = lines_of(ax)
    for what, count in counts.items():
        lines.notes[what] = lines.notes.get(what, 0) + count
    if not lines.note:
        return None
    return ax.set_title(lines.note, loc="right", fontsize="x-small", color=lines.looks.pale)


def _padded(limits: tuple[float, float], factor: float, log_y: bool) -> tuple[float, float]:
    low, high = (_scaled(np.array(limits), factor, log_y)).tolist()
    if log_y:
        pad = 10 ** (0.03 * (math.log10(high) - math.log10(low)))
        return max(low / pad, 5e-324), high * pad
    pad = 0.03 * (high - low)
    return low - pad, high + pad
