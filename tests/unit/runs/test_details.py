"""Runs as plain data."""

from __future__ import annotations

import json
from pathlib import Path

import vizkit
from vizkit import LogWriter, Runs
from vizkit.runs.details import in_short, overview, row
from vizkit.runs.export import to_json


def test_a_run_in_short_is_json(runs: Runs) -> None:
    short = in_short(runs["run1"])
    assert short["name"] == "lenet/run1" and short["status"] == "unknown" and short["duration"] == 4
    assert short["started"] == "1970-01-01T00:16:40+00:00" and short["hparams"]["batch size"] == 64
    assert json.loads(to_json(short, None) or "") == short


def test_a_row_has_the_metrics_that_are_there(runs: Runs) -> None:
    metrics = row(runs["run1"])["metrics"]
    assert list(metrics) == ["eval/acc", "train/loss"]
    assert metrics["eval/acc"] == {
        "last": 0.8, "last_step": 20, "best": 0.9, "best_step": 10, "n": 3, "nan": 0,
    }  # fmt: skip
    assert list(row(runs["run1"], ["train/loss", "nothing"])["metrics"]) == ["train/loss"]
    assert row(runs["run10"])["metrics"]["eval/acc"]["nan"] == 1


def test_what_is_best_is_open_where_the_tag_does_not_tell(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("how far", 1.0, 0)
    metric = row(vizkit.load(tmp_path)[0])["metrics"]["how far"]
    assert metric["best"] is None and metric["best_step"] is None and metric["last"] == 1.0


def test_the_overview_has_tags_environment_and_problems(runs: Runs, tmp_path: Path) -> None:
    found = overview(runs["media"])
    assert found["tags"]["image"] == ["grey", "colour"] and list(found["metrics"]) == [
        "loss/train",
        "loss/eval",
    ]
    assert found["environment"] == {} and found["problems"] == []
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 1.0, 0)
    (tmp_path / "environment.json").write_text("{not json")
    assert "is no JSON" in overview(vizkit.load(tmp_path)[0])["problems"][0]
