"""Files: their paths, opened safely, read in bounds, at any position or mapped."""

from __future__ import annotations

import errno
import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from vizkit.errors import DataError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "Buffer",
    "FileReader",
    "is_shortage",
    "local_path",
    "mapped",
    "open_kept",
    "open_regular",
    "path_of_open_file",
    "read_bounded",
]

Buffer = bytes | mmap.mmap

_LAST_STANDARD = 2  # descriptor
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
