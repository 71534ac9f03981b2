"""Curves of a scalar tag: runs, or means of groups of runs with bands, and limits of the y axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from vizkit._checks import one_of
from vizkit.curves.means import Band, Center, Mean, mean_of
from vizkit.curves.plot_arguments import RunSource, as_runs, group_positions, labelled_groups, positions
from vizkit.curves.smoothing import Smoothing, SmoothLike, smoothed, smoothing
from vizkit.curves.x_axis import X, check_x, time_unit, x_and_values
from vizkit.metrics.arrays import Bools, Floats, Ints
from vizkit.metrics.bounds import metric_bounds
from vizkit.runs import Run
from vizkit.runs.scalar_tags import with_tag

__all__ = ["Curve", "CurvesData", "Partial", "bounds_of", "curves_data", "group_mean"]

Partial = Literal["dotted", "stop"]


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
        text = f"{self.runs} run{'s' * (self.runs != 1)}"
        if self.n is None or not self.fewer.any():
            return text
        some = np.unique(self.n[self.fewer]).tolist()
        return f"{text}, dotted: {some[0]}{f' to {some[-1]}' * (len(some) > 1)}"


@dataclass(frozen=True, eq=False)
class CurvesData:
    """The curves of a plot.

    Attributes:
        tag: the scalar tag.
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


def curves_data(
    source: RunSource,
    tag: str,
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
    runs = with_tag(as_runs(source), tag)
    check_x(runs, x)
    if by is None:
        each = zip(runs, positions(runs), strict=True)
        series = [_run_curve(run, tag, x, position, how) for run, position in each]
    else:
        groups, places = labelled_groups(runs, by), group_positions(source, by)
        series = [
            _mean_curve(name, group, tag, x, places[name], how, band, partial)
            for name, group in groups.items()
        ]
    unit = ""
    if x in ("time", "relative"):
        series, unit = _in_unit(series)
    values = np.concatenate([curve.y for curve in series])
    limits, above, below = None if outliers else _robust_limits(values, log_y), 0, 0
    if limits is not None:
        above = int((values[values < np.inf] > limits[1]).sum())
        shown = values[values > 0] if log_y else values[values > -np.inf]
        below = int((shown < limits[0]).sum())
    hidden = int((values <= 0).sum()) if log_y else 0
    return CurvesData(tag, x, unit, tuple(series), limits, above, below, hidden)


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
    """The mean of a group's curves, over x that stays where it goes back; arguments as of `mean_of`."""
    ascending = [(np.maximum.accumulate(x), y) for x, y in curves if len(x)]
    return mean_of(ascending, center=center, band=band, bounds=bounds_of(tag, curves), whole=whole)


def bounds_of(tag: str, curves: Sequence[tuple[Floats, Floats]]) -> tuple[float, float]:
    """The bounds of a metric with these curves."""
    finite = [y[np.isfinite(y)] for _, y in curves]
    ends = [(y.min(), y.max()) for y in finite if len(y)]
    return (
        metric_bounds(tag, min(low for low, _ in ends), max(high for _, high in ends))
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


def _robust_limits(values: Floats, log_y: bool) -> tuple[float, float] | None:
    """The 5 % and 95 % quantiles, extended by their distance on both sides, but not beyond the values."""
    values = values[np.isfinite(values) & ((values > 0) | (not log_y))]
    if not len(values):
        return None
    values = np.log10(values) if log_y else values
    low, high = np.quantile(values, (0.05, 0.95))
    room = high - low
    low, high = max(low - room, values.min()), min(high + room, values.max())
    if low == high:
        return None
    return (float(10**low), float(10**high)) if log_y else (float(low), float(high))
