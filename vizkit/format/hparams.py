"""Hyper-parameters and metrics from the arguments of a caller."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import math
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from vizkit._checks import describe, text_of
from vizkit._json import DEEPEST
from vizkit._mappings import free_key
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import to_array

__all__ = ["as_mapping", "flat_hparams", "metric_names"]

_ADDRESS = re.compile(r" (?:object )?at 0x[0-9a-fA-F]+")
_LAST_ADDRESS = re.compile(rf"{_ADDRESS.pattern}(?=>)")  # as in the text of an object
_LONGEST = 1000  # characters: an hparam is a cell of a table
_DEEPEST = DEEPEST // 2  # levels, those of names and of values each
_WHOLE = (bytes, bytearray, memoryview, range)  # sequences that are one value
_MOST_BITS = 8_000  # Python and JSON refuse decimals of some more
_MOST_PARTS = 1_000_000  # denominator of a fraction that a float tells from all others


def flat_hparams(hparams: object) -> dict[str, object]:
    """Flatten hyper-parameters to one dict of plain values.

    Args:
        hparams: a mapping, nested or not, an ``argparse.Namespace`` or a dataclass. Nested names
            are joined with ``/``; numbers of NumPy and Paddle become Python's, as do decimals and fractions
            that a float holds; arrays, tuples and sets (sorted) lists, functions their names, and any
            other value its text without addresses, so that equal settings of two processes are equal. What
            is nested more than 50 levels deep, or within itself, is ``...``.
            Of two names that become the same, as of ``{"a": {"b": 1}, "a/b": 2}``, the second is ``a/b-2``.

    Raises:
        DataError: not such a mapping.
    """
    out: dict[str, object] = {}
    for name, value in _items(hparams, "", ()):
        out[free_key(name, out)] = value
    return out


def as_mapping(value: object) -> Mapping[Any, object] | None:
    """A mapping, ``argparse.Namespace`` or dataclass as a mapping; None for any other value."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, (argparse.Namespace, SimpleNamespace)):
        return vars(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value))
        return {name: getattr(value, name) for name in names if hasattr(value, name)}  # set later, perhaps
    return None


def _items(hparams: object, prefix: str, outer: tuple[int, ...]) -> Iterable[tuple[str, object]]:
    mapping = as_mapping(hparams)
    if mapping is None:
        raise DataError(
            "hparams must be a dict such as {{'learning rate': 0.001}}, got {hparams}",
            hparams=describe(hparams),
        )
    outer += (id(hparams),)
    for key, value in mapping.items():
        name = prefix + _name(key)
        if len(outer) <= _DEEPEST and id(value) not in outer and as_mapping(value):  # {} is a value
            yield from _items(value, name + "/", outer)
        elif id(value) in outer:
            yield name, "..."
        else:
            yield name, _value(value)


def _name(key: object) -> str:
    if isinstance(key, (str, bytes)):
        return text_of(key)
    return str(_value(key)) if isinstance(key, Set) else _ADDRESS.sub("", str(key))


def _value(value: object) -> object:
    """A value of a configuration; one that cannot be looked at does not cost the others."""
    try:
        return _plain(value, ())
    except Exception:
        return f"<{type(value).__module__}.{type(value).__qualname__}>"


def _plain(value: object, outer: tuple[int, ...]) -> object:
    if value is None or isinstance(value, (bool, int, float)):
        if value is None or isinstance(value, bool):
            return value
        # Enumerations and NumPy's float64 are subclasses, which JSON would not write as numbers.
        if isinstance(value, int):
            return int(value) if value.bit_length() < _MOST_BITS else _cut(hex(value))
        return float(value)
    if isinstance(value, str):
        # Of an enumeration of texts the text, as of one of numbers the number.
        return _LAST_ADDRESS.sub("", str.__str__(value))
    if isinstance(value, (Decimal, Fraction)):
        return _number(value)
    mapping = as_mapping(value)
    several = isinstance(value, Sequence) and not isinstance(value, _WHOLE)
    if (several or mapping is not None or isinstance(value, Set)) and (
        id(value) in outer or len(outer) >= _DEEPEST
    ):
        return "..."
    outer += (id(value),)
    if mapping is not None:
        return {_name(key): _plain(part, outer) for key, part in mapping.items()}
    if isinstance(value, Sequence) and several:  # also those of configurations and collections
        return [_plain(part, outer) for part in value]
    if isinstance(value, Set):  # their order differs from process to process
        return sorted((_plain(part, outer) for part in value), key=repr)
    if isinstance(value, np.ndarray) and value.dtype == object and value.ndim:
        return _plain(value.tolist(), outer)
    if isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "numpy"):
        with suppress(Exception):  # of any library's tensors
            array = to_array(cast("ArrayLike", value))
            if array.dtype.kind != "c":
                return array.item() if array.size == 1 else array.tolist()
    if isinstance(value, partial):
        given = [repr(_plain(part, outer)) for part in value.args]
        given += [f"{name}={_plain(part, outer)!r}" for name, part in value.keywords.items()]
        return _cut(f"functools.partial({', '.join([str(_plain(value.func, outer)), *given])})")
    if inspect.isroutine(value) and hasattr(value, "__qualname__"):
        return _cut(f"{getattr(value, '__module__', None) or 'builtins'}.{value.__qualname__}")
    return _cut(_ADDRESS.sub("", str(value)))  # an address differs between processes, too


def _number(value: Decimal | Fraction) -> object:
    """The number that is meant; the text of one that is finer than a float."""
    try:
        number = float(value)
        if not math.isfinite(number):
            exact = isinstance(value, Decimal) and not value.is_finite()
        elif isinstance(value, Decimal):
            exact = Decimal(repr(number)) == value
        else:
            exact = value in (Fraction(repr(number)), Fraction(number).limit_denominator(_MOST_PARTS))
    except (OverflowError, ValueError):
        exact = False
    if not exact:
        return _cut(str(value))
    return int(number) if number.is_integer() and abs(number) < 1 << 53 else number


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def metric_names(metrics: object) -> list[str]:
    """The tags of a run's metrics as a list without repetitions; a single tag may stand alone.

    Raises:
        DataError: neither a text nor a collection of texts.
    """
    if metrics is None:
        return []
    names = (
        [metrics] if isinstance(metrics, str) else list(metrics) if isinstance(metrics, Iterable) else None
    )
    if names is None or not all(isinstance(name, str) for name in names):
        raise DataError(
            "metrics must be a list of tags such as ['eval/acc'], got {metrics}", metrics=describe(metrics)
        )
    return list(dict.fromkeys(names))
