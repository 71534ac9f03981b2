"""A served log with a graph and a trace of the profiler, and broken ones beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vizkit
from vizkit.hooks._network.graph_json import Graph, Operator, Variable, visualdl_graph


def graph() -> Graph:
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


@pytest.fixture(scope="session")
def traced_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
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


@pytest.fixture(scope="session")
def traced_server(traced_log: Path) -> Iterator[vizkit.Server]:
    with vizkit.serve(traced_log) as server:
        yield server
