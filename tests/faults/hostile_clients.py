"""A server in a process of its own, and clients that do what no browser does."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

from tests.helpers import PATIENCE, ROOT

Attack = Callable[[int, float], None]
"""What a client does to the server at a port until a time of ``time.monotonic``."""

SERVER = """
import resource, sys
import vizkit

if files := int(sys.argv[3]):
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
token = "secret" if sys.argv[2] == "0.0.0.0" else None
with vizkit.serve(sys.argv[1], host=sys.argv[2], token=token) as server:
    print(server.port, flush=True)
    sys.stdin.read()
"""


class Served(NamedTuple):
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    port: int
    token: str

    @property
    def memory(self) -> int:
        """Bytes that it holds in memory."""
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def ask(self, path: str = "/app/api/runs") -> float:
        """Seconds until it has answered somebody who may ask."""
        start = time.monotonic()
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        while True:
            try:
                client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
                client.request("GET", path, headers=headers)
                answer = client.getresponse()
                content = answer.read()
                break
            except (ConnectionError, http.client.HTTPException):  # browsers ask again, too
                assert time.monotonic() - start < PATIENCE
            finally:
                client.close()
        assert answer.status == 200, content
        if path == "/app/api/runs":
            assert json.loads(content)["data"] == ["run"], content
        return time.monotonic() - start


def connect(port: int) -> socket.socket:
    """A connection that gives up waiting soon."""
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
    connection.settimeout(0.2)
    return connection


@contextlib.contextmanager
def serving(log: Path, host: str = "0.0.0.0", files: int = 0) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(log), host, str(files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        yield Served(process, port, "secret" if host == "0.0.0.0" else "")
        _, errors = process.communicate(timeout=PATIENCE)
        assert len(errors) < 10_000, errors[:2_000]  # clients cannot fill its log
    finally:
        process.kill()
        process.communicate()


HEAD = b"GET /app/index HTTP/1.1\r\nHost: localhost\r\n"


def endless(beginning: bytes, again: bytes) -> Attack:
    """A client that sends on and on, over new connections where it is cut off, and reads nothing."""
    return partial(_endless, beginning, again)


def _endless(beginning: bytes, again: bytes, port: int, end: float) -> None:
    chunk = again * (200_000 // len(again) + 1)
    while time.monotonic() < end:
        with contextlib.suppress(OSError), connect(port) as client:
            client.sendall(beginning)
            while time.monotonic() < end:
                client.sendall(chunk)


def request_many(path: str, headers: bytes = b"") -> Attack:
    """A client that makes request after request, and reads the answers."""
    return partial(_request_many, path, headers)


def _request_many(path: str, headers: bytes, port: int, end: float) -> None:
    number = 0
    while time.monotonic() < end:
        with contextlib.suppress(OSError), connect(port) as client:
            while time.monotonic() < end:
                number += 1
                client.sendall(asking(path.format(number=number), headers))
                if not client.recv(1 << 16):
                    break


def asking(path: str, headers: bytes = b"") -> bytes:
    """A whole request."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode() + headers + b"\r\n"


def read_nothing(path: str) -> Attack:
    """A client that asks for large files over many connections, and reads none of them."""
    return partial(_read_nothing, asking(path) * 12)


def _read_nothing(requests: bytes, port: int, end: float) -> None:
    with contextlib.ExitStack() as opened:
        for _ in range(800):
            if time.monotonic() > end:
                break
            with contextlib.suppress(OSError):
                client = opened.enter_context(connect(port))
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.sendall(requests)
        time.sleep(max(end - time.monotonic(), 0))


def stay_idle(beginning: bytes) -> Attack:
    """A client that opens 1,200 connections, and sends no whole request over any."""
    return partial(_stay_idle, beginning)


def _stay_idle(beginning: bytes, port: int, end: float) -> None:
    with contextlib.ExitStack() as opened:
        for _ in range(1200):
            with contextlib.suppress(OSError):
                opened.enter_context(connect(port)).sendall(beginning)
        time.sleep(max(end - time.monotonic(), 0))


@contextlib.contextmanager
def attacking(attack: Attack, port: int, end: float) -> Iterator[BaseProcess]:
    """An attack in a small process of its own; what is measured does not wait for this interpreter."""
    attacker = get_context("forkserver").Process(target=attack, args=(port, end))
    attacker.start()
    yield attacker
    attacker.join()
    assert attacker.exitcode == 0
