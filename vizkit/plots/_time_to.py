"""`time_to`: the time until a metric reaches a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vizkit.curves.plot_arguments import RunSource, as_runs, labelled_groups, positions
from vizkit.curves.x_axis import time_unit
from vizkit.errors import DataError
from vizkit.media.lettering import picture_text
from vizkit.metrics.arrays import Floats
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish, write_beside
from vizkit.runs import Run
from vizkit.runs.formatting import shorten_all
from vizkit.runs.scalar_tags import with_tag
from vizkit.runs.statistics import best_of_each, checked_mode

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.container import BarContainer
    from matplotlib.text import Annotation

__all__ = ["Contender", "TimeToData", "TimeToPlot", "time_to"]


@dataclass(frozen=True, eq=False)
class Contender:
    """A run, or a group of runs.

    Attributes:
        name: the name of the run, or ``hyper-parameter = value``.
        seconds: (runs,) from the start of each run to its first value at the target; NaN if never reached.
        steps: (runs,) the steps of these values; NaN likewise.
        best: (runs,) the best value of each run.
        positions: positions of the runs in the palette.
    """

    name: str
    seconds: Floats
    steps: Floats
    best: Floats
    positions: tuple[int, ...]

    @property
    def median(self) -> float:
        """The median of ``seconds``, where runs that never reached the target are slowest; NaN for these."""
        median = float(np.median(np.where(np.isnan(self.seconds), np.inf, self.seconds)))
        return median if np.isfinite(median) else float("nan")

    @property
    def first(self) -> float:
        """The least of ``seconds``; NaN if no run reached the target."""
        return float(np.fmin.reduce(self.seconds))

    @property
    def reached(self) -> int:
        """The number of runs that reached the target."""
        return int(np.isfinite(self.seconds).sum())


@dataclass(frozen=True, eq=False)
class TimeToData:
    """Runs or groups, the fastest first, those that never reached the target last.

    Attributes:
        metric: the scalar tag.
        target: the value to reach.
        mode: ``"max"`` if it is reached from below, ``"min"`` if from above.
        contenders: runs or groups.
    """

    metric: str
    target: float
    mode: str
    contenders: tuple[Contender, ...]


@dataclass(eq=False, repr=False)
class TimeToPlot(Plot[TimeToData]):
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
    mode: str = "auto",
    ax: Axes | None = None,
) -> TimeToPlot:
    """Draw the time that runs took until a metric reached a target, the fastest first.

    Args:
        source: runs; those without the metric are left out.
        metric: a scalar tag, such as ``eval/acc``.
        target: the value to reach, such as 0.95.
        by: a hyper-parameter, or several: a bar for the median of all runs with the same value; runs that
            never reached the target count as the slowest. A group of which fewer than half reached it has no
            bar; its text says how many did, and when the first.
        mode: ``"max"`` (the target is reached from below), ``"min"``, or ``"auto"``: by the words of the tag.
        ax: axes to draw into; a new figure by default.

    Raises:
        UnknownNameError: no run has the metric or the hyper-parameter.
        DataError: a target that is not a number, or a tag that does not tell which value is best.
    """
    data = _data(source, metric, target, by, mode)
    n = len(data.contenders)
    ax, new = axes_for(ax, 6.8, max(0.4 * n + 1.1, 1.8))
    every = np.concatenate([contender.seconds for contender in data.contenders])
    longest = float(np.max(every, where=np.isfinite(every), initial=0.0)) or 1.0
    factor, unit = time_unit(longest)
    medians = np.array([contender.median for contender in data.contenders]) / factor
    single = all(len(contender.seconds) == 1 for contender in data.contenders)
    looks = looks_on(ax)
    colors = [
        looks.color(contender.positions[0]) if by is None else looks.faint for contender in data.contenders
    ]
    bars = ax.barh(range(n), np.nan_to_num(medians), color=colors, height=0.6)
    points, texts = [], []
    for row, contender in enumerate(data.contenders):
        end = medians[row] if np.isfinite(medians[row]) else 0.0
        if not single:
            x, y = contender.seconds / factor, np.full(len(contender.seconds), row)
            shades = [looks.color(position) for position in contender.positions]
            points.append(ax.scatter(x, y, s=26, zorder=3, c=shades, edgecolors=looks.paper, linewidths=0.7))
            there = contender.seconds[np.isfinite(contender.seconds)] / factor
            end = max(end, float(there.max(initial=0.0)))
        words = _words(data, contender, factor, unit)
        ink = looks.pale if np.isnan(medians[row]) else looks.ink
        texts.append(write_beside(ax, words, (end, row), color=ink))
    ax.set_yticks(range(n), shorten_all([contender.name for contender in data.contenders], 32))
    ax.invert_yaxis()
    ax.set_xlim(0, 1.45 * longest / factor)
    ax.tick_params(axis="y", length=0)
    sign = "≥" if data.mode == "max" else "≤"
    label = picture_text(
        "time to {metric} {sign} {target:g} ({unit})",
        metric=data.metric,
        sign=sign,
        target=data.target,
        unit=unit,
    )
    ax.set_xlabel(label)
    finish(ax)
    return TimeToPlot(data, ax, new, bars, points, texts)


def _data(
    source: RunSource, metric: str, target: float, by: str | Sequence[str] | None, mode: str
) -> TimeToData:
    if not np.isfinite(target):
        raise DataError("target must be a finite number, got {target}", target=target)
    runs = with_tag(as_runs(source), metric)
    way = checked_mode(runs, metric, mode)
    places = dict(zip(runs, positions(runs), strict=True))
    groups = [(run.name, [run]) for run in runs] if by is None else labelled_groups(runs, by).items()
    contenders = []
    for name, group in groups:
        found = [_reached(run, metric, target, way) for run in group]
        seconds, steps, best = np.array(found, dtype=np.float64).T
        contenders.append(Contender(name, seconds, steps, best, tuple(places[run] for run in group)))
    sign = -1 if way == "max" else 1
    contenders.sort(
        key=lambda one: (
            np.isnan(one.median),
            np.nan_to_num(one.median),
            -one.reached / len(one.seconds) if np.isnan(one.median) else 0,
            sign * _best(one, way),
        )
    )
    return TimeToData(metric, float(target), way, tuple(contenders))


def _reached(run: Run, metric: str, target: float, mode: str) -> tuple[float, float, float]:
    columns = run.columns(metric)
    there = np.flatnonzero(columns.values >= target if mode == "max" else columns.values <= target)
    (best,) = best_of_each([run], metric, mode)
    if not len(there):
        return float("nan"), float("nan"), best
    first = int(there[0])
    return float(run.seconds(columns.walltimes[first : first + 1])[0]), float(columns.steps[first]), best


def _best(contender: Contender, mode: str) -> float:
    finite = contender.best[~np.isnan(contender.best)]
    if not len(finite):
        return float("-inf") if mode == "max" else float("inf")
    return float(finite.max() if mode == "max" else finite.min())


def _words(data: TimeToData, contender: Contender, factor: float, unit: str) -> str:
    median, first = contender.median / factor, contender.first / factor
    came = contender.reached
    n = len(contender.seconds)
    if came and np.isnan(median):  # the median run did not reach it, but some did
        return picture_text(
            "reached by {came} of {n} runs, first after {first:.3g} {unit}",
            came=came,
            n=n,
            first=first,
            unit=unit,
        )
    if np.isnan(median):
        best = _best(contender, data.mode)
        by = picture_text(" by any of {n} runs", n=n) if n > 1 else ""
        value = picture_text(", best {best:.4g}", best=best) if np.isfinite(best) else ""
        return picture_text("not reached{by}{value}", by=by, value=value)
    share = "  " + picture_text("({came} of {n} runs)", came=came, n=n) if n > 1 else ""
    step = "  " + picture_text("(step {step:g})", step=contender.steps[0]) if n == 1 else ""
    return f"{median:.3g} {unit}{step}{share}"
