"""Trials lost and counted twice when the workers of a sweep are killed at random."""

from __future__ import annotations

import os
import subprocess
import sys
from ast import literal_eval

from benchmarks._common import Goal, Table, fresh

__all__ = ["run"]

KILLS = 20 if os.environ.get("VIZKIT_BENCH_QUICK") else 200
WORKERS = 8
SEEDS = 1 if os.environ.get("VIZKIT_BENCH_QUICK") else 3
_SCRIPT = (
    "import sys; from pathlib import Path; from tests.faults.killed_sweeps import run; "
    f"print(tuple(run(Path(sys.argv[1]), {KILLS}, workers={WORKERS}, trials={2 * KILLS}, pause=0.1, "
    "seed=int(sys.argv[2]))))"
)


def run(root: str) -> list[Table]:
    """One row a sweep."""
    rows, bad, kills = [], 0, 0
    for seed in range(SEEDS):
        command = [sys.executable, "-c", _SCRIPT, fresh(root, "killed"), str(seed)]
        found = literal_eval(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        rows.append([str(seed), *map(str, found)])
        kills += found[0]
        bad += sum(found[1:4]) + found[5]
    goal = Goal(
        f"{WORKERS} workers on one shared directory, {KILLS} SIGKILLs at random",
        "0 trials lost, 0 counted twice, log of each readable",
        f"{bad} in {SEEDS} sweeps with {kills} kills",
        bad == 0,
    )
    note = (
        f"A grid of {2 * KILLS} points; each worker is one more process that makes the same call, and is "
        "replaced when it is killed. Logs, with those that killed workers have left, are read by VizKit and "
        "by VisualDL's reader and compared with what was recorded. `tests/faults/killed_sweeps.py`."
    )
    columns = ("sweep", "kills", "lost", "twice", "wrong value", "logs", "unreadable")
    return [Table("Killed workers", columns, rows, [note], [goal])]
