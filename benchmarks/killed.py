"""Records that a library had accepted and that are not in its log after SIGKILL."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import struct
import time
from collections.abc import Callable, Iterator
from ctypes import c_longlong
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any

from benchmarks._common import Goal, Table, fresh, median
from benchmarks._libraries import LIBRARIES

__all__ = ["run"]

TRIALS = 20
LONGEST = 0.4  # seconds from the first record to the kill
TAG = "train/loss"


def run(root: str) -> list[Table]:
    """One row a library."""
    moments = random.Random(0)
    rows, goals = [], []
    for name, in_log in _READERS.items():
        LIBRARIES[name](fresh(root, "warm")).close()  # imports all that it needs: children fork from here
        trials = [_trial(root, name, in_log, moments.uniform(0, LONGEST)) for _ in range(TRIALS)]
        lost = [max(returned - found, 0) for returned, found in trials]
        total = sum(returned for returned, _ in trials)
        with_losses = sum(count > 0 for count in lost)
        rows.append(
            (name, with_losses, f"{median(lost):,.0f}", f"{max(lost):,}", f"{sum(lost):,}", f"{total:,}")
        )
        if name.startswith("vizkit"):
            work = f"lost after SIGKILL, {TRIALS} trials, {name}"
            goals.append(Goal(work, "0", f"{sum(lost)} of {total:,}", sum(lost) == 0))
    note = (
        "A process records scalars in a tight loop, counts in shared memory those whose call has returned, "
        f"and is killed at a random moment within {LONGEST} s of the first. Then the whole records in its "
        "log are counted. trackio and swanlab are left out: they store in the background, trackio every half "
        "second, so that it depends on the length of the trial."
    )
    columns = ("", f"trials of {TRIALS} with losses", "lost, median", "most", "in all", "of calls returned")
    return [Table("Records lost after SIGKILL", columns, rows, [note], goals)]


def _trial(root: str, name: str, in_log: Callable[[Path], int], delay: float) -> tuple[int, int]:
    """How many calls had returned when the process was killed, and how many records its log holds."""
    context: Any = multiprocessing.get_context("fork")
    returned = context.RawValue(c_longlong, 0)
    where, path = context.SimpleQueue(), None
    process = context.Process(target=_record_for_ever, args=(name, fresh(root, name), returned, where))
    process.start()
    try:
        path = where.get()
        deadline = time.monotonic() + 30
        while not returned.value:
            if not process.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"{name}: the recording process did not begin")
            time.sleep(0.001)
        time.sleep(delay)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    return returned.value, in_log(path)


def _record_for_ever(name: str, directory: str, returned: c_longlong, where: SimpleQueue[Path]) -> None:
    recorder = LIBRARIES[name](directory)
    where.put(recorder.files)
    add = recorder.scalar
    assert add is not None
    for step in itertools.count():
        add(TAG, step / 7, step)
        returned.value = step + 1


def _frames(path: Path, *, crc: bool) -> Iterator[bytes]:
    """The whole frames of a VisualDL log, or of TensorBoard's with their checksums."""
    data = path.read_bytes() if path.exists() else b""  # killed with everything still in the queue
    at, check = 0, 4 if crc else 0
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        end = at + 8 + check + size + check
        if end > len(data):
            return
        yield data[at + 8 + check : end - check]
        at = end


def _in_visualdl_log(path: Path) -> int:
    return sum(TAG.encode() in frame for frame in _frames(path, crc=False))


def _in_tensorboard_log(path: Path) -> int:
    return sum(TAG.encode() in frame for frame in _frames(path, crc=True))


_READERS: dict[str, Callable[[Path], int]] = {
    "vizkit LogWriter": _in_visualdl_log,
    "vizkit Tracker": _in_visualdl_log,
    "visualdl LogWriter": _in_visualdl_log,
    "tensorboardX SummaryWriter": _in_tensorboard_log,
}
