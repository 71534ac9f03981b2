"""Hyper-parameters and metrics of runs as positions on axes, for plots with an axis each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vizkit._checks import is_number
from vizkit._language import tr
from vizkit.curves.plot_arguments import RunSource, as_runs, positions
from vizkit.errors import DataError
from vizkit.metrics.arrays import Floats
from vizkit.reading import natural_key
from vizkit.runs.difference import differing
from vizkit.runs.formatting import value_texts
from vizkit.runs.lookup import unknown
from vizkit.runs.scalar_tags import with_tag
from vizkit.runs.statistics import best_of_run, checked_mode

__all__ = ["HparamAxes", "HparamAxis", "hparam_axes"]

_WIDE = 30.0  # ratio of the largest to the smallest value that makes an axis logarithmic
_MOST_TICKS = 12


@dataclass(frozen=True, eq=False)
class HparamAxis:
    """The axis of one hyper-parameter or metric.

    Attributes:
        name: the hyper-parameter or metric.
        values: the value of each run, as recorded; None where a run has none.
        places: (n,) positions of the values on the axis: numbers, their logarithms to base 10, or the rank of
            values that are not numbers; NaN where there is none.
        scale: ``"linear"``, ``"log"`` or ``"category"``.
        ticks: (position, text) of all different values, if these are few or categories; else empty.
        is_metric: True for a metric.
    """

    name: str
    values: tuple[Any, ...]
    places: Floats
    scale: str
    ticks: tuple[tuple[float, str], ...]
    is_metric: bool


@dataclass(frozen=True, eq=False)
class HparamAxes:
    """Runs and the axes of their hyper-parameters and metrics.

    Attributes:
        names: the names of the n runs.
        positions: positions of the runs in the palette.
        columns: the axes, first of the hyper-parameters, then of the metrics.
    """

    names: tuple[str, ...]
    positions: tuple[int, ...]
    columns: tuple[HparamAxis, ...]


def hparam_axes(
    source: RunSource, metrics: str | Sequence[str], hparams: Sequence[str] | None = None, mode: str = "auto"
) -> HparamAxes:
    """Compute the axes of the hyper-parameters that differ, and of the best values of metrics.

    Arguments and errors as of `vizkit.plots.scatter_matrix`.
    """
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    if not metrics:
        raise DataError("name a metric at least, such as 'eval/acc'")
    every = as_runs(source)
    runs, *_ = [with_tag(every, metric) for metric in metrics]
    settings = [run.hparams for run in runs]
    if hparams is None:
        chosen = list(differing(settings))
        if not chosen:
            raise DataError("no hyper-parameter differs between the runs")
    else:
        chosen = list(hparams)
        known = list(dict.fromkeys(name for each in settings for name in each))
        for name in chosen:
            if name not in known:
                raise unknown(tr("hyper-parameter"), name, known)
    columns = [_column(name, [each.get(name) for each in settings], False) for name in chosen]
    for metric in metrics:
        way = checked_mode(runs, metric, mode)
        columns.append(_column(metric, [best_of_run(run, metric, way) for run in runs], True))
    return HparamAxes(tuple(run.name for run in runs), tuple(positions(runs)), tuple(columns))


def _column(name: str, values: Sequence[Any], is_metric: bool) -> HparamAxis:
    there = [value for value in values if value is not None]
    if there and all(_fits_float(value) for value in there):
        numbers = np.array([math.nan if value is None else float(value) for value in values])
        finite = np.unique(numbers[np.isfinite(numbers)])
        log = not is_metric and len(finite) > 1 and finite[0] > 0 and finite[-1] / finite[0] >= _WIDE
        places = np.log10(numbers) if log else numbers
        marks = np.log10(finite) if log else finite
        few = not is_metric and len(finite) <= _MOST_TICKS
        ticks = tuple(zip(marks.tolist(), value_texts(finite.tolist(), 6), strict=True)) if few else ()
        return HparamAxis(name, tuple(values), places, "log" if log else "linear", ticks, is_metric)
    kinds = sorted({str(value) for value in there}, key=natural_key)
    rank = {text: float(place) for place, text in enumerate(kinds)}
    places = np.array([math.nan if value is None else rank[str(value)] for value in values])
    return HparamAxis(name, tuple(values), places, "category", tuple((rank[k], k) for k in kinds), is_metric)


def _fits_float(value: object) -> bool:
    return is_number(value) and not (isinstance(value, int) and abs(value) >= 2**1000)
