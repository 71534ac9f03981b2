"""The runs of a log directory, read once, and refreshed on a thread while requests come."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from vizkit._language import tr
from vizkit.format.tags import HPARAMS
from vizkit.reading import LogRoot, RunReader, natural_key
from vizkit.reading.column_cache import ColumnCache, cache_directory
from vizkit.reading.filesystem import LogStat
from vizkit.reading.run_reader import without_gc
from vizkit.server.run_names import printable, unique_names

__all__ = ["GroupMember", "LiveRuns", "RunState", "Snapshot"]

_PAUSE = 0.4  # seconds between two refreshes
_TURN = 0.1  # seconds that the reading of large runs keeps the lock: the first picture waits for one turn
_BETWEEN = 0.005
_MOMENT = 1.0  # seconds that a list of runs waits for the rest of them
_SHARE = 10  # refreshes take at most a tenth of the time
_IDLE_AFTER = 60.0  # seconds without a request after which the thread sleeps

_log = logging.getLogger(__name__)


class GroupMember(NamedTuple):
    """A member of an ``add_scalars`` group, which the page lists as a run of its own."""

    run: RunState
    tag: str
    member: str


@dataclass(frozen=True)
class RunState:
    """A run at one moment.

    Attributes:
        name: the name that it is listed by: its display name, or else its path below the root.
        path: its path below the root, ``.`` for the root itself.
        logs: its records; hold `LiveRuns.lock` while you use them.
        version: changes with every change of the run.
        tags: kind of record -> tags, in the order of their first records.
        members: name of a group member's own run -> tag of its group, name within it.
    """

    name: str
    path: str
    logs: RunReader
    version: int
    tags: dict[str, list[str]]
    members: dict[str, tuple[str, str]]

    def has_layout_of(self, other: RunState) -> bool:
        """Return True if names and tags are the same."""
        return (self.name, self.tags, self.members) == (other.name, other.tags, other.members)


@dataclass(frozen=True)
class Snapshot:
    """All runs at one moment, in natural order; immutable.

    Attributes:
        runs: name -> run.
        members: name of a group member's run -> the member.
        version: changes with every change of the log directory.
        tags_version: changes when runs or tags come or go.
        curve_counts: scalar tag -> number of runs that have it.
    """

    runs: dict[str, RunState] = field(default_factory=dict)
    members: dict[str, GroupMember] = field(default_factory=dict)
    version: int = 0
    tags_version: int = 0
    curve_counts: Counter[str] = field(default_factory=Counter)

    def tags(self, kind: str) -> dict[str, list[str]]:
        """Tags of one kind of record by run, for the runs that have any."""
        out: dict[str, list[str]] = {}
        for run in self.runs.values():
            if run.tags.get(kind):
                out[run.name] = run.tags[kind]
            if kind == "scalar":
                out.update({name: [tag] for name, (tag, _) in run.members.items() if name not in out})
        return out


class _ContainedLogRoot(LogRoot):
    """A log root without the runs that lie, or have a log, outside of it: links may lead there."""

    def __init__(self, root: str, cache: ColumnCache) -> None:
        self.refused: dict[str, str] = {}
        self._inside: dict[tuple[str, object], bool] = {}
        local = "://" not in root
        base = os.path.dirname(os.path.abspath(root)) if local and os.path.isfile(root) else root
        self._base = os.path.realpath(base) if local else None
        super().__init__(root, cache, _TURN)

    def _find(self) -> dict[str, tuple[str, list[LogStat]]]:
        found = super()._find()
        if self._base is None:
            return found
        refused, known = {}, {}
        real: dict[str, str] = {}
        for name, (path, logs) in list(found.items()):
            for log in logs:
                key = (log.path, log.identity)
                inside = self._inside.get(key)
                known[key] = _lies_in(self._base, real, log.path, path) if inside is None else inside
                if not known[key] and name in found:
                    refused[name] = tr(
                        "{link} leads out of the log directory: {path} is not served",
                        link=log.path,
                        path=path,
                    )
                    del found[name]
        self._inside, self.refused = known, refused
        return found


def _lies_in(base: str, real: dict[str, str], *paths: str) -> bool:
    """True if all of the paths lead to ``base`` or below it; ``real`` remembers where directories lead."""
    start = os.path.join(base, "")
    return all(os.path.join(_real_path(path, real), "").startswith(start) for path in paths)


def _real_path(path: str, real: dict[str, str]) -> str:
    """`os.path.realpath`, which looks at each directory above again and again."""
    if path not in real:
        above, name = os.path.split(path)
        plain = above and name not in ("", os.curdir, os.pardir) and os.name != "nt"  # which has other links
        plain = plain and not os.path.islink(path)
        real[path] = os.path.join(_real_path(above, real), name) if plain else os.path.realpath(path)
    return real[path]


class LiveRuns:
    """The runs under a log directory, in memory, refreshed on a thread while requests come.

    Args:
        logdir: a directory of runs, one run's directory, a log file, or a remote directory.

    Attributes:
        snapshot: the runs as they are now; every change makes another one.

    Raises:
        LogNotFoundError: no such directory or file.
        MissingDependencyError: a remote directory, and the package that reads it is not installed.
    """

    def __init__(self, logdir: str | os.PathLike[str]) -> None:
        self.logdir = os.path.expanduser(logdir)
        self.lock = threading.Lock()
        """Held while the logs are read: by a refresh, and by users of `RunState.logs`."""
        self._cache = ColumnCache(cache_directory(), root=self.logdir)
        self._began = time.monotonic()
        self._failure = ""
        self._by_path: dict[str, RunState] = {}
        self.snapshot = Snapshot()
        with without_gc():
            self._root = _ContainedLogRoot(self.logdir, self._cache)
            self._publish(self._root.runs)
        self._last_request = self._last_refresh = time.monotonic()
        self._cost = 0.0  # seconds that the last refresh took
        self._catching_up = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="vizkit-serve-follow", daemon=True)

    @property
    def local_directory(self) -> str | None:
        """The local directory of the runs, None for a remote one."""
        if "://" in self.logdir:
            return None
        return os.path.dirname(self.logdir) or "." if os.path.isfile(self.logdir) else self.logdir

    def start(self) -> None:
        """Start the thread that refreshes."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def stopped(self) -> bool:
        """True once it was told to end."""
        return self._stop.is_set()

    def note_request(self) -> bool:
        """Wake the thread; return True if the request must wait for a refresh, as the last was long ago."""
        self._last_request = time.monotonic()
        self._wake.set()
        return self.unread > 0 or self.is_late

    @property
    def is_late(self) -> bool:
        """True if the last refresh was long ago: nobody had asked for anything."""
        return time.monotonic() - self._last_refresh > 2 * self._pause() + 1

    def catch_up(self) -> None:
        """Refresh if the last refresh was long ago; any number of callers wait for the same one."""
        with self._catching_up:
            if self.is_late:
                self._refresh()

    @property
    def unread(self) -> int:
        """The number of runs that are not read yet."""
        return self._root.unread

    def wait_for_rest(self) -> None:
        """Wait for runs that are not read yet, if they will be in a moment: a page is then drawn once."""
        start = time.monotonic()
        while (unread := self.unread) and not self._stop.is_set():
            now = time.monotonic()
            left = unread * (now - self._began) / max(len(self._by_path), 1)  # at the speed until now
            if now - start > _MOMENT or left > _MOMENT or not self._thread.is_alive():
                return
            time.sleep(_BETWEEN)

    def explore(self) -> None:
        """Keep what is read of the cache's files for a while."""
        self._cache.explore()

    def release(self) -> None:
        """Give memory of the cache's files back to the system."""
        self._cache.release()

    def refresh(self) -> None:
        """Read what was appended since the last refresh; others get their turn while large runs are read."""
        self._refresh()
        if self.unread:
            with without_gc():
                while self.unread and not self._stop.wait(_BETWEEN):
                    self._refresh()

    def _refresh(self) -> None:
        with self.lock:
            start = time.monotonic()
            try:
                changes = self._root.refresh(_TURN)
                if any(changes):
                    self._publish(changes.changed)
                self._failure = ""
            except Exception as error:  # whatever one log directory does, the rest is served
                if str(error) != self._failure:  # once, not at every refresh
                    _log.exception("could not look for new records in %s", self.logdir)
                self._failure = str(error)
            self._last_refresh = time.monotonic()
            self._cost = self._last_refresh - start

    def problems(self) -> list[tuple[str, str]]:
        """Run and message of everything that could not be read, or is not served."""
        with self.lock:
            found = [
                (run.name, printable(tr(problem.message)))
                for run in self._by_path.values()
                for problem in run.logs.problems
            ]
            return [*found, *self.refused.items()]

    @property
    def refused(self) -> dict[str, str]:
        """Run, or directory of runs -> why it is not served, or not as it is now; ``.`` for all runs."""
        found = {printable(name): printable(tr(why)) for name, why in self._root.refused.items()}
        if unlisted := self.unlisted:
            from vizkit.runs.foreign import unlisted_note  # seldom needed, and slow

            for path in unlisted:
                found[printable(os.path.relpath(path, self.logdir))] = printable(unlisted_note([path]))
        if self._failure:
            found["."] = printable(
                tr("{error} (the runs are shown as they were before)", error=self._failure)
            )
        return found

    @property
    def unlisted(self) -> list[str]:
        """The directories that may not be listed, whose runs are missing."""
        return list(self._root.unlisted)

    def _pause(self) -> float:
        return max(_PAUSE, _SHARE * self._cost)

    def _follow(self) -> None:
        if self.unread:
            self.refresh()
        while not self._stop.wait(self._pause()):
            self.release()
            if time.monotonic() - self._last_request > _IDLE_AFTER:
                self._wake.clear()
                self._wake.wait()
            else:
                self.refresh()

    def _publish(self, changed: Iterable[str]) -> None:
        """Make a new snapshot after a change; ``changed`` are the paths of runs with new records."""
        grown, before, old = set(changed), self._by_path, self.snapshot
        version = old.version + 1
        names = unique_names(self._root)
        by_path: dict[str, RunState] = {}
        for path, logs in self._root.runs.items():
            known = before.get(path)
            if known and known.logs is logs and path not in grown and known.name == names[path]:
                by_path[path] = known
            else:
                by_path[path] = _state_of(names[path], path, logs, version)
        same_layout = list(by_path) == list(before) and all(
            run is before[path] or run.has_layout_of(before[path]) for path, run in by_path.items()
        )
        runs = {run.name: run for run in by_path.values()}
        members = {
            name: GroupMember(run, *member)
            for run in by_path.values()
            for name, member in run.members.items()
        }
        self._by_path = by_path
        self.snapshot = Snapshot(
            runs,
            members,
            version,
            old.tags_version if same_layout else version,
            old.curve_counts if same_layout else _count_curves(runs.values()),
        )


def _count_curves(runs: Iterable[RunState]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for run in runs:
        counts.update(run.tags.get("scalar", ()))
        counts.update(tag for tag, _ in run.members.values())
    return counts


def _state_of(name: str, path: str, logs: RunReader, version: int) -> RunState:
    tags: dict[str, list[str]] = {}
    members: dict[str, tuple[str, str]] = {}
    for tag, kind in logs.kinds.items():
        if kind != "scalars":
            tags.setdefault(kind, []).append(tag)
            continue
        for member in logs.members(tag):
            members[f"{name}/{tag.replace('/', '_')}_{member}"] = (tag, member)
    if logs.hparams.hparams or logs.hparams.metrics:
        tags["hparams"] = [HPARAMS]
    in_order = sorted(members.items(), key=lambda member: natural_key(member[0]))
    return RunState(name, path, logs, version, tags, dict(in_order))
