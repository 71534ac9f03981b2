"""Runs in forked children that are killed while they are closed, then repaired and checked at once.

``python -m tests.faults.killed_closes 600`` kills that many.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import vizkit
from tests.faults.killed_repairs import die_at
from vizkit.cli import _app

STEPS = 20


def record(run: Path, number: int) -> vizkit.Tracker:
    """A run with scalars, and by its number with records that a worker writes, a table or an evaluation."""
    tracker = vizkit.Tracker(
        run, hparams={"a": 1}, metrics=["loss"], quiet=True, system=number % 2 == 0, console=number % 3 == 0
    )
    for step in range(STEPS):
        tracker.log({"loss": step / 3}, step)
    if number % 4 == 1:
        tracker.log_image("image", np.zeros((64, 64, 3)), step=STEPS)
        tracker.log_table("table", {"a": np.arange(100)}, step=STEPS)
    if number % 4 == 2:
        evaluation = tracker.evaluation("eval", predictions=True)
        evaluation.add(np.arange(60) % 3, np.eye(3)[np.arange(60) % 3])
        evaluation.record(STEPS)
    return tracker


def kill_closing(root: Path, number: int, r: random.Random) -> int:
    """Close a run in a child that is killed, before a call of the system or after some time."""
    read, ready = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            tracker = record(root / "run", number)
            os.write(ready, b"x")
            if number % 3 == 0:
                die_at(number // 3 % 12)
            tracker.close()
        finally:
            os._exit(0)
    os.read(read, 1)
    if number % 3:
        time.sleep(r.random() * r.choice((0.001, 0.01, 0.05)))
        os.kill(child, signal.SIGKILL)
    os.close(read)
    os.close(ready)
    return child


def trial(number: int, r: random.Random) -> list[int]:
    """The exit codes of ``vizkit check --repair`` and of two checks after it."""
    with tempfile.TemporaryDirectory() as root, contextlib.redirect_stdout(io.StringIO()):
        child = kill_closing(Path(root), number, r)
        early = number % 2 and number % 3  # while the process may be dying
        if not early:
            os.waitpid(child, 0)
        codes = [_app.run(["check", root, "--repair"]), _app.run(["check", root])]
        if early:
            os.waitpid(child, 0)
        codes.append(_app.run(["check", root]))
        (run,) = vizkit.load(root)
        assert len(run.columns("loss").steps) == STEPS
        return codes


if __name__ == "__main__":
    seed = random.Random(time.time_ns())
    bad = {number: codes for number in range(int(sys.argv[1])) if any(codes := trial(number, seed))}
    print(sys.argv[1], "runs killed while they were closed; exit codes other than 0:", bad)
