"""Rewriting of a log whose file was deleted or replaced while it was open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from vizkit._atomic_writes import free_name
from vizkit._files import open_kept
from vizkit._locks import lock_shared
from vizkit.format.file_names import LOG_WORD

__all__ = ["restore"]

_APPEND = os.O_RDWR | os.O_APPEND
_PART_BYTES = 1 << 20


def restore(fd: int, path: str) -> tuple[int, str]:
    """Write the content of an open file, which no path leads to any more, to its former path.

    If another file is there by now that holds the beginning of the content (a backup that was put back, or
    what another process has restored), the rest is appended to it. Any other file is left alone, and the
    content gets a name beside it.

    Args:
        fd: descriptor of the open file.
        path: its former path.

    Returns:
        A descriptor for appending to the new file, and its path.

    Raises:
        OSError: it cannot be written; there is no part of it then.
    """
    directory, name = os.path.split(path)
    directory = directory or "."
    Path(directory).mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        other = open_kept(path, _APPEND)
        try:
            lock_shared(other)
            if (same := _same_bytes(fd, other)) is not None:
                end = os.lseek(other, 0, os.SEEK_END)
                try:
                    _copy(fd, other, same)
                except OSError:
                    os.ftruncate(other, end)
                    raise
                return other, path
        except BaseException:
            os.close(other)
            raise
        os.close(other)
    part = os.path.join(directory, f".{name.replace(LOG_WORD, 'restoring')}.{os.getpid()}.part")
    new = open_kept(part, _APPEND | os.O_CREAT | os.O_TRUNC, os.fstat(fd).st_mode & 0o777)
    try:
        lock_shared(new)
        _copy(fd, new, 0)
        return new, _name(part, directory, name)
    except BaseException:
        os.close(new)
        raise
    finally:
        with suppress(OSError):
            os.unlink(part)


def _name(part: str, directory: str, name: str) -> str:
    """Give a file its name, or one like it that is free."""
    while True:
        path = os.path.join(directory, free_name(directory, name))
        try:
            os.link(part, path)
        except FileExistsError:
            continue
        except OSError:  # a file system without links
            os.rename(part, path)
        return path


def _parts(fd: int, start: int = 0) -> Iterator[bytes]:
    while part := os.pread(fd, _PART_BYTES, start):
        yield part
        start += len(part)


def _copy(source: int, target: int, start: int) -> None:
    for part in _parts(source, start):
        done = 0
        while done < len(part):
            done += os.write(target, part[done:])


def _same_bytes(fd: int, other: int) -> int | None:
    """The size of the shorter of two files if the longer one begins with it, else None."""
    size = min(os.fstat(fd).st_size, os.fstat(other).st_size)
    left = size
    for mine, theirs in zip(_parts(fd), _parts(other), strict=False):
        count = min(len(mine), len(theirs), left)
        if mine[:count] != theirs[:count]:
            return None
        left -= count
        if not left:
            break
    return size
