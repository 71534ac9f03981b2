"""All run directories under a root."""

from __future__ import annotations

import itertools
import math
import os
import posixpath
import re
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from vizkit._language import tr
from vizkit.errors import LogNotFoundError
from vizkit.reading.column_cache import ColumnCache
from vizkit.reading.filesystem import LogStat, store_of
from vizkit.reading.known_run import known_run
from vizkit.reading.run_reader import RunReader, without_gc

__all__ = ["Changes", "LogRoot", "natural_key"]

_LARGE = 64 << 20  # bytes of logs that take a while to read
_THREADS = 2
_AT_ONCE = 256  # small runs that are read without a look at the clock, or a quarter of those that are known
_SHARE = 10  # while runs wait to be read, looking for others takes at most a tenth of the time
_NATURAL = 500  # characters: Python converts no longer numbers, and long texts have many parts
_NUMBER = re.compile(
    r"((?<![\d.vV])\d+(?:\.\d+)?[eE][-+]?\d{1,3}(?![^\W_])|(?<![\d.vV])\d+\.\d+(?!\.?\d)|\d+)"
)


class Changes(NamedTuple):
    """Names of the runs that a refresh has found to be new, gone or changed."""

    added: list[str]
    removed: list[str]
    changed: list[str]


class LogRoot:
    """All run directories under a root, followed as they appear, grow and disappear.

    Links to directories are followed, each directory once. A directory that cannot be listed is left out;
    `unlisted` names it.

    Args:
        root: a directory, a log file (which is read alone, as the only run), or a remote directory.
        cache: a cache of long logs' columns.
        seconds: as in `refresh`.

    Raises:
        LogNotFoundError: there is no such directory or file.
        MissingDependencyError: the directory is remote, and the package for it is not installed.
        DataError: the process has too many files open.
    """

    def __init__(
        self, root: str | os.PathLike[str], cache: ColumnCache | None = None, seconds: float | None = None
    ) -> None:
        self._cache = cache
        self.root = os.path.expanduser(root)
        self._store = store_of(self.root)
        if not self._store.exists(self.root):
            where = ""
            with suppress(OSError):  # the working directory is gone
                where = "" if "://" in self.root else tr(" (looked in {directory})", directory=os.getcwd())
            raise LogNotFoundError(
                "{root!r} is not there{where}: name the directory that training writes its logs to",
                root=self.root,
                where=where,
            )
        self._file = (
            posixpath.basename(self.root.replace(os.sep, "/")) if self._store.is_file(self.root) else ""
        )
        self._readers: dict[str, RunReader] = {}  # by directory
        self.runs: dict[str, RunReader] = {}
        """Name (the path below the root with ``/``; ``.`` for the root itself) -> run, in natural order.

        The earlier trainings of a directory, `RunReader.earlier`, are ``name@1``, ``name@2`` ... before it.
        """
        self.unread = 0
        """The number of runs that were found but not read yet, for lack of time."""
        self.unlisted: list[str] = []
        """The directories that may not be listed, whose runs are missing."""
        self._found: dict[str, tuple[str, list[LogStat]]] = {}
        self._order: list[str] = []  # of what was found
        self._next_look = 0.0
        self.refresh(seconds)

    def refresh(self, seconds: float | None = None) -> Changes:
        """Find new, gone and grown runs, and read what was appended.

        Args:
            seconds: time after which no further run is read, where they are many or large; the next refresh
                goes on.

        Raises:
            DataError: the process has too many files open; nothing has changed.
        """
        with without_gc():
            return self._refresh(seconds)

    def _refresh(self, seconds: float | None) -> Changes:
        grown = self._look() if not self.unread or time.monotonic() >= self._next_look else set()
        before, found = self.runs, self._found
        if self._readers.keys() != found.keys():
            known = {name: reader for name, reader in self._readers.items() if name in found}
            new = [name for name in self._order if name not in known]
            known.update(self._read({name: found[name] for name in new}, seconds))
            self.unread = len(found) - len(known)
            if not self.unread and self._cache is not None:
                self._cache.save_short()
            self._readers = {name: known[name] for name in self._order if name in known}
        elif not grown:
            return Changes([], [], [])
        self.runs = {}
        changed = []
        for name, reader in self._readers.items():
            trainings = {f"{name}@{number}": one for number, one in enumerate(reader.earlier, start=1)}
            every = {**{key: one for key, one in trainings.items() if key not in found}, name: reader}
            self.runs.update(every)
            if name in grown:
                changed += [key for key in every if key in before]
        added = sorted((name for name in self.runs if name not in before), key=natural_key)
        return Changes(added, [name for name in before if name not in self.runs], changed)

    def _look(self) -> set[str]:
        """Find the runs that are there now; return those that have grown, which are read."""
        start = time.monotonic()
        found = self._find()
        if found.keys() != self._found.keys():
            self._order = sorted(found, key=natural_key)
        self._found = found
        now = time.monotonic()
        self._next_look = now + _SHARE * (now - start)
        there = [(name, reader) for name, reader in self._readers.items() if name in found]
        return {name for name, reader in there if reader.refresh(found[name][1])}

    def _read(
        self, found: dict[str, tuple[str, list[LogStat]]], seconds: float | None
    ) -> Iterator[tuple[str, RunReader]]:
        """Read new runs: large ones on several threads, and no longer than so many seconds."""

        def read(name: str) -> tuple[str, RunReader]:
            return name, known_run(*found[name], self._cache) or RunReader(*found[name], self._cache)

        end = math.inf if seconds is None else time.monotonic() + seconds
        names = iter(found)
        if sum(log.size for _, logs in found.values() for log in logs) < _LARGE:
            at_once = max(_AT_ONCE, len(self._readers) // 4)
            while some := [*itertools.islice(names, at_once)]:
                yield from map(read, some)
                if time.monotonic() > end:
                    return
            return
        with ThreadPoolExecutor(_THREADS) as pool:
            under_way = deque(pool.submit(read, name) for name in itertools.islice(names, _THREADS + 1))
            while under_way:
                yield under_way.popleft().result()
                if time.monotonic() < end:
                    under_way.extend(pool.submit(read, name) for name in itertools.islice(names, 1))

    def _find(self) -> dict[str, tuple[str, list[LogStat]]]:
        if not self._file:
            unlisted: list[str] = []
            found = self._store.runs(self.root, unlisted)
            self.unlisted = unlisted
            return found
        directory = os.path.dirname(self.root) or "."
        logs = [log for log in self._store.logs(directory) if posixpath.basename(log.path) == self._file]
        return {".": (directory, logs)} if logs else {}


def natural_key(name: str) -> list[tuple[int, float, str]]:
    """A sort key that puts ``run2`` before ``run10``, and ``lr1e-4``, ``lr0.001`` before ``lr0.01``.

    It looks for numbers in the first 500 characters. Numbers with several dots, or after a ``v``, are
    versions: ``v1.9`` is before ``v1.10``.
    """
    head, rest = name[:_NATURAL], name[_NATURAL:]
    key = [
        (1, 0, part) if text else (0, int(part) if part.isdecimal() else float(part), "")
        for text, part in zip(itertools.cycle((True, False)), _NUMBER.split(head), strict=False)
        if part
    ]
    return [*key, (1, 0, rest)] if rest else key
