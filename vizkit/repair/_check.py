"""What is wrong with logs: each finding says what it means for stock VisualDL, and what to do.

`vizkit.repair._repair` mends what can be mended.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from vizkit._files import lock_exclusive
from vizkit.errors import TagError
from vizkit.format.file_names import LOG_WORD
from vizkit.format.tags import RESERVED, check_tag
from vizkit.reading import Problem
from vizkit.runs.loading import load
from vizkit.runs.run import Run

__all__ = [
    "Finding",
    "Inventory",
    "being_written",
    "check",
    "check_run",
    "inventory",
    "is_bad_tag",
]


_QUIET_SECONDS = 60  # a stock log that was not changed for so long is not being written

_STOPS = "its server does not start, for any run"
_MEANING = {
    "hidden": (
        "it reads only the log whose name sorts last, and does not show this one",
        "--repair merges a run's logs into that one",
    ),
    "torn": (f"unless it is a few bytes, {_STOPS}", "--repair cuts the tail off"),
    "damaged": (_STOPS, "--repair closes the gap: all whole records around it stay"),
    "undecodable": (_STOPS, "--repair takes it out"),
    "empty": ("it shows a run without data", "--repair moves it aside"),
    "hiding": (
        "it reads this file, whose name sorts last, and shows nothing of the run",
        "--repair moves it aside",
    ),
    "no log": (
        f"it takes every file with {LOG_WORD!r} in its name for a log: {_STOPS}, or this hides the log",
        "--repair gives it another name",
    ),
    "copy": (
        "it reads whichever of the two has the name that sorts last",
        "--repair gives the copy another name",
    ),
    "mixed": (_STOPS, "--repair renames the tag of the later kind; use a tag for each in the training"),
    "tag": (
        "it takes '%' for '/', and answers a tag that begins with '/' with another run's data",
        "--repair renames it; use another tag in the training",
    ),
    "hparams": (
        "its page of hyper-parameters stays empty, for all runs",
        "--repair writes it as text, which VizKit reads as the number",
    ),
    "display name": (
        "it shows one of these runs under the name, for all of them",
        "give each run a display name of its own, or none",
    ),
    "unreadable": ("it cannot read it either", "see to the permissions of the file and its directory"),
    "environment": ("nothing: it does not read this file", "move the file away"),
    "killed": ("nothing: all that was recorded until then is there", "nothing, or resume the run"),
    "being written": (
        "if it starts at this moment, it may fail",
        "nothing: it is looked at again when the run has ended",
    ),
}
_NOTES = {"killed", "being written"}
_FOR_PEOPLE = {"display name", "unreadable", "environment"}


class Finding(NamedTuple):
    """Something about a run's files.

    Attributes:
        run: the run's name.
        path: the file or directory.
        kind: ``hidden``, ``torn``, ``damaged``, ``undecodable``, ``empty``, ``hiding`` (an empty file
            that hides the others), ``no log``, ``copy``, ``mixed``, ``tag``, ``hparams`` (NaN
            or infinite), ``display name``, ``unreadable``, ``environment``, ``killed`` or ``being written``.
        what: what there is, in words.
        stock: what it means for stock VisualDL.
        todo: what to do.
    """

    run: str
    path: str
    kind: str
    what: str
    stock: str
    todo: str

    @property
    def is_problem(self) -> bool:
        """Whether something is wrong; else it is only worth knowing."""
        return self.kind not in _NOTES

    @property
    def mendable(self) -> bool:
        """Whether `vizkit.repair._repair.repair` mends it."""
        return self.is_problem and self.kind not in _FOR_PEOPLE and "://" not in self.path


class Inventory(NamedTuple):
    """The files of a run directory that have ``vdlrecords`` in their names, as paths.

    Attributes:
        logs: those that hold records, in VisualDL's order: it reads the last one.
        empty: those without content.
        foreign: those that hold no record.
        copies: copy -> the log that holds the same, and perhaps more.
        last: the one whose name sorts last of all.
    """

    logs: list[str]
    empty: list[str]
    foreign: list[str]
    copies: dict[str, str]
    last: str


def check(logdir: str | os.PathLike[str] = "log") -> list[Finding]:
    """What is wrong with the logs under a directory, of VizKit or of VisualDL, run by run.

    Args:
        logdir: as for `vizkit.load`. In a remote directory, files beside the logs are not looked at.

    Raises:
        LogNotFoundError: no such directory or file.
    """
    runs = load(logdir)
    found = [finding for run in runs for finding in check_run(run)]
    return [*found, *_same_names(runs), *_closed_directories(os.fspath(logdir))]


def check_run(run: Run) -> list[Finding]:
    """What is wrong with one run's files."""
    problems = run.problems
    files = inventory(run.directory, run.logs.files, problems)
    busy = being_written(run)
    found = _of_files(run.name, files)
    aside = {*files.foreign, *files.copies}
    found += [_of_problem(run, problem, busy) for problem in problems if problem.path not in aside]
    path = files.logs[-1] if files.logs else run.directory
    for tag, kind in run.logs.kinds.items():
        if RESERVED.get(tag, kind) != kind:
            what = f"{kind} records have the tag {tag!r}, which VisualDL uses for its own {RESERVED[tag]}"
            found.append(_finding(run.name, path, "mixed", what))
        elif is_bad_tag(tag):
            found.append(_finding(run.name, path, "tag", f"VisualDL cannot serve the tag {tag!r}"))
    for name in dict.fromkeys(run.logs.hparams.bare):
        what = f"the hyper-parameter {name!r} is {run.hparams.get(name)}, written as a number"
        found.append(_finding(run.name, path, "hparams", what))
    if run.status == "killed":
        found.append(_finding(run.name, run.directory, "killed", "the run's process was killed"))
    return found


