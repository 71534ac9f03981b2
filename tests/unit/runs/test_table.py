"""The table of runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import vizkit
from vizkit import DataError, LogWriter, Runs, UnknownNameError
from vizkit.reading import Scalars
from vizkit.reading.scalar_columns import ScalarColumns


def test_the_table_has_a_row_a_run(runs: Runs, lenet: Runs) -> None:
    table = lenet.table()
    assert table.index.tolist() == lenet.names and table.index.name == "run"
    assert list(table.columns) == [
        "status", "started", "duration", "learning rate", "batch size", "optimizer", "amp",
        "eval/acc.last", "eval/acc.best", "eval/acc.best_step",
        "train/loss.last", "train/loss.best", "train/loss.best_step",
    ]  # fmt: skip
    row = table.loc["lenet/run1"]
    assert row["batch size"] == 64 and row["eval/acc.last"] == 0.8 and row["eval/acc.best"] == 0.9
    assert row["eval/acc.best_step"] == 10 and row["duration"] == pd.Timedelta(seconds=4)
    assert lenet.table(mode="min").loc["lenet/run1", "eval/acc.best"] == 0.5
    assert lenet.table(mode={"eval/acc": "min"}).loc["lenet/run1", "train/loss.best"] == pytest.approx(0.1)
    assert lenet.table(["train/loss"]).shape == (3, 10)
    whole = runs.table()
    assert whole["batch size"].dtype == "Int64" and whole["amp"].dtype == "boolean"
    assert whole["batch size"].isna().tolist() == [False, False, False, True]
    with pytest.raises(UnknownNameError, match="'nothing'"):
        runs.table(["nothing"])


def test_a_hyper_parameter_may_be_named_as_a_column(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_hparams({"status": 1, "name": "x", "list": [1, 2]}, [])
        writer.add_scalar("how far", 1.0, 0)
    runs = vizkit.load(tmp_path)
    row = runs.table().iloc[0]
    assert row["hparams.status"] == 1 and row["status"] == "unknown" and row["list"] == [1, 2]
    assert "how far.best" not in row  # nobody knows what is better
    assert runs.filter("hparams.name == 'x'").names == runs.names and not len(runs.filter("name == 'x'"))
    assert runs.group_by("list")[(1, 2)].names == runs.names


def test_a_run_without_a_metric_has_no_columns_of_it(runs: Runs) -> None:
    rows = runs.rows(["eval/acc"])
    assert "eval/acc.last" in rows["lenet/run1"] and "eval/acc.last" not in rows["other/media"]
    with pytest.raises(DataError, match="mode must be"):
        runs.rows(["eval/acc"], mode="up")


def test_a_member_of_a_group_is_read_without_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in range(2):
            writer.add_scalars("losses", {f"m{k}": float(k + step) for k in range(40)}, step)
    runs = vizkit.load(tmp_path)
    read: list[str] = []
    columns_of = ScalarColumns.of

    def counted(self: ScalarColumns, tag: str, member: str, superseded: bool) -> Scalars:
        read.append(member)
        return columns_of(self, tag, member, superseded)

    monkeypatch.setattr(ScalarColumns, "of", counted)
    assert runs.table().loc["run", "losses/m7.last"] == 8.0
    assert len(read) <= 4 * 40
