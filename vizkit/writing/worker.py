"""A thread that runs costly encoding in the background, in order."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import weakref
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable

from vizkit._files import at_exit_of_child
from vizkit.writing import log_file

__all__ = ["MAX_JOBS", "Worker"]

MAX_JOBS = 10
"""The number of costly records that may wait by default, as in VisualDL."""

_IDLE_SECONDS = 5.0
_LOOK_SECONDS = 0.02
_BUSY_SECONDS = 0.25  # after this, polling costs more than being woken
_SMALL = 1 << 16  # bytes


class Worker:
    """A thread that runs jobs one after the other, from a bounded queue.

    Waking the thread would be the largest cost of a small job: the thread polls for small jobs, and sleeps
    after none has come for a while. A caller that finds the queue full, or waits for its end, runs waiting
    jobs itself. The thread starts with the first job and ends when idle. Jobs are finished before a fork and
    at exit.

    Args:
        max_jobs: how many jobs may wait.
        max_bytes: how many bytes they may hold together; a single job is always accepted.
    """

    def __init__(self, max_jobs: int = MAX_JOBS, max_bytes: int = 1 << 28) -> None:
        self._max_jobs = max_jobs
        self._max_bytes = max_bytes
        self._reset()
        _live[id(self)] = self

    def _reset(self) -> None:
        self._lock = threading.RLock()
        self._called = threading.Condition(self._lock)  # the thread waits for a large job
        self._done = threading.Condition(self._lock)  # callers wait for the running job
        self._jobs: deque[tuple[Callable[[], object], int]] = deque()
        self._waiting_bytes = 0
        self._taken = self._finished = 0  # jobs in total
        self._busy: int | None = None  # the thread that runs a job
        self._thread: int | None = None
        self._sleeps = False

    def submit(self, job: Callable[[], object], size: int = 0) -> None:
        """Queue a job.

        Args:
            job: called once.
            size: the number of bytes that it keeps alive.
        """
        with self._lock:
            if not self.here:
                while self._jobs and not self._fits(size):
                    self._advance()
            self._jobs.append((job, size))
            self._waiting_bytes += size
            self._taken += 1
            if self._thread is None:
                at_exit_of_child(_drain_all)
                self._thread = start_new_thread(self._run, ())  # `Thread.start` would wait for it to run
            elif (size > _SMALL or self._sleeps) and not self._busy:
                self._sleeps = False
                self._called.notify()

    def _fits(self, size: int) -> bool:
        return len(self._jobs) < self._max_jobs and self._waiting_bytes + size <= self._max_bytes

    @property
    def idle(self) -> bool:
        """True if no job waits or runs."""
        return not (self._jobs or self._busy)

    @property
    def here(self) -> bool:
        """True if the caller is a job."""
        return self._busy == threading.get_ident()

    def drain(self) -> None:
        """Return once every job submitted so far has run."""
        with self._lock:
            if self.here:
                return
            last = self._taken
            while self._finished < last:
                self._advance()

    def _advance(self) -> None:
        """Run the next job, or wait for the running one. The lock is held, but released meanwhile."""
        if self._busy:
            self._done.wait()
            return
        job, size = self._jobs.popleft()
        self._busy = threading.get_ident()
        self._lock.release()
        done = False
        try:
            job()
            done = True
        except Exception:  # shown like a thread's; the job counts as finished for those who wait
            done = True
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
        finally:
            self._lock.acquire()
            self._busy = None
            if done:
                self._waiting_bytes -= size
                self._finished += 1
            else:  # interrupted: the job runs again
                self._jobs.appendleft((job, size))
            self._done.notify_all()

    def _run(self) -> None:
        with self._lock:
            idle_since = time.monotonic()
            while True:
                if self._jobs and not self._busy:
                    self._advance()
                    idle_since = time.monotonic()
                    continue
                idle = time.monotonic() - idle_since
                if idle > _IDLE_SECONDS:
                    self._thread, self._sleeps = None, False
                    return
                self._sleeps = self.idle and idle > _BUSY_SECONDS
                self._called.wait(_IDLE_SECONDS if self._sleeps else _LOOK_SECONDS)


_live: weakref.WeakValueDictionary[int, Worker] = weakref.WeakValueDictionary()


def _workers() -> list[Worker]:
    return [worker for ref in _live.valuerefs() if (worker := ref())]


def _drain_all() -> None:
    for worker in _workers():
        worker.drain()


def _before_fork() -> None:
    _drain_all()  # first: the last job needs the log's lock
    log_file.hold_all()


def _in_child() -> None:
    log_file.leave_all()
    for worker in _workers():
        worker._reset()


atexit.register(_drain_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=log_file.release_all, after_in_child=_in_child)
