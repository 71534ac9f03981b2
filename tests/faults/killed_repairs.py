"""Repairs in forked children that are killed, by the number of the call or after some time.

``python -m tests.faults.killed_repairs 500`` kills that many at random moments.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

import vizkit
from tests.logs import NOW, scalar
from tests.unit.repair.logs import aged
from vizkit.repair import check, repair
from vizkit.writing.log_file import LogFile

CALLS = ("link", "rename", "replace", "fsync", "unlink", "chmod", "ftruncate")
"""Functions of `os` that change a directory or make changes last."""

DAMAGES = ("merge", "merge of torn logs", "merge with renames", "gap", "resume")


@cache
def frames(some: range, tag: str = "loss") -> list[bytes]:
    return [scalar(tag, step / 2 + 1, step, NOW + step) for step in some]


def made(run: Path, damage: str, count: int) -> int:
    """A run that needs a repair; returns the number of steps, none of which may ever be missing."""
    run.mkdir(parents=True)
    tag = "%loss" if damage == "merge with renames" else "loss"
    if not damage.startswith("merge"):
        data = frames(range(count))
        gap = b"\xff" * 50
        (run / "vdlrecords.1.log").write_bytes(b"".join(data[:9]) + gap + b"".join(data[9:]))
        return count
    torn = b"\x40" if damage == "merge of torn logs" else b""
    for number in range(3):  # resumed twice: each begins where the one before ended
        steps = range(count * number, count * (number + 1))
        (run / f"vdlrecords.{number}.log").write_bytes(b"".join(frames(steps, tag)) + torn)
    return 3 * count


def work(run: Path, damage: str) -> None:
    if damage == "resume":
        LogFile(str(run / "vdlrecords.1.log")).append(b"")
    else:
        repair(run.parent)


def missing(run: Path, wanted: int) -> int:
    """How many of the first steps no run holds."""
    found = np.zeros(wanted, bool)
    for one in vizkit.load(run.parent):
        for tag in one.scalar_tags:
            found[one.columns(tag, superseded=True).steps] = True
    return int(wanted - found.sum())


def kill(run: Path, damage: str, arm: Callable[[], None]) -> bool:
    """Repair in a child that ``arm`` may have killed; True if it was."""
    child = os.fork()
    if not child:
        try:
            arm()
            work(run, damage)
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] != 0


def check_after(run: Path, damage: str, wanted: int) -> None:
    lost = missing(run, wanted)
    assert not lost, f"{damage}: {lost} records missing after the kill"
    aged(run.parent)
    work(run, damage)
    repair(run.parent)
    lost = missing(run, wanted)
    assert not lost, f"{damage}: {lost} records missing after the next repair"
    problems = [finding for finding in check(run.parent) if finding.is_problem]
    assert not problems, f"{damage}: {problems}"
    (log,) = run.glob("*vdlrecords*")
    (one,) = vizkit.load(run.parent)
    (tag,) = one.scalar_tags
    assert np.array_equal(one.columns(tag).steps, np.arange(wanted))
    assert len(one.columns(tag, superseded=True).steps) == wanted, f"{damage}: twice in {log}"


def die_at(number: int, calls: Sequence[str] = CALLS) -> None:
    """Have this process killed right before its call of this number."""
    left = number

    def counted(name: str) -> None:
        real = getattr(os, name)

        def call(*args: object, **options: object) -> object:
            nonlocal left
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return real(*args, **options)

        setattr(os, name, call)

    for name in calls:
        counted(name)


def at_every_call(root: Path, damage: str) -> int:
    """Kill a repair before its first change of a file, another before its second ...; returns how many."""
    number = 0
    while True:
        run = root / str(number) / "run"
        wanted = made(run, damage, 40)
        aged(run.parent)
        killed = kill(run, damage, lambda number=number: die_at(number))  # type: ignore[misc]
        check_after(run, damage, wanted)
        if not killed:
            return number
        number += 1


def at_random(count: int) -> int:
    """Kill so many repairs of logs of 90,000 records at random moments; returns how many were killed."""
    r = random.Random(time.time_ns())
    killed = 0
    seconds = dict.fromkeys(DAMAGES, 0.0)  # that each repair takes
    for number in range(-len(DAMAGES), count):
        damage = DAMAGES[number % len(DAMAGES)]
        with tempfile.TemporaryDirectory() as root:
            run = Path(root) / "run"
            wanted = made(run, damage, 30_000)
            aged(run.parent)
            begin = time.monotonic()
            if number < 0:
                kill(run, damage, lambda: None)
                seconds[damage] = time.monotonic() - begin
                continue
            delay = r.uniform(0, seconds[damage])
            if kill(run, damage, lambda delay=delay: die_after(delay)):  # type: ignore[misc]
                killed += 1
            else:  # it was faster than the one that was timed
                seconds[damage] *= 0.8
            check_after(run, damage, wanted)
        if number % 50 == 49:
            print(f"{killed} of {number + 1} repairs killed; no record missing", flush=True)
    return killed


def die_after(seconds: float) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process at once, as SIGKILL does
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))


if __name__ == "__main__":
    print(at_random(int(sys.argv[1])), "of", sys.argv[1], "repairs killed; no record missing")
