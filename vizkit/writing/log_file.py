"""The file behind a run: whole frames, each call one write, from any number of threads.

Once `LogFile.append` has returned, the operating system has the data: killing the process loses nothing, and
every reader sees it.
"""

from __future__ import annotations

import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from vizkit._files import free_name, keep_beside, lock_exclusive, lock_shared, mapped, rewrite
from vizkit._warnings import warn
from vizkit.errors import ClosedError
from vizkit.format.file_names import LOG_WORD
from vizkit.format.frames import Damage, Frame, scan

__all__ = [
    "LogFile",
    "NullLog",
    "RecordLog",
    "RemoteLog",
    "hold_all",
    "leave_all",
    "open_log",
    "release_all",
]


_os_write = os.write


class RecordLog(ABC):
    """A log that frames are appended to.

    Attributes:
        path: its path.
    """

    path: str

    @abstractmethod
    def append(self, data: bytes) -> None:
        """Append one or more whole frames."""

    @abstractmethod
    def close(self) -> None:
        """Release the file; `append` raises `ClosedError` from now on."""


def open_log(
    path: str,
    first: Callable[[], bytes] = bytes,
    locate: Callable[[], str] | None = None,
    again: Callable[[], bytes] = bytes,
) -> RecordLog:
    """The log at ``path``; with a scheme (``bos://``, ``hdfs://``) through VisualDL's file layer.

    Args:
        path: the file.
        first: called at the first record if the log is empty; returns frames to begin it with.
        locate: called at the first record if there is no such file; returns the path to use.
        again: called at this process's first record in a log that others have written to; returns frames to
            continue it with.
    """
    return RemoteLog(path, first, again) if "://" in path else LogFile(path, first, locate, again)


class LogFile(RecordLog):
    """A log in the file system; created at its first record, repaired when it is opened again.

    In a forked child (a data loader's worker) it is closed: the log belongs to the parent.
    """

    def __init__(
        self,
        path: str,
        first: Callable[[], bytes] = bytes,
        locate: Callable[[], str] | None = None,
        again: Callable[[], bytes] = bytes,
    ) -> None:
        self.path = path
        self._first = first
        self._again = again
        self._locate = locate
        self._fd = -1
        self._closed = False
        self._parents = False
        self._new_lock()
        _live[id(self)] = self

    def _new_lock(self) -> None:
        # Reentrant: a signal handler may close the log amid a write.
        self._lock = threading.RLock()
        self._acquire, self._release = self._lock.acquire, self._lock.release

    def append(self, data: bytes) -> None:
        """Append whole frames with one write; a forked child writes nothing.

        Raises:
            ClosedError: the log is closed.
            OSError: the write failed, as on a full disk; the log is unchanged.
        """
        # Bound methods instead of `with` save a tenth of a microsecond per scalar. The lock is acquired
        # within the `try`, since an interrupt can come as soon as `acquire` returns.
        acquire, release = self._acquire, self._release
        try:
            acquire()
            if self._fd >= 0 or self._open():
                written = _os_write(self._fd, data)
                if written != len(data):
                    self._finish(data, written)
        finally:
            release()

    def _finish(self, data: bytes, written: int) -> None:
        """Write the rest after a short write, or take the written part back."""
        start = os.lseek(self._fd, 0, os.SEEK_CUR) - written
        try:
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except OSError:
            os.ftruncate(self._fd, start)
            raise

    def _open(self) -> bool:
        if self._parents:
            warn(f"{self.path} belongs to the parent process: records of a forked child are left out")
            return False
        if self._closed:
            raise ClosedError(f"{self.path}: nothing can be recorded after close()")
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        if self._locate and not os.path.exists(self.path):
            self.path = self._locate()  # another writer may have created a log meanwhile
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        while True:
            fd = os.open(self.path, flags, 0o666)
            try:
                # The file may be repaired unless another process is writing it.
                if lock_exclusive(fd) is not False:
                    _repair(fd, self.path)
                lock_shared(fd)  # waits for a process that repairs it
                stat = os.fstat(fd)
                mine = (os.getpid(), stat.st_dev, stat.st_ino)
                if not _is_at(stat, self.path):  # repaired: another file is there now
                    os.close(fd)
                    continue
                if not stat.st_size:
                    _write_all(fd, self._first())
                elif mine not in _begun:
                    _write_all(fd, self._again())
                _begun.add(mine)
            except BaseException:
                with suppress(OSError):
                    os.close(fd)
                raise
            self._fd = fd
            return True

    def close(self) -> None:
        """Close the file. Calling it again does nothing."""
        with self._lock:
            self._closed = True
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def __del__(self) -> None:
        if getattr(self, "_fd", -1) >= 0:
            os.close(self._fd)

    def _leave_to_parent(self) -> None:
        self._new_lock()
        self._parents = not self._closed
        self.close()


