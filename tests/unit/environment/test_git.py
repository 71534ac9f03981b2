"""The state of real repositories."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.helpers import ROOT
from tests.unit.environment.repositories import git
from tests.unit.environment.repositories import repository as repository
from vizkit.environment.git import git_state


def test_a_clean_repository(repository: Path) -> None:
    assert git_state(str(repository), seconds=60) == {
        "root": str(repository),
        "commit": git(repository, "rev-parse", "HEAD"),
        "branch": "main",
        "dirty": False,
        "untracked": [],
    }


def test_a_changed_repository_with_its_diff(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://me:hunter2@example.com/x.git")
    git(repository, "config", "color.ui", "always")
    git(repository, "config", "diff.noprefix", "true")
    (repository / "train.py").write_text("rate = 0.2\n", "utf-8")
    (repository / "数据.py").write_text("new\n", "utf-8")
    (repository / "sub").mkdir()
    (repository / "sub" / "more.py").write_text("new\n", "utf-8")
    found = git_state(str(repository / "sub"), seconds=60)
    assert found["remote"] == "https://***@example.com/x.git"
    assert (found["dirty"], found["diff_truncated"], found["untracked"]) == (True, False, ["sub/", "数据.py"])
    assert "-rate = 0.1\n+rate = 0.2\n" in found["diff"]
    git(repository, "stash")
    subprocess.run(["git", "apply"], cwd=repository, input=found["diff"].encode(), check=True)
    assert (repository / "train.py").read_text("utf-8") == "rate = 0.2\n"


def test_a_large_diff_is_cut_at_a_line(repository: Path) -> None:
    lines = [f"line {number} {'x' * 50}\n" for number in range(100_000)]
    (repository / "train.py").write_text("".join(lines), "utf-8")
    found = git_state(str(repository), seconds=60)
    assert found["diff_truncated"] is True
    assert 199_000 < len(found["diff"]) <= 200_000
    last = found["diff"].splitlines(keepends=True)[-1]
    assert last[0] == "+" and last[1:] in lines


def test_git_runs_nothing_of_the_repository_and_takes_no_lock(repository: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n", "utf-8")
    program.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "diff.mine.textconv"):
        git(repository, "config", key, str(program))
    (repository / ".gitattributes").write_text("*.py diff=mine\n", "utf-8")
    (repository / "train.py").write_text("rate = 0.2\n", "utf-8")
    index = repository / ".git" / "index"
    before = index.stat().st_mtime_ns
    found = git_state(str(repository), seconds=60)
    assert "+rate = 0.2" in found["diff"]
    assert not mark.exists()
    assert index.stat().st_mtime_ns == before
    subprocess.run(["git", "diff"], cwd=repository, check=True, capture_output=True)
    assert mark.exists()  # plain git does


def test_without_repository_or_git_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert git_state(str(tmp_path)) == {}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(str(ROOT)) == {}


def test_a_git_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nsleep 60 & sleep 60\n", "utf-8")  # with a child that keeps the pipe open
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    began = time.monotonic()
    assert git_state(str(tmp_path), seconds=0.2) == {}
    assert time.monotonic() - began < 50


def test_what_git_does_not_answer_in_time_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that knows the root, and fails at all else."""
    part = tmp_path / "git"
    part.write_text('#!/bin/sh\ncase "$*" in *show-toplevel*) echo /root;; *) exit 1;; esac\n', "utf-8")
    part.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert git_state(str(tmp_path), seconds=60) == {"root": "/root"}
    assert git_state(str(tmp_path), seconds=0) == {}


def test_no_diff_is_read_if_none_is_wanted(repository: Path) -> None:
    (repository / "train.py").write_text("rate = 0.2\n", "utf-8")
    found = git_state(str(repository), seconds=60, diff_bytes=0)
    assert found["dirty"] is True
    assert "diff" not in found and "diff_truncated" not in found
