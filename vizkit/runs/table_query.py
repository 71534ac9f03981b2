"""The query language of `Runs.filter` over the rows of a table, all rows at once.

A name is a column, its dots among it. None and NaN are missing: neither true nor false, as in
`vizkit.runs.query`.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vizkit._language import tr
from vizkit.errors import QueryError
from vizkit.format.tables import References, TableColumn, TableColumns, Texts
from vizkit.metrics.arrays import AnyArray, Bools
from vizkit.runs.lookup import unknown
from vizkit.runs.query import COMPARISONS, Query

__all__ = ["rows_where"]

_LARGEST_LIST = 10_000  # values on the right of `in`

_ARITHMETIC: dict[Callable[..., Any], Callable[..., AnyArray]] = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.truediv: np.true_divide,
    operator.floordiv: np.floor_divide,
    operator.mod: np.mod,
    math.pow: np.power,
    operator.neg: np.negative,
    operator.pos: np.positive,
}
_DIVISIONS = (operator.truediv, operator.floordiv, operator.mod)


@dataclass(frozen=True, eq=False)
class _Rows:
    """A value of each row.

    Attributes:
        values: numbers or bools (n,), or texts.
        missing: where there is none.
    """

    values: AnyArray | Texts
    missing: Bools


def rows_where(table: TableColumns, text: str) -> Bools:
    """The rows of a table for which an expression is true, bools of shape (n,).

    Args:
        table: the table.
        text: such as ``"label == 'cat' and score > 0.9 and not correct"``.

    Raises:
        QueryError: not an expression, or of values that cannot be compared so.
        UnknownNameError: there is no such column.
    """
    query = _TableQuery(text, table.rows)
    found = query.value(lambda parts: _column(table, ".".join(parts)))
    true, missing = query.truth(found)
    if query.mismatches:
        raise QueryError("in {text!r}: {reason}", text=text, reason=query.mismatch)
    return np.asarray(true & ~missing)


def _column(table: TableColumns, name: str) -> _Rows:
    if name not in table:
        raise unknown(tr("column"), name, table)
    column: TableColumn = table[name]
    if isinstance(column, Texts):
        return _Rows(column, column.codes < 0)
    if isinstance(column, References):
        return _Rows(column.digests != 0, np.zeros(table.rows, bool))
    missing = np.isnan(column) if column.dtype.kind == "f" else np.zeros(table.rows, bool)
    return _Rows(column, missing)


class _TableQuery(Query):
    """An expression that is evaluated for all rows at once."""

    def __init__(self, text: str, rows: int) -> None:
        super().__init__(text)
        self._rows = rows

    def truth(self, value: object) -> tuple[Bools, Bools]:
        """The rows in which a value is true, and those in which it is missing."""
        if isinstance(value, _Rows):
            true = value.values
            if isinstance(true, Texts):
                return _of_each(true, bool), value.missing
            return np.asarray(true != 0), value.missing
        return np.full(self._rows, bool(value)), np.zeros(self._rows, bool)

    def _value(self, node: ast.expr, look_up: Any) -> Any:  # noqa: ANN401 as there
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            true, missing = self.truth(self._value(node.operand, look_up))
            return _Rows(~true, missing)
        return super()._value(node, look_up)

    def _joined(self, node: ast.BoolOp, look_up: Any) -> object:  # noqa: ANN401
        decisive = isinstance(node.op, ast.Or)
        decided, missing = np.zeros(self._rows, bool), np.zeros(self._rows, bool)
        for part in node.values:
            true, lacks = self.truth(self._value(part, look_up))
            decided |= (true == decisive) & ~lacks
            missing |= lacks
        return _Rows(decided if decisive else ~decided, missing & ~decided)

    def _computed(self, function: Callable[..., float], *operands: object) -> object:
        if not any(isinstance(operand, _Rows) for operand in operands):
            return super()._computed(function, *operands)
        numbers, missing = [], np.zeros(self._rows, bool)
        for operand in operands:
            if isinstance(operand, _Rows):
                missing |= operand.missing
                operand = operand.values
            if not isinstance(operand, (int, float, np.ndarray)):
                self._note(tr("{values} are not all numbers"), [_shown(each) for each in operands])
                return _Rows(np.zeros(self._rows, bool), np.ones(self._rows, bool))
            numbers.append(np.asarray(operand, np.float64))
        with np.errstate(all="ignore"):
            found = _ARITHMETIC[function](*numbers)
        if function in _DIVISIONS:  # by zero, it is no number, as in `Query`
            found = np.where(numbers[1] == 0, np.nan, found)
        elif function is math.pow:
            found = np.where((numbers[0] == 0) & (numbers[1] < 0), np.nan, found)
        return _Rows(found, missing)

    def _linked(self, op: ast.cmpop, left: object, right: object) -> object:
        if isinstance(right, list):
            return self._in(op, left, right)
        rows = [side for side in (left, right) if isinstance(side, _Rows)]
        if not rows:
            return super()._linked(op, left, right)
        if isinstance(op, (ast.Is, ast.IsNot)):
            missing = rows[0].missing
            return _Rows(missing if isinstance(op, ast.Is) else ~missing, np.zeros(self._rows, bool))
        missing = rows[0].missing | rows[-1].missing
        sides: list[Any] = [side.values if isinstance(side, _Rows) else side for side in (left, right)]
        texts = [isinstance(side, (Texts, str)) for side in sides]
        if not all(texts) and (
            any(texts) or isinstance(op, (ast.In, ast.NotIn)) or any(side is None for side in sides)
        ):
            if isinstance(op, (ast.Eq, ast.NotEq)):  # a number is no text
                return _Rows(np.full(self._rows, isinstance(op, ast.NotEq)), missing)
            self._note(tr("{values} cannot be compared so"), [_shown(left), _shown(right)])
            return _Rows(np.zeros(self._rows, bool), np.ones(self._rows, bool))
        compare: Any = COMPARISONS[type(op)]
        if all(texts):
            return _Rows(_compared_texts(compare, op, *sides), missing)
        return _Rows(np.asarray(compare(*sides)), missing)

    def _in(self, op: ast.cmpop, left: object, some: list[object]) -> object:
        if (
            not isinstance(left, _Rows)
            or not isinstance(op, (ast.In, ast.NotIn))
            or len(some) > _LARGEST_LIST
        ):
            return super()._linked(op, left, some)
        if isinstance(left.values, Texts):
            texts = {each for each in some if isinstance(each, str)}
            found = _of_each(left.values, lambda text: text in texts)
        else:
            numbers = [each for each in some if isinstance(each, (int, float))]
            found = np.isin(left.values, numbers)
        return _Rows(found if isinstance(op, ast.In) else ~found, left.missing)

    def _compared(self, node: ast.Compare, look_up: Any) -> object:  # noqa: ANN401
        sides = [self._value(side, look_up) for side in (node.left, *node.comparators)]
        links = [self.truth(self._linked(op, sides[at], sides[at + 1])) for at, op in enumerate(node.ops)]
        false = np.zeros(self._rows, bool)
        missing = false.copy()
        for true, lacks in links:
            false |= ~true & ~lacks
            missing |= lacks
        return _Rows(~false, missing & ~false)


def _shown(value: object) -> object:
    if not isinstance(value, _Rows):
        return value
    return tr("texts") if isinstance(value.values, Texts) else tr("numbers")


def _of_each(texts: Texts, function: Callable[[str], object]) -> Bools:
    """The truth of each text, looked at once."""
    return np.array([*(bool(function(text)) for text in texts.values), False])[texts.codes]


def _compared_texts(compare: Any, op: ast.cmpop, left: Texts | str, right: Texts | str) -> Bools:  # noqa: ANN401
    if isinstance(right, str) and isinstance(left, Texts):
        return _of_each(left, lambda text: compare(text, right))
    if isinstance(left, str) and isinstance(right, Texts):
        return _of_each(right, lambda text: compare(left, text))
    assert isinstance(left, Texts)
    assert isinstance(right, Texts)
    if isinstance(op, (ast.In, ast.NotIn)):
        pairs = zip(left.to_array().tolist(), right.to_array().tolist(), strict=True)
        return np.array([None not in pair and compare(*pair) for pair in pairs], bool)
    every = sorted({*left.values, *right.values})
    rank = {text: place for place, text in enumerate(every)}
    sides = [np.array([*(rank[text] for text in side.values), -1])[side.codes] for side in (left, right)]
    return np.asarray(compare(*sides))
