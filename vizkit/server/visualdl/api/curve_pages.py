"""The pages of PR curves and ROC curves."""

from __future__ import annotations

from functools import partial

from vizkit.format.walltime import time_list
from vizkit.metrics.pr_roc import PRCurve, ROCCurve
from vizkit.server.visualdl.api.endpoint import APIRequest, Endpoint
from vizkit.server.visualdl.api.record_lookup import (
    find_entries,
    list_tags,
    locked_run,
    shown_places,
    shown_records,
)

__all__ = ["ENDPOINTS"]

_MAX_CURVES = 300  # of a tag, as in stock


def _list(request: APIRequest, kind: str) -> list[list[object]]:
    entries = find_entries(request, kind)
    if entries is None:
        return []
    return [
        [walltime, step, *_columns(curve)]
        for walltime, step, curve in shown_records(entries, _MAX_CURVES)
        if isinstance(curve, (PRCurve, ROCCurve))
    ]


def _columns(curve: PRCurve | ROCCurve) -> list[list[float]]:
    y, x = (curve.precision, curve.recall) if isinstance(curve, PRCurve) else (curve.tpr, curve.fpr)
    return [column.tolist() for column in (y, x, curve.tp, curve.fp, curve.tn, curve.fn, curve.thresholds)]


def _steps(request: APIRequest, kind: str) -> list[tuple[int | None, float]]:
    """Walltime and step of all curves of a run; stock gives those of its first tag alone."""
    walltime_of: dict[float, int | None] = {}
    with locked_run(request) as logs:
        if logs is None:
            return []
        for tag in [tag for tag, other in logs.kinds.items() if other == kind]:
            entries = logs.entries(tag)
            shown = shown_places(entries, _MAX_CURVES)
            walltimes = time_list(entries.walltimes[shown])
            for step, walltime in zip(entries.steps[shown].tolist(), walltimes, strict=True):
                walltime_of.setdefault(step, walltime)
    return [(walltime_of[step], step) for step in sorted(walltime_of)]


ENDPOINTS = {
    f"{page}/{path}": endpoint
    for page, kind in {"pr-curve": "pr_curve", "roc-curve": "roc_curve"}.items()
    for path, endpoint in {
        "tags": Endpoint(partial(list_tags, kind=kind), depends_on="tags"),
        "list": Endpoint(partial(_list, kind=kind), ("run", "tag"), "run"),
        "steps": Endpoint(partial(_steps, kind=kind), ("run",), "run"),
    }.items()
}
