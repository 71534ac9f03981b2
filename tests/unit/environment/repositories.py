"""Git repositories for tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


def git(directory: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=directory, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init")
    (root / "train.py").write_text("rate = 0.1\n", "utf-8")
    git(root, "add", ".")
    git(root, "commit", "-m", "first")
    return root
