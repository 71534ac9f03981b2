"""`crossing`: the difference of two mean curves, and where they cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vizkit.curves.crossing import Crossing, crossing_of
from vizkit.curves.plot_arguments import RunSource, as_runs
from vizkit.curves.target_times import TimeAxis
from vizkit.curves.x_axis import X_LABELS
from vizkit.media.lettering import picture_text
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.lines import Line2D

__all__ = ["CrossingPlot", "crossing", "draw_crossing"]


@dataclass(eq=False, repr=False)
class CrossingPlot(Plot[Crossing]):
    """The artists of `crossing`: the difference, its band, and the marks of the crossings."""

    line: Line2D
    band: PolyCollection
    marks: Line2D


def crossing(
    a: RunSource,
    b: RunSource,
    metric: str,
    *,
    x: TimeAxis = "time",
    mode: str = "auto",
    ax: Axes | None = None,
) -> CrossingPlot:
    """Draw the result of `Runs.crossing`: the mean of B minus that of A, with its 95 % interval.

    Args:
        a: runs.
        b: runs.
        metric: a scalar tag.
        x: ``"time"``, ``"relative"``, ``"step"`` or ``"epoch"``, as in `Runs.crossing`.
        mode: ``"max"``, ``"min"`` or ``"auto"``, as in `Run.best`.
        ax: axes to draw into; a new figure by default.

    Raises:
        UnknownNameError: no run of a side has the metric.
        QueryError: curves without a common stretch of x.
    """
    return draw_crossing(crossing_of(as_runs(a), as_runs(b), metric, x, mode), ax)


def draw_crossing(found: Crossing, ax: Axes | None) -> CrossingPlot:
    """Draw where two curves cross."""
    ax, new = axes_for(ax, 7.0, 3.4)
    looks = looks_on(ax)
    factor, unit = found.unit
    at = found.at / factor
    ax.axhline(0, color=looks.pale, linewidth=1)
    band = ax.fill_between(at, found.low, found.high, color=looks.color(0), alpha=0.2, linewidth=0)
    (line,) = ax.plot(at, found.difference, color=looks.color(0))
    places: Sequence[float] = [place / factor for place in found.crossings]
    (marks,) = ax.plot(places, [0.0] * len(places), "o", markersize=6, color=looks.ink, zorder=3)
    timed = found.x in ("time", "relative")
    ax.set_xlabel(f"{picture_text(X_LABELS[found.x])} ({unit})" if timed else unit)
    ax.set_ylabel(picture_text("{metric}: B minus A", metric=found.metric))
    finish(ax)
    return CrossingPlot(found, ax, new, line, band, marks)
