"""Pyramids give the extremes and counts of any range, however they were built."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vizkit.columns.pyramid import FACTOR, Pyramid
from vizkit.metrics.arrays import Floats, Ints

ODD = st.sampled_from([np.nan, np.inf, -np.inf, 1e300, -1e300, 0.0, -0.0])


@st.composite
def curves(draw: st.DrawFn) -> Floats:
    n = draw(st.one_of(st.integers(0, 70), st.integers(200, 9000)))
    values = np.random.default_rng(draw(st.integers(0, 99))).standard_normal(n)
    for place, value in draw(st.lists(st.tuples(st.integers(0, 8999), ODD), max_size=6)):
        values[place % max(n, 1) : place % max(n, 1) + draw(st.sampled_from([1, 1, 40, 600]))] = value
    return values


def ranges(values: Floats, random: int) -> tuple[Ints, Ints]:
    places = np.random.default_rng(random).integers(0, len(values) + 1, (60, 2))
    places.sort(axis=1)
    places = places[places[:, 0] < places[:, 1]]
    return places[:, 0], places[:, 1]


def check(pyramid: Pyramid, values: Floats, low: Ints, high: Ints) -> None:
    least, greatest = pyramid.extremes(values, low, high)
    nan, above, below = pyramid.counts(values, low, high)
    for index, (start, end) in enumerate(zip(low, high, strict=True)):
        part = values[start:end]
        finite = part[np.isfinite(part)]
        assert least[index] == finite.min(initial=np.inf)
        assert greatest[index] == finite.max(initial=-np.inf)
        assert nan[index] == np.isnan(part).sum()
        assert above[index] == np.isposinf(part).sum()
        assert below[index] == np.isneginf(part).sum()


@settings(max_examples=60, deadline=None)
@given(curves(), st.integers(0, 99), st.lists(st.integers(0, 9000), max_size=5))
def test_ranges_are_those_of_all_values(values: Floats, random: int, cuts: list[int]) -> None:
    pyramid = Pyramid()
    for cut in [*sorted(min(cut, len(values)) for cut in cuts), len(values)]:
        pyramid.extend(values[:cut])
        check(pyramid, values[:cut], *ranges(values[:cut], random))
    assert pyramid.count == len(values)


@pytest.mark.parametrize("n", [FACTOR - 1, FACTOR, FACTOR**2, FACTOR**3 + 1])
def test_every_range_that_ends_at_a_block(n: int) -> None:
    values = np.random.default_rng(n).standard_normal(n)
    places = [place for edge in range(0, n + 1, max(FACTOR, n // 20)) for place in (edge - 1, edge, edge + 1)]
    places = [place for place in places if 0 <= place <= n]
    pairs = [(low, high) for low in places for high in places if low < high]
    low, high = np.array(pairs).T
    check(Pyramid(values), values, low, high)


class _Counted:
    """A column that counts the values that are read."""

    def __init__(self, values: Floats) -> None:
        self._values, self.read = values, 0

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, where: slice | Ints) -> Floats:
        part = self._values[where]
        self.read += part.size
        return part


def test_a_window_reads_no_more_of_a_longer_curve() -> None:
    read = []
    for n in (1 << 14, 1 << 20):
        column = _Counted(np.random.default_rng(0).standard_normal(n))
        pyramid = Pyramid(column)
        column.read = 0
        edges = np.linspace(0, n, 101).astype(np.int64)
        pyramid.extremes(column, edges[:-1], edges[1:])
        read.append(column.read)
    assert read[1] < 2 * read[0] and read[1] < 100 * 2 * 2 * FACTOR


def test_appending_reads_what_is_new() -> None:
    column = _Counted(np.zeros(100_000))
    pyramid = Pyramid(column)
    column._values = np.zeros(100_100)
    column.read = 0
    pyramid.extend(column)
    assert 100 <= column.read < 100 + FACTOR


def test_memory_is_an_eighth_of_the_values() -> None:
    values = np.random.default_rng(0).standard_normal(1 << 18)
    assert Pyramid(values).nbytes < values.nbytes / 6
    values[::7] = np.nan
    assert Pyramid(values).nbytes < values.nbytes / 4
