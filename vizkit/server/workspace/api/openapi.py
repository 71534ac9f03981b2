"""The OpenAPI document of the API, from the types of its queries and answers."""

from __future__ import annotations

import inspect
import math
import types
from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from vizkit._version import __version__
from vizkit.server.workspace.api.answer_types import Conflict, Failure
from vizkit.server.workspace.api.operations import Edit, Operation
from vizkit.server.workspace.api.queries import Parameter, parameters

__all__ = ["openapi_document"]

Schema = dict[str, Any]

_JSON = "application/json"

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", types.NoneType: "null"}


def openapi_document(operations: Iterable[Operation], edits: Iterable[Edit] = ()) -> Schema:
    """Describe the API as OpenAPI 3.1."""
    schemas: dict[str, Schema] = {}
    failure = _content("application/json", _schema(Failure, schemas))
    paths: dict[str, Schema] = {}
    for one in operations:
        answers = {
            "200": {"description": one.summary, **_content(one.media_type, _answer(one, schemas))},
            "400": {"description": "A parameter is wrong.", **failure},
            "404": {"description": "There is no such run or tag.", **failure},
        }
        described = [_described(parameter) for parameter in parameters(one.query)]
        paths[f"/{one.path}"] = {
            "get": {
                "operationId": one.path.replace("/", "_"),
                "summary": one.summary,
                "description": inspect.getdoc(one.query),
                "parameters": described,
                "responses": answers,
            }
        }
    for edit in edits:
        answers = {
            "200": {"description": edit.summary, **_content(_JSON, _schema(edit.answer, schemas))},
            "400": {"description": "A field is wrong.", **failure},
            "409": {
                "description": "Another editor was first.",
                **_content(_JSON, _schema(Conflict, schemas)),
            },
        }
        paths.setdefault(f"/{edit.path}", {})["post"] = {
            "operationId": f"edit_{edit.path}",
            "summary": f"{edit.summary}; with `vizkit serve --edit`",
            "description": inspect.getdoc(edit.body),
            "requestBody": {"required": True, **_content(_JSON, _body(edit, schemas))},
            "responses": answers,
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "VizKit's workspace", "version": __version__},
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _answer(operation: Operation, schemas: dict[str, Schema]) -> Schema:
    if operation.answer is bytes:
        return {"type": "string", "contentMediaType": operation.media_type}
    schema = _schema(operation.answer, schemas)
    if operation.media_type == "application/json":
        return schema
    if operation.media_type == "*/*":
        return {
            "description": "A PNG or WAV file, a text, or JSON of a curve (below) or a histogram.",
            "x-json": schema,
        }
    return {
        "description": "The length of a JSON text as a little-endian uint32, that text, and arrays at the "
        "places that it names, counted from the byte behind it.",
        "contentMediaType": operation.media_type,
        "x-head": schema,
    }


def _body(edit: Edit, schemas: dict[str, Schema]) -> Schema:
    hints = get_type_hints(edit.body, include_extras=True)
    optional = {one.name for one in fields(edit.body) if one.default is not MISSING}
    optional |= {one.name for one in fields(edit.body) if one.default_factory is not MISSING}
    return {
        "type": "object",
        "properties": {name: _schema(hint, schemas) for name, hint in hints.items()},
        "required": sorted(hints.keys() - optional),
        "additionalProperties": False,
    }


def _content(media_type: str, schema: Schema) -> Schema:
    return {"content": {media_type: {"schema": schema}}}


def _described(parameter: Parameter) -> Schema:
    schema: Schema = {"type": _PLAIN[parameter.kind]}
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    if math.isfinite(parameter.least):
        schema["minimum"] = parameter.least
    if math.isfinite(parameter.most):
        schema["maximum"] = parameter.most
    if parameter.many:
        schema = {"type": "array", "items": schema}
    elif not parameter.required and parameter.default is not None:
        schema["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.text,
        "schema": schema,
    }


def _schema(hint: Any, schemas: dict[str, Schema]) -> Schema:  # noqa: ANN401 a type
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _schema(inner[0], schemas) | {"description": inner[1]}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if origin is list:
        return {"type": "array", "items": _schema(inner[0], schemas)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(inner[1], schemas)}
    if origin is Literal:
        return {"type": "string", "enum": list(inner)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(one, schemas) for one in inner]}
    if not is_typeddict(hint):
        raise TypeError(f"{hint} has no schema")
    name = hint.__name__
    if name not in schemas:
        schemas[name] = {}
        schemas[name] = {
            "type": "object",
            "description": inspect.getdoc(hint),
            "properties": {
                key: _schema(one, schemas) for key, one in get_type_hints(hint, include_extras=True).items()
            },
            "required": sorted(hint.__required_keys__),
        }
    return {"$ref": f"#/components/schemas/{name}"}
