"""The pages of graphs and of the profiler, whose answers come from VisualDL's own code."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import vizkit
from tests.helpers import api, python
from vizkit.hooks._network.graph_json import Operator, Variable, visualdl_graph

_STOCK = """
import json, sys
from visualdl.reader.graph_reader import GraphReader
reader = GraphReader(sys.argv[1])
reader.set_displayname(type("Names", (), {"name2tags": {}, "tags2name": {}}))
(run,) = reader.runs()
asked = {
    "collapsed": reader.get_graph(run, refresh=True),
    "opened": reader.get_graph(run, "/Sequential", True, False),
    "closed": reader.get_graph(run, "/Sequential", False, False),
    "found": reader.search_graph_node(run, "/Sequential/Linear[1]/add_1", False, True),
    "variable": reader.search_graph_node(run, "hidden", True, False),
    "expanded": reader.get_graph(run, expand_all=True, refresh=False),
    "nodes": reader.get_all_nodes(run),
}
print("GRAPHS" + json.dumps(asked))
"""


def graph() -> dict[str, Any]:
    """Two layers of one operator each."""
    first, second = "/Sequential/Linear[0]", "/Sequential/Linear[1]"
    operators = [
        Operator("", "feed_0", "feed", {}, {"Out": ["input"]}),
        Operator(first, "add_0", "add", {"x": ["input"]}, {"out": ["hidden"]}),
        Operator(second, "add_1", "add", {"x": ["hidden"]}, {"out": ["out"]}),
    ]
    variables = [Variable(name, (4, 2), "float32", "dense") for name in ("input", "hidden", "out")]
    return visualdl_graph(operators, variables)


def event(name: str, kind: str, start: float, end: float) -> dict[str, Any]:
    times = {"start_time": f"{start:.3f} us", "end_time": f"{end:.3f} us"}
    more = {"input_shapes": {}, "input_dtypes": {}, "callstack": ""} if kind == "Operator" else {}
    return {
        "name": f"{name}[{end - start:.3f} us]",
        "pid": 7,
        "tid": "7(C++)",
        "ts": 1_700_000_000_000_000 + int(start),
        "dur": end - start,
        "ph": "X",
        "cat": kind,
        "args": {**times, **more},
    }


def trace() -> dict[str, Any]:
    """As Paddle 3.3 exports it."""
    events = [
        event("ProfileStep#0", "ProfileStep", 0, 1000),
        event("relu dygraph", "Operator", 100, 400),
        event("matmul dygraph", "Operator", 500, 600),
        event("ProfileStep#1", "ProfileStep", 1000, 2000),
        event("relu dygraph", "Operator", 1100, 1300),
    ]
    extra = {"7": "MainThread", "Process Cpu Utilization": "0.5", "System Cpu Utilization": "1.0"}
    return {
        "displayTimeUnit": "ms",
        "schemaVersion": "1.0.2",
        "span_index": "0",
        "traceEvents": events,
        "ExtraInfo": extra,
    }


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("graphs")
    with vizkit.LogWriter(root / "run", display_name="shown") as writer:
        writer.add_scalar("x", 1.0, 0)
    (root / "run" / "vdlgraph.1.log").write_text(json.dumps(graph()))
    (root / "broken").mkdir()
    (root / "broken" / "vdlgraph.1.log").write_text('{"version": ')
    (root / "prof").mkdir()
    (root / "prof" / "host_time_2026.paddle_trace.json").write_text(json.dumps(trace()))
    (root / "prof" / "torn_time_2026.paddle_trace.json").write_text(json.dumps(trace())[:500])
    return root


@pytest.fixture(scope="module")
def server(log: Path) -> Iterator[vizkit.serve.Server]:
    with vizkit.serve(log) as server:
        yield server


def test_tabs_are_there_for_what_there_is(server: vizkit.serve.Server, tmp_path: Path) -> None:
    assert api(server, "component_tabs") == ["scalar", "dynamic_graph", "profiler"]
    assert api(server, "graph_runs") == ["shown", "broken"]
    with vizkit.serve(tmp_path) as empty:
        assert api(empty, "component_tabs") == ["scalar"]


def test_graphs_unfold_as_in_stock(server: vizkit.serve.Server, log: Path) -> None:
    done = python(_STOCK, log / "run")
    stock = json.loads(done.stdout.rpartition("GRAPHS")[2] or "{}")
    layer = {"run": "shown", "nodeid": "/Sequential", "keep_state": "false"}
    add = {"run": "shown", "nodeid": "/Sequential/Linear[1]/add_1", "keep_state": "false", "is_node": "true"}
    ours = {
        "collapsed": api(server, "graph/graph", run="shown", refresh="true", expand_all="false"),
        "opened": api(server, "graph/manipulate", **layer, expand="true"),
        "closed": api(server, "graph/manipulate", **layer, expand="false"),
        "found": api(server, "graph/search", **add),
        "variable": api(
            server, "graph/search", run="shown", nodeid="hidden", keep_state="true", is_node="false"
        ),
        "expanded": api(server, "graph/graph", run="shown", refresh="false", expand_all="true"),
        "nodes": api(server, "graph/get_all_nodes", run="shown"),
    }
    assert len(ours["opened"]["nodes"]) > len(ours["collapsed"]["nodes"])
    for name, answer in ours.items():
        assert answer == stock[name], name


def test_what_is_no_graph_harms_nothing(server: vizkit.serve.Server) -> None:
    assert api(server, "graph/graph", run="broken") is None
    assert api(server, "graph/manipulate", run="shown", nodeid="/nowhere", expand="true") is not None
    assert api(server, "graph/search", run="shown", nodeid="nothing", is_node="false") is not None
    assert api(server, "graph/get_all_nodes", run="nobody") is None


def test_a_model_is_shown_where_one_is_named(log: Path, tmp_path: Path) -> None:
    model = tmp_path / 'net";.onnx'
    model.write_bytes(b"\x08\x07")
    with vizkit.serve(log, model=model) as server:
        assert "static_graph" in api(server, "component_tabs")
        answer = httpx.get(f"http://127.0.0.1:{server.port}/app/api/graph/static_graph")
        assert answer.content == b"\x08\x07"
        assert answer.headers["content-disposition"] == 'attachment; filename="net__.onnx"'


def test_traces_of_paddle_3_are_read(server: vizkit.serve.Server) -> None:
    """Stock looks for ``span_indx`` and shows nothing."""
    assert api(server, "profiler/runs") == ["prof"]
    views = api(server, "profiler/views", run="prof")
    assert "Operator" in views and "Trace" not in views
    assert api(server, "profiler/workers", run="prof", view="Operator") == ["host"]
    assert api(server, "profiler/spans", run="prof", worker="host") == ["0"]
    where = {"run": "prof", "worker": "host", "span": "0", "time_unit": "us"}
    table = api(server, "profiler/operator/table", **where, group_by="op_name", search_name="undefined")
    calls = {row["name"]: (row["calls"], row["cpu_total_time"]) for row in table["events"]}
    assert calls == {"relu dygraph": (2, 500.0), "matmul dygraph": (1, 100.0)}
    pie = api(server, "profiler/operator/pie", **where, topk=1)
    assert pie["cpu"][0]["name"] == "relu dygraph"


@pytest.mark.parametrize("language", ["en", "zh", "undefined"])
def test_the_profilers_words_are_there(server: vizkit.serve.Server, language: str) -> None:
    words = api(server, "profiler/descriptions", lang=language)
    assert len(words) == 6 and all(words.values())


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_not_followed(log: Path, tmp_path: Path) -> None:
    (tmp_path / "log" / "run").mkdir(parents=True)
    (tmp_path / "log" / "run" / "vdlgraph.1.log").symlink_to(log / "run" / "vdlgraph.1.log")
    (tmp_path / "log" / "prof").symlink_to(log / "prof")
    with vizkit.serve(tmp_path / "log") as server:
        assert api(server, "component_tabs") == ["scalar"]
        assert api(server, "graph_runs") == api(server, "profiler/runs") == []
