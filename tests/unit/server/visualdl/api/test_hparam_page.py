"""The table of hyper-parameters, and their importance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import vizkit
from tests.helpers import api


def test_importance_works_where_stock_fails(server: vizkit.Server) -> None:
    found = {item["name"]: item["value"] for item in api(server, "hparams/importance")}
    assert set(found) == {"learning rate", "batch size", "optimizer"}
    assert all(0 <= value <= 1 for value in found.values())
    assert max(found.values()) > 0.5


@pytest.mark.parametrize(("metrics", "shown"), [("last", [0.7, 0.9]), ("best", [0.9, 0.2])])
def test_the_table_shows_last_or_best_values(tmp_path: Path, metrics: Any, shown: list[float]) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_hparams(
            {"flag": True, "rate": 0.1, "bad": float("nan"), "big": 2**70}, ["eval/acc", "eval/loss"]
        )
        for step, (acc, loss) in enumerate([(0.5, 0.2), (0.9, 0.4), (0.7, 0.9)]):
            writer.add_scalar("eval/acc", acc, step)
            writer.add_scalar("eval/loss", loss, step)
    with vizkit.serve(tmp_path, hparam_metrics=metrics) as server:
        (row,) = api(server, "hparams/list")
        assert list(row["metrics"].values()) == shown
        types = {
            item["name"]: (item["type"], item["values"])
            for item in api(server, "hparams/indicators")["hparams"]
        }
        assert types["rate"] == ("continuous", [0.1])
        assert types["bad"] == ("string", ["nan"])
        assert types["flag"] == ("string", ["True"])


def test_a_metric_may_be_missing_or_have_no_direction(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_hparams({"rate": 0.1}, ["height", "eval/acc"])
        for step, value in enumerate((3.0, 1.0, 2.0)):
            writer.add_scalar("height", value, step)
    with vizkit.serve(tmp_path, hparam_metrics="best") as server:
        (row,) = api(server, "hparams/list")
        assert row["metrics"] == {"height": 2.0, "eval/acc": None}  # the last: nothing tells which is best
        assert api(server, "hparams/indicators")["metrics"] == [{"name": "height", "type": "continuous"}]


def test_a_hyper_parameter_with_the_name_of_another_column_is_told_apart(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_hparams({"lr": 0.5, "name": "x", "batch": 2}, ["lr"])
        writer.add_scalar("lr", 0.25, 0)
    with vizkit.serve(tmp_path) as server:
        (row,) = api(server, "hparams/list")
        assert row["hparams"] == {"hparams.lr": 0.5, "hparams.name": "x", "batch": 2}
        assert row["metrics"] == {"lr": 0.25}
        names = [column["name"] for column in api(server, "hparams/indicators")["hparams"]]
        assert names == ["hparams.lr", "hparams.name", "batch"]


def test_values_that_json_lacks_are_told(tmp_path: Path) -> None:
    for name, value in {"a": float("inf"), "b": float("nan"), "c": 0.5}.items():
        with vizkit.LogWriter(tmp_path / name) as writer:
            writer.add_hparams({"seed": 1}, ["acc", "other"])
            writer.add_scalar("acc", value, 0)
    with vizkit.serve(tmp_path) as server:
        rows = api(server, "hparams/list")
    assert [row["metrics"] for row in rows] == [{"acc": value, "other": None} for value in (None, None, 0.5)]
    assert [row.get("not finite") for row in rows] == [{"acc": "Infinity"}, {"acc": "NaN"}, None]
