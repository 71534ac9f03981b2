"""Traces of the profiler, read by VisualDL's own code."""

from __future__ import annotations

import pytest

import vizkit
from tests.helpers import api


def test_traces_of_paddle_3_are_read(traced_server: vizkit.Server) -> None:
    """Stock looks for ``span_indx`` and shows nothing."""
    assert api(traced_server, "profiler/runs") == ["prof"]
    views = api(traced_server, "profiler/views", run="prof")
    assert "Operator" in views and "Trace" not in views
    assert api(traced_server, "profiler/workers", run="prof", view="Operator") == ["host"]
    assert api(traced_server, "profiler/spans", run="prof", worker="host") == ["0"]
    where = {"run": "prof", "worker": "host", "span": "0", "time_unit": "us"}
    table = api(
        traced_server, "profiler/operator/table", **where, group_by="op_name", search_name="undefined"
    )
    calls = {row["name"]: (row["calls"], row["cpu_total_time"]) for row in table["events"]}
    assert calls == {"relu dygraph": (2, 500.0), "matmul dygraph": (1, 100.0)}
    pie = api(traced_server, "profiler/operator/pie", **where, topk=1)
    assert pie["cpu"][0]["name"] == "relu dygraph"


@pytest.mark.parametrize("language", ["en", "zh", "undefined"])
def test_the_profilers_words_are_there(traced_server: vizkit.Server, language: str) -> None:
    words = api(traced_server, "profiler/descriptions", lang=language)
    assert len(words) == 6 and all(words.values())


def test_views_and_arguments_that_make_no_sense_are_answered(traced_server: vizkit.Server) -> None:
    where = {"run": "prof", "worker": "host", "span": "0"}
    assert api(traced_server, "profiler/workers", run="prof", view="Distributed") == ["All"]
    assert api(traced_server, "profiler/spans", run="prof", worker="nobody") == []
    environment = api(traced_server, "profiler/overview/environment", **where)
    assert environment["CPU"] == {"process_utilization": 50.0, "system_utilization": 100.0}
    assert api(traced_server, "profiler/overview/environment", run="nobody", worker="w", span="0") is None
    assert api(traced_server, "profiler/memory/devices", run="nobody", worker="w", span="0") is None
    sizes = {"min_size": "x", "max_size": "y", "search_name": "", "time_unit": "years"}
    memory = {**where, "device_type": "CPU", **sizes}
    assert api(traced_server, "profiler/memory/memory_events", **memory) is None  # none were recorded
    undefined = {**memory, "device_type": "undefined"}
    assert api(traced_server, "profiler/memory/memory_events", **undefined) is None
