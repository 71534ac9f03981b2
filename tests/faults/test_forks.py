"""Forks while a run is recorded: nobody hangs, nothing is lost, no child writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import python, series

CODE = """
import multiprocessing, os, subprocess, sys, threading
import vizkit

def by_multiprocessing():
    process = multiprocessing.get_context("fork").Process(target=print)
    process.start()
    process.join()

def by_fork():
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)

def by_preexec():
    subprocess.run(["true"], preexec_fn=lambda: None)

def forks():
    for _ in range(6):
        globals()[sys.argv[2]]()

done = threading.Event()
recorded = 0

def record():
    global recorded
    while not done.is_set():
        tracker.log({"loss": 1.0}, step=recorded)
        recorded += 1

with vizkit.Tracker(sys.argv[1], system=False) as tracker:
    recorder = threading.Thread(target=record)
    recorder.start()
    threads = [threading.Thread(target=forks) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    recorder.join()
    print("recorded", recorded)
"""


@pytest.mark.parametrize("how", ["by_multiprocessing", "by_fork", "by_preexec"])
def test_threads_that_fork_at_once_do_not_hang_each_other(tmp_path: Path, how: str) -> None:
    done = python(CODE, tmp_path / "run", how, timeout=120)
    assert done.returncode == 0, done.stderr
    recorded = int(done.stdout.split()[-1])
    assert [step for step, _ in series(tmp_path / "run", "loss")] == list(range(recorded))
