"""The open logs of a process that forks: whole while it does, and left to the parent by the child."""

from __future__ import annotations

import threading
import time
import weakref

from vizkit.writing.log_file import LogFile, live_logs

__all__ = ["hold_all", "leave_all", "release_all"]

_FORK_SECONDS = 5.0
_forking = threading.RLock()  # one thread forks at a time: each releases what it has locked
_held: list[list[LogFile]] = []
_stuck: weakref.WeakSet[LogFile] = weakref.WeakSet()  # a fork waited for them, and they were still held


def hold_all() -> None:
    """Lock all logs before a fork, so that none is in the middle of a write.

    Logs that stay locked for seconds (by a disk that hangs) do not keep the process from forking: all of them
    together are waited for once, not at each fork.
    """
    _forking.acquire()
    held: list[LogFile] = []
    _held.append(held)
    end = time.monotonic() + _FORK_SECONDS
    for log in live_logs():
        if log.lock.acquire(timeout=0.0 if log in _stuck else max(end - time.monotonic(), 0.0)):
            held.append(log)
            log.share_with_child()
            _stuck.discard(log)
        else:
            _stuck.add(log)


def release_all() -> None:
    """Unlock all logs after a fork, in the parent."""
    for log in _held.pop():
        log.lock.release()
    _forking.release()


def leave_all() -> None:
    """Close all logs after a fork, in the child: they belong to the parent."""
    global _forking
    _forking = threading.RLock()
    _held.clear()
    for log in live_logs():
        log.leave_to_parent()
