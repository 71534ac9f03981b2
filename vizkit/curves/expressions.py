"""Expressions over scalar tags of one run: ``{eval/loss} - {train/loss}``.

The grammar, from the operators that bind loosest to those that bind most::

    sum     = product (("+" | "-") product)*
    product = sign (("*" | "/") sign)*
    sign    = ("+" | "-") sign | power
    power   = atom ["**" sign]
    atom    = number | "{" tag "}" | function "(" sum ("," sum)* ")" | "(" sum ")"

A ``}`` that belongs to a tag is written twice. An expression becomes a list of operations on a stack: nothing
of it is ever run as code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, NoReturn

import numpy as np

from vizkit._language import tr
from vizkit.columns.packed import Column
from vizkit.columns.pyramid import Pyramid
from vizkit.errors import DataError, UnknownNameError
from vizkit.format.walltime import milliseconds
from vizkit.metrics.arrays import AnyArray, Floats, Indices, Ints
from vizkit.metrics.bounds import metric_bounds
from vizkit.reading import Recorded, Scalars
from vizkit.runs import Run
from vizkit.runs.lookup import unknown
from vizkit.runs.scalar_tags import in_order, with_tag

__all__ = [
    "FUNCTIONS",
    "Computed",
    "Expression",
    "computed",
    "curve_bounds",
    "has",
    "having",
    "is_expression",
    "parsed",
    "runs_with",
]

_LONGEST = 1000  # characters
_DEEPEST = 30  # parentheses, signs and powers within each other

_SPACE = re.compile(r"\s*")
_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z]\w*)"
    r"|\{(?P<tag>(?:[^}]|\}\})+)\}(?!\})|(?P<sign>\*\*|[-+*/(),])"
)

_ONE: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "log": np.log,
    "log10": np.log10,
    "exp": np.exp,
    "sqrt": np.sqrt,
}
_MANY: dict[str, Callable[[Floats, Floats], Floats]] = {"min": np.minimum, "max": np.maximum}
_BINARY: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
}

FUNCTIONS = (*_ONE, *_MANY)
"""The functions of expressions; ``min`` and ``max`` take two values or more."""


class _Step(NamedTuple):
    """One operation: push a number or a tag's values, or replace the last values by a function of them."""

    number: float = 0.0
    tag: int = -1
    one: Callable[[Floats], Floats] | None = None
    two: Callable[[Floats, Floats], Floats] | None = None


@dataclass(frozen=True)
class Expression:
    """An expression that was read.

    Attributes:
        tags: the tags that it names, each once, in their order.
    """

    tags: tuple[str, ...]
    _steps: tuple[_Step, ...]

    def of(self, values: Sequence[AnyArray]) -> Floats:
        """The value at each place, from the values of the tags there.

        It is NaN or infinite where arithmetic says so: a logarithm of a negative number, a division by zero.
        """
        stack: list[Floats] = []
        with np.errstate(all="ignore"):
            for step in self._steps:
                if step.two:
                    right = stack.pop()
                    stack.append(step.two(stack.pop(), right))
                elif step.one:
                    stack.append(step.one(stack.pop()))
                elif step.tag >= 0:
                    stack.append(np.asarray(values[step.tag], dtype=np.float64))
                else:
                    stack.append(np.asarray(step.number))
        (found,) = stack
        return found


def is_expression(text: str) -> bool:
    """Return True if a text that is no tag is an expression: it names a tag in braces."""
    return "{" in text


def parsed(text: str) -> Expression:
    """Read an expression.

    Raises:
        DataError: it is none; the message says where.
    """
    if len(text) > _LONGEST:
        raise DataError("an expression has at most {most} characters", most=_LONGEST)
    return _parsed(text)


@lru_cache(256)
def _parsed(text: str) -> Expression:
    return _Parser(text).expression()