def _repair(fd: int, path: str) -> None:
    """Cut off a torn tail; with broken bytes within, keep a copy of the log and close the gap.

    Stock VisualDL reads nothing after a broken frame, and its server does not start.
    """
    with mapped(fd) as data:
        parts = list(scan(data))
        broken = [part for part in parts if isinstance(part, Damage)]
        if len(broken) > 1 or (broken and broken[0] is not parts[-1]):
            # Without `LOG_WORD` in their names: VisualDL would take them for logs.
            directory, name = os.path.split(path)
            keep_beside(path, free_name(directory, name.replace(LOG_WORD, "damaged") + ".bak"))
            whole = (data[part.start - 8 : part.end] for part in parts if isinstance(part, Frame))
            rewrite(path, whole, free_name(directory, name.replace(LOG_WORD, "repairing")))
        elif broken:
            os.ftruncate(fd, broken[0].start)


def _is_at(stat: os.stat_result, path: str) -> bool:
    """True if a path leads to the open file that was asked for its status."""
    try:
        return os.path.samestat(stat, os.stat(path))
    except FileNotFoundError:
        return False


def _write_all(fd: int, data: bytes) -> None:
    written = 0
    while written < len(data):  # one call writes at most 2 GiB
        written += os.write(fd, memoryview(data)[written:])


class NullLog(RecordLog):
    """A log that keeps nothing, for ``write_to_disk=False`` and ranks that do not record."""

    def __init__(self, path: str) -> None:
        self.path = path

    def append(self, data: bytes) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class RemoteLog(RecordLog):
    """A log behind VisualDL's own file layer, without locks and repair."""

    def __init__(
        self, path: str, first: Callable[[], bytes] = bytes, again: Callable[[], bytes] = bytes
    ) -> None:
        self.path = path
        self._first = first
        self._again = again
        self._file: IO[bytes] | None = None
        self._closed = False
        self._lock = threading.RLock()

    def append(self, data: bytes) -> None:
        """Append whole frames.

        Raises:
            ClosedError: the log is closed.
        """
        with self._lock:
            if self._closed:
                raise ClosedError(f"{self.path}: nothing can be recorded after close()")
            if self._file is None:
                from visualdl.io import bfile

                parent = self.path.rpartition("/")[0]
                if not bfile.exists(parent):
                    bfile.makedirs(parent)
                new = not bfile.exists(self.path)
                self._file = bfile.BFile(self.path, "wb")
                self._file.write(self._first() if new else self._again())
            self._file.write(data)

    def close(self) -> None:
        """Flush and close the remote file."""
        with self._lock:
            if self._file is not None and not self._closed:
                self._file.close()
            self._closed = True


_begun: set[tuple[int, int, int]] = set()
"""Process, device and inode of the logs that this process has written to: its session has begun there."""

_live: weakref.WeakValueDictionary[int, LogFile] = weakref.WeakValueDictionary()
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
    held.extend(log for log in _logs() if log._lock.acquire(timeout=_FORK_SECONDS))


def release_all() -> None:
    """Unlock all logs after a fork, in the parent."""
    for log in _held.pop():
        log._lock.release()
    _forking.release()


def leave_all() -> None:
    """Close all logs after a fork, in the child: they belong to the parent."""
    global _forking
    _forking = threading.RLock()
    _held.clear()
    for log in _logs():
        log._leave_to_parent()


def _logs() -> list[LogFile]:
    return [log for ref in _live.valuerefs() if (log := ref())]
