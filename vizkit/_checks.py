"""Validation of arguments: each function returns the value, or raises a `DataError` that names it.

A bool does not count as a number here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from vizkit._language import tr
from vizkit.errors import DataError

__all__ = [
    "checked_class_names",
    "describe",
    "finite_number",
    "fraction",
    "is_number",
    "is_whole_number",
    "one_of",
    "text_of",
    "whole_number",
]

_Choice = TypeVar("_Choice")


def describe(value: object, limit: int = 80) -> str:
    """A short text that names a value in an error message."""
    shape = getattr(value, "shape", None)
    if shape is not None and not isinstance(value, np.generic):
        kind, dtype = type(value).__name__, getattr(value, "dtype", "?")
        return tr("{kind} of shape {shape} and dtype {dtype}", kind=kind, shape=list(shape), dtype=dtype)
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def text_of(value: object) -> str:
    """The text of a name or label; that of bytes, as files of HDF5 and MATLAB give, is what they spell."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def is_whole_number(value: object) -> bool:
    """True for an integer of Python or NumPy, but not for a bool."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """True for a real number of Python or NumPy, but not for a bool."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def whole_number(name: str, value: object, *, least: int = 1, unit: str = "") -> int:
    """An integer of at least ``least``; ``unit`` names the counted things, as in ``evaluations``.

    Raises:
        DataError: ``value`` is not an integer, or too small.
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= least:
        return int(value)
    of = tr(" of {unit}", unit=unit) if unit else ""
    raise DataError(
        "{name} must be a whole number{of}, {least} or more, got {value}",
        name=name,
        of=of,
        least=least,
        value=describe(value),
    )


def finite_number(
    name: str, value: object, *, least: float | None = None, above: float | None = None, unit: str = ""
) -> float:
    """A finite number, at least ``least`` and above ``above`` if given; ``unit`` is as in ``seconds``.

    Raises:
        DataError: ``value`` is not a finite number, or out of bounds.
    """
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        number = float(value)
        fits = (least is None or number >= least) and (above is None or number > above)
        if math.isfinite(number) and fits:
            return number
    bound = tr(", {least:g} or more", least=least) if least is not None else ""
    bound = tr(" above {above:g}", above=above) if least is None and above is not None else bound
    of = tr(" of {unit}", unit=unit) if unit else ""
    raise DataError(
        "{name} must be a number{of}{bound}, got {value}",
        name=name,
        of=of,
        bound=bound,
        value=describe(value),
    )


def fraction(name: str, value: object, *, one: bool = False) -> float:
    """A number above 0 and below 1; with ``one`` also 1.

    Raises:
        DataError: ``value`` is not such a number.
    """
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        number = float(value)
        if 0 < number < 1 or (one and number == 1):
            return number
    bound = tr("more than 0 and at most 1" if one else "a number between 0 and 1")
    raise DataError("{name} must be {bound}, got {value}", name=name, bound=bound, value=describe(value))


def one_of(name: str, value: _Choice, allowed: Sequence[_Choice]) -> _Choice:
    """One of several values.

    Raises:
        DataError: ``value`` is not one of them.
    """
    if any(value == choice and type(value) is type(choice) for choice in allowed):
        return value
    *most, last = map(repr, allowed)
    choices = tr("{most} or {last}", most=", ".join(most), last=last) if most else last
    raise DataError(
        "{name} must be {choices}, got {value}", name=name, choices=choices, value=describe(value)
    )


def checked_class_names(value: object) -> list[str] | None:
    """Class names as a list; None if there are none.

    Raises:
        DataError: not a list of names, or two of them are equal.
    """
    if value is None:
        return None
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise DataError(
            "class_names must be a list such as ['cat', 'dog'], got {value}", value=describe(value)
        )
    names = [text_of(name) for name in value]
    if len(set(names)) != len(names):
        raise DataError("class_names must differ, got {names}", names=describe(names))
    return names
