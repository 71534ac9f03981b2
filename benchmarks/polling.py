"""What pages ask for again and again, of many clients at once; and how soon a new record is there."""

from __future__ import annotations

import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from benchmarks._common import Goal, Table, median, ms
from benchmarks._readers import NOW, TAGS, Logs, write_logs
from benchmarks._servers import SERVERS, STOCK_SERVER, VIZKIT_SERVER, serving

__all__ = ["run"]

RUNS, STEPS = 100, 1_000
CLIENTS, EACH = 16, 150
RECORDS = 20


def run(root: str) -> list[Table]:
    """Both tables."""
    logs = write_logs(Path(root), np.random.default_rng(0).random((STEPS, len(TAGS))), RUNS)
    return [_warm(logs), _new_records(logs)]


def _warm(logs: Logs) -> Table:
    table = Table(f"`scalar/list` warm, {CLIENTS} clients at once, ms", ("", "median", "p95", "p99"))
    taken = {}
    for name, each in ((VIZKIT_SERVER, EACH), (STOCK_SERVER, 10)):
        with serving(name, logs, "run0", TAGS[0]) as served:
            _ask(name, logs, served.port, each)
            taken[name] = sorted(_ask(name, logs, served.port, each))
        p50, p95, p99 = (taken[name][int(share * len(taken[name]))] for share in (0.5, 0.95, 0.99))
        table.rows.append((name, ms(p50), ms(p95), ms(p99)))
    p95 = taken[VIZKIT_SERVER][int(0.95 * len(taken[VIZKIT_SERVER]))]
    goal = f"`scalar/list` warm, p95, {CLIENTS} clients at once"
    table.goals.append(Goal(goal, "< 10 ms", f"{ms(p95)} ms", p95 < 0.01))
    table.notes.append("The clients are threads of one Python process: its time is in the figures, too.")
    return table


def _ask(name: str, logs: Logs, port: int, each: int) -> list[float]:
    """Seconds of every request, each client asking as soon as it was answered."""
    taken: list[float] = []

    def client(number: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=120)
        for index in range(each):
            run = f"run{(7 * index + number) % logs.runs}"
            path = SERVERS[name].path(logs, run, TAGS[index % len(TAGS)])
            start = time.perf_counter()
            connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
            connection.getresponse().read()
            taken.append(time.perf_counter() - start)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def _new_records(logs: Logs) -> Table:
    from vizkit.format import encode

    field, log = encode.tag_field(TAGS[0]), next((logs.visualdl / "run7").iterdir())
    path = f"/app/api/scalar/list?{urlencode({'run': 'run7', 'tag': TAGS[0]})}"
    taken = []
    with serving(VIZKIT_SERVER, logs, "run0", TAGS[0]) as served:
        connection = HTTPConnection("127.0.0.1", served.port, timeout=60)
        for number in range(RECORDS):
            time.sleep(0.1 + 0.037 * number)  # at any moment between two looks
            step = STEPS + number
            with log.open("ab") as file:
                file.write(
                    encode.encode_scalar(field, 0.5, encode.step_field(step), encode.walltime_field(NOW))
                )
            start = time.perf_counter()
            while f",{step},".encode() not in _get(connection, path):
                time.sleep(0.005)
            taken.append(time.perf_counter() - start)
    table = Table("A new record is visible through the API after, ms", ("", "median", "longest"))
    table.rows.append((VIZKIT_SERVER, ms(median(taken)), ms(max(taken))))
    goal = "a new record visible through the API after it is written"
    table.goals.append(Goal(goal, "< 1 s", f"{max(taken):.2f} s, the longest of {RECORDS}", max(taken) < 1))
    return table


def _get(connection: HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    return connection.getresponse().read()
