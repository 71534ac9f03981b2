"""Nested mappings as one level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["flat"]


def flat(content: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping as one level, its names joined with ``/``; lists stay whole."""
    out: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            out |= flat(value, f"{prefix}{name}/")
        else:
            out[f"{prefix}{name}"] = value
    return out
