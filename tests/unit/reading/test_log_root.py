"""All runs under a root, followed as they come and go."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.logs import path_in, scalar
from vizkit.reading import LogRoot, natural_key


def write_runs(root: Path, names: Iterable[str]) -> None:
    for name in names:
        path_in(root / name).write_bytes(scalar("a", 0.5))


def test_runs_are_found_in_nested_directories_in_natural_order(tmp_path: Path) -> None:
    names = ["run10", "run2", "deep/er/run1", "实验/运行 一", "."]
    write_runs(tmp_path, names)
    (tmp_path / "empty").mkdir()
    root = LogRoot(tmp_path)
    assert list(root.runs) == [".", "deep/er/run1", "run2", "run10", "实验/运行 一"]
    assert all(run.scalars("a").values.tolist() == [0.5] for run in root.runs.values())
    assert list(LogRoot(tmp_path / "run2").runs) == ["."]
    assert list(LogRoot(path_in(tmp_path / "run2")).runs) == ["."]
    with pytest.raises(FileNotFoundError):
        LogRoot(tmp_path / "none")


def test_runs_that_come_grow_and_go_are_told(tmp_path: Path) -> None:
    write_runs(tmp_path, ["a", "b", "c"])
    root = LogRoot(tmp_path)
    assert root.refresh() == ([], [], [])
    with path_in(tmp_path / "b").open("ab") as file:
        file.write(scalar("a", 0.25, 1))
    write_runs(tmp_path, ["new10", "new9"])
    shutil.rmtree(tmp_path / "c")
    assert root.refresh() == (["new9", "new10"], ["c"], ["b"])
    assert list(root.runs) == ["a", "b", "new9", "new10"]
    assert root.refresh() == ([], [], [])


def test_many_runs_are_read_in_turns_that_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.reading.log_root._AT_ONCE", 2)
    names = [f"run{number}" for number in range(20)]
    write_runs(tmp_path, names)
    root = LogRoot(tmp_path, seconds=0)
    assert list(root.runs) == names[:2] and root.unread == 18
    with path_in(tmp_path / "run1").open("ab") as file:
        file.write(scalar("a", 0.25, 1))
    shutil.rmtree(tmp_path / "run19")
    read = 2
    while root.unread:
        added = root.refresh(0).added
        assert added == names[read : read + len(added)] and len(added) >= min(max(2, read // 4), 19 - read)
        read += len(added)
    assert root.refresh() in (([], [], []), ([], ["run19"], ["run1"]), ([], [], ["run1"]))
    assert list(root.runs) == names[:19] and root.runs["run1"].count("a") == 2
    assert gc.isenabled()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_followed_to_what_is_not_there_already(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "log", tmp_path / "elsewhere"
    write_runs(root, ["run1", "run2"])
    write_runs(elsewhere, ["far"])
    (root / "run1" / "loop").symlink_to(root)
    (root / "latest").symlink_to(root / "run2")
    (root / "other").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(elsewhere)
    (root / "dangling").symlink_to(tmp_path / "nowhere")
    assert list(LogRoot(root).runs) == ["other/far", "run1", "run2"]


@pytest.mark.parametrize(
    "names",
    [
        ["run2", "run10"],
        ["lr1e-5", "lr1e-4", "lr0.0005", "lr0.001", "lr0.01", "lr0.1", "lr1", "lr10"],
        ["bs8_lr1e-3_a", "bs8_lr0.01_a", "bs32_lr1e-3_a"],
        ["v1.9", "v1.10", "v2"],
        ["2024.9.30", "2024.10.1"],
        ["3e5f", "4a", "a", "a1", "a1b", "a2", "ab"],
        ["run", "run/1", "run/2"],
    ],
)
def test_the_numbers_in_names_are_in_order(names: list[str]) -> None:
    assert sorted([*names[2:], *names[:2]], key=natural_key) == names
