"""The numbers behind `vizkit.plots.curves`: places on the x axis, smoothing, bands, limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vizkit.curves.selection import as_runs, group_runs, positions
from vizkit.errors import DataError
from vizkit.format.tags import EPOCH, SECONDS
from vizkit.reading import Scalars
from vizkit.runs import Run
from vizkit.runs.lookup import with_tag
from vizkit.runs.statistics import align, column_statistics

__all__ = ["Band", "Curve", "CurvesData", "X", "curves_data", "epochs", "smoothed", "time_unit"]

X = Literal["step", "time", "epoch", "relative"]
Band = Literal["std", "ci", "minmax"]
_Floats = NDArray[np.float64]

_MOST_PLACES = 20_000
_UNITS = ((180.0, 1.0, "s"), (180.0 * 60, 60.0, "min"), (72.0 * 3600, 3600.0, "h"), (np.inf, 86400.0, "days"))


@dataclass(frozen=True, eq=False)
class Curve:
    """One line: a run, or the mean of a group of runs.

    Attributes:
        name: of the run, or ``hyper-parameter = value``.
        position: its place among the colours.
        x: (n,) places, in the unit of the axis.
        y: (n,) recorded values, or means; NaN and infinities are kept.
        smooth: (n,) the same smoothed; ``y`` itself without smoothing.
        low, high: (n,) the band, smoothed alike; None without one.
        runs: how many runs it stands for.
    """

    name: str
    position: int
    x: _Floats
    y: _Floats
    smooth: _Floats
    low: _Floats | None = None
    high: _Floats | None = None
    runs: int = 1


@dataclass(frozen=True, eq=False)
class CurvesData:
    """All lines of a plot.

    Attributes:
        tag: the scalar tag.
        x: what the x axis is.
        unit: of a time axis: ``"s"``, ``"min"``, ``"h"`` or ``"days"``; else empty.
        series: the lines.
        limits: of y, so that few far values do not flatten the rest; None to show them all.
        above, below: how many recorded values (or means) lie outside of ``limits``.
        hidden: how many cannot be shown on a logarithmic axis.
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
    source: Any,
    tag: str,
    *,
    x: X = "step",
    by: str | Sequence[str] | None = None,
    smooth: float = 0.0,
    band: Band | None = "std",
    outliers: bool = True,
    log_y: bool = False,
) -> CurvesData:
    """The data step of `vizkit.plots.curves`, whose arguments these are.

    Raises:
        DataError: an argument that makes no sense, or no epochs to place values by.
        UnknownNameError: no run has the tag.
    """
    if not 0 <= smooth < 1:
        raise DataError(f"smooth must be at least 0 and below 1, got {smooth}")
    if band not in ("std", "ci", "minmax", None):
        raise DataError(f"band must be 'std', 'ci', 'minmax' or None, got {band!r}")
    if x not in ("step", "time", "epoch", "relative"):
        raise DataError(f"x must be 'step', 'time', 'epoch' or 'relative', got {x!r}")
    runs = with_tag(as_runs(source), tag)
    if by is None:
        places = positions(runs)
        series = [_of_run(run, tag, x, position, smooth) for run, position in zip(runs, places, strict=True)]
    else:
        groups = group_runs(runs, by)
        series = [
            _of_group(name, group, tag, x, position, smooth, band)
            for position, (name, group) in enumerate(groups.items())
        ]
    unit = ""
    if x in ("time", "relative"):
        series, unit = _in_unit(series)
    values = np.concatenate([line.y for line in series])
    limits, above, below = None if outliers else _robust_limits(values, log_y), 0, 0
    if limits is not None:
        above = int((values[values < np.inf] > limits[1]).sum())
        shown = values[values > 0] if log_y else values[values > -np.inf]
        below = int((shown < limits[0]).sum())
    hidden = int((values <= 0).sum()) if log_y else 0
    return CurvesData(tag, x, unit, tuple(series), limits, above, below, hidden)


