"""The scalars in the ``logs`` that Paddle hands to callbacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["metric_scalars", "spread"]


def metric_scalars(mode: str, logs: Mapping[str, Any] | None, names: Iterable[str] | None) -> dict[str, Any]:
    """What ``logs`` holds under ``names``; it may hold other models' and modes' keys as well."""
    logs = logs or {}
    out: dict[str, Any] = {}
    for name in names or ():
        if name in logs:
            out.update(spread(f"{mode}/{name}", logs[name]))
    return out


def spread(tag: str, value: Any) -> dict[str, Any]:
    """A tag for each number; several losses are also added up, as training does."""
    if not isinstance(value, (list, tuple)) and getattr(value, "ndim", 0) == 0:
        return {tag: value}
    values = list(value)
    if len(values) == 1:
        return {tag: values[0]}
    out = {f"{tag}/{index}": number for index, number in enumerate(values)}
    return {tag: sum(values), **out} if tag.endswith("/loss") and values else out
