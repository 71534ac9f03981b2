"""The page of the profiler: traces that ``paddle.profiler`` exported as JSON, read by VisualDL's own code.

Paddle 3 names a field of them in another way than VisualDL 2.5 looks for.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from vizkit.format.file_names import TRACE_WORD
from vizkit.server.live_runs import Followed
from vizkit.server.visualdl.api.endpoint import Endpoint, Request
from vizkit.server.visualdl.api.run_files import beside
from vizkit.server.visualdl.stock import stock_module

__all__ = ["ENDPOINTS", "trace_files"]

_NAME = re.compile(rf"(.+)_time_(.+)\.{TRACE_WORD}\.json")
_MOST_RUNS = 8
_UNITS = ("ns", "us", "ms", "s")

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_runs: OrderedDict[str, tuple[tuple[Any, ...], Any]] = OrderedDict()


def trace_files(log: Followed) -> dict[str, list[str]]:
    """Run -> its traces."""
    every = {
        run: [path for path in paths if _NAME.fullmatch(os.path.basename(path))]
        for run, paths in beside(log, TRACE_WORD).items()
    }
    return {run: paths for run, paths in every.items() if paths}


def _manager(request: Request) -> Any:
    """VisualDL's view of a run's traces; None if there are none that can be read."""
    run = request.query["run"]
    paths = trace_files(request.log).get(run, [])
    identity = tuple((path, os.stat(path).st_mtime_ns) for path in paths)
    if not paths:
        return None
    with _lock:
        known = _runs.get(run)
        if known is None or known[0] != identity:
            manager = stock_module("profiler", "run_manager").RunManager(run)
            for path in paths:
                _add(manager, path)
            manager.join()
            known = (identity, manager)
        _runs[run] = known
        _runs.move_to_end(run)
        while len(_runs) > _MOST_RUNS:
            _runs.popitem(last=False)
        return known[1]


def _add(manager: Any, path: str) -> None:
    worker = _NAME.fullmatch(os.path.basename(path))
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        content["span_indx"] = str(content.get("span_indx", content.get("span_index", "0")))
        content.setdefault("deviceProperties", [])
        result = stock_module("profiler", "parser.event_node").ProfilerResult(content)
        manager._parse_file(worker[1] if worker else "", result)
    except Exception:  # torn, or not what VisualDL's code takes
        _log.warning("%s is no trace that can be shown", path, exc_info=True)


def _views(request: Request) -> list[str]:
    manager = _manager(request)
    views = list(manager.get_views()) if manager else []
    return [view for view in views if view != "Trace"]  # without a script of another site it spins


def _workers(request: Request) -> list[str]:
    if request.query["view"] == "Distributed":
        return ["All"]
    manager = _manager(request)
    return list(manager.get_workers(request.query["view"])) if manager else []


def _spans(request: Request) -> list[str]:
    manager = _manager(request)
    worker = request.query["worker"]
    if manager is None or worker not in (*manager.profiler_data, "All"):
        return []
    return list(manager.get_distributed_spans() if worker == "All" else manager.get_spans(worker))


def _descriptions(request: Request) -> dict[str, str]:
    texts = stock_module("profiler", "parser.const_description")
    language = "EN" if request.query.get("lang", "").lower().startswith("en") else "CN"
    names = {
        "overview_environment": "DEVICE_INFO",
        "overview_model_perspective": "MODEL_PERSPECTIVE",
        "overview_model_perspective_perstep": "MODEL_PERSPECTIVE_PERSTEP",
        "overview_event_type_perspective": "EVENT_TYPE_PERSPECTIVE",
        "overview_event_type_model_perspective": "EVENT_TYPE_MODEL_PERSPECTIVE",
        "distributed_histogram": "EVENT_DISTRIBUTED_HISTOGRAM",
    }
    return {name: getattr(texts, f"TOOLTIP_{text}_{language}") for name, text in names.items()}


def _environment(request: Request) -> Any:
    manager = _manager(request)
    data = manager.get_profiler_data(request.query["worker"], request.query["span"]) if manager else None
    return {**data.get_device_infos(), "num_workers": len(manager.get_workers("Overview"))} if data else None


def _plain(query: dict[str, str], name: str) -> Any:
    value = query.get(name, "")
    if name == "time_unit":
        return value if value in _UNITS else "ms"
    if name == "topk":
        return int(value) if value.isdecimal() and len(value) < 9 else 5
    if name in ("min_size", "max_size"):
        try:
            return float(value)
        except ValueError:
            return 0.0 if name == "min_size" else math.inf
    if name == "search_name":
        return None if value in ("", "undefined") else value
    return value.lower() if name == "device_type" else value


def _ask(request: Request, method: str, names: tuple[str, ...], whole: str = "profiler") -> Any:
    """What VisualDL's data of a worker and span (or of a span, over all workers) gives."""
    if request.query.get("device_type") == "undefined":
        return None
    manager = _manager(request)
    if manager is None:
        return None
    worker, span = request.query["worker"], request.query["span"]
    data = (
        manager.get_distributed_profiler_data(span)
        if whole == "distributed"
        else manager.get_profiler_data(worker, span)
    )
    if data is None:
        return None
    values = [
        request.query["device_type"]
        if whole == "memory" and name == "device_type"
        else _plain(request.query, name)
        for name in names
    ]
    ask: Callable[..., Any] = getattr(data, method)
    return ask(*values)


