"""The worker thread: order, room, and who does the work."""

import threading
import time

import pytest

from vizkit.writing.worker import Worker

LARGE = 1 << 20


def test_jobs_run_in_their_order_whoever_does_them():
    worker, done = Worker(max_jobs=4), []
    for number in range(200):
        worker.submit(lambda number=number: done.append(number), LARGE if number % 3 else 0)
    worker.drain()
    assert done == list(range(200))
    assert worker.idle


def test_a_large_job_is_done_by_the_thread_without_being_asked_for():
    worker, done = Worker(), threading.Event()
    worker.submit(lambda: None, LARGE)
    worker.submit(done.set, LARGE)
    assert done.wait(30)


def test_a_small_job_is_found_by_the_thread():
    worker, done = Worker(), threading.Event()
    worker.submit(lambda: None)
    worker.drain()
    worker.submit(done.set)
    assert done.wait(30)


def test_a_small_job_wakes_a_thread_that_sleeps(monkeypatch):
    monkeypatch.setattr("vizkit.writing.worker._BUSY_SECONDS", 0.0)
    monkeypatch.setattr("vizkit.writing.worker._IDLE_SECONDS", 60.0)
    worker, done = Worker(), threading.Event()
    worker.submit(lambda: None)
    deadline = time.monotonic() + 20
    while not worker._sleeps:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    worker.submit(done.set)
    assert done.wait(20)


def test_a_caller_that_waits_does_what_the_thread_is_not_at():
    worker, begun, go_on, by = Worker(), threading.Event(), threading.Event(), []

    def hold():
        begun.set()
        go_on.wait(30)

    worker.submit(hold, LARGE)
    assert begun.wait(30)
    worker._thread = threading.current_thread()  # no other thread is started
    threading.Timer(0.05, go_on.set).start()
    for _ in range(3):
        worker.submit(lambda: by.append(threading.current_thread()))
    worker.drain()
    assert len(by) == 3


def test_an_interrupted_job_is_done_later():
    worker, attempts = Worker(), []
    worker._thread = threading.current_thread()  # none to do it meanwhile

    def job():
        attempts.append(len(attempts))
        if len(attempts) == 1:
            raise KeyboardInterrupt

    worker.submit(job, 10)
    with pytest.raises(KeyboardInterrupt):
        worker.drain()
    worker.drain()
    assert attempts == [0, 1]
    assert worker.idle
    assert worker._waiting_bytes == 0


def test_a_job_that_fails_holds_nobody_up(monkeypatch):
    shown, done = [], []
    monkeypatch.setattr(threading, "excepthook", lambda args: shown.append(args.exc_type))
    worker = Worker()
    worker.submit(lambda: 1 / 0)
    worker.submit(lambda: done.append(True))
    worker.drain()
    assert shown == [ZeroDivisionError]
    assert done == [True]


def test_a_job_may_hand_over_another():
    worker, done = Worker(max_jobs=1), []

    def job():
        assert worker.here
        worker.submit(lambda: done.append("second"))
        worker.drain()  # its own end cannot be waited for

    worker.submit(job)
    worker.drain()
    worker.drain()  # the second was not there when the first was waited for
    assert done == ["second"]
    assert not worker.here


def test_those_who_go_on_handing_over_hold_up_nobody():
    worker, stop = Worker(), threading.Event()

    def busy():
        while not stop.is_set():
            worker.submit(lambda: None)

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(100):
            worker.drain()
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()
