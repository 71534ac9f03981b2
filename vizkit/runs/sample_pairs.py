"""The samples that two tables share, row beside row, and columns compared."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vizkit.format.tables import References, TableColumn, Texts
from vizkit.metrics.arrays import AnyArray, Bools, Indices
from vizkit.runs.formatting import value_texts

__all__ = ["Pairs", "equal_rows", "groups_of", "pair_rows", "row_values"]

_MOST_NUMBERS = 12  # different numbers of a column up to which each is a group; of more, quarters are


class Pairs(NamedTuple):
    """The rows of the same samples in two tables.

    Attributes:
        a, b: (n,) places in the two, in the order of A.
        only_a, only_b: rows whose sample the other table lacks.
        repeated: rows of both tables that are left out because their id occurs twice in one of them.
        unnamed: rows of both tables without an id.
    """

    a: Indices
    b: Indices
    only_a: int
    only_b: int
    repeated: int
    unnamed: int = 0


def pair_rows(a: TableColumn, b: TableColumn) -> Pairs:
    """Join two tables by their samples' ids, numbers or texts, in any order.

    Args:
        a: (n,) ids of one table.
        b: (m,) ids of the other.
    """
    first, second = _comparable(a, b)
    if len(first) == len(second) and np.array_equal(first, second) and _ascending(first):
        every = np.arange(len(first))
        return Pairs(every, every, 0, 0, 0)
    import pandas as pd

    once, repeated = (
        [np.flatnonzero(~_missing(side, column)) for side, column in ((first, a), (second, b))],
        0,
    )
    unnamed = len(first) + len(second) - sum(map(len, once))
    ids = [pd.Index(side[rows]) for side, rows in zip((first, second), once, strict=True)]
    if not all(side.is_unique for side in ids):
        twice = ids[0][ids[0].duplicated()].append(ids[1][ids[1].duplicated()])
        left_out = [side.isin(twice) for side in ids]
        repeated = int(sum(rows.sum() for rows in left_out))
        once = [rows[~out] for rows, out in zip(once, left_out, strict=True)]
        ids = [side[~out] for side, out in zip(ids, left_out, strict=True)]
    place = ids[1].get_indexer(ids[0])
    there = place >= 0
    n = int(there.sum())
    return Pairs(once[0][there], once[1][place[there]], len(ids[0]) - n, len(ids[1]) - n, repeated, unnamed)


def _missing(values: AnyArray, column: TableColumn) -> Bools:
    """True for the rows of a column without a value."""
    if isinstance(column, Texts):
        return column.codes < 0
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), np.bool_)


def equal_rows(a: TableColumn, b: TableColumn) -> Bools:
    """Rows of a column that equal those of another, as bools (n,). NaN and None equal nothing.

    Fractions of two precisions are compared in the lower one.
    """
    first, second = _comparable(a, b)
    if first.dtype.kind == second.dtype.kind == "f":
        narrow = min(first.dtype, second.dtype, key=lambda one: one.itemsize)
        first, second = first.astype(narrow, copy=False), second.astype(narrow, copy=False)
    equal = np.asarray(first == second)
    if equal.shape != first.shape:  # numbers and texts
        return np.zeros(len(first), np.bool_)
    if isinstance(a, Texts):
        equal &= a.codes >= 0
    return equal


def _comparable(a: TableColumn, b: TableColumn) -> tuple[AnyArray, AnyArray]:
    """Two columns as arrays that are equal where their values are."""
    if isinstance(a, Texts) and isinstance(b, Texts):
        if a.values == b.values:
            return a.codes, b.codes
        places = {text: place for place, text in enumerate(a.values)}
        moved = [places.setdefault(text, len(places)) for text in b.values]
        return a.codes, np.array([*moved, -1])[b.codes]
    return _plain(a), _plain(b)


def row_values(column: TableColumn) -> list[Any]:
    """The values of a column: numbers, texts or None."""
    found: list[Any] = _plain(column).tolist()
    return found


def _plain(column: TableColumn) -> AnyArray:
    if isinstance(column, Texts):
        return column.to_array()
    return column.digests if isinstance(column, References) else column


def _ascending(ids: AnyArray) -> bool:
    """True of numbers that grow from row to row, as those of a data set that was read in order do."""
    return ids.dtype.kind in "iu" and bool((ids[1:] > ids[:-1]).all())


def groups_of(column: TableColumn, *, quarters: bool = True) -> tuple[list[object], Indices]:
    """The groups of a column: its values.

    Args:
        column: (n,) numbers or texts; None and NaN belong to no group.
        quarters: of more than twelve different numbers, a group is a quarter of the samples.

    Returns:
        The groups in order, as values or as intervals such as ``[0.2, 0.5)``, and the place of each row's
        group, -1 where it has none.
    """
    import pandas as pd

    values = column.codes if isinstance(column, Texts) else _plain(column)
    codes, found = pd.factorize(values, sort=True)
    if isinstance(column, Texts):
        texts = [column.values[code] for code in found if code >= 0]
        codes = codes - (found[:1] == -1).sum()  # no text sorts first
        order = range(len(texts)) if column.category else np.argsort(np.array(texts, object), kind="stable")
        rank = np.empty(len(texts) + 1, np.intp)
        rank[[*order, -1]] = [*range(len(texts)), -1]
        return [texts[place] for place in order], rank[codes]
    if quarters and values.dtype.kind in "iuf" and len(found) > _MOST_NUMBERS:
        return _quarters(values)
    return found.tolist(), codes


def _quarters(values: AnyArray) -> tuple[list[object], Indices]:
    known = np.isfinite(values)
    edges = np.unique(np.quantile(values[known], [0, 0.25, 0.5, 0.75, 1]))
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
    ends = [*[")"] * (len(edges) - 2), "]"]
    shown = value_texts(edges.tolist())
    texts: list[object] = [
        f"[{low}, {high}{end}" for low, high, end in zip(shown, shown[1:], ends, strict=False)
    ]
    return texts, np.where(known, place, -1)
