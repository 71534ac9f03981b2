"""The pages of graphs: those that `add_graph` wrote, unfolded for each client, and one model file.

Nothing can be uploaded.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import OrderedDict
from typing import Any

from vizkit.serve.answers import Answer
from vizkit.serve.api.endpoint import Endpoint, Request, Settings
from vizkit.serve.following import Followed, printable

__all__ = ["ENDPOINTS", "graph_files", "static_model"]

_LARGEST = 64 << 20  # bytes of a graph or model
_MOST_STATES = 32
_STALE = 2.0  # seconds
_MODELS = (".pdmodel", ".onnx", ".pb", ".tflite", ".h5", ".keras", ".pt", ".caffemodel", ".mlmodel")

_lock = threading.Lock()
_found: dict[str, tuple[float, dict[str, str]]] = {}
_states: OrderedDict[tuple[str, str], tuple[tuple[int, int], Any]] = OrderedDict()


def graph_files(log: Followed) -> dict[str, str]:
    """Run -> the newest of its graph files; links are not followed."""
    base = log.base
    if base is None:
        return {}
    with _lock:
        when, files = _found.get(base, (-_STALE, {}))
        if time.monotonic() - when < _STALE:
            return files
    shown = {run.path: run.name for run in log.view.runs.values()}
    files = {}
    for directory, inner, names in os.walk(base):
        inner.sort()
        graphs = [name for name in names if "vdlgraph" in name and not name.endswith("pdmodel")]
        paths = [path for path in (os.path.join(directory, name) for name in graphs) if _readable(path)]
        if paths:
            own = os.path.relpath(directory, base).replace(os.sep, "/")
            files[shown.get(own, printable(own))] = max(paths)
    order = {name: place for place, name in enumerate(log.view.runs)}
    files = dict(sorted(files.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))
    with _lock:
        _found.clear()
        _found[base] = (time.monotonic(), files)
    return files


def _readable(path: str) -> bool:
    try:
        return not os.path.islink(path) and 0 < os.path.getsize(path) <= _LARGEST
    except OSError:
        return False


def static_model(settings: Settings) -> str | None:
    """The model file to show, None if there is none that the page draws."""
    path = settings.model
    return path if path and path.endswith(_MODELS) and os.path.isfile(path) else None


def _static(request: Request) -> Answer:
    path = static_model(request.settings)
    if path is None:
        return Answer.of(b"", "application/octet-stream")
    with open(path, "rb") as file:
        content = file.read(_LARGEST)
    name = printable(os.path.basename(path)).translate({ord(c): "_" for c in '"\\;\r\n'})
    name = name.encode("ascii", "replace").decode()
    return Answer.of(
        content,
        "application/octet-stream",
        headers=(("Content-Disposition", f'attachment; filename="{name}"'),),
    )


def _model(request: Request) -> Any:
    """The graph of a run as this client has unfolded it; None if there is none that can be read."""
    name = request.query["run"]
    path = graph_files(request.log).get(name)
    if path is None:
        return None
    try:
        stat = os.stat(path)
        identity = (stat.st_ino, stat.st_mtime_ns)
        key = (request.client, path)
        known = _states.get(key)
        if known is None or known[0] != identity:
            from visualdl.component.graph.netron_graph import Model

            with open(path, encoding="utf-8") as file:
                known = (identity, Model(json.load(file)))
        _states[key] = known
        _states.move_to_end(key)
        while len(_states) > _MOST_STATES:
            _states.popitem(last=False)
        return known[1]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # gone, or no graph
        return None


def _true(request: Request, name: str, default: bool = False) -> bool:
    return request.query.get(name, str(default)).lower() == "true"


def _graph(request: Request) -> Any:
    with _lock_of_states:
        model = _model(request)
        if model is None:
            return None
        return _copied(
            model.make_graph(
                refresh=_true(request, "refresh", default=True), expand_all=_true(request, "expand_all")
            )
        )


def _manipulate(request: Request) -> Any:
    with _lock_of_states:
        model = _model(request)
        if model is None:
            return None
        if request.query["nodeid"] in model.all_nodes:
            model.adjust_visible(
                request.query["nodeid"], _true(request, "expand"), _true(request, "keep_state")
            )
        return _copied(model.make_graph())


def _search(request: Request) -> Any:
    with _lock_of_states:
        model = _model(request)
        if model is None:
            return None
        node = _true(request, "is_node")
        if request.query["nodeid"] in (model.all_nodes if node else model.all_vars):
            try:
                model.adjust_search_node_visible(request.query["nodeid"], _true(request, "keep_state"), node)
            except KeyError:  # a variable that no operator makes
                pass
        return _copied(model.make_graph())


def _all_nodes(request: Request) -> Any:
    with _lock_of_states:
        model = _model(request)
        return None if model is None else _copied(model.get_all_leaf_nodes())


def _copied(graph: Any) -> Any:
    """The graph as plain data; NaN and the like as text."""
    return json.loads(json.dumps(graph), parse_constant=str)


_lock_of_states = threading.Lock()

ENDPOINTS = {
    "graph_runs": Endpoint(lambda request: list(graph_files(request.log)), lasts=""),
    "graph/static_graph": Endpoint(_static, lasts=""),
    "graph/graph": Endpoint(_graph, ("run",), ""),
    "graph/manipulate": Endpoint(_manipulate, ("run", "nodeid"), ""),
    "graph/search": Endpoint(_search, ("run", "nodeid"), ""),
    "graph/get_all_nodes": Endpoint(_all_nodes, ("run",), ""),
}
