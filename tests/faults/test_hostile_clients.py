"""A server among hostile clients: its memory is bounded, and others are answered meanwhile.

Every attack runs for a moment here. For longer, and with figures: ``VIZKIT_ATTACK_SECONDS=60 pytest -s`` and
this file.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import vizkit
from tests.faults.hostile_clients import (
    HEAD,
    Attack,
    Served,
    asking,
    attacking,
    connect,
    endless,
    read_nothing,
    request_many,
    serving,
    stay_idle,
)
from tests.helpers import PATIENCE, ROOT, get

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="memory is read from /proc")

SECONDS = float(os.environ.get("VIZKIT_ATTACK_SECONDS", "2"))
MOST_MORE = 100 << 20  # bytes of memory


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("attacked") / "log"
    with vizkit.LogWriter(root / "run") as writer:
        for step in range(1000):
            writer.add_scalar("x", float(step), step)
        writer.add_text("notes", "text " * 100_000, 0)
    return root


PIECE = "a%2F" * 5_000
ATTACKS = {
    "headers": endless(HEAD, b"x: y\r\n"),
    "headers of many names": endless(HEAD, b"".join(b"x-%d: %d\r\n" % (n, n) for n in range(1000))),
    "a header": endless(HEAD + b"x: ", b"y"),
    "a header's name": endless(HEAD, b"x"),
    "an address": endless(b"GET /", b"x"),
    "a query": endless(b"GET /?", b"x=y&"),
    "a body": endless(HEAD + b"Content-Length: 100000000000\r\n\r\n", b"x"),
    "chunks": endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\nxxxx\r\n"),
    "trailers": endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n"),
    "a chunk's extension": endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n4;", b"x"),
    "empty lines": endless(b"", b"\r\n"),
    "requests": endless(b"", HEAD + b"\r\n"),
    "requests of files": endless(b"", asking("/app/__snowpack__/env.js")),
    "noise": endless(b"", b"\x16\x03\x01"),
    "missing files": request_many("/app/_dist_/{number}" + PIECE + ".js"),
    "missing pages": request_many("/{number}" + PIECE),
    "paths of many ways": request_many("/app/_dist_/" + "./" * 5_000 + "{number}/../a.js"),
    "cookies": request_many("/app/index", b"Cookie: " + b"a=b; " * 7_000 + b"\r\n"),
    "a cookie": request_many("/app/index", b'Cookie: a="' + b"\\" * 35_000 + b"\r\n"),
    "huge cookies": request_many("/app/index", b"Cookie: " + b"a=b; " * 16_000 + b"\r\n"),
    "a language": request_many("/app/index", b"Accept-Language: " + b"a;q=1.1.1," * 3_500 + b"\r\n"),
    "a token": request_many("/app/index?" + "token=a&" * 2_500),
    "idle connections": stay_idle(b""),
    "begun requests": stay_idle(HEAD),
    "long begun requests": stay_idle(HEAD + b"x: " + b"y" * 30_000),
    "unread files": read_nothing("/app/favicon.ico"),
    "unread scripts": read_nothing("/app/__snowpack__/pkg/echarts.js"),
}


@pytest.fixture(scope="module")
def remote(log: Path) -> Iterator[Served]:
    with serving(log) as server:
        server.ask()
        yield server


def assault(server: Served, attack: Attack) -> tuple[int, float]:
    """The bytes by which its memory grew at most, and the longest time that another client waited."""
    before = server.memory
    most, slowest = before, 0.0
    with attacking(attack, server.port, time.monotonic() + SECONDS) as attacker:
        while attacker.is_alive():
            slowest = max(slowest, server.ask())
            most = max(most, server.memory)
            time.sleep(0.05)
    server.ask()
    print(f"{(most - before) / 1e6:.1f} MB more, others answered within {slowest:.2f} s")
    return most - before, slowest


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_client_without_the_token_takes_little_memory_and_holds_up_nobody(
    remote: Served, attack: str
) -> None:
    more, _ = assault(remote, ATTACKS[attack])
    assert more < MOST_MORE


def test_queries_are_not_kept_beyond_the_caches_size(log: Path) -> None:
    piece = "q" * 20_000
    with serving(log, "127.0.0.1") as server:
        server.ask("/vizkit/")
        for path in (
            "/app/api/runs?{number}=" + piece,
            "/app/api/scalar/list?run={number}&tag=" + piece,
            "/app/api/image/image?run=run&tag=x&index={number}" + piece,
            "/vizkit/?run={number}" + piece,
            "/vizkit/static/{number}" + piece,
        ):
            more, _ = assault(server, request_many(path))
            assert more < MOST_MORE


def test_too_much_is_refused_with_a_reason(remote: Served) -> None:
    def answer(request: bytes) -> bytes:
        with connect(remote.port) as client:
            client.settimeout(PATIENCE)
            client.sendall(request)
            return client.recv(1 << 16)

    ends = b"\r\n\r\n"
    assert b" 414 " in answer(b"GET /" + b"x" * 25_000 + b" HTTP/1.1" + ends)
    assert b" 431 " in answer(HEAD + b"x: " + b"y" * 50_000 + ends)
    assert b" 431 " in answer(HEAD + b"x: y\r\n" * 120 + ends)
    assert b" 400 " in answer(b"\x16\x03\x01")
    assert b" 405 " in answer(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
    whole = HEAD + b"x: " + b"y" * 20_000 + b"\r\n" + b"".join(b"x%d: y\r\n" % n for n in range(90)) + b"\r\n"
    assert b" 401 " in answer(whole)
    assert b" 204 " in answer(b"GET /alive?" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost" + ends)


def test_pipelined_requests_are_answered_in_turn(remote: Served) -> None:
    with connect(remote.port) as client:
        client.settimeout(PATIENCE)
        paths = (b"/alive", b"/app/index", b"/alive", b"/alive")
        client.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path for path in paths))
        got = b""
        while got.count(b"HTTP/1.1 ") < 4 and (part := client.recv(1 << 16)):
            got += part
        assert re.findall(rb"HTTP/1\.1 (\d+)", got) == [b"204", b"401", b"204", b"204"]


def test_other_sites_are_refused_before_any_work(log: Path) -> None:
    with serving(log, "127.0.0.1") as server:
        url = f"http://127.0.0.1:{server.port}"

        def status(path: str, site: str, mode: str = "no-cors", dest: str = "image") -> int:
            marks = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
            return get(url + path, headers=marks).status_code

        for site in ("cross-site", "same-site"):
            for path in ("/app/api/runs", "/app/index", "/vizkit/", "/app/nothing.png", "/alive", "/nothing"):
                assert status(path, site) == 403
                assert status(path, site, "cors", "empty") == 403
            assert status("/app/index", site, "navigate", "document") == 200  # a link
            assert status("/app/index", site, "navigate", "iframe") == 200  # a notebook
            assert status("/app/api/runs", site, "navigate", "iframe") == 403
            assert status("/vizkit/api/runs", site, "navigate", "iframe") == 403
        for site in ("same-origin", "none"):
            assert status("/app/api/runs", site) == 200


def test_idle_connections_make_room_and_descriptors_are_left_for_logs(log: Path) -> None:
    with serving(log, files=128) as server, contextlib.ExitStack() as opened:
        for number in range(1200):
            with contextlib.suppress(OSError):
                opened.enter_context(connect(server.port))
            if number % 300 == 0:
                server.ask()
        server.ask()
        held = os.listdir(f"/proc/{server.process.pid}/fd")
        assert len(held) < 128 - 16
        assert (
            b"text"
            in get(
                f"http://127.0.0.1:{server.port}/app/api/text/text?run=run&tag=notes",
                headers={"Authorization": "Bearer secret"},
            ).content
        )


SHORT = """
import os, resource, sys, time
import httpx
import vizkit
from tests.helpers import api, until

