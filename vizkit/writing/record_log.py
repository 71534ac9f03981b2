"""A run's log as what writes to it sees it: frames are appended, changes are noticed, writes are timed."""

from __future__ import annotations

import threading
import time
from _thread import LockType
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol, cast

__all__ = ["HANG_SECONDS", "Found", "NullLog", "RecordLog", "wait_without"]

HANG_SECONDS = 30.0
"""After this, a write that has not come back is not waited for any longer."""

_monotonic = time.monotonic


class Found(NamedTuple):
    """A change that others made to the file of a log.

    Attributes:
        note: the words for a warning.
        lost: whether records are lost by it.
    """

    note: str
    lost: bool = False


class RecordLog(ABC):
    """A log that frames are appended to.

    Attributes:
        path: its path.
        lock: held while frames are written.
        closed: True if no frames are accepted any more.
    """

    path: str
    lock: threading.RLock
    closed = False
    _busy_since = 0.0

    @abstractmethod
    def append(self, data: bytes) -> None:
        """Append one or more whole frames."""

    def timed(self, data: bytes, *, held: bool = False) -> float:
        """Append frames, and return the seconds that the write took; the caller holds the lock.

        Args:
            data: whole frames.
            held: keep other threads of the interpreter from running meanwhile, and leave out the time that
                other processes had the core, so that the time is the disk's alone.
        """
        if not self.is_open:
            self.append(data)
            return 0.0
        begin = self._busy_since = _monotonic()
        try:
            if held:
                return self._held(data)
            self.append(data)
            return _monotonic() - begin
        finally:
            self._busy_since = 0.0

    def _held(self, data: bytes) -> float:
        begin = _monotonic()
        self.append(data)
        return _monotonic() - begin

    @property
    def place(self) -> str:
        """The path of a log that was begun, absolute: a script may change its directory."""
        return self.path

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """True from the first record on."""

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Time what is written beside the log, which may hang, too."""
        self._busy_since = _monotonic()
        try:
            yield
        finally:
            self._busy_since = 0.0

    @property
    def left_out(self) -> int:
        """Records that forked children could not write: the log is the parent's."""
        return 0

    @property
    def hangs(self) -> bool:
        """True if a write that is timed has not come back for long."""
        since = self._busy_since
        return since > 0 and _monotonic() - since > HANG_SECONDS

    def look(self, *, last: bool = False) -> Found | None:
        """Notice what others have done to the file.

        Args:
            last: whether the log is about to be closed.
        """
        return None

    @abstractmethod
    def close(self) -> None:
        """Release the file; `append` raises `ClosedError` from now on.

        Raises:
            OSError: the file system says so late that it could not keep what was written.
        """


class NullLog(RecordLog):
    """A log that keeps nothing, for ``write_to_disk=False`` and ranks that do not record."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = threading.RLock()

    @property
    def is_open(self) -> bool:
        """Always False."""
        return False

    def append(self, data: bytes) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class _OwnedLock(Protocol):
    """A reentrant lock, with the methods that `threading.Condition` uses too."""

    def _is_owned(self) -> bool: ...
    def _release_save(self) -> object: ...
    def _acquire_restore(self, state: object) -> None: ...


def wait_without(log: RecordLog | None, waiter: LockType, seconds: float) -> None:
    """Wait until a lock can be acquired; meanwhile release a log's own lock if this thread has it.

    Args:
        log: the log.
        waiter: the lock that is waited for.
        seconds: how long, at most.
    """
    lock = cast("_OwnedLock | None", getattr(log, "lock", None))
    if lock is None or not lock._is_owned():
        waiter.acquire(True, seconds)
        return
    state = None
    try:
        state = lock._release_save()
        waiter.acquire(True, seconds)
    finally:
        if state is not None:
            lock._acquire_restore(state)
