"""Hooks without Paddle name the line that installs it."""

from __future__ import annotations

import runpy
import sys

import pytest

from vizkit import MissingDependencyError


def test_the_line_that_installs_paddle_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paddle", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'paddle-vizkit\[paddle\]'"):
        runpy.run_module("vizkit.hooks._paddle")
