"""Rows of tables in order and in groups, and the samples of two runs beside each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vizkit.format.tables import References, TableColumns, Texts
from vizkit.runs.sample_pairs import pair_rows
from vizkit.runs.table_rows import beside, grouped_rows, number_mean, ordered_rows

columns = st.one_of(
    st.lists(st.one_of(st.floats(-5, 5, width=32), st.just(float("nan"))), min_size=1, max_size=20).map(
        lambda values: np.array(values, np.float32)
    ),
    st.lists(st.integers(0, 4), min_size=1, max_size=20).map(lambda values: np.array(values, np.uint8)),
    st.lists(st.sampled_from(["b", "a", "c", None]), min_size=1, max_size=20).map(Texts.of),
)


def values_of(column: Any) -> list[Any]:
    values = column.to_array().tolist() if isinstance(column, Texts) else column.tolist()
    return [None if value is None or value != value else value for value in values]


@given(columns, st.booleans(), st.integers(0, 3))
def test_rows_are_sorted_stably_and_those_without_a_value_come_last(
    column: Any, descending: bool, start: int
) -> None:
    rows = np.arange(start, len(column))
    values = values_of(column)
    there = [row for row in rows.tolist() if values[row] is not None]
    ranks = sorted({values[row] for row in there}, reverse=descending)
    expected = sorted(there, key=lambda row: ranks.index(values[row]))
    expected += [row for row in rows.tolist() if values[row] is None]
    assert ordered_rows(column, rows, descending=descending).tolist() == expected


def test_categories_keep_their_own_order() -> None:
    column = Texts(np.array([0, 1, 2, -1]), ["small", "medium", "large"], category=True)
    assert ordered_rows(column, np.arange(4), descending=True).tolist() == [2, 1, 0, 3]
    assert [group.values for group in grouped_rows([column], np.arange(4))[0]] == [
        ("small",), ("medium",), ("large",), (None,),
    ]  # fmt: skip


@given(columns, columns)
def test_groups_hold_each_row_once_by_its_values(one: Any, other: Any) -> None:
    n = min(len(one), len(other))
    rows = np.arange(n)
    groups, count = grouped_rows([one[:n], other[:n]], rows)
    pairs = list(zip(values_of(one[:n]), values_of(other[:n]), strict=True))
    assert sorted(row for group in groups for row in group.rows.tolist()) == rows.tolist()
    assert len(groups) == count == len(set(pairs))
    few, still = grouped_rows([one[:n], other[:n]], rows, 2)
    assert ([group.values for group in few], still) == ([group.values for group in groups[:2]], count)
    for group in groups:
        assert {pairs[row] for row in group.rows.tolist()} == {group.values}


def test_many_numbers_are_in_bins_of_equal_size() -> None:
    values = np.random.default_rng(0).permutation(1000).astype(np.float32)
    groups, _ = grouped_rows([values], np.arange(1000))
    assert [len(group.rows) for group in groups] == [99, *[100] * 8, 101]
    for group in groups:
        bounds: Any = group.values[0]
        least, end = bounds
        inside = values[group.rows]
        assert inside.min() == least and (end is None or inside.max() < end)
    assert number_mean(values, groups[0].rows) == values[groups[0].rows].mean()
    assert number_mean(np.array([np.nan]), np.array([0])) is None


def table(ids: list[int], label: list[str], prediction: list[str], **more: Any) -> TableColumns:
    right = np.array(label) == np.array(prediction)
    found = {
        "id": np.array(ids),
        "label": Texts.of(label),
        "prediction": Texts.of(prediction),
        "correct": right,
    }
    return TableColumns({**found, **more})


def test_two_runs_stand_beside_each_other_by_id() -> None:
    inputs = References(np.array([7, 8, 9], np.uint64))
    a = table([1, 2, 3], ["x", "y", "x"], ["x", "x", "y"], input=inputs)
    b = table([3, 1, 2, 4], ["x", "x", "y", "y"], ["y", "y", "y", "y"])
    found = beside(a, b, pair_rows(a["id"], b["id"]))
    assert list(found) == [
        "change", "id", "label", "prediction", "correct", "input", "b.prediction", "b.correct",
    ]  # fmt: skip
    assert values_of(found["change"]) == ["broken", "mended", "both wrong"]
    assert values_of(found["b.prediction"]) == ["y", "y", "y"]
    gain = beside(a, b, pair_rows(a["id"], b["id"]), np.array([0.5, 0, -1]))["change"]
    assert values_of(gain) == [0.5, 0, -1]
