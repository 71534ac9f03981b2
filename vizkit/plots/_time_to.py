"""Who gets there first: the time until a metric reaches a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vizkit.curves.selection import as_runs, labelled_groups, positions
from vizkit.curves.x_axis import time_unit
from vizkit.errors import DataError
from vizkit.media.palette import color
from vizkit.metrics.direction import direction
from vizkit.plots._plot import INK, PALE, Plot, axes_for, finish, shortened
from vizkit.runs.scalar_tags import with_tag

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RaceData", "Racer", "TimeToPlot", "time_to", "time_to_data"]


@dataclass(frozen=True, eq=False)
class Racer:
    """A run, or a group of runs.

    Attributes:
        name: of the run, or ``hyper-parameter = value``.
        seconds: (runs,) from each run's start to its first value at the target; NaN for never.
        steps: (runs,) the steps of these values; NaN likewise.
        best: (runs,) the best value of each run.
        positions: of the runs among the colours.
    """

    name: str
    seconds: NDArray[np.float64]
    steps: NDArray[np.float64]
    best: NDArray[np.float64]
    positions: tuple[int, ...]

    @property
    def median(self) -> float:
        """The median of ``seconds``, with never as slower than all; NaN if that is the median."""
        median = float(np.median(np.where(np.isnan(self.seconds), np.inf, self.seconds)))
        return median if np.isfinite(median) else float("nan")


@dataclass(frozen=True, eq=False)
class RaceData:
    """All racers, the fastest first, those that never came there last.

    Attributes:
        metric: the scalar tag.
        target: the value to reach.
        mode: ``"max"`` if it is reached from below, ``"min"`` if from above.
        racers: runs or groups.
    """

    metric: str
    target: float
    mode: str
    racers: tuple[Racer, ...]


@dataclass(eq=False, repr=False)
class TimeToPlot(Plot[RaceData]):
    """What `time_to` drew: the bars, the points of single runs, the texts."""

    bars: Any
    points: list[Any]
    texts: list[Any]


def time_to(
    source: Any,
    metric: str,
    target: float,
    *,
    by: str | Sequence[str] | None = None,
    mode: str = "auto",
    ax: Axes | None = None,
) -> TimeToPlot:
    """Draws how long runs took until a metric reached a target, the fastest first.

    Args:
        source: runs; those without the metric are left out.
        metric: a scalar tag, such as ``eval/acc``.
        target: such as 0.95.
        by: a hyper-parameter, or several: a bar for the median of all runs of a value, which counts runs
            that never reached the target as the slowest.
        mode: ``"max"`` (the target is reached from below), ``"min"``, or ``"auto"``: by the words of the tag.
        ax: axes to draw into; a figure of its own by default.

    Raises:
        UnknownNameError: no run has the metric or the hyper-parameter.
        DataError: a target that is no number, or a tag whose words do not tell which value is best.
    """
    data = time_to_data(source, metric, target, by=by, mode=mode)
    n = len(data.racers)
    ax, new = axes_for(ax, 6.8, max(0.4 * n + 1.1, 1.8))
    every = np.concatenate([racer.seconds for racer in data.racers])
    longest = float(np.max(every, where=np.isfinite(every), initial=0.0)) or 1.0
    factor, unit = time_unit(longest)
    medians = np.array([racer.median for racer in data.racers]) / factor
    single = all(len(racer.seconds) == 1 for racer in data.racers)
    colors = [color(racer.positions[0]) if by is None else "#c9d1d9" for racer in data.racers]
    bars = ax.barh(range(n), np.nan_to_num(medians), color=colors, height=0.6)
    points, texts = [], []
    for row, racer in enumerate(data.racers):
        end = medians[row] if np.isfinite(medians[row]) else 0.0
        if not single:
            points.append(
                ax.scatter(
                    racer.seconds / factor,
                    np.full(len(racer.seconds), row),
                    s=26,
                    zorder=3,
                    c=[color(position) for position in racer.positions],
                    edgecolors="white",
                    linewidths=0.7,
                )
            )
            there = racer.seconds[np.isfinite(racer.seconds)] / factor
            end = max(end, float(there.max(initial=0.0)))
        never = np.isnan(medians[row])
        texts.append(
            ax.annotate(
                _words(data, racer, medians[row], unit),
                (end, row),
                xytext=(6, 0),
                va="center",
                textcoords="offset points",
                fontsize="small",
                color=PALE if never else INK,
            )
        )
    ax.set_yticks(range(n), [shortened(racer.name, 32) for racer in data.racers])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.45 * longest / factor)
    ax.tick_params(axis="y", length=0)
    sign = "≥" if data.mode == "max" else "≤"
    ax.set_xlabel(f"time to {data.metric} {sign} {data.target:g} ({unit})")
    finish(ax)
    return TimeToPlot(data, ax, new, bars, points, texts)


def time_to_data(
    source: Any, metric: str, target: float, *, by: str | Sequence[str] | None = None, mode: str = "auto"
) -> RaceData:
    """The data step of `time_to`."""
    if not np.isfinite(target):
        raise DataError(f"target must be a finite number, got {target}")
    runs = with_tag(as_runs(source), metric)
    way = direction(metric, mode)
    places = dict(zip(runs, positions(runs), strict=True))
    groups = [(run.name, [run]) for run in runs] if by is None else labelled_groups(runs, by).items()
    racers = []
    for name, group in groups:
        found = [_reached(run, metric, target, way) for run in group]
        seconds, steps, best = np.array(found, dtype=np.float64).T
        racers.append(Racer(name, seconds, steps, best, tuple(places[run] for run in group)))
    sign = -1 if way == "max" else 1
    racers.sort(
        key=lambda racer: (np.isnan(racer.median), np.nan_to_num(racer.median), sign * _best(racer, way))
    )
    return RaceData(metric, float(target), way, tuple(racers))


def _reached(run: Any, metric: str, target: float, mode: str) -> tuple[float, float, float]:
    columns = run.columns(metric)
    there = np.flatnonzero(columns.values >= target if mode == "max" else columns.values <= target)
    point = run.summary(metric).best(metric, mode)
    best = float("nan") if point is None else point.value
    if not len(there):
        return float("nan"), float("nan"), best
    first = int(there[0])
    return float(run.seconds(columns.walltimes[first : first + 1])[0]), float(columns.steps[first]), best


def _best(racer: Racer, mode: str) -> float:
    finite = racer.best[~np.isnan(racer.best)]
    if not len(finite):
        return float("-inf") if mode == "max" else float("inf")
    return float(finite.max() if mode == "max" else finite.min())


def _words(data: RaceData, racer: Racer, median: float, unit: str) -> str:
    came = int(np.isfinite(racer.seconds).sum())
    n = len(racer.seconds)
    share = f"  ({came} of {n} runs)" if n > 1 else ""
    if np.isnan(median):
        best = _best(racer, data.mode)
        return f"not reached{f', best {best:.4g}' if np.isfinite(best) else ''}{share}"
    step = f"  (step {racer.steps[0]:g})" if n == 1 else ""
    return f"{median:.3g} {unit}{step}{share}"
