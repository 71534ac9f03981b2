"""Summaries of scalar tags from their pyramids, without a look at all records."""

from __future__ import annotations

import numpy as np

from vizkit.columns.column_extremes import ColumnEdges, column_extremes
from vizkit.columns.pyramid import SHORT, Pyramid
from vizkit.format.walltime import time_list
from vizkit.reading import Scalars
from vizkit.runs import Run
from vizkit.runs.statistics import Point, Summary

__all__ = ["quick_summary"]


def _small_summary(recorded: Scalars) -> Summary:
    steps, values, times = recorded.steps.tolist(), recorded.values.tolist(), time_list(recorded.walltimes)
    counting = [value for value in values if value == value]

    def point(place: int) -> Point:
        return Point(steps[place], values[place], times[place])

    n, nan = len(values), len(values) - len(counting)
    if not counting:
        return Summary(n, nan, point(0), point(-1), None, None, float("nan"))
    least, greatest = (point(values.index(one)) for one in (min(counting), max(counting)))
    return Summary(n, nan, point(0), point(-1), least, greatest, float("nan"))


def quick_summary(run: Run, tag: str) -> Summary:
    """The summary of a scalar tag with at least one record, as `Run.summary` has it, but for the mean."""
    if run.count(tag) <= SHORT:
        return _small_summary(run.columns(tag))
    recorded = run.recorded(tag)
    values, n = recorded.values, len(recorded.values)
    pyramid = recorded.pyramid or Pyramid(values)  # of many, most may be superseded
    ends = np.array([0, n])
    ((lows, highs),) = column_extremes([(pyramid, values)], [ColumnEdges(ends)])
    least, greatest = float(lows[0]), float(highs[0])
    nan, above, below = (int(count[0]) for count in pyramid.counts(values, ends))
    low = -np.inf if below else least
    high = np.inf if above else greatest

    def point(place: int) -> Point:
        where = slice(place, place + 1)
        (walltime,) = time_list(np.asarray(recorded.walltimes[where]))
        return Point(recorded.steps[where][0].item(), float(values[where][0]), walltime)

    if nan == n:
        return Summary(n, nan, point(0), point(n - 1), None, None, float("nan"))
    if below + above + nan == n:  # no finite one
        low, high = (-np.inf if below else np.inf), (np.inf if above else -np.inf)
    places = [pyramid.first_place(values, value) for value in (low, high)]
    return Summary(n, nan, point(0), point(n - 1), point(places[0]), point(places[1]), float("nan"))
