"""Windows hold every extreme of each of their pixel columns."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.columns.test_pyramid import curves
from vizkit.curves.smoothing import smoothed, smoothing
from vizkit.curves.windows import Columns, Points, Trace, columns_of, pixel_places
from vizkit.metrics.arrays import AnyArray, Floats


@st.composite
def axes(draw: st.DrawFn, n: int) -> AnyArray:
    random = np.random.default_rng(draw(st.integers(0, 99)))
    kind = draw(
        st.sampled_from(["steps", "strides", "repeated", "fractions", "far", "restarts", "backwards"])
    )
    if kind == "steps":
        return np.arange(n)
    if kind == "strides":
        return np.arange(n) * 50 - 1000
    if kind == "repeated":
        return np.sort(random.integers(0, n // 3 + 1, n))
    if kind == "fractions":
        return np.cumsum(random.random(n))
    if kind == "far":
        return 1_767_225_600_000 + np.cumsum(random.integers(0, 30_000, n))
    if kind == "restarts":
        return np.concatenate([np.arange(n // 2), np.arange(n - n // 2)])
    return np.flip(np.arange(n)).astype(np.float64)


def brute(x: AnyArray, start: float, end: float, width: int, log: bool) -> dict[int, list[int]]:
    """The places of the points of each pixel column, by x and then as recorded."""
    edges = np.geomspace(start, end, width + 1) if log else np.linspace(start, end, width + 1)
    found: dict[int, list[int]] = {}
    for place in np.argsort(x, kind="stable").tolist():
        if start <= x[place] <= end:
            column = min(int(np.searchsorted(edges, x[place], side="right")) - 1, width - 1)
            found.setdefault(column, []).append(place)
    return found


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


@settings(max_examples=80, deadline=None)
@given(
    st.data(),
    curves(),
    st.integers(1, 300),
    st.tuples(st.floats(-0.2, 1.2), st.floats(-0.2, 1.2)),
    st.booleans(),
)
def test_columns_are_those_of_all_points(
    data: st.DataObject, y: Floats, width: int, shares: tuple[float, float], log: bool
) -> None:
    y = y[:3000]
    x = data.draw(axes(len(y)))
    line = Trace(x, y)
    least, greatest = line.range or (0.0, 1.0)
    start, end = sorted(least + share * (greatest - least) for share in shares)
    if log and start <= 0 and (line.first_positive or end) < end:
        start = line.first_positive or start
    log = log and 0 < start < end
    window = line.window(start, end, width, log=log)
    expected = brute(x, start, end, width, log)
    places = [place for some in expected.values() for place in some]
    assert window.count == len(places)
    if isinstance(window.drawn, Points):
        some = np.sort(places).astype(np.int64)
        np.testing.assert_array_equal(window.drawn.x, x[some])
        np.testing.assert_array_equal(window.drawn.y, y[some])
        return
    check_columns(window.drawn, x, y, list(expected.values()))
    if line.order is None:
        check_columns(
            columns_of(np.asarray(x, dtype=float), y, pixel_places(x, start, end, width, log=log)),
            x,
            y,
            list(expected.values()),
        )


def check_columns(drawn: Columns, x: AnyArray, y: Floats, expected: list[list[int]]) -> None:
    assert len(drawn.x) == len(expected)
    for index, some in enumerate(expected):
        values = y[some]
        finite = values[np.isfinite(values)]
        assert (drawn.x[index], drawn.x_last[index]) == (x[some[0]], x[some[-1]])
        assert drawn.n[index] == len(some)
        assert same(drawn.first[index], values[0]) and same(drawn.last[index], values[-1])
        assert same(drawn.least[index], finite.min() if len(finite) else math.nan)
        assert same(drawn.greatest[index], finite.max() if len(finite) else math.nan)
        counts = np.isnan(values).sum(), (values == np.inf).sum(), (values == -np.inf).sum()
        assert (drawn.nan[index], drawn.above[index], drawn.below[index]) == counts


def test_the_neighbours_of_a_window_are_known() -> None:
    line = Trace(np.arange(10), np.arange(10) ** 2.0)
    window = line.window(3.5, 6.5, 100)
    assert isinstance(window.drawn, Points)
    assert window.drawn.y.tolist() == [16, 25, 36]
    assert (window.before, window.after) == ((3, 9), (7, 49))
    assert line.window(-5, 100, 100).before is None
    gap = line.window(4.1, 4.9, 100)
    assert (gap.count, gap.before, gap.after) == (0, (4, 16), (5, 25))


def test_points_of_an_axis_that_goes_back_stay_in_their_order() -> None:
    x = np.array([0.0, 2.0, 1.0, 3.0, 0.5])
    window = Trace(x, np.arange(5.0)).window(0.4, 2.5, 10)
    assert isinstance(window.drawn, Points)
    assert window.drawn.x.tolist() == [2.0, 1.0, 0.5]
    assert window.drawn.y.tolist() == [1, 2, 4]
    assert window.before is window.after is None


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.float64, np.float32])
@pytest.mark.parametrize(
    ("start", "end", "places"),
    [(-1e300, 1e300, (0, 200)), (9.5, 12.5, (10, 13)), (10, 12, (10, 13)), (2e19, 3e19, (200, 200))],
)
def test_edges_beyond_the_type_of_x(dtype: type, start: float, end: float, places: tuple[int, int]) -> None:
    found = pixel_places(np.arange(200).astype(dtype), start, end, 1)
    assert tuple(found) == places


def test_a_window_of_one_x_holds_all_its_points() -> None:
    window = Trace(np.full(1000, 7), np.arange(1000.0)).window(7, 7, 10)
    assert isinstance(window.drawn, Columns)
    assert window.drawn.n.tolist() == [1000]
    assert (window.drawn.least[0], window.drawn.greatest[0]) == (0, 999)


@settings(max_examples=60, deadline=None)
@given(
    st.data(),
    curves(),
    st.sampled_from(["0.6", "0.97", "time:0.9", "gaussian:3", "gaussian:40", "mean:21"]),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_smoothed_window_is_a_stretch_of_the_smoothed_curve(
    data: st.DataObject, y: Floats, how: str, shares: tuple[float, float]
) -> None:
    y = np.where(np.abs(y) > 1e9, 0.5, y)  # beside such values nothing else counts
    x = data.draw(axes(len(y)))
    line = Trace(x, y)
    least, greatest = line.range or (0.0, 1.0)
    start, end = sorted(least + share * (greatest - least) for share in shares)
    every = smoothed(y, smoothing(how), x)
    inside = (x >= start) & (x <= end)
    window = line.smoothed(start, end, 2000, smoothing(how))
    assert isinstance(window.drawn, Points) or window.count > 8000
    if isinstance(window.drawn, Points):
        np.testing.assert_allclose(window.drawn.y, every[inside], rtol=1e-6, atol=1e-9)
        np.testing.assert_array_equal(window.drawn.x, x[inside])
    columns = line.smoothed(start, end, 5, smoothing(how)).drawn
    if isinstance(columns, Columns):
        finite = every[inside][np.isfinite(every[inside])]
        assert np.nanmax(columns.greatest, initial=-np.inf) == pytest.approx(
            finite.max(initial=-np.inf), rel=1e-6, abs=1e-9
        )
        assert columns.n.sum() == inside.sum()


@pytest.mark.parametrize("first", [1_767_225_600_123_456_789, 2**62 + 9, -(2**62) - 9])
@pytest.mark.parametrize("backwards", [False, True])
def test_steps_beyond_what_floats_tell_apart_are_in_the_window_of_all(first: int, backwards: bool) -> None:
    steps = first + np.arange(0, 900, 90)
    trace = Trace(np.flip(steps) if backwards else steps, np.arange(10.0))
    ends = trace.range
    assert ends is not None
    drawn = trace.window(*ends, 100).drawn
    assert isinstance(drawn, Points) and sorted(drawn.y) == list(range(10))
    assert trace.window(*ends, 1).count == 10
    last = trace.nearest(ends[1])
    assert last is not None and float(trace.recorded[0][last : last + 1][0]) == ends[1]
