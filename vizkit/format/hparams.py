"""Hyper-parameters and metrics from the arguments of a caller."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from vizkit._checks import describe
from vizkit._json import DEEPEST
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import to_array

__all__ = ["as_mapping", "flat_hparams", "metric_names"]

_ADDRESS = re.compile(r" (?:object )?at 0x[0-9a-fA-F]+")
_LONGEST = 1000  # characters: an hparam is a cell of a table
_DEEPEST = DEEPEST // 2  # levels, those of names and of values each
_WHOLE = (bytes, bytearray, memoryview, range)  # sequences that are one value
_MOST_BITS = 8_000  # Python and JSON refuse decimals of some more


def flat_hparams(hparams: object) -> dict[str, object]:
    """Flatten hyper-parameters to one dict of plain values.

    Args:
        hparams: a mapping, nested or not, an ``argparse.Namespace`` or a dataclass. Nested names
            are joined with ``/``; numbers of NumPy and Paddle become Python's, arrays, tuples and sets
            (sorted) lists, functions their names, and any other value its text without addresses, so
            that equal settings of two processes are equal; also what is nested more than 50 levels deep.
            Of two names that become the same, as of ``{"a": {"b": 1}, "a/b": 2}``, the second is ``a/b-2``.

    Raises:
        DataError: not such a mapping.
    """
    out: dict[str, object] = {}
    for name, value in _items(hparams, "", 0):
        free = (name if number == 1 else f"{name}-{number}" for number in itertools.count(1))
        out[next(one for one in free if one not in out)] = value
    return out


def as_mapping(value: object) -> Mapping[Any, object] | None:
    """A mapping, ``argparse.Namespace`` or dataclass as a mapping; None for any other value."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, (argparse.Namespace, SimpleNamespace)):
        return vars(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def _items(hparams: object, prefix: str, depth: int) -> Iterable[tuple[str, object]]:
    mapping = as_mapping(hparams)
    if mapping is None:
        raise DataError(
            "hparams must be a dict such as {{'learning rate': 0.001}}, got {hparams}",
            hparams=describe(hparams),
        )
    for key, value in mapping.items():
        name = prefix + str(key)
        if depth < _DEEPEST and as_mapping(value):  # an empty one is a value: {}
            yield from _items(value, name + "/", depth + 1)
        else:
            yield name, _plain(value, 0)


def _plain(value: object, depth: int) -> object:
    if value is None or isinstance(value, (bool, int, float)):
        if value is None or isinstance(value, bool):
            return value
        # Enumerations and NumPy's float64 are subclasses, which JSON would not write as numbers.
        if isinstance(value, int):
            return int(value) if value.bit_length() < _MOST_BITS else _cut(hex(value))
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)  # of an enumeration of texts the text, as of one of numbers the number
    several = isinstance(value, Sequence) and not isinstance(value, _WHOLE)
    nested = several or isinstance(value, (set, frozenset)) or as_mapping(value) is not None
    if nested and depth >= _DEEPEST:
        return "..."
    if isinstance(value, Sequence) and several:  # also those of configurations and collections
        return [_plain(part, depth + 1) for part in value]
    if as_mapping(value) is not None:
        return {str(key): _plain(part, depth + 1) for key, part in (as_mapping(value) or {}).items()}
    if isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "numpy"):
        try:
            array = to_array(cast("ArrayLike", value))
            return array.item() if array.size == 1 else array.tolist()
        except (DataError, TypeError, ValueError):
            pass
    if isinstance(value, (set, frozenset)):  # their order differs from process to process
        return sorted((_plain(part, depth + 1) for part in value), key=repr)
    if inspect.isroutine(value) and hasattr(value, "__qualname__"):
        return _cut(f"{getattr(value, '__module__', None) or 'builtins'}.{value.__qualname__}")
    return _cut(_ADDRESS.sub("", str(value)))  # an address differs between processes, too


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
