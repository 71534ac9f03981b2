"""One thread that does costly encoding behind the training loop's back, in order."""

from __future__ import annotations

import atexit
import multiprocessing
import multiprocessing.util
import os
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable

from vizkit.records import logfile

__all__ = ["Worker"]

_IDLE_SECONDS = 5.0


class Worker:
    """Runs jobs one after the other on a thread of its own; holds a bounded amount of them.

    A caller that is faster than the thread waits (nothing is dropped). The thread starts with the
    first job and ends when idle. It is drained at exit and before a fork.

    Args:
        max_jobs: how many jobs may wait.
        max_bytes: how many bytes they may hold together; one job is always taken.
    """

    def __init__(self, max_jobs: int = 64, max_bytes: int = 1 << 28) -> None:
        self._max_jobs = max_jobs
        self._max_bytes = max_bytes
        self._reset()
        _live[id(self)] = self

    def _reset(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._jobs: deque[tuple[Callable[[], None], int]] = deque()
        self._waiting_bytes = 0
        self._busy = False
        self._thread: threading.Thread | None = None

    def submit(self, job: Callable[[], None], size: int = 0) -> None:
        """Hands ``job`` over; ``size`` is how many bytes it keeps alive."""
        with self._changed:
            if threading.current_thread() is not self._thread:
                while self._jobs and not self._fits(size):
                    self._changed.wait()
            self._jobs.append((job, size))
            self._waiting_bytes += size
            if self._thread is None:
                _drain_at_exit_of_child()
                self._thread = threading.Thread(target=self._run, name="vizkit-worker", daemon=True)
                self._thread.start()
            elif not self._busy:
                self._changed.notify_all()

    def _fits(self, size: int) -> bool:
        return len(self._jobs) < self._max_jobs and self._waiting_bytes + size <= self._max_bytes

    @property
    def idle(self) -> bool:
        """Whether nothing waits or runs: what is done now does not overtake it."""
        return not (self._jobs or self._busy)

    def drain(self) -> None:
        """Waits until every job handed over so far has run."""
        with self._changed:
            if threading.current_thread() is self._thread:
                return
            while self._jobs or self._busy:
                self._changed.wait()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                while not self._jobs:
                    if not self._changed.wait(_IDLE_SECONDS) and not self._jobs:
                        self._thread = None
                        return
                job, size = self._jobs.popleft()
                self._waiting_bytes -= size
                self._busy = True
            try:
                job()
            except Exception:  # shown as any thread's; those who wait are not left waiting
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))


_live: weakref.WeakValueDictionary[int, Worker] = weakref.WeakValueDictionary()


def _workers() -> list[Worker]:
    return [worker for ref in _live.valuerefs() if (worker := ref())]


def _drain_all() -> None:
    for worker in _workers():
        worker.drain()


def _before_fork() -> None:
    _drain_all()  # first: the worker's last record needs the log's lock
    logfile.hold_all()


def _in_child() -> None:
    logfile.leave_all()
    for worker in _workers():
        worker._reset()


def _drain_at_exit_of_child() -> None:
    """What `multiprocessing` started, as ``paddle.distributed.spawn`` does, ends without `atexit`."""
    if os.getpid() not in _children and multiprocessing.parent_process() is not None:
        _children[os.getpid()] = multiprocessing.util.Finalize(None, _drain_all, exitpriority=0)


_children: dict[int, multiprocessing.util.Finalize] = {}
atexit.register(_drain_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=logfile.release_all, after_in_child=_in_child)
