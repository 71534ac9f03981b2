"""The time until a metric reaches a target, of runs some of which never do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from vizkit._checks import one_of
from vizkit._language import mark, tr
from vizkit._protocols import JSONObject
from vizkit.curves.plot_arguments import labelled_groups, positions
from vizkit.curves.x_axis import time_unit, x_of
from vizkit.errors import DataError
from vizkit.metrics.arrays import Bools, Floats
from vizkit.runs import Run
from vizkit.runs._plotting import DrawnTimeTo
from vizkit.runs.display import Cell, Table
from vizkit.runs.formatting import exact_text
from vizkit.runs.intervals import Interval
from vizkit.runs.lookup import unknown
from vizkit.runs.printed import MOST_ROWS, Printed
from vizkit.runs.scalar_tags import with_tag
from vizkit.runs.statistics import best_of_each, checked_mode
from vizkit.runs.survival import LogRank, log_rank, survival

__all__ = ["Contender", "TimeAxis", "TimeTo", "time_to_target"]

TimeAxis = Literal["time", "relative", "step", "epoch"]

_LEVEL = 0.05
_NAMED = 4


@dataclass(frozen=True, eq=False)
class Contender:
    """A run, or a group of runs.

    Attributes:
        name: the name of the run, or ``hyper-parameter = value``.
        times: (runs,) of each run's first value at the target, on the axis; where it was never reached, of
            the run's last value.
        reached: (runs,) True where the target was reached.
        steps: (runs,) the steps of these values.
        best: (runs,) the best value of each run.
        positions: positions of the runs in the palette.
        median: the Kaplan-Meier estimate of the median time, with its 95 % interval; infinite where too few
            runs came that far.
        may_be_fastest: no other is shown to be faster.
    """

    name: str
    times: Floats
    reached: Bools
    steps: Floats
    best: Floats
    positions: tuple[int, ...]
    median: Interval
    may_be_fastest: bool = True

    @property
    def first(self) -> float:
        """The least time at which a run reached the target; infinite if none did."""
        return float(np.min(self.times, where=self.reached, initial=math.inf))


@dataclass(frozen=True, eq=False, repr=False)
class TimeTo(Printed, DrawnTimeTo):
    """The time until a metric reaches a target; runs that never reach it count as such.

    Runs that have not reached it are censored at their last value: `vizkit.runs.survival`. A group is left
    out of the fastest if another one is faster by a log-rank test, whose level is divided by the number of
    the others; with 95 % the truly fastest is among those that stay.

    Attributes:
        metric: the scalar tag.
        target: the value to reach.
        mode: ``"max"`` if it is reached from below, ``"min"`` if from above.
        x: the axis: ``"time"`` since the run's start, ``"relative"``: since the metric's first value (both in
            seconds), ``"step"`` or ``"epoch"``.
        contenders: runs or groups, the fastest median first, those that never reached the target last.
    """

    metric: str
    target: float
    mode: Literal["max", "min"]
    x: TimeAxis
    contenders: tuple[Contender, ...]

    @property
    def fastest(self) -> tuple[Contender, ...]:
        """Those that cannot be told from the fastest."""
        return tuple(one for one in self.contenders if one.may_be_fastest)

    @property
    def unit(self) -> tuple[float, str]:
        """The unit to show times in: what to divide by, and its name."""
        if self.x in ("step", "epoch"):
            return 1.0, tr("steps") if self.x == "step" else tr("epochs")
        every = np.concatenate([one.times for one in self.contenders])
        return time_unit(float(every.max()) or 1.0)

    @property
    def goal(self) -> str:
        """The metric and its target, as in ``eval/acc ≥ 0.9``."""
        return f"{self.metric} {'≥' if self.mode == 'max' else '≤'} {exact_text(self.target)}"

    def test(self, a: str, b: str) -> LogRank:
        """The log-rank test of two contenders, by their names.

        Raises:
            UnknownNameError: no such contender.
        """
        named = {one.name: one for one in self.contenders}
        for name in (a, b):
            if name not in named:
                raise unknown(tr("setting"), name, named)
        return log_rank(*((named[name].times, named[name].reached) for name in (a, b)))

    @property
    def sentence(self) -> str:
        """The answer in one sentence, in VizKit's language."""
        if not any(one.reached.any() for one in self.contenders):
            return tr("{goal}: never reached in {n} runs", goal=self.goal, n=self._runs)
        best = self.contenders[0]
        if self._runs == len(self.contenders):
            return tr(
                "{goal}: {name} is there first, after {time}",
                goal=self.goal,
                name=best.name,
                time=self._text(best.first),
            )
        some, n = self.fastest, len(self.contenders)
        if len(some) == 1 and n > 1:
            text = mark("{goal}: {name} is the fastest of {n}, half of its runs are there after {time}")
            if math.isinf(some[0].median.value):
                text = mark(
                    "{goal}: {name} is the fastest of {n}, though fewer than half of its runs get there"
                )
            time = self._text(some[0].median.value)
            return tr(text, goal=self.goal, name=some[0].name, n=n, time=time)
        names = [f"{one.name} ({self._text(one.median.value)})" for one in some[:_NAMED]]
        return tr(
            "{goal}: {m} of {n} may be the fastest, by the time that half of the runs take: {names}",
            goal=self.goal,
            m=len(some),
            n=n,
            names="; ".join(names) + ("; …" if some[_NAMED:] else ""),
        )

    def table(self) -> Table:
        """The content of what is printed."""
        header = [
            "",
            tr("runs"),
            tr("reached it"),
            tr("median"),
            tr("95 % interval"),
            tr("may be the fastest"),
        ]
        rows = []
        for one in self.contenders[:MOST_ROWS]:
            ends = self._ends(one.median) if len(one.times) > 1 else ""
            mark = tr("yes") if one.may_be_fastest and len(one.times) > 1 else ""
            texts = [one.name, str(len(one.times)), str(int(one.reached.sum()))]
            rows.append([*texts, self._text(one.median.value), ends, mark])
        notes = [self.sentence]
        if len(self.contenders) > MOST_ROWS:
            notes.insert(0, tr("… {n} more", n=len(self.contenders) - MOST_ROWS))
        title = tr("time to {goal}", goal=self.goal)
        return Table(title, header, [[Cell(text) for text in row] for row in rows], notes)

    def to_dict(self) -> JSONObject:
        """The times as JSON; seconds, steps or epochs; ends that are infinite are None."""
        return {
            "metric": self.metric,
            "target": self.target,
            "mode": self.mode,
            "x": self.x,
            "contenders": [
                {
                    "name": one.name,
                    "times": one.times.tolist(),
                    "reached": one.reached.tolist(),
                    "median": [end if math.isfinite(end) else None for end in one.median],
                    "may_be_fastest": one.may_be_fastest,
                }
                for one in self.contenders
            ],
        }

    @property
    def _runs(self) -> int:
        return sum(len(one.times) for one in self.contenders)

    def _ends(self, median: Interval) -> str:
        if not math.isfinite(median.low):
            return ""
        low, high = self._text(median.low), self._text(median.high)
        return f"{low} … {high}" if math.isfinite(median.high) else tr("{low} or more", low=low)

    def _text(self, time: float) -> str:
        factor, unit = self.unit
        if not math.isfinite(time):
            return tr("never")
        return f"{time / factor:.3g} {unit}" if self.x != "step" else f"{exact_text(time)} {unit}"


