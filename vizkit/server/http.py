"""HTTP answers: encoded once, compressed once, identified by an ETag, and sent to any number of clients."""

from __future__ import annotations

import asyncio
import hashlib
import posixpath
import re
import zlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import orjson
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from vizkit._language import LANGUAGES, speaking, tr
from vizkit.server.public_path import public_path_of

__all__ = [
    "GONE",
    "Answer",
    "failure",
    "json_answer",
    "no_file",
    "preferred_language",
    "redirect",
    "refusal",
    "respond",
    "spoken_by",
]

GONE = "vizkit.gone"
"""Name in the state of a request of a function that is true once its client is gone."""

_JSON = "application/json"
_JSON_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
_LEAST_COMPRESSED = 1024  # bytes: shorter answers are sent as they are
_PART = 1 << 16  # bytes that are given to a connection at once: it copies what its client does not read
_MAX_ACCEPTED = 1000  # characters of an Accept-Language header that are read
_COMPRESSIBLE = (_JSON, "text/", "application/javascript", "image/svg", "application/wasm")


@dataclass(frozen=True)
class Answer:
    """The content of a response, with a compressed copy.

    Attributes:
        body: the content.
        media_type: its type.
        gzipped: the content in gzip's format; None where that is not worthwhile.
        etag: identifies the content.
        status: the HTTP status.
        headers: further headers.
        lasting: the same request will have the same answer until records change it.
    """

    body: bytes
    media_type: str
    gzipped: bytes | None
    etag: str
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    lasting: bool = True

    @classmethod
    def of(
        cls,
        body: bytes,
        media_type: str,
        *,
        status: int = 200,
        headers: tuple[tuple[str, str], ...] = (),
        level: int = 1,
    ) -> Answer:
        """Make an answer of some content, compressed if that is worthwhile; ``level`` is zlib's."""
        gzipped = None
        if len(body) > _LEAST_COMPRESSED and media_type.startswith(_COMPRESSIBLE):
            compressor = zlib.compressobj(level, wbits=31)
            gzipped = compressor.compress(body) + compressor.flush()
        etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        return cls(body, media_type, gzipped, etag, status, headers)

    @property
    def size(self) -> int:
        """Approximate bytes of memory."""
        return len(self.body) + len(self.gzipped or b"") + 500


def json_answer(data: object) -> Answer:
    """VisualDL's envelope around some data; numbers that JSON lacks become null."""
    return Answer.of(orjson.dumps({"status": 0, "msg": "", "data": data}, _as_list, _JSON_OPTIONS), _JSON)


def _as_list(value: object) -> list[object]:
    """A set of VisualDL's profiler, which orjson cannot encode."""
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} in an answer")


def failure(message: str, *, code: int = 1) -> Answer:
    """VisualDL's envelope around a message, which the page shows."""
    answer = Answer.of(orjson.dumps({"status": code, "msg": message, "data": None}), _JSON)
    return replace(answer, lasting=False)


class _PartedResponse(Response):
    """A response that is sent part by part, each once the client has read most of those before."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        is_gone = scope.get("state", {}).get(GONE)
        for start in range(0, max(len(body), 1), _PART):
            end = start + _PART
            more = end < len(body)
            await send({"type": "http.response.body", "body": body[start:end], "more_body": more})
            if more:
                await asyncio.sleep(0)  # others' turn
                if is_gone is not None and is_gone():
                    return


def respond(http: Request, answer: Answer, cache: str = "private, no-cache") -> Response:
    """Make the response to a request: compressed if the client accepts that, 304 if it has the answer.

    Args:
        http: the request.
        answer: its answer.
        cache: the ``Cache-Control`` header.
    """
    headers = {"ETag": answer.etag, "Cache-Control": cache, "Vary": "Accept-Encoding", **dict(answer.headers)}
    if answer.status == 200 and answer.etag in http.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = answer.body
    if answer.gzipped is not None and "gzip" in http.headers.get("accept-encoding", ""):
        body = answer.gzipped
        headers["Content-Encoding"] = "gzip"
    return _PartedResponse(body, answer.status, headers, answer.media_type)


def redirect(http: Request, path: str) -> Response:
    """Redirect to another path; the request's query is kept.

    The address is relative where no public path is known: a proxy may have taken one off.
    """
    query = f"?{http.url.query}" if http.url.query else ""
    public = public_path_of(http.scope)
    if public:
        return RedirectResponse(f"{public}{path}{query}", 302)
    near = posixpath.relpath(path, posixpath.dirname(http.scope["path"]) or "/")
    return RedirectResponse(f"{near}{'/' if path.endswith('/') else ''}{query}", 302)


def no_file(http: Request) -> Response:
    """A 404 response for a file."""
    return refusal(http.headers, 404, tr("There is no such file."))


def refusal(
    headers: Headers, status: int, text: str, more: Mapping[str, str] | None = None
) -> PlainTextResponse:
    """A response that says in words, in the client's language, why there is no other."""
    with spoken_by(headers):
        return PlainTextResponse(tr(text) + "\n", status, {"Vary": "Accept-Language", **(more or {})})


def spoken_by(headers: Headers) -> AbstractContextManager[None]:
    """Use the client's language within a block; the server's for programs, which name none."""
    accepted = headers.get("accept-language", "")
    return speaking(accepted and preferred_language(accepted))


def preferred_language(accepted: str) -> str:
    """The page's language that an ``Accept-Language`` header prefers; English for one that makes no sense."""
    wanted = []
    for place, part in enumerate(accepted[:_MAX_ACCEPTED].split(",")):
        name, _, weight = part.partition(";")
        match = re.fullmatch(r"\s*q\s*=\s*([0-9.]+)\s*", weight)
        try:
            quality = float(match[1]) if match else 1.0
        except ValueError:
            quality = 0.0
        short = name.strip().lower().partition("-")[0]
        if short in LANGUAGES:
            wanted.append((-quality, place, short))
    return min(wanted)[2] if wanted else LANGUAGES[0]
