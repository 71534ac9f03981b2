"""The page of hyper-parameters: the true last values of the metrics, or the best ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from vizkit.errors import DataError
from vizkit.metrics.direction import direction
from vizkit.reading import RunReader
from vizkit.server.live_runs import page_name
from vizkit.server.visualdl.api.endpoint import Endpoint, Request, Streamed
from vizkit.server.visualdl.api.scalar_page import table

__all__ = ["ENDPOINTS", "is_shown"]


class _Row(NamedTuple):
    name: str
    hparams: dict[str, Any]
    metrics: dict[str, float | None]


def _rows(request: Request) -> list[_Row]:
    best = request.settings.hparam_metrics == "best"
    rows = []
    with request.log.lock:
        for run in request.log.view.runs.values():
            made = run.logs.hparams
            if made.hparams or made.metrics:
                metrics = {tag: _value(run.logs, tag, best) for tag in made.metrics}
                hparams = {page_name(name): value for name, value in made.hparams.items()}
                rows.append(_Row(run.name, hparams, metrics))
    return rows


def _value(logs: RunReader, tag: str, best: bool) -> float | None:
    """The metric of a run; None if it has none."""
    if not _has(logs, tag):
        return None
    if best:
        try:
            low = direction(tag, "auto") == "min"
        except DataError:  # its name does not tell what is best
            return logs.last(tag)[2]
        values = logs.scalars(tag).values
        values = values[~np.isnan(values)]
        return float(values.min() if low else values.max()) if len(values) else math.nan
    return logs.last(tag)[2]


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def is_shown(request: Request) -> bool:
    """Whether the page has something to show: it lists no run before one of the metrics is recorded."""
    with request.log.lock:
        every = [run.logs for run in request.log.view.runs.values()]
        return any(_has(logs, tag) for logs in every for tag in logs.hparams.metrics)


def _has(logs: RunReader, metric: str) -> bool:
    return logs.kinds.get(metric) == "scalar"


def _types(rows: list[_Row]) -> dict[str, str]:
    """Hyper-parameter -> VisualDL's type: all values of a column are of one."""
    values: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.hparams.items():
            values.setdefault(name, []).append(value)
    return {name: _type(some) for name, some in values.items()}


def _type(values: list[Any]) -> str:
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in values):
        return "string"
    if not all(math.isfinite(value) and abs(value) < 2**53 for value in values):
        return "string"  # NaN is no number to JSON, and greater ones are none to a browser
    return "numeric" if all(isinstance(value, int) for value in values) else "continuous"


def _plain(value: Any, kind: str) -> Any:
    return value if kind != "string" or isinstance(value, str) else str(value)


def _indicators(request: Request) -> dict[str, Any]:
    rows = _rows(request)
    hparams = []
    for name, kind in _types(rows).items():
        values = [_plain(row.hparams[name], kind) for row in rows if name in row.hparams]
        hparams.append({"name": name, "type": kind, "values": list(dict.fromkeys(values))})
    known = dict.fromkeys(tag for row in rows for tag, value in row.metrics.items() if value is not None)
    return {"hparams": hparams, "metrics": [{"name": tag, "type": "continuous"} for tag in known]}


def _list(request: Request) -> list[dict[str, Any]]:
    rows = _rows(request)
    types = _types(rows)
    return [
        {
            "name": row.name,
            "hparams": {name: _plain(value, types[name]) for name, value in row.hparams.items()},
            # The page leaves out a run with text for a number, and shows null as NaN.
            "metrics": {tag: value if _is_finite(value) else None for tag, value in row.metrics.items()},
        }
        for row in rows
    ]


def _data(request: Request) -> Streamed:
    rows = _rows(request)
    hparams = list(dict.fromkeys(name for row in rows for name in row.hparams))
    metrics = list(dict.fromkeys(tag for row in rows for tag in row.metrics))

    def lines() -> Iterator[list[Any]]:
        yield ["Trial ID", *hparams, *metrics]
        for row in rows:
            made = [row.hparams.get(name, "") for name in hparams]
            reached = [row.metrics.get(tag) for tag in metrics]
            yield [row.name, *made, *("" if value is None else value for value in reached)]

    return table(lines(), request, "hparams")


def _importance(request: Request) -> list[dict[str, Any]]:
    """The share of the metrics' variance that each hyper-parameter explains alone, their mean.

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
    means = [{"name": name, "value": sum(some) / len(some) if some else 0.0} for name, some in shares.items()]
    return sorted(means, key=lambda item: -float(str(item["value"])))


ENDPOINTS = {
    "hparams/indicators": Endpoint(_indicators),
    "hparams/list": Endpoint(_list),
    "hparams/data": Endpoint(_data, lasts=""),
    "hparams/importance": Endpoint(_importance),
}
