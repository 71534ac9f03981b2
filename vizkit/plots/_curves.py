"""Scalars as curves: runs, or means of groups of runs, over steps, epochs or time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vizkit.curves.curves import Band, Curve, CurvesData, curves_data
from vizkit.curves.x_axis import X
from vizkit.errors import DataError
from vizkit.format.tags import SECONDS
from vizkit.metrics.downsampling import Thinned, thinned
from vizkit.plots._plot import PALE, Plot, add_legend, axes_for, finish, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CurvesPlot", "curves"]

_LABELS = {
    "step": "step",
    "epoch": "epoch",
    "time": "time since the start",
    "relative": "time since the first record",
}
_MARKERS = ((np.isnan, "x", 0.02), (np.isposinf, "^", 0.98), (np.isneginf, "v", 0.02))


@dataclass(eq=False, repr=False)
class CurvesPlot(Plot[CurvesData]):
    """What `curves` drew.

    Attributes:
        lines: name -> line.
        raw: name -> the faint line of what was recorded, where ``lines`` are smoothed.
        bands: name -> area.
        marks: where values are NaN (``x``), inf or -inf (triangles).
        note: the text that tells what is not seen; None where all is.
        legend: None for a single line.
    """

    lines: dict[str, Any]
    raw: dict[str, Any]
    bands: dict[str, Any]
    marks: list[Any]
    note: Any
    legend: Any


def curves(
    source: Any,
    tag: str,
    *,
    x: X = "step",
    by: str | Sequence[str] | None = None,
    smooth: float = 0.0,
    band: Band | None = "std",
    log: bool | Literal["x", "y", "xy"] = False,
    outliers: bool = True,
    ax: Axes | None = None,
) -> CurvesPlot:
    """Draws a scalar tag of runs, a line each, or of groups of runs.

    Long curves are thinned for drawing; peaks and dips stay. Where a value is NaN the line has a gap with
    a mark at the edge.

    Args:
        source: a run or several; those without the tag are left out.
        tag: a scalar tag, such as ``train/loss``.
        x: ``"step"``; ``"epoch"`` (told by ``train/epoch``, which the hooks record); ``"time"`` since the
            run's start; or ``"relative"``, the time since the tag's first record.
        by: a hyper-parameter, or several: a line for the mean of all runs of a value.
        smooth: 0 (off) to below 1: an exponential moving average, as TensorBoard's, over what was
            recorded, which is drawn faint beneath.
        band: around a mean: one standard deviation, the mean's 95 % interval (``"ci"``), the extremes
            (``"minmax"``), or none.
        log: logarithmic y (True), or the axes named.
        outliers: False to choose the y axis by the bulk of the values; how many lie outside is written.
        ax: axes to draw into; a figure of its own by default.

    Raises:
        DataError: an argument that makes no sense, or no epochs.
        UnknownNameError: no run has the tag, or the hyper-parameter.
    """
    if log not in (True, False, "x", "y", "xy"):
        raise DataError(f"log must be True, False, 'x', 'y' or 'xy', got {log!r}")
    log_x, log_y = log in ("x", "xy"), log in (True, "y", "xy")
    data = curves_data(source, tag, x=x, by=by, smooth=smooth, band=band, outliers=outliers, log_y=log_y)
    ax, new = axes_for(ax)
    plot = CurvesPlot(data, ax, new, {}, {}, {}, [], None, None)
    if new and x in ("step", "epoch"):
        ax.locator_params(axis="x", integer=True)
    if log_x:
        ax.set_xscale("symlog" if any((line.x <= 0).any() for line in data.series) else "log")
    if log_y:
        ax.set_yscale("log", nonpositive="mask")
    for line in data.series:
        _draw(line, plot, smooth > 0)
    if data.limits is not None:
        ax.set_ylim(*_padded(data.limits, log_y))
    label = "seconds" if data.x == "step" and data.tag.startswith(SECONDS) else _LABELS[data.x]
    ax.set_xlabel(f"{label} ({data.unit})" if data.unit else label)
    ax.set_ylabel(data.tag)
    ax.grid(color="#eaeef2", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.margins(x=0.02)
    plot.note = _note(data, ax)
    runs = {line.name: f"  ({line.runs} run{'s' * (line.runs > 1)})" if by else "" for line in data.series}
    plot.legend = add_legend(ax, new, {name + runs[name]: line for name, line in plot.lines.items()})
    if plot.legend is None:
        ax.set_title(data.series[0].name, fontsize="medium", loc="left")
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
        plot.bands[line.name] = plot.ax.fill_between(
            x,
            np.interp(x, line.x, line.low),
            np.interp(x, line.x, line.high),
            color=style["color"],
            alpha=0.18,
            linewidth=0,
            zorder=1.5,
        )
    (plot.lines[line.name],) = plot.ax.plot(points.x, points.y, linewidth=1.5, zorder=3, **style)
    plot.marks += _mark(points, plot.ax, style["color"])


def _mark(points: Thinned, ax: Axes, color: str) -> list[Any]:
    marks = []
    for is_it, marker, height in _MARKERS:
        x = points.gaps_x[is_it(points.gaps_y)]
        if len(x):
            marks += ax.plot(
                x,
                np.full(len(x), height),
                marker,
                color=color,
                markersize=6,
                markeredgewidth=1.6,
                zorder=4,
                transform=ax.get_xaxis_transform(),
                scalex=False,
                scaley=False,
            )
    return marks


def _note(data: CurvesData, ax: Axes) -> Any:
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
