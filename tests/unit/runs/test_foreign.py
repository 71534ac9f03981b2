"""Logs of other tools, where a directory holds none of VisualDL's."""

from __future__ import annotations

from pathlib import Path

import pytest

import vizkit
from vizkit.runs.foreign import foreign_logs


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("run1/events.out.tfevents.1700000000.host.1.0", "a TensorBoard log lies"),
        ("wandb/offline-run-1/run-1.wandb", "a W&B run lies"),
        ("lightning_logs/version_0/metrics.csv", "a CSV file lies"),
        ("mlruns/0/meta.yaml", "an MLflow experiment or run lies"),
        (".aim/run_metadata.sqlite", "an Aim repository lies"),
    ],
)
def test_logs_of_other_tools_are_named_with_what_reads_them(tmp_path: Path, path: str, what: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text("")
    found = foreign_logs(str(tmp_path))
    assert found.startswith(what) and "vizkit.Tracker" in found
    assert found in repr(vizkit.load(tmp_path))
    assert foreign_logs(str(tmp_path / path)).startswith(what)


def test_several_are_counted_and_none_is_said_to_be_there_without_reason(tmp_path: Path) -> None:
    assert foreign_logs(str(tmp_path)) == foreign_logs(str(tmp_path / "gone")) == ""
    for name in ("train.py", "notes.txt"):
        (tmp_path / name).write_text("")
    assert foreign_logs(str(tmp_path)) == ""
    for number in range(3):
        (tmp_path / f"log{number}.csv").write_text("epoch,loss\n0,1\n")
    assert foreign_logs(str(tmp_path)).startswith("3 CSV files lie there")
    with vizkit.Tracker(tmp_path / "run") as tracker:
        tracker.log({"loss": 1.0})
    runs = vizkit.load(tmp_path)
    assert "CSV" not in repr(runs) + repr(runs.filter("loss > 2"))
