"""The newest scalars of a run, in the order in which they are recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

import vizkit
from tests.helpers import log_of
from vizkit import LogWriter, UnknownNameError
from vizkit.runs.recent import Line, Recent


def test_records_come_once_in_the_order_of_their_walltimes(tmp_path: Path) -> None:
    writer = LogWriter(str(tmp_path))
    for step in range(3):
        writer.add_scalar("loss", float(step), step, walltime=1000 + 10 * step)
        writer.add_scalar("acc", step / 2, step, walltime=1005 + 10 * step)
    run = vizkit.load(tmp_path)[0]
    recent = Recent(run)
    assert [line.tag for line in recent.take()] == ["loss", "acc"] * 3
    assert recent.take() == []
    writer.add_scalar("loss", 9.0, 3, walltime=2000)
    run.refresh()
    assert recent.take() == [Line(2000, 3, "loss", 9.0)]
    writer.close()


def test_only_some_tags_and_only_the_last_records(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        for step in range(100):
            writer.add_scalar("loss", float(step), step, walltime=1000 + step)
            writer.add_scalar("acc", 0.5, step, walltime=1000 + step)
    run = vizkit.load(tmp_path)[0]
    assert [line.step for line in Recent(run, ["loss"]).take(2)] == [98, 99]
    assert Recent(run).take(0) == []
    with pytest.raises(UnknownNameError, match="'lss'"):
        Recent(run, ["lss"])


def test_a_log_that_is_replaced_is_read_from_its_beginning(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        for step in range(3):
            writer.add_scalar("loss", 1.0, step, walltime=1000 + step)
    run = vizkit.load(tmp_path)[0]
    recent = Recent(run, ["loss"])
    assert len(recent.take()) == 3
    log_of(tmp_path).unlink()
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("acc", 1.0, 0)
    run.refresh()
    assert recent.take() == []  # the tag is gone
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 7.0, 5, walltime=9000)
    run.refresh()
    assert recent.take() == [Line(9000, 5, "loss", 7.0)]
