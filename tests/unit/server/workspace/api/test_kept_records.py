"""A server that is started again lists runs as they were, and never as they were before they changed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import orjson
import pytest

import vizkit
from tests.logs import NOW, path_in, scalar
from vizkit.format import encode
from vizkit.format.tags import HPARAMS
from vizkit.format.types import HParams
from vizkit.reading.filesystem import LogStat
from vizkit.reading.log_tail import LogTail
from vizkit.runs.saved_views import SavedViews
from vizkit.server.live_runs import LiveRuns
from vizkit.server.workspace.api import kept_records, runs_answer
from vizkit.server.workspace.api.answer_types import RunRecord
from vizkit.server.workspace.api.kept_records import KeptRecords
from vizkit.server.workspace.api.state import WorkspaceState
from vizkit.server.workspace.current_runs import CurrentRuns

RUNS = 5
OLD = NOW // 1000  # seconds: files of that time


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kept_records, "_WORTH", 1)
    monkeypatch.setattr("vizkit.reading.short_logs._WORTH", 1)
    monkeypatch.setenv("VIZKIT_CACHE_DIR", str(tmp_path / "cache"))


def aged(directory: Path) -> None:
    for path in directory.iterdir():
        os.utime(path, (OLD, OLD))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    root = tmp_path / "log"
    for number in range(RUNS):
        frames = [encode.encode_hparams(HParams({"lr": 0.1 * number}, ["a"]), NOW)]
        frames += [scalar("a", number + step / 7, step) for step in range(10)]
        path_in(root / f"run{number}").write_bytes(b"".join(frames))
        aged(root / f"run{number}")
    return root


def listed(log: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[dict[str, Any]], int]:
    """The records that a new server answers with, and how many of them it had to make."""
    made: set[str] = set()
    record = runs_answer._record

    def noted(state: WorkspaceState, number: int, run: vizkit.Run) -> RunRecord:
        made.add(run.name)
        return record(state, number, run)

    with monkeypatch.context() as patch:
        patch.setattr(runs_answer, "_record", noted)
        live = LiveRuns(str(log))
        kept = KeptRecords(Path(os.environ["VIZKIT_CACHE_DIR"]), str(log))
        state = WorkspaceState(live, CurrentRuns(live), SavedViews(str(log)), kept=kept)
        runs_answer.prepare_records(state, lambda: False)
        found = json.loads(orjson.dumps(runs_answer.runs_answer(state, runs_answer.RunsQuery())))["runs"]
        for row, run in zip(found, vizkit.load(log), strict=True):  # whatever was kept, it is true
            assert (row["name"], row["status"], row["note"]) == (run.name, run.status, run.note)
            assert row["hparams"] == run.hparams and row["tags"]["scalar"] == run.scalar_tags
            assert {tag: one["last"] for tag, one in row["metrics"].items()} == {
                tag: run.last(tag).value for tag in row["metrics"]
            }
    return found, len(made)


def test_a_server_that_is_started_again_makes_no_record(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = listed(log, monkeypatch)
    assert before[1] == RUNS
    assert listed(log, monkeypatch) == (before[0], 0)


def test_it_opens_no_log_until_one_is_asked_for(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed(log, monkeypatch)
    opened: list[str] = []
    refresh = LogTail.refresh

    def noted(tail: LogTail, stat: LogStat) -> bool:
        opened.append(tail.path)
        return refresh(tail, stat)

    monkeypatch.setattr(LogTail, "refresh", noted)
    live = LiveRuns(str(log))
    assert [run.tags for run in live.snapshot.runs.values()] == [
        {"scalar": ["a"], "hparams": [HPARAMS]}
    ] * RUNS
    assert opened == []
    live.refresh()
    assert opened == []
    with path_in(log / "run2").open("ab") as file:
        file.write(scalar("b", 5.0, 10))
    live.refresh()
    assert opened == [str(path_in(log / "run2"))]
    logs = live.snapshot.runs["run2"].logs
    assert logs.last("a")[0] == 9 and logs.last("b")[2] == 5.0
    assert live.snapshot.runs["run1"].logs.scalars("a").steps.tolist() == list(range(10))


@pytest.mark.parametrize("how", ["longer", "rewritten", "environment", "note", "config", "young", "broken"])
def test_a_run_that_has_changed_is_listed_as_it_is(
    how: str, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = log / "run3"
    path = path_in(run)
    if how == "young":
        path.touch()
    listed(log, monkeypatch)
    data = path.read_bytes()
    if how == "longer":
        path.write_bytes(data + scalar("a", 99.0, 99))
    elif how == "rewritten":
        path.write_bytes(data.replace(scalar("a", 3 + 9 / 7, 9), scalar("a", 3 + 8 / 7, 9)))
        os.utime(path, (OLD + 1, OLD + 1))
    elif how == "environment":
        (run / "environment.json").write_text(json.dumps({"status": "failed", "started": NOW, "ended": NOW}))
    elif how == "note":
        vizkit.load(log)["run3"].annotate(note="a note")
    elif how == "config":
        (run / "config.yaml").write_text("lr: 1")
    elif how == "broken":
        (kept,) = (log.parent / "cache").glob("*.records.logs")
        kept.write_bytes(kept.read_bytes()[:-1])
    assert listed(log, monkeypatch)[1] == (RUNS if how == "broken" else 1)


def test_a_run_that_goes_on_is_not_kept(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with vizkit.Tracker(log / "goes on", system=False) as tracker:
        tracker.log({"a": 1.0}, step=0)
        aged(log / "goes on")
        assert listed(log, monkeypatch)[1] == RUNS + 1
        assert listed(log, monkeypatch)[1] == 1
