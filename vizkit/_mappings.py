"""Nested mappings as one level."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

__all__ = ["flat", "free_key"]


def flat(content: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping as one level, its names joined with ``/``; lists stay whole."""
    out: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            out |= flat(value, f"{prefix}{name}/")
        else:
            out[f"{prefix}{name}"] = value
    return out


def free_key(name: str, taken: Mapping[str, object]) -> str:
    """The name, or if it is taken the first free one of ``name-2``, ``name-3`` and so on."""
    names = (name if number == 1 else f"{name}-{number}" for number in itertools.count(1))
    return next(one for one in names if one not in taken)
