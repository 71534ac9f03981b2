"""Clients that are many, slow or broken hold up nobody."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

import vizkit
from tests.helpers import PATIENCE, api, until

from .served import values, write


@pytest.fixture
def log(tmp_path: Path) -> Path:
    write(tmp_path / "log" / "run", 1.0, 2.0)
    write(tmp_path / "log" / "other", 5.0)
    return tmp_path / "log"


@pytest.fixture
def server(log: Path) -> Iterator[vizkit.Server]:
    with vizkit.serve(log) as server:
        yield server
        assert values(server, "other") == [5.0]  # whatever happened to the others


def test_answers_are_sent_at_once(server: vizkit.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """And do not wait for the client's acknowledgement of their heads."""
    from asyncio import selector_events

    made: list[int] = []
    init = selector_events._SelectorSocketTransport.__init__  # type: ignore[attr-defined]

    def noted(self: Any, loop: Any, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        init(self, loop, sock, *args, **kwargs)
        made.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(selector_events._SelectorSocketTransport, "__init__", noted)  # type: ignore[attr-defined]
    assert values(server, "other")
    assert made and all(made)


def test_a_flood_of_requests_is_answered(server: vizkit.Server) -> None:
    answers: list[int] = []

    def flood() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}/app/api/", timeout=PATIENCE) as client:
            query = {"run": "run", "tag": "x"}
            answers.extend(client.get("scalar/list", params=query).status_code for _ in range(25))

    threads = [threading.Thread(target=flood) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 600


def test_slow_and_broken_clients_hold_up_nobody(server: vizkit.Server) -> None:
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
    try:
        for number, client in enumerate(slow):
            client.sendall(
                [
                    b"GET /app/api/runs HT",
                    b"GET /app/api/scalar/data?run=run&tag=x HTTP/1.1\r\n",
                    b"\x16\x03",
                ][number % 3]
            )
        assert api(server, "runs") == ["other", "run"]
    finally:
        for client in slow:
            client.close()
    assert api(server, "runs") == ["other", "run"]


def test_connections_without_a_whole_request_end(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.server.server._IDLE_TIMEOUT", 3)
    whole = b"GET /alive HTTP/1.1\r\nHost: localhost\r\n\r\n"
    requests = (b"", b"GET /alive HT", b"GET /alive HTTP/1.1\r\nX: ", whole, whole + whole[:20])
    with vizkit.serve(log) as server:
        with ExitStack() as opened:
            clients = []
            for request in requests:
                client = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
                clients.append(opened.enter_context(client))
                client.sendall(request)
            for request, client in zip(requests, clients, strict=True):
                answers = b"".join(iter(lambda: client.recv(65536), b""))  # noqa: B023 read at once
                assert answers.count(b" 204 No Content") == request.count(whole)
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET /alive HTTP/1.1\r\nX: ")
            client.settimeout(0.05)

            def ended() -> bool:
                """True once it is closed, however much goes on coming."""
                try:
                    client.sendall(b"x")
                    return client.recv(1) == b""
                except TimeoutError:
                    return False
                except ConnectionError:
                    return True

            until(ended)
        assert api(server, "runs") == ["other", "run"]
