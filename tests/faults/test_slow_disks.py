"""Disks that are slow, or hang: the training goes on, and nothing is lost but by a kill, or counted."""

from __future__ import annotations

import errno
import os
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import PATIENCE, damage, log_of, python, series, stock, until
from vizkit import Tracker, VizKitWarning
from vizkit.writing import log_file, paced_log, record_log


class Disk:
    """The file system of a log, and the clock that its writes are timed with.

    Attributes:
        seconds: what a write takes.
        threads: what other threads add to it, which hold the interpreter.
        works: cleared while no write comes back.
        calls: the size of each write.
        full: True if there is no space left.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.seconds = self.threads = 0.0
        self.works = threading.Event()
        self.works.set()
        self.calls: list[int] = []
        self.full = False

    def held(self, fd: int, data: bytes, size: int) -> int:
        assert self.works.wait(PATIENCE)
        self.now += self.seconds
        self.calls.append(len(data))
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.write(fd, data)

    def write(self, fd: int, data: bytes) -> int:
        self.now += self.threads
        return self.held(fd, data, len(data))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk()
    monkeypatch.setattr(paced_log, "_AT_ONCE_SECONDS", 0.25)
    monkeypatch.setattr(log_file, "_os_write", made.write)
    monkeypatch.setattr(log_file, "_held_write", lambda: made.held)
    for module in (log_file, record_log, paced_log):
        monkeypatch.setattr(module, "_monotonic", lambda: made.now)
    yield made
    made.works.set()


@pytest.fixture
def run(tmp_path: Path, disk: Disk) -> Iterator[Tracker]:
    with Tracker(tmp_path / "run", system=False) as tracker:
        record(tracker, 0, 5)
        yield tracker


def record(tracker: Tracker, first: int, last: int) -> None:
    for step in range(first, last):  # walltimes: the writes of one millisecond are timed once
        tracker.log_scalar("loss", step / 3, step, walltime=1_700_000_000_000 + step)


def steps(tracker: Tracker, tag: str = "loss") -> list[int | float]:
    return [step for step, _ in series(tracker.logdir, tag)]


def slow_down(tracker: Tracker, disk: Disk, first: int = 5, seconds: float = 0.2) -> int:
    """Record to a slow disk until it is handed over; returns the next step."""
    disk.seconds = seconds
    with pytest.warns(VizKitWarning, match="the disk is slow"):
        while not tracker.writer._paced.behind:
            record(tracker, first, first + 1)
            first += 1
    return first


def test_a_slow_disk_holds_the_training_up_for_a_few_writes(run: Tracker, disk: Disk) -> None:
    step = slow_down(run, disk)
    assert step < 10
    disk.works.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it was told once
        record(run, step, 100)
        run.log_image("image", np.zeros((4, 4, 3), np.uint8), 100)
        run.log_histogram("weights", np.arange(50_000.0), 100)
        record(run, 100, 200)
        disk.works.set()
        run.close()
    assert steps(run) == list(range(200))
    assert steps(run, "image") == steps(run, "weights") == [100]
    assert not run.lost
    assert not damage(log_of(run.logdir))
    assert len(stock(run.logdir, "scalar", "loss")) == 200
    assert len(disk.calls) < 50


@pytest.mark.parametrize("seconds", [0.05, 0.2, 5.0])
def test_a_disk_that_is_fast_again_is_written_through_in_order(
    run: Tracker, disk: Disk, seconds: float
) -> None:
    disk.seconds = seconds
    step = 5
    with pytest.warns(VizKitWarning, match="the disk is slow"):
        while not run.writer._paced.behind:
            record(run, step, step + 1)
            step += 1
    assert (step - 5) * seconds <= max(0.25 + 2 * seconds, 2 * seconds)
    disk.seconds = 0.0

    def through() -> bool:
        nonlocal step
        disk.now += 10  # the time that was lost is made up for
        record(run, step, step + 1)
        step += 1
        return not run.writer._paced.behind

    until(through)
    run.flush()
    for _ in range(20):
        record(run, step, step + 1)
        step += 1
        assert steps(run)[-1] == step - 1
    assert steps(run) == list(range(step))


def test_other_threads_that_hold_the_interpreter_are_no_slow_disk(run: Tracker, disk: Disk) -> None:
    disk.threads = 0.02
    record(run, 5, 300)
    assert not run.writer._paced.behind
    assert steps(run) == list(range(300))


def test_a_disk_that_is_slow_once_in_a_while_is_written_through(run: Tracker, disk: Disk) -> None:
    for step in range(5, 300):
        disk.seconds = 0.1 if step % 20 < 2 else 0.0
        disk.now += 1.0
        record(run, step, step + 1)
        assert not run.writer._paced.behind
    assert steps(run) == list(range(300))


def test_other_processes_that_have_the_core_are_no_slow_disk(
    run: Tracker, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "_waited_for_a_core", lambda: 0.9 * disk.now)
    disk.seconds = 0.04
    record(run, 5, 300)
    assert not run.writer._paced.behind
    slow_down(run, disk, 300, seconds=0.5)


def test_one_long_stop_of_a_starved_process_is_no_slow_disk(run: Tracker, disk: Disk) -> None:
    disk.seconds = 3.0
    record(run, 5, 6)
    disk.seconds = 0.0
    record(run, 6, 100)
    assert not run.writer._paced.behind


def test_a_disk_that_hangs_is_not_waited_for(
    run: Tracker, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paced_log, "_MOST_BYTES", 1000)
    step = slow_down(run, disk)
    run.flush()
    disk.works.clear()
    record(run, step, step + 1)
    until(lambda: run.writer._log._busy_since > 0)
    disk.now += 31
    with pytest.warns(VizKitWarning, match="not recorded: .*a write has not come back for 30 s"):
        record(run, step + 1, 200)
        run.log_image("image", np.zeros((64, 64, 3), np.uint8), 0)
        run.close()
        run.close()
    assert run.lost == {"loss": 200 - step, "image": 1}
    disk.works.set()


def test_flush_says_that_a_disk_hangs(run: Tracker, disk: Disk) -> None:
    step = slow_down(run, disk)
    disk.works.clear()
    record(run, step, step + 1)
    until(lambda: run.writer._log._busy_since > 0)
    disk.now += 31
    with pytest.warns(VizKitWarning, match="records are still waiting"):
        run.flush()
    disk.works.set()
    until(lambda: not run.writer._log.hangs)
    run.flush()
    assert steps(run) == list(range(step + 1))


def test_a_slow_disk_that_is_full_has_each_record_counted(run: Tracker, disk: Disk) -> None:
    step = slow_down(run, disk)
    run.flush()
    disk.full = True
    with pytest.warns(VizKitWarning, match="not recorded: .*No space"):
        record(run, step, 100)
        run.log({"a": 1, "b": 2}, 0)
        run.flush()
    disk.full = False
    record(run, 100, 120)
    run.close()
    assert run.lost == {"loss": 100 - step, "a": 1, "b": 1}
    assert steps(run) == [*range(step), *range(100, 120)]


SLOW = """
import os, signal, sys, time, warnings
import vizkit
from vizkit.writing import log_file
warnings.simplefilter("ignore")
write = os.write
def slow(fd, data, size=0):
    time.sleep(0.1)
    return write(fd, data)
