"""Tests of the environment record all of it."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_slow_snapshot() -> None:
    """Here it is looked at."""
