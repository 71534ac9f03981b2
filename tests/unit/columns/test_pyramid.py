"""Pyramids give the extremes and counts of any range, however they were built."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vizkit.columns.column_extremes import ColumnEdges, column_extremes
from vizkit.columns.pyramid import BLOCK, FACTOR, Pyramid
from vizkit.metrics.arrays import Floats, Ints

ODD = st.sampled_from([np.nan, np.inf, -np.inf, 1e300, -1e300, 0.0, -0.0])


@st.composite
def curves(draw: st.DrawFn) -> Floats:
    n = draw(st.one_of(st.integers(0, 70), st.integers(200, 9000)))
    values = np.random.default_rng(draw(st.integers(0, 99))).standard_normal(n)
    for place, value in draw(st.lists(st.tuples(st.integers(0, 8999), ODD), max_size=6)):
        values[place % max(n, 1) : place % max(n, 1) + draw(st.sampled_from([1, 1, 40, 600]))] = value
    return values


def places_in(values: Floats, random: int) -> Ints:
    """Edges of some columns, a few of them narrow."""
    rng = np.random.default_rng(random)
    places = rng.integers(0, len(values) + 1, rng.integers(2, 60))
    near = places[:3] + rng.integers(-20, 20, 3)[: len(places)]
    return np.unique(np.clip(np.append(places, near), 0, len(values)))


def check(pyramid: Pyramid, values: Floats, edges: Ints) -> None:
    ((least, greatest),) = column_extremes([(pyramid, values)], [ColumnEdges(edges)])
    check_columns(least, greatest, values, edges)
    nan, above, below = pyramid.counts(values, edges)
    for index, (start, end) in enumerate(pairwise(edges)):
        part = values[start:end]
        assert nan[index] == np.isnan(part).sum()
        assert above[index] == np.isposinf(part).sum()
        assert below[index] == np.isneginf(part).sum()


def check_columns(least: Floats, greatest: Floats, values: Floats, edges: Ints) -> None:
    assert len(least) == len(greatest) == len(edges) - 1
    for index, (start, end) in enumerate(pairwise(edges)):
        part = values[start:end]
        finite = part[np.isfinite(part)]
        assert least[index] == finite.min(initial=np.inf)
        assert greatest[index] == finite.max(initial=-np.inf)


@settings(max_examples=60, deadline=None)
@given(curves(), st.integers(0, 99), st.lists(st.integers(0, 9000), max_size=5))
def test_ranges_are_those_of_all_values(values: Floats, random: int, cuts: list[int]) -> None:
    pyramid = Pyramid()
    for cut in [*sorted(min(cut, len(values)) for cut in cuts), len(values)]:
        pyramid.extend(values[:cut])
        if cut:
            check(pyramid, values[:cut], np.array([0, cut]))
            if len(edges := places_in(values[:cut], random)) > 1:
                check(pyramid, values[:cut], edges)
    assert pyramid.count == len(values)


@pytest.mark.parametrize("n", [BLOCK - 1, BLOCK, BLOCK * FACTOR, BLOCK * FACTOR**2, BLOCK * FACTOR**4 + 1])
def test_every_range_that_ends_at_a_block(n: int) -> None:
    values = np.random.default_rng(n).standard_normal(n)
    places = [place for edge in range(0, n + 1, max(BLOCK, n // 20)) for place in (edge - 1, edge, edge + 1)]
    places = [place for place in places if 0 <= place <= n]
    for low, high in combinations(places, 2):
        check(Pyramid(values), values, np.array([low, high]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(curves(), st.integers(0, 99)), max_size=5), st.integers(1, 40))
def test_columns_of_many_curves_are_those_of_each(some: list[tuple[Floats, int]], width: int) -> None:
    every = [(values, places_in(values, random)) for values, random in some]
    for values, _ in some[:2]:
        for n in (width, max(width // 7, 1)):  # of equal width, as windows are, and shared by curves
            edges = np.unique(np.linspace(len(values) // 7, len(values), n + 1).astype(np.int64))
            every += [(values, edges), (np.flip(values), edges)]
    every = [(values, edges) for values, edges in every if len(edges) > 1]
    shared = {id(edges): ColumnEdges(edges) for _, edges in every}
    found = column_extremes(
        [(Pyramid(values), values) for values, _ in every], [shared[id(edges)] for _, edges in every]
    )
    for (least, greatest), (values, edges) in zip(found, every, strict=True):
        check_columns(least, greatest, values, edges)


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


def test_a_window_reads_few_values_of_a_long_curve() -> None:
    for n in (1 << 14, 1 << 18, 1 << 20):
        column = _Counted(np.random.default_rng(0).standard_normal(n))
        pyramid = Pyramid(column)
        column.read = 0
        edges = np.linspace(0, n, 101).astype(np.int64)
        column_extremes([(pyramid, column)], [ColumnEdges(edges)])
        assert column.read < len(edges) * BLOCK * FACTOR**2 / 2


def test_appending_reads_what_is_new() -> None:
    column = _Counted(np.zeros(100_000))
    pyramid = Pyramid(column)
    column._values = np.zeros(100_100)
    column.read = 0
    pyramid.extend(column)
    assert 100 <= column.read < 100 + BLOCK


def test_memory_is_a_sixth_of_the_values() -> None:
    values = np.random.default_rng(0).standard_normal(1 << 18)
    assert Pyramid(values).nbytes < values.nbytes / 5.9
    values[::7] = np.nan
    assert Pyramid(values).nbytes < values.nbytes / 3.8
