"""The file behind a run: whole frames, each call one write, from any number of threads.

Once `LogFile.append` has returned, the operating system has the data: killing the process loses nothing, and
every reader sees it. `LogFile.look` notices what others have done to the file meanwhile.

Signal handlers run amid these functions, on the main thread, and may add records, close the log or raise. The
lock is reentrant for them, `append` has no state between its write and its end, and what takes several steps
(opening, restoring) hides the descriptor: what comes amid it is refused with an `OSError`, and counted.
"""

from __future__ import annotations

import errno
import mmap
import os
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from vizkit._files import open_kept, path_of_open_file
from vizkit._language import reason_of, tr
from vizkit._locks import lock_exclusive, lock_shared, unlock
from vizkit._warnings import warn
from vizkit.errors import ClosedError
from vizkit.writing.log_repair import repair_log
from vizkit.writing.record_log import Found, RecordLog
from vizkit.writing.remote_log import RemoteLog
from vizkit.writing.restoring import restore

__all__ = ["LogFile", "live_logs", "open_log"]

_MARK = 256  # bytes
_PREEMPTED_SECONDS = 0.001  # of a write: other processes may have had the core

_os_write = os.write
_monotonic = time.monotonic
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


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
        self._hidden = False  # the descriptor is in use by a function of several steps
        self._size = 0  # when it was last looked at
        self._mark: bytes | None = b""  # the bytes before that
        self._grown = 0  # bytes that were appended here since then, at least
        self._place = path  # absolute: a script may change its directory
        self.closed = False
        self._parents = False
        self._shared: mmap.mmap | None = None  # with forked children: the records that they left out
        self._new_lock()
        _live[id(self)] = self

    def _new_lock(self) -> None:
        # Reentrant: a signal handler may close the log amid a write.
        self.lock = threading.RLock()
        self._acquire, self._release = self.lock.acquire, self.lock.release

    def append(self, data: bytes) -> None:
        """Append whole frames with one write; a forked child writes nothing.

        Raises:
            ClosedError: the log is closed.
            OSError: the write failed, as on a full disk; the log is unchanged.
        """
        # Bound methods instead of `with` save a tenth of a microsecond per scalar. The lock is acquired
        # within the `try`, since an interrupt can come as soon as `acquire` returns; it can also come while
        # `acquire` waits, and then there is nothing to release.
        acquire, release = self._acquire, self._release
        try:
            acquire()
            while self._fd < 0:
                if not self._open():
                    return
            written = _os_write(self._fd, data)
            if written != len(data):
                self._finish(data, written)
            self._grown += written
        finally:
            try:  # noqa: SIM105  (`suppress` costs half a microsecond)
                release()
            except RuntimeError:
                pass

    def _held(self, data: bytes) -> float:
        if os.name == "nt":
            return super()._held(data)
        fd, write, waited = self._fd, _held_write(), _waited_for_a_core()
        begin = _monotonic()
        written = write(fd, data, len(data))
        took = _monotonic() - begin
        if took > _PREEMPTED_SECONDS:
            took -= _waited_for_a_core() - waited
        if written < 0:
            self.append(data)  # raises the error
        else:
            if written != len(data):
                self._finish(data, written)
            self._grown += written
        return took

    @property
    def place(self) -> str:
        """The path of a log that was begun, absolute."""
        return self._place

    @property
    def is_open(self) -> bool:
        """True if the file is open for appending."""
        return self._fd >= 0

    def _finish(self, data: bytes, written: int) -> None:
        """Write the rest after a short write, or take the written part back."""
        fd, self._fd = self._fd, -1
        try:
            self._hidden = True
            _write_rest(fd, data, written)
        finally:
            self._show(fd)

    def _show(self, fd: int) -> None:
        """Set the descriptor after it was hidden; a log that was closed meanwhile is closed."""
        self._hidden = False
        if not self.closed:
            self._fd = fd
        elif fd >= 0:
            os.close(fd)

    def _open(self) -> bool:
        if self._parents:
            if self._shared is not None:
                before = int.from_bytes(self._shared[:], "little")
                self._shared[:] = (before + 1).to_bytes(len(self._shared), "little")
            warn(
                "{path} belongs to the parent process: records of a forked child are left out", path=self.path
            )
            return False
        if self.closed:
            raise ClosedError("{path}: nothing can be recorded after close()", path=self.path)
        if self._hidden:
            raise OSError(
                errno.EBUSY, "recorded by a signal handler while the log was being opened", self.path
            )
        fd = -1
        try:
            self._hidden = True
            fd = self._opened()
        finally:
            self._show(fd)
        return True

    def _opened(self) -> int:
        """Open the file, which begins with or is continued by this process's mark."""
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        if self._locate and not os.path.exists(self.path):
            self.path = self._locate()  # another writer may have created a log meanwhile
        self._place = os.path.abspath(self.path)
        while True:
            fd = open_kept(self.path, _FLAGS)
            try:
                # The file may be repaired unless another process is writing it.
                if lock_exclusive(fd) is not False:
                    repair_log(fd, self.path)
                lock_shared(fd)  # waits for a process that repairs it
                stat = os.fstat(fd)
                if not _is_at(stat, self.path):  # repaired: another file is there now
                    os.close(fd)
                    continue
                if not stat.st_size:
                    _write_rest(fd, self._first())
                elif _identity(stat) not in _begun:
                    _write_rest(fd, self._again())
                _begun.add(_identity(stat))
                self._note_end(fd, os.fstat(fd).st_size)
            except BaseException:
                with suppress(OSError):
                    os.close(fd)
                raise
            return fd

    def look(self, *, last: bool = False) -> Found | None:
        """Notice a file that others have moved, deleted, replaced or cut, and go on in the right one.

        A file that was moved, alone or with its directory, is followed. One that was deleted or replaced by
        another is written again, with all its records, if another record came after that: the system keeps
        a file that is open. It gets its former path, or a name beside the log that is there by now. A copy
        of its own beginning, as of a backup that was put back, is completed and continued instead.

        Args:
            last: whether the log is about to be closed.

        Raises:
            OSError: the file cannot be written again.
        """
        if os.name == "nt":  # an open file can be neither moved nor deleted there
            return None
        with self.lock:
            if self._fd < 0:
                return None
            new = fd = self._fd
            try:
                self._hidden, self._fd = True, -1
                new, found = self._looked(fd, last)
            finally:
                self._show(new)
            if new != fd:
                with suppress(OSError):
                    os.close(fd)
            return found

    def _looked(self, fd: int, last: bool) -> tuple[int, Found | None]:
        former = self._place
        try:
            mine = os.fstat(fd)
        except OSError as error:  # a stale descriptor: another machine has deleted the file
            note = tr(
                "{path} was deleted while it was recorded ({error}), with its records",
                path=former,
                error=reason_of(error),
            )
            self.path = self._place
            return (fd if last else self._opened()), Found(note, lost=True)
        try:
            there = os.stat(former)
        except (FileNotFoundError, NotADirectoryError):
            there = None
        except OSError:  # nobody can tell
            return fd, None
        if there is not None and os.path.samestat(mine, there):
            cut = self._size + self._grown - mine.st_size
            changed = _before(fd, self._size) != self._mark
            self._note_end(fd, mine.st_size)
            if cut <= 0 and not changed:
                return fd, None
            unlock(fd)  # so that it can be repaired
            note = (
                tr(
                    "{n:,} bytes were cut off {path} by another program while it was recorded",
                    n=cut,
                    path=former,
                )
                if cut > 0
                else tr("{path} was cut or overwritten by another program while it was recorded", path=former)
            )
            return self._opened_after_cut(), Found(note, lost=True)
        path = path_of_open_file(fd)
        if mine.st_nlink and not (path and os.path.basename(path).startswith(".nfs")):
            if path == former:
                return fd, None
            self.path = self._place = path or former
            return fd, Found(
                tr(
                    "{path} was moved while it was recorded: it goes on as {new}",
                    path=former,
                    new=path or tr("that file"),
                )
            )
        if mine.st_ctime_ns > mine.st_mtime_ns:
            return fd, None  # no record came after it was deleted
        try:
            new, path = restore(fd, former)
        except OSError as error:
            raise OSError(
                error.errno,
                tr(
                    "deleted while it was recorded, and cannot be written again: {error}",
                    error=reason_of(error),
                ),
                former,
            ) from error
        if path != former:
            self.path = self._place = path
        stat = os.fstat(new)
        _begun.add(_identity(stat))
        self._note_end(new, stat.st_size)
        what = tr("deleted") if there is None else tr("replaced")
        return new, Found(
            tr(
                "{path} was {what} while it was recorded: its records were written again, to {new}",
                path=former,
                what=what,
                new=path,
            )
        )

    def _note_end(self, fd: int, size: int) -> None:
        self._size, self._grown, self._mark = size, 0, _before(fd, size)

    def _opened_after_cut(self) -> int:
        _begun.discard(_identity(os.stat(self._place)))  # a new beginning, since the former is gone
        self.path = self._place
        return self._opened()

    def close(self) -> None:
        """Close the file. Calling it again does nothing."""
        with self.lock:
            self.closed = True
            fd, self._fd = self._fd, -1
            if fd >= 0:
                os.close(fd)  # closed even if it raises

    def __del__(self) -> None:
        if getattr(self, "_fd", -1) >= 0:
            os.close(self._fd)

    def share_with_child(self) -> None:
        """Before a fork: share a counter with the child."""
        if self._shared is None and not self.closed:
            with suppress(OSError, ValueError):  # no memory
                self._shared = mmap.mmap(-1, 8)

    @property
    def left_out(self) -> int:
        """Records that forked children could not write; those of the same instant may count as one."""
        if self._shared is None or self._parents:  # it is the parent that tells
            return 0
        return int.from_bytes(self._shared[:], "little")

    def leave_to_parent(self) -> None:
        """In a forked child: close the log, and write nothing more to it."""
        self._new_lock()
        self._hidden = False
        self._parents = not self.closed
        self.close()


