"""No descriptors, no memory, no threads: the training goes on, and what is lost is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import damage, log_of, python, series

BEGIN = """
import os, resource, sys, warnings
import numpy as np
import vizkit
warnings.simplefilter("ignore")
image = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
values = np.arange(50_000.0)
"""

RECORD = """
def record(first, last):
    for step in range(first, last):
        tracker.log({"a": step / 3, "b": step / 7}, step)
        tracker.log_image("image", image, step)
        tracker.log_histogram("histogram", values, step)
        tracker.log_text("text", "x", step)
"""

END = """
tracker.close()
print(*(tracker.lost[tag] for tag in ("a", "b", "image", "histogram", "text")))
"""

DESCRIPTORS = (
    BEGIN
    + RECORD
    + """
def exhaust():
    taken = []
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return taken

resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
if sys.argv[2] == "begun":
    tracker = vizkit.Tracker(sys.argv[1], system=False)
    record(0, 5)
    tracker.flush()  # imports what encodes images
    taken = exhaust()
else:
    vizkit.Tracker(sys.argv[1] + "-before", system=False).close()  # imports all that is needed
    refused = vizkit.RunStartError
    taken = exhaust()
    try:
        tracker = vizkit.Tracker(sys.argv[1], system=False)
    except refused:
        pass
    else:
        sys.exit("a run began without a descriptor")
    for fd in taken:
        os.close(fd)
    tracker = vizkit.Tracker(sys.argv[1], system=False)
    record(0, 5)
    taken = []
record(5, 20)
for fd in taken:
    os.close(fd)
record(20, 30)
"""
    + END
)


@pytest.mark.parametrize("when", ["begun", "not begun"])
def test_without_descriptors_a_run_goes_on(tmp_path: Path, when: str) -> None:
    done = python(DESCRIPTORS, tmp_path / "run", when)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "0 0 0 0 0\n"
    for tag in ("a", "b", "image", "histogram", "text"):
        assert [step for step, _ in series(tmp_path / "run", tag)] == list(range(30))
    assert not damage(log_of(tmp_path / "run"))


MEMORY = (
    BEGIN
    + RECORD
    + """
large = np.zeros((4096, 4096, 3), np.uint8)
tracker = vizkit.Tracker(sys.argv[1], system=False)
record(0, 5)
tracker.flush()
with open("/proc/self/statm") as statm:
    used = int(statm.read().split()[0]) * resource.getpagesize()
soft, hard = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (used + (40 << 20), hard))  # the copy of a large image does not fit
for step in range(5, 10):
    tracker.log_image("large", large, step)
    tracker.log({"a": step / 3, "b": step / 7}, step)
tracker.flush()
resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
assert 1 <= tracker.lost["large"] <= 5, tracker.lost
record(10, 20)
"""
    + END
)


def test_without_memory_a_run_goes_on_and_counts(tmp_path: Path) -> None:
    done = python(MEMORY, tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "0 0 0 0 0\n"
    for tag in ("a", "b"):
        assert [step for step, _ in series(tmp_path / "run", tag)] == list(range(20))
    for tag in ("image", "histogram", "text"):
        assert [step for step, _ in series(tmp_path / "run", tag)] == [*range(5), *range(10, 20)]
    assert not damage(log_of(tmp_path / "run"))


THREADS = (
    BEGIN
    + RECORD
    + """
import threading, _thread
import vizkit.writing.worker as worker

def refuse(*args, **kwargs):
    raise RuntimeError("can't start new thread")

worker.start_new_thread = threading._start_new_thread = refuse
tracker = vizkit.Tracker(sys.argv[1], system=1)
record(0, 30)
"""
    + END
)


def test_without_threads_a_run_goes_on(tmp_path: Path) -> None:
    done = python(THREADS, tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "0 0 0 0 0\n"
    for tag in ("a", "b", "image", "histogram", "text"):
        assert [step for step, _ in series(tmp_path / "run", tag)] == list(range(30))


CLOSED = """
import os, sys, time, warnings
taken = [os.dup(fd) for fd in (1, 2)]
for fd in (0, 1, 2):
    os.close(fd)
os.open(os.devnull, os.O_RDONLY)  # as a daemon that leaves output and errors closed
import vizkit
tracker = vizkit.Tracker(sys.argv[1], system=False)
for step in range(9):
    tracker.log({"a": step / 3}, step)
    tracker.log({"b": "no number"}, step)
    for fd in (1, 2):  # as libraries of C print
        try:
            os.write(fd, b"a library prints this")
        except OSError:
            pass
tracker.close()
"""


def test_what_is_printed_where_output_is_closed_does_not_get_into_the_log(tmp_path: Path) -> None:
    done = python(CLOSED, tmp_path / "run")
    assert done.returncode == 0
    assert series(tmp_path / "run", "a") == [(step, step / 3) for step in range(9)]
    assert damage(log_of(tmp_path / "run")) == []


NO_DIRECTORY = """
import os, sys
import vizkit
os.mkdir(sys.argv[1] + "/gone")
os.chdir(sys.argv[1] + "/gone")
os.rmdir(sys.argv[1] + "/gone")
with vizkit.Tracker(sys.argv[1] + "/run", system=False) as tracker:
    tracker.log({"a": 1.0}, 0)
assert not tracker.lost, tracker.lost
try:
    vizkit.load("log")
except vizkit.LogNotFoundError as error:
    print(error)
"""


def test_a_program_whose_directory_is_gone_records_all(tmp_path: Path) -> None:
    done = python(NO_DIRECTORY, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("'log' is not there: name the directory")
    assert series(tmp_path / "run", "a") == [(0, 1)]
