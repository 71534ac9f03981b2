"""Runs, values, records and changes over HTTP."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from starlette.applications import Starlette

import vizkit
from vizkit.curves import summaries
from vizkit.curves.summaries import quick_summary
from vizkit.media.palette import color
from vizkit.runs.saved_views import SavedViews
from vizkit.server.live_runs import LiveRuns
from vizkit.server.workspace.api.endpoints import api_routes
from vizkit.server.workspace.api.runs_answer import (
    ChangesQuery,
    RunsQuery,
    changes,
    prepare_records,
    runs_answer,
)
from vizkit.server.workspace.api.state import WorkspaceState
from vizkit.server.workspace.current_runs import CurrentRuns

from .client import Client


def test_runs_are_those_of_load(client: Client, log: Path) -> None:
    answer = client.json("runs")
    runs = vizkit.load(log)
    assert answer["total"] == 4 and answer["unread"] == 0
    for row, run in zip(answer["runs"], runs, strict=True):
        assert (row["name"], row["status"], row["color"]) == (run.name, run.status, color(run.position))
        assert row["hparams"] == {"lr": run.hparams["lr"], "big": str(2**60), "odd": "nan"}
        assert row["tags"]["scalar"] == run.scalar_tags and row["tags"]["image"] == ["picture"]
        metric, summary = row["metrics"]["eval/acc"], run.summary("eval/acc")
        assert (metric["last"], metric["last_step"]) == (summary.last.value, summary.last.step)
        assert summary.max is not None
        assert (metric["greatest"], metric["greatest_step"]) == (summary.max.value, summary.max.step)
        assert (metric["better"], row["metrics"]["loss"]["greatest"], metric["n"]) == (
            "max",
            "inf",
            summary.n,
        )
        assert row["metrics"]["loss"]["nan"] == 1


def test_runs_are_filtered_and_named(client: Client) -> None:
    assert [row["name"] for row in client.json("runs", filter="lr > 0")["runs"]] == ["lr1/seed2", "lr1/seed3"]
    assert client.json("matching", filter="lr > 0") == {"runs": ["lr1/seed2", "lr1/seed3"], "unread": 0}
    assert client.get("matching", filter="lr >").status_code == 400
    assert [row["name"] for row in client.json("runs", run="lr0/seed1")["runs"]] == ["lr0/seed1"]
    answer = client.get("runs", filter="lr >")
    assert answer.status_code == 400 and answer.json()["message"]


def test_any_scalar_tag_is_told_in_numbers_though_no_run_names_it(client: Client, log: Path) -> None:
    names = ["lr0/seed0", "lr1/seed3", "gone"]
    answer = client.json("summaries", tag=["train/epoch", "eval/acc", "nothing"], run=names)["runs"]
    assert [*answer] == names[:2]
    for name, found in answer.items():
        run = vizkit.load(log)[name]
        assert "train/epoch" not in run.metrics and [*found] == ["train/epoch", "eval/acc"]
        for tag, numbers in found.items():
            summary = run.summary(tag)
            assert summary.max is not None
            assert (numbers["n"], numbers["last"], numbers["greatest"], numbers["greatest_step"]) == (
                summary.n,
                summary.last.value,
                summary.max.value,
                summary.max.step,
            )
    refused = client.get("summaries", tag=[f"tag{number}" for number in range(201)], run=["a"] * 99 + ["b"])
    assert refused.status_code == 200  # named twice counts once
    many = client.get("summaries", tag=list(map(str, range(200))), run=list(map(str, range(101))))
    assert many.status_code == 400 and many.json()["parameter"] == "run"


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 3.0, -2.0, 3.0, -2.0, *np.linspace(0, 1, 300)],
        [math.nan, 5.0, math.nan],
        [math.nan, math.nan],
        [math.inf, -math.inf, 1.0, math.inf],
        [math.inf, math.nan],
        [-math.inf] * 20,
        [0.0] * 40,
    ],
)
@pytest.mark.parametrize("few", [0, 4096])
def test_quick_summaries_are_those_of_all_records(
    few: int, values: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "SHORT", few)
    with vizkit.LogWriter(tmp_path / "run") as writer:
        for step, value in enumerate(values):
            writer.add_scalar("x", value, step)
    (run,) = vizkit.load(tmp_path)
    quick, whole = quick_summary(run, "x"), run.summary("x")
    assert str(quick._replace(mean=0.0)) == str(whole._replace(mean=0.0))


def test_a_record_follows_the_files_beside_the_logs(tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "run", quiet=True) as tracker:
        tracker.log({"loss": 1.0}, step=0)
    live = LiveRuns(tmp_path)
    state = WorkspaceState(live, CurrentRuns(live), SavedViews(str(tmp_path)))

    def record() -> dict[str, Any]:
        (found,) = json.loads(orjson.dumps(runs_answer(state, RunsQuery())))["runs"]
        return dict(found)

    before = record()
    assert (before["labels"], before["note"], before["status"]) == ([], "", "finished")
    assert record() == before
    (run,) = vizkit.load(tmp_path)
    run.annotate(add="good", note="a *note*", archived=True)
    assert record() == {**before, "labels": ["good"], "note": "a *note*", "archived": True}
    (tmp_path / "run" / "remarks.json").unlink()
    assert record() == before
    environment = tmp_path / "run" / "environment.json"
    environment.write_text(environment.read_text().replace('"finished"', '"failed"'))
    assert record()["status"] == "failed"
    environment.unlink()
    assert record()["status"] == "unknown"
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("loss", 0.5, 1)
    live.refresh()
    assert record()["metrics"]["loss"]["last"] == 0.5


def test_the_records_of_many_runs_come_with_several_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vizkit.server.workspace.api.runs_answer._AT_ONCE", 2)
    monkeypatch.setattr("vizkit.server.workspace.api.runs_answer._RECORD_SECONDS", 0)
    names = [f"run{number}" for number in range(5)]
    for name in names:
        with vizkit.LogWriter(tmp_path / name) as writer:
            writer.add_scalar("loss", 1.0, 0)
    live = LiveRuns(tmp_path)
    state = WorkspaceState(live, CurrentRuns(live), SavedViews(str(tmp_path)))
    for known in (2, 4, 5, 5):
        answer = json.loads(orjson.dumps(runs_answer(state, RunsQuery())))
        assert [run["name"] for run in answer["runs"]] == names[:known]
        assert (answer["unread"], answer["total"]) == (5 - known, 5)


def test_records_are_made_ahead_once_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.server.workspace.api.runs_answer._TURN", -1)  # a turn begins one at most
    for number in range(3):
        with vizkit.LogWriter(tmp_path / f"run{number}") as writer:
            writer.add_scalar("loss", 1.0, 0)
    live = LiveRuns(tmp_path)
    state = WorkspaceState(live, CurrentRuns(live), SavedViews(str(tmp_path)))
    turns: list[int] = []

    def until() -> bool:
        turns.append(len(state.records))
        if len(turns) == 3:
            monkeypatch.setattr("vizkit.server.workspace.api.runs_answer._TURN", 60)
        return len(turns) > 9

    prepare_records(state, until)
    assert turns == [0, 0, 0]
    known = {run.name: record for run, record in state.records.items()}
    assert sorted(known) == ["run0", "run1", "run2"]
    prepare_records(state, lambda: False)
    assert all(state.records[run] is known[run.name] for run in state.records)


def test_the_first_answer_after_a_pause_is_current(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("loss", 1.0, 0)
    live = LiveRuns(tmp_path)  # without its thread, as while it sleeps
    app = Starlette(routes=api_routes(WorkspaceState(live, CurrentRuns(live), SavedViews(str(tmp_path))), ""))

    async def last() -> float:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            (run,) = (await client.get("/runs")).json()["runs"]
            return float(run["metrics"]["loss"]["last"])

    assert asyncio.run(last()) == 1.0
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("loss", 0.5, 1)
    live._last_refresh -= 1000
    assert asyncio.run(last()) == 0.5


def test_values_at_an_x_are_exact(client: Client, log: Path) -> None:
    answer = client.json("values", tag="loss", at=123.4)
    runs = vizkit.load(log)
    expected = {run.name: run.columns("loss").values[123] for run in runs}
    assert {one["run"]: one["value"] for one in answer["values"]} == expected
    assert [one["value"] for one in answer["values"]] == sorted(expected.values(), reverse=True)
    assert {(one["step"], one["x"]) for one in answer["values"]} == {(123, 123.0)}
    (last,) = client.json("values", tag="loss", at=1e9, x="eval/acc", run="lr1/seed3")["values"]
    accuracy = runs["lr1/seed3"].columns("eval/acc")
    place = accuracy.values.argmax()
    assert (last["x"], last["step"]) == (accuracy.values[place], accuracy.steps[place])
    assert last["value"] == runs["lr1/seed3"].columns("loss").values[accuracy.steps[place]]
    odd = client.json("values", tag="loss", at=9, run="lr1/seed3")["values"][0]
    assert odd["value"] == "nan"
    assert client.get("values", tag="none", at=1).status_code == 404


def test_changes_come_when_there_are_some(tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "a", system=False) as tracker, vizkit.serve(tmp_path) as server:
        tracker.log({"x": 1.0}, step=0)
        client = Client(server.port)

        def wait(cursor: str) -> Any:
            while True:
                found = client.json("changes", since=cursor, wait=5)
                if found["changed"] or found["layout"]:
                    return found

        cursor = client.json("runs")["cursor"]
        while "x" not in client.json("runs")["runs"][0]["tags"]["scalar"]:
            cursor = wait(cursor)["cursor"]
        cursor = client.json("changes", since=cursor, wait=0)["cursor"]
        timer = threading.Timer(0.1, tracker.log, ({"x": 2.0},), {"step": 1})
        timer.start()
        found = wait(cursor)
        assert (found["changed"], found["layout"]) == (["a"], False)
        assert client.curves(tag="x")["curves"][0]["arrays"]["y"].tolist() == [1.0, 2.0]
        with vizkit.LogWriter(tmp_path / "b") as writer:
            writer.add_scalar("x", 5.0, 0)
        found = wait(found["cursor"])
        assert found["layout"] and "b" in found["changed"]
        assert {row["name"]: row["status"] for row in client.json("runs")["runs"]}["a"] == "running"
        tracker.close()
        found = wait(found["cursor"])
        while "a" not in found["changed"] or client.json("runs", run="a")["runs"][0]["status"] != "finished":
            found = wait(found["cursor"])
        old = client.json("changes", since="elsewhere.3.0", wait=0)
        assert sorted(old["changed"]) == ["a", "b"] and old["layout"]
        client.http.close()


@pytest.mark.parametrize("since", ["", "x", "a.b.c", "1.2", f"a.{'9' * 50}.1", "a.-1.0"])
def test_a_cursor_that_is_none_is_refused(since: str, client: Client) -> None:
    answer = client.get("changes", since=since, wait=0)
    assert answer.status_code == 400 and answer.json()["parameter"] == "since"


def test_nobody_is_waited_for_who_is_gone(log: Path) -> None:
    live = LiveRuns(log)
    state = WorkspaceState(live, CurrentRuns(live), SavedViews(str(log)))
    state.look_at_statuses()
    looks = iter([False, False, True])
    query = ChangesQuery(state.cursor(), wait=25)
    answer = asyncio.run(changes(state, query, lambda: next(looks)))
    assert (answer["changed"], answer["layout"], next(looks, None)) == ([], False, None)


def test_nobody_is_kept_waiting_by_a_server_that_stops(log: Path) -> None:
    live = LiveRuns(log)
    state = WorkspaceState(live, CurrentRuns(live), SavedViews(str(log)))
    state.look_at_statuses()
    live.stop()
    answer = asyncio.run(asyncio.wait_for(changes(state, ChangesQuery(state.cursor(), wait=25)), 20))
    assert (answer["changed"], answer["layout"]) == ([], False)
