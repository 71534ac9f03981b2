"""Bars of importance: data and drawing."""

from __future__ import annotations

from vizkit import Runs
from vizkit.plots._importance import importance_data


def test_importance_tells_what_mattered(nine: Runs) -> None:
    data = importance_data(nine, "eval/acc")
    assert data.names[0] == "optimizer" and data.shares[0] > 0.9 and data.p[0] < 0.05
    assert data.runs == 9 and data.shares[1:].max() < 0.1
