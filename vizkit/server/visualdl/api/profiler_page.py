"""The page of the profiler: traces that ``paddle.profiler`` exported as JSON, read by VisualDL's own code.

Paddle 3 has another name for one of their fields than VisualDL 2.5 looks for.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import threading
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Literal, Protocol, cast

from vizkit.format.file_names import TRACE_WORD
from vizkit.server.live_runs import LiveRuns
from vizkit.server.sized_cache import SizedCache
from vizkit.server.visualdl.api.endpoint import APIRequest, Endpoint
from vizkit.server.visualdl.api.run_files import files_of_runs
from vizkit.server.visualdl.stock import stock_module

__all__ = ["ENDPOINTS", "trace_files"]

_NAME = re.compile(rf"(.+)_time_(.+)\.{TRACE_WORD}\.json")
_CACHED = 256 << 20  # bytes of traces
_SPREAD = 10  # bytes of memory for each of a trace's JSON
_UNITS = ("ns", "us", "ms", "s")


class _Data(Protocol):
    """VisualDL's data of one worker and span."""

    def get_device_infos(self) -> dict[str, object]: ...


class _RunManager(Protocol):
    """VisualDL's traces of one run."""

    profiler_data: dict[str, object]

    def get_views(self) -> Iterable[str]: ...
    def get_workers(self, view: str) -> Collection[str]: ...
    def get_spans(self, worker: str) -> Iterable[str]: ...
    def get_distributed_spans(self) -> Iterable[str]: ...
    def get_profiler_data(self, worker: str, span: str) -> _Data | None: ...
    def get_distributed_profiler_data(self, span: str) -> _Data | None: ...
    def _parse_file(self, worker: str, result: object) -> None: ...
    def join(self) -> None: ...


_log = logging.getLogger(__name__)
_lock = threading.Lock()
_managers: SizedCache[_RunManager] = SizedCache(_CACHED, keep_newest=True)


def trace_files(runs: LiveRuns) -> dict[str, list[str]]:
    """The traces of each run that has any."""
    files = {
        run: [path for path in paths if _NAME.fullmatch(os.path.basename(path))]
        for run, paths in files_of_runs(runs, TRACE_WORD).items()
    }
    return {run: paths for run, paths in files.items() if paths}


def _manager(request: APIRequest) -> _RunManager | None:
    """VisualDL's traces of the query's run; None if there are none."""
    run = request.query["run"]
    paths = trace_files(request.runs).get(run, [])
    stats = [os.stat(path) for path in paths]
    identity = tuple((path, stat.st_mtime_ns) for path, stat in zip(paths, stats, strict=True))
    if not paths:
        return None
    with _lock:
        manager = _managers.get(run, identity)
        if manager is None:
            manager = cast(_RunManager, stock_module("profiler", "run_manager").RunManager(run))
            for path in paths:
                _add(manager, path)
            manager.join()
            _managers.put(run, identity, manager, _SPREAD * sum(stat.st_size for stat in stats))
        return manager


def _add(manager: _RunManager, path: str) -> None:
    name = _NAME.fullmatch(os.path.basename(path))
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        content["span_indx"] = str(content.get("span_indx", content.get("span_index", "0")))
        content.setdefault("deviceProperties", [])
        result = stock_module("profiler", "parser.event_node").ProfilerResult(content)
        manager._parse_file(name[1] if name else "", result)
    except Exception:  # torn, or not what VisualDL's code expects
        _log.warning("%s is not a trace that can be shown", path, exc_info=True)


def _views(request: APIRequest) -> list[str]:
    manager = _manager(request)
    views = list(manager.get_views()) if manager else []
    return [view for view in views if view != "Trace"]  # without a script of another site it spins


def _workers(request: APIRequest) -> list[str]:
    if request.query["view"] == "Distributed":
        return ["All"]
    manager = _manager(request)
    return list(manager.get_workers(request.query["view"])) if manager else []


def _spans(request: APIRequest) -> list[str]:
    manager = _manager(request)
    worker = request.query["worker"]
    if manager is None or worker not in (*manager.profiler_data, "All"):
        return []
    return list(manager.get_distributed_spans() if worker == "All" else manager.get_spans(worker))


def _descriptions(request: APIRequest) -> dict[str, str]:
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


def _environment(request: APIRequest) -> dict[str, object] | None:
    manager = _manager(request)
    data = manager.get_profiler_data(request.query["worker"], request.query["span"]) if manager else None
    if manager is None or data is None:
        return None
    return {**data.get_device_infos(), "num_workers": len(manager.get_workers("Overview"))}


def _argument(query: dict[str, str], name: str) -> str | float | None:
    """The query's value as VisualDL's method takes it; a default for one that makes no sense."""
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


_Scope = Literal["worker", "memory", "distributed"]


def _ask(request: APIRequest, method: str, names: tuple[str, ...], scope: _Scope) -> object:
    """Call a method of VisualDL's data of a worker and span (or of a span, over all workers)."""
    if request.query.get("device_type") == "undefined":
        return None
    manager = _manager(request)
    if manager is None:
        return None
    worker, span = request.query["worker"], request.query["span"]
    is_distributed = scope == "distributed"
    data = (
        manager.get_distributed_profiler_data(span)
        if is_distributed
        else manager.get_profiler_data(worker, span)
    )
    if data is None:
        return None
    arguments = [_argument(request.query, name) for name in names]
    if scope == "memory" and "device_type" in names:  # in capitals there
        arguments[names.index("device_type")] = request.query["device_type"]
    ask: Callable[..., object] = getattr(data, method)
    return ask(*arguments)


def _endpoint(method: str, *names: str, scope: _Scope = "worker") -> Endpoint:
    required = (name for name in names if name in ("device_type", "group_by", "step"))
    needs = ("run", "worker", "span", *required)
    return Endpoint(partial(_ask, method=method, names=names, scope=scope), needs, "", slow=True)


_DEVICE, _UNIT = "device_type", "time_unit"
ENDPOINTS = {
    f"profiler/{path}": endpoint
    for path, endpoint in {
        "runs": Endpoint(lambda request: list(trace_files(request.runs)), depends_on=""),
        "views": Endpoint(_views, ("run",), "", slow=True),
        "workers": Endpoint(_workers, ("run", "view"), "", slow=True),
        "spans": Endpoint(_spans, ("run", "worker"), "", slow=True),
        "timeunits": Endpoint(lambda request: list(_UNITS), depends_on=""),
        "descriptions": Endpoint(_descriptions, depends_on=""),
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
        "distributed/info": _endpoint("get_distributed_info", scope="distributed"),
        "distributed/steps": _endpoint("get_distributed_steps", scope="distributed"),
        "distributed/histogram": _endpoint("get_distributed_histogram", "step", _UNIT, scope="distributed"),
        "trace": _endpoint("get_trace_data"),
        "memory/devices": _endpoint("get_memory_devices"),
        "memory/curve": _endpoint("get_memory_curve", _DEVICE, _UNIT, scope="memory"),
        "memory/memory_events": _endpoint(
            *("get_memory_events", _DEVICE, "min_size", "max_size", "search_name", _UNIT), scope="memory"
        ),
        "memory/op_memory_events": _endpoint("get_op_memory_events", _DEVICE, "search_name", scope="memory"),
    }.items()
}
