"""Curves of a scalar tag: runs, or means of groups of runs with bands, and limits of the y axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from vizkit._checks import one_of
from vizkit._language import tr, trn
from vizkit.curves.expressions import curve_bounds, runs_with
from vizkit.curves.means import Band, Center, Mean, mean_of
from vizkit.curves.plot_arguments import (
    RunSource,
    as_runs,
    chosen_tags,
    group_positions,
    labelled_groups,
    positions,
)
from vizkit.curves.smoothing import Smoothing, SmoothLike, smoothed, smoothing
from vizkit.curves.x_axis import X, check_x, time_unit, x_and_values
from vizkit.metrics.arrays import Bools, Floats, Ints
from vizkit.runs import Run
from vizkit.runs.intervals import by_x

__all__ = ["Curve", "CurvesData", "Partial", "bounds_of", "curve_labels", "curves_data", "group_mean"]

Partial = Literal["dotted", "stop"]

_HEADROOM = 2.0**8  # the differences of huge values would overflow
_FAR = 10.0  # ranges of a usual curve, to one that has diverged


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve: a run, or the mean of a group of runs.

    Attributes:
        name: of the run, or ``hyper-parameter = value``.
        position: position in the palette.
        x: (n,) in the unit of the axis.
        y: (n,) recorded values, or means; NaN and infinities are kept.
        smooth: (n,) smoothed values; ``y`` itself without smoothing.
        low, high: (n,) the band, smoothed likewise; None without one.
        runs: number of runs.
        n: (n,) number of runs that are in the mean at each x: those that reach it, and are not NaN
            there; None for a run.
        tag: the scalar tag, or the expression.
    """

    name: str
    position: int
    x: Floats
    y: Floats
    smooth: Floats
    low: Floats | None = None
    high: Floats | None = None
    runs: int = 1
    n: Ints | None = None
    tag: str = ""

    @property
    def fewer(self) -> Bools:
        """(n,) True where fewer runs than those of the group are in the mean."""
        return np.zeros(len(self.x), dtype=bool) if self.n is None else self.n < self.runs

    def parts(self, values: Floats) -> tuple[Floats, Floats]:
        """The values of all runs, and those of fewer with the points where they join; NaN elsewhere."""
        fewer = self.fewer
        near = fewer.copy()
        near[1:] |= fewer[:-1]
        near[:-1] |= fewer[1:]
        return np.where(fewer, np.nan, values), np.where(near, values, np.nan)

    @property
    def runs_text(self) -> str:
        """``3 runs``, and how many they are where the line is dotted."""
        text = trn("{n} run", "{n} runs", self.runs)
        if self.n is None or not self.fewer.any():
            return text
        some = np.unique(self.n[self.fewer]).tolist()
        if len(some) > 1:
            return tr("{runs}, dotted: {fewest} to {most}", runs=text, fewest=some[0], most=some[-1])
        return tr("{runs}, dotted: {some}", runs=text, some=some[0])


@dataclass(frozen=True, eq=False)
class CurvesData:
    """The curves of a plot.

    Attributes:
        tag: the scalar tag, or all of them after each other.
        x: the kind of the x axis.
        unit: the unit of a time axis: ``"s"``, ``"min"``, ``"h"`` or ``"days"``; else empty.
        series: the curves.
        limits: of y, so that a few outliers do not flatten the rest; None to show all values.
        above, below: number of recorded values (or means) outside of ``limits``.
        hidden: number of values that a logarithmic axis cannot show.
    """

    tag: str
    x: X
    unit: str
    series: tuple[Curve, ...]
    limits: tuple[float, float] | None = None
    above: int = 0
    below: int = 0
    hidden: int = 0

    @property
    def labels(self) -> list[str]:
        """Labels that tell the curves apart: their names, or tags, or both."""
        return curve_labels([(curve.name, curve.tag) for curve in self.series])


def curve_labels(curves: Sequence[tuple[str, str]]) -> list[str]:
    """Labels that tell curves of names and tags apart: the names, or the tags of one name, or both."""
    names, tags = ({curve[part] for curve in curves} for part in (0, 1))
    if len(tags) < 2:
        return [name for name, _ in curves]
    return [tag if len(names) < 2 else f"{name}  {tag}" for name, tag in curves]


