"""Rows of a million predictions as the workspace's page asks for them: filtered, sorted, grouped, paired."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks._common import Goal, Table, median, ms
from benchmarks._pages import free_port, served, vizkit_command
from benchmarks.samples import ROWS, TABLE, record_pair

__all__ = ["run"]

REPEATS, PAGE, MOST_SECONDS = 7, 100, 0.5


def run(root: str) -> list[Table]:
    logs = Path(root, "log")
    record_pair(str(logs), "same")
    table = Table(
        f"Rows of a table of {ROWS:,} predictions, from the workspace's API",
        ("asked for", "ms, median", "most", "rows found"),
        notes=[
            f"Each asks for {PAGE} rows over HTTP. Those with a number of requests ask each time for another "
            "filter, which is not in the server's cache; a next page is."
        ],
    )
    port = free_port()
    with served(vizkit_command(logs, port), port, "/alive"):
        ask = _Client(port).ask
        fresh = (f"{0.5 + number / 1000:.3f}" for number in count())  # a filter that was not asked for
        works: dict[str, Callable[[], Any]] = {
            "a filter": lambda: ask("rows", where=f"label != prediction and score > {next(fresh)}"),
            "a filter and a sort": lambda: ask("rows", where=f"score > {next(fresh)}", order="label_score"),
            "the next page": lambda: ask("rows", order="score", start=next(pages)),
            "groups by label and prediction": lambda: ask(
                "row-groups", by=["label", "prediction"], where=f"score > {next(fresh)}"
            ),
            "a filter of both runs' samples": lambda: ask(
                "rows", against="b", where=f"change == 'broken' and score > {next(fresh)}"
            ),
        }
        pages = (PAGE * number for number in count())
        firsts = {
            "the first rows": lambda: ask("rows"),
            "both runs' samples for the first time": lambda: ask("rows", against="b"),
            "all rows sorted": lambda: ask("rows", order="score"),
        }
        for name, first in firsts.items():
            seconds, answer = _timed(first)
            table.rows.append((name, ms(seconds), ms(seconds), f"{answer['found']:,}"))
        for name, work in works.items():
            taken = [_timed(work) for _ in range(REPEATS)]
            times = [seconds for seconds, _ in taken]
            found = taken[-1][1].get("found")
            rows = "" if found is None else f"{found:,}"
            table.rows.append((f"{name}, {REPEATS} times", ms(median(times)), ms(max(times)), rows))
            if name == "a filter and a sort":
                table.goals.append(
                    Goal(
                        f"a filter and a sort of {ROWS:,} samples in the workspace",
                        f"<= {MOST_SECONDS:g} s",
                        f"{median(times):.2f} s",
                        median(times) <= MOST_SECONDS,
                    )
                )
    return [table]


class _Client:
    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, operation: str, **query: object) -> Any:  # noqa: ANN401  (JSON)
        asked = {"run": "a", "table": TABLE, **query}
        if operation == "rows":
            asked["most"] = PAGE
        self._connection.request("GET", f"/vizkit/api/{operation}?{urlencode(asked, doseq=True)}")
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(body.decode())
        return json.loads(body)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found
