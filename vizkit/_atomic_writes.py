"""Files that are replaced at once: readers, kills and power failures see the former one or the new one."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import threading
from collections.abc import Iterable
from pathlib import Path

__all__ = [
    "free_name",
    "keep_beside",
    "rewrite",
    "sync_directory",
    "write_atomic",
    "write_durably",
]

_calls = itertools.count()


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
