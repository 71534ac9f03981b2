"""`trials`: the course of a search for hyper-parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from vizkit.media.lettering import picture_text
from vizkit.metrics.arrays import Floats
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import ErrorbarContainer
    from matplotlib.lines import Line2D

__all__ = ["TrialsData", "TrialsPlot", "trials", "trials_data"]


@dataclass(frozen=True, eq=False)
class TrialsData:
    """Trials in the order of their start.

    Attributes:
        metric: the scalar tag.
        values: (n,) the value of each trial; NaN of one that was ended early or has failed.
        spreads: (n,) the standard deviation over the seeds; NaN of fewer than two.
        best: (n,) the best value up to each trial; NaN before the first.
    """

    metric: str
    values: Floats
    spreads: Floats
    best: Floats


@dataclass(eq=False, repr=False)
class TrialsPlot(Plot[TrialsData]):
    """The artists of `trials`: points with their spreads, the line of the best, marks of trials without."""

    points: ErrorbarContainer
    best: Line2D
    without: Line2D


def trials(
    values: Sequence[float],
    *,
    metric: str,
    mode: Literal["min", "max"],
    spreads: Sequence[float] | None = None,
    ax: Axes | None = None,
) -> TrialsPlot:
    """Draw the value of each trial of a search, and the best so far; `SweepResult.plot` draws a sweep's.

    Args:
        values: (n,) of each trial, in the order of their start; NaN of one without a value, which is marked
            at the lower edge.
        metric: the name of the value.
        mode: ``"max"`` or ``"min"``: the better direction.
        spreads: (n,) standard deviations over the seeds, drawn as bars; NaN where there is none.
        ax: axes to draw into; a new figure by default.
    """
    data = trials_data(values, metric, mode, spreads)
    ax, new = axes_for(ax)
    from matplotlib.ticker import MaxNLocator

    looks = looks_on(ax)
    numbers = np.arange(len(data.values))
    there = np.isfinite(data.values)
    points = ax.errorbar(
        numbers[there],
        data.values[there],
        yerr=np.nan_to_num(data.spreads[there]),
        fmt="o",
        markersize=4,
        elinewidth=1,
        color=looks.color(0),
        label=picture_text("a trial"),
    )
    (best,) = ax.plot(
        numbers, data.best, drawstyle="steps-post", color=looks.ink, label=picture_text("the best so far")
    )
    (without,) = ax.plot(
        numbers[~there],
        np.full(int((~there).sum()), 0.02),
        "x",
        markersize=4,
        color=looks.pale,
        transform=ax.get_xaxis_transform(),
        clip_on=False,
        label=picture_text("ended early, or failed"),
    )
    ax.set_xlabel(picture_text("trial"))
    ax.set_ylabel(metric)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(
        handles=[points, best, *([without] if (~there).any() else [])],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=3,
        fontsize="small",
        frameon=False,
    )
    finish(ax)
    return TrialsPlot(data, ax, new, points, best, without)


def trials_data(
    values: Sequence[float], metric: str, mode: Literal["min", "max"], spreads: Sequence[float] | None = None
) -> TrialsData:
    """Compute the data of `trials`."""
    found = np.asarray(values, dtype=np.float64)
    spread = np.full(len(found), np.nan) if spreads is None else np.asarray(spreads, dtype=np.float64)
    best = (np.fmax if mode == "max" else np.fmin).accumulate(found) if len(found) else found
    return TrialsData(metric, found, spread, best)
