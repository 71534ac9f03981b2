"""The pages of graphs: those that `add_graph` wrote, unfolded for each client, and one model file.

Nothing can be uploaded.
"""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from contextlib import suppress
from typing import Any

from vizkit.errors import DataError
from vizkit.format.file_names import GRAPH_WORD
from vizkit.server.answers import Answer
from vizkit.server.live_runs import Followed, printable
from vizkit.server.visualdl.api.endpoint import Endpoint, Request, Settings
from vizkit.server.visualdl.api.run_files import LARGEST, beside
from vizkit.server.visualdl.static_graph import pdmodel
from vizkit.server.visualdl.stock import stock_module

__all__ = ["ENDPOINTS", "MODELS", "graph_files", "static_model"]

_MOST_STATES = 32
MODELS = (".json", ".pdmodel", ".onnx", ".pb", ".tflite", ".h5", ".keras", ".pt", ".caffemodel", ".mlmodel")

_lock = threading.Lock()
_states: OrderedDict[tuple[str, str], tuple[tuple[int, int], Any]] = OrderedDict()


def graph_files(log: Followed) -> dict[str, str]:
    """Run -> the newest of its graph files."""
    every = {
        run: [path for path in paths if not path.endswith("pdmodel")]
        for run, paths in beside(log, GRAPH_WORD).items()
    }
    return {run: paths[-1] for run, paths in every.items() if paths}


def static_model(settings: Settings) -> str | None:
    """The model file to show, None if there is none that the page draws."""
    path = settings.model
    return path if path and path.endswith(MODELS) and os.path.isfile(path) else None


def _static(request: Request) -> Answer:
    path = static_model(request.settings)
    if path is None:
        return Answer.of(b"", "application/octet-stream")
    name = os.path.basename(path)
    content = b""
    with suppress(OSError, DataError):  # gone, or another by now
        if path.endswith(".json"):
            content, name = pdmodel(path), f"{name}.pdmodel"
        else:
            with open(path, "rb") as file:
                content = file.read(LARGEST)
    name = printable(name).translate({ord(c): "_" for c in '"\\;\r\n'})
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
            with open(path, encoding="utf-8") as file:
                known = (identity, stock_module("graph", "netron_graph").Model(json.load(file)))
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
    with _lock:
        model = _model(request)
        if model is None:
            return None
        return _copied(
            model.make_graph(
                refresh=_true(request, "refresh", default=True), expand_all=_true(request, "expand_all")
            )
        )


def _manipulate(request: Request) -> Any:
    with _lock:
        model = _model(request)
        if model is None:
            return None
        if request.query["nodeid"] in model.all_nodes:
            model.adjust_visible(
                request.query["nodeid"], _true(request, "expand"), _true(request, "keep_state")
            )
        return _copied(model.make_graph())


def _search(request: Request) -> Any:
    with _lock:
        model = _model(request)
        if model is None:
            return None
        node = _true(request, "is_node")
        if request.query["nodeid"] in (model.all_nodes if node else model.all_vars):
            with suppress(KeyError):  # a variable that no operator makes
                model.adjust_search_node_visible(request.query["nodeid"], _true(request, "keep_state"), node)
        return _copied(model.make_graph())


def _all_nodes(request: Request) -> Any:
    with _lock:
        model = _model(request)
        return None if model is None else _copied(model.get_all_leaf_nodes())


def _copied(graph: Any) -> Any:
    """The graph as plain data; NaN and the like as text."""
    return json.loads(json.dumps(graph), parse_constant=str)


ENDPOINTS = {
    "graph_runs": Endpoint(lambda request: list(graph_files(request.log)), lasts=""),
    "graph/static_graph": Endpoint(_static, lasts="", slow=True),
    "graph/graph": Endpoint(_graph, ("run",), "", slow=True),
    "graph/manipulate": Endpoint(_manipulate, ("run", "nodeid"), "", slow=True),
    "graph/search": Endpoint(_search, ("run", "nodeid"), "", slow=True),
    "graph/get_all_nodes": Endpoint(_all_nodes, ("run",), "", slow=True),
}
