"""Turns at the interpreter are short while a job runs beside other threads, and as before after it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from vizkit.writing import short_turns
from vizkit.writing.worker import Worker

SHORT = pytest.approx(short_turns._SECONDS, rel=0.01)
LARGE = 1 << 20


@pytest.fixture(autouse=True)
def usual() -> Iterator[float]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.004)
    yield 0.004
    assert not short_turns._jobs and short_turns._usual is None
    sys.setswitchinterval(before)


def test_turns_are_short_within_a_job_and_as_before_after_it(usual: float) -> None:
    worker, seen = Worker(), []

    def job() -> None:
        seen.append(sys.getswitchinterval())
        raise RuntimeError("a job that fails ends, too")

    hook, threading.excepthook = threading.excepthook, lambda args: None
    try:
        for _ in range(2):
            worker.submit(job, LARGE)
            worker.drain()
            assert sys.getswitchinterval() == pytest.approx(usual)
    finally:
        threading.excepthook = hook
    assert seen == [SHORT, SHORT]


def test_of_jobs_that_overlap_the_last_one_restores_them(usual: float) -> None:
    workers = Worker(), Worker()
    begun, go = [threading.Event(), threading.Event()], [threading.Event(), threading.Event()]

    def job(number: int) -> None:
        begun[number].set()
        assert go[number].wait(60)

    for number, worker in enumerate(workers):
        worker.submit(lambda number=number: job(number), LARGE)  # type: ignore[misc]
        assert begun[number].wait(60)
    for number, left in ((0, SHORT), (1, pytest.approx(usual))):
        go[number].set()
        workers[number].drain()
        assert sys.getswitchinterval() == left


@pytest.mark.parametrize("given", [0.05, 0.00001])
def test_turns_that_somebody_sets_meanwhile_stay(given: float) -> None:
    worker = Worker()
    worker.submit(lambda: sys.setswitchinterval(given), LARGE)
    worker.drain()
    assert sys.getswitchinterval() == pytest.approx(given)


def test_turns_that_are_shorter_stay() -> None:
    worker, seen = Worker(), []
    sys.setswitchinterval(0.00005)
    worker.submit(lambda: seen.append(sys.getswitchinterval()), LARGE)
    worker.drain()
    assert [*seen, sys.getswitchinterval()] == [pytest.approx(0.00005)] * 2


def test_a_job_on_its_callers_thread_changes_nothing(usual: float, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*args: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("vizkit.writing.worker.start_new_thread", refuses)
    seen: list[float] = []
    Worker().submit(lambda: seen.append(sys.getswitchinterval()), LARGE)
    assert seen == [pytest.approx(usual)]


FORKS = """
import os, sys
from vizkit.writing import short_turns, worker

short_turns.begin()  # a job of another thread, which does not end before the fork
child = os.fork()
if not child:
    os._exit(0 if sys.getswitchinterval() == 0.005 and not short_turns._jobs else 1)
assert os.waitpid(child, 0)[1] == 0 and sys.getswitchinterval() < 0.001
short_turns.end()
assert sys.getswitchinterval() == 0.005
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_has_usual_turns() -> None:
    subprocess.run([sys.executable, "-c", FORKS], check=True)
