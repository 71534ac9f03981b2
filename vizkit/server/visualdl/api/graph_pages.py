"""The pages of graphs: those that `add_graph` wrote, unfolded for each client, and one model file.

Nothing can be uploaded.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Collection
from contextlib import suppress
from typing import Protocol, cast

from vizkit.errors import DataError
from vizkit.format.file_names import GRAPH_WORD, MODEL_WORD
from vizkit.server.http import Answer
from vizkit.server.live_runs import LiveRuns
from vizkit.server.options import ServeOptions
from vizkit.server.run_names import printable
from vizkit.server.sized_cache import SizedCache
from vizkit.server.visualdl.api.endpoint import APIRequest, Endpoint
from vizkit.server.visualdl.api.run_files import MAX_FILE_SIZE, files_of_runs
from vizkit.server.visualdl.static_graph import pdmodel
from vizkit.server.visualdl.stock import stock_module

__all__ = ["ENDPOINTS", "MODEL_ENDINGS", "graph_files", "static_model"]

MODEL_ENDINGS = (
    *(".json", ".pdmodel", ".onnx", ".pb", ".tflite", ".h5", ".keras", ".pt", ".caffemodel", ".mlmodel"),
)
"""Endings of the model files that the page of static graphs draws."""

_CACHED = 256 << 20  # bytes of graphs
_SPREAD = 10  # bytes of memory for each of a graph's JSON


class _Model(Protocol):
    """VisualDL's model of a graph, which holds how far it is unfolded."""

    all_nodes: Collection[str]
    all_vars: Collection[str]

    def make_graph(self, refresh: bool = ..., expand_all: bool = ...) -> object: ...
    def adjust_visible(self, nodeid: str, expand: bool, keep_state: bool) -> None: ...
    def adjust_search_node_visible(self, nodeid: str, keep_state: bool, is_node: bool) -> None: ...
    def get_all_leaf_nodes(self) -> object: ...


_lock = threading.Lock()
_models: SizedCache[_Model] = SizedCache(_CACHED, keep_newest=True)


def graph_files(runs: LiveRuns) -> dict[str, str]:
    """The newest graph file of each run."""
    files = {
        run: [path for path in paths if not path.endswith(MODEL_WORD)]
        for run, paths in files_of_runs(runs, GRAPH_WORD).items()
    }
    return {run: paths[-1] for run, paths in files.items() if paths}


def static_model(options: ServeOptions) -> str | None:
    """The model file to show, None if there is none (any more)."""
    path = options.model
    return path if path and os.path.isfile(path) else None


def _static(request: APIRequest) -> Answer:
    path = static_model(request.options)
    if path is None:
        return Answer.of(b"", "application/octet-stream")
    name = os.path.basename(path)
    content = b""
    with suppress(OSError, DataError):  # deleted or replaced since the start
        if path.endswith(".json"):
            content, name = pdmodel(path), f"{name}.pdmodel"
        else:
            with open(path, "rb") as file:
                content = file.read(MAX_FILE_SIZE)
    name = printable(name).translate({ord(c): "_" for c in '"\\;\r\n'})
    name = name.encode("ascii", "replace").decode()
    return Answer.of(
        content,
        "application/octet-stream",
        headers=(("Content-Disposition", f'attachment; filename="{name}"'),),
    )


def _model(request: APIRequest) -> _Model | None:
    """The graph of a run as this client has unfolded it; None if there is none that can be read."""
    path = graph_files(request.runs).get(request.query["run"])
    if path is None:
        return None
    try:
        stat = os.stat(path)
        identity = (stat.st_ino, stat.st_mtime_ns)
        key = (request.client, path)
        model = _models.get(key, identity)
        if model is None:
            with open(path, encoding="utf-8") as file:
                made = stock_module("graph", "netron_graph").Model(json.load(file))
            model = cast(_Model, made)
            _models.put(key, identity, model, _SPREAD * stat.st_size)
        return model
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):  # deleted, or no graph
        return None


def _is_true(request: APIRequest, name: str, default: bool = False) -> bool:
    return request.query.get(name, str(default)).lower() == "true"


def _graph(request: APIRequest) -> object:
    with _lock:
        model = _model(request)
        if model is None:
            return None
        refresh, expand_all = _is_true(request, "refresh", default=True), _is_true(request, "expand_all")
        return _plain(model.make_graph(refresh=refresh, expand_all=expand_all))


def _manipulate(request: APIRequest) -> object:
    with _lock:
        model = _model(request)
        if model is None:
            return None
        node = request.query["nodeid"]
        if node in model.all_nodes:
            model.adjust_visible(node, _is_true(request, "expand"), _is_true(request, "keep_state"))
        return _plain(model.make_graph())


def _search(request: APIRequest) -> object:
    with _lock:
        model = _model(request)
        if model is None:
            return None
        name, is_node = request.query["nodeid"], _is_true(request, "is_node")
        if name in (model.all_nodes if is_node else model.all_vars):
            with suppress(KeyError):  # a variable that no operator makes
                model.adjust_search_node_visible(name, _is_true(request, "keep_state"), is_node)
        return _plain(model.make_graph())


def _all_nodes(request: APIRequest) -> object:
    with _lock:
        model = _model(request)
        return None if model is None else _plain(model.get_all_leaf_nodes())


def _plain(graph: object) -> object:
    """A copy of the graph as JSON data; NaN and infinities as text."""
    return json.loads(json.dumps(graph), parse_constant=str)


ENDPOINTS = {
    "graph_runs": Endpoint(lambda request: list(graph_files(request.runs)), depends_on=""),
    "graph/static_graph": Endpoint(_static, depends_on="", slow=True),
    "graph/graph": Endpoint(_graph, ("run",), "", slow=True),
    "graph/manipulate": Endpoint(_manipulate, ("run", "nodeid"), "", slow=True),
    "graph/search": Endpoint(_search, ("run", "nodeid"), "", slow=True),
    "graph/get_all_nodes": Endpoint(_all_nodes, ("run",), "", slow=True),
}
