"""A server under a stream of records, while runs are deleted, replaced and torn, and clients are hostile.

``python -m tests.faults.soak 3600`` goes on for an hour, and tells each minute what it measured.
"""

from __future__ import annotations

import csv
import http.client
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import urlencode

from tests.faults.changing_runs import RUNS, value
from tests.faults.hostile_clients import (
    HEAD,
    Served,
    asking,
    attacking,
    connect,
    read_nothing,
    request_many,
    serving,
    stay_idle,
)
from tests.helpers import PATIENCE, ROOT

CLIENTS = 16
PAUSE = 0.2  # seconds between a client's questions
_ATTACK = 10.0  # seconds


def dribble(port: int, end: float) -> None:
    """A client that sends its request byte by byte, and one that reads its answer so."""
    with connect(port) as writer, connect(port) as reader:
        reader.sendall(asking("/app/__snowpack__/pkg/echarts.js"))
        for byte in HEAD:
            if time.monotonic() > end:
                return
            writer.sendall(bytes((byte,)))
            reader.recv(1)
            time.sleep(0.1)


HOSTILE = [
    request_many("/{number}" + "a%2F" * 5_000),
    stay_idle(b""),
    dribble,
    stay_idle(HEAD),
    read_nothing("/app/favicon.ico"),
    request_many("/app/index", b"Cookie: " + b"a=b; " * 7_000 + b"\r\n"),
]


def be_hostile(port: int, end: float) -> None:
    """One attack after another."""
    number = 0
    while time.monotonic() < end:
        with suppress(OSError):
            HOSTILE[number % len(HOSTILE)](port, min(end, time.monotonic() + _ATTACK))
        number += 1


