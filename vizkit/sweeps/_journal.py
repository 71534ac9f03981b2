"""Optuna's journal in a file that many processes append to, and that a killed one leaves whole."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

from vizkit._locks import lock_exclusive, unlock
from vizkit.errors import VizKitError

__all__ = ["FileLock", "Journal"]

_POLL_SECONDS = 0.002
_PATIENCE = 600.0


class FileLock:
    """A lock between the processes and threads that see a file; the system takes it from one that ends.

    On NFS, Linux makes a lock of the server's of it (``flock(2)``). It may be taken again within.

    Args:
        path: the file, which is made.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._threads = threading.RLock()
        self._depth = 0
        self._fd = -1

    def __enter__(self) -> None:
        self._threads.acquire()
        if self._depth == 0:
            try:
                self._fd = self._locked()
            except BaseException:
                self._threads.release()
                raise
        self._depth += 1

    def __exit__(self, *error: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            unlock(self._fd)
            os.close(self._fd)
        self._threads.release()

    def _locked(self) -> int:
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        end = time.monotonic() + _PATIENCE
        try:
            while lock_exclusive(fd) is False:
                if time.monotonic() > end:
                    raise VizKitError(
                        "{path} has been locked by another process for {seconds:.0f} s: is it suspended?",
                        path=self.path,
                        seconds=_PATIENCE,
                    )
                time.sleep(_POLL_SECONDS)
        except BaseException:
            os.close(fd)
            raise
        return fd


class Journal:
    """The journal, as Optuna's `JournalStorage` takes it: a line of JSON for each change of a study.

    A line that a killed process left torn is cut off by the next one that appends, under the lock. Lines that
    are no JSON (a disk that lost power) count for nobody.

    Args:
        path: the file.
        lock: the lock that is held while a line is appended.
    """

    def __init__(self, path: str, lock: FileLock) -> None:
        self._path, self._lock = path, lock
        self._next, self._offset = 0, 0  # number and place of the entry after those that were read

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Yield the entries from a number on."""
        number, offset = (self._next, self._offset) if log_number_from >= self._next else (0, 0)
        with contextlib.suppress(FileNotFoundError), open(self._path, "rb") as file:
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                offset += len(line)
                entry = _parsed(line)
                if entry is None:
                    continue
                number += 1
                if number > self._next:
                    self._next, self._offset = number, offset
                if number > log_number_from:
                    yield entry

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append entries, all with one write."""
        data = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        with self._lock:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                _cut_torn_line(fd)
                while data:
                    data = data[os.write(fd, data) :]
            finally:
                os.close(fd)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _cut_torn_line(fd: int) -> None:
    size = os.fstat(fd).st_size
    if not size or os.pread(fd, 1, size - 1) == b"\n":
        return
    with open(os.dup(fd), "rb") as file:
        file.seek(0)
        whole = file.read(size).rfind(b"\n") + 1
    os.ftruncate(fd, whole)
