"""One scalar a call, and a step of ten metrics at once."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks._apart import apart
from benchmarks._common import Goal, Table, fresh, interleaved, median, ms, ratio, three, us
from benchmarks._libraries import LIBRARIES

__all__ = ["run"]

CALLS = 20_000
STEPS = 2_000
REPEATS = 5
TAGS = [
    f"train/{name}" for name in ["loss", "acc", "lr", "grad", "top1", "top5", "kl", "norm", "time", "memory"]
]

Values = list[dict[str, float]]
Times = dict[str, list[float]]
There = Callable[..., Any]
WRITE = "floor: bare `os.write` of the same size"


def run(root: str) -> list[Table]:
    """All three tables."""
    numbers = random.Random(0)
    singles = [{TAGS[0]: numbers.random()} for _ in range(CALLS)]
    steps = [{tag: numbers.random() for tag in TAGS} for _ in range(STEPS)]
    with apart(root, [*LIBRARIES, WRITE]) as there:
        return [
            _one_a_call(there, root, singles),
            _ten_a_step(there, root, steps),
            _begin_and_end(there, root),
        ]


def _one_a_call(there: There, root: str, rows: Values) -> Table:
    taken, calls = _measure(there, root, rows, by_tag=["vizkit LogWriter", "vizkit Tracker"])
    table = _table(f"One scalar a call, {CALLS:,} calls", "us a call", taken, calls, "vizkit LogWriter")
    ours, tracker = median(taken["vizkit LogWriter"]), median(taken["vizkit Tracker"])
    stock = ratio(taken["visualdl LogWriter"], taken["vizkit LogWriter"])
    slower = [_nearest(taken, name) for name in ("vizkit LogWriter", "vizkit Tracker")]
    table.goals += [
        Goal(
            "one scalar a call, `LogWriter.add_scalar`",
            "<= 2.5 us",
            f"{us(ours)} us (bare os.write {us(median(taken[WRITE]))} us)",
            ours <= 2.5e-6,
        ),
        Goal("one scalar a call, `Tracker.log_scalar`", "<= 2.5 us", f"{us(tracker)} us", tracker <= 2.5e-6),
        Goal("one scalar a call, against visualdl", ">= 15x faster", f"{stock:.1f}x", stock >= 15),
        Goal(
            "one scalar a call, against every peer",
            "faster",
            f"{slower[0][0]:.1f}x, Tracker {slower[1][0]:.1f}x ({slower[0][1]}, the fastest)",
            min(slower)[0] > 1,
        ),
    ]
    return table


def _ten_a_step(there: There, root: str, rows: Values) -> Table:
    taken, calls = _measure(there, root, rows, by_tag=["vizkit LogWriter"])
    title = f"`log` of {len(TAGS)} metrics a step, {STEPS:,} steps"
    table = _table(title, "us a metric", taken, calls, "vizkit Tracker")
    table.notes.append("LogWriters and tensorboardX get one call a metric: they have none for a step.")
    ours = median(taken["vizkit Tracker"])
    slower, nearest = _nearest(taken, "vizkit Tracker")
    table.goals += [
        Goal("`log` of 10 metrics a step", "<= 1.2 us a metric", f"{us(ours)} us", ours <= 1.2e-6),
        Goal(
            "`log` of 10 metrics, against every peer",
            "faster",
            f"{slower:.1f}x ({nearest}, the fastest)",
            slower > 1,
        ),
    ]
    return table


def _begin_and_end(there: There, root: str) -> Table:
    """What a run costs beside its records."""
    ends: Times = {name: [] for name in LIBRARIES}

    def case(name: str) -> float:
        begin, end = there(name, _opened_and_closed, root, name)
        ends[name].append(end)
        return begin

    begins = interleaved({name: partial(case, name) for name in LIBRARIES}, REPEATS)
    rows = [(name, ms(median(begins[name])), ms(median(ends[name][-REPEATS:]))) for name in LIBRARIES]
    note = (
        "Medians. A Tracker keeps packages, hardware and git's state with the run. git is asked in the "
        "background, for some 50 ms, and waited for between open and close: neither these figures nor those "
        "above count it. What trackio and swanlab would look at on the machine is switched off."
    )
    return Table("A run's begin and end, no records", ("", "open, ms", "close, ms"), rows, [note])


def _opened_and_closed(root: str, name: str) -> tuple[float, float]:
    """Seconds of both."""
    directory = fresh(root, name)
    start = time.perf_counter()
    recorder = LIBRARIES[name](directory)
    opened = time.perf_counter()
    recorder.ready()
    closing = time.perf_counter()
    recorder.close()
    return opened - start, time.perf_counter() - closing


def _nearest(taken: Times, ours: str) -> tuple[float, str]:
    """The fastest peer, and how many times our time it takes."""
    return min((ratio(taken[name], taken[ours]), name) for name in LIBRARIES if not name.startswith("vizkit"))


def _measure(there: There, root: str, rows: Values, by_tag: list[str]) -> tuple[Times, Times]:
    """Seconds a scalar with `close` included, and those of the calls alone.

    VizKit is called through ``scalar`` where ``by_tag`` says so, and through ``log`` elsewhere.
    """
    calls: Times = {name: [] for name in LIBRARIES}
    count = len(rows) * len(rows[0])

    def case(name: str) -> float:
        alone, whole = there(name, _recorded, root, name, rows, name in by_tag)
        calls[name].append(alone / count)
        return whole / count

    cases = {name: partial(case, name) for name in LIBRARIES}
    size = _bytes_a_row(root, rows)
    cases[WRITE] = lambda: there(WRITE, _bare_writes, root, size, len(rows)) / count
    return interleaved(cases, REPEATS), calls


def _recorded(root: str, name: str, rows: Values, by_tag: bool) -> tuple[float, float]:
    """Seconds of the calls, and with `close`."""
    recorder = LIBRARIES[name](fresh(root, name))
    recorder.ready()
    start = time.perf_counter()
    if recorder.log is None or by_tag:
        _call_by_tag(recorder.scalar, rows)
    else:
        _call_by_step(recorder.log, rows)
    done = time.perf_counter()
    recorder.close()
    return done - start, time.perf_counter() - start


def _call_by_tag(add: Callable[[str, float, int], object] | None, rows: Values) -> None:
    assert add is not None
    if len(rows[0]) == 1:
        (tag,) = rows[0]
        for step, row in enumerate(rows):
            add(tag, row[tag], step)
        return
    for step, row in enumerate(rows):
        for tag, value in row.items():
            add(tag, value, step)


def _call_by_step(log: Callable[[dict[str, float], int], object], rows: Values) -> None:
    for step, row in enumerate(rows):
        log(row, step)


def _bytes_a_row(root: str, rows: Values) -> int:
    recorder = LIBRARIES["vizkit Tracker"](fresh(root, "size"))
    _call_by_step(recorder.log, rows[:100])  # type: ignore[arg-type]
    recorder.close()
    return recorder.files.stat().st_size // 100


def _bare_writes(root: str, size: int, count: int) -> float:
    """Seconds of as many appends of as many bytes, with nothing encoded."""
    data = bytes(size)
    fd = os.open(os.path.join(fresh(root, "write"), "file"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    write = os.write
    start = time.perf_counter()
    for _ in range(count):
        write(fd, data)
    os.close(fd)
    return time.perf_counter() - start


def _table(title: str, unit: str, taken: Times, calls: Times, base: str) -> Table:
    rows = []
    for name, times in taken.items():
        alone = us(median(calls[name][-len(times) :])) if name in calls else ""
        middle, least, slower = three(times, taken[base])
        rows.append((name, middle, least, alone, slower))
    note = (
        f"{REPEATS} interleaved repetitions after one that is not counted, each library in a process of "
        "its own. The calls-alone column leaves out `close`, in which libraries with a queue do what they "
        "put off."
    )
    return Table(title, ("", f"{unit}, median", "min", "calls alone", f"times {base}"), rows, [note])
