"""`curves`: scalars of runs, or means of groups of runs, over steps, epochs or time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vizkit._checks import one_of
from vizkit.curves.curves import Curve, CurvesData, Partial, curves_data
from vizkit.curves.means import Band
from vizkit.curves.plot_arguments import RunSource
from vizkit.curves.smoothing import SmoothLike, smoothing
from vizkit.curves.x_axis import X
from vizkit.format.tags import SECONDS
from vizkit.metrics.downsampling import Thinned, thinned
from vizkit.plots._plot import PALE, Plot, add_legend, axes_for, finish, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

__all__ = ["CurvesPlot", "curves"]

_LABELS = {
    "step": "step",
    "epoch": "epoch",
    "time": "time since the start",
    "relative": "time since the first record",
    "walltime": "seconds since 1970",
}
_MARKERS = ((np.isnan, "x", 0.02), (np.isposinf, "^", 0.98), (np.isneginf, "v", 0.02))


@dataclass(eq=False, repr=False)
class CurvesPlot(Plot[CurvesData]):
    """The artists of `curves`.

    Attributes:
        lines: name -> line.
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
    tag: str,
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
    """Draw a scalar tag of runs, or of groups of runs, a line each.

    Long curves are thinned for drawing; peaks and dips stay. NaN values are gaps in the line, with a mark at
    the edge.

    Args:
        source: a run or several; those without the tag are left out.
        tag: a scalar tag, such as ``train/loss``.
        x: ``"step"``; ``"epoch"`` (from ``train/epoch``, which the hooks record); ``"time"`` since the
            start of the run; ``"relative"``, the time since the first record of the tag; ``"walltime"``,
            seconds since 1970; or another scalar tag, whose values at the same steps are x.
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
    if log_y:
        ax.set_yscale("log", nonpositive="mask")
    for line in data.series:
        _draw(line, plot, bool(smoothing(smooth)))
    if data.limits is not None:
        ax.set_ylim(*_padded(data.limits, log_y))
    label = "seconds" if data.x == "step" and data.tag.startswith(SECONDS) else _LABELS.get(data.x, data.x)
    ax.set(xlabel=f"{label} ({data.unit})" if data.unit else label, ylabel=data.tag)
    ax.grid(color="#eaeef2", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.margins(x=0.02)
    plot.note = _note(data, ax)
    runs = {line.name: f"  ({line.runs_text})" if by else "" for line in data.series}
    plot.legend = add_legend(ax, new, {name + runs[name]: line for name, line in plot.lines.items()})
    if plot.legend is None:
        ax.set_title(data.series[0].name + runs[data.series[0].name], fontsize="medium", loc="left")
    finish(ax)
    return plot


def _draw(line: Curve, plot: CurvesPlot, smooth: bool) -> None:
    style = line_style(line.position)
    points = thinned(line.x, line.smooth)
    if len(line.x) <= 30:
        style |= {"marker": "o", "markersize": 3.5}
    if smooth:
        raw = thinned(line.x, line.y)
        (plot.raw[line.name],) = plot.ax.plot(
            raw.x, raw.y, color=style["color"], alpha=0.25, linewidth=0.9, zorder=2
        )
    if line.low is not None and line.high is not None:
        low, high = thinned(line.x, line.low), thinned(line.x, line.high)
        x = np.unique(np.concatenate((low.x, high.x)))
        edges = np.interp(x, line.x, line.low), np.interp(x, line.x, line.high)
        plot.bands[line.name] = plot.ax.fill_between(
            x, *edges, color=style["color"], alpha=0.18, linewidth=0, zorder=1.5
        )
    whole = points
    if line.fewer.any():
        values, partial = line.parts(line.smooth)
        whole, part = thinned(line.x, values), thinned(line.x, partial)
        (plot.partial[line.name],) = plot.ax.plot(
            part.x, part.y, color=style["color"], linestyle=":", linewidth=1.2, zorder=2.5
        )
    (plot.lines[line.name],) = plot.ax.plot(whole.x, whole.y, linewidth=1.5, zorder=3, **style)
    plot.marks += _mark(points, plot.ax, style["color"])


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
        "above the axis": data.above,
        "below the axis": data.below,
        "not positive, not shown": data.hidden,
        "NaN (x)": int(np.isnan(values).sum()),
        "infinite (triangles)": int(np.isinf(values).sum()),
    }
    words = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    if not words:
        return None
    return ax.text(
        1.0, 1.01, words, transform=ax.transAxes, ha="right", va="bottom", fontsize="x-small", color=PALE
    )


def _padded(limits: tuple[float, float], log_y: bool) -> tuple[float, float]:
    low, high = limits
    if log_y:
        pad = (high / low) ** 0.03
        return low / pad, high * pad
    pad = 0.03 * (high - low)
    return low - pad, high + pad
