"""The servers, started as their users start them, and how each is asked for the points of a run."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode

import psutil

from benchmarks._readers import TAGS, Logs

__all__ = ["SERVERS", "STOCK_SERVER", "TENSORBOARD", "VIZKIT_SERVER", "Served", "Server", "serving"]

VIZKIT_SERVER, STOCK_SERVER, TENSORBOARD = "vizkit serve", "visualdl", "tensorboard --load_fast=true"
_PATIENCE = 300.0


@dataclass(frozen=True)
class Server:
    """A way to serve logs.

    Attributes:
        command: what starts it: logs, port -> arguments.
        path: what is asked for: logs, run, tag -> path and query.
        right: whether the answer is there and right, as far as that server's answers ever are.
        opening: what its page asks for when it opens, before any points; the last of these lists all tags.
        listed: how many tags of runs that last answer lists.
    """

    command: Callable[[Logs, int], list[str]]
    path: Callable[[Logs, str, str], str]
    right: Callable[[bytes, int], bool]
    opening: tuple[str, ...]
    listed: Callable[[bytes], int]


@dataclass(frozen=True)
class Served:
    """A server at work.

    Attributes:
        port: where it listens.
        seconds: from its start to its first right answer.
        pid: its process.
    """

    port: int
    seconds: float
    pid: int

    @property
    def memory(self) -> int:
        """Bytes that it and its children hold."""
        process = psutil.Process(self.pid)
        return sum(one.memory_info().rss for one in [process, *process.children(recursive=True)])


def _api(logs: Logs, run: str, tag: str) -> str:
    return f"/app/api/scalar/list?{urlencode({'run': run, 'tag': tag})}"


def _rows(answer: bytes) -> list[list[float]]:
    rows: list[list[float]] = json.loads(answer)["data"]
    return rows


_OPENING = tuple(f"/app/api/{name}" for name in ("component_tabs", "components", "runs", "scalar/tags"))


def _listed(answer: bytes) -> int:
    return sum(map(len, json.loads(answer)["data"]["tags"]))


SERVERS = {
    VIZKIT_SERVER: Server(
        lambda logs, port: [
            *(sys.executable, "-m", "vizkit", "serve", "--logdir", str(logs.visualdl), "--port", str(port))
        ],
        _api,
        lambda answer, steps: bool(rows := _rows(answer)) and rows[-1][1] == steps - 1,
        _OPENING,
        _listed,
    ),
    STOCK_SERVER: Server(
        lambda logs, port: [
            *(sys.executable, "-m", "visualdl.server.app", "--logdir", str(logs.visualdl)),
            *("--host", "127.0.0.1", "--port", str(port), "--disable-telemetry"),
        ],
        lambda logs, run, tag: _api(logs, f"{logs.visualdl}/{run}", tag),
        lambda answer, steps: bool(_rows(answer)),  # its last point is usually missing
        _OPENING,
        _listed,
    ),
    TENSORBOARD: Server(
        lambda logs, port: [
            *(sys.executable, "-m", "tensorboard.main", "--logdir", str(logs.tensorboard)),
            *("--host", "127.0.0.1", "--port", str(port), "--load_fast=true"),
        ],
        lambda logs, run, tag: f"/data/plugin/scalars/scalars?{urlencode({'run': run, 'tag': tag})}",
        lambda answer, steps: bool(rows := json.loads(answer)) and rows[-1][1] == steps - 1,
        ("/data/environment", "/data/plugins_listing", "/data/runs", "/data/plugin/scalars/tags"),
        lambda answer: sum(map(len, json.loads(answer).values())),
    ),
}


@contextmanager
def serving(name: str, logs: Logs, run: str, tag: str, *, opened: bool = False) -> Iterator[Served]:
    """A server that has given its first right answer: the points of a tag of a run.

    Args:
        name: of `SERVERS`.
        logs: what it serves.
        run: the run that is asked for.
        tag: the tag that is asked for.
        opened: whether all that its page asks for when it opens is to be answered before, and to be complete.

    Raises:
        RuntimeError: it gave none within five minutes.
    """
    server = SERVERS[name]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = server.path(logs, run, tag)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "NO_PROXY": "127.0.0.1"}
    # Bytecode is kept, as where packages are installed: else VizKit alone is compiled at every start.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    process = subprocess.Popen(server.command(logs, port), env=environment, start_new_session=True)
    try:
        while not _answers(server, port, path, logs, opened):
            if process.poll() is not None or time.perf_counter() - start > _PATIENCE:
                raise RuntimeError(f"{name} gave no right answer")
            time.sleep(0.01)
        yield Served(port, time.perf_counter() - start, process.pid)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(server: Server, port: int, path: str, logs: Logs, opened: bool) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        if opened:
            *_, tags = [_get(connection, one) for one in server.opening]
            if server.listed(tags) < logs.runs * len(TAGS):
                return False
        return server.right(_get(connection, path), logs.steps)
    except (OSError, HTTPException, ValueError, TypeError, KeyError):
        return False
    finally:
        connection.close()


def _get(connection: HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise HTTPException(path)
    return body
