"""The open logs of a process that forks: whole while it does, and left to the parent by the child."""

from __future__ import annotations

import threading

from vizkit.writing.log_file import LogFile, live_logs

__all__ = ["hold_all", "leave_all", "release_all"]

_FORK_SECONDS = 5.0
_forking = threading.RLock()  # one thread forks at a time: each releases what it has locked
_held: list[list[LogFile]] = []


def hold_all() -> None:
    """Lock all logs before a fork, so that none is in the middle of a write.

    A log that stays locked for seconds (by a disk that hangs) does not keep the process from forking.
    """
    _forking.acquire()
    held: list[LogFile] = []
    _held.append(held)
    held.extend(log for log in live_logs() if log.lock.acquire(timeout=_FORK_SECONDS))


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
