"""The files of a run directory, sorted for checks and repairs."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from vizkit._files import open_regular
from vizkit._language import tr
from vizkit._locks import lock_exclusive
from vizkit.format.file_names import LOG_WORD
from vizkit.reading import Problem
from vizkit.runs.run import Run

__all__ = ["Inventory", "being_written", "inventory"]

_QUIET_SECONDS = 60  # a stock log that was not changed for so long is not being written


class Inventory(NamedTuple):
    """The files of a run directory that have ``vdlrecords`` in their names, as paths.

    Attributes:
        logs: logs that hold records, in VisualDL's order: it reads the last one.
        empty: files without content.
        foreign: files that hold no record, pipes, devices and links that lead nowhere.
        copies: copy -> the log that holds the same, and perhaps more.
        last: the file whose name sorts last of all.
    """

    logs: list[str]
    empty: list[str]
    foreign: list[str]
    copies: dict[str, str]
    last: str


def inventory(directory: str, logs: Sequence[str], problems: Iterable[Problem]) -> Inventory:
    """Sort the files of a run directory; ``logs`` and ``problems`` are those of its reader."""
    whole = [p.path for p in problems if p.kind == "torn" and p.start == 0]  # from the first byte on
    foreign = [path for path in logs if path in whole]
    records = [path for path in logs if path not in whole]
    if "://" in directory:
        return Inventory(records, [], foreign, {}, max(logs, default=""))
    copies = _copies(records)
    empty = []
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        named = [entry.path for entry in entries if LOG_WORD in entry.name]
        empty = sorted(path for path in named if os.path.isfile(path) and not os.path.getsize(path))
        foreign += sorted(path for path in named if not os.path.isfile(path) and not os.path.isdir(path))
    last = max([*logs, *empty], key=os.path.basename, default="")
    return Inventory([path for path in records if path not in copies], empty, foreign, copies, last)


def _copies(paths: Sequence[str]) -> dict[str, str]:
    """Copy -> original, for files that are equal up to the end of the shorter one."""
    starts: dict[bytes, list[str]] = {}
    for path in paths:
        with contextlib.suppress(OSError), open(path, "rb") as file:
            starts.setdefault(file.read(64), []).append(path)
    copies: dict[str, str] = {}
    for some in starts.values():
        # The original is the longest, or else the one with a name as logs have.
        order = sorted(some, key=lambda p: (-os.path.getsize(p), not p.endswith(".log"), p))
        for index, path in enumerate(order):
            originals = (other for other in order[:index] if other not in copies and _begins(other, path))
            if original := next(originals, None):
                copies[path] = original
    return copies


def _begins(path: str, other: str) -> bool:
    """Return True if a file begins with the whole content of another."""
    with open(path, "rb") as file, open(other, "rb") as beginning:
        while part := beginning.read(1 << 20):
            if file.read(len(part)) != part:
                return False
    return True


def being_written(run: Run) -> str:
    """The reason to believe that a program is writing the logs of a run now; empty if there is none."""
    for path in run.logs.files:
        with contextlib.suppress(OSError):
            fd = open_regular(path)
            try:
                if lock_exclusive(fd) is False:
                    return tr("a program has {path} open", path=path)
            finally:
                os.close(fd)
    if run.status == "running":
        return tr("the run is going on")
    if run.status == "unknown":  # stock VisualDL locks nothing, and does not say when it ends
        age = time.time() - max(map(_changed, run.logs.files), default=0)
        if age < _QUIET_SECONDS:
            return tr(
                "its log was changed {seconds:.0f} seconds ago: try again in a minute", seconds=max(age, 0)
            )
    return ""


def _changed(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except (OSError, ValueError):
        return 0
