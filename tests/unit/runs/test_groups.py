"""Groups of runs over seeds; intervals equal SciPy's."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import vizkit
from tests.unit.runs.conftest import write_run
from vizkit import LogWriter, QueryError, Runs, UnknownNameError

stats = pytest.importorskip("scipy.stats")
NAN = float("nan")


def test_groups_over_seeds(seeds: Runs) -> None:
    groups = seeds.group_by("optimizer")
    assert (
        list(groups) == ["Adam", "Lamb", "SGD"] and len(groups["SGD"]) == 3 and groups.names == ["optimizer"]
    )
    frame = groups.scalars("acc")
    assert list(frame.columns) == ["optimizer", "step", "mean", "std", "n", "nan", "low", "high"]
    sgd = frame[(frame["optimizer"] == "SGD") & (frame["step"] == 2)].iloc[0]
    values = [0.68, 0.7, 0.73]
    assert sgd["mean"] == pytest.approx(np.mean(values)) and sgd["std"] == pytest.approx(
        np.std(values, ddof=1)
    )
    low, high = stats.t.interval(0.95, 2, loc=np.mean(values), scale=stats.sem(values))
    assert (sgd["low"], sgd["high"]) == pytest.approx((low, high)) and sgd["n"] == 3
    lamb = frame[frame["optimizer"] == "Lamb"]
    assert lamb["n"].tolist() == [1, 1, 0] and lamb["nan"].tolist() == [0, 0, 1] and lamb["low"].isna().all()
    table = groups.table("acc")
    assert table["optimizer"].tolist() == ["Adam", "Lamb", "SGD"] and table["n"].tolist() == [3, 1, 3]
    assert table["mean"][1] == 0.2 and math.isnan(table["std"][1]) and table["max"][2] == pytest.approx(0.73)
    with pytest.raises(UnknownNameError, match="closest: 'Adam'"):
        groups["Adan"]
    with pytest.raises(UnknownNameError, match="'accuracy'"):
        groups.scalars("accuracy")
    with pytest.raises(QueryError, match="'step' or 'time'"):
        groups.scalars("acc", on="epoch")  # type: ignore[arg-type]


def test_groups_by_several_and_by_functions(seeds: Runs) -> None:
    groups = seeds.group_by(["depth", "optimizer"])
    assert list(groups) == [(2, "Adam"), (2, "SGD"), (3, "Lamb")]
    assert list(groups.table("acc").columns[:2]) == ["depth", "optimizer"]
    assert list(seeds.group_by(lambda run: run.name[0])) == ["a", "s"]
    with pytest.raises(UnknownNameError, match="closest: 'optimizer'"):
        seeds.group_by("optimiser")
    with pytest.raises(QueryError):
        seeds.group_by([])


def test_runs_of_different_steps_are_aligned(tmp_path: Path) -> None:
    write_run(tmp_path, "a", {"lr": 1}, [0.0, 1.0], [0, 10])
    write_run(tmp_path, "b", {"lr": 1}, [2.0, 4.0], [5, 15])
    groups = vizkit.load(tmp_path).group_by("lr")
    frame = groups.scalars("acc")
    assert frame["step"].tolist() == [0, 5, 10, 15] and frame["n"].tolist() == [1, 2, 2, 1]
    assert frame["mean"].tolist() == [0, (0.5 + 2) / 2, (1 + 3) / 2, 4]
    frame = groups.scalars("acc", on="time")
    assert frame.columns[1] == "seconds" and frame["seconds"].iloc[-1] == 10
    assert frame["mean"].iloc[0] == 1 and frame["mean"].iloc[-1] == 2.5  # each run's clock starts with it


def test_hyper_parameters_named_as_columns_are_kept_apart(tmp_path: Path) -> None:
    for index in range(2):
        write_run(tmp_path, f"r{index}", {"n": 32, "mean": (1, 2)}, [0.5])
    groups = vizkit.load(tmp_path).group_by(["n", "mean"])
    assert list(groups) == [(32, (1, 2))]
    assert groups.scalars("acc").loc[0, ["hparams.n", "n"]].tolist() == [32, 2]
    assert groups.table("acc").loc[0, ["hparams.n", "n"]].tolist() == [32, 2]
    assert groups.scalars("acc", on="time")["hparams.mean"][0] == (1, 2)


def test_groups_are_printed_with_their_sizes(seeds: Runs) -> None:
    assert repr(seeds.group_by("depth")) == "<2 groups by 'depth'; runs in each: 2: 6, 3: 1>"
    with pytest.raises(QueryError, match="needs the name"):
        seeds.group_by([])


def test_a_group_without_the_tag_has_no_rows(tmp_path: Path) -> None:
    write_run(tmp_path, "a", {"lr": 0.1}, [0.5])
    with LogWriter(str(tmp_path / "b")) as writer:
        writer.add_hparams({"lr": 0.2}, [])
        writer.add_scalar("loss", 1.0, 0)
    groups = vizkit.load(tmp_path).group_by("lr")
    assert groups.scalars("acc")["lr"].tolist() == [0.1]
    assert groups.scalars("acc", on="time")["seconds"].tolist() == [0.0]
    table = groups.table("acc")
    assert table["n"].tolist() == [1, 0] and math.isnan(table["mean"][1])
    with pytest.raises(QueryError, match="on must be"):
        groups.scalars("acc", on="epoch")  # type: ignore[arg-type]


def test_values_that_cannot_be_keys_are_their_texts(seeds: Runs) -> None:
    groups = seeds.group_by(lambda run: {"depth": run.hparams["depth"]})
    assert list(groups) == ["{'depth': 2}", "{'depth': 3}"]
    assert groups.names == ["<lambda>"]
