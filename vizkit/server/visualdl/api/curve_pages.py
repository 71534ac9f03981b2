"""The pages of PR curves, ROC curves and histograms."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizkit.errors import DataError
from vizkit.format.walltime import milliseconds
from vizkit.metrics.downsampling import evenly
from vizkit.metrics.histograms import Histogram
from vizkit.metrics.pr_roc import PRCurve
from vizkit.reading import Entries
from vizkit.server.visualdl.api.endpoint import Endpoint, Request
from vizkit.server.visualdl.api.finding import entries_of, open_run, tags_answer

__all__ = ["ENDPOINTS"]

_MOST = {"pr_curve": 300, "roc_curve": 300, "histogram": 100}  # as stock, records of a tag


def _shown(entries: Entries[Any], kind: str) -> NDArray[np.int64]:
    """Positions of the records that are shown: all, or the first, the last and evenly spaced ones."""
    return evenly(np.arange(len(entries)), _MOST[kind])


def _list(request: Request, kind: str) -> list[list[Any]]:
    entries = entries_of(request, kind)
    if entries is None:
        return []
    out = []
    for index in _shown(entries, kind).tolist():
        try:
            content = entries[index]
        except DataError:
            continue
        row = [int(milliseconds(entries.walltimes[index : index + 1])[0]), entries.steps[index].item()]
        out.append(row + (_bins(content) if isinstance(content, Histogram) else _curve(content)))
    return out


def _bins(histogram: Histogram) -> list[Any]:
    edges, counts = histogram.edges.tolist(), histogram.counts.tolist()
    if len(edges) != len(counts) + 1:
        return [[]]
    return [[list(row) for row in zip(edges[:-1], edges[1:], counts, strict=True)]]


def _curve(curve: Any) -> list[Any]:
    first, second = (curve.precision, curve.recall) if isinstance(curve, PRCurve) else (curve.tpr, curve.fpr)
    return [
        column.tolist()
        for column in (first, second, curve.tp, curve.fp, curve.tn, curve.fn, curve.thresholds)
    ]


def _steps(request: Request, kind: str) -> list[list[Any]]:
    """Walltime and step of all curves of a run; stock gives those of its first tag alone."""
    times: dict[Any, int] = {}
    with open_run(request) as logs:
        if logs is None:
            return []
        for tag in [tag for tag, other in logs.kinds.items() if other == kind]:
            entries = logs.entries(tag)
            shown = _shown(entries, kind)
            walltimes = milliseconds(entries.walltimes[shown]).tolist()
            for step, walltime in zip(entries.steps[shown].tolist(), walltimes, strict=True):
                times.setdefault(step, walltime)
    return [[times[step], step] for step in sorted(times)]


ENDPOINTS = {
    "histogram/tags": Endpoint(partial(tags_answer, kind="histogram"), lasts="shape"),
    "histogram/list": Endpoint(partial(_list, kind="histogram"), ("run", "tag"), "run"),
}
for _name, _kind in {"pr-curve": "pr_curve", "roc-curve": "roc_curve"}.items():
    ENDPOINTS |= {
        f"{_name}/tags": Endpoint(partial(tags_answer, kind=_kind), lasts="shape"),
        f"{_name}/list": Endpoint(partial(_list, kind=_kind), ("run", "tag"), "run"),
        f"{_name}/steps": Endpoint(partial(_steps, kind=_kind), ("run",), "run"),
    }
