"""``vizkit tail``: the last records, and those that follow."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import vizkit
from tests.helpers import PATIENCE

from .commands import Command, read_line, start


def test_tail_prints_the_last_records_in_their_order(vk: Command) -> None:
    said = vk("tail", "batch32-0", "-n", 3)
    header, *rows = said.rows
    assert header == ["time", "step", "tag", "value"]
    assert [row[1:3] for row in rows] == [["28", "train/loss"], ["29", "train/loss"], ["29", "eval/acc"]]
    assert float(rows[1][3]) == math.exp(-29 / 32)
    lines = vk("tail", "batch32-0", "-m", "eval/acc", "--json").data
    assert [(line["step"], line["tag"]) for line in lines] == [(29, "eval/acc")]


@pytest.mark.usefixtures("terminal")
def test_values_that_differ_look_different(vk: Command, tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "run") as tracker:
        for step, loss in enumerate((0.123456789, 0.123456788, 0.5)):
            tracker.log({"loss": loss, "acc": 0.123456789}, step=step)
    lines = vk("tail", at=tmp_path).out.splitlines()
    assert [line.split()[-2:] for line in lines] == [
        ["loss", "0.123456789"],
        ["acc", "0.123457"],
        ["loss", "0.123456788"],
        ["acc", "0.123457"],
        ["loss", "0.5"],
        ["acc", "0.123457"],
    ]
    with vizkit.Tracker(tmp_path / "other") as tracker:
        tracker.log({"loss": 0.123456787}, step=0)
    assert "0.5 (min 0.123456788 at 1)" in (said := vk("ls", at=tmp_path).out) and "0.123456787" in said


def test_tail_follows_a_run_until_it_has_ended(tmp_path: Path) -> None:
    tracker = vizkit.Tracker(tmp_path / "log" / "run")
    tracker.log({"loss": 0.5}, step=0)
    process = start("tail", "--watch", "--every", 0.05, "--json", cwd=tmp_path)
    assert json.loads(read_line(process))["step"] == 0
    tracker.log({"loss": 0.25}, step=1)
    assert json.loads(read_line(process))["value"] == 0.25
    tracker.close()
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and out == "" and "run has ended: finished" in err


def test_tail_of_a_run_without_scalars_is_a_negative_answer(vk: Command, tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_text("note", "hello", 0)
    assert vk("tail", at=tmp_path) == (1, "time\tstep\ttag\tvalue\n", "vizkit: run has no scalars\n")


def test_tail_shows_no_time_that_no_calendar_has(vk: Command, tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("loss", 0.5, 0, walltime=10**17)
    _, row = vk("tail", at=tmp_path).rows
    assert row == ["", "0", "loss", "0.5"]
