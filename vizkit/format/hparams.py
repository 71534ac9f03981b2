"""Hyper-parameters as people hold them, made flat and plain."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.metrics.arrays import to_array

__all__ = ["as_mapping", "flat_hparams", "metric_names"]

_LONGEST = 1000  # characters: an hparam is a table's cell


def flat_hparams(hparams: Any) -> dict[str, Any]:
    """Hyper-parameters as one flat dict of plain values.

    Args:
        hparams: a mapping, nested or not, an ``argparse.Namespace`` or a dataclass. Nested names
            are joined with ``/``; numbers of NumPy and Paddle become Python's, arrays and tuples
            lists, and what is no number, text, bool, None or list becomes its text.

    Raises:
        DataError: no such mapping, or two names become the same one.
    """
    out: dict[str, Any] = {}
    for name, value in _items(hparams, ""):
        if name in out:
            raise DataError(f"two hyper-parameters are named {name!r} once nested names are joined with '/'")
        out[name] = value
    return out


def as_mapping(value: object) -> Mapping[Any, Any] | None:
    """Hyper-parameters as a mapping: of a mapping, an ``argparse.Namespace`` or a dataclass; else None."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, argparse.Namespace):
        return vars(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def _items(hparams: Any, prefix: str) -> Iterable[tuple[str, Any]]:
    mapping = as_mapping(hparams)
    if mapping is None:
        raise DataError(f"hparams must be a dict such as {{'learning rate': 0.001}}, got {describe(hparams)}")
    for key, value in mapping.items():
        name = prefix + str(key)
        if as_mapping(value):  # an empty one is a value: {}
            yield from _items(value, name + "/")
        else:
            yield name, _plain(value)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        # Enumerations and NumPy's float64 are subclasses; JSON is to see the number.
        return (
            value
            if value is None or isinstance(value, bool)
            else (int if isinstance(value, int) else float)(value)
        )
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if as_mapping(value) is not None:
        return {str(key): _plain(part) for key, part in (as_mapping(value) or {}).items()}
    if isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "numpy"):
        try:
            array = to_array(value)
            return array.item() if array.size == 1 else array.tolist()
        except (DataError, TypeError, ValueError):
            pass
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def metric_names(metrics: Any) -> list[str]:
    """The tags of a run's metrics as a list; a single tag is taken as one.

    Raises:
        DataError: not a text or a collection of texts.
    """
    if metrics is None:
        return []
    names = (
        [metrics] if isinstance(metrics, str) else list(metrics) if isinstance(metrics, Iterable) else None
    )
    if names is None or not all(isinstance(name, str) for name in names):
        raise DataError(f"metrics must be a list of tags such as ['eval/acc'], got {describe(metrics)}")
    return list(dict.fromkeys(names))
