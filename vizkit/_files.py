"""Files and processes: locks, atomic writes, bounded and random access, exit handlers of spawned children."""

from __future__ import annotations

import contextlib
import errno
import itertools
import mmap
import multiprocessing
import multiprocessing.util
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vizkit.errors import DataError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "Buffer",
    "FileReader",
    "at_exit_of_child",
    "free_name",
    "hold_directory",
    "is_shortage",
    "keep_beside",
    "local_path",
    "lock_exclusive",
    "lock_shared",
    "mapped",
    "open_kept",
    "open_regular",
    "path_of_open_file",
    "read_bounded",
    "rewrite",
    "sync_directory",
    "unlock",
    "write_atomic",
    "write_durably",
]

Buffer = bytes | mmap.mmap

_LAST_STANDARD = 2  # descriptor
_POLL_SECONDS = 0.001
_calls = itertools.count()
_SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}


def is_shortage(error: OSError) -> bool:
    """True if this process or machine lacks descriptors or memory: it tells nothing of the file."""
    return error.errno in _SHORTAGES


def local_path(path: str | os.PathLike[str]) -> str:
    """A path without ``~`` and without the scheme ``file://``; those of other schemes stay."""
    text = os.path.expanduser(os.fspath(path))
    if not text.startswith("file://"):
        return text
    text = text.removeprefix("file://")
    return text.lstrip("/") if os.name == "nt" else text


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


def open_kept(path: str | os.PathLike[str], flags: int, mode: int = 0o666) -> int:
    """Open a file that stays open, with `os.open`.

    It never becomes standard input, output or error, as the next file does in a program that has closed them:
    what others print there would get into it.

    Raises:
        OSError: the file cannot be opened.
    """
    fd = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), mode)
    if fd > _LAST_STANDARD or fcntl is None:
        return fd
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _LAST_STANDARD + 1)
    finally:
        os.close(fd)


def path_of_open_file(fd: int) -> str | None:
    """The path that an open file has now, which may have been moved; None if no path leads to it.

    None, too, on a system that cannot tell.
    """
    try:
        if (ask := getattr(fcntl, "F_GETPATH", None)) is not None:  # macOS
            path = os.fsdecode(fcntl.fcntl(fd, ask, bytes(1024)).rstrip(b"\0"))
        else:
            path = os.readlink(f"/proc/self/fd/{fd}")
        return path if os.path.samestat(os.fstat(fd), os.stat(path)) else None
    except (OSError, ValueError):
        return None


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


def write_atomic(path: str | os.PathLike[str], data: bytes) -> None:
    """Replace a whole file at once, so that no reader sees a part of it.

    Raises:
        OSError: the file cannot be written; the former one is unchanged.
    """
    target = Path(path)
    # One name for each call: a signal handler may write the same file amid a write.
    part = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}.{next(_calls)}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def rewrite(path: str | os.PathLike[str], parts: Iterable[bytes], beside: str) -> None:
    """Replace the content of a file at once; it is whole even if the process is killed at any moment.

    Args:
        path: the file; its permissions stay.
        parts: the new content.
        beside: name of the file that is written first, in the same directory.

    Raises:
        OSError: the file cannot be written; the former one is unchanged.
    """
    target = Path(path)
    part = target.with_name(beside)
    _write_beside(target, part, parts, like_target=True)


