"""Runs found by name."""

from __future__ import annotations

import pytest

from vizkit import Runs, UnknownNameError


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
