"""Fixtures of the tests of `vizkit.tracking`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vizkit import Tracker


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[Tracker]:
    """A tracker of the run ``tmp_path / "run"``, closed after the test."""
    with Tracker(tmp_path / "run") as tracker:
        yield tracker