def write_durably(path: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Write a new file, which is whole or not there, even if the process is killed or the power fails.

    Raises:
        OSError: the file cannot be written.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    _write_beside(target, part, [data], like_target=False)


def _write_beside(
    target: Path, part: Path, parts: Iterable[bytes | memoryview], *, like_target: bool
) -> None:
    """Write and sync ``part``, with the mode of ``target`` if it is to replace one, and put it there."""
    try:
        with open(part, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        if like_target:
            shutil.copymode(target, part)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    sync_directory(target.parent)


def free_name(directory: str | os.PathLike[str], name: str) -> str:
    """The first of ``name``, ``name.2``, ``name.3`` ... that no file in a directory has."""
    names = (name if number == 1 else f"{name}.{number}" for number in range(1, 1 << 20))
    return next(free for free in names if not os.path.lexists(os.path.join(directory, free)))


def keep_beside(path: str | os.PathLike[str], name: str) -> None:
    """Give the content of a file a second name in its directory, before the file is rewritten.

    Raises:
        OSError: there is such a file, or it cannot be written.
    """
    target = Path(path).with_name(name)
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        shutil.copy2(path, target)
        with open(target, "rb+") as file:
            os.fsync(file.fileno())
    sync_directory(target.parent)


def sync_directory(directory: str | os.PathLike[str]) -> None:
    """Have the names in a directory survive a power failure, where the file system can."""
    with contextlib.suppress(OSError):  # Windows, and file systems that have nothing to sync
        fd = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def open_regular(path: str | os.PathLike[str], flags: int = 0) -> int:
    """Open a regular file for reading, and nothing that would be waited for, such as a pipe or a device.

    Args:
        path: the file.
        flags: more flags of `os.open`.

    Returns:
        A descriptor.

    Raises:
        OSError: the file cannot be opened, or is not a regular one.
    """
    _check_regular(os.stat(path).st_mode, path)  # opening a device may have effects
    flags |= os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    fd = os.open(path, flags)
    try:
        _check_regular(os.fstat(fd).st_mode, path)
    except OSError:
        os.close(fd)
        raise
    return fd


def _check_regular(mode: int, path: str | os.PathLike[str]) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file", os.fspath(path))


def read_bounded(path: str | os.PathLike[str], most: int) -> bytes:
    """Read a file of a run, which anybody may have put there.

    Links are followed to files in the same directory, or below it, and no further.

    Args:
        path: the file.
        most: its size in bytes at most.

    Raises:
        DataError: it is too large, not a regular file, or a link out of its directory.
        FileNotFoundError: there is no such file.
        OSError: it cannot be read.
    """
    real = os.path.realpath(path)
    directory = os.path.realpath(os.path.dirname(path) or ".")
    if not real.startswith(os.path.join(directory, "")):
        raise DataError(
            "{path} is a link out of its directory: put a copy of the file there", path=os.fspath(path)
        )
    try:
        fd = open_regular(real, getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise DataError("{path} is not a regular file: move it away", path=os.fspath(path)) from None
        raise
    with open(fd, "rb") as file:
        data = b""
        if os.fstat(fd).st_size <= most:
            data = file.read(most + 1)
            if len(data) <= most:
                return data
    raise DataError("{path} has more than {most:,} bytes: move it away", path=os.fspath(path), most=most)


@contextmanager
def mapped(path: str | os.PathLike[str] | int) -> Iterator[Buffer]:
    """The content of a file (its path or descriptor), without reading it into memory.

    Raises:
        OSError: the file cannot be opened, or is not a regular one.
    """
    fd = path if isinstance(path, int) else open_regular(path)
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
    """A local file that can be read at any position.

    The file is not mapped: if another process truncates a mapped file, this process is killed.

    Attributes:
        window: the best number of bytes to read at once.

    Raises:
        OSError: the file cannot be opened, or is not a regular one.
    """

    window = 1 << 20

    def __init__(self, path: str) -> None:
        self._file = open(open_regular(path), "rb", buffering=0)  # noqa: SIM115 its owner closes it

    def read_into(self, view: memoryview, at: int) -> int:
        """Fill ``view`` with the bytes from ``at`` on; return how many there were."""
        self._file.seek(at)
        done = 0
        while done < len(view):
            got = self._file.readinto(view[done:])
            if not got:
                break
            done += got
        return done

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> FileReader:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


_finalizers: dict[tuple[int, Callable[[], None]], multiprocessing.util.Finalize] = {}


def at_exit_of_child(function: Callable[[], None]) -> None:
    """Call a function once when this process ends, if `multiprocessing` has started it.

    Such a process, as of ``paddle.distributed.spawn``, ends without running `atexit` handlers.
    """
    key = (os.getpid(), function)
    if key not in _finalizers and multiprocessing.parent_process() is not None:
        _finalizers[key] = multiprocessing.util.Finalize(None, function, exitpriority=0)