@lru_cache(maxsize=1)
def _held_write() -> Callable[[int, bytes, int], int]:
    """The system's ``write``, called without letting other threads of the interpreter run."""
    import ctypes

    write = ctypes.PyDLL(None).write
    write.argtypes = ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t
    write.restype = ctypes.c_ssize_t
    return write


def _waited_for_a_core() -> float:
    """The seconds that this thread was ready to run and had no core, as far as the system tells."""
    try:
        with open("/proc/thread-self/schedstat", "rb") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _is_at(stat: os.stat_result, path: str) -> bool:
    """True if a path leads to the open file that was asked for its status."""
    try:
        return os.path.samestat(stat, os.stat(path))
    except FileNotFoundError:
        return False


def _before(fd: int, position: int) -> bytes | None:
    """The bytes of a log before a position, by which it is known again; None if they cannot be read."""
    start = max(position - _MARK, 0)
    try:
        return os.pread(fd, position - start, start)
    except OSError:
        return None


def _identity(stat: os.stat_result) -> tuple[int, int, int]:
    return (os.getpid(), stat.st_dev, stat.st_ino)


def _write_rest(fd: int, data: bytes, written: int = 0) -> None:
    """Append what is left of some data, or take back the part that is there.

    Args:
        fd: the log.
        data: whole frames.
        written: how much of them was written just now.
    """
    try:
        while written < len(data):  # one call writes at most 2 GiB
            written += os.write(fd, memoryview(data)[written:])
    except OSError:
        if written:
            os.ftruncate(fd, os.lseek(fd, 0, os.SEEK_CUR) - written)
        raise


_begun: set[tuple[int, int, int]] = set()
"""Process, device and inode of the logs that this process has written to: its session has begun there."""

_live: weakref.WeakValueDictionary[int, LogFile] = weakref.WeakValueDictionary()


def live_logs() -> list[LogFile]:
    """All logs of this process that are in use."""
    return [log for ref in _live.valuerefs() if (log := ref())]