log = sys.argv[1]
with vizkit.serve(log) as server, httpx.Client(base_url=f"http://127.0.0.1:{server.port}/app/api/") as client:
    ask = lambda path, **query: client.get(path, params=query, timeout=60).json()
    assert ask("runs")["data"] == ["run"]
    with vizkit.LogWriter(log + "/other") as writer:
        writer.add_scalar("x", 1.0, 0)
        writer.add_histogram("h", [1.0, 2.0], 0)
    until(lambda: ask("runs")["data"] == ["other", "run"])
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    taken = []
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        pass
    until(lambda: any("Too many open files" in one["message"] for one in ask("problems")["data"]))
    assert ask("runs")["data"] == ["other", "run"]
    assert ask("scalar/list", run="run", tag="x")["data"]
    histogram = ask("histogram/list", run="other", tag="h")
    assert histogram["status"] != 0 and "Too many open files" in histogram["msg"], histogram
    for number in taken:
        os.close(number)
    until(lambda: not ask("problems")["data"])
    assert len(ask("histogram/list", run="other", tag="h")["data"]) == 1
    assert ask("runs")["data"] == ["other", "run"]
print("done")
"""


def test_without_descriptors_the_runs_stay_and_the_shortage_is_said(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "log" / "run") as writer:
        writer.add_scalar("x", 1.0, 0)
    done = subprocess.run(
        [sys.executable, "-c", SHORT, str(tmp_path / "log")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=ROOT,
        check=False,
    )
    assert done.stdout == "done\n", done.stderr
    assert done.stderr.count("Traceback") <= 2, done.stderr  # once, not at every refresh
