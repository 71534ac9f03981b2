"""Start, end and duration of a run."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

import vizkit
from vizkit import LogWriter
from vizkit.curves.x_axis import x_and_values
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


# -- walltimes of the caller's own -----------------------------------------------------------------

SESSION = 1_795_000_000_000
"""When the session starts, in November 2026."""


def given(tmp_path: Path, walltimes: dict[str, list[float]], **session: object) -> vizkit.runs.Run:
    """A run with these walltimes; its session is killed after its last record unless ``session`` ends."""
    with LogWriter(str(tmp_path / "run")) as writer:
        for tag, times in walltimes.items():
            for step, time in enumerate(times):
                writer.add_scalar(tag, 1.0, step, walltime=time)
    if session:
        (tmp_path / "run" / "environment.json").write_text(json.dumps({"pid": 1, **session}))
    return vizkit.load(tmp_path)[0]


DATES = [datetime(2019, 5, 1, 10, minute, tzinfo=timezone.utc).timestamp() for minute in (0, 2, 30)]
REAL: list[float] = [SESSION + 1000 * second for second in (3, 4, 60)]


@pytest.mark.parametrize(
    ("walltimes", "seconds"),
    [
        ([0, 5, 10], [0, 0.005, 0.01]),
        ([0, 5000, 10_000], [0, 5, 10]),
        (DATES, [0, 120, 1800]),
        ([1000 * date for date in DATES], [0, 120, 1800]),
        (list(reversed(DATES)), [1800, 120, 0]),
        ([SESSION - 20_000_000, SESSION], [0, 20_000]),  # some hours before the tracker was made
        ([SESSION - 10**10, SESSION - 10**10 + 7000], [0, 7]),  # months before
        ([SESSION + 10**12, SESSION + 10**12 + 7000], [0, 7]),  # decades later
        (REAL, [3, 4, 60]),
    ],
)
def test_no_time_is_negative(tmp_path: Path, walltimes: list[float], seconds: list[float]) -> None:
    run = given(tmp_path, {"a": walltimes}, started=SESSION, ended=SESSION + 90_000, status="finished")
    assert run.seconds(run.columns("a").walltimes) == pytest.approx(seconds)
    assert x_and_values(run, "a", "time")[0] == pytest.approx(seconds)
    assert x_and_values(run, "a", "relative")[0] == pytest.approx(np.subtract(seconds, min(seconds)))
    assert run.duration == timedelta(seconds=90)


def test_each_clock_counts_from_its_own_beginning(tmp_path: Path) -> None:
    later = [date + 60 for date in DATES]
    run = given(
        tmp_path,
        {"zero": [0, 5000], "dates": DATES, "later": later, "real": REAL},
        started=SESSION,
        status="running",
    )
    found = {tag: run.seconds(run.columns(tag).walltimes).tolist() for tag in run.scalar_tags}
    assert found == {"zero": [0, 5], "dates": [0, 120, 1800], "later": [60, 180, 1860], "real": [3, 4, 60]}
    assert run.seconds(run.columns("dates").walltimes[1:2]).tolist() == [120]
    assert run.duration == timedelta(seconds=60)
    assert run.started == datetime.fromtimestamp(SESSION / 1000, timezone.utc)


@pytest.mark.parametrize("walltimes", [[0, 5], DATES, [SESSION + 10**12]])
def test_a_killed_session_that_recorded_by_another_clock_lasted_nobody_knows_how_long(
    tmp_path: Path, walltimes: list[float]
) -> None:
    run = given(tmp_path, {"a": walltimes}, started=SESSION, status="running")
    assert run.duration == timedelta(0)


def test_a_stock_log_lasts_as_long_as_its_main_clock(tmp_path: Path) -> None:
    run = given(tmp_path, {"wrong": [0, 5], "dates": DATES})
    assert run.duration == timedelta(minutes=30)
    assert run.started == datetime(2019, 5, 1, 10, tzinfo=timezone.utc)
    assert run.ended == datetime(2019, 5, 1, 10, 30, tzinfo=timezone.utc)


def test_a_training_by_another_clock_keeps_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        monkeypatch.setattr(log_file, "_begun", set())  # as in a new process
        with LogWriter(str(tmp_path / "run")) as writer:
            for step in range(3):
                writer.add_scalar("loss", 1.0, step, walltime=step * 1000 + _)
    session = {"started": SESSION, "ended": SESSION + 1000, "status": "finished"}
    (tmp_path / "run" / "environment.json").write_text(json.dumps({**session, "sessions": [session]}))
    earlier, last = vizkit.load(tmp_path)
    assert (earlier.status, last.status) == ("unknown", "finished")
