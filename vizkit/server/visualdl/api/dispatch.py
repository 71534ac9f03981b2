"""All endpoints, and how a request is answered by one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.requests import Request as HTTPRequest
from starlette.responses import Response, StreamingResponse

from vizkit.errors import VizKitError
from vizkit.server.answers import Answer, AnswerCache, failure, json_answer
from vizkit.server.live_runs import Followed
from vizkit.server.responses import respond
from vizkit.server.visualdl.api import (
    curve_pages,
    embedding_page,
    graph_pages,
    hparam_page,
    media_pages,
    profiler_page,
    scalar_page,
    tabs,
)
from vizkit.server.visualdl.api.endpoint import Endpoint, Request, Settings, Streamed

__all__ = ["API", "ENDPOINTS"]

ENDPOINTS: dict[str, Endpoint] = {
    **tabs.ENDPOINTS,
    **scalar_page.ENDPOINTS,
    **media_pages.ENDPOINTS,
    **curve_pages.ENDPOINTS,
    **hparam_page.ENDPOINTS,
    **embedding_page.ENDPOINTS,
    **graph_pages.ENDPOINTS,
    **profiler_page.ENDPOINTS,
}

_WORKERS = 4

_log = logging.getLogger(__name__)


class API:
    """Answers from a followed log; what was answered once is kept until records change it."""

    def __init__(self, log: Followed, settings: Settings) -> None:
        self.log = log
        self.settings = settings
        self._cache = AnswerCache()
        self._pool = ThreadPoolExecutor(_WORKERS, "vizkit-serve")
        self._slow = ThreadPoolExecutor(1, "vizkit-serve-slow")

    def close(self) -> None:
        """Ends the threads, and follows the log no longer."""
        self.log.stop()
        for pool in (self._pool, self._slow):
            pool.shutdown(wait=False, cancel_futures=True)

    async def run(self, function: Any, *args: Any, slow: bool = False) -> Any:
        """Calls a function on a thread, so that no other request waits for it."""
        pool = self._slow if slow else self._pool
        return await asyncio.get_running_loop().run_in_executor(pool, function, *args)

    async def answer(self, http: HTTPRequest) -> Response:
        """Answers a request below the API's path."""
        if self.log.stale():
            await self.run(self.log.look)
        path: str = http.path_params["path"]
        endpoint = ENDPOINTS.get(path)
        if endpoint is None:
            return respond(http, failure("api not found"))
        query = dict(http.query_params)
        missing = [name for name in endpoint.needs if name not in query]
        if missing:
            return respond(http, failure(f"{path} needs {' and '.join(missing)} in the query"))
        client = http.client.host if http.client else ""
        request = Request(self.log, query, self.settings, client)
        key = self._key(path, endpoint, request)
        answer = self._cache.get(key) if key is not None else None
        if answer is None:
            made = await self.run(_answer, path, endpoint, request, slow=endpoint.slow)
            if isinstance(made, Streamed):
                headers = dict(made.headers)
                return StreamingResponse(_stepwise(self, made), media_type=made.media_type, headers=headers)
            answer = made
            if key is not None and answer.status == 200:
                self._cache.put(key, answer)
        return respond(http, answer)

    def _key(self, path: str, endpoint: Endpoint, request: Request) -> Hashable | None:
        """What names an answer; another one once records change it."""
        view = self.log.view
        if not endpoint.lasts:
            return None
        stamp = view.shape if endpoint.lasts == "shape" else view.version
        if endpoint.lasts == "run":
            name = request.query["run"]
            member = view.members.get(name)
            run = view.runs.get(name) or (member.run if member else None)
            stamp = run.version if run else view.version
        more = endpoint.stamp(request) if endpoint.stamp else None
        return path, stamp, more, tuple(sorted(request.query.items()))


async def _stepwise(api: API, streamed: Streamed) -> Any:
    end = object()
    while (part := await api.run(next, streamed.parts, end)) is not end:
        yield part


def _answer(path: str, endpoint: Endpoint, request: Request) -> Answer | Streamed:
    try:
        made = endpoint.answer(request)
        return made if isinstance(made, (Answer, Streamed)) else json_answer(made)
    except (VizKitError, KeyError, OSError) as error:  # a run went between two looks
        _log.debug("%s: %s", path, error)
        return failure(f"{path}: {type(error).__name__}", code=-1)
    except Exception:
        _log.exception("%s failed", path)
        return failure(f"{path} failed; the server's log says why", code=-1)