class Client:
    """A client that asks for what runs hold, and checks what it gets against what they have told."""

    def __init__(self, server: Served, state: Path, seed: int) -> None:
        self._server, self._state = server, state
        self._r = random.Random(seed)
        self.waits: list[float] = []
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)

    def ask(self, path: str, **query: object) -> tuple[int, bytes]:
        """Status and body of an answer."""
        start = time.monotonic()
        while True:
            try:
                self._connection.request(
                    "GET", f"{path}?{urlencode(query)}", headers={"Authorization": "Bearer secret"}
                )
                answer = self._connection.getresponse()
                body = answer.read()
                break
            except (ConnectionError, http.client.HTTPException):  # closed to make room
                self._connection.close()
                assert time.monotonic() - start < PATIENCE
        self.waits.append(time.monotonic() - start)
        return answer.status, body

    def _data(self, endpoint: str, **query: object) -> object:
        """The data of an answer of the API; None if it could not be given, as the run is gone."""
        status, body = self.ask(f"/app/api/{endpoint}", **query)
        assert status == 200
        return json.loads(body)["data"]

    def reached(self) -> dict[str, list[int]]:
        """How far each run is, by its own words."""
        found: dict[str, list[int]] = json.loads(self._state.read_text())
        return found

    def turn(self) -> None:
        """Ask something, and check the answer."""
        self._r.choice((self.curve, self.curve, self.table, self.names, self.download, self.pages))()

    def names(self) -> None:
        """Every run that is there is listed."""
        there = set(self.reached())
        self._until(lambda: there & set(self.reached()) <= set(self._list("runs")))

    def _list(self, endpoint: str) -> list[str]:
        found = self._data(endpoint)
        assert isinstance(found, list)
        return found

    def curve(self) -> None:
        """A curve has all that its run had written when it was asked for."""
        reached = self.reached()
        run = self._r.choice(list(reached) or RUNS)
        life, step = reached.get(run, (0, -1))

        def is_there() -> bool:
            points = self._data("scalar/list", run=run, tag="x") or []
            assert isinstance(points, list)
            found = life_of([(int(at), shown) for _, at, shown in points])
            return found is not None and (found, len(points) - 1) >= (life, step)

        self._until(lambda: is_there() or self.reached().get(run, [life + 1])[0] != life)

    def download(self) -> None:
        """A file of all points has those of one life."""
        _, body = self.ask("/app/api/scalar/data", run=self._r.choice(RUNS), tag="x", type="csv")
        if not body.startswith(b"{"):  # else the run is gone
            header, *rows = csv.reader(body.decode().splitlines())
            assert header == ["id", "tag", "timestamp", "value"]
            life_of([(int(float(row[0])), float(row[3])) for row in rows])

    def table(self) -> None:
        """The table's values are those of one life."""
        rows = self._data("hparams/list")
        assert isinstance(rows, list)
        for row in rows:
            assert row["name"] in RUNS
            last = row["metrics"].get("x")
            if isinstance(last, float):
                assert last // 10_000 == row["hparams"]["life"], row

    def pages(self) -> None:
        """VizKit's page, and the answers that it asks for, are there; a run or a tag may be gone."""
        view = self._r.choice(("", "api/runs", "api/run", "api/groups"))
        run, tag = self._r.choice(RUNS), "x"
        query = {"api/run": {"run": run}, "api/groups": {"group": "life", "tag": tag}}.get(view, {})
        status, body = self.ask(f"/vizkit/{view}", **query)
        assert status == 200 or (status in (400, 404) and query), (view, status, body[:200])
        if view:
            json.loads(body)
        else:
            assert body.rstrip().endswith(b"</html>")

    @staticmethod
    def _until(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end
            time.sleep(PAUSE)


def life_of(points: list[tuple[int, float]]) -> int | None:
    """The life that all points are of; they are whole, from the first step on."""
    if not points:
        return None
    life = int(points[0][1] // 10_000)
    assert points == [(step, value(life, step)) for step in range(len(points))]
    return life


class Outcome(NamedTuple):
    """The measurements of a soak.

    Attributes:
        records: scalars that were recorded.
        waits: seconds until each answer, in ascending order.
        memory: bytes that the server held, one a second.
    """

    records: int
    waits: list[float]
    memory: list[int]

    def __str__(self) -> str:
        waits, count = self.waits, len(self.waits)
        rare = waits[count * 99 // 100]
        tenth = max(len(self.memory) // 10, 1)
        held = (round(median(self.memory[at:][:tenth]) / 1e6) for at in range(0, len(self.memory), tenth))
        return (
            f"{self.records} records, {count} answers, all right; load {os.getloadavg()[1]:.1f}\n"
            f"waited {median(waits):.3f} s, one of 100 {rare:.2f} s, at most {waits[-1]:.2f} s\n"
            f"memory in MB, in each tenth of the time: {' '.join(map(str, held))}"
        )


@contextmanager
def recording(root: Path, state: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A process that records until the time is over."""
    code = [sys.executable, "-m", "tests.faults.changing_runs", str(root), str(state), str(seconds)]
    process = subprocess.Popen(code, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        while not state.exists():
            assert process.poll() is None
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


def soak(root: Path, seconds: float, *, tell: bool = False) -> Outcome:
    """Serve for a while; raises AssertionError for a wrong answer, or one that does not come."""
    log, state = root / "log", root / "state.json"
    log.mkdir()
    with (
        serving(log) as server,
        recording(log, state, seconds) as writer,  # its time begins when there is somebody to ask
        attacking(be_hostile, server.port, time.monotonic() + seconds),
    ):
        clients = [Client(server, state, seed) for seed in range(CLIENTS)]

        def live(client: Client) -> None:
            while writer.poll() is None:
                client.turn()
                time.sleep(PAUSE)

        memory: list[int] = []

        def outcome(records: int = 0) -> Outcome:
            every = sorted(wait for client in clients for wait in client.waits)
            return Outcome(records, every, memory)

        with ThreadPoolExecutor(CLIENTS) as pool:
            living = [pool.submit(live, client) for client in clients]
            while not all(one.done() for one in living):
                memory.append(server.memory)
                time.sleep(1)
                if tell and len(memory) % 60 == 0:
                    print(outcome(), flush=True)
                if any(one.done() and one.exception() for one in living):
                    writer.kill()
            for one in living:
                one.result()
        return outcome(int(writer.communicate()[0]))


if __name__ == "__main__":
    with TemporaryDirectory() as directory:
        print(soak(Path(directory), float(sys.argv[1]), tell=True))