log_file._os_write = slow
log_file._held_write = lambda: slow
tracker = vizkit.Tracker(sys.argv[1], system=False)
step = 0
def record():
    global step
    tracker.log_scalar("loss", step / 3, step, walltime=1_700_000_000_000 + step)
    step += 1
while not tracker.writer._paced.behind:
    record()
for _ in range(100):
    record()
"""

ENDS = {
    "exit": "sys.exit(3)",
    "exception": "raise KeyError",
    "signal": """
def handle(number, frame):
    tracker.close()
    print(step)
    os._exit(3)
signal.signal(signal.SIGTERM, handle)
os.kill(os.getpid(), signal.SIGTERM)
while True:
    record()
""",
    "fork": """
child = os.fork()
record()
if not child:  # its record is left out
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
tracker.close()
print(step)
sys.exit(3)
""",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_process_that_ends_or_forks_writes_what_waits(tmp_path: Path, end: str) -> None:
    done = python(SLOW + "print(step, flush=True)\n" + ENDS[end], tmp_path / "run")
    assert done.returncode == (1 if end == "exception" else 3), done.stderr
    recorded = int(done.stdout.split()[-1])
    assert [step for step, _ in series(tmp_path / "run", "loss")] == list(range(recorded))
    assert not damage(log_of(tmp_path / "run"))
