"""Files in the user's cache directory: named by what they are of, whole or not there, and the user's own."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from vizkit._files import open_regular

__all__ = ["cache_path", "opened_own", "replaced"]


def cache_path(directory: Path, path: str, ending: str) -> Path:
    """The file of a directory of caches that is of a path."""
    name = hashlib.blake2b(os.path.abspath(path).encode("utf-8", "surrogateescape"), digest_size=16)
    return directory / (name.hexdigest() + ending)


def opened_own(path: Path) -> BinaryIO:
    """Open a file to read.

    Raises:
        OSError: it cannot be opened, or is a link.
        ValueError: it is another user's, or others may write it.
    """
    fd = open_regular(path, getattr(os, "O_NOFOLLOW", 0))
    stat = os.fstat(fd)
    if os.name != "nt" and (stat.st_uid != os.geteuid() or stat.st_mode & 0o022):
        os.close(fd)
        raise ValueError("it is another user's")
    return os.fdopen(fd, "rb")


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Write a file that takes the place of another one once it is whole; it is not synced to the disk.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with open(part, "xb") as file:
            yield file
        os.replace(part, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
