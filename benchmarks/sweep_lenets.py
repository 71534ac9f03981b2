"""The demo's nine LeNets with two workers, against the same nine in one process."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from benchmarks._common import Goal, Table, fresh, median

__all__ = ["run"]

QUICK = bool(os.environ.get("VIZKIT_BENCH_QUICK"))
EPOCHS = 1 if QUICK else 5
REPEATS = 1 if QUICK else 3
WORKERS = 2
GOAL = 1.7


def run(root: str) -> list[Table]:
    """One row a number of workers."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = os.path.join(root, "bytecode")  # which pip makes as it installs
    _demo(fresh(root, "first"), 1, "--epochs", "1", "--trials", "1")
    seconds: dict[int, list[float]] = {1: [], WORKERS: []}
    for _ in range(REPEATS):
        for workers, taken in seconds.items():
            taken.append(_demo(fresh(root, "lenets"), workers, "--epochs", str(EPOCHS)))
    ratios = [one / many for one, many in zip(seconds[1], seconds[WORKERS], strict=True)]
    faster = median(ratios)
    goal = Goal(
        f"nine LeNet trials, {WORKERS} workers, against the same nine in one process",
        f">= {GOAL} times faster",
        f"{faster:.2f} times",
        faster >= GOAL,
    )
    rows = [(f"{workers}", f"{median(taken):.1f}", f"{min(taken):.1f}") for workers, taken in seconds.items()]
    note = (
        f"`python -m vizkit.demo --epochs {EPOCHS} --workers N`, whole processes with imports, in "
        f"turn, {REPEATS} times. The cores are divided among the workers; the one process has all."
    )
    return [Table("Nine LeNets", ("workers", "s, median", "least"), rows, [note], [goal])]


def _demo(logdir: str, workers: int, *options: str) -> float:
    command = [sys.executable, "-m", "vizkit.demo", "--logdir", logdir, "--workers", str(workers)]
    start = time.perf_counter()
    subprocess.run([*command, *options], check=True)
    return time.perf_counter() - start
