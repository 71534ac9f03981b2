"""Sessions: only a later one supersedes, and one that starts the training anew is a run of its own."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
import visualdl

import vizkit
from tests import session_model
from tests.helpers import log_of, python
from vizkit.format.types import Record, SessionMark
from vizkit.writing import log_file

Rows = Iterable[tuple[str, float, int]]


@pytest.fixture(autouse=True)
def _processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "_begun", set())


def session(directory: Path, rows: Rows, *, resume: bool = False) -> None:
    """Writes as a process of its own does."""
    log_file._begun.clear()
    with vizkit.LogWriter(directory, resume=resume) as writer:
        for tag, value, step in rows:
            writer.add_scalar(tag, value, step)


def points(run: vizkit.Run, tag: str, *, superseded: bool = False) -> list[tuple[float, float]]:
    columns = run.columns(tag, superseded=superseded)
    return list(zip(columns.steps.tolist(), columns.values.tolist(), strict=True))


def curve(values: Sequence[float], first: int = 0) -> Rows:
    return [("loss", value, step) for step, value in enumerate(values, first)]


def test_within_a_session_all_records_count_sorted_by_step(tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "run", system=False) as tracker:
        for step in (500, 400, 300, 200, 100):
            tracker.log({"loss": step / 1000}, step=step)
        tracker.log({"eval/acc": 0.5}, step=2)
        tracker.log({"eval/acc": 0.4}, step=1)  # an evaluation that finished late
        for epoch in range(5):
            for batch in range(100):
                tracker.log_scalar("batch/loss", epoch + batch / 100, batch)
        for step in (2, 1):
            tracker.log_text("note", f"text {step}", step)
            tracker.log_scalars("group", {"a": step}, step)
    run = vizkit.load(tmp_path)["run"]
    assert points(run, "loss") == [(step, step / 1000) for step in (100, 200, 300, 400, 500)]
    assert run.last("loss").value == 0.5 and run.best("loss", mode="min").value == 0.1
    assert points(run, "eval/acc") == [(1, 0.4), (2, 0.5)]
    batches = points(run, "batch/loss")
    assert len(batches) == 500
    assert batches[:6] == [(0, 0.0), (0, 1.0), (0, 2.0), (0, 3.0), (0, 4.0), (1, 0.01)]
    assert points(run, "group/a") == [(1, 1.0), (2, 2.0)]
    assert list(run.texts("note")) == ["text 1", "text 2"]
    assert run.superseded == {} and run.problems == []
    starting_over = [f for f in vizkit.repair.check(tmp_path) if f.kind == "starting over"]
    assert [("3 tags" in f.what, f.is_problem) for f in starting_over] == [(True, False)]


def test_a_resumed_session_supersedes_from_its_first_step_on(tmp_path: Path) -> None:
    session(tmp_path / "run", [*curve([1, 2, 3, 4, 5]), ("acc", 0.5, 4)])
    session(tmp_path / "run", curve([30, 40, 50, 60], first=2))
    runs = vizkit.load(tmp_path)
    run = runs["run"]
    assert runs.names == ["run"]
    assert points(run, "loss") == [(0, 1), (1, 2), (2, 30), (3, 40), (4, 50), (5, 60)]
    assert points(run, "acc") == [(4, 0.5)]  # the new session has not come to it
    assert run.superseded == {"loss": 3}
    assert len(points(run, "loss", superseded=True)) == 9
    told = {f.kind: f.what for f in vizkit.repair.check(tmp_path)}
    assert "3 records of 1 tags" in told["superseded"]


def test_a_session_that_starts_anew_is_a_training_of_its_own(tmp_path: Path) -> None:
    session(tmp_path / "run", [*curve([1, 2, 3, 4]), ("bbox-mAP", 0.9, 3)])
    session(tmp_path / "run", curve([10, 20, 30]))
    session(tmp_path / "run", curve([40], first=3))
    runs = vizkit.load(tmp_path)
    assert runs.names == ["run@1", "run"]
    assert points(runs["run"], "loss") == [(0, 10), (1, 20), (2, 30), (3, 40)]
    assert "bbox-mAP" not in runs["run"].scalar_tags
    assert points(runs["run@1"], "loss") == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert points(runs["run@1"], "bbox-mAP") == [(3, 0.9)]
    assert runs.best("bbox-mAP", mode="max").name == "run@1"
    (told,) = [f for f in vizkit.repair.check(tmp_path) if f.kind == "trainings"]
    assert "run@1" in told.what and not told.is_problem


def test_an_explicit_resume_is_never_a_new_training(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        log_file._begun.clear()
        with vizkit.Tracker(tmp_path / "run", if_exists="resume", system=False) as tracker:
            for step in range(3):
                tracker.log({"loss": value}, step=step)
    runs = vizkit.load(tmp_path)
    assert runs.names == ["run"] and points(runs["run"], "loss") == [(0, 2.0), (1, 2.0), (2, 2.0)]


def test_an_evaluation_beside_the_training_starts_nothing_anew(tmp_path: Path) -> None:
    session(tmp_path / "run", curve([1, 2, 3]))
    for accuracy in (0.5, 0.6):
        session(tmp_path / "run", [("test/acc", accuracy, 0)])
    runs = vizkit.load(tmp_path)
    assert runs.names == ["run"] and len(points(runs["run"], "loss")) == 3
    assert points(runs["run"], "test/acc") == [(0, 0.6)]


def test_writers_of_one_process_are_one_session(tmp_path: Path) -> None:
    for epoch in range(3):
        with vizkit.LogWriter(tmp_path / "run") as writer:
            for step in range(4):
                writer.add_scalar("loss", epoch, step)
    runs = vizkit.load(tmp_path)
    assert runs.names == ["run"] and len(points(runs["run"], "loss")) == 12


def test_real_processes_are_sessions(tmp_path: Path) -> None:
    code = """
