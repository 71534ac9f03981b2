"""Runs that a process of its own records, and deletes, replaces and tears meanwhile.

``python -m tests.faults.changing_runs LOGDIR STATE SECONDS``: ``STATE`` is a file that tells how far each run
is, once its records are written.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from tests.helpers import log_of
from vizkit import LogWriter

RUNS = [f"run{number}" for number in range(8)]
RATE = 1000  # records a second, of all runs together
LONGEST = 1200  # records of a run: few enough for the page to get all of them

_TICK = 0.1  # seconds


def value(life: int, step: int) -> float:
    """The value of a scalar in a run's n-th life."""
    return life * 10_000.0 + step


class _Run:
    """A run that lives several lives, each in a new directory."""

    def __init__(self, path: Path, r: random.Random) -> None:
        self._path, self._r = path, r
        self.life = -1
        self._begin()

    def _begin(self) -> None:
        self.life += 1
        self.step = -1
        self._length = self._r.randrange(200, LONGEST)
        self._torn_at = self._r.randrange(2 * self._length)
        self._away = 0
        self._writer = LogWriter(str(self._path))
        self._writer.add_hparams({"life": self.life}, ["x"])

    @property
    def is_there(self) -> bool:
        return not self._away

    @property
    def is_over(self) -> bool:
        return self.step + 1 >= self._length

    def record(self) -> None:
        self.step += 1
        self._writer.add_scalar("x", value(self.life, self.step), self.step)
        if self.step % 100 == 0:
            self._writer.add_histogram("h", np.full(5, self.life), self.step)
        if self.step == self._torn_at:
            self._tear()

    def _tear(self) -> None:
        """Append half a record; further ones come behind it, or a new session repairs it."""
        log = log_of(self._path)
        content = log.read_bytes()
        with log.open("ab") as file:
            file.write(content[: self._r.randrange(1, 20)])
        if self._r.random() < 0.5:
            self._writer.close()
            self._writer = LogWriter(str(self._path), resume=True)

    def go_on(self) -> None:
        """Delete the run if it is over; another one takes its place at once, or later."""
        if self._away:
            self._away -= 1
            if not self._away:
                self._begin()
        elif self.is_over:
            self._writer.close()
            shutil.rmtree(self._path)
            self._away = self._r.choice((0, 0, 10))
            if not self._away:
                self._begin()


def change(root: Path, state: Path, seconds: float) -> int:
    """Record for a while; returns the number of scalars."""
    r = random.Random(0)
    runs = {name: _Run(root / name, r) for name in RUNS}
    start = time.monotonic()
    written = 0
    while (now := time.monotonic()) < start + seconds:
        there = [run for run in runs.values() if run.is_there]
        for _ in range(int((now - start) * RATE) - written if there else 0):
            there[written % len(there)].record()
            written += 1
        reached = {
            name: (run.life, run.step) for name, run in runs.items() if run.is_there and not run.is_over
        }
        beside = state.with_suffix(".new")
        beside.write_text(json.dumps(reached))
        os.replace(beside, state)
        for run in runs.values():
            run.go_on()
        time.sleep(_TICK)
    return written


if __name__ == "__main__":
    print(change(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