def time_to_target(
    source: Sequence[Run],
    metric: str,
    target: float,
    by: str | Sequence[str] | None = None,
    x: TimeAxis = "time",
    mode: str = "auto",
) -> TimeTo:
    """The times until a metric reaches a target; arguments and errors as of `Runs.time_to`."""
    if not np.isfinite(target):
        raise DataError("target must be a finite number, got {target}", target=target)
    one_of("x", x, get_args(TimeAxis))
    runs = with_tag(source, metric)
    way = checked_mode(runs, metric, mode)
    places = dict(zip(runs, positions(runs), strict=True))
    groups = [(run.name, [run]) for run in runs] if by is None else labelled_groups(runs, by).items()
    contenders = []
    for name, group in groups:
        found = [_reached(run, metric, target, way, x) for run in group]
        times, reached, steps, best = np.array(found, dtype=np.float64).T
        came = reached > 0
        places_of = tuple(places[run] for run in group)
        median = survival(times, came).median
        contenders.append(Contender(name, times, came, steps, best, places_of, median))
    contenders.sort(key=lambda one: (one.median.value, -one.reached.mean(), _best(one, way)))
    return TimeTo(metric, float(target), way, x, tuple(_marked(contenders)))


def _reached(
    run: Run, metric: str, target: float, mode: str, x: TimeAxis
) -> tuple[float, bool, float, float]:
    columns = run.columns(metric)
    (best,) = best_of_each([run], metric, mode)
    at = np.asarray(x_of(run, metric, columns, x), dtype=np.float64)
    there = columns.values >= target if mode == "max" else columns.values <= target
    hits = np.flatnonzero(there & np.isfinite(at))
    known = np.flatnonzero(np.isfinite(at))
    if len(hits):
        first = hits[np.argmin(at[hits])]  # steps that start over are not in the order of time
        return float(at[first]), True, float(columns.steps[first]), best
    return float(at[known].max(initial=0.0)), False, float(columns.steps[-1]), best


def _best(one: Contender, mode: str) -> float:
    """The best value, as a key that puts the better one first."""
    sign = -1 if mode == "max" else 1
    return float(np.min(sign * one.best[~np.isnan(one.best)], initial=math.inf))


def _marked(contenders: Sequence[Contender]) -> list[Contender]:
    """The contenders, with those marked that another one is shown to be faster than."""
    several = [one for one in contenders if len(one.times) > 1]
    slower: set[int] = set()
    for place, one in enumerate(several):
        for other in several[:place]:
            test = log_rank((one.times, one.reached), (other.times, other.reached))
            if test.p < _LEVEL / (len(several) - 1):
                slower.add(id(one if test.statistic > 0 else other))
    return [replace(one, may_be_fastest=id(one) not in slower) for one in contenders]
