"""HTTP connections whose number, time and memory are limited, whatever their clients send or do not read.

uvicorn alone keeps all headers that come, waits for the first request without end, and answers everybody
with 503 while too many connections are open.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, TimerHandle, Transport
from collections import Counter
from collections.abc import Mapping
from heapq import nlargest
from typing import Any, NamedTuple

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from vizkit._language import tr
from vizkit.server.http import GONE

__all__ = ["Connection", "ConnectionLimits"]

_MAX_ADDRESS = 24 << 10  # bytes of a path with its query: a workspace's address may name many runs
_MAX_HEAD = 40 << 10  # bytes of a request line and its headers
_MAX_HEADERS = 100
_MAX_BODY = 1 << 20  # bytes; those of requests that have no use for a body are read and dropped
_MAX_PIPELINED = 4
_SLICE = 4096  # bytes that are parsed before the limits are checked again
_HEAD_TIMEOUT = 20.0  # seconds from the first byte of a head to its last
_UNREAD_TIMEOUT = 60.0  # seconds without room for more of an answer
_WHILE = 5.0  # seconds after which a connection that does nothing is closed for another one

_ACCEPTED_AT_ONCE = 16
_MAX_CONNECTIONS = 400


class ConnectionLimits(NamedTuple):
    """How many connections are held.

    Attributes:
        most: connections; above, the idle ones are closed.
        accepted_at_once: connections that are accepted before any is closed.
        last_descriptor: descriptors above are left for logs.
    """

    most: int
    accepted_at_once: int
    last_descriptor: int

    @classmethod
    def of_process(cls) -> ConnectionLimits:
        """The limits that the process's number of descriptors allows."""
        try:
            import resource
        except ImportError:  # Windows, which has no such number
            return cls(_MAX_CONNECTIONS, _ACCEPTED_AT_ONCE, 1 << 62)
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if files == resource.RLIM_INFINITY:
            return cls(_MAX_CONNECTIONS, _ACCEPTED_AT_ONCE, 1 << 62)
        at_once = max(min(_ACCEPTED_AT_ONCE, files // 16), 1)
        return cls(max(min(_MAX_CONNECTIONS, files // 3), 4), at_once, files - max(files // 4, at_once))


class Connection(HttpToolsProtocol):
    """A connection that is closed for a request beyond the limits, for idleness, and to make room.

    It may stay idle for uvicorn's ``timeout_keep_alive``. Where there are more than ``limit_concurrency``, or
    descriptors run short, those that do nothing are closed, first of the client with the most.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._most = config.limit_concurrency or _MAX_CONNECTIONS
        # Of uvicorn's own limit only that of requests under way is reached: some go on without a client.
        self.limit_concurrency = 2 * self._most
        self._last_descriptor = ConnectionLimits.of_process().last_descriptor
        self._timer: TimerHandle | None = None
        self._head_timer: TimerHandle | None = None
        self._unread_timer: TimerHandle | None = None
        self._stalled_since: float | None = None
        self._idle_since = 0.0
        self._answering: RequestResponseCycle | None = None
        self._in_head = False
        self._received = 0  # bytes of the head, or of the body
        self._refused = False

    # -- the connection -----------------------------------------------------------------------------------

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Make room for the connection, and start to wait for its first request."""
        super().connection_made(transport)
        self._wait_for_request()
        socket = transport.get_extra_info("socket")
        if len(self.connections) > self._most or (socket and socket.fileno() > self._last_descriptor):
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        super().connection_lost(exc)
        for timer in (self._timer, self._head_timer, self._unread_timer):
            if timer is not None:
                timer.cancel()
        self.pipeline.clear()
        if self._answering is not None:  # uvicorn looks at the last request alone
            self._answering.disconnected = True
            self._answering.message_event.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        cycle.scope["state"][GONE] = lambda: cycle.disconnected
        super()._start_asgi_task(cycle, app)

    def _make_room(self) -> None:
        """Close the connections that are least needed: some at once, as it takes time to find them."""
        others = [one for one in self.connections if isinstance(one, Connection) and one is not self]
        count = Counter(one._address for one in others)
        now = self.loop.time()
        ranked = [(one._dispensability(count, now), number) for number, one in enumerate(others)]
        for (kind, own, _), number in nlargest(max(self._most // 8, 1), ranked):
            if not kind and not others[number]._is_idle() and own <= self._most // 2:
                break
            self._close(others[number])
        if len(self.connections) > len(others):  # many clients, and all are busy
            self._close(self)

    def _close(self, one: Connection) -> None:
        one._end()
        self.connections.discard(one)  # as it is lost only when the loop comes to it

    def _dispensability(self, count: Mapping[str, int], now: float) -> tuple[int, int, float]:
        """Greatest for the connection to close first; it begins with 0 for one that is busy, or new.

        First come those that have been idle or unread for a while, then the unread ones, then all others, and
        of each the oldest of the client with the most.
        """
        unread = self._stalled_since is not None
        age = now - (self._stalled_since or self._idle_since)
        resting = (unread or self._is_idle()) and age > _WHILE
        return 2 if resting else int(unread), count[self._address], age

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_for_request(self) -> None:
        self._idle_since = self.loop.time()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self._is_idle():  # else the timer starts after the answer
            self._end()

    def _end(self) -> None:
        """Close the connection, even if its client does not read what was sent."""
        self._refused = True
        if self.transport.is_closing() or self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        """Start to wait for the client to read."""
        super().pause_writing()
        self._stalled_since = self.loop.time()
        self._unread_timer = self.loop.call_later(_UNREAD_TIMEOUT, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._stalled_since = None
        if self._unread_timer is not None:
            self._unread_timer.cancel()

    # -- its requests -------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Parse what came, slice by slice, until it goes beyond a limit."""
        self._unset_keepalive_if_required()
        for start in range(0, len(data), _SLICE):
            if self._refused or self.transport.is_closing():
                return
            part = data[start : start + _SLICE]
            try:
                self.parser.feed_data(part)
            except httptools.HttpParserUpgrade:  # to another protocol, which the answer ignores
                if not self._refused:
                    self.cycle.keep_alive = False
                return
            except httptools.HttpParserError:
                self._refuse(400, tr("This is no HTTP request."))
            self._received += len(part)
            if self._in_head and self._received > _MAX_HEAD:
                self._refuse(431, tr("The head of a request may have {most} bytes.", most=_MAX_HEAD))
            elif not self._in_head and self._received > _MAX_BODY:
                self._refuse(413, tr("A request may bring {most} bytes.", most=_MAX_BODY))

    def on_message_begin(self) -> None:
        """Start to count."""
        super().on_message_begin()
        self._in_head = True
        self._received = 0
        if len(self.pipeline) >= _MAX_PIPELINED:
            self._refuse(429, tr("Too many requests at once."))
        self._stop_head_timer()
        self._head_timer = self.loop.call_later(_HEAD_TIMEOUT, self._end)

    def on_url(self, url: bytes) -> None:
        """Keep the address, unless it is too long."""
        if len(self.url) + len(url) > _MAX_ADDRESS:
            self._refuse(414, tr("An address may have {most} bytes.", most=_MAX_ADDRESS))
        elif not self._refused:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, unless there are too many; those behind a body are dropped."""
        if len(self.headers) >= _MAX_HEADERS:
            self._refuse(431, tr("A request may have {most} headers.", most=_MAX_HEADERS))
        elif not self._refused and self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start to answer, unless the request was refused."""
        self._in_head = False
        self._received = 0
        self._stop_head_timer()
        if not self._refused:
            super().on_headers_complete()
            if any(name in (b"content-length", b"transfer-encoding") for name, _ in self.headers):
                self.cycle.keep_alive = False  # what is left of the body ends with the connection

    def on_body(self, body: bytes) -> None:
        """Drop the body, but for a change; uvicorn stops reading while its answer does not take it."""
        if not self._refused and self.scope["method"] == "POST":
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self._refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start to wait for the next request."""
        super().on_response_complete()
        self._wait_for_request()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()

    def _refuse(self, status: int, message: str) -> None:
        """Answer a request that goes beyond a limit, if no other is under way, and close the connection."""
        if self._refused:
            return
        self._refused = True
        if self._is_idle() and not self.transport.is_closing():
            body = f"{message}\n".encode()
            self.transport.write(
                STATUS_LINE[status] + b"content-type: text/plain; charset=utf-8\r\ncontent-length: "
                b"%d\r\nconnection: close\r\n\r\n%s" % (len(body), body)
            )
            self.transport.close()
        else:
            self._end()
