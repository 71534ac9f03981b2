"""Expressions over the rows of a table: what they select is what the same expression selects row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vizkit import QueryError, UnknownNameError
from vizkit.format.tables import References, TableColumns, Texts
from vizkit.runs.query import MISSING, Query
from vizkit.runs.table_query import rows_where

NUMBERS, TEXTS, BOOLS = ["n", "f", "`odd name`"], ["t", "c", "`b.t`"], ["yes"]

numbers = st.one_of(st.sampled_from(NUMBERS), st.integers(-3, 3).map(str), st.sampled_from(["0.5", "-1.5"]))
terms = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "**"]), inner)
        .map(" ".join)
        .map("({})".format),
        inner.map("(-{})".format),
    ),
    max_leaves=4,
)
texts = st.one_of(st.sampled_from(TEXTS), st.sampled_from(["'a'", "'ab'", "'`'", "'zz'"]))
ORDERS = ["==", "!=", "<", "<=", ">", ">="]
simple = st.one_of(
    st.tuples(terms, st.sampled_from(ORDERS), terms).map(" ".join),
    st.tuples(terms, st.sampled_from(ORDERS), terms, st.sampled_from(ORDERS), terms).map(" ".join),
    st.tuples(texts, st.sampled_from([*ORDERS, "in", "not in"]), texts).map(" ".join),
    st.tuples(st.sampled_from(TEXTS), st.sampled_from(["in", "not in"])).map(
        lambda pair: " ".join(pair) + " ['a', 'zz']"
    ),
    st.tuples(st.sampled_from(NUMBERS), st.sampled_from(["in", "not in"])).map(
        lambda pair: " ".join(pair) + " [1, 2.5, -1]"
    ),
    st.tuples(st.sampled_from(NUMBERS + TEXTS), st.sampled_from(["is None", "is not None"])).map(" ".join),
    st.sampled_from([*BOOLS, "yes == True", "n", "t"]),
)
expressions = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join).map("({})".format),
        inner.map("not ({})".format),
    ),
    max_leaves=5,
)
rows = st.lists(
    st.tuples(
        st.integers(-3, 3),
        st.one_of(st.sampled_from([0.5, -1.5, 2.5]), st.just(np.nan)),
        st.integers(0, 3),
        st.sampled_from(["a", "ab", "`", None]),
        st.sampled_from(["a", "b", None]),
        st.sampled_from(["ab", "a", None]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


def table_of(given_rows: list[tuple[Any, ...]]) -> TableColumns:
    n, f, odd, t, c, b, yes = zip(*given_rows, strict=True)
    category = Texts.of(c)
    return TableColumns(
        {
            "n": np.array(n, np.int8),
            "f": np.array(f, np.float32),
            "odd name": np.array(odd, np.uint8),
            "t": Texts.of(t),
            "c": Texts(category.codes, category.values, category=True),
            "b.t": Texts.of(b),
            "yes": np.array(yes),
        }
    )


@settings(max_examples=300)
@given(expressions, rows)
def test_rows_are_selected_as_one_by_one(text: str, given_rows: list[tuple[Any, ...]]) -> None:
    table = table_of(given_rows)
    expected = []
    for row in given_rows:
        values = dict(zip(table, row, strict=True))

        def look_up(parts: tuple[str, ...], values: dict[str, Any] = values) -> object:
            value = values[".".join(parts)]
            return MISSING if value is None or value != value else value

        found = Query(text).value(look_up)
        expected.append(found is not MISSING and bool(found))
    np.testing.assert_array_equal(rows_where(table, text), expected)


def test_what_is_divided_by_zero_is_no_number_and_not_missing() -> None:
    table = TableColumns({"n": np.array([0, 1]), "f": np.array([np.nan, 1.0])})
    assert rows_where(table, "1 / n != 1").tolist() == [True, False]
    assert rows_where(table, "1 / n > 0").tolist() == [False, True]
    assert rows_where(table, "f + 1 != 5").tolist() == [False, True]


def test_large_whole_numbers_keep_their_digits() -> None:
    table = TableColumns({"id": np.array([2**53, 2**53 + 1])})
    assert rows_where(table, f"id == {2**53 + 1}").tolist() == [False, True]


def test_an_input_is_there_or_not() -> None:
    table = TableColumns({"input": References(np.array([0, 7], np.uint64))})
    assert rows_where(table, "input").tolist() == [False, True]


@pytest.mark.parametrize(
    "text", ["t > 1", "n + t > 1", "n < 'a'", "1 in n", "n ==", "__import__('os')", "t.upper() == 'A'", "-t"]
)
def test_what_is_no_comparison_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        rows_where(table_of([(1, 0.5, 1, "a", "a", "a", True)]), text)


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(UnknownNameError, match="'labl'; closest: 'label'"):
        rows_where(TableColumns({"label": np.arange(2)}), "labl == 1")
