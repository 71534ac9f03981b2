"""Files and processes: locks, atomic writes, reading at any position, the exit of spawned children."""

from __future__ import annotations

import contextlib
import mmap
import multiprocessing
import multiprocessing.util
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "Buffer",
    "FileReader",
    "at_exit_of_child",
    "hold_directory",
    "lock_exclusive",
    "lock_shared",
    "mapped",
    "write_atomic",
]

Buffer = bytes | mmap.mmap

_POLL_SECONDS = 0.001


def lock_exclusive(fd: int) -> bool | None:
    """Tries to lock a file: True if locked, False if another process holds it, None without locks."""
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
    """Locks a file for shared use; does nothing where there are no locks."""
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_SH)


@contextmanager
def hold_directory(directory: str | os.PathLike[str], seconds: float) -> Iterator[bool | None]:
    """Locks a directory against other processes.

    Yields as `lock_exclusive` returns; False once ``seconds`` have passed.

    Raises:
        OSError: the directory cannot be opened.
    """
    if os.name == "nt":  # a directory cannot be opened there, nor locked
        yield None
        return
    fd = os.open(directory, os.O_RDONLY)
    try:
        deadline = time.monotonic() + seconds
        while (locked := lock_exclusive(fd)) is False and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        yield locked
    finally:
        # Unlocked explicitly: a child that was forked meanwhile holds the descriptor too.
        if fcntl is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def write_atomic(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes a whole file in place at once, so that no reader sees half of it.

    Raises:
        OSError: it cannot be written; the former file is as it was.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def mapped(path: str | os.PathLike[str] | int) -> Iterator[Buffer]:
    """The content of a file (its path or descriptor), without reading it into memory.

    Raises:
        OSError: the file cannot be opened.
    """
    fd = path if isinstance(path, int) else os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        if not os.fstat(fd).st_size:
            yield b""
            return
        with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as data:
            yield data
    finally:
        if fd != path:
            os.close(fd)


class FileReader:
    """A local file, read at any position.

    It reads and never maps: a mapped file that another process cuts ends this one.

    Attributes:
        window: how many bytes to read at once for speed.

    Raises:
        OSError: the file cannot be opened.
    """

    window = 1 << 20

    def __init__(self, path: str) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 its owner closes it

    def read_into(self, view: memoryview, at: int) -> int:
        """Fills ``view`` with the bytes from ``at`` on; returns how many there were."""
        self._file.seek(at)
        done = 0
        while done < len(view):
            got = self._file.readinto(view[done:])
            if not got:
                break
            done += got
        return done

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def __enter__(self) -> FileReader:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


_finalizers: dict[tuple[int, Callable[[], None]], multiprocessing.util.Finalize] = {}


def at_exit_of_child(function: Callable[[], None]) -> None:
    """Calls a function once when this process ends, if `multiprocessing` started it.

    Such a process, as of ``paddle.distributed.spawn``, ends without `atexit`.
    """
    key = (os.getpid(), function)
    if key not in _finalizers and multiprocessing.parent_process() is not None:
        _finalizers[key] = multiprocessing.util.Finalize(None, function, exitpriority=0)
