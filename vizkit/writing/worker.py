"""A thread that runs costly encoding in the background, in order.

Signal handlers run on the main thread between any two steps of it, and may call whatever the handler's author
likes: they close trackers, or raise. So that neither can hang or harm a worker, the main thread runs no job
while there are threads, takes no lock that the worker's thread needs, and changes state by single operations
that the interpreter does at once.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import weakref
from _thread import allocate_lock, start_new_thread
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import get_ident
from typing import Protocol

from vizkit._child_exit import at_exit_of_child
from vizkit._warnings import warn
from vizkit.writing import log_forks, short_turns
from vizkit.writing.record_log import RecordLog, wait_without

__all__ = ["MAX_JOBS", "Worker", "drain_all"]

MAX_JOBS = 10
"""The number of costly records that may wait by default, as in VisualDL."""

_IDLE_SECONDS = 5.0
_LOOK_SECONDS = 0.02
_BUSY_SECONDS = 0.25  # after this, polling costs more than being woken
_WAIT_SECONDS = 0.1  # after this, a caller that waits looks whether the thread is there
_SMALL = 1 << 16  # bytes


class _Waiter(Protocol):
    def release(self) -> None: ...


class _Job:
    """A job, and the locks that callers wait for until it is done."""

    __slots__ = ("done", "name", "run", "size", "waiters")

    def __init__(self, run: Callable[[], object], size: int, name: str) -> None:
        self.run = run
        self.size = size
        self.name = name
        self.done = False
        self.waiters: list[_Waiter] = []


class Worker:
    """A thread that runs jobs one after the other, from a bounded queue.

    Waking the thread would be the largest cost of a small job: the thread polls for small jobs, and sleeps
    after none has come for a while. The thread starts with the first job and ends when idle, or after
    `leave`. Where no thread can be started, the caller runs its job. Jobs are finished before a fork and at
    exit; after that the main thread runs its jobs itself, and those of other threads are left out, since the
    interpreter may end them at any moment.

    Args:
        max_jobs: how many jobs may wait.
        max_bytes: how many bytes they may hold together; a single job is always accepted.
        log: the log that jobs write to. A caller that waits for the thread releases its lock: a signal
            handler may wait while the write that it interrupted has it.
    """

    def __init__(
        self, max_jobs: int = MAX_JOBS, max_bytes: int = 1 << 28, *, log: RecordLog | None = None
    ) -> None:
        self._max_jobs = max_jobs
        self._max_bytes = max_bytes
        self._log = log
        self._reset()
        _live[id(self)] = self

    def _reset(self) -> None:
        self._jobs: deque[_Job] = deque()  # the first one may be running
        self._turn = threading.RLock()  # held by the one who runs jobs
        self._wake = allocate_lock()  # released to wake the thread
        self._wake.acquire()
        self._runner: int | None = None  # the thread that is within a job
        self._alive = False  # the thread looks for jobs
        self._asked = False  # it was started, and has not begun
        self._sleeps = False
        self._left = False

    def submit(self, job: Callable[[], object], size: int = 0, *, name: str = "", wait: bool = True) -> bool:
        """Queue a job.

        Args:
            job: called once.
            size: the number of bytes that it keeps alive.
            name: what is lost with it.
            wait: wait for room in the queue.

        Returns:
            False if it was refused, since the interpreter ends or the disk hangs.
        """
        if _exiting and get_ident() != threading.main_thread().ident and not self.here:
            return False
        while wait and not self.here and not self._fits(size):
            with suppress(IndexError):  # the thread has finished it
                if not self._wait_for(self._jobs[0]):
                    return False
        self._jobs.append(_Job(job, size, name))
        if not self._alive:
            if not self._asked:
                self._start()
        elif (size > _SMALL or self._sleeps) and self._runner is None:
            self._call()
        return True

    def _fits(self, size: int) -> bool:
        jobs = self._jobs.copy()
        waiting = len(jobs) - (self._runner is not None)
        if waiting <= 0:
            return True
        return waiting < self._max_jobs and sum(job.size for job in jobs) + size <= self._max_bytes

    @property
    def idle(self) -> bool:
        """True if no job waits or runs."""
        return not self._jobs

    @property
    def here(self) -> bool:
        """True if the caller is a job."""
        return self._runner == get_ident()

    def drain(self) -> bool:
        """Return once every job submitted so far has run; False if the disk hangs."""
        if not self.here:
            with suppress(IndexError):
                return self._wait_for(self._jobs[-1])
        return True

    def give_up(self) -> list[str]:
        """Forget all jobs, and return the names of what is lost with them."""
        jobs = self._jobs.copy()
        self._jobs.clear()
        return [job.name for job in jobs if job.name]

    def leave(self) -> None:
        """Have the thread end when it has run all jobs, instead of waiting for more."""
        self._left = True
        self._call()

    # -- the caller's side --------------------------------------------------------------------

    def _call(self) -> None:
        with suppress(RuntimeError):  # it has been called already
            self._wake.release()

    def _start(self) -> None:
        if _over:
            self._run_here()
            return
        at_exit_of_child(drain_all)
        try:
            start_new_thread(self._run, ())  # `Thread.start` would wait for it to run
        except RuntimeError:  # no more threads
            self._run_here()
            return
        self._asked = True

    def _run_here(self) -> None:
        if self.here:  # a signal handler: the job that it interrupted goes on after it
            return
        with self._turn:
            while self._jobs:
                self._do(self._jobs[0])

    def _wait_for(self, job: _Job) -> bool:
        """Wait until a job is done; False if the write that it waits for hangs."""
        waiter = allocate_lock()
        waiter.acquire()
        job.waiters.append(waiter)  # before it is asked whether it is done
        first = True
        while not job.done and not self.here:
            if self._log is not None and self._log.hangs:
                return False
            if not self._alive and not (first and self._asked):
                self._start()
            self._call()
            first = False
            if not job.done:
                wait_without(self._log, waiter, _WAIT_SECONDS)
        return True

    # -- the thread's side --------------------------------------------------------------------

    def _run(self) -> None:
        if trace := threading.gettrace():  # of a debugger, or of coverage: `Thread.start` would set it
            sys.settrace(trace)
        while self._turn.acquire(blocking=False):
            try:
                self._alive, self._asked = True, False
                self._serve()
            finally:
                self._alive = self._asked = self._sleeps = False
                self._turn.release()
            if not self._jobs or _over:  # else it came too late to be seen, too early to start a thread
                return

    def _serve(self) -> None:
        idle_since = time.monotonic()
        while not _over:
            if self._jobs:
                self._do(self._jobs[0], beside=True)
                idle_since = time.monotonic()
                continue
            idle = time.monotonic() - idle_since
            if self._left or idle > _IDLE_SECONDS:
                return
            self._sleeps = idle > _BUSY_SECONDS
            if not self._jobs:  # else one has come before it could know that we sleep
                self._wake.acquire(True, _IDLE_SECONDS if self._sleeps else _LOOK_SECONDS)
            self._sleeps = False

    def _do(self, job: _Job, *, beside: bool = False) -> None:
        """Run the first job; an interrupted one stays the first.

        Args:
            job: that one.
            beside: whether its caller does something else meanwhile.
        """
        try:
            self._runner = get_ident()
            if _over and self._runner != threading.main_thread().ident:
                return
            if not job.done and beside:
                short_turns.begin()
                try:
                    job.run()
                finally:
                    short_turns.end()
            elif not job.done:
                job.run()
        except BaseException as error:  # shown like a thread's; the job counts as finished for who waits
            if not isinstance(error, Exception) and self._runner == threading.main_thread().ident:
                raise
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
        finally:
            self._runner = None
        if self._jobs and self._jobs[0] is job:
            self._jobs.popleft()
        job.done = True
        while job.waiters:
            job.waiters.pop().release()


_exiting = False  # other threads' jobs are left out
_over = False  # only the main thread runs jobs
_live: weakref.WeakValueDictionary[int, Worker] = weakref.WeakValueDictionary()


def _workers() -> list[Worker]:
    return [worker for ref in _live.valuerefs() if (worker := ref())]


def drain_all() -> None:
    """Return once the jobs of all workers that were submitted so far have run."""
    for worker in _workers():
        worker.drain()


def _at_exit() -> None:
    """Finish all jobs, and see to it that no thread is within one when the interpreter ends.

    A thread that is ended within a library of C++ aborts the process.
    """
    global _exiting, _over
    _exiting = True
    for worker in _workers():
        if not worker.drain():
            warn("a write to a log has not come back for long: the last records are lost")
    _over = True
    for worker in _workers():
        worker._call()
        while worker._runner not in (None, get_ident()) and not (worker._log and worker._log.hangs):
            time.sleep(0.001)


def _before_fork() -> None:
    drain_all()  # first: the last job needs the log's lock
    log_forks.hold_all()


def _in_child() -> None:
    log_forks.leave_all()
    short_turns.reset()
    for worker in _workers():
        worker._reset()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=log_forks.release_all, after_in_child=_in_child)
