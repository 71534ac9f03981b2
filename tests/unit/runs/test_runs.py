"""Several runs: refreshed, framed, ranked, plotted."""

from __future__ import annotations

from pathlib import Path

import pytest

import vizkit
from tests.helpers import log_of
from vizkit import DataError, LogWriter, QueryError, Runs, UnknownNameError


def test_refresh_reads_what_came(tmp_path: Path) -> None:
    writer = LogWriter(str(tmp_path / "a"))
    writer.add_scalar("acc", 0.5, 0)
    runs = vizkit.load(tmp_path)
    chosen = runs.filter("acc > 0.4")
    first = runs[0]
    assert not any(runs.refresh()) and not first.refresh()
    writer.add_scalar("acc", 0.7, 1)
    with LogWriter(str(tmp_path / "b")) as other:
        other.add_scalar("acc", 0.1, 0)
    changes = runs.refresh()
    assert changes.added == ["b"] and changes.changed == ["a"] and changes.removed == []
    assert runs[0] is first and first.last("acc").value == 0.7 and chosen[0].last("acc").value == 0.7
    writer.add_scalar("loss", 3.0, 2)
    assert chosen.refresh().changed == ["a"] and first.scalar_tags == ["acc", "loss"] and len(chosen) == 1
    writer.close()
    log_of(tmp_path / "b").unlink()
    assert runs.refresh().removed == ["b"] and runs.names == ["a"]


def test_scalars_of_all_runs_are_one_long_frame(runs: Runs) -> None:
    frame = runs.scalars("eval/acc")
    assert list(frame.columns) == ["run", "step", "time", "value"] and len(frame) == 9
    assert frame.groupby("run", observed=True)["value"].max().to_dict() == {
        "lenet/run1": 0.9, "lenet/run2": 0.75, "lenet/run10": 0.2,
    }  # fmt: skip
    every = runs.scalars()
    assert list(every.columns) == ["run", "tag", "step", "time", "value"] and len(every) == 2 * 9 + 4


def test_best(lenet: Runs, runs: Runs) -> None:
    assert lenet.best("eval/acc", mode="max").hparams["optimizer"] == "Adam"
    assert lenet.best("eval/acc").name == "lenet/run1" == lenet.best("train/loss").name
    assert runs.best("eval/acc", mode="min").name == "lenet/run10"
    with pytest.raises(UnknownNameError, match="closest"):
        lenet.best("acc")
    with pytest.raises(DataError, match="mode must be"):
        runs.best("eval/acc", mode="highest")


def test_runs_are_drawn_by_plots(lenet: Runs) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    drawn = lenet.filter("`batch size` == 64 and `learning rate` < 0.01").plot("eval/acc", x="time")
    assert list(drawn.lines) == ["lenet/run1"]
    assert list(lenet[0].plot("eval/acc").lines) == ["lenet/run1"]
    pyplot.close("all")


def test_a_run_in_the_root_is_named_as_its_directory(tmp_path: Path) -> None:
    for place in ("log", "log/a"):
        with LogWriter(str(tmp_path / place)) as writer:
            writer.add_scalar("loss", 1.0, 0)
    runs = vizkit.load(tmp_path / "log")
    assert sorted(runs.names) == ["a", "log"]
    with LogWriter(str(tmp_path / "log")) as writer:
        writer.add_scalar("loss", 2.0, 1)
    assert runs.refresh().changed == ["log"] and runs["log"].last("loss").value == 2.0


def test_a_wrong_expression_to_compare_is_said(lenet: Runs) -> None:
    with pytest.raises(QueryError, match="is no expression"):
        lenet.compare("`batch size` ==", "lenet/run1", "eval/acc")
