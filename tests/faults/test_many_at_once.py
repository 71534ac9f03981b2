"""Many writers at once: processes that begin or resume one run at the same instant, and asyncio."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.helpers import PATIENCE, ROOT, damage, log_of, python, series, stock
from vizkit.reading import RunReader

PROCESSES = 64
STEPS = 20

# All are forked from one process, which has imported all: 64 starts of Python would take minutes.
AT_ONCE = """
import os, sys, warnings
import vizkit
from vizkit.writing import run_directory
run_directory._WAIT_SECONDS = 300.0  # however slow the machine is
warnings.simplefilter("ignore")
tracker = vizkit.Tracker(sys.argv[1] + "-before", system=False, quiet=True)
tracker.log({"loss": 0.5}, 0)
tracker.close()
gate, opener = os.pipe()
children = []
for number in range(int(sys.argv[2])):
    child = os.fork()
    if not child:
        os.close(opener)
        os.read(gate, 1)  # until the other end is closed
        tracker = vizkit.Tracker(sys.argv[1], if_exists="resume", system=False, quiet=True)
        for step in range(int(sys.argv[3])):
            tracker.log({f"loss{number}": step / 3}, step)
        tracker.close()
        os._exit(sum(tracker.lost.values()))
    children.append(child)
os.close(opener)
print(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


def scalars(directory: Path) -> dict[str, list[int]]:
    reader = RunReader(directory)
    return {
        tag: reader.scalars(tag).steps.tolist()
        for tag, kind in reader.kinds.items()
        if kind == "scalar" and tag.startswith("loss")
    }


def test_64_processes_that_resume_a_run_at_once(tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = python(AT_ONCE, run, PROCESSES, STEPS)
    assert done.stdout == "0\n", done.stderr
    assert not damage(log_of(run))
    assert scalars(run) == {f"loss{number}": list(range(STEPS)) for number in range(PROCESSES)}


def test_a_run_is_resumed_after_each_kill(tmp_path: Path) -> None:
    code = """
import math, os, sys, warnings
import vizkit
from vizkit.writing import paced_log
paced_log._AT_ONCE_SECONDS = math.inf  # however slow the machine's disk is
warnings.simplefilter("ignore")
tracker = vizkit.Tracker(sys.argv[1], if_exists="resume", system=False, quiet=True)
for step in range(tracker.step, tracker.step + 50):
    tracker.log({"loss": step / 3}, step)
os.kill(os.getpid(), 9)
"""
    run = tmp_path / "run"
    for attempt in range(3):
        if attempt:
            with open(log_of(run), "ab") as log:
                log.write(log_of(run).read_bytes()[:9])  # torn, as at a page
        assert python(code, run).returncode == -signal.SIGKILL
    assert [step for step, _ in series(run, "loss")] == list(range(150))
    assert len(stock(run, "scalar", "loss")) == 150


ASYNCIO = """
import asyncio, sys
import numpy as np
import vizkit

image = np.zeros((64, 64, 3), np.uint8)

async def train(number):
    for step in range(50):
        tracker.log({f"loss{number}": step / 3}, step)
        tracker.log_image(f"image{number}", image, step)
        await asyncio.sleep(0)
        if step % 10 == number % 10:
            await asyncio.to_thread(tracker.flush)
    if number == 3:
        raise ValueError(number)

async def main():
    tasks = [asyncio.create_task(train(number)) for number in range(20)]
    done = await asyncio.gather(*tasks, return_exceptions=True)
    print(sum(isinstance(one, ValueError) for one in done))
    asyncio.create_task(train(20))  # cancelled with the loop
    await asyncio.sleep(0)

tracker = vizkit.Tracker(sys.argv[1], system=False, quiet=True)
asyncio.run(main())
tracker.close()
print(sum(tracker.lost.values()))
"""


def test_tasks_of_asyncio_share_a_tracker(tmp_path: Path) -> None:
    done = python(ASYNCIO, tmp_path / "run")
    assert done.stdout == "1\n0\n", done.stderr
    found = scalars(tmp_path / "run")
    assert [found[f"loss{number}"] for number in range(20)] == [list(range(50))] * 20
    assert found["loss20"] == [0]
    for number in range(20):
        assert [step for step, _ in series(tmp_path / "run", f"image{number}")] == list(range(50))


def test_a_process_that_is_terminated_in_another_threads_write_leaves_whole_records(tmp_path: Path) -> None:
    code = """
import signal, sys, threading, time
import vizkit
tracker = vizkit.Tracker(sys.argv[1], system=False, quiet=True)
def record(number):
    step = 0
    while True:
        tracker.log({f"loss{number}": step / 3}, step)
        step += 1
for number in range(4):
    threading.Thread(target=record, args=(number,), daemon=True).start()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
print("ready", flush=True)
while True:
    time.sleep(0.01)  # a signal just before `signal.pause` would not end it
"""
    for attempt in range(2):
        run = tmp_path / str(attempt)
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(run)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert process.stdout and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 3
        assert not damage(log_of(run))
        assert all(steps == list(range(len(steps))) for steps in scalars(run).values())
