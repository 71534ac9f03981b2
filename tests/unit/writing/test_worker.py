"""The worker thread: order, room, and who does the work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType

import pytest

from vizkit.writing.worker import Worker

LARGE = 1 << 20


def test_jobs_run_in_their_order_whoever_does_them() -> None:
    worker = Worker(max_jobs=4)
    done: list[int] = []
    for number in range(200):
        worker.submit(partial(done.append, number), LARGE if number % 3 else 0)
    worker.drain()
    assert done == list(range(200))
    assert worker.idle


def test_a_large_job_is_done_by_the_thread_without_being_asked_for() -> None:
    worker, done = Worker(), threading.Event()
    worker.submit(lambda: None, LARGE)
    worker.submit(done.set, LARGE)
    assert done.wait(60)


def test_a_small_job_is_found_by_the_thread() -> None:
    worker, done = Worker(), threading.Event()
    worker.submit(lambda: None)
    worker.drain()
    worker.submit(done.set)
    assert done.wait(60)


def test_a_small_job_wakes_a_thread_that_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.writing.worker._BUSY_SECONDS", 0.0)
    monkeypatch.setattr("vizkit.writing.worker._IDLE_SECONDS", 60.0)
    worker, done = Worker(), threading.Event()
    worker.submit(lambda: None)
    deadline = time.monotonic() + 60
    while not worker._sleeps:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    worker.submit(done.set)
    assert done.wait(60)


def test_the_trace_of_a_debugger_or_of_coverage_holds_in_the_thread() -> None:
    traced: set[str] = set()

    def trace(frame: FrameType, event: str, arg: object) -> None:
        traced.add(frame.f_code.co_name)

    def a_job() -> None:
        done.set()

    before, done = threading.gettrace(), threading.Event()
    threading.settrace(trace)
    try:
        Worker().submit(a_job, LARGE)
        assert done.wait(60)
    finally:
        threading.settrace(before)
    assert "a_job" in traced


def test_the_caller_runs_its_jobs_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(function: Callable[[], None], arguments: tuple[()]) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("vizkit.writing.worker.start_new_thread", refuse)
    worker = Worker()
    by: list[threading.Thread] = []
    for _ in range(3):
        worker.submit(lambda: by.append(threading.current_thread()))
    assert by == [threading.current_thread()] * 3
    assert worker.idle


def test_a_job_that_is_interrupted_in_the_callers_thread_is_done_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(function: Callable[[], None], arguments: tuple[()]) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("vizkit.writing.worker.start_new_thread", refuse)
    worker = Worker()
    attempts: list[int] = []

    def job() -> None:
        attempts.append(len(attempts))
        if len(attempts) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.submit(job, 10)
    worker.drain()
    assert attempts == [0, 1]
    assert worker.idle


def test_a_thread_that_is_left_ends_without_waiting_for_more() -> None:
    worker = Worker()
    done: list[int] = []
    worker.submit(lambda: done.append(1))
    worker.drain()
    worker.leave()
    deadline = time.monotonic() + 60
    while worker._alive:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    worker.submit(lambda: done.append(2))
    worker.drain()
    assert done == [1, 2]


def test_a_job_that_fails_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[type[BaseException]] = []
    done: list[bool] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: shown.append(args.exc_type))
    worker = Worker()
    worker.submit(lambda: 1 / 0)
    worker.submit(lambda: done.append(True))
    worker.drain()
    assert shown == [ZeroDivisionError]
    assert done == [True]


def test_a_job_may_hand_over_another() -> None:
    worker = Worker(max_jobs=1)
    done: list[str] = []

    def job() -> None:
        assert worker.here
        worker.submit(lambda: done.append("second"))
        worker.drain()  # its own end cannot be waited for

    worker.submit(job)
    worker.drain()
    worker.drain()  # the second was not there when the first was waited for
    assert done == ["second"]
    assert not worker.here


def test_those_who_go_on_handing_over_hold_up_nobody() -> None:
    worker, stop = Worker(), threading.Event()

    def busy() -> None:
        while not stop.is_set():
            worker.submit(lambda: None)

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(100):
            worker.drain()
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def test_a_worker_runs_jobs_in_order_and_holds_a_bounded_amount() -> None:
    worker = Worker(max_jobs=3)
    gate = threading.Event()
    out: list[int] = []
    worker.submit(gate.wait)
    submitted = threading.Event()

    def submit() -> None:
        for i in range(10):
            worker.submit(partial(out.append, i))
        submitted.set()

    thread = threading.Thread(target=submit, daemon=True)
    thread.start()
    assert not submitted.wait(0.1)  # the caller waits, nothing is dropped
    gate.set()
    thread.join(60)
    worker.drain()
    assert out == list(range(10))


def test_a_worker_takes_one_large_job_but_not_two_at_once() -> None:
    worker = Worker(max_bytes=10)
    gate, started = threading.Event(), threading.Event()

    def hold() -> None:
        started.set()
        gate.wait(60)

    worker.submit(hold)
    assert started.wait(60)
    worker.submit(lambda: None, 100)
    second = threading.Thread(target=worker.submit, args=(lambda: None, 100), daemon=True)
    second.start()
    second.join(0.1)
    assert second.is_alive()
    gate.set()
    second.join(60)
    assert not second.is_alive()
    worker.drain()


def test_an_idle_thread_ends_and_another_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a thread of `threading`, so that its name and its end are seen."""
    threads: list[threading.Thread] = []

    def start(function: Callable[[], None], arguments: tuple[()]) -> int:
        thread = threading.Thread(target=function, daemon=True)
        threads.append(thread)
        thread.start()
        return thread.ident or 0

    monkeypatch.setattr("vizkit.writing.worker.start_new_thread", start)
    monkeypatch.setattr("vizkit.writing.worker._IDLE_SECONDS", 0.05)
    monkeypatch.setattr("vizkit.writing.worker._BUSY_SECONDS", 0.01)
    worker = Worker()
    done: list[int] = []
    for number in range(3):
        worker.submit(partial(done.append, number), LARGE)
        threads[-1].join(60)
        assert not threads[-1].is_alive()
        assert not worker._alive
    assert done == [0, 1, 2]
    assert len(threads) == 3
