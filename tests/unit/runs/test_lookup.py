"""Runs found by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import vizkit
from vizkit import LogWriter, Runs, UnknownNameError
from vizkit.runs.lookup import closest, newest, unknown


def test_runs_are_in_natural_order_and_found_by_what_fits_one_only(runs: Runs) -> None:
    assert runs.names == ["lenet/run1", "lenet/run2", "lenet/run10", "other/media"]
    assert [run.name for run in runs] == list(dict(runs)) == runs.names
    assert len(runs) == 4 and runs[0].name == "lenet/run1" and runs[-1].name == "other/media"
    assert runs["lenet/run1"].name == "lenet/run1"
    assert runs["run1"].name == "lenet/run1"  # the last part, though run10 begins so too
    assert runs["oth"].name == "other/media"
    assert runs["lenet/*"].names == runs[:3].names == runs.names[:3]
    assert runs["*/run?"].names == ["lenet/run1", "lenet/run2"]
    assert runs[0] in runs
    assert "lenet/run1" in runs  # type: ignore[comparison-overlap]
    assert "run1" not in runs  # type: ignore[comparison-overlap]
    assert runs.get("nothing") is None and runs.get("media") is runs[-1]
    with pytest.raises(UnknownNameError, match=r"'lenet' fits 3 runs, 'lenet/run1', .*'\*'"):
        runs["lenet"]
    with pytest.raises(UnknownNameError, match="there is no run 'lenet/run3'; closest: 'lenet/run"):
        runs["lenet/run3"]
    with pytest.raises(KeyError, match="no run that fits 'x"):
        runs["x*"]
    with pytest.raises(IndexError):
        runs[4]


def test_a_run_is_found_by_the_path_of_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("x/a", "x/b", "a"):
        with LogWriter(tmp_path / "log" / name) as writer:
            writer.add_scalar("loss", 1.0, 0)
    (tmp_path / "link").symlink_to(tmp_path / "log/x")
    monkeypatch.chdir(tmp_path)
    runs = vizkit.load("log")
    for path, name in (
        ("log/x/a", "x/a"),
        ("./log/x/b/", "x/b"),
        ("log/a", "a"),
        (str(tmp_path / "log/a"), "a"),
        ("link/b", "x/b"),
    ):
        assert runs[path].name == name
    monkeypatch.chdir(tmp_path / "log/x")
    assert runs["a"].name == "a"  # a name comes before a path
    with pytest.raises(UnknownNameError, match=r"no run '\.\./x'"):
        runs["../x"]  # a directory, of which none is the run's own


def test_the_newest_run_is_the_one_started_last(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no run"):
        newest([])
    for name, walltime in (("a", 5000), ("b", 9000), ("c", 7000)):
        with LogWriter(str(tmp_path / name)) as writer:
            writer.add_scalar("loss", 1.0, 0, walltime=walltime)
    runs = vizkit.load(tmp_path)
    assert newest(runs).name == "b"
    content = {"started": 10_000, "status": "finished", "sessions": [{"started": 1000, "ended": 2000}]}
    (tmp_path / "a" / "environment.json").write_text(json.dumps(content))
    assert newest(runs).name == "a"  # it was resumed


def test_without_anything_alike_all_names_are_listed() -> None:
    error = unknown("run", "zzz", ["a", "b", "c", "d", "e", "f"])
    assert str(error.args[0]) == "there is no run 'zzz'; there are: 'a', 'b', 'c', 'd', 'e' ..."
    assert "there is none at all" in str(unknown("run", "a", []).args[0])
    assert closest("", ["a"]) == []
