"""Writers in forked children that end at random moments, most of them by SIGKILL.

``python -m tests.faults.killed_writers 10000`` ends that many, and tells what was lost and how many logs end
with a torn record. ``python -m tests.faults.killed_writers 10000 tight`` has them write scalars in a tight
loop; any other writer or end of this module can be named, too.
"""

from __future__ import annotations

import math
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import vizkit
from vizkit import LogWriter
from vizkit.format.frames import Damage, Frame, scan
from vizkit.reading import RunReader
from vizkit.writing import log_file, paced_log
from vizkit.writing.log_file import LogFile

_ACK = struct.Struct("<HI")  # thread, step
_PIXELS = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
_SCORES = np.linspace(0, 1, 16)


class Outcome(NamedTuple):
    """What one kill left.

    Attributes:
        acknowledged: records that were in the log for sure.
        lost: those of them that are missing.
        torn: True if the log ended with a torn record.
    """

    acknowledged: int
    lost: int
    torn: bool


def value(thread: int, step: int) -> float:
    return step / 7 + thread + 1


def acknowledge(pipe: int, thread: int, step: int) -> None:
    os.write(pipe, _ACK.pack(thread, step))


def by_writer(run: Path, pipe: int, threads: int) -> None:
    """Scalars from each thread; from the first also images, histograms and curves, which are flushed."""
    writer = LogWriter(str(run))

    def record(thread: int) -> None:
        for step in range(1 << 20):
            writer.add_scalar(f"loss{thread}", value(thread, step), step)
            acknowledge(pipe, thread, step)
            if thread == 0 and step % 8 == 7:
                writer.add_image("image", _PIXELS, step)
                writer.add_histogram("weights", _SCORES, step)
                writer.add_pr_curve("curve", _SCORES > 0.5, _SCORES, step)
                if step % 32 == 31:
                    writer.flush()
                    acknowledge(pipe, 1000, step)

    others = [threading.Thread(target=record, args=(thread,), daemon=True) for thread in range(1, threads)]
    for other in others:
        other.start()
    record(0)


def by_tracker(run: Path, pipe: int, threads: int) -> None:
    """Several metrics a step."""
    tracker = vizkit.Tracker(run, system=False, quiet=True)
    for step in range(1 << 20):
        tracker.log({f"loss{thread}": value(thread, step) for thread in range(threads)}, step=step)
        for thread in range(threads):
            acknowledge(pipe, thread, step)


def tight(run: Path, pipe: int, threads: int) -> None:
    """Scalars as fast as they can be written; one of 64 is acknowledged."""
    writer = LogWriter(str(run))
    for step in range(1 << 24):
        writer.add_scalar("loss0", value(0, step), step)
        if step % 64 == 0:
            acknowledge(pipe, 0, step)


def by_sessions(run: Path, pipe: int, threads: int) -> None:
    """A run that is opened, resumed and closed again and again, with a few records each time."""
    for step in range(0, 1 << 20, 3):
        with vizkit.Tracker(run, if_exists="resume", system=False, quiet=True) as tracker:
            for at in range(step, step + 3):
                tracker.log({"loss0": value(0, at)}, step=at)
                acknowledge(pipe, 0, at)


def slow(run: Path, pipe: int, threads: int) -> None:
    """A metric each millisecond, on a disk that takes 50 ms a write."""
    write = os.write

    def delayed(fd: int, data: bytes, size: int = 0) -> int:
        time.sleep(0.05)
        return write(fd, data)

    log_file._os_write = delayed  # type: ignore[assignment]
    log_file._held_write = lambda: delayed  # type: ignore[assignment]
    writer = LogWriter(str(run))
    for step in range(1 << 20):
        writer.add_scalar("loss0", value(0, step), step)
        acknowledge(pipe, 0, step)
        time.sleep(0.001)


WRITERS = [(by_writer, 1), (by_writer, 4), (by_tracker, 4), (by_sessions, 1), (tight, 1)]

ENDS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP}
OWN_ENDS = {"_exit": 7, "exit": 3, "exception": 1}


class _EndedError(Exception):
    """The uncaught error of a child."""


def end_after(count: int, end: str) -> None:
    """Have the process end by itself when it has acknowledged so many records."""
    global acknowledge
    real, left = acknowledge, count

    def counted(pipe: int, thread: int, step: int) -> None:
        nonlocal left
        real(pipe, thread, step)
        if threading.current_thread() is threading.main_thread():
            left -= 1
            if not left:
                if end == "_exit":
                    os._exit(OWN_ENDS[end])
                raise SystemExit(OWN_ENDS[end]) if end == "exit" else _EndedError

    acknowledge = counted


