"""Start, end and duration of a run."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

import vizkit
from vizkit import LogWriter
from vizkit.writing import log_file


def test_pauses_before_a_resume_do_not_count(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        for second in (10, 15, 100, 107):
            writer.add_scalar("loss", 1.0, second, walltime=second * 1000)
        writer.add_scalar("system/cpu percent", 1.0, 20, walltime=35_000)  # beside the training
    killed = {"started": 10_000, "status": "running", "pid": 1}
    last = {"started": 100_000, "ended": 108_000, "status": "finished"}
    (tmp_path / "environment.json").write_text(json.dumps({**last, "sessions": [killed]}))
    run = vizkit.load(tmp_path)[0]
    assert run.duration == timedelta(seconds=5 + 8)
    assert run.started == datetime.fromtimestamp(10, timezone.utc)
    assert run.status == "finished" and run.ended == datetime.fromtimestamp(108, timezone.utc)


def test_times_in_seconds_are_told_apart(tmp_path: Path) -> None:
    """Of old logs, and of ``walltime=time.time()``."""
    with LogWriter(str(tmp_path / "run")) as writer:
        for step in range(3):
            writer.add_scalar("loss", 1.0, step, walltime=1_600_000_000 + step)
            writer.add_text("note", "x", step, walltime=1_600_000_000 + step)
    (run,) = vizkit.load(tmp_path)
    assert run.started == datetime(2020, 9, 13, 12, 26, 40, tzinfo=timezone.utc)
    assert run.duration == timedelta(seconds=2)
    assert run.columns("loss").walltimes[2] == run.texts("note").walltimes[2] == 1_600_000_002_000
    assert run.seconds(run.columns("loss").walltimes).tolist() == [0, 1, 2]


def test_a_run_without_records_has_no_times(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("system/cpu percent", 1.0, 20, walltime=35_000)
    run = vizkit.load(tmp_path)[0]
    assert (run.started, run.ended, run.duration) == (None, None, None)
    assert run.seconds(np.array([1500])).tolist() == [1.5]


def test_a_run_that_goes_on_has_no_end(tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "run") as tracker:
        tracker.log({"loss": 1.0})
        run = vizkit.load(tmp_path)[0]
        assert run.ended is None and run.started is not None and run.duration is not None
    assert run.ended is not None


def test_a_session_that_was_killed_before_its_first_record_counts_nothing(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 1.0, 0, walltime=101_000)
    killed = {"started": 10_000, "status": "killed"}
    last = {"started": 100_000, "status": "killed"}
    (tmp_path / "environment.json").write_text(json.dumps({**last, "sessions": [killed]}))
    run = vizkit.load(tmp_path)[0]
    assert run.duration == timedelta(seconds=1)
    assert run.ended == datetime.fromtimestamp(101, timezone.utc)


def test_a_time_that_no_calendar_has_is_none(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 1.0, 0, walltime=2**62)
    run = vizkit.load(tmp_path)[0]
    assert run.started is None and run.scalars("loss")["time"].isna().all()


def test_a_training_has_the_sessions_of_its_own_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for start, steps in ((10_000, 5), (100_000, 3)):
        monkeypatch.setattr(log_file, "_begun", set())  # as in a new process
        with LogWriter(str(tmp_path / "run")) as writer:
            for step in range(steps):
                writer.add_scalar("loss", 1.0, step, walltime=start + 1000 * step)
    first = {"started": 9000, "ended": 15_000, "status": "failed"}
    last = {"started": 99_000, "ended": 103_000, "status": "finished"}
    (tmp_path / "run" / "environment.json").write_text(json.dumps({**last, "sessions": [first]}))
    earlier, later = vizkit.load(tmp_path)
    assert (earlier.name, later.name) == ("run@1", "run")
    assert (earlier.status, later.status) == ("failed", "finished")
    assert (earlier.duration, later.duration) == (timedelta(seconds=6), timedelta(seconds=4))
    assert later.environment == {**last, "sessions": []}
