"""A log directory that is read once, and followed while anyone looks."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from vizkit.format.tags import HPARAMS
from vizkit.reading import LogRoot, RunReader, natural_key
from vizkit.reading.filesystem import LogStat

__all__ = ["KINDS", "Followed", "Member", "ShownRun", "View", "page_name", "printable"]

KINDS = {
    "scalar": "scalar",
    "histogram": "histogram",
    "image": "image",
    "text": "text",
    "audio": "audio",
    "hparams": "hyper_parameters",
    "pr_curve": "pr_curve",
    "roc_curve": "roc_curve",
    "embeddings": "embeddings",
}
"""Kind of record -> VisualDL's name for its page, in the order of the tabs."""

_PROPERTIES = {"constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString"}
_PROPERTIES |= {"toString", "valueOf", "__proto__", "__defineGetter__", "__defineSetter__"}
_PROPERTIES |= {"__lookupGetter__", "__lookupSetter__"}
_PAUSE = 0.4  # seconds between two looks at the directory
_SHARE = 10  # a look takes at most a tenth of the time
_FORGOTTEN = 60.0  # seconds without a request after which nobody looks

_log = logging.getLogger(__name__)


class Member(NamedTuple):
    """A member of an ``add_scalars`` group, which the page shows as a run of its own."""

    run: ShownRun
    tag: str
    member: str


@dataclass(frozen=True)
class ShownRun:
    """A run as the page lists it.

    Attributes:
        name: how it is listed: its display name, or else its path below the root.
        path: its path below the root, ``.`` for the root itself.
        logs: its records; use them under `Followed.lock`.
        version: another one after every change.
        tags: kind of record -> tags, in the order of their first records.
        members: name of a member's own run -> tag of its group, name within it.
    """

    name: str
    path: str
    logs: RunReader
    version: int
    tags: dict[str, list[str]]
    members: dict[str, tuple[str, str]]


@dataclass(frozen=True)
class View:
    """All runs at one moment, in natural order; never changed.

    Attributes:
        runs: name -> run.
        members: name of a member's run -> the member.
        version: another one after every change.
        shape: another one when runs or tags came or went.
        series: scalar tag -> how many runs have it.
    """

    runs: dict[str, ShownRun] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    version: int = 0
    shape: int = 0
    series: Counter[str] = field(default_factory=Counter)

    def tags(self, kind: str) -> dict[str, list[str]]:
        """Run -> its tags of a kind of record, for the runs that have any."""
        out: dict[str, list[str]] = {}
        for run in self.runs.values():
            if run.tags.get(kind):
                out[run.name] = run.tags[kind]
            if kind == "scalar":
                out.update({name: [tag] for name, (tag, _) in run.members.items() if name not in out})
        return out


class _InsideRoot(LogRoot):
    """Leaves out the runs that lie, or have a log, outside the root: links may lead there."""

    def __init__(self, root: str) -> None:
        self.refused: dict[str, str] = {}
        self._inside: dict[tuple[str, object], bool] = {}
        local = "://" not in root
        base = os.path.dirname(os.path.abspath(root)) if local and os.path.isfile(root) else root
        self._base = os.path.realpath(base) if local else None
        super().__init__(root)

    def _find(self) -> dict[str, tuple[str, list[LogStat]]]:
        found = super()._find()
        if self._base is None:
            return found
        refused, known = {}, {}
        for name, (path, logs) in list(found.items()):
            for log in logs:
                key = (log.path, log.identity)
                known[key] = self._inside[key] if key in self._inside else self._lies_inside(log.path)
                if not known[key] and name in found:
                    refused[name] = f"{log.path} leads out of the log directory: {path} is not served"
                    del found[name]
        self._inside, self.refused = known, refused
        return found

    def _lies_inside(self, path: str) -> bool:
        base = self._base or ""
        return os.path.realpath(path).startswith(base if base.endswith(os.sep) else base + os.sep)


