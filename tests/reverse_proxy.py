"""A reverse proxy before a server: it keeps the path before the server's own, or takes it off."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.helpers import PATIENCE

__all__ = ["Proxy", "proxied"]

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade"}


class Proxy(ThreadingHTTPServer):
    """The proxy.

    Attributes:
        origin: where the server's own paths begin for browsers.
        strays: requests for paths outside of the public path, which another server would get.
    """

    daemon_threads = True
    request_queue_size = 200

    def __init__(self, port: int, path: str, *, strips: bool, headers: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.path, self.strips, self.headers = port, path, strips, dict(headers)
        self.strays: list[str] = []
        self.origin = f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, *_: object) -> None:
        """Say nothing of browsers that leave."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _pass_on(self) -> None:
        proxy = self.server
        if not self.path.startswith(f"{proxy.path}/"):
            proxy.strays.append(self.path)
            self._answer(404, [], b"another server's")
            return
        path = self.path[len(proxy.path) :] if proxy.strips else self.path
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        connection = http.client.HTTPConnection("127.0.0.1", proxy.upstream, timeout=PATIENCE)
        try:
            connection.request(self.command, path, body or None, {**headers, **proxy.headers})
            answer = connection.getresponse()
            self._answer(answer.status, answer.getheaders(), answer.read())
        except OSError:
            self._answer(502, [], b"")
        finally:
            connection.close()

    do_GET = do_HEAD = do_POST = _pass_on  # noqa: N815 as `BaseHTTPRequestHandler` wants them

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        with suppress(OSError):  # the browser has left
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in {*_HOP_BY_HOP, "content-length"}:
                    self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD" and status != 304:
                self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def proxied(
    port: int, path: str, *, strips: bool, headers: Mapping[str, str] | None = None
) -> Iterator[Proxy]:
    """Run a proxy before the server on a port of this machine."""
    with Proxy(port, path, strips=strips, headers=headers or {}) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
