"""Rows of a table in order, in groups, and beside those of another run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vizkit._language import mark
from vizkit.format.tables import References, TableColumn, TableColumns, Texts
from vizkit.metrics.arrays import AnyArray, Ints
from vizkit.runs.sample_pairs import Pairs

__all__ = [
    "CHANGE",
    "CHANGES",
    "RowGroup",
    "beside",
    "grouped_rows",
    "number_mean",
    "ordered_rows",
    "value_codes",
]

CHANGE = "change"
"""The column of `beside` that tells how the second run differs from the first."""

CHANGES = (mark("mended"), mark("broken"), mark("both wrong"), mark("both right"))
"""The values of that column."""

_MOST_VALUES = 200  # of a column of numbers that are groups by themselves
_BINS = 10  # groups of a column of more
_OTHER = "b."  # begins the names of the second run's columns


def ordered_rows(column: TableColumn, rows: Ints, *, descending: bool = False) -> Ints:
    """Sort rows by a column; equal ones stay in order, and those without a value come last.

    Args:
        column: the column of the whole table.
        rows: (n,) the places of some rows.
        descending: the greatest first.
    """
    keys, missing = _keys(column)
    keys, missing = keys[rows], missing[rows]
    there = rows[~missing]
    keys = keys[~missing]
    order = np.argsort(-keys if descending else keys, kind="stable")
    return np.concatenate([there[order], rows[missing]])


def _keys(column: TableColumn) -> tuple[AnyArray, AnyArray]:
    """Numbers in the order of a column's values, and where there are none."""
    if isinstance(column, Texts):
        if column.category:
            return column.codes.astype(np.int64), column.codes < 0
        ranks = np.empty(len(column.values) + 1, np.int64)
        ranks[sorted(range(len(column.values)), key=column.values.__getitem__)] = np.arange(
            len(column.values)
        )
        return ranks[column.codes], column.codes < 0
    if isinstance(column, References):
        return column.digests.astype(np.float64), column.digests == 0
    if column.dtype.kind == "f":
        return column, np.isnan(column)
    keys = column.astype(np.float64 if column.dtype == np.uint64 else np.int64)
    return keys, np.zeros(len(column), bool)


class RowGroup(NamedTuple):
    """Rows with equal values.

    Attributes:
        values: of the columns they are grouped by; None where rows have none. Numbers that are in bins have
            a pair: the least of the bin, and the least of the next one (None in the last).
        rows: their places.
    """

    values: tuple[object, ...]
    rows: Ints


def grouped_rows(
    columns: Sequence[TableColumn], rows: Ints, most: int | None = None
) -> tuple[list[RowGroup], int]:
    """Group rows by the values of columns; numbers of more than 200 values are in ten bins of equal size.

    Args:
        columns: one or more columns of the whole table.
        rows: (n,) the places of some rows.
        most: how many of the first groups to return.

    Returns:
        The groups in the order of their values, and how many there are in all.
    """
    parts = [value_codes(column, rows) for column in columns]
    code = np.zeros(len(rows), np.int64)
    for codes, values in parts:
        code = code * len(values) + codes
    order = np.argsort(code, kind="stable")
    sorted_codes = code[order]
    starts = np.flatnonzero(np.diff(sorted_codes, prepend=-1))
    found = []
    ends = np.append(starts[1:], len(order))
    for start, end in zip(starts[:most].tolist(), ends[:most].tolist(), strict=True):
        left, named = int(sorted_codes[start]), []
        for _, values in reversed(parts):
            left, place = divmod(left, len(values))
            named.append(values[place])
        found.append(RowGroup(tuple(reversed(named)), rows[order[start:end]]))
    return found, len(starts)


def value_codes(column: TableColumn, rows: Ints) -> tuple[Ints, list[object]]:
    """The values of some rows of a column in order, None last, and the place of each row's among them.

    Numbers of more than 200 values are in bins, as of `grouped_rows`.
    """
    if isinstance(column, Texts):
        keys, missing = _keys(column)
        names: list[object] = [*(column.values if column.category else sorted(column.values))]
        return np.where(missing[rows], len(names), keys[rows]), [*names, None]
    if isinstance(column, References):
        return (column.digests[rows] == 0).astype(np.int64), [True, False]
    values = column[rows]
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
    there = values[~missing]
    distinct = np.unique(there)
    codes = np.full(len(values), -1, np.int64)
    if len(distinct) <= _MOST_VALUES:
        codes[~missing] = np.searchsorted(distinct, there)
        found: list[object] = distinct.tolist()
    else:
        edges = np.unique(np.quantile(there, np.arange(_BINS) / _BINS, method="inverted_cdf"))
        codes[~missing] = np.searchsorted(edges, there, side="right") - 1
        found = list(zip(edges.tolist(), [*edges[1:].tolist(), None], strict=True))
    codes[missing] = len(found)
    return codes, [*found, None]


def number_mean(column: TableColumn | None, rows: Ints) -> float | None:
    """The mean of a column of numbers or bools without NaN; None if it is none, or has no values."""
    if column is None or isinstance(column, (Texts, References)):
        return None
    values = column[rows]
    values = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    return float(values.mean(dtype=np.float64)) if len(values) else None


def beside(a: TableColumns, b: TableColumns, pairs: Pairs, gain: AnyArray | None = None) -> TableColumns:
    """The samples of two runs, row beside row.

    Args:
        a, b: the tables.
        pairs: the rows of the same samples.
        gain: (n,) how much better each is in B, where samples are not right or wrong.

    Returns:
        The columns of A; those of B that differ from A's, as ``b.prediction``; and first the column `CHANGE`:
        the gain, or one of `CHANGES` if both tables tell which rows are correct.
    """
    first, second = a.take(pairs.a), b.take(pairs.b)
    found: dict[str, TableColumn] = dict(first.columns)
    for name, column in second.items():
        if name not in first or not _same(first[name], column):
            found[_OTHER + name] = column
    right = [table.get("correct") for table in (first, second)]
    if gain is not None:
        found = {CHANGE: gain, **found}
    elif isinstance(right[0], np.ndarray) and isinstance(right[1], np.ndarray):
        one, other = (np.asarray(each, bool) for each in right)
        codes = np.select([other & ~one, one & ~other, ~one], [0, 1, 2], 3).astype(np.int8)
        found = {CHANGE: Texts(codes, list(CHANGES), category=True), **found}
    return TableColumns(found, first.about)


def _same(one: TableColumn, other: TableColumn) -> bool:
    if isinstance(one, Texts) and isinstance(other, Texts):
        if list(one.values) != list(other.values):
            return bool((one.to_array() == other.to_array()).all())
        return bool(np.array_equal(one.codes, other.codes))
    if isinstance(one, References) and isinstance(other, References):
        layers = [np.zeros(len(each)) if each.layers is None else each.layers for each in (one, other)]
        return np.array_equal(one.digests, other.digests) and np.array_equal(layers[0], layers[1])
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        is_real = one.dtype.kind == "f" and other.dtype.kind == "f"
        return bool(np.array_equal(one, other, equal_nan=is_real))
    return False
