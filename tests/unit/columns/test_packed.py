"""Packed columns hold the numbers that were packed, in fewer bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vizkit.columns.packed import Joined, Packed, block_values, pack, search
from vizkit.metrics.arrays import AnyArray

NOW = 1_767_225_600_000
COLUMNS = {
    "none": np.empty(0, np.int64),
    "one": np.array([7]),
    "steps": np.arange(500),
    "strides": np.arange(500) * 50 - 3000,
    "down": -3 * np.arange(500),
    "equal": np.full(500, NOW),
    "times": NOW + np.cumsum(np.arange(500) % 7),
    "far": np.array([-(2**63), 0, 2**63 - 1]),
    "wide": np.array([0, 2**40, 5]),
    "early": np.array([5, 3, 2**31]),
    "singles": np.array([0.5, np.nan, np.inf, -np.inf, -0.0, 2.0**-149]),
    "doubles": np.array([0.1, np.nan, 1e300]),
    "fractions": np.sort(np.random.default_rng(0).random(500)),
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=list(COLUMNS))
def test_every_number_comes_back(column: AnyArray) -> None:
    packed = pack(column)
    assert len(packed) == len(column)
    for where in (slice(None), slice(1, 3), slice(2, 2), np.arange(len(column))[::-1]):
        got = packed[where]
        assert got.dtype == column.dtype
        np.testing.assert_array_equal(got, column[where])
        assert (np.signbit(got) == np.signbit(column[where])).all()


@pytest.mark.parametrize(
    ("name", "bytes_each"),
    [("steps", 0), ("strides", 0), ("equal", 0), ("times", 4), ("singles", 4), ("doubles", 8)],
)
def test_the_bytes_are_few(name: str, bytes_each: int) -> None:
    assert pack(COLUMNS[name]).nbytes == bytes_each * len(COLUMNS[name])


@pytest.mark.parametrize("name", ["one", "steps", "strides", "equal", "times", "far", "fractions", "none"])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_search_finds_what_numpy_finds(name: str, data: st.DataObject) -> None:
    column = COLUMNS[name]
    near = [
        float(number) + by for number in column[:: max(len(column) // 8, 1)].tolist() for by in (-0.5, 0, 0.5)
    ]
    some = st.one_of(st.sampled_from([*near, 0.0]), st.floats(allow_nan=False, allow_infinity=False))
    edges = np.array(data.draw(st.lists(some, min_size=1, max_size=6)))
    cut = data.draw(st.integers(0, len(column)))
    for side in ("left", "right"):
        expected = [
            sum(number < edge if side == "left" else number <= edge for number in column.tolist())
            for edge in edges.tolist()
        ]
        for one in (column, pack(column), Joined(pack(column[:cut]), column[cut:])):
            assert search(one, edges, side).tolist() == expected


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["steps", "times", "doubles"]), st.data())
def test_a_column_goes_on_behind_what_is_packed(name: str, data: st.DataObject) -> None:
    column = COLUMNS[name]
    joined = Joined(pack(column[: len(column) // 2]), column[len(column) // 2 :])
    start, end = sorted(data.draw(st.tuples(*2 * [st.integers(0, len(column))])))
    np.testing.assert_array_equal(joined[start:end], column[start:end])
    places = np.array(data.draw(st.lists(st.integers(0, len(column) - 1), max_size=9)), np.int64)
    np.testing.assert_array_equal(joined[places], column[places])


@pytest.mark.parametrize("name", ["steps", "times", "doubles", "singles"])
def test_blocks_are_rows_of_values(name: str) -> None:
    column = COLUMNS[name]
    joined = Joined(pack(column[: len(column) // 2]), column[len(column) // 2 :])
    last = (len(column) - 1) // 4
    for blocks in (np.array([0]), np.array([0, last]), np.arange(last + 1), np.empty(0, np.int64)):
        expected = column[np.minimum(blocks[:, None] * 4 + np.arange(4), len(column) - 1)]
        for one in (column, pack(column), joined):
            np.testing.assert_array_equal(block_values(one, 4, blocks), expected)


@pytest.mark.parametrize(
    ("numbers", "ascends"), [([1, 1, 2], True), ([1, 3, 2], False), ([2, 1], False), ([1], True)]
)
def test_it_is_known_if_they_ascend(numbers: list[int], ascends: bool) -> None:
    packed: Packed = pack(np.array(numbers))
    assert packed.ascends is ascends
