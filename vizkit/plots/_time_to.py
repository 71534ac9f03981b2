"""`time_to`: the time until a metric reaches a target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vizkit.curves.plot_arguments import RunSource, as_runs
from vizkit.curves.target_times import Contender, TimeAxis, TimeTo, time_to_target
from vizkit.media.lettering import picture_text
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish, write_beside
from vizkit.runs.formatting import exact_text, shorten_all, terminal_width, value_texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.container import BarContainer
    from matplotlib.text import Annotation

__all__ = ["TimeToPlot", "draw_time_to", "time_to"]

_INCHES_A_LETTER = 0.07  # of small text


@dataclass(eq=False, repr=False)
class TimeToPlot(Plot[TimeTo]):
    """The artists of `time_to`: the bars, the points of single runs, the texts."""

    bars: BarContainer
    points: list[PathCollection]
    texts: list[Annotation]


def time_to(
    source: RunSource,
    metric: str,
    target: float,
    *,
    by: str | Sequence[str] | None = None,
    x: TimeAxis = "time",
    mode: str = "auto",
    ax: Axes | None = None,
) -> TimeToPlot:
    """Draw the time that runs took until a metric reached a target, the fastest first: `Runs.time_to`.

    Args:
        source: runs; those without the metric are left out.
        metric: a scalar tag, such as ``eval/acc``.
        target: the value to reach, such as 0.95.
        by: a hyper-parameter, or several: a bar for the median of all runs with the same value (Kaplan and
            Meier), with its 95 % interval. A filled point is a run that reached the target, an open one
            where a run ended that did not. A group of which fewer than half reached it has no bar; its text
            says how many did, and when the first.
        x: ``"time"`` since the run's start, ``"relative"``: since the metric's first value, ``"step"``,
            ``"epoch"``.
        mode: ``"max"`` (the target is reached from below), ``"min"``, or ``"auto"``: by the words of the tag.
        ax: axes to draw into; a new figure by default.

    Raises:
        UnknownNameError: no run has the metric or the hyper-parameter.
        DataError: a target that is not a number, another axis, or a tag that does not tell which value is
            best.
    """
    return draw_time_to(time_to_target(as_runs(source), metric, target, by, x, mode), ax)


def draw_time_to(data: TimeTo, ax: Axes | None) -> TimeToPlot:
    """Draw the times to a target."""
    n = len(data.contenders)
    ax, new = axes_for(ax, 6.8, max(0.4 * n + 1.1, 1.8))
    factor, unit = data.unit
    medians = np.array([one.median.value for one in data.contenders]) / factor
    single = all(len(one.times) == 1 for one in data.contenders)
    looks = looks_on(ax)
    colors = [looks.color(one.positions[0]) if single else looks.faint for one in data.contenders]
    bars = ax.barh(range(n), np.where(np.isfinite(medians), medians, 0), color=colors, height=0.6)
    points, texts = [], []
    ends = [0.0] * n
    width = ax.bbox.width / ax.figure.dpi
    for row, one in enumerate(data.contenders):
        end = medians[row] if np.isfinite(medians[row]) else 0.0
        if not single:
            for there in (True, False):
                some = one.reached == there
                shades = [looks.color(one.positions[k]) for k in np.flatnonzero(some)]
                points.append(
                    ax.scatter(
                        one.times[some] / factor,
                        np.full(int(some.sum()), row),
                        s=26,
                        zorder=3,
                        c=shades if there else "none",
                        edgecolors=looks.paper if there else shades,
                        linewidths=0.7 if there else 1.2,
                    )
                )
            end = max(end, float(one.times.max()) / factor)
            low, high = (side / factor for side in one.median[1:])
            if math.isfinite(high) and high > low:
                ax.plot([low, high], [row, row], color=looks.pale, linewidth=1.5, zorder=2)
                end = max(end, high)
        ink = looks.ink if np.isfinite(medians[row]) else looks.pale
        words = _words(data, one, factor, unit)
        texts.append(write_beside(ax, words, (end, row), color=ink))
        free = 1 - _INCHES_A_LETTER * terminal_width(words) / width
        ends[row] = end / min(max(free, 0.2), 0.69)  # with room for the words
    ax.set_yticks(range(n), shorten_all([one.name for one in data.contenders], 32))
    ax.invert_yaxis()
    longest = max(float(one.times.max()) for one in data.contenders) / factor  # where none has reached it
    ax.set_xlim(0, max(ends) or longest or 1.0)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(picture_text("time to {goal} ({unit})", goal=data.goal, unit=unit))
    finish(ax)
    return TimeToPlot(data, ax, new, bars, points, texts)


def _words(data: TimeTo, one: Contender, factor: float, unit: str) -> str:
    came, n = int(one.reached.sum()), len(one.times)
    median, first = one.median.value / factor, one.first / factor
    if came and not math.isfinite(median):  # the median run did not reach it, but some did
        return picture_text(
            "reached by {came} of {n} runs, first after {first:.3g} {unit}",
            came=came,
            n=n,
            first=first,
            unit=unit,
        )
    if not came:
        by = picture_text(" by any of {n} runs", n=n) if n > 1 else ""
        known = one.best[~np.isnan(one.best)]
        best = float("nan") if not len(known) else float(known.max() if data.mode == "max" else known.min())
        shown = value_texts([best, data.target])[0]  # not that of the target, which it is not
        value = picture_text(", best {best}", best=shown) if math.isfinite(best) else ""
        return picture_text("not reached{by}{value}", by=by, value=value)
    share = "  " + picture_text("({came} of {n} runs)", came=came, n=n) if n > 1 else ""
    if data.x == "step":
        return f"{exact_text(median)} {unit}{share}"
    step = "  " + picture_text("(step {step})", step=exact_text(one.steps[0])) if n == 1 else ""
    return f"{median:.3g} {unit}{step}{share}"