def _endpoint(method: str, *names: str, whole: str = "profiler") -> Endpoint:
    needs = (
        "run",
        "worker",
        "span",
        *(name for name in names if name in ("device_type", "group_by", "step")),
    )
    return Endpoint(partial(_ask, method=method, names=names, whole=whole), needs, "", slow=True)


_DEVICE, _UNIT = "device_type", "time_unit"
ENDPOINTS = {
    f"profiler/{path}": endpoint
    for path, endpoint in {
        "runs": Endpoint(lambda request: list(trace_files(request.log)), lasts=""),
        "views": Endpoint(_views, ("run",), "", slow=True),
        "workers": Endpoint(_workers, ("run", "view"), "", slow=True),
        "spans": Endpoint(_spans, ("run", "worker"), "", slow=True),
        "timeunits": Endpoint(lambda request: list(_UNITS), lasts=""),
        "descriptions": Endpoint(_descriptions, lasts=""),
        "overview/environment": Endpoint(_environment, ("run", "worker", "span"), "", slow=True),
        "overview/model_perspective": _endpoint("get_model_perspective", _UNIT),
        "overview/model_perspective_perstep": _endpoint("get_model_perspective_perstep", _DEVICE, _UNIT),
        "overview/event_type_perspective": _endpoint("get_event_type_perspective", _DEVICE, _UNIT),
        "overview/event_type_model_perspective": _endpoint("get_event_type_model_perspective", _UNIT),
        "overview/userdefined_perspective": _endpoint("get_userdefined_perspective", _UNIT),
        "operator/pie": _endpoint("get_operator_pie", "topk", _UNIT),
        "operator/pie_expand": _endpoint("get_operator_pie_expand", "topk", _DEVICE, _UNIT),
        "operator/table": _endpoint("get_operator_table", "group_by", "search_name", _UNIT),
        "kernel/pie": _endpoint("get_kernel_pie", "topk", _UNIT),
        "kernel/tensorcore_pie": _endpoint("get_kernel_tc_pie", "topk", _UNIT),
        "kernel/table": _endpoint("get_kernel_table", "group_by", "search_name", _UNIT),
        "distributed/info": _endpoint("get_distributed_info", whole="distributed"),
        "distributed/steps": _endpoint("get_distributed_steps", whole="distributed"),
        "distributed/histogram": _endpoint("get_distributed_histogram", "step", _UNIT, whole="distributed"),
        "trace": _endpoint("get_trace_data"),
        "memory/devices": _endpoint("get_memory_devices"),
        "memory/curve": _endpoint("get_memory_curve", _DEVICE, _UNIT, whole="memory"),
        "memory/memory_events": _endpoint(
            *("get_memory_events", _DEVICE, "min_size", "max_size", "search_name", _UNIT), whole="memory"
        ),
        "memory/op_memory_events": _endpoint("get_op_memory_events", _DEVICE, "search_name", whole="memory"),
    }.items()
}
