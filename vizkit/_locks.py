"""Locks of files and directories, against other processes."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "hold_directory",
    "lock_exclusive",
    "lock_shared",
    "unlock",
]

_POLL_SECONDS = 0.001


def lock_exclusive(fd: int) -> bool | None:
    """Try to lock a file: True if locked, False if another process holds it, None if locks do not work."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # file systems without locks
        return None
    return True


def lock_shared(fd: int) -> None:
    """Lock a file for shared use; do nothing if locks do not work."""
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_SH)


def unlock(fd: int) -> None:
    """Release a file's lock."""
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)


@contextmanager
def hold_directory(directory: str | os.PathLike[str], seconds: float) -> Iterator[bool | None]:
    """Lock a directory against other processes.

    Yields the result of `lock_exclusive`; False after ``seconds``.

    Raises:
        OSError: the directory cannot be opened.
    """
    if os.name == "nt":  # directories cannot be locked there
        yield None
        return
    fd = os.open(directory, os.O_RDONLY)
    try:
        deadline = time.monotonic() + seconds
        while (locked := lock_exclusive(fd)) is False and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        yield locked
    finally:
        unlock(fd)  # explicitly: a child that was forked meanwhile also holds the descriptor
        os.close(fd)
