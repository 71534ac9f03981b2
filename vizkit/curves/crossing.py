"""Where the mean curves of two sets of runs cross."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from vizkit._checks import one_of
from vizkit._language import tr, trn
from vizkit._protocols import JSONObject
from vizkit.curves.target_times import TimeAxis
from vizkit.curves.x_axis import time_unit, x_and_values
from vizkit.errors import QueryError
from vizkit.metrics.arrays import Floats
from vizkit.runs import Run
from vizkit.runs._plotting import DrawnCrossing
from vizkit.runs.comparison import seeds_match
from vizkit.runs.display import Cell, Table
from vizkit.runs.formatting import exact_text
from vizkit.runs.intervals import align, by_x, column_statistics, welch
from vizkit.runs.printed import Printed
from vizkit.runs.scalar_tags import with_tag
from vizkit.runs.statistics import checked_mode

__all__ = ["Crossing", "crossing_of"]

_POINTS = 500


@dataclass(frozen=True, eq=False, repr=False)
class Crossing(Printed, DrawnCrossing):
    """The difference of the mean curves of B and A, over all x at which both have all their runs.

    Attributes:
        metric: the scalar tag.
        mode: ``"max"`` or ``"min"``: the better direction.
        x: the axis, as of `TimeTo`.
        at: (n,) the axis: all steps of records, or 500 times.
        difference: (n,) the mean of B minus that of A.
        low, high: (n,) its 95 % interval at each place alone, of pairs of a seed where the seeds match, else
            Welch's; NaN of fewer than two runs a side.
        crossings: where the difference changes its sign.
        told_from: from here to the end the intervals leave 0 out; None if they do not at the end.
    """

    metric: str
    mode: Literal["max", "min"]
    x: TimeAxis
    at: Floats
    difference: Floats
    low: Floats
    high: Floats
    crossings: tuple[float, ...]
    told_from: float | None

    @property
    def unit(self) -> tuple[float, str]:
        """The unit to show x in: what to divide by, and its name."""
        if self.x in ("step", "epoch"):
            return 1.0, tr("steps") if self.x == "step" else tr("epochs")
        return time_unit(float(self.at[-1]) or 1.0)

    @property
    def sentence(self) -> str:
        """The answer in one sentence, in VizKit's language."""
        end = float(self.difference[-1]) * (1 if self.mode == "max" else -1)
        if end == 0:
            return tr("{metric}: A and B are equal in the end", metric=self.metric)
        winner = "B" if end > 0 else "A"
        if not self.crossings:
            text = tr(
                "{metric}: {winner} is better from the beginning to the end",
                metric=self.metric,
                winner=winner,
            )
        else:
            text = trn(
                "{metric}: the curves cross once, and {winner} is better from {x} on",
                "{metric}: the curves cross {n} times, and {winner} is better from {x} on",
                len(self.crossings),
                metric=self.metric,
                winner=winner,
                x=self._text(self.crossings[-1]),
            )
        if self.told_from is None:
            return text + tr("; at the end, that is not more than chance may do")
        return text + tr(
            "; more than chance may do (95 % at each place) from {x} on", x=self._text(self.told_from)
        )

    def table(self) -> Table:
        """The content of what is printed."""
        rows = [[Cell(str(k)), Cell(self._text(x))] for k, x in enumerate(self.crossings[:10], start=1)]
        header = [tr("crossing"), tr("at")] if rows else []
        title = tr("where A and B cross in {metric}", metric=self.metric)
        return Table(title, header, rows, [self.sentence])

    def to_dict(self) -> JSONObject:
        """The crossings as JSON, without the curves."""
        end = float(self.difference[-1])
        ends = {"x": float(self.at[-1]), "difference": end if math.isfinite(end) else None}
        return {
            "metric": self.metric,
            "mode": self.mode,
            "x": self.x,
            "crossings": list(self.crossings),
            "told_from": self.told_from,
            "end": ends,
        }

    def _text(self, x: float) -> str:
        factor, unit = self.unit
        return tr("step {x}", x=exact_text(x)) if self.x == "step" else f"{x / factor:.3g} {unit}"


def crossing_of(
    a: Sequence[Run], b: Sequence[Run], metric: str, x: TimeAxis = "time", mode: str = "auto"
) -> Crossing:
    """Where the mean curves of two sets of runs cross; arguments and errors as of `Runs.crossing`."""
    one_of("x", x, get_args(TimeAxis))
    sides = [with_tag(side, metric) for side in (a, b)]
    way = checked_mode([*sides[0], *sides[1]], metric, mode)
    curves = [[_curve(run, metric, x) for run in side] for side in sides]
    every = [curve for side in curves for curve in side if len(curve[0])]
    start = max((float(at[0]) for at, _ in every), default=0.0)
    end = min((float(at[-1]) for at, _ in every), default=0.0)
    if len(every) < len(sides[0]) + len(sides[1]) or start >= end:
        raise QueryError("the curves of {metric!r} have no stretch of x in common", metric=metric)
    if x in ("time", "relative"):
        grid = np.linspace(start, end, _POINTS)
    else:
        grid = np.unique(np.concatenate([at for at, _ in every]))
        grid = grid[(grid >= start) & (grid <= end)]
    first, second = (align(side, grid)[0] for side in curves)
    seeds = [[run.hparams.get("seed") for run in side] for side in sides]
    if seeds_match(*seeds):
        order = [seeds[0].index(seed) for seed in seeds[1]]
        difference, _, _, low, high = column_statistics(second - first[order])
    else:
        difference, low, high = _unpaired(first, second)
    known = np.isfinite(difference)
    if not known.any():
        raise QueryError("the curves of {metric!r} have no stretch of x in common", metric=metric)
    grid, difference, low, high = (column[known] for column in (grid, difference, low, high))
    crossings = _sign_changes(grid, difference)
    return Crossing(metric, way, x, grid, difference, low, high, crossings, _told_from(grid, low, high))


def _curve(run: Run, metric: str, x: TimeAxis) -> tuple[Floats, Floats]:
    return by_x(*x_and_values(run, metric, x))


def _unpaired(a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """The difference of the means of two (runs, points), and its Welch interval, at each point."""
    columns = []
    for one, other in zip(a.T, b.T, strict=True):
        sides = one[np.isfinite(one)], other[np.isfinite(other)]
        columns.append(welch(*sides) if all(map(len, sides)) else (math.nan,) * 3)
    difference, low, high = np.array(columns).T
    return difference, low, high


def _sign_changes(grid: Floats, difference: Floats) -> tuple[float, ...]:
    """Where a curve crosses 0, between points that are not 0."""
    there = np.flatnonzero(difference)
    x, y = grid[there], difference[there]
    places = np.flatnonzero(np.sign(y[1:]) != np.sign(y[:-1]))
    share = y[places] / (y[places] - y[places + 1])
    return tuple((x[places] + share * (x[places + 1] - x[places])).tolist())


def _told_from(grid: Floats, low: Floats, high: Floats) -> float | None:
    """From where on to the end the intervals lie on one side of 0, the same as at the end."""
    side = low > 0 if low[-1] > 0 else high < 0
    if not side[-1]:
        return None
    before = np.flatnonzero(~side)
    return float(grid[before[-1] + 1 if len(before) else 0])