def smoothed(values: _Floats, weight: float) -> _Floats:
    """An exponential moving average without the pull of its start, as TensorBoard draws it.

    ``s_k = w s_(k-1) + (1 - w) y_k`` from ``s_0 = 0``, divided by ``1 - w^k`` (Kingma and Ba, ICLR 2015,
    section 3). Values that are not finite stay as they are, and do not count.

    Args:
        values: (n,).
        weight: w, at least 0 and below 1.
    """
    if not weight:
        return values
    out = values.copy()
    finite = np.flatnonzero(np.isfinite(values))
    average, share, results = 0.0, 0.0, []
    for value in values[finite].tolist():
        average = weight * average + (1 - weight) * value
        share = weight * share + (1 - weight)
        results.append(average / share)
    out[finite] = results
    return out


def epochs(run: Run, steps: NDArray[Any]) -> _Floats:
    """How many epochs had passed at each step, in parts of an epoch too.

    Told by the scalar ``train/epoch``: a change of it is a new epoch, also where counting starts again at 0.
    The parts are shares of its records; those of an epoch under way are of the longest one before.

    Args:
        run: the run.
        steps: (n,).

    Raises:
        DataError: the run has no ``train/epoch``.
    """
    if EPOCH not in run.scalar_tags:
        raise DataError(f"{run.name} has no scalar {EPOCH!r} that tells its epochs; use x='step'")
    columns = run.columns(EPOCH)
    number = np.concatenate(([0], np.cumsum(np.diff(columns.values) != 0)))
    lengths = np.bincount(number)
    within = np.arange(len(number)) - np.concatenate(([0], np.cumsum(lengths)))[number] + 1
    lengths[-1] = lengths.max()
    passed = np.concatenate(([0.0], number + within / lengths[number]))
    return passed[np.searchsorted(columns.steps, steps, side="right")]


def _of_run(run: Run, tag: str, x: X, position: int, smooth: float) -> Curve:
    places, values = _points(run, tag, x)
    return Curve(run.name, position, places, values, smoothed(values, smooth))


def _points(run: Run, tag: str, x: X) -> tuple[_Floats, _Floats]:
    columns = run.columns(tag)
    if x == "step":
        places = columns.steps
    elif x == "epoch":
        places = epochs(run, _training_steps(run, columns) if tag.startswith(SECONDS) else columns.steps)
    elif x == "time":
        places = run.seconds(columns.walltimes)
    else:
        places = (columns.walltimes - columns.walltimes[:1]) / 1000
    return np.asarray(places, dtype=np.float64), columns.values


def _training_steps(run: Run, columns: Scalars) -> NDArray[Any]:
    """The steps of the training at the times of records whose own steps are seconds; -1 before the first."""
    if EPOCH not in run.scalar_tags:
        return columns.steps
    epoch = run.columns(EPOCH)
    return np.append(-1, epoch.steps)[np.searchsorted(epoch.walltimes, columns.walltimes, side="right")]


def _of_group(
    name: str, runs: Sequence[Run], tag: str, x: X, position: int, smooth: float, band: Band | None
) -> Curve:
    points = [_points(run, tag, x) for run in runs]
    points = [(np.maximum.accumulate(places), values) for places, values in points if len(places)]
    grid = np.unique(np.concatenate([places for places, _ in points]))
    if len(grid) > _MOST_PLACES:
        grid = np.linspace(grid[0], grid[-1], _MOST_PLACES)
    matrix, _ = align(points, grid)
    mean, std, _, low, high = column_statistics(matrix)
    if band == "std":
        low, high = mean - std, mean + std
    elif band == "minmax":
        low, high = np.fmin.reduce(matrix), np.fmax.reduce(matrix)
    if band is None or len(runs) < 2:
        return Curve(name, position, grid, mean, smoothed(mean, smooth), runs=len(runs))
    low, high = smoothed(low, smooth), smoothed(high, smooth)
    return Curve(name, position, grid, mean, smoothed(mean, smooth), low, high, len(runs))


def _in_unit(series: list[Curve]) -> tuple[list[Curve], str]:
    factor, unit = time_unit(max((float(line.x.max(initial=0.0)) for line in series), default=0.0))
    return [replace(line, x=line.x / factor) for line in series], unit


def time_unit(longest: float) -> tuple[float, str]:
    """The seconds of the unit that a time of so many seconds is best read in, and its name."""
    return next((factor, unit) for most, factor, unit in _UNITS if longest < most or most == np.inf)


def _robust_limits(values: _Floats, log_y: bool) -> tuple[float, float] | None:
    """From 5 % to 95 % of all values, and as far again on both sides, but not beyond the values."""
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
