"""What is sent: an `Answer`, packed if the client takes that, nothing if it has it already; and the like."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from vizkit.server.answers import Answer

__all__ = ["no_file", "redirect", "respond"]


def respond(http: Request, answer: Answer, cache: str = "private, no-cache") -> Response:
    """The response to a request.

    Args:
        http: the request.
        answer: what it asks for.
        cache: how long the client may keep it.
    """
    headers = {"ETag": answer.etag, "Cache-Control": cache, "Vary": "Accept-Encoding", **dict(answer.headers)}
    if answer.status == 200 and answer.etag in http.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = answer.body
    if answer.packed is not None and "gzip" in http.headers.get("accept-encoding", ""):
        body = answer.packed
        headers["Content-Encoding"] = "gzip"
    return Response(body, answer.status, headers, answer.media_type)


def redirect(http: Request, path: str) -> Response:
    """To another path, with the query that was asked with."""
    query = f"?{http.url.query}" if http.url.query else ""
    return RedirectResponse(f"{path}{query}", 302)


def no_file() -> Response:
    """There is none of that name."""
    return PlainTextResponse("There is no such file.\n", 404)
