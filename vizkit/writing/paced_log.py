"""The way of frames to a log: through to a fast disk, behind the training to a slow one."""

from __future__ import annotations

import errno
import time
from collections import deque
from collections.abc import Callable, Iterator

from vizkit._warnings import warn
from vizkit.errors import ClosedError
from vizkit.format.decode import decode_head
from vizkit.format.frames import read_frames
from vizkit.writing.record_log import HANG_SECONDS, RecordLog
from vizkit.writing.worker import Worker

__all__ = ["PacedLog", "hanging"]

_SLOW_SECONDS = 0.005  # of a write
_SUSPICIONS = 8  # writes after a slow one that are timed without other threads
_SHARE = 0.02  # of the time that slow writes may take
_AT_ONCE_SECONDS = 0.25  # that they may take beyond that
_MOST_BYTES = 1 << 26  # that may wait
_PART_BYTES = 1 << 20  # of a write behind the training
_BYTES_A_SECOND = 1e8  # of a disk that is not slow

_monotonic = time.monotonic


def hanging(log: RecordLog) -> OSError:
    """The error of a log whose disk hangs."""
    return OSError(errno.ETIMEDOUT, f"a write has not come back for {HANG_SECONDS:.0f} s", log.path)


class PacedLog:
    """Write frames to a log in the order of the calls, without holding up the training.

    Frames are written through: when a call returns, the operating system has them. When slow writes have
    taken more than 2 % of the time and a quarter of a second, frames wait in memory, and the worker writes
    all that wait with one call, until the disk is fast again and the time has been made up for. While 64 MiB
    wait, callers wait too, but not for a disk that hangs.

    Args:
        log: the log.
        worker: its worker.
        on_error: called with the tag of a record that could not be written, and the error.

    Attributes:
        append: append whole frames; raises what ``log.append`` raises.
        behind: True while frames wait in memory.
    """

    def __init__(self, log: RecordLog, worker: Worker, on_error: Callable[[str, Exception], None]) -> None:
        self.append: Callable[[bytes], None] = log.append
        self.behind = False
        self._log = log
        self._worker = worker
        self._on_error = on_error
        self._waiting: deque[bytes] = deque()
        self._bytes = 0  # of them
        self._asked = False  # the worker has not begun with them
        self._suspicious = 0  # so many writes are timed without other threads
        self._suspected = 0.0  # seconds of a slow write that may be other threads' fault
        self._debt = self._debt_at = 0.0
        self._told = False

    def time_next(self) -> None:
        """Have the next call of `append` timed, which costs a little."""
        self.append = self.write

    def write(self, data: bytes) -> None:
        """Append whole frames, and see how long it takes."""
        waits = self.behind
        if not waits:
            log = self._log
            with log.lock:
                waits = self.behind  # another thread may have found out meanwhile
                if not waits:
                    self.append = log.append
                    took = log.timed(data, held=self._suspicious > 0)
                    if self._suspicious or took > _SLOW_SECONDS:
                        self._judge(took, data)
        if waits:
            self.append = self._put
            self._put(data)
        elif self.behind and not self._told:
            self._told = True
            warn(
                "{path}: the disk is slow ({took:.0f} ms for a write). While it is, records are written "
                "behind the training: if the process is killed, the last ones are lost",
                path=self._log.path,
                took=took * 1000,
            )

    def _judge(self, took: float, data: bytes) -> None:
        """Write behind the training from now on if slow writes have taken too long; the lock is held."""
        if took > _slow(data) and self._is_too_slow(took):
            self.behind, self.append = True, self._put
        elif self._suspicious:
            self._suspicious -= 1

    def _is_too_slow(self, took: float) -> bool:
        debt = 0.0
        if self._suspicious:
            debt = self._owe(took + self._suspected)
            self._suspected = 0.0
        else:
            self._suspected = took
        self._suspicious = _SUSPICIONS
        return debt > _AT_ONCE_SECONDS

    def _owe(self, seconds: float) -> float:
        """Add the time of a slow write to what slow writes have taken beyond their share, and return that."""
        now = _monotonic()
        self._debt = max(self._debt - _SHARE * (now - self._debt_at), 0.0) + seconds
        self._debt_at = now
        return self._debt

    def _put(self, data: bytes) -> None:
        """Have the worker write frames."""
        if self._log.closed:
            self._log.append(data)  # says why it is
            return
        if self._bytes > _MOST_BYTES:
            if self._worker.here:
                self._write_waiting()
            elif not self._worker.drain():
                raise hanging(self._log)
        self._waiting.append(data)
        self._bytes += len(data)
        if not self._asked or self._worker.idle:  # idle although asked: a forked child
            self._ask()
        if not self.behind:  # not any longer: what this thread writes next may not come before
            self._worker.drain()

    def _ask(self) -> None:
        self._asked = True
        if not self._worker.submit(self._write_waiting, wait=False):
            self._write_waiting()

    def _write_waiting(self) -> None:
        self._asked = False
        with self._log.lock:
            calm = False
            for part in _parts(list(self._waiting)):
                data = b"".join(part)
                paid = self._owe(0) < _AT_ONCE_SECONDS / 2
                try:
                    took = self._log.timed(data, held=paid)
                    calm = paid and took < _slow(data)
                    if paid and not calm:
                        self._owe(took)
                except (OSError, ClosedError) as error:
                    self._count(part, error)
                for _ in part:
                    if self._waiting:
                        self._bytes -= len(self._waiting.popleft())
            if calm and not self._waiting:
                self.behind, self.append = False, self._log.append
        if self._waiting and not self._asked:
            self._ask()

    def give_up(self) -> None:
        """Count what waits as lost, and accept nothing more."""
        self._log.closed = True
        error = hanging(self._log)
        for name in self._worker.give_up():
            self._on_error(name, error)
        self._count(list(self._waiting), error)
        self._waiting.clear()

    def _count(self, lost: list[bytes], error: Exception) -> None:
        for frames in lost:
            for head in map(decode_head, read_frames(frames)):
                if head.kind != "meta_data":  # a note of other losses
                    self._on_error(head.tag, error)


def _slow(data: bytes) -> float:
    """The seconds that a slow disk takes to write these bytes, at least."""
    return _SLOW_SECONDS + len(data) / _BYTES_A_SECOND


def _parts(frames: list[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for frame in frames:
        if part and size + len(frame) > _PART_BYTES:
            yield part
            part, size = [], 0
        part.append(frame)
        size += len(frame)
    if part:
        yield part
