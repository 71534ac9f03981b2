"""Lines of runs over every axis, beside their columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vizkit
from tests.unit.conftest import START
from vizkit.columns.packed import pack
from vizkit.curves.traces import TraceStore, _Seconds, trace_of
from vizkit.curves.windows import Points
from vizkit.curves.x_axis import X, x_and_values
from vizkit.errors import DataError, UnknownNameError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        for step in range(40):
            time = START + 1000 * step + step % 3
            writer.add_scalar("train/loss", 1 / (step + 1), step, time)
            writer.add_scalar("train/epoch", step // 10, step, time)
            if step % 4 == 0:
                writer.add_scalar("train/acc", (step * 7) % 40 / 40, step, time)
        writer.add_scalar("train/loss", float("nan"), 40, 5)  # no time of our days
    return tmp_path


@pytest.mark.parametrize("x", ["step", "time", "relative", "walltime", "epoch", "train/acc"])
def test_every_axis_has_the_points_of_the_columns(root: Path, x: X) -> None:
    (run,) = vizkit.load(root)
    for tag in ("train/loss", "train/epoch"):
        line = trace_of(run, tag, x)
        assert line.range is not None
        drawn = line.window(*line.range, 100).drawn
        assert isinstance(drawn, Points)
        places, values = x_and_values(run, tag, x)
        np.testing.assert_array_equal(drawn.x, places)
        np.testing.assert_array_equal(drawn.y, values)
        assert len(places) == (10 if x == "train/acc" else 41 - (tag != "train/loss"))


def test_another_tag_is_met_at_the_same_steps(root: Path) -> None:
    (run,) = vizkit.load(root)
    places, values = x_and_values(run, "train/loss", "train/acc")
    assert places.tolist() == [(step * 7) % 40 / 40 for step in range(0, 40, 4)]
    assert values.tolist() == [1 / (step + 1) for step in range(0, 40, 4)]
    assert x_and_values(run, "train/acc", "train/loss")[0].tolist() == values.tolist()


def test_lines_are_kept_until_the_run_changes(root: Path) -> None:
    (run,) = vizkit.load(root)
    store = TraceStore()
    assert store.trace(run, "train/loss", "epoch") is store.trace(run, "train/loss", "epoch")
    assert store.trace(vizkit.load(root)[0], "train/loss", "epoch") is not store.trace(
        run, "train/loss", "epoch"
    )
    with pytest.raises(UnknownNameError, match="train/los"):
        store.trace(run, "train/los")
    with pytest.raises(UnknownNameError, match="train/acx"):
        store.trace(run, "train/loss", "train/acx")


def test_without_epochs_there_is_no_line_over_them(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("x", 1.0, 0)
    with pytest.raises(DataError, match="epochs"):
        trace_of(vizkit.load(tmp_path)[0], "x", "epoch")


@settings(max_examples=50, deadline=None)
@given(st.data(), st.sampled_from([0, START, START + 1]), st.booleans())
def test_seconds_are_searched_as_the_numbers_that_they_are(
    data: st.DataObject, zero: int, packed: bool
) -> None:
    walltimes = START + np.cumsum(np.random.default_rng(data.draw(st.integers(0, 9))).integers(0, 5, 60))
    seconds = (walltimes - zero) / 1000
    near = [
        float(value) for one in seconds[::7] for value in (one, np.nextafter(one, 0), np.nextafter(one, 1e99))
    ]
    edges = np.array(
        data.draw(st.lists(st.sampled_from([*near, -1e300, 1e300, 0.0]), min_size=1, max_size=8))
    )
    column = _Seconds(pack(walltimes) if packed else walltimes, zero)
    for side in ("left", "right"):
        assert column.search(edges, side).tolist() == np.searchsorted(seconds, edges, side=side).tolist()
