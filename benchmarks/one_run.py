"""A million scalars of one run to arrays, and what that takes of memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from benchmarks._common import Goal, Table, median, timed
from benchmarks._readers import (
    DATA_SERVER,
    READERS,
    STOCK,
    TAGS,
    VIZKIT,
    Logs,
    beside_ours,
    in_rounds,
    write_logs,
    write_visualdl,
)

__all__ = ["run"]

STEPS = 100_000
RECORDS = STEPS * len(TAGS)
REPEATS = {STOCK: 2, DATA_SERVER: 3}


def run(root: str) -> list[Table]:
    """Both tables."""
    values = np.random.default_rng(0).random((STEPS, len(TAGS)))
    logs = write_logs(Path(root, "peers"), values)
    table = _beside_peers(logs)
    every = {
        "float32, as stock VisualDL writes them": logs.visualdl / "run0",
        "float64": Path(root, "float64"),
        "float64 and float32, tags in any order": Path(root, "any-order"),
        "1,000 tags": Path(root, "many-tags"),
    }
    write_visualdl(every["float64"], in_rounds(values))
    rounds = np.where(np.random.default_rng(1).random(values.shape) < 0.5, np.rint(8 * values) / 8, values)
    write_visualdl(every["float64 and float32, tags in any order"], _in_any_order(rounds))
    write_visualdl(every["1,000 tags"], _many_tags(values))
    return [table, _kinds_of_logs(every)]


def _in_any_order(values: np.ndarray) -> Iterable[tuple[int, str, float]]:
    order = np.random.default_rng(2)
    for step, row in enumerate(values.tolist()):
        for index in order.permutation(len(TAGS)).tolist():
            yield step, TAGS[index] + "x" * index, row[index]


def _many_tags(values: np.ndarray) -> Iterable[tuple[int, str, float]]:
    for step, row in enumerate(values.reshape(-1, 1000).tolist()):
        for index, value in enumerate(row):
            yield step, f"layer{index}/weight norm", value


def _beside_peers(logs: Logs) -> Table:
    table = Table(
        f"{RECORDS:,} scalars, {len(TAGS)} tags, one run, to arrays",
        ("", "s", "records a second", "ns a record", "times VizKit's"),
    )
    taken, times_ours = beside_ours(lambda name: _checked(READERS[name], logs), REPEATS)
    for name, seconds in taken.items():
        table.rows.append(
            (
                name,
                f"{seconds:.3f}",
                f"{RECORDS / seconds:,.0f}",
                f"{seconds / RECORDS * 1e9:,.0f}",
                f"{seconds / taken[VIZKIT]:.1f}",
            )
        )
    speed = RECORDS / taken[VIZKIT]
    table.goals.append(
        Goal(table.title, ">= 6,000,000 a second", f"{speed:,.0f} a second", speed >= 6_000_000)
    )
    for name, times_faster in ((STOCK, 40), (DATA_SERVER, 4)):
        faster = taken[name] / taken[VIZKIT]
        goal = f">= {times_faster}x faster"
        table.goals.append(Goal(f"the same, against {name}", goal, f"{faster:.1f}x", faster >= times_faster))
    table.notes.append(
        "Medians of 2 runs (LogReader), 3 (data server), 1 (EventAccumulator, tbparse) and "
        f"{times_ours} of VizKit's, two before each of theirs; files in the page cache. The data server's "
        "time includes its start and all points' way over gRPC into arrays. tbparse gives frames."
    )
    return table


def _checked(read: Callable[[Logs], dict[tuple[str, str], object]], logs: Logs) -> float:
    found: dict[tuple[str, str], object] = {}
    seconds = timed(lambda: found.update(read(logs)))
    assert len(found) == logs.runs * len(TAGS)
    for columns in found.values():
        assert len(columns[0] if isinstance(columns, tuple) else columns) == logs.steps  # type: ignore[arg-type]
    return seconds


def _kinds_of_logs(every: dict[str, Path]) -> Table:
    from vizkit.reading import RunReader

    def read(path: Path) -> None:
        run = RunReader(path)
        assert sum(len(run.scalars(tag).steps) for tag in run.kinds) == RECORDS

    table = Table(
        f"VizKit on several logs of {RECORDS:,} scalars",
        ("", "ns a record", "the least", "peak memory, times the columns"),
    )
    worst = 0.0
    for name, path in every.items():
        times = [timed(lambda path=path: read(path)) / RECORDS * 1e9 for _ in range(6)][1:]  # type: ignore[misc]
        tracemalloc.start()
        read(path)
        peak = tracemalloc.get_traced_memory()[1] / (24 * RECORDS)
        tracemalloc.stop()
        worst = max(worst, peak)
        table.rows.append((name, f"{median(times):.0f}", f"{min(times):.0f}", f"{peak:.2f}"))
    table.goals.append(Goal("peak memory for the above", "<= 4x the columns", f"{worst:.2f}x", worst <= 4))
    table.notes.append(
        "Memory: the most that NumPy and Python had allocated at once (tracemalloc), the columns included: "
        "24 bytes a record."
    )
    return table
