"""From a server's start to its first right answer, and the memory that it holds then."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks._common import Goal, Table, median
from benchmarks._readers import TAGS, Logs, write_logs
from benchmarks._servers import SERVERS, STOCK_SERVER, TENSORBOARD, VIZKIT_SERVER, serving

__all__ = ["run"]

RUNS, STEPS, MANY_STEPS = 100, 1_000, 10_000
TIMES = 15


def run(root: str) -> list[Table]:
    """Both tables."""
    random = np.random.default_rng(0)
    logs = write_logs(Path(root, "peers"), random.random((STEPS, len(TAGS))), RUNS)
    many = write_logs(Path(root, "many"), random.random((MANY_STEPS, len(TAGS))), RUNS)
    return [_beside_peers(logs), _many(many)]


def _measure(name: str, logs: Logs, *, opened: bool = False) -> tuple[float, float]:
    """Seconds, and MB."""
    with serving(name, logs, f"run{logs.runs - 1}", TAGS[3], opened=opened) as served:
        return served.seconds, served.memory / 1e6


def _beside_peers(logs: Logs) -> Table:
    title = f"start to first right answer, {logs.runs} runs x {len(TAGS)} tags x {logs.steps:,} steps"
    _measure(VIZKIT_SERVER, logs)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in SERVERS}
    opened: dict[str, list[float]] = {name: [] for name in SERVERS}
    for turn in range(TIMES):
        for name in SERVERS:
            if name != STOCK_SERVER or turn < 2:
                taken[name].append(_measure(name, logs))
                opened[name].append(_measure(name, logs, opened=True)[0])
    seconds = {name: median([one[0] for one in some]) for name, some in taken.items()}
    memory = {name: median([one[1] for one in some]) for name, some in taken.items()}
    table = Table(title, ("", "s", "times VizKit's", "s, page opened", "MB"))
    sooner = {name: seconds[name] / seconds[VIZKIT_SERVER] for name in SERVERS}
    for name in SERVERS:
        page = f"{median(opened[name]):.2f}"
        table.rows.append((name, f"{seconds[name]:.2f}", f"{sooner[name]:.1f}", page, f"{memory[name]:,.0f}"))
    share = memory[VIZKIT_SERVER] / memory[STOCK_SERVER]
    table.goals += [
        Goal(
            title, "15 times sooner than visualdl", f"{sooner[STOCK_SERVER]:.1f}x", sooner[STOCK_SERVER] >= 15
        ),
        Goal(
            title,
            "3 times sooner than TensorBoard's fast load",
            f"{sooner[TENSORBOARD]:.1f}x",
            sooner[TENSORBOARD] >= 3,
        ),
        Goal("memory, 1 M points", "a fifth of visualdl's", f"{share:.2f} of it", share <= 0.2),
    ]
    table.notes.append(
        f"Medians of {TIMES} starts (visualdl: 2), in turns, Python's own start included. Memory is that of "
        "the process and its children after the answer. visualdl's answer counts without its last point, "
        "which it usually drops. Page opened: what the server's page asks for first, up to the list of all "
        "tags of all runs, is answered before."
    )
    return table


def _many(logs: Logs) -> Table:
    title = f"the same with {logs.runs} runs x {len(TAGS)} tags x {logs.steps:,} steps"
    taken = [_measure(VIZKIT_SERVER, logs) for _ in range(3)]
    seconds, memory = median([one[0] for one in taken]), median([one[1] for one in taken])
    table = Table(title, ("", "s", "MB"), [(VIZKIT_SERVER, f"{seconds:.2f}", f"{memory:,.0f}")])
    table.goals += [
        Goal(title, "< 4 s", f"{seconds:.2f} s", seconds < 4),
        Goal("its memory", "< 1 GB", f"{memory:,.0f} MB", memory < 1000),
    ]
    return table