class _Parser:
    """A reader of one expression, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = self._end = 0
        self._depth = 0
        self._tags: dict[str, int] = {}
        self._steps: list[_Step] = []
        self._next()

    def expression(self) -> Expression:
        self._sum()
        if self._token is not None:
            self._refuse()
        if not self._tags:
            raise DataError(
                "{text} names no tag; write tags in braces: {example}", text=self._text, example="{loss}"
            )
        return Expression(tuple(self._tags), tuple(self._steps))

    def _next(self) -> None:
        """Go on to the next token; None at the end."""
        space = _SPACE.match(self._text, self._end)
        self._place = space.end() if space else self._end
        self._token = _TOKEN.match(self._text, self._place)
        if self._token is None and self._place < len(self._text):
            self._refuse()
        self._end = self._token.end() if self._token else self._place

    def _refuse(self) -> NoReturn:
        if self._place >= len(self._text):
            raise DataError("{text} ends too early", text=self._text)
        if self._text[self._place] == "{" and self._token is None:
            raise DataError(
                "{text}: there is no tag in the braces from character {place} on",
                text=self._text,
                place=self._place + 1,
            )
        what = self._token.group() if self._token else self._text[self._place]
        raise DataError(
            "{text}: {what!r} cannot stand at character {place}",
            text=self._text,
            what=what,
            place=self._place + 1,
        )

    def _sign(self) -> str:
        return (self._token and self._token["sign"]) or ""

    def _take(self, sign: str) -> None:
        if self._sign() != sign:
            self._refuse()
        self._next()

    def _left_to_right(self, signs: Sequence[str], operand: Callable[[], None]) -> None:
        operand()
        while (sign := self._sign()) in signs:
            self._next()
            operand()
            self._steps.append(_Step(two=_BINARY[sign]))

    def _sum(self) -> None:
        self._left_to_right(("+", "-"), lambda: self._left_to_right(("*", "/"), self._signed))

    def _signed(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise DataError("an expression has at most {most} parts within each other", most=_DEEPEST)
        sign = self._sign()
        if sign in ("+", "-"):
            self._next()
            self._signed()
            if sign == "-":
                self._steps.append(_Step(one=np.negative))
        else:
            self._atom()
            if self._sign() == "**":
                self._next()
                self._signed()
                self._steps.append(_Step(two=np.power))
        self._depth -= 1

    def _atom(self) -> None:
        token = self._token
        if token is None:
            self._refuse()
        if token["number"]:
            self._next()
            self._steps.append(_Step(number=float(token["number"])))
        elif token["tag"]:
            self._next()
            tag = token["tag"].replace("}}", "}")
            self._steps.append(_Step(tag=self._tags.setdefault(tag, len(self._tags))))
        elif token["name"]:
            self._call(token["name"])
        else:
            self._take("(")
            self._sum()
            self._take(")")

    def _call(self, name: str) -> None:
        if name not in FUNCTIONS:
            raise DataError(
                "{text}: there is no function {name}; there are {names}; tags stand in braces",
                text=self._text,
                name=name,
                names=", ".join(FUNCTIONS),
            )
        self._next()
        self._take("(")
        self._sum()
        if name in _ONE:
            self._steps.append(_Step(one=_ONE[name]))
        else:
            self._take(",")
            self._sum()
            self._steps.append(_Step(two=_MANY[name]))
            while self._sign() == ",":
                self._next()
                self._sum()
                self._steps.append(_Step(two=_MANY[name]))
        self._take(")")


def has(run: Run, tag: str) -> bool:
    """Return True if a run has a scalar tag, or all tags of an expression.

    Raises:
        DataError: an expression that is none.
    """
    if tag in run.scalar_tags:
        return True
    return is_expression(tag) and set(run.scalar_tags).issuperset(parsed(tag).tags)


def having(runs: Sequence[Run], tag: str) -> list[Run]:
    """The runs that have a scalar tag; where none has it, those that have all tags of an expression.

    Raises:
        DataError: an expression that is none.
    """
    named = [run for run in runs if tag in run.scalar_tags]
    return named or [run for run in runs if has(run, tag)]


def runs_with(runs: Iterable[Run], tag: str) -> list[Run]:
    """The runs that have a scalar tag, or all tags of an expression.

    Raises:
        DataError: an expression that is none.
        UnknownNameError: no run has it, or there is no run.
    """
    every = list(runs)
    if found := having(every, tag):
        return found
    if not is_expression(tag):
        return with_tag(every, tag)
    known = in_order(other for run in every for other in run.scalar_tags)
    missing = [other for other in parsed(tag).tags if other not in known]
    if missing:
        raise unknown(tr("scalar tag"), missing[0], known)
    raise UnknownNameError("no run has all tags of {tag}", tag=tag)


def curve_bounds(tag: str, least: float, greatest: float) -> tuple[float, float]:
    """The bounds of a curve of these values, as of `metric_bounds`; an expression has none."""
    return (-np.inf, np.inf) if is_expression(tag) else metric_bounds(tag, least, greatest)


class Computed(NamedTuple):
    """The records of a scalar tag, or the values of an expression.

    Attributes:
        recorded: its columns.
        tag: the tag whose steps and times these are.
    """

    recorded: Recorded
    tag: str

    @property
    def columns(self) -> Scalars:
        """All numbers, as `Run.columns` has them."""
        steps, walltimes, values, *_ = self.recorded
        return Scalars(np.asarray(steps[:]), milliseconds(walltimes[:]), np.asarray(values[:]))


def computed(run: Run, tag: str) -> Computed:
    """The records of a scalar tag, or the values of an expression.

    An expression has a value at each record of the tag with the fewest records (of several, of the first). A
    tag of the very same steps counts there with its record at the same place; any other with its last value
    at this step or before it. Where there is none, there is no point.

    Raises:
        DataError: an expression that is none.
        UnknownNameError: the run has no such tag.
    """
    if tag in run.scalar_tags or not is_expression(tag):
        return Computed(run.recorded(tag), tag)
    expression = parsed(tag)
    every = [run.recorded(one) for one in expression.tags]
    fewest = min(range(len(every)), key=lambda number: len(every[number].steps))
    base = every[fewest]
    steps = np.asarray(base.steps[:])
    places = [None if one is base else _last_places(one, steps) for one in every]
    there = np.ones(len(steps), dtype=bool)
    for place in places:
        if place is not None:
            there &= place >= 0
    if there.all():
        values: Column = _Values(expression, [one.values for one in every], places)
        return Computed(base._replace(values=values, pyramid=Pyramid(values)), expression.tags[fewest])
    kept = np.flatnonzero(there)
    found = expression.of(
        [one.values[kept if place is None else place[kept]] for one, place in zip(every, places, strict=True)]
    )
    recorded = Recorded(steps[kept], base.walltimes[kept], found, Pyramid(found), base.ascends)
    return Computed(recorded, expression.tags[fewest])


def _last_places(recorded: Recorded, steps: AnyArray) -> Indices | None:
    """The place of the last record at each step or before it, -1 without one; None for the same steps."""
    own = np.asarray(recorded.steps[:])
    if np.array_equal(own, steps):
        return None
    if recorded.ascends:
        found: Indices = np.searchsorted(own, steps, side="right") - 1
        return found
    order = np.argsort(own, kind="stable")
    before = np.searchsorted(own[order], steps, side="right") - 1
    return np.where(before >= 0, order[before], -1)


class _Values:
    """The values of an expression as a column, computed where they are asked for."""

    def __init__(
        self, expression: Expression, columns: Sequence[Column], places: Sequence[Indices | None]
    ) -> None:
        self._expression, self._columns, self._places = expression, columns, places
        self._count = min(map(len, columns))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, where: slice | Ints) -> Floats:
        return self._expression.of(
            [
                column[where if place is None else place[where]]
                for column, place in zip(self._columns, self._places, strict=True)
            ]
        )
