"""The file behind a run: whole frames appended, one write each, by as many threads as like.

What `LogFile.append` returned from is in the operating system's hands: killing the process loses
none of it, and every reader sees it at once.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from vizkit._files import lock_exclusive, lock_shared, mapped
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


class RecordLog(Protocol):
    """Where a writer's frames go."""

    path: str

    def append(self, data: bytes) -> None:
        """Appends one or more whole frames."""

    def close(self) -> None:
        """Releases the file; `append` raises `ClosedError` from now on."""


def open_log(
    path: str, first: Callable[[], bytes] = bytes, locate: Callable[[], str] | None = None
) -> RecordLog:
    """The log at ``path``; with a scheme (``bos://``, ``hdfs://``) through VisualDL's file layer.

    Args:
        path: the file.
        first: called when the first record comes and the log is empty: frames to begin it with.
        locate: called when the first record comes and there is no such file: the path to use.
    """
    return RemoteLog(path, first) if "://" in path else LogFile(path, first, locate)


class LogFile:
    """A log in the file system, created on its first record, repaired when it is opened again.

    In a forked child (a data loader's worker) it is closed: the log belongs to the parent.
    """

    def __init__(
        self, path: str, first: Callable[[], bytes] = bytes, locate: Callable[[], str] | None = None
    ) -> None:
        self.path = path
        self._first = first
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
        """Appends whole frames with one write; in a forked child nothing is written.

        Raises:
            ClosedError: after `close`.
            OSError: the write failed (a full disk); the log is as it was before.
        """
        # Bound methods and no `with`: a tenth of a microsecond less for every scalar. Acquired within
        # the `try`, since an interrupt can come as soon as `acquire` returns.
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
        """Writes the rest after a short write, or takes the written part back."""
        start = os.lseek(self._fd, 0, os.SEEK_CUR) - written
        try:
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except OSError:
            os.ftruncate(self._fd, start)
            raise

    def _open(self) -> bool:
        if self._parents:
            warn(f"{self.path} belongs to the parent process: what a forked child records is left out")
            return False
        if self._closed:
            raise ClosedError(f"{self.path}: nothing can be recorded after close()")
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        if self._locate and not os.path.exists(self.path):
            self.path = self._locate()  # another writer may have begun a log meanwhile
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        fd = os.open(self.path, flags, 0o666)
        try:
            # Alone with the file, we may repair it; else its other writer appends whole frames too.
            if lock_exclusive(fd) is not False:
                _repair(fd, self.path)
            lock_shared(fd)
            if not os.fstat(fd).st_size:
                os.write(fd, self._first())
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd
        return True

    def close(self) -> None:
        """Closes the file. Calling it again does nothing."""
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
    """Cuts a torn tail off; where bytes within are broken, keeps them beside and closes the gap.

    Stock VisualDL reads nothing behind a broken frame, and its server does not start.
    """
    with mapped(fd) as data:
        parts = list(scan(data))
        broken = [part for part in parts if isinstance(part, Damage)]
        within = len(broken) > 1 or (broken and broken[0] is not parts[-1])
        if within:
            # A name without `LOG_WORD`: VisualDL would take the copy for a log.
            beside = Path(path).with_name(Path(path).name.replace(LOG_WORD, "damaged") + ".bak")
            beside.write_bytes(data)
            whole = b"".join(data[part.start - 8 : part.end] for part in parts if isinstance(part, Frame))
    if within:
        os.ftruncate(fd, 0)
        _write_all(fd, whole)
    elif broken:
        os.ftruncate(fd, broken[0].start)


def _write_all(fd: int, data: bytes) -> None:
    written = 0
    while written < len(data):  # one write takes 2 GiB at most
        written += os.write(fd, memoryview(data)[written:])


class NullLog:
    """A log that keeps nothing: ``write_to_disk=False``, and ranks that do not record."""

    def __init__(self, path: str) -> None:
        self.path = path

    def append(self, data: bytes) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


class RemoteLog:
    """A log behind VisualDL's own file layer, which has neither locks nor repair."""

    def __init__(self, path: str, first: Callable[[], bytes] = bytes) -> None:
        self.path = path
        self._first = first
        self._file: Any = None
        self._closed = False
        self._lock = threading.RLock()

    def append(self, data: bytes) -> None:
        """Appends whole frames."""
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
                if new:
                    self._file.write(self._first())
            self._file.write(data)

    def close(self) -> None:
        """Flushes and closes the remote file."""
        with self._lock:
            if self._file is not None and not self._closed:
                self._file.close()
            self._closed = True


_live: weakref.WeakValueDictionary[int, LogFile] = weakref.WeakValueDictionary()
_held: list[LogFile] = []


def hold_all() -> None:
    """Before a fork: no log is amid a write, and none can begin one."""
    _held.extend(log for ref in _live.valuerefs() if (log := ref()))
    for log in _held:
        log._lock.acquire()


def release_all() -> None:
    """After a fork, in the parent: writing goes on."""
    while _held:
        _held.pop()._lock.release()


def leave_all() -> None:
    """After a fork, in the child: the logs are the parent's."""
    while _held:
        _held.pop()._leave_to_parent()
