"""A suite's configuration, whose parts may be objects, as plain settings."""

from __future__ import annotations

from collections.abc import Mapping

from vizkit.format.hparams import as_mapping

__all__ = ["as_settings"]

_DEEPEST = 20
_MOST = 100  # values of a list that is an attribute: more are data
_PLAIN = (bool, int, float, str, type(None))


def as_settings(value: object, depth: int = 0) -> object:
    """Replace objects, such as schedulers, by their type's name with their public plain attributes.

    The text of such an object says no more than its type, and would be the same for other settings. An
    object that has a text of its own stays as it is.
    """
    if depth > _DEEPEST:
        return value
    mapping = as_mapping(value)
    if mapping is not None:
        return {name: as_settings(part, depth + 1) for name, part in mapping.items()}
    if isinstance(value, (list, tuple)):
        return [as_settings(part, depth + 1) for part in value]
    found = _attributes(value)
    return {type(value).__name__: found} if found else value


def _attributes(value: object) -> Mapping[str, object]:
    attributes = getattr(value, "__dict__", None)
    if not isinstance(attributes, dict) or type(value).__repr__ is not object.__repr__:
        return {}
    return {name: part for name, part in attributes.items() if not name.startswith("_") and _is_plain(part)}


def _is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) <= _MOST and all(isinstance(part, _PLAIN) for part in value)
    return isinstance(value, _PLAIN)
