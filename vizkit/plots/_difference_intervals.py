"""`difference_intervals`: differences with their intervals, beside zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish
from vizkit.runs.formatting import shorten_all
from vizkit.runs.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import ErrorbarContainer

__all__ = ["DifferenceIntervals", "DifferenceIntervalsPlot", "difference_intervals"]


@dataclass(frozen=True, eq=False)
class DifferenceIntervals:
    """Differences with their intervals.

    Attributes:
        names: (n,) what each is called.
        intervals: (n,) the differences.
    """

    names: tuple[str, ...]
    intervals: tuple[Interval, ...]


@dataclass(eq=False, repr=False)
class DifferenceIntervalsPlot(Plot[DifferenceIntervals]):
    """The artists of `difference_intervals`: a point with its interval a row."""

    points: list[ErrorbarContainer]


def difference_intervals(
    names: Sequence[str],
    intervals: Sequence[tuple[float, float, float]],
    *,
    label: str = "",
    ax: Axes | None = None,
) -> DifferenceIntervalsPlot:
    """Draw differences with their intervals; `Comparison.plot` and `Verdict.plot` draw theirs.

    Those whose interval leaves zero out are in colour. An interval without an end reaches to the edge.

    Args:
        names: (n,) of the differences.
        intervals: (n,) value, low, high of each; NaN or infinite ends where there are none.
        label: of the x axis.
        ax: axes to draw into; a new figure by default.
    """
    data = DifferenceIntervals(tuple(names), tuple(Interval(*each) for each in intervals))
    n = len(data.names)
    ax, new = axes_for(ax, 6.4, max(0.4 * n + 1.1, 1.6))
    looks = looks_on(ax)
    ends = np.array([end for each in data.intervals for end in (*each, 0.0) if np.isfinite(end)])
    room = 0.1 * (float(np.ptp(ends)) or 1.0)
    edges = float(ends.min()) - room, float(ends.max()) + room
    ax.axvline(0, color=looks.pale, linewidth=1)
    points = []
    for row, each in enumerate(data.intervals):
        told = each.low > 0 or each.high < 0
        low, high = (np.clip(np.nan_to_num(end, nan=each.value), *edges) for end in each[1:])
        sides = [[max(each.value - low, 0.0)], [max(high - each.value, 0.0)]]
        color = looks.color(0) if told else looks.pale
        points.append(
            ax.errorbar(each.value, row, xerr=sides, fmt="o", markersize=6, elinewidth=2, color=color)
        )
    ax.set_xlim(*edges)
    ax.set_yticks(range(n), shorten_all(data.names, 40))
    ax.set_ylim(n - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(label)
    finish(ax)
    return DifferenceIntervalsPlot(data, ax, new, points)
