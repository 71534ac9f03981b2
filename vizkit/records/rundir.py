"""Run directories: which file is their log, and who may have them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vizkit.errors import RunExistsError
from vizkit.records.logfile import lock_exclusive

__all__ = ["claimed", "log_files", "new_log_name", "remove_logs"]

_WAIT_SECONDS = 10.0


def log_files(directory: str | os.PathLike[str]) -> list[str]:
    """The names of the logs in a directory that hold something, in VisualDL's order.

    Stock VisualDL reads the last one only.
    """
    try:
        with os.scandir(directory) as entries:
            return sorted(e.name for e in entries if "vdlrecords" in e.name and e.is_file() and e.stat().st_size)
    except (FileNotFoundError, NotADirectoryError):
        return []


def new_log_name(suffix: str = "") -> str:
    """A name for a new log, as VisualDL gives them."""
    return f"vdlrecords.{int(time.time()):010d}.log{suffix}"


def remove_logs(directory: str | os.PathLike[str]) -> None:
    """Deletes the logs and model graphs of a run, and nothing else."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if ("vdlrecords" in entry.name or "vdlgraph" in entry.name) and entry.is_file():
                os.unlink(entry.path)


@contextmanager
def claimed(directory: Path) -> Iterator[bool]:
    """Makes ``directory`` and holds it, so that two trackers do not take it at the same moment.

    Yields whether it holds no records and so is free to be taken: the taker writes its first
    record before it lets go.

    Raises:
        RunExistsError: another process held on to the directory for ten seconds.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    try:
        directory.mkdir()
        ours = True
    except FileExistsError:
        ours = False
    if os.name == "nt":  # a directory cannot be opened there, nor locked
        yield ours or not log_files(directory)
        return
    fd = os.open(directory, os.O_RDONLY)
    try:
        deadline = time.monotonic() + _WAIT_SECONDS
        while (locked := lock_exclusive(fd)) is False:
            if time.monotonic() > deadline:
                raise RunExistsError(f"{directory} is locked by another process; name another run directory")
            time.sleep(0.001)
        # Without locks, whoever made the directory has it; an empty one may be somebody's.
        yield not log_files(directory) if locked else ours
    finally:
        os.close(fd)
