"""Charts as SVG: spikes, gaps, axes, ticks."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import vizkit
from vizkit.curves.curves import Curve, CurvesData, curves_data
from vizkit.server.workspace.svg_chart import Axis, draw_chart

from .site import Document, Element, places


def draw(log: Path, tag: str, log_y: bool = False) -> Element:
    data = curves_data(vizkit.load(log), tag, log_y=log_y)
    return Document(draw_chart(data, log_y=log_y, label="l", x_label="Step").svg).root.one("svg")


def test_a_spike_of_one_point_in_many_is_drawn(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in range(20_000):
            writer.add_scalar("loss", 100.0 if step == 7_777 else float(np.sin(step / 500)), step)
    svg = draw(tmp_path, "loss")
    points = places(svg.one("path", class_="line"))
    assert len(points) < 4_000
    top = points[points[:, 1].argmin()]
    assert points[:, 1].min() < points[:, 1].max() - 200
    assert top[0] == pytest.approx(70 + 7_777 / 19_999 * (860 - 84), abs=1.5)
    probes = svg.all("rect", class_="probe")
    assert 30 < len(probes) <= 60 and probes[0].one("title").text == "Step 0 run: 0"


def test_nan_is_a_gap_with_a_mark_and_a_point_alone_is_seen(tmp_path: Path) -> None:
    values = [1.0, math.nan, 3.0, math.nan, 2.0, 2.5]
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step, value in enumerate(values):
            writer.add_scalar("loss", value, step)
    svg = draw(tmp_path, "loss")
    line = svg.one("path", class_="line").attributes["d"]
    assert line.count("M") == 3 and "h0" in line
    assert svg.one("path", class_="nan").attributes["d"].count("M") == 2


def test_infinities_lie_on_the_rim_and_constants_in_the_middle(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step, value in enumerate([1.0, math.inf, 2.0, -math.inf]):
            writer.add_scalar("wild", value, step)
            writer.add_scalar("flat", 5.0, step)
            writer.add_scalar("none", math.nan, step)
    heights = places(draw(tmp_path, "wild").one("path", class_="line"))[:, 1]
    assert heights.argmin() == 1 and heights.argmax() == 3 and np.isfinite(heights).all()
    assert len(set(places(draw(tmp_path, "flat").one("path", class_="line"))[:, 1])) == 1
    assert draw(tmp_path, "none").one("path", class_="line").attributes["d"] == ""


def test_a_logarithmic_axis_counts_what_it_cannot_show(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step, value in enumerate([1.0, 0.1, 0.0, 0.01]):
            writer.add_scalar("loss", value, step)
    heights = places(draw(tmp_path, "loss", log_y=True).one("path", class_="line"))[:, 1]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.3)
    data = curves_data(vizkit.load(tmp_path), "loss", log_y=True)
    assert draw_chart(data, log_y=True, label="l", x_label="Step").hidden == 1


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)
@example(a=0.0, b=5e-324, log=False)
@example(a=-1.7e308, b=1.7e308, log=False)
def test_ticks_lie_on_their_axis(a: float, b: float, log: bool) -> None:
    low, high = sorted((abs(a), abs(b)) if log else (a, b))
    if low == high or (log and low < 1e-300) or not high - low > abs(high) * 1e-12:
        return
    axis = Axis(low, high, log)
    ticks = axis.ticks(6)
    assert len(ticks) <= 20
    room = (high - low) * 1e-6
    assert all(low - room <= tick <= high + room for tick in ticks)
    shares = axis.shares(np.array([low, high]))
    assert shares == pytest.approx([0, 1])


def test_labels_of_ticks_are_short_and_differ(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in (0, 3_000):
            writer.add_scalar("loss", step * 1e-3, step)
        for step in (0, 2_000_000):
            writer.add_scalar("far", 1e-6 * step + 12_345, step)
    shown = [text.text for text in draw(tmp_path, "loss").all("text")]
    assert {"500", "1000", "3000"} <= set(shown) and not [text for text in shown if "e+" in text]
    shown = [text.text for text in draw(tmp_path, "far").all("text")]
    assert {"0", "1M", "2M"} <= set(shown) and len(set(shown)) == len(shown)


def curve(y: list[float], low: list[float] | None = None, high: list[float] | None = None) -> Curve:
    x, values = np.arange(len(y), dtype=np.float64), np.array(y)
    below, above = (None if end is None else np.array(end) for end in (low, high))
    return Curve("group", 0, x, values, values, below, above)


def drawn(*curves: Curve, log_y: bool = False) -> Element:
    chart = draw_chart(CurvesData("loss", "step", "", curves), log_y=log_y, label="l", x_label="Step")
    return Document(chart.svg).root.one("svg")


def test_a_band_has_a_piece_for_each_part_between_gaps(tmp_path: Path) -> None:
    svg = drawn(curve([1, 2, math.nan, 4], [0, 1, math.nan, 3], [2, 3, math.nan, 5]))
    assert svg.one("path", class_="band").attributes["d"].count("M") == 2


def test_a_band_of_many_points_keeps_its_extremes(tmp_path: Path) -> None:
    high = [2.0] * 5_000
    high[1_234] = 50.0
    svg = drawn(curve([1.0] * 5_000, [0.0] * 5_000, high))
    path = svg.one("path", class_="band").attributes["d"]
    heights = [float(point.split()[1]) for point in path.strip("MZ").split("L")]
    assert len(heights) <= 2 * 700 and max(heights) - min(heights) > 200


def test_a_band_below_0_goes_down_to_the_rim_of_a_logarithmic_axis() -> None:
    svg = drawn(curve([1, 1, 1], [-1, 0.5, -1], [10, 10, 10]), log_y=True)
    path = svg.one("path", class_="band").attributes["d"]
    back = [float(point.split()[1]) for point in path.strip("MZ").split("L")][3:]
    assert back[0] == back[2] > back[1]


def test_logarithmic_axes_of_one_value_or_of_tiny_ones_have_room() -> None:
    heights = places(drawn(curve([5, 5]), log_y=True).one("path", class_="line"))[:, 1]
    assert len(set(heights)) == 1 and 100 < heights[0] < 250
    heights = places(drawn(curve([5e-324, 1.0]), log_y=True).one("path", class_="line"))[:, 1]
    assert heights[0] > heights[1] + 200


def test_a_curve_without_points_is_an_empty_line() -> None:
    svg = drawn(curve([]), curve([1.0, 2.0]))
    assert [path.attributes["d"] != "" for path in svg.all("path", class_="line")] == [False, True]
    assert not drawn(curve([])).all("rect", class_="probe")
