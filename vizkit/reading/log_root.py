"""All run directories under a root."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from vizkit.reading.filesystem import LogStat, store_of
from vizkit.reading.run_reader import RunReader

__all__ = ["Changes", "LogRoot", "natural_key"]


class Changes(NamedTuple):
    """Names of the runs that a refresh has found to be new, gone or changed."""

    added: list[str]
    removed: list[str]
    changed: list[str]


class LogRoot:
    """All run directories under a root, followed as they appear, grow and disappear.

    Links to directories are followed, each directory once. A directory that cannot be listed is left out.

    Args:
        root: a directory, a log file (its directory is the only run), or a remote directory.

    Raises:
        FileNotFoundError: there is no such directory or file.
        MissingDependencyError: the directory is remote, and the package for it is not installed.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.fspath(root)
        self._store = store_of(self.root)
        if not self._store.exists(self.root):
            raise FileNotFoundError(self.root)
        self._alone = self._store.is_file(self.root)
        self.runs: dict[str, RunReader] = {}
        """Name (the path below the root with ``/``; ``.`` for the root itself) -> run, in natural order."""
        self.refresh()

    def refresh(self) -> Changes:
        """Find new, gone and grown runs, and read what was appended."""
        found = self._find()
        added = [name for name in found if name not in self.runs]
        removed = [name for name in self.runs if name not in found]
        changed = [name for name, run in self.runs.items() if name in found and run.refresh(found[name][1])]
        if added or removed:
            runs = {name: self.runs.get(name) or RunReader(*there) for name, there in found.items()}
            self.runs = dict(sorted(runs.items(), key=lambda item: natural_key(item[0])))
        return Changes(sorted(added, key=natural_key), removed, changed)

    def _find(self) -> dict[str, tuple[str, list[LogStat]]]:
        if not self._alone:
            return self._store.runs(self.root)
        directory = os.path.dirname(self.root) or "."
        logs = self._store.logs(directory)
        return {".": (directory, logs)} if logs else {}


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """A sort key that puts ``run2`` before ``run10``."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part
    ]
