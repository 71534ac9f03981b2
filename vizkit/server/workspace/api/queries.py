"""Queries of the API: typed parameters, read from an address, or refused with the name of the wrong one."""

from __future__ import annotations

import math
import types
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import MISSING, Field, fields
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from vizkit._checks import describe
from vizkit.errors import DataError

__all__ = ["Parameter", "WrongParameter", "parameters", "read_query"]

_MAX_TEXT = 4096  # characters of a value

_Query = TypeVar("_Query")


class WrongParameter(DataError):  # noqa: N818 as `UnknownNameError`'s kin it says which one
    """A parameter that is missing, unknown, or has a wrong value."""

    def __init__(self, name: str, message: str, /, **values: object) -> None:
        super().__init__(message, **values)
        self.name = name


class Parameter(NamedTuple):
    """A parameter of a query.

    Attributes:
        name: its name.
        kind: ``str``, ``int`` or ``float``.
        many: True if it may be repeated.
        choices: the only values; empty if there are others.
        required: True if it has no default.
        default: else its value if it is missing.
        text: its description.
        least, most: of a number.
    """

    name: str
    kind: type
    many: bool
    choices: tuple[str, ...]
    required: bool
    default: object
    text: str
    least: float
    most: float


_known: dict[str, tuple[Parameter, ...]] = {}


def parameters(query: type[Any]) -> tuple[Parameter, ...]:
    """The parameters of a dataclass, whose types are annotated with their descriptions and ranges."""
    if query.__qualname__ not in _known:
        hints = get_type_hints(query, include_extras=True)
        _known[query.__qualname__] = tuple(_parameter(one, hints[one.name]) for one in fields(query))
    return _known[query.__qualname__]


def _parameter(field: Field[Any], hint: Any) -> Parameter:  # noqa: ANN401 a type
    text, bounds = "", (-math.inf, math.inf)
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        text = next(note for note in notes if isinstance(note, str))
        bounds = next((note for note in notes if isinstance(note, tuple)), bounds)
    many = get_origin(hint) is list
    if many:
        (hint,) = get_args(hint)
    if get_origin(hint) is types.UnionType:  # or None
        hint = next(one for one in get_args(hint) if one is not types.NoneType)
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    required = field.default is MISSING and field.default_factory is MISSING
    default = [] if many else field.default
    return Parameter(field.name, str if choices else hint, many, choices, required, default, text, *bounds)


def read_query(query: type[_Query], given: Sequence[tuple[str, str]]) -> _Query:
    """Read a query of typed parameters.

    Args:
        query: a dataclass.
        given: names and values, as they are in the address.

    Raises:
        WrongParameter: one is unknown, missing, repeated, or has a wrong value.
    """
    known = {parameter.name: parameter for parameter in parameters(query)}
    values: dict[str, list[object]] = {}
    for name, text in given:
        if name == "token":  # which `AccessGuard` has read
            continue
        parameter = known.get(name)
        if parameter is None:
            raise WrongParameter(
                name[:100],
                "there is no parameter {name}; there are {names}",
                name=describe(name),
                names=", ".join(known),
            )
        if name in values and not parameter.many:
            raise WrongParameter(name, "{name} is given twice", name=name)
        values.setdefault(name, []).append(_value(parameter, text))
    for parameter in known.values():
        if parameter.required and parameter.name not in values:
            raise WrongParameter(parameter.name, "{name} is missing", name=parameter.name)
    return query(**{name: some if known[name].many else some[0] for name, some in values.items()})


def _value(parameter: Parameter, text: str) -> object:
    name = parameter.name
    if len(text) > _MAX_TEXT or "\0" in text:
        raise WrongParameter(name, "{name} is longer than {most} characters", name=name, most=_MAX_TEXT)
    if parameter.kind is str:
        if parameter.choices and text not in parameter.choices:
            choices = ", ".join(parameter.choices)
            raise WrongParameter(
                name,
                "{name} must be one of {choices}, got {value}",
                name=name,
                choices=choices,
                value=describe(text),
            )
        return text
    number = math.nan
    with suppress(ValueError):
        number = parameter.kind(text)
    if not (math.isfinite(number) and parameter.least <= number <= parameter.most):
        what = "a whole number" if parameter.kind is int else "a finite number"
        least, most = parameter.least, parameter.most
        between = f" from {least:g} to {most:g}" if math.isfinite(most) else ""
        raise WrongParameter(
            name, "{name} must be {what}, got {value}", name=name, what=what + between, value=describe(text)
        )
    return number