def trial(
    run: Path,
    r: random.Random,
    write: Callable[[Path, int, int], None],
    threads: int,
    end: str = "SIGKILL",
) -> Outcome:
    """Have a child write and end after some acknowledgements, and look what is there."""
    read, pipe = os.pipe()
    count = r.randrange(1, 20 if write is by_sessions else 200)
    child = os.fork()
    if not child:
        os.close(read)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` ignores it
        if write is not slow:  # what is lost of a slow disk is another figure
            paced_log._AT_ONCE_SECONDS = math.inf
        if end in OWN_ENDS:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            end_after(count, end)
            write(run, pipe, threads)  # ends as any script does
        try:
            write(run, pipe, threads)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(9)
    os.close(pipe)
    if end in OWN_ENDS:
        data = b""
        while part := os.read(read, 1 << 16):
            data += part
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == OWN_ENDS[end]
        os.close(read)
        return outcome(run, data)
    data = b""
    wanted = count * _ACK.size
    while len(data) < wanted:
        part = os.read(read, wanted - len(data))
        assert part, "the child ended by itself"
        data += part
    until = time.perf_counter() + r.random() * (1e-2 if write is by_sessions else 1e-3)
    while time.perf_counter() < until:
        pass
    os.kill(child, ENDS[end])
    while part := os.read(read, 1 << 16):
        data += part
    assert os.waitpid(child, 0)[1] == ENDS[end]
    os.close(read)
    return outcome(run, data)


def outcome(run: Path, acknowledgements: bytes) -> Outcome:
    last: dict[int, int] = {}
    for thread, step in _ACK.iter_unpack(acknowledgements[: len(acknowledgements) // _ACK.size * _ACK.size]):
        last[thread] = max(last.get(thread, -1), step)
    found = RunReader(run)
    count = lost = 0
    for thread, upto in last.items():
        if thread < 1000:
            columns = found.scalars(f"loss{thread}")
            rows = dict(zip(columns.steps.tolist(), columns.values.tolist(), strict=True))
            wrong = [step for step in range(upto + 1) if rows.get(step) != value(thread, step)]
            assert len(rows) == len(columns.steps), "a record is there twice"
        else:
            steps = range(7, upto + 1, 8)
            tags = ("image", "weights", "curve")
            here = [set(found.entries(tag).steps.tolist()) for tag in tags]
            wrong = [step for step in steps for some in here if step not in some]
            upto = len(steps) * len(tags) - 1
        count += upto + 1
        lost += len(wrong)
    (log,) = run.glob("*vdlrecords*")
    *parts, end = scan(log.read_bytes())
    assert all(isinstance(part, Frame) for part in parts), "damage within"
    return Outcome(count, lost, isinstance(end, Damage))


def assert_stock_reads(run: Path) -> None:
    """Opened by VizKit again, the log is whole for stock VisualDL, too."""
    from visualdl import LogReader

    (log,) = run.glob("*vdlrecords*")
    before = RunReader(run)
    LogFile(str(log)).append(b"")
    reader = LogReader(file_path=str(log))
    for tag in before.kinds:
        if tag.startswith("loss"):
            assert len(reader.get_data("scalar", tag)) == before.count(tag)
    assert not RunReader(run).problems


def main(count: int, *only: str) -> None:
    writers = [(tight, 1) if name == "tight" else (slow, 1) for name in only if name in ("tight", "slow")]
    writers += [found for found in WRITERS if found[0].__name__ in only and found not in writers]
    ends = [end for end in (*ENDS, *OWN_ENDS) if end in only] or ["SIGKILL"]
    outcomes = []
    r = random.Random(time.time_ns())
    for number in range(count):
        write, threads = (writers or WRITERS)[number % len(writers or WRITERS)]
        end = ends[number // len(WRITERS) % len(ends)]
        directory = tempfile.mkdtemp()  # not a context: a child that ends by itself would leave it
        run = Path(directory) / "run"
        outcomes.append(trial(run, r, write, threads, end))
        if outcomes[-1].lost:
            print(write.__name__, threads, end, outcomes[-1], flush=True)
        if outcomes[-1].torn or number % 50 == 0:
            assert_stock_reads(run)
        shutil.rmtree(directory)
        if number % 100 == 99:
            tell(outcomes)
    tell(outcomes)


def tell(outcomes: list[Outcome]) -> None:
    told, lost, torn = (sum(some) for some in zip(*outcomes, strict=True))
    count = len(outcomes)
    print(
        f"{count} ends: {lost} of {told} acknowledged records lost; {torn} logs end with a torn record",
        flush=True,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
