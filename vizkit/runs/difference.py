"""What differs between runs, of their hyper-parameters and of how they were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vizkit.runs.query import MISSING

__all__ = ["differing", "flat", "made_by"]

# What differs between any two processes, and says nothing of how they were made.
_PASSING = {"started", "ended", "status", "error", "sessions", "pid", "process", "format"}


def flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping as one level, its names joined with ``/``; lists stay whole."""
    out: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, Mapping):
            out |= flat(value, f"{prefix}{key}/")
        else:
            out[f"{prefix}{key}"] = value
    return out


def made_by(environment: Mapping[str, Any]) -> dict[str, Any]:
    """How a run was made, flat; without what is another in every process (``pid``, ``started`` ...)."""
    kept = {key: value for key, value in environment.items() if key not in _PASSING}
    found = flat(kept)
    if "git/diff_file" in found:  # it is named by its content
        found.pop("git/diff", None)
    return found


def differing(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The names whose values are not the same in all ``rows`` -> value in each, `MISSING` where none is.

    Numbers are compared as numbers (64 and 64.0 are the same), NaN is the same as NaN.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name, MISSING) for row in rows] for name in names}
    return {name: values for name, values in columns.items() if any(_other(values[0], v) for v in values[1:])}


def _other(a: Any, b: Any) -> bool:
    if isinstance(a, bool) is not isinstance(b, bool):
        return True
    return not (a is b or a == b or (a != a and b != b))
