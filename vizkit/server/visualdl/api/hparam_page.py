"""The page of hyper-parameters, with the last values of the metrics or the best ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from vizkit.metrics.direction import known_direction
from vizkit.reading import RunReader
from vizkit.runs.export import plain
from vizkit.server.run_names import page_name
from vizkit.server.visualdl.api.downloads import download
from vizkit.server.visualdl.api.endpoint import APIRequest, Endpoint, StreamedAnswer
from vizkit.server.visualdl.api.scalar_page import curve_answer, points_of_curve

__all__ = ["ENDPOINTS", "has_content"]


class _Row(NamedTuple):
    name: str
    hparams: dict[str, object]
    metrics: dict[str, float | None]


def _rows(request: APIRequest) -> list[_Row]:
    best = request.options.hparam_metrics == "best"
    rows = []
    with request.runs.lock:
        runs = request.runs.snapshot.runs.values()
        taken = {"name", *(tag for run in runs for tag in run.logs.hparams.metrics)}  # as columns' names
        for run in runs:
            recorded = run.logs.hparams
            if recorded.hparams or recorded.metrics:
                metrics = {tag: _value(run.logs, tag, best) for tag in recorded.metrics}
                hparams = {
                    f"hparams.{name}" if name in taken else page_name(name): value
                    for name, value in recorded.hparams.items()
                }
                rows.append(_Row(run.name, hparams, metrics))
    return rows


def _value(logs: RunReader, tag: str, best: bool) -> float | None:
    """The last or best value of a metric; None if the run has none."""
    if not _has_metric(logs, tag):
        return None
    mode = logs.hparams.modes.get(tag) or known_direction(tag)
    if not best or not mode:
        return logs.last(tag)[2]
    values = logs.scalars(tag).values
    values = values[~np.isnan(values)]
    return float(values.min() if mode == "min" else values.max()) if len(values) else math.nan


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def has_content(request: APIRequest) -> bool:
    """Return True if the page has something to show: it lists no run before a metric is recorded."""
    with request.runs.lock:
        every = [run.logs for run in request.runs.snapshot.runs.values()]
        return any(_has_metric(logs, tag) for logs in every for tag in logs.hparams.metrics)


def _has_metric(logs: RunReader, metric: str) -> bool:
    return logs.kinds.get(metric) == "scalar"


def _types(rows: list[_Row]) -> dict[str, str]:
    """VisualDL's type of each hyper-parameter: all values of a column are of one."""
    values: dict[str, list[object]] = {}
    for row in rows:
        for name, value in row.hparams.items():
            values.setdefault(name, []).append(value)
    return {name: _type(some) for name, some in values.items()}


def _type(values: list[object]) -> str:
    kind = "numeric"
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return "string"
        if not abs(value) < 2**53:
            return "string"  # JSON has no NaN, and browsers no larger integers
        if isinstance(value, float):
            kind = "continuous"
    return kind


def _plain(value: object, kind: str) -> object:
    return value if kind != "string" or isinstance(value, str) else str(value)


def _indicators(request: APIRequest) -> dict[str, list[dict[str, object]]]:
    """The columns of the table: hyper-parameters with all their values, and metrics."""
    rows = _rows(request)
    hparams: list[dict[str, object]] = []
    for name, kind in _types(rows).items():
        values = [_plain(row.hparams[name], kind) for row in rows if name in row.hparams]
        hparams.append({"name": name, "type": kind, "values": list(dict.fromkeys(values))})
    known = dict.fromkeys(tag for row in rows for tag, value in row.metrics.items() if value is not None)
    return {"hparams": hparams, "metrics": [{"name": tag, "type": "continuous"} for tag in known]}


def _list(request: APIRequest) -> list[dict[str, object]]:
    rows = _rows(request)
    types = _types(rows)
    found: list[dict[str, object]] = []
    for row in rows:
        hparams = {name: _plain(value, types[name]) for name, value in row.hparams.items()}
        # The page leaves out a run with text for a number.
        metrics = {tag: value if _is_finite(value) else None for tag, value in row.metrics.items()}
        found.append({"name": row.name, "hparams": hparams, "metrics": metrics})
        odd = {
            tag: value for tag, value in row.metrics.items() if value is not None and not _is_finite(value)
        }
        if odd:
            found[-1]["not finite"] = plain(odd)
    return found


def _download(request: APIRequest) -> StreamedAnswer:
    rows = _rows(request)
    hparams = list(dict.fromkeys(name for row in rows for name in row.hparams))
    metrics = list(dict.fromkeys(tag for row in rows for tag in row.metrics))

    def lines() -> Iterator[list[object]]:
        yield ["Trial ID", *hparams, *metrics]
        for row in rows:
            settings = [row.hparams.get(name, "") for name in hparams]
            results = [row.metrics.get(tag) for tag in metrics]
            yield [row.name, *settings, *("" if value is None else value for value in results)]

    return download(lines(), request, "hparams")


def _importance(request: APIRequest) -> list[dict[str, object]]:
    """The share of each metric's variance that a hyper-parameter alone explains; its mean over the metrics.

    Method, source and limits: `vizkit.runs.importance`. A metric counts with four runs or more.
    """
    from vizkit.runs.importance import compute_importance

    rows = _rows(request)
    names = dict.fromkeys(name for row in rows for name in row.hparams)
    shares: dict[str, list[float]] = {name: [] for name in names}
    for tag in dict.fromkeys(tag for row in rows for tag in row.metrics):
        known = [row for row in rows if _is_finite(row.metrics.get(tag))]
        if len(known) >= 4:
            columns = {name: [row.hparams.get(name) for row in known] for name in names}
            for found in compute_importance(columns, [row.metrics[tag] or 0.0 for row in known]):
                if not math.isnan(found.importance):
                    shares[found.name].append(found.importance)
    means = {name: sum(some) / len(some) if some else 0.0 for name, some in shares.items()}
    return [
        {"name": name, "value": means[name]} for name in sorted(means, key=means.__getitem__, reverse=True)
    ]


ENDPOINTS = {
    "hparams/indicators": Endpoint(_indicators),
    "hparams/list": Endpoint(_list),
    "hparams/metric": Endpoint(curve_answer, ("run", "metric"), "run", points_of_curve),
    "hparams/data": Endpoint(_download, depends_on=""),
    "hparams/importance": Endpoint(_importance),
}
