"""VisualDL's API: all endpoints, the way from a request to one of them, and the cache of answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from vizkit._files import is_shortage
from vizkit._language import reason_of, tr
from vizkit.errors import VizKitError
from vizkit.server.http import Answer, failure, json_answer, respond, spoken_by
from vizkit.server.live_runs import LiveRuns
from vizkit.server.options import ServeOptions
from vizkit.server.sized_cache import SizedCache
from vizkit.server.visualdl.api import (
    curve_pages,
    embedding_page,
    graph_pages,
    histogram_page,
    hparam_page,
    media_pages,
    profiler_page,
    scalar_page,
    tabs,
)
from vizkit.server.visualdl.api.endpoint import APIRequest, Endpoint, StreamedAnswer

__all__ = ["API", "ENDPOINTS"]

ENDPOINTS: dict[str, Endpoint] = {
    **tabs.ENDPOINTS,
    **scalar_page.ENDPOINTS,
    **media_pages.ENDPOINTS,
    **histogram_page.ENDPOINTS,
    **curve_pages.ENDPOINTS,
    **hparam_page.ENDPOINTS,
    **embedding_page.ENDPOINTS,
    **graph_pages.ENDPOINTS,
    **profiler_page.ENDPOINTS,
}

_THREADS = 4
_CACHED = 32 << 20  # bytes of answers

_P = ParamSpec("_P")
_R = TypeVar("_R")

_log = logging.getLogger(__name__)


class API:
    """VisualDL's API over live runs; an answer is cached until records change it.

    Attributes:
        runs: the runs.
        options: how they are shown.
    """

    def __init__(self, runs: LiveRuns, options: ServeOptions) -> None:
        self.runs = runs
        self.options = options
        self._cache: SizedCache[Answer] = SizedCache(_CACHED)
        self._threads = ThreadPoolExecutor(_THREADS, "vizkit-serve")
        self._slow_thread = ThreadPoolExecutor(1, "vizkit-serve-slow")

    def close(self) -> None:
        """End all threads, that of the runs too."""
        self.runs.stop()
        for pool in (self._threads, self._slow_thread):
            pool.shutdown(wait=False, cancel_futures=True)

    async def run_on_thread(self, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call a function on a thread, so that no other request waits for it."""
        return await _run_on(self._threads, function, *args, **kwargs)

    async def answer(self, http: Request) -> Response:
        """Answer a request below the API's path."""
        if self.runs.note_request():
            await self.run_on_thread(self.runs.refresh)
        path: str = http.path_params["path"]
        endpoint = ENDPOINTS.get(path)
        if endpoint is None:
            with spoken_by(http.headers):
                return respond(http, failure(tr("api not found")))
        query = dict(http.query_params)
        missing = [name for name in endpoint.needs if name not in query]
        if missing:
            with spoken_by(http.headers):
                names = ", ".join(missing)
                return respond(http, failure(tr("{path} needs {names} in the query", path=path, names=names)))
        client = http.client.host if http.client else ""
        request = APIRequest(self.runs, query, self.options, client)
        key = path, tuple(sorted(query.items()))
        version = _version(endpoint, request)
        answer = self._cache.get(key, version) if version is not None else None
        if answer is None:
            pool = self._slow_thread if endpoint.slow else self._threads
            made = await _run_on(pool, _answer, path, endpoint, request)
            if isinstance(made, StreamedAnswer):
                return StreamingResponse(
                    self._parts(made), media_type=made.media_type, headers=dict(made.headers)
                )
            answer = made
            if version is not None and answer.status == 200 and answer.lasting:
                self._cache.put(key, version, answer, answer.size)
        return respond(http, answer)

    async def _parts(self, streamed: StreamedAnswer) -> AsyncIterator[bytes]:
        while (part := await self.run_on_thread(next, streamed.parts, None)) is not None:
            yield part


async def _run_on(
    pool: ThreadPoolExecutor, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs
) -> _R:
    return await asyncio.get_running_loop().run_in_executor(pool, lambda: function(*args, **kwargs))


def _version(endpoint: Endpoint, request: APIRequest) -> Hashable | None:
    """The state that an answer depends on besides its query; None if it is not cached."""
    snapshot = request.runs.snapshot
    if not endpoint.depends_on:
        return None
    version = snapshot.tags_version if endpoint.depends_on == "tags" else snapshot.version
    if endpoint.depends_on == "run":
        name = request.query["run"]
        member = snapshot.members.get(name)
        run = snapshot.runs.get(name) or (member.run if member else None)
        version = run.version if run else snapshot.version
    return version, endpoint.also_depends_on(request) if endpoint.also_depends_on else None


def _answer(path: str, endpoint: Endpoint, request: APIRequest) -> Answer | StreamedAnswer:
    try:
        made = endpoint.answer(request)
        return made if isinstance(made, (Answer, StreamedAnswer)) else json_answer(made)
    except OSError as error:
        if is_shortage(error):
            return failure(
                tr("{path} cannot be answered now: {error}", path=path, error=reason_of(error)), code=-1
            )
        return failure(f"{path}: {type(error).__name__}", code=-1)
    except (VizKitError, KeyError) as error:  # a run was deleted just now
        _log.debug("%s: %s", path, error)
        return failure(f"{path}: {type(error).__name__}", code=-1)
    except Exception:
        _log.exception("%s failed", path)
        return failure(tr("{path} failed; the server's log says why", path=path), code=-1)
