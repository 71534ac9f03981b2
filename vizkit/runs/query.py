"""The query language of `Runs.filter`: comparisons, arithmetic, ``and``, ``or``, ``not``, ``in``.

The syntax is Python's; names with spaces or slashes stand in backquotes. Expressions are parsed against an
allow list and never executed as Python. As in SQL, a missing value is neither true nor false, and a run
is chosen only if the expression is true.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import reprlib
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from vizkit._language import mark, tr
from vizkit.errors import QueryError

__all__ = ["COMPARISONS", "MISSING", "QUOTED", "Query"]

_LONGEST = 4_000  # characters
_DEEPEST = 100  # levels
_PLACE = "ˉquoted{}ˉ"  # a valid name of Python that nobody writes

COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], object]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, some: operator.contains(some, item),
    ast.NotIn: lambda item, some: not operator.contains(some, item),
}
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: math.pow,
}
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_LookUp = Callable[[tuple[str, ...]], object]

_CONSTANTS = (bool, int, float, str, type(None))
QUOTED: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`((?:[^`]|``)*)`""", re.DOTALL)


class _Missing:
    """The type of `MISSING`."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""The value of a name in a run that lacks it."""


class Query:
    """A parsed and checked expression.

    Args:
        text: such as ``"`batch size` == 64 and `eval/acc`.max > 0.9"``.

    Attributes:
        text: the expression as given.
        names: the names in it, each as the parts between its dots.
        mismatches: the number of comparisons of unlike types that `value` came upon.
        mismatch: a message about the first of them.

    Raises:
        QueryError: not an expression, or one with something that is not allowed.
    """

    def __init__(self, text: str) -> None:
        if not isinstance(text, str) or len(text) > _LONGEST:
            raise QueryError(
                "an expression is a text of up to {longest} characters, got {start!r}",
                longest=_LONGEST,
                start=str(text)[:40],
            )
        self.text = text
        self.names: list[tuple[str, ...]] = []
        self.mismatches = 0
        self.mismatch = ""
        self._quoted: dict[str, str] = {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Python, about doubtful literals
                tree = ast.parse(QUOTED.sub(self._set_aside, text).strip(), mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            reason = getattr(error, "msg", None) or str(error) or "too deeply nested"
            raise QueryError(
                "{text!r} is no expression ({reason}); names with spaces or slashes, and Python's "
                "own words, stand in backquotes: `batch size` == 64",
                text=text,
                reason=reason,
            ) from None
        self._tree = tree
        self._check(tree, 0)

    def _set_aside(self, match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        place = _PLACE.format(len(self._quoted))
        self._quoted[place] = match[1].replace("``", "`")
        return place

    def _parts(self, node: ast.expr) -> tuple[str, ...]:
        """``a.b.c`` as ``("a", "b", "c")``; empty for anything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(self._quoted.get(node.attr, node.attr))
            node = node.value
        if not isinstance(node, ast.Name):
            return ()
        return (self._quoted.get(node.id, node.id), *reversed(parts))

    def _check(self, node: ast.expr, depth: int) -> None:
        if depth > _DEEPEST:
            raise QueryError(
                "{start!r} ... is nested more than {deepest} deep", start=self.text[:80], deepest=_DEEPEST
            )
        children: list[ast.expr] = []
        if isinstance(node, (ast.Name, ast.Attribute)) and (parts := self._parts(node)):
            if parts not in self.names:
                self.names.append(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, _CONSTANTS):
            pass
        elif isinstance(node, ast.BoolOp):
            children = node.values
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub, ast.UAdd)):
            children = [node.operand]
        elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            children = [node.left, node.right]
        elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            children = node.elts
        elif isinstance(node, ast.Compare):
            children = [node.left, *node.comparators]
            for op, right in zip(node.ops, node.comparators, strict=True):
                nothing = isinstance(right, ast.Constant) and right.value is None
                if type(op) not in COMPARISONS and not (isinstance(op, (ast.Is, ast.IsNot)) and nothing):
                    raise QueryError("in {text!r}, 'is' goes with None only; compare with ==", text=self.text)
        else:
            raise QueryError(
                "{shown!r} in {text!r} is not allowed: an expression is made of names, numbers, "
                "texts, comparisons, arithmetic, and, or, not, in",
                shown=self._shown(node),
                text=self.text,
            )
        for child in children:
            self._check(child, depth + 1)

    def _shown(self, node: ast.expr) -> str:
        """The text of a part of the expression."""
        try:
            text = ast.unparse(node)
        except RecursionError:
            return self.text[:80]
        for place, name in self._quoted.items():
            text = text.replace(place, f"`{name}`")
        return text

    def value(self, look_up: _LookUp) -> object:
        """Evaluate the expression.

        Args:
            look_up: function of a name (its parts) that returns its value or `MISSING`.
        """
        return self._value(self._tree, look_up)

    def _value(self, node: ast.expr, look_up: _LookUp) -> Any:  # noqa: ANN401  (numbers, texts and arrays alike)
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, (ast.Name, ast.Attribute)):
            return look_up(self._parts(node))
        if isinstance(node, ast.BoolOp):
            return self._joined(node, look_up)
        if isinstance(node, ast.UnaryOp):
            operand = self._value(node.operand, look_up)
            if operand is MISSING:
                return MISSING
            if isinstance(node.op, ast.Not):
                return not operand
            return self._computed(operator.neg if isinstance(node.op, ast.USub) else operator.pos, operand)
        if isinstance(node, ast.BinOp):
            left, right = (self._value(side, look_up) for side in (node.left, node.right))
            return self._computed(_ARITHMETIC[type(node.op)], left, right)
        if isinstance(node, ast.Compare):
            return self._compared(node, look_up)
        several = cast("ast.List | ast.Tuple | ast.Set", node)  # `_check` allows nothing else
        return [self._value(part, look_up) for part in several.elts]

    def _joined(self, node: ast.BoolOp, look_up: _LookUp) -> object:
        """Evaluate ``and``, ``or``: the part that decides, as in Python; MISSING is the third truth value."""
        decisive = isinstance(node.op, ast.Or)
        value: object = None
        missing = False
        for part in node.values:
            value = self._value(part, look_up)
            if value is MISSING:
                missing = True
            elif bool(value) is decisive:
                return value
        return MISSING if missing else value

    def _computed(self, function: Callable[..., float], *operands: object) -> object:
        if any(operand is MISSING or operand is None for operand in operands):
            return MISSING
        numbers = [operand for operand in operands if isinstance(operand, (int, float))]
        if len(numbers) < len(operands):
            self._note(mark("{values} are not all numbers"), operands)
            return MISSING
        try:
            return function(*map(float, numbers))
        except OverflowError:
            return math.inf
        except (ValueError, ZeroDivisionError):  # not a number
            return math.nan

    def _compared(self, node: ast.Compare, look_up: _LookUp) -> object:
        result: object = True
        left = self._value(node.left, look_up)
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self._value(comparator, look_up)
            link = self._linked(op, left, right)
            if link is not MISSING and not link:
                return False
            result = MISSING if link is MISSING else result
            left = right
        return result

    def _linked(self, op: ast.cmpop, left: object, right: object) -> object:
        if isinstance(op, (ast.Is, ast.IsNot)):
            return (left is MISSING or left is None) is isinstance(op, ast.Is)
        if left is MISSING or right is MISSING:
            return MISSING
        try:
            return bool(COMPARISONS[type(op)](left, right))
        except TypeError:
            self._note(mark("{values} cannot be compared so"), (left, right))
            return MISSING

    def _note(self, message: str, values: Sequence[object]) -> None:
        self.mismatches += 1
        if not self.mismatch:
            self.mismatch = tr(message, values=tr(" and ").join(map(_SHORT.repr, values)))
