"""The operations of the API, and the way from a request to one of them."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from vizkit._files import is_shortage
from vizkit._language import language, speaking
from vizkit.errors import ConflictError, DataError, UnknownNameError, VizKitError
from vizkit.server.http import GONE, Answer, preferred_language, respond
from vizkit.server.sized_cache import SizedCache
from vizkit.server.workspace.api.answer_types import (
    ChangesAnswer,
    ClassCurve,
    ComparisonAnswer,
    Conflict,
    CurvesHead,
    DifferencesAnswer,
    Failure,
    GroupsAnswer,
    HistogramsAnswer,
    ImportanceAnswer,
    LayersAnswer,
    MatchingAnswer,
    RecordsAnswer,
    RemarksAnswer,
    RunDetails,
    RunsAnswer,
    SearchAnswer,
    TextsAnswer,
    ValuesAnswer,
    ViewsAnswer,
)
from vizkit.server.workspace.api.bodies import read_body
from vizkit.server.workspace.api.contents_answer import (
    ContentQuery,
    HistogramsQuery,
    SearchQuery,
    content,
    histograms,
    search_texts,
)
from vizkit.server.workspace.api.curves_answer import CurvesQuery, curves_answer
from vizkit.server.workspace.api.differences_answer import (
    DifferencesQuery,
    TextsQuery,
    differences_answer,
    texts_answer,
)
from vizkit.server.workspace.api.directory_files import FileQuery, run_file
from vizkit.server.workspace.api.edits import (
    RemarksEdit,
    ViewEdit,
    ViewsQuery,
    edit_remarks,
    edit_view,
    views_answer,
)
from vizkit.server.workspace.api.groups_answer import GroupsQuery, groups_answer
from vizkit.server.workspace.api.layers_answer import (
    InputLayerQuery,
    InputLayersQuery,
    LayerQuery,
    LayersQuery,
    input_layer,
    input_layers,
    layer,
    layers,
)
from vizkit.server.workspace.api.packing import ARRAYS
from vizkit.server.workspace.api.queries import WrongParameter, read_query
from vizkit.server.workspace.api.records_answer import RecordsQuery, ValuesQuery, records, values
from vizkit.server.workspace.api.run_details import RunQuery, run_details
from vizkit.server.workspace.api.runs_answer import (
    ChangesQuery,
    MatchingQuery,
    RunsQuery,
    changes,
    matching_answer,
    runs_answer,
)
from vizkit.server.workspace.api.state import WorkspaceState
from vizkit.server.workspace.api.table_answer_types import (
    RowGroupsAnswer,
    RowPointsAnswer,
    RowsAnswer,
    SampleAnswer,
    TablesAnswer,
)
from vizkit.server.workspace.api.tables_answer import (
    CsvQuery,
    InputQuery,
    RowGroupsQuery,
    RowPointsQuery,
    RowsQuery,
    SampleQuery,
    TablesQuery,
    input_content,
    row_groups,
    row_points,
    rows,
    rows_csv,
    sample,
    tables,
)
from vizkit.server.workspace.api.verdicts import (
    ComparisonQuery,
    ImportanceQuery,
    comparison_answer,
    importance_answer,
)

__all__ = ["EDITS", "OPERATIONS", "Edit", "Operation", "api_routes"]

_JSON = "application/json"
_BODY_SECONDS = 20.0  # in which a change must have come
_CACHED = 64 << 20  # bytes of answers

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Operation:
    """One path of the API.

    Attributes:
        path: below ``api/``.
        summary: a line for people.
        query: the dataclass of its parameters.
        answer: the type of its answer, or of the head of a binary one; bytes for a file.
        function: makes the answer; a coroutine may wait, and is told if the client is gone.
        media_type: of the answer.
        lasting: True if the answer is the same until records change.
    """

    path: str
    summary: str
    query: type[Any]
    answer: type
    function: Callable[..., object]
    media_type: str = _JSON
    lasting: bool = False


@dataclass(frozen=True)
class Edit:
    """One path of the API that takes a change, where the server was started to edit.

    Attributes:
        path: below ``api/``.
        summary: a line for people.
        body: the dataclass of its JSON body.
        answer: the type of its answer.
        function: makes the change, and the answer.
    """

    path: str
    summary: str
    body: type[Any]
    answer: type
    function: Callable[..., object]


OPERATIONS = (
    Operation("runs", "Runs", RunsQuery, RunsAnswer, runs_answer),
    Operation("matching", "Names of runs by a filter", MatchingQuery, MatchingAnswer, matching_answer),
    Operation("run", "One run", RunQuery, RunDetails, run_details),
    Operation("file", "A file of a run", FileQuery, bytes, run_file, "application/octet-stream"),
    Operation("curves", "Windows of curves", CurvesQuery, CurvesHead, curves_answer, ARRAYS, lasting=True),
    Operation("values", "Exact values at an x", ValuesQuery, ValuesAnswer, values),
    Operation(
        "importance", "Importance of hyper-parameters", ImportanceQuery, ImportanceAnswer, importance_answer
    ),
    Operation(
        "comparison", "Whether some runs are better", ComparisonQuery, ComparisonAnswer, comparison_answer
    ),
    Operation(
        "differences", "Differences between runs", DifferencesQuery, DifferencesAnswer, differences_answer
    ),
    Operation("groups", "Groups in numbers", GroupsQuery, GroupsAnswer, groups_answer),
    Operation("texts", "Two texts line by line", TextsQuery, TextsAnswer, texts_answer),
    Operation("records", "Places of images, histograms and others", RecordsQuery, RecordsAnswer, records),
    Operation("content", "The content of a record", ContentQuery, ClassCurve, content, "*/*"),
    Operation("layers", "The layers of an image", LayersQuery, LayersAnswer, layers),
    Operation("layer", "A layer of an image", LayerQuery, bytes, layer, "image/png"),
    Operation("histograms", "Histograms over steps", HistogramsQuery, HistogramsAnswer, histograms),
    Operation("search", "Texts that hold some words", SearchQuery, SearchAnswer, search_texts),
    Operation("tables", "Tables of runs", TablesQuery, TablesAnswer, tables),
    Operation("rows", "Rows of a table", RowsQuery, RowsAnswer, rows),
    Operation("rows.csv", "Rows of a table as CSV", CsvQuery, bytes, rows_csv, "text/csv"),
    Operation("row-groups", "Rows of a table in groups", RowGroupsQuery, RowGroupsAnswer, row_groups),
    Operation("row-points", "Rows of a table on a plane", RowPointsQuery, RowPointsAnswer, row_points),
    Operation("sample", "A sample over steps and runs", SampleQuery, SampleAnswer, sample),
    Operation("input", "An image or text of a table", InputQuery, bytes, input_content, "image/png"),
    Operation(
        "input-layers", "The layers of an image of a table", InputLayersQuery, LayersAnswer, input_layers
    ),
    Operation(
        "input-layer", "A layer of an image of a table", InputLayerQuery, bytes, input_layer, "image/png"
    ),
    Operation("views", "Saved views", ViewsQuery, ViewsAnswer, views_answer),
    Operation("changes", "Changes since a cursor", ChangesQuery, ChangesAnswer, changes),
)

EDITS = (
    Edit("remarks", "Label, note or archive a run", RemarksEdit, RemarksAnswer, edit_remarks),
    Edit("views", "Save, rename or delete a view", ViewEdit, ViewsAnswer, edit_view),
)


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
        from vizkit.server.workspace.api.openapi import openapi_document

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
