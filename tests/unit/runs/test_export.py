"""CSV, JSON and Parquet."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vizkit
from tests.unit.runs.conftest import ACCURACIES, HPARAMS
from vizkit import Runs
from vizkit.runs.export import plain, without_formula


def test_csv(runs: Runs, tmp_path: Path) -> None:
    runs["run10"].to_csv(tmp_path / "run.csv")
    frame = pd.read_csv(tmp_path / "run.csv")
    assert list(frame.columns) == ["tag", "step", "time", "value"]
    acc = frame[frame["tag"] == "eval/acc"]["value"].to_numpy()
    assert np.array_equal(acc, ACCURACIES["lenet/run10"], equal_nan=True)
    text = runs.to_csv()
    assert (
        text.startswith("run,tag,step,time,value\nlenet/run1,eval/acc,0,1970-01-01 00:16:40")
        and "NaN" in text
    )


def test_names_that_a_spreadsheet_would_run_can_be_escaped(tmp_path: Path) -> None:
    for name in ("=1+1", "-0.5", "plain"):
        with vizkit.LogWriter(tmp_path / name) as writer:
            writer.add_scalar("@SUM(A1)", -0.5, 0)
            writer.add_scalar("loss", -0.25, 1)
    some = vizkit.load(tmp_path)

    def columns(text: str) -> tuple[list[str], list[str], list[float]]:
        frame = pd.read_csv(StringIO(text), dtype={"run": str})
        return sorted(set(frame["run"])), sorted(set(frame["tag"])), sorted(set(frame["value"]))

    assert columns(some.to_csv()) == (["-0.5", "=1+1", "plain"], ["@SUM(A1)", "loss"], [-0.5, -0.25])
    escaped = some.to_csv(escape_formulas=True)
    assert columns(escaped) == (["'=1+1", "-0.5", "plain"], ["'@SUM(A1)", "loss"], [-0.5, -0.25])
    some["plain"].to_csv(tmp_path / "run.csv", escape_formulas=True)
    assert (tmp_path / "run.csv").read_text().startswith("tag,step,time,value\n'@SUM(A1),0,")


def test_a_byte_order_mark_is_for_excel_and_harms_no_frame(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "批量 64") as writer:
        writer.add_scalar("训练/损失", 0.5, 0)
    runs, path = vizkit.load(tmp_path), tmp_path / "some.csv"
    runs.to_csv(path, bom=True)
    assert path.read_bytes() == b"\xef\xbb\xbf" + runs.to_csv().encode()
    pd.testing.assert_frame_equal(pd.read_csv(path), pd.read_csv(StringIO(runs.to_csv())))
    assert runs.to_csv(bom=True) == "\ufeff" + runs.to_csv()


@pytest.mark.parametrize(
    "cell", ["=A1", "+1-2", "-x", "@x", "\t=A1", "\r=A1", "\n=A1", "＝A1", "-", "--1", "+ 1"]
)
def test_formulas(cell: str) -> None:
    assert without_formula(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "a=b", "-0.5", "+1e-3", "-inf", "-.5", " x", -0.5, 3, None])
def test_no_formulas(cell: object) -> None:
    assert without_formula(cell) is cell


def test_json_is_strict_and_loses_nothing(runs: Runs, tmp_path: Path) -> None:
    def refuse(text: str) -> None:
        raise AssertionError(text)

    runs.to_json(tmp_path / "runs.json")
    content = json.loads((tmp_path / "runs.json").read_text("utf-8"), parse_constant=refuse)
    assert [run["name"] for run in content] == runs.names
    assert content[2]["scalars"]["eval/acc"]["values"] == [0.1, "NaN", 0.2]
    assert content[0]["hparams"] == HPARAMS["lenet/run1"] and content[0]["duration"] == 4
    assert json.loads(runs[0].to_json()) == content[0]


def test_parquet(runs: Runs, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    runs.to_parquet(tmp_path / "runs.parquet")
    frame = pd.read_parquet(tmp_path / "runs.parquet")
    texts = {"run": object, "tag": object}
    pd.testing.assert_frame_equal(frame.astype(texts), runs.scalars().astype(texts))
    runs[0].to_parquet(tmp_path / "run.parquet")
    assert len(pd.read_parquet(tmp_path / "run.parquet")) == 6


def test_parquet_without_pyarrow_says_what_to_install(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(vizkit.MissingDependencyError, match=r"pip install 'paddle-vizkit\[parquet\]'"):
        runs.to_parquet(tmp_path / "x")


def test_numbers_of_numpy_are_plain() -> None:
    assert plain({1: np.float32(0.5), "b": (np.int64(3), np.array([1, 2]), float("-inf"))}) == {
        "1": 0.5, "b": [3, [1, 2], "-Infinity"],
    }  # fmt: skip
