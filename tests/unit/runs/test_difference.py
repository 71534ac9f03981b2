"""Differences of runs."""

from __future__ import annotations

import json
from pathlib import Path

import vizkit
from vizkit import LogWriter, Runs
from vizkit.runs.difference import differing, made_by
from vizkit.runs.query import MISSING


def test_diff_shows_only_what_differs(lenet: Runs) -> None:
    frame = lenet.diff()
    assert frame.index.tolist() == [
        ("hparams", "learning rate"),
        ("hparams", "batch size"),
        ("hparams", "optimizer"),
    ]
    assert frame.loc[("hparams", "optimizer")].tolist() == ["Adam", "SGD", "SGD"]
    assert lenet[:1].diff().empty


def test_diff_of_environments(tmp_path: Path) -> None:
    for name, version, pid in [("a", "1.0", 1), ("b", "2.0", 2)]:
        with LogWriter(str(tmp_path / name)) as writer:
            writer.add_scalar("loss", 1.0, 0)
        content = {
            "pid": pid,
            "started": pid,
            "status": "finished",
            "seed": 7,
            "packages": {"numpy": version, "six": "1"},
        }
        (tmp_path / name / "environment.json").write_text(json.dumps(content))
    with LogWriter(str(tmp_path / "stock")) as writer:
        writer.add_scalar("loss", 1.0, 0)
    frame = vizkit.load(tmp_path).diff()
    assert frame.index.tolist() == [("environment", "packages/numpy")]
    assert frame.iloc[0].tolist() == ["1.0", "2.0", None]


def test_a_diff_file_is_named_by_its_content_alone() -> None:
    git = {"commit": "abc", "diff": "+1", "diff_file": "1f.diff"}
    assert made_by({"git": git, "pid": 7}) == {"git/commit": "abc", "git/diff_file": "1f.diff"}


def test_bools_and_numbers_differ_and_nan_does_not() -> None:
    nan = float("nan")
    rows = [{"a": True, "b": 64, "c": nan, "d": 1}, {"a": 1, "b": 64.0, "c": nan}]
    assert differing(rows) == {"a": [True, 1], "d": [1, MISSING]}
