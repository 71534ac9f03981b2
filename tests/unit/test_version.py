"""The version, of the distribution or of a tree that was not installed."""

from __future__ import annotations

import importlib
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import vizkit
from vizkit import _version


def test_the_version_is_that_of_the_installed_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", {"paddle-vizkit": "1.2.3"}.__getitem__)
    try:
        assert importlib.reload(_version).__version__ == "1.2.3"
    finally:
        monkeypatch.undo()
        importlib.reload(_version)


def test_a_tree_that_was_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    try:
        assert importlib.reload(_version).__version__ == "0+unknown"
    finally:
        monkeypatch.undo()
        importlib.reload(_version)


def test_the_version_is_looked_up_when_it_is_asked_for() -> None:
    assert "__version__" in dir(vizkit)
    assert "__version__" not in vars(vizkit)["__all__"]
    code = "import sys, vizkit; assert 'importlib.metadata' not in sys.modules; print(vizkit.__version__)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
