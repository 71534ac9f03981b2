"""Bars of importance: data and drawing."""

from __future__ import annotations

from pathlib import Path

import vizkit
from tests.unit.conftest import Write
from vizkit import Runs
from vizkit.plots import importance


def test_importance_tells_what_mattered(nine: Runs) -> None:
    data = importance(nine, "eval/acc").data
    assert (
        data.hparams[0].name == "optimizer" and data.hparams[0].importance > 0.9 and data.hparams[0].p < 0.05
    )
    assert data.n == 9 and max(item.importance for item in data.hparams[1:]) < 0.1


def test_shares_that_cannot_be_computed_are_said(write: Write, tmp_path: Path) -> None:
    for k in range(12):
        write(f"run{k}", {"acc": [float(k // 6)]}, {"path": f"p{k}", "net": k // 6, "depth": k // 6})
    plot = importance(vizkit.load(tmp_path), "acc")
    names = [item.name for item in plot.data.hparams]
    found = {name: text.get_text() for name, text in zip(names, plot.texts, strict=True)}
    assert found["path"] == "cannot be told: a value of its own in each run"
    assert found["net"].startswith("100%  (p ") and found["net"].endswith(", with depth)")