def inventory(directory: str, logs: Sequence[str], problems: Iterable[Problem]) -> Inventory:
    """Sorts a run directory's files.

    Args:
        directory: the run directory.
        logs: the files that the reader read.
        problems: what it could not read.
    """
    whole = [p.path for p in problems if p.kind == "torn" and p.start == 0]  # from the first byte on
    foreign = [path for path in logs if path in whole]
    records = [path for path in logs if path not in whole]
    if "://" in directory:
        return Inventory(records, [], foreign, {}, max(logs, default=""))
    copies = _copies(records)
    empty = []
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        empty = sorted(e.path for e in entries if LOG_WORD in e.name and e.is_file() and not e.stat().st_size)
    last = max([*logs, *empty], key=os.path.basename, default="")
    return Inventory([path for path in records if path not in copies], empty, foreign, copies, last)


def is_bad_tag(tag: str) -> bool:
    """Whether stock VisualDL cannot serve a tag, or cannot read it (it is no UTF-8)."""
    try:
        check_tag(tag)
    except TagError:
        return True
    return "\ufffd" in tag


def being_written(run: Run) -> str:
    """Why it may be that a program is writing a run's logs at this moment; empty: none is."""
    for path in run.logs.files:
        with contextlib.suppress(OSError):
            fd = os.open(path, os.O_RDONLY)
            try:
                if lock_exclusive(fd) is False:
                    return f"a program has {path} open"
            finally:
                os.close(fd)
    if run.status == "running":
        return "the run is going on"
    if run.status == "unknown":  # stock VisualDL locks nothing, and does not say when it ends
        age = time.time() - max(map(_changed, run.logs.files), default=0)
        if age < _QUIET_SECONDS:
            return f"its log was changed {max(age, 0):.0f} seconds ago: try again in a minute"
    return ""


def _changed(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except (OSError, ValueError):
        return 0


def _finding(run: str, path: str, kind: str, what: str) -> Finding:
    return Finding(run, path, kind, what, *_MEANING[kind])


def _of_files(run: str, files: Inventory) -> list[Finding]:
    found = []
    for path in files.empty:
        kind = "hiding" if path == files.last and files.logs else "empty"
        found.append(_finding(run, path, kind, "the file is empty"))
    found += [_finding(run, path, "no log", f"{_described(path)}, and no log") for path in files.foreign]
    for path, original in files.copies.items():
        what = f"it is a copy of {os.path.basename(original)}, or of its beginning"
        found.append(_finding(run, path, "copy", what))
    for path in files.logs[:-1]:
        what = f"an older log lies beside {os.path.basename(files.logs[-1])}"
        found.append(_finding(run, path, "hidden", what))
    return found


def _of_problem(run: Run, problem: Problem, busy: str) -> Finding:
    kind = problem.kind
    if problem.path not in run.logs.files:
        kind = "environment"
    elif kind == "torn" and busy:
        kind = "being written"
    # The path is told beside it.
    what = problem.message.removeprefix(f"{problem.path}: ").removeprefix(problem.path).strip()
    return _finding(run.name, problem.path, kind, what)


def _described(path: str) -> str:
    try:
        with open(path, "rb") as file:
            start = file.read(4)
    except (OSError, ValueError):
        start = b""
    if start.startswith((b"\x1f\x8b", b"PK", b"BZh", b"\xfd7zX", b"\x28\xb5\x2f\xfd")):
        return "it is a packed file"
    return "it holds no whole record"


def _copies(paths: Sequence[str]) -> dict[str, str]:
    """Copy -> original, of files that begin alike up to the end of the shorter one."""
    starts: dict[bytes, list[str]] = {}
    for path in paths:
        with contextlib.suppress(OSError), open(path, "rb") as file:
            starts.setdefault(file.read(64), []).append(path)
    copies: dict[str, str] = {}
    for some in starts.values():
        # The original is the longest, or else the one that is named as logs are.
        order = sorted(some, key=lambda p: (-os.path.getsize(p), not p.endswith(".log"), p))
        for index, path in enumerate(order):
            originals = (other for other in order[:index] if other not in copies and _begins(other, path))
            if original := next(originals, None):
                copies[path] = original
    return copies


def _begins(path: str, other: str) -> bool:
    """Whether a file begins with the whole content of another."""
    with open(path, "rb") as file, open(other, "rb") as beginning:
        while part := beginning.read(1 << 20):
            if file.read(len(part)) != part:
                return False
    return True


def _same_names(runs: Iterable[Run]) -> list[Finding]:
    """Runs that stock VisualDL would show under one name."""
    shown: dict[str, list[Run]] = {}
    for run in runs:
        shown.setdefault(run.display_name, []).append(run)
    found = []
    for name, some in shown.items():
        if len(some) > 1:
            what = f"{len(some)} runs are called {name!r}: {', '.join(run.name for run in some)}"
            named = [run for run in some if run.logs.display_name]
            found += [_finding(run.name, run.directory, "display name", what) for run in named]
    return found


def _closed_directories(logdir: str) -> list[Finding]:
    if "://" in logdir:
        return []
    found = []

    def note(error: OSError) -> None:
        path = str(error.filename)
        what = f"the directory cannot be listed: {error.strerror}"
        found.append(_finding(os.path.relpath(path, logdir), path, "unreadable", what))

    for _ in os.walk(logdir, onerror=note):
        pass
    return found