import sys, vizkit
with vizkit.LogWriter(sys.argv[1]) as writer:
    for step in range(int(sys.argv[2]), int(sys.argv[3])):
        writer.add_scalar("loss", float(sys.argv[4]), step)
"""
    for first, last, value in ((0, 6, 1.0), (4, 8, 2.0), (0, 2, 3.0)):
        done = python(code, tmp_path / "run", first, last, value)
        assert done.returncode == 0, done.stderr
    runs = vizkit.load(tmp_path)
    assert points(runs["run@1"], "loss") == [*((s, 1.0) for s in range(4)), *((s, 2.0) for s in range(4, 8))]
    assert points(runs["run"], "loss") == [(0, 3.0), (1, 3.0)]
    reader = visualdl.LogReader(file_path=str(log_of(tmp_path / "run")))
    assert [record.id for record in reader.get_data("scalar", "loss")] == [*range(6), *range(4, 8), 0, 1]


def test_a_file_of_stock_visualdl_is_a_session(tmp_path: Path) -> None:
    for number, (steps, rate) in enumerate([(range(3), 0.1), (range(1, 4), 0.1), (range(2, 5), 0.2)]):
        name = f"vdlrecords.{number}.log"
        with visualdl.LogWriter(str(tmp_path / "run"), file_name=name) as writer:
            writer.add_hparams({"rate": rate}, ["loss"])
            for step in steps:
                writer.add_scalar("loss", number, step, walltime=1000 * number + step)
    runs = vizkit.load(tmp_path)
    assert runs.names == ["run@1", "run"]  # other hyper-parameters: a trial of its own
    assert points(runs["run@1"], "loss") == [(0, 0), (1, 1), (2, 1), (3, 1)]
    assert points(runs["run"], "loss") == [(2, 2), (3, 2), (4, 2)]
    assert [run.hparams["rate"] for run in runs] == pytest.approx([0.1, 0.2])
    alone = vizkit.load(tmp_path / "run" / "vdlrecords.0.log")
    assert len(alone) == 1 and points(alone[0], "loss") == [(0, 0), (1, 0), (2, 0)]
    before = {path.name for path in (tmp_path / "run").iterdir()}
    vizkit.repair.repair(tmp_path)
    assert {path.name for path in (tmp_path / "run").iterdir()} == before


def test_merged_logs_keep_their_sessions(tmp_path: Path) -> None:
    for number, steps in enumerate([range(5), range(3, 6)]):
        name = f"vdlrecords.{number}.log"
        with visualdl.LogWriter(str(tmp_path / "run"), file_name=name) as writer:
            for step in steps:
                writer.add_scalar("loss", number, step, walltime=1000 * number + step)
    wanted = [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 1)]
    assert points(vizkit.load(tmp_path)["run"], "loss") == wanted
    for path in (tmp_path / "run").iterdir():
        os.utime(path, (1e9, 1e9))
    (mended,) = vizkit.repair.repair(tmp_path)
    assert any("merged" in done for done in mended.done)
    assert len(list((tmp_path / "run").glob("*vdlrecords*"))) == 1
    assert points(vizkit.load(tmp_path)["run"], "loss") == wanted


def test_runs_follow_a_training_that_starts_anew(tmp_path: Path) -> None:
    session(tmp_path / "run", curve([1, 2, 3]))
    runs = vizkit.load(tmp_path)
    session(tmp_path / "run", curve([10, 20]))
    changes = runs.refresh()
    assert changes.added == ["run@1"] and changes.changed == ["run"]
    assert points(runs["run"], "loss") == [(0, 10), (1, 20)]
    assert points(runs["run@1"], "loss") == [(0, 1), (1, 2), (2, 3)]
    session(tmp_path / "run", curve([30], first=2))
    assert "run" in runs.refresh().changed
    assert len(points(runs["run"], "loss")) == 3 and len(points(runs["run@1"], "loss")) == 3


@pytest.mark.parametrize("seed", range(40))
def test_random_histories_are_read_as_the_model_has_them(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    written: list[session_model.OneSession] = []
    walltime = 1_700_000_000_000
    for _ in range(draw.randint(1, 5)):
        resume = draw.random() < 0.3
        records = []
        begin = draw.choice([0, 0, 3, 5])
        for index in range(draw.randint(0, 12)):
            walltime += 1
            step = begin + index if draw.random() < 0.7 else draw.randint(0, 12)
            tag = draw.choice(["a", "b", "system/cpu"])
            records.append(Record("scalar", tag, step, walltime, float(index)))
        log_file._begun.clear()
        with vizkit.LogWriter(tmp_path, resume=resume) as writer:
            for record in records:
                writer.add_scalar(record.tag, record.data, record.step, record.walltime)
        if records:
            written.append((SessionMark.RESUMES if resume else SessionMark.BEGINS, records))
    if not written:
        return
    every = session_model.trainings(written, [None] * len(written))
    runs = vizkit.load(tmp_path)
    assert len(runs) == len(every)
    for run, sessions in zip(runs, every, strict=True):
        tags = {record.tag for some in sessions for record in some}
        assert set(run.scalar_tags) == tags
        for tag in tags:
            kept = session_model.counting([[r for r in some if r.tag == tag] for some in sessions])
            columns = run.columns(tag)
            np.testing.assert_array_equal(columns.steps, [r.step for r in kept])
            np.testing.assert_array_equal(columns.values, [r.data for r in kept])
            np.testing.assert_array_equal(columns.walltimes, [r.walltime for r in kept])
