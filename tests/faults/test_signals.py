"""Signal handlers that close trackers, and Ctrl-C, at any moment: nobody hangs, nothing is lost uncounted."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers import PATIENCE, ROOT, damage, log_of, series
from vizkit.environment import read_environment

VERBS = {
    "log": "tracker.log({'a': 1.0, 'b': 2.0}, step)",
    "image": "tracker.log_image('image', image, step)",
    "histogram": "tracker.log_histogram('h', values, step)",
    "text": "tracker.log_text('text', 'x', step)",
    "flush": "tracker.log_image('image', image, step); tracker.flush()",
    "all": "tracker.log({'a': 1.0}, step); tracker.log_image('image', image, step); "
    "tracker.log_histogram('h', values, step)",
}

BEGIN = """
import os, signal, sys, numpy as np
import vizkit
image = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
values = np.arange(50_000.0)
tracker = vizkit.Tracker(sys.argv[1], system=False)
"""

CLOSES = (
    BEGIN
    + """
def handle(number, frame):
    tracker.close()
    END

signal.signal(signal.SIGTERM, handle)
print("ready", flush=True)
step = 0
while True:
    VERB
    step += 1
"""
)

ENDS = {"exit": "sys.exit(3)", "at once": "os._exit(3)"}


def stopped(code: str, directory: Path, number: int, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a script, and send it a signal a while after it has said that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("verb", VERBS)
def test_a_handler_of_sigterm_that_closes_the_tracker_ends_the_process(
    tmp_path: Path, verb: str, end: str
) -> None:
    code = CLOSES.replace("VERB", VERBS[verb]).replace("END", ENDS[end])
    for attempt in range(3):
        seed = random.Random(f"{verb} {end} {attempt}")
        done = stopped(code, tmp_path / str(attempt), signal.SIGTERM, seed.uniform(0, 0.1))
        assert done.returncode == 3, done.stderr
        assert not damage(log_of(tmp_path / str(attempt)))
        assert read_environment(tmp_path / str(attempt))["status"] != "running"


CTRL_C = (
    BEGIN
    + """
print("ready", flush=True)
called = returned = 0
stopped = []
while len(stopped) < 5:
    try:
        while True:
            called += 1
            tracker.log_image('image', image, called)
            returned += 1
            if called % 7 == 0:
                tracker.flush()
            if called % 50 == 0:  # the test sends one, and the script the others itself
                os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        stopped.append(called)
signal.signal(signal.SIGINT, signal.SIG_IGN)
tracker.close()
print(called, returned, sum(tracker.lost.values()))
"""
)


def test_ctrl_c_amid_images_loses_none_that_a_call_returned_from(tmp_path: Path) -> None:
    for attempt in range(3):
        directory = tmp_path / str(attempt)
        done = stopped(CTRL_C, directory, signal.SIGINT, random.Random(attempt).uniform(0, 0.1))
        assert done.returncode == 0, done.stderr
        called, returned, lost = map(int, done.stdout.split())
        kept = [step for step, _ in series(directory, "image")]
        assert kept == sorted(set(kept))  # in their order, none twice
        assert lost == 0
        assert returned <= len(kept) <= called
        assert not damage(log_of(directory))


AT_EXIT = (
    BEGIN
    + """
import threading, time
count = 0
def record():
    global count
    while True:
        tracker.log_image('image', image, count)
        count += 1
for _ in range(2):
    threading.Thread(target=record, daemon=True).start()
while count < 20:
    time.sleep(0.01)
"""
)


def test_a_daemon_thread_that_records_at_exit_does_not_abort_the_process(tmp_path: Path) -> None:
    for attempt in range(5):
        done = subprocess.run(
            [sys.executable, "-c", AT_EXIT, str(tmp_path / str(attempt))],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
        assert len(series(tmp_path / str(attempt), "image")) >= 20
        assert not damage(log_of(tmp_path / str(attempt)))


WITHOUT_THREADS = """
import sys, numpy as np, _thread
def refuse(*args, **kwargs):
    raise RuntimeError("can't start new thread")
import vizkit, vizkit.writing.worker as worker, threading
worker.start_new_thread = refuse
threading._start_new_thread = refuse
with vizkit.Tracker(sys.argv[1]) as tracker:
    for step in range(20):
        tracker.log_image("image", np.zeros((64, 64, 3), np.uint8), step)
        tracker.log_histogram("h", np.arange(50_000), step)
print(sum(tracker.lost.values()))
"""


def test_without_threads_nothing_is_lost_and_nothing_counted(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THREADS, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=ROOT,
    )
    assert done.stdout == "0\n", done.stderr
    for tag in ("image", "h"):
        assert [step for step, _ in series(tmp_path, tag)] == list(range(20))


MANY = """
import os, sys, numpy as np, time
import vizkit
vizkit.Tracker(sys.argv[1] + "/first", system=False).close()
before = len(os.listdir("/proc/self/task"))
for number in range(50):
    with vizkit.Tracker(f"{sys.argv[1]}/{number}", system=False) as tracker:
        tracker.log_image("image", np.zeros((64, 64, 3), np.uint8), 0)
started = time.monotonic()
while len(os.listdir("/proc/self/task")) > before + 2:
    time.sleep(0.01)
    assert time.monotonic() - started < 60
"""


def test_closed_trackers_keep_no_threads(tmp_path: Path) -> None:
    code = "import vizkit.writing.worker as worker; worker._IDLE_SECONDS = 600.0\n" + MANY
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