def curves_data(
    source: RunSource,
    tag: str | Sequence[str],
    *,
    x: X = "step",
    by: str | Sequence[str] | None = None,
    smooth: SmoothLike = 0.0,
    band: Band | None = "std",
    partial: Partial = "dotted",
    outliers: bool = True,
    log_y: bool = False,
) -> CurvesData:
    """Compute the curves that `vizkit.plots.curves` draws; see there for the arguments.

    Raises:
        DataError: an argument that is not allowed, or no epochs for the x axis.
        UnknownNameError: no run has the tag.
    """
    how = smoothing(smooth)
    one_of("band", band, ("std", "se", "ci", "minmax", None))
    one_of("partial", partial, ("dotted", "stop"))
    every = as_runs(source)
    tags = chosen_tags(every, tag)
    series: list[Curve] = []
    for one in tags:
        runs = runs_with(every, one)
        check_x(runs, x)
        if by is None:
            each = zip(runs, positions(runs), strict=True)
            found = [_run_curve(run, one, x, position, how) for run, position in each]
        else:
            groups, places = labelled_groups(runs, by), group_positions(source, by)
            found = [
                _mean_curve(name, group, one, x, places[name], how, band, partial)
                for name, group in groups.items()
            ]
        series += [replace(curve, tag=one) for curve in found]
    unit = ""
    if x in ("time", "relative"):
        series, unit = _in_unit(series)
    values = np.concatenate([curve.y for curve in series])
    limits, above, below = None if outliers else _robust_limits([c.y for c in series], log_y), 0, 0
    if limits is not None:
        above = int((values[values < np.inf] > limits[1]).sum())
        shown = values[values > 0] if log_y else values[values > -np.inf]
        below = int((shown < limits[0]).sum())
    hidden = int(((values <= 0) & (values > -np.inf)).sum()) if log_y else 0
    return CurvesData(", ".join(tags), x, unit, tuple(series), limits, above, below, hidden)


def _run_curve(run: Run, tag: str, x: X, position: int, how: Smoothing) -> Curve:
    places, values = x_and_values(run, tag, x)
    return Curve(run.name, position, places, values, smoothed(values, how, places))


def group_mean(
    curves: Sequence[tuple[Floats, Floats]],
    tag: str,
    band: Band | None,
    *,
    center: Center = "mean",
    whole: bool,
) -> Mean:
    """The mean of a group's curves, whose points are taken by x; arguments as of `mean_of`."""
    ascending = [by_x(x, y) for x, y in curves if len(x)]
    return mean_of(ascending, center=center, band=band, bounds=bounds_of(tag, curves), whole=whole)


def bounds_of(tag: str, curves: Sequence[tuple[Floats, Floats]]) -> tuple[float, float]:
    """The bounds of a metric with these curves."""
    finite = [y[np.isfinite(y)] for _, y in curves]
    ends = [(y.min(), y.max()) for y in finite if len(y)]
    return (
        curve_bounds(tag, min(low for low, _ in ends), max(high for _, high in ends))
        if ends
        else (-np.inf, np.inf)
    )


def _mean_curve(
    name: str,
    runs: Sequence[Run],
    tag: str,
    x: X,
    position: int,
    how: Smoothing,
    band: Band | None,
    partial: Partial,
) -> Curve:
    points = [x_and_values(run, tag, x) for run in runs]
    mean = group_mean(points, tag, band if len(runs) > 1 else None, whole=partial == "stop")
    low, high = (None if edge is None else smoothed(edge, how, mean.x) for edge in (mean.low, mean.high))
    return Curve(name, position, mean.x, mean.y, smoothed(mean.y, how, mean.x), low, high, len(runs), mean.n)


def _in_unit(series: list[Curve]) -> tuple[list[Curve], str]:
    seconds, unit = time_unit(max((float(curve.x.max(initial=0.0)) for curve in series), default=0.0))
    return [replace(curve, x=curve.x / seconds) for curve in series], unit


def _robust_limits(curves: Sequence[Floats], log_y: bool) -> tuple[float, float] | None:
    """The 5 % and 95 % quantiles, extended by their distance on both sides, but not beyond the values.

    A minority of curves that leave the range of the others by far (diverged runs) does not count.
    """
    scaled = [values[np.isfinite(values) & ((values > 0) | (not log_y))] for values in curves]
    scaled = [np.log10(values) if log_y else values / _HEADROOM for values in scaled if len(values)]
    if not scaled:
        return None
    ends = np.array([np.quantile(values, (0.05, 0.95)) for values in scaled])
    room = max(_FAR * float(np.median(ends[:, 1] - ends[:, 0])), 1e-300)
    low, high = np.median(ends[:, 0]) - room, np.median(ends[:, 1]) + room
    near = (ends[:, 0] >= low) & (ends[:, 1] <= high)
    if near.sum() > len(near) / 2:
        scaled = [values for values, kept in zip(scaled, near, strict=True) if kept]
    values = np.concatenate(scaled)
    low, high = np.quantile(values, (0.05, 0.95))
    room = high - low
    low, high = max(low - room, values.min()), min(high + room, values.max())
    if low == high:
        return None
    if log_y:
        return float(np.power(10.0, low)), float(np.power(10.0, high))
    return float(low * _HEADROOM), float(high * _HEADROOM)
