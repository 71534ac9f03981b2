"""The way from a request to an operation of the API, and back with its answer."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import logging
from collections.abc import Hashable
from dataclasses import replace
from functools import cached_property

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from vizkit._files import is_shortage
from vizkit._language import language, speaking
from vizkit.errors import ConflictError, DataError, UnknownNameError, VizKitError
from vizkit.server.http import GONE, Answer, preferred_language, respond
from vizkit.server.sized_cache import SizedCache
from vizkit.server.workspace.api.answer_types import Conflict, Failure
from vizkit.server.workspace.api.bodies import read_body
from vizkit.server.workspace.api.openapi import openapi_document
from vizkit.server.workspace.api.operations import EDITS, OPERATIONS, Edit, Operation
from vizkit.server.workspace.api.queries import WrongParameter, read_query
from vizkit.server.workspace.api.state import WorkspaceState

__all__ = ["api_routes"]

_JSON = "application/json"
_BODY_SECONDS = 20.0  # in which a change must have come
_CACHED = 64 << 20  # bytes of answers

_log = logging.getLogger(__name__)


class _Handler:
    """The way from a request to an operation's answer."""

    def __init__(self, state: WorkspaceState) -> None:
        self._state = state
        self._cache: SizedCache[Answer] = SizedCache(_CACHED)

    async def answer(self, operation: Operation, http: Request) -> Response:
        live = self._state.live
        live.note_request()
        if live.is_late:  # the first one after a pause would tell of what was before
            await asyncio.to_thread(live.catch_up)
        accepted = http.headers.get("accept-language")
        with speaking(accepted and preferred_language(accepted)):  # to people; programs name no language
            return await self._answered(operation, http)

    async def _answered(self, operation: Operation, http: Request) -> Response:
        given = http.query_params.multi_items()
        try:
            query = read_query(operation.query, given)
            if inspect.iscoroutinefunction(operation.function):
                is_gone = http.scope.get("state", {}).get(GONE, lambda: False)
                return respond(http, _json(await operation.function(self._state, query, is_gone)))
            made = await asyncio.to_thread(self._answer, operation, query, tuple(given))
            return made if isinstance(made, Response) else respond(http, made)
        except Exception as error:
            return respond(http, _failure(operation.path, error))

    async def change(self, edit: Edit, http: Request) -> Response:
        self._state.live.note_request()
        accepted = http.headers.get("accept-language")
        with speaking(accepted and preferred_language(accepted)):
            try:
                body = read_body(edit.body, await asyncio.wait_for(http.body(), _BODY_SECONDS))
                return respond(http, _json(await asyncio.to_thread(edit.function, self._state, body)))
            except ClientDisconnect:
                return Response(status_code=400)
            except asyncio.TimeoutError:  # another error in Python 3.10
                return respond(http, _failure(edit.path, DataError("the change did not come in time")))
            except OSError as error:
                known = (
                    error if is_shortage(error) else DataError("it cannot be written: {error}", error=error)
                )
                return respond(http, _failure(edit.path, known))
            except Exception as error:
                return respond(http, _failure(edit.path, error))

    def _answer(
        self, operation: Operation, query: object, given: tuple[tuple[str, str], ...]
    ) -> Answer | Response:
        if not operation.lasting:
            made = operation.function(self._state, query)
            return made if isinstance(made, (Answer, Response)) else _json(made)
        key = operation.path, language(), given
        version: Hashable = self._state.cursor(), self._state.live.unread
        known = self._cache.get(key, version)
        if known is None:
            body = operation.function(self._state, query)
            assert isinstance(body, bytes)
            # Large answers are known by what they depend on: their digest would take longer than they do.
            name = hashlib.blake2b(repr((key, version)).encode(), digest_size=12).hexdigest()
            known = Answer(body, operation.media_type, None, f'"{name}"')
            self._cache.put(key, version, known, known.size)
        return known

    @cached_property
    def document(self) -> Answer:
        """The OpenAPI document."""
        return _json(openapi_document(OPERATIONS, EDITS))


def _json(data: object, status: int = 200) -> Answer:
    return replace(Answer.of(orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS), _JSON), status=status)


def _failure(path: str, error: Exception) -> Answer:
    if isinstance(error, ConflictError):
        conflict: Conflict = {"message": str(error), "current": error.current}
        return _json(conflict, 409)
    if isinstance(error, UnknownNameError):
        status = 404
    elif isinstance(error, VizKitError):
        status = 400
    elif isinstance(error, OSError) and is_shortage(error):
        status = 503
    elif isinstance(error, (KeyError, OSError)):  # a run was deleted just now
        status = 404
    else:
        _log.error("%s failed", path, exc_info=error)
        status = 500
    known = isinstance(error, VizKitError)
    message = str(error) if known else f"{path} cannot be answered: {type(error).__name__}"
    failure: Failure = {
        "message": message,
        "parameter": error.name if isinstance(error, WrongParameter) else None,
    }
    return _json(failure, status)


def api_routes(state: WorkspaceState, path: str) -> list[BaseRoute]:
    """The routes of the API below a path."""
    handler = _Handler(state)

    def route(operation: Operation) -> Route:
        async def answer(http: Request) -> Response:
            return await handler.answer(operation, http)

        return Route(f"{path}/{operation.path}", answer)

    def change(edit: Edit) -> Route:
        async def answer(http: Request) -> Response:
            return await handler.change(edit, http)

        return Route(f"{path}/{edit.path}", answer, methods=["POST"])

    async def document(http: Request) -> Response:
        return respond(http, handler.document)

    async def nothing(http: Request) -> Response:
        names = ", ".join(operation.path for operation in OPERATIONS)
        return respond(
            http, _failure("", UnknownNameError("there is no such path; there are {names}", names=names))
        )

    return [
        *map(route, OPERATIONS),
        *(map(change, EDITS) if state.edit else ()),
        Route(f"{path}/openapi.json", document),
        Route(f"{path}/{{rest:path}}", nothing),
    ]
