"""Bodies of requests: JSON objects, read as typed fields, or refused with the name of the wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import UnionType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from vizkit._checks import describe
from vizkit._json import parse_json
from vizkit.server.workspace.api.queries import WrongParameter

__all__ = ["field_types", "read_body"]

_Body = TypeVar("_Body")


def field_types(body: type[Any]) -> dict[str, Any]:
    """The types of a dataclass's fields, without their descriptions."""
    hints = get_type_hints(body, include_extras=True)
    return {
        name: get_args(hint)[0] if get_origin(hint) is Annotated else hint for name, hint in hints.items()
    }


def read_body(body: type[_Body], data: bytes) -> _Body:
    """Read a JSON object as a dataclass of texts, lists of texts and booleans.

    Raises:
        WrongParameter: it is no JSON object, or a field is unknown, missing, or of another type.
    """
    try:
        content = parse_json(data)
    except (ValueError, UnicodeDecodeError):
        content = None
    if not isinstance(content, Mapping):
        raise WrongParameter("", "a change is sent as a JSON object, got {what}", what=describe(data[:60]))
    kinds = field_types(body)
    for name, value in content.items():
        if name not in kinds:
            raise WrongParameter(
                name[:100],
                "there is no field {name}; there are {names}",
                name=describe(name),
                names=", ".join(kinds),
            )
        if not _fits(value, kinds[name]):
            raise WrongParameter(
                name, "{name} has a value of another type: {value}", name=name, value=describe(value)
            )
    for field in fields(body):  # type: ignore[arg-type]
        if field.default is MISSING and field.default_factory is MISSING and field.name not in content:
            raise WrongParameter(field.name, "{name} is missing", name=field.name)
    return body(**content)


def _fits(value: object, kind: Any) -> bool:  # noqa: ANN401 a type
    if get_origin(kind) is UnionType:
        return any(_fits(value, one) for one in get_args(kind))
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_fits(one, get_args(kind)[0]) for one in value)
    return isinstance(value, kind)