class Followed:
    """The runs under a log directory, in memory, followed on a thread while requests come.

    Args:
        logdir: a directory of runs, one run's directory, a log file, or a remote directory.

    Raises:
        FileNotFoundError: no such directory or file.
        MissingDependencyError: a remote directory, and the package that reads it is not installed.
    """

    def __init__(self, logdir: str | os.PathLike[str]) -> None:
        self.logdir = os.fspath(logdir)
        self.lock = threading.Lock()
        """Held while records are read from the logs, and by who uses `ShownRun.logs`."""
        self._root = _InsideRoot(self.logdir)
        self._paths: dict[str, ShownRun] = {}
        self.view = View()
        self._publish(self._root.runs)
        self._asked = self._looked = time.monotonic()
        self._cost = 0.0
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="vizkit-serve-follow", daemon=True)

    @property
    def base(self) -> str | None:
        """The local directory of the runs, None for a remote one."""
        if "://" in self.logdir:
            return None
        return os.path.dirname(self.logdir) or "." if os.path.isfile(self.logdir) else self.logdir

    def start(self) -> None:
        """Begins to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Follows no longer."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def stale(self) -> bool:
        """Notes that someone asks; tells whether nobody has looked for so long that `look` is due."""
        self._asked = time.monotonic()
        self._wake.set()
        return self._asked - self._looked > 2 * self._pause() + 1

    def look(self) -> None:
        """Reads what was appended since."""
        with self.lock:
            start = time.monotonic()
            try:
                changes = self._root.refresh()
                if any(changes):
                    self._publish(changes.changed)
            except Exception:  # whatever a log directory does, the rest is served
                _log.exception("could not look for new records in %s", self.logdir)
            self._looked = time.monotonic()
            self._cost = self._looked - start

    def problems(self) -> list[tuple[str, str]]:
        """Run and message of all that could not be read, or is not served."""
        with self.lock:
            found = [
                (run.name, printable(problem.message))
                for run in self._paths.values()
                for problem in run.logs.problems
            ]
            return [*found, *self.refused.items()]

    @property
    def refused(self) -> dict[str, str]:
        """Run -> why it is not served."""
        return {printable(name): printable(why) for name, why in self._root.refused.items()}

    def _pause(self) -> float:
        return max(_PAUSE, _SHARE * self._cost)

    def _follow(self) -> None:
        while not self._stop.wait(self._pause()):
            if time.monotonic() - self._asked > _FORGOTTEN:
                self._wake.clear()
                self._wake.wait()
            else:
                self.look()

    def _publish(self, changed: Iterable[str]) -> None:
        """Makes a new view after a change; ``changed`` are the paths of runs with new records."""
        grown, before, old = set(changed), self._paths, self.view
        version = old.version + 1
        names = _names(self._root)
        paths: dict[str, ShownRun] = {}
        for path, logs in self._root.runs.items():
            known = before.get(path)
            if known and known.logs is logs and path not in grown and known.name == names[path]:
                paths[path] = known
            else:
                paths[path] = _shown(names[path], path, logs, version)
        same = list(paths) == list(before) and all(
            run is before[path] or (run.name, run.tags, run.members) == _what(before[path])
            for path, run in paths.items()
        )
        runs = {run.name: run for run in paths.values()}
        members = {
            name: Member(run, *member) for run in paths.values() for name, member in run.members.items()
        }
        series = old.series if same else _count(runs.values())
        self._paths = paths
        self.view = View(runs, members, version, old.shape if same else version, series)


def _what(run: ShownRun) -> tuple[str, dict[str, list[str]], dict[str, tuple[str, str]]]:
    return run.name, run.tags, run.members


def _count(runs: Iterable[ShownRun]) -> Counter[str]:
    series: Counter[str] = Counter()
    for run in runs:
        series.update(run.tags.get("scalar", ()))
        series.update(tag for tag, _ in run.members.values())
    return series


def _shown(name: str, path: str, logs: RunReader, version: int) -> ShownRun:
    tags: dict[str, list[str]] = {}
    members: dict[str, tuple[str, str]] = {}
    for tag, kind in logs.kinds.items():
        if kind in KINDS:
            tags.setdefault(kind, []).append(tag)
        elif kind == "scalars":
            for member in logs.group(tag):
                members[f"{name}/{tag.replace('/', '_')}_{member}"] = (tag, member)
    if logs.hparams.hparams or logs.hparams.metrics:
        tags["hparams"] = [HPARAMS]
    return ShownRun(name, path, logs, version, tags, dict(sorted(members.items(), key=_natural)))


def _natural(item: tuple[str, object]) -> list[tuple[int, int, str]]:
    return natural_key(item[0])


def _names(root: LogRoot) -> dict[str, str]:
    """Path -> the name that a run is listed by; no two are the same."""
    taken = {_own_name(root, path) for path in root.runs}
    wanted = {path: page_name(logs.display_name or _own_name(root, path)) for path, logs in root.runs.items()}
    often = Counter(wanted.values())
    names = {}
    for path, name in wanted.items():
        own = _own_name(root, path)
        names[path] = own if name == own else f"{name} ({own})" if often[name] > 1 or name in taken else name
    return names


def page_name(name: str) -> str:
    """A name that VisualDL's pages can look up: a property of every JavaScript object blanks them."""
    return f"{name}/" if name in _PROPERTIES else name


def _own_name(root: LogRoot, path: str) -> str:
    if path != ".":
        return printable(path)
    whole = root.root.rstrip("/") if "://" in root.root else os.path.abspath(root.root)
    return printable(os.path.basename(os.path.dirname(whole) if os.path.isfile(whole) else whole)) or "run"


def printable(name: str) -> str:
    """A file's name as text that JSON can hold: bytes that are no UTF-8 are spelt out."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
