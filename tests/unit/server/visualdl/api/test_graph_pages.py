"""Graphs unfold as in stock VisualDL, whose code answers; one model file is shown."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import vizkit
from tests.helpers import api, get, python

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


def test_tabs_are_there_for_what_there_is(traced_server: vizkit.Server, tmp_path: Path) -> None:
    assert api(traced_server, "component_tabs") == ["scalar", "dynamic_graph", "profiler"]
    assert api(traced_server, "graph_runs") == ["shown", "broken"]
    with vizkit.serve(tmp_path) as empty:
        assert api(empty, "component_tabs") == ["scalar"]


def test_graphs_unfold_as_in_stock(traced_server: vizkit.Server, traced_log: Path) -> None:
    done = python(_STOCK, traced_log / "run")
    stock = json.loads(done.stdout.rpartition("GRAPHS")[2] or "{}")
    layer = {"run": "shown", "nodeid": "/Sequential", "keep_state": "false"}
    add = {"run": "shown", "nodeid": "/Sequential/Linear[1]/add_1", "keep_state": "false", "is_node": "true"}
    ours = {
        "collapsed": api(traced_server, "graph/graph", run="shown", refresh="true", expand_all="false"),
        "opened": api(traced_server, "graph/manipulate", **layer, expand="true"),
        "closed": api(traced_server, "graph/manipulate", **layer, expand="false"),
        "found": api(traced_server, "graph/search", **add),
        "variable": api(
            traced_server, "graph/search", run="shown", nodeid="hidden", keep_state="true", is_node="false"
        ),
        "expanded": api(traced_server, "graph/graph", run="shown", refresh="false", expand_all="true"),
        "nodes": api(traced_server, "graph/get_all_nodes", run="shown"),
    }
    assert len(ours["opened"]["nodes"]) > len(ours["collapsed"]["nodes"])
    for name, answer in ours.items():
        assert answer == stock[name], name


def test_what_is_no_graph_harms_nothing(traced_server: vizkit.Server) -> None:
    assert api(traced_server, "graph/graph", run="broken") is None
    assert api(traced_server, "graph/manipulate", run="shown", nodeid="/nowhere", expand="true") is not None
    assert api(traced_server, "graph/search", run="shown", nodeid="nothing", is_node="false") is not None
    assert api(traced_server, "graph/get_all_nodes", run="nobody") is None


def test_a_model_is_shown_where_one_is_named(traced_log: Path, tmp_path: Path) -> None:
    model = tmp_path / 'net";.onnx'
    model.write_bytes(b"\x08\x07")
    with vizkit.serve(traced_log, model=model) as server:
        assert "static_graph" in api(server, "component_tabs")
        answer = get(f"http://127.0.0.1:{server.port}/app/api/graph/static_graph")
        assert answer.content == b"\x08\x07"
        assert answer.headers["content-disposition"] == 'attachment; filename="net__.onnx"'


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_not_followed(traced_log: Path, tmp_path: Path) -> None:
    (tmp_path / "log" / "run").mkdir(parents=True)
    (tmp_path / "log" / "run" / "vdlgraph.1.log").symlink_to(traced_log / "run" / "vdlgraph.1.log")
    (tmp_path / "log" / "prof").symlink_to(traced_log / "prof")
    with vizkit.serve(tmp_path / "log") as server:
        assert api(server, "component_tabs") == ["scalar"]
        assert api(server, "graph_runs") == api(server, "profiler/runs") == []
