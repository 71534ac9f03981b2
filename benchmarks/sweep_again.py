"""The same call once more, on a sweep whose trials have all ended."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks._common import Goal, Table, fresh, median

__all__ = ["run"]

TRIALS = 100 if os.environ.get("VIZKIT_BENCH_QUICK") else 1000
REPEATS = 5
_SCRIPT = """
import sys, time
begin = time.perf_counter()
import vizkit
from vizkit.sweeps import log

def train(hparams, tracker):
    if len(sys.argv) < 3:
        raise SystemExit("trained")
    tracker.log({"eval/acc": hparams["learning rate"]}, step=0)

space = {"learning rate": log(1e-4, 1e-1), "batch size": [32, 64, 128]}
import optuna
start = time.perf_counter()
result = vizkit.sweep(
    train, space, logdir=sys.argv[1], metric="eval/acc", trials=%d, sampler="random", quiet=True
)
best = result.best
print(start - begin, time.perf_counter() - start, len(result.finished))
"""


def run(root: str) -> list[Table]:
    """The call in fresh processes, and their imports beside it."""
    logdir = fresh(root, "again")
    _asked(logdir, "make")
    before = sorted(os.listdir(logdir))
    found = [_asked(logdir) for _ in range(REPEATS)]
    started = len(os.listdir(logdir)) - len(before)
    imports, calls = ([one[index] for one in found] for index in (0, 1))
    answer = median(calls)
    goal = Goal(
        f"{TRIALS:,} finished trials in a directory: `sweep` asked again",
        "answers what is best in under 1 s, starts nothing",
        f"{answer:.2f} s, {started} runs more",
        answer < 1 and started == 0,
    )
    rows = [
        ("the call", f"{answer:.3f}", f"{min(calls):.3f}"),
        ("imports of VizKit and Optuna before it", f"{median(imports):.3f}", f"{min(imports):.3f}"),
    ]
    note = f"{REPEATS} fresh processes, files in the system's cache."
    return [Table("A sweep that is done", ("", "s, median", "least"), rows, [note], [goal])]


def _asked(logdir: str, *make: str) -> tuple[float, float]:
    command = [sys.executable, "-c", _SCRIPT % TRIALS, logdir, *make]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    assert int(out[2]) == TRIALS
    return float(out[0]), float(out[1])
