"""The order of scalar tags."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import vizkit
from vizkit import LogWriter, UnknownNameError


def test_what_is_sampled_beside_the_training_comes_last_and_does_not_count(tmp_path: Path) -> None:
    start = 1_600_000_000_000
    for name, tags in (("a", ("system/cpu", "loss")), ("b", ("pace/step", "acc", "loss"))):
        with LogWriter(str(tmp_path / name)) as writer:
            for tag in tags:
                late = 60_000 if "/" in tag else 0
                for step in range(3):
                    writer.add_scalar(tag, step, step, walltime=start + 1000 * step + late)
    runs = vizkit.load(tmp_path)
    assert runs["a"].scalar_tags == ["loss", "system/cpu"]
    assert runs.scalar_tags == ["loss", "acc", "system/cpu", "pace/step"]
    assert runs.metrics == ["loss", "acc"]
    assert not any("/" in column for column in runs.table().columns)
    assert [run.duration for run in runs] == [timedelta(seconds=2)] * 2
    with pytest.raises(UnknownNameError, match=r"there are: 'loss', 'acc', 'system/cpu', 'pace/step'$"):
        runs.scalars("zzz")


def test_what_is_watched_of_a_network_comes_behind_the_metrics(tmp_path: Path) -> None:
    watched = [
        "norm/weights",
        "zeros/fc/weight",
        "nonfinite/gradients",
        "update ratio",
        "update ratio/fc/weight",
    ]
    with LogWriter(str(tmp_path / "run")) as writer:
        for tag in ["system/cpu", *watched, "train/loss", "normal"]:
            writer.add_scalar(tag, 1.0, 0)
    assert vizkit.load(tmp_path).scalar_tags == ["train/loss", "normal", *watched, "system/cpu"]
