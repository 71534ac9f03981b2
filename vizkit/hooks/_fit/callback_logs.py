"""Scalars in the ``logs`` that Paddle passes to callbacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from vizkit._protocols import ScalarLike

__all__ = ["LoggedScalars", "Logs", "batch_size", "metric_scalars", "numbered_scalars", "tagged_scalars"]

Logs = Mapping[str, object]
"""Paddle's logs of a batch, an epoch or an evaluation: numbers, lists of numbers and arrays by name."""

LoggedScalars = dict[str, ScalarLike]
"""Numbers by tag."""


def metric_scalars(mode: str, logs: Logs | None, names: Iterable[str] | None) -> LoggedScalars:
    """The values of ``logs`` under ``names``, which leaves out keys of other models and modes."""
    return tagged_scalars({name: f"{mode}/{name}" for name in names or ()}, logs)


def tagged_scalars(tags: Mapping[str, str], logs: Logs | None) -> LoggedScalars:
    """The values of ``logs`` under the names of ``tags``, by their tags."""
    logs = logs or {}
    scalars: LoggedScalars = {}
    for name, tag in tags.items():
        if name in logs:
            value = logs[name]
            if type(value) is list and len(value) == 1 and type(value[0]) is float:  # the usual loss
                scalars[tag] = value[0]
            else:
                scalars.update(numbered_scalars(tag, value))
    return scalars


def numbered_scalars(tag: str, value: object) -> LoggedScalars:
    """A number under its tag, or several under ``<tag>/0``, ``<tag>/1`` ...

    The sum of several losses is under the tag itself: training minimises it.
    """
    if not isinstance(value, (list, tuple)) and getattr(value, "ndim", 0) == 0:
        return {tag: cast("ScalarLike", value)}
    values = list(cast("Sequence[float]", value))
    if len(values) == 1:
        return {tag: values[0]}
    numbered: LoggedScalars = {f"{tag}/{index}": number for index, number in enumerate(values)}
    return {tag: sum(values), **numbered} if tag.endswith("/loss") and values else numbered


def batch_size(logs: Logs | None, default: int) -> int:
    """The number of samples in a batch, or ``default`` if Paddle does not give it."""
    return cast("int", logs and logs.get("batch_size")) or default
