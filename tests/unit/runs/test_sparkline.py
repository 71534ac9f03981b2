"""Sparklines as SVG and in block characters."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vizkit.runs.sparkline import blocks, extremes, svg, svg_path

NAN, INF = float("nan"), float("inf")


def test_blocks() -> None:
    assert blocks([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert blocks([]) == "" and blocks([3.0]) == blocks([3.0, 3.0])[:1] == "▅"
    assert blocks([0, NAN, 1]) == "▁x█" and blocks([NAN]) == "x"
    assert blocks([0, INF, 1, -INF]) == "▁██▁"


def test_a_spike_of_one_point_is_seen() -> None:
    values = np.zeros(100_000)
    values[54_321] = 1
    assert blocks(values).count("█") == 1 and svg_path(values)[0].count("V0") == 1
    assert blocks(-values).count("▁") == 1 and blocks(1 - values, 8).count("▁") == 1


def test_nan_is_a_gap_and_a_mark() -> None:
    line, marks = svg_path([0, 1, NAN, 1, NAN, NAN, 0], 7)
    assert line == "M0 40L1 0M3 0h0M6 40h0" and marks.count("M") == 3
    assert svg([NAN], label="<&>").count("<path") == 2 and "&lt;&amp;&gt;" in svg([NAN], label="<&>")
    values = np.ones(10_000)
    values[5000] = NAN  # one among many: no gap that is seen, but a mark
    assert svg_path(values)[0].count("M") == 1 and svg_path(values)[1].count("M") == 1


def test_points_lie_where_their_steps_are() -> None:
    parts = extremes([1, 2, 3], 10, x=[0, 1, 100])
    assert parts.column.tolist() == [0, 9] and parts.high.tolist() == [2, 3]
    assert extremes([1, 2, 3], 3, x=[5, 1, 0]).column.tolist() == [0, 1, 2]  # steps that go back
    assert extremes([1, 2], 2, x=[7, 7]).column.tolist() == [0, 1]


@given(arrays(np.float64, st.integers(1, 60)), st.integers(1, 40))
def test_any_series_is_drawn(values: np.ndarray, width: int) -> None:
    with np.errstate(all="raise"):
        text = blocks(values, width)
        line, _ = svg_path(values, width)
    assert len(text) == len(extremes(values, min(width, len(values))).column) and set(text) <= set(
        "▁▂▃▄▅▆▇█x"
    )
    assert all(0 <= int(y) <= 40 for y in re.findall(r"[ V](\d+)", line))
    assert not re.search(r"[^MLVh\d ]", line)
    parts = extremes(values, width)
    seen = values[~np.isnan(values)]
    if len(seen):
        assert np.nanmin(parts.low) == seen.min() and np.nanmax(parts.high) == seen.max()
