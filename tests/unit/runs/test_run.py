"""One run: scalars, tags, environment."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vizkit
from tests.helpers import python
from tests.unit.runs.conftest import ACCURACIES
from vizkit import DataError, LogWriter, Runs, UnknownNameError
from vizkit.writing import log_file


def test_scalars_are_frames_and_columns(runs: Runs) -> None:
    run = runs["run1"]
    frame = run.scalars("eval/acc")
    assert list(frame.columns) == ["step", "time", "value"]
    assert frame["step"].tolist() == [0, 10, 20] and frame["value"].tolist() == ACCURACIES["lenet/run1"]
    assert frame["time"][1] == pd.Timestamp("1970-01-01 00:16:42", tz="UTC")
    every = run.scalars()
    assert list(every.columns) == ["tag", "step", "time", "value"] and len(every) == 6
    assert every["tag"].unique().tolist() == ["eval/acc", "train/loss"] == run.scalar_tags
    assert run.columns("eval/acc").values.dtype == np.float64
    assert run.last("eval/acc") == (20, 0.8, 1_004_000)
    assert run.best("eval/acc") == (10, 0.9, 1_002_000)
    assert run.best("train/loss").step == 10
    assert run.best("eval/acc", mode="min").value == 0.5
    assert run.summary("eval/acc").n == 3
    assert runs["run10"].summary("eval/acc").nan == 1
    with pytest.raises(DataError, match="mode must be"):
        run.best("eval/acc", mode="up")


def test_unknown_and_misused_tags_name_the_closest_ones(runs: Runs) -> None:
    run = runs["run1"]
    with pytest.raises(UnknownNameError, match="'lenet/run1', 'eval/accuracy'; closest: 'eval/acc'"):
        run.scalars("eval/accuracy")
    for ask in (run.columns, run.images, run.texts, run.group, run.best):
        with pytest.raises(KeyError):
            ask("")
    with pytest.raises(UnknownNameError, match=r"holds scalar, not image: use .scalars\('eval/acc'\)"):
        run.images("eval/acc")
    with pytest.raises(UnknownNameError, match=r"holds histogram, not scalar: use .histograms"):
        runs["media"].scalars("weights")
    with pytest.raises(UnknownNameError, match="no scalar tag 'acc'; closest: 'eval/acc'"):
        runs.scalars("acc")


def test_a_groups_members_are_scalars_too(runs: Runs) -> None:
    run = runs["media"]
    assert run.scalar_tags == ["loss/train", "loss/eval"]
    assert run.group("loss")["eval"].values.tolist() == [0.6, 0.7]
    assert run.scalars("loss/train")["value"].tolist() == [0.5, 0.4]
    assert run.best("loss/eval").value == 0.6
    assert len(run.scalars()) == 4


def test_how_a_run_was_made_and_how_it_ended(tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "good", hparams={"lr": 0.1}) as tracker:
        tracker.log({"loss": 1.0})
        assert vizkit.load(tmp_path)["good"].status == "running"
    with pytest.raises(ZeroDivisionError), vizkit.Tracker(tmp_path / "bad") as tracker:
        tracker.log({"loss": 1.0})
        tracker.log({"loss": 1 / 0})
    with LogWriter(str(tmp_path / "stock")) as writer:
        writer.add_scalar("loss", 1.0, 0, walltime=1000)
        writer.add_text("note", "x", 1, walltime=61_000)
    runs = vizkit.load(tmp_path)
    assert [(run.name, run.status) for run in runs] == [
        ("bad", "failed"), ("good", "finished"), ("stock", "unknown"),
    ]  # fmt: skip
    assert runs["bad"].environment["error"]["type"] == "ZeroDivisionError"
    good, stock = runs["good"], runs["stock"]
    assert good.environment["pid"] == os.getpid() and good.started <= good.ended and not good.problems
    assert good.duration == good.ended - good.started
    assert (
        stock.started.timestamp() == 1
        and stock.ended.timestamp() == 61
        and stock.duration.total_seconds() == 60
    )
    assert stock.environment == {}
    assert stock.seconds(np.array([1000, 3500])).tolist() == [0, 2.5]


def test_a_killed_run_and_a_damaged_environment(tmp_path: Path) -> None:
    code = """
import os, sys, vizkit
tracker = vizkit.Tracker(sys.argv[1]); tracker.log({"loss": 1.0}); os._exit(9)
"""
    python(code, tmp_path / "run")
    run = vizkit.load(tmp_path)[0]
    assert run.status == "killed" and run.duration is not None
    (tmp_path / "run" / "environment.json").write_text("{not json")
    assert run.status == "unknown" and "is no JSON" in run.problems[0].message


def test_superseded_records_are_shown_when_asked_for(tmp_path: Path) -> None:
    for rows in [(0, 1.0), (1, 2.0), (2, 3.0)], [(1, 20.0), (2, 30.0)]:
        with LogWriter(str(tmp_path)) as writer:
            for step, value in rows:
                writer.add_scalar("loss", value, step)
        log_file._begun.clear()  # as in another process
    run = vizkit.load(tmp_path)[0]
    assert run.scalars("loss")["value"].tolist() == [1, 20, 30] and run.superseded == {"loss": 2}
    assert run.scalars("loss", superseded=True)["value"].tolist() == [1, 2, 3, 20, 30]


def test_a_group_beside_others_is_found_by_its_whole_name(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 0.1, 0)
        writer.add_scalars("a", {"x": 1.0}, 0)
        writer.add_scalars("a/b", {"x": 2.0}, 0)
    run = vizkit.load(tmp_path)[0]
    assert run.columns("a/x").values.tolist() == [1.0] and run.columns("a/b/x").values.tolist() == [2.0]
    assert run.group("a/b", superseded=True)["x"].steps.tolist() == [0]
    with pytest.raises(UnknownNameError, match="holds scalar, not scalars"):
        run.group("loss")


def test_a_run_is_printed_as_a_table(runs: Runs) -> None:
    class Printer:
        def __init__(self) -> None:
            self.texts: list[str] = []

        def text(self, text: str) -> None:
            self.texts.append(text)

    run = runs["run1"]
    printer = Printer()
    run._repr_pretty_(printer, cycle=False)
    assert printer.texts == [str(run)] and str(run).startswith("run lenet/run1: unknown, 4.0 s")
    assert repr(run) == "<Run 'lenet/run1': unknown, 2 tags>"
