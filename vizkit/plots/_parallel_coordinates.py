"""`parallel_coordinates`: an axis for each hyper-parameter, a line for each run, ending at its metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vizkit.curves.plot_arguments import RunSource, as_runs
from vizkit.metrics.arrays import Floats
from vizkit.plots._hparam_axes import HparamAxes, HparamAxis, hparam_axes
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish, write_beside
from vizkit.runs.formatting import shorten_all, value_texts
from vizkit.runs.statistics import checked_mode

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize
    from matplotlib.lines import Line2D

__all__ = ["ParallelPlot", "parallel_coordinates"]

_SMOOTH = 24  # points from one axis to the next


@dataclass(eq=False, repr=False)
class ParallelPlot(Plot[HparamAxes]):
    """The artists of `parallel_coordinates`: run -> line; and the name of the best run."""

    lines: dict[str, Line2D]
    best: str


def parallel_coordinates(
    source: RunSource,
    metric: str,
    *,
    hparams: Sequence[str] | None = None,
    mode: str = "auto",
    ax: Axes | None = None,
) -> ParallelPlot:
    """Draw each run as a line over its hyper-parameters to its best value of a metric.

    Here colours show the metric, not the run; the best run is drawn bold and named.

    Args:
        source: runs; those without the metric are left out.
        metric: a scalar tag.
        hparams: the hyper-parameters, in order; by default all that differ.
        mode: ``"max"``, ``"min"`` or ``"auto"``, as in `Run.best`.
        ax: axes to draw into; a new figure by default.

    Raises:
        UnknownNameError: no run has the metric, or the hyper-parameter.
        DataError: nothing differs, or a tag that does not tell which value is best.
    """
    data = hparam_axes(source, metric, hparams, mode)
    columns = data.columns
    ax, new = axes_for(ax, max(2.0 + 1.6 * len(columns), 5.0), 4.2)
    heights = np.array([_height(column) for column in columns])
    scores = columns[-1].places
    falling = checked_mode(as_runs(source), metric, mode) == "min"
    ranked = np.argsort(np.where(np.isnan(scores), np.inf, scores if falling else -scores), kind="stable")
    best = int(ranked[0])
    looks = looks_on(ax)
    ramp, norm = _ramp(scores, falling, looks.dark)
    lines = {}
    for k in ranked[::-1]:  # the best on top
        bold = k == best
        x, y = _bent(heights[:, k])
        (lines[data.names[k]],) = ax.plot(
            x,
            y,
            color=ramp(norm(scores[k])) if np.isfinite(scores[k]) else looks.pale,
            linewidth=3.2 if bold else 1.4,
            alpha=1.0 if bold else 0.8,
            zorder=4 if bold else 2,
            solid_capstyle="round",
        )
    for place, column in enumerate(columns):
        _draw_axis(ax, place, column)
    end = (len(columns) - 1, heights[-1, best])
    write_beside(ax, shorten_all(data.names, 24)[best], end, gap=52, weight="bold")
    ax.set_xticks(range(len(columns)), shorten_all([column.name for column in columns], 22), fontsize="small")
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set(yticks=[], xlim=(-0.35, len(columns) - 0.6), ylim=(-0.06, 1.06))
    ax.spines[:].set_visible(False)
    finish(ax)
    return ParallelPlot(data, ax, new, lines, data.names[best])


def _ramp(scores: Floats, falling: bool, dark: bool) -> tuple[Colormap, Normalize]:
    """The colours of scores, the best one farthest from the paper's."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap, Normalize

    finite = scores[np.isfinite(scores)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    ramp = colormaps["viridis"]
    if dark:
        ramp = ListedColormap(ramp(np.linspace(1.0, 0.35, 256)))
    return ramp if falling else ramp.reversed(), Normalize(low, high if high > low else low + 1)


def _height(column: HparamAxis) -> Floats:
    """Positions from 0 (bottom) to 1 (top); missing values are at the bottom, below all others."""
    places = column.places
    low, high = _ends(column)
    heights = (places - low) / (high - low) if high > low else np.full(len(places), 0.5)
    return np.nan_to_num(heights, nan=-0.05, posinf=1.05, neginf=-0.05)


def _ends(column: HparamAxis) -> tuple[float, float]:
    finite = column.places[np.isfinite(column.places)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)


def _bent(heights: Floats) -> tuple[Floats, Floats]:
    """A curve that is level at each axis, so that lines that cross there can be followed."""
    if len(heights) < 2:
        return np.zeros(1), heights
    t = np.linspace(0, 1, _SMOOTH, endpoint=False)
    ease = t * t * (3 - 2 * t)
    y = heights[:-1, None] + (heights[1:] - heights[:-1])[:, None] * ease
    x = np.arange(len(heights) - 1)[:, None] + t
    return np.append(x.ravel(), len(heights) - 1), np.append(y.ravel(), heights[-1])


def _draw_axis(ax: Axes, place: int, column: HparamAxis) -> None:
    looks = looks_on(ax)
    ax.axvline(place, 0.05, 0.95, color=looks.pale, linewidth=1.0, zorder=3)
    low, high = _ends(column)
    ticks = column.ticks
    if not ticks:
        shown = [low, (low + high) / 2, high] if high > low else [low]
        values = [10**p if column.scale == "log" else p for p in shown]
        ticks = tuple(zip(shown, value_texts(values), strict=True))
    texts = shorten_all([text for _, text in ticks], 18)
    for (where, _), text in zip(ticks, texts, strict=True):
        height = (where - low) / (high - low) if high > low else 0.5
        paper = {"facecolor": looks.paper, "alpha": 0.9, "edgecolor": "none", "pad": 1.2}
        write_beside(ax, text, (place, height), zorder=5, bbox=paper)
