"""Check logs: each finding says what it means for stock VisualDL, and what to do.

`vizkit.repair._repair` repairs them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from vizkit.format.file_names import LOG_WORD
from vizkit.format.tags import RESERVED
from vizkit.reading import Problem
from vizkit.repair._interrupted import leftovers
from vizkit.repair._inventory import Inventory, being_written, inventory
from vizkit.repair._renames import is_bad_tag
from vizkit.runs import Run, load

__all__ = ["Finding", "check", "check_run"]

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
    "walltime": (
        "it draws these records far from all others on a time axis",
        "pass walltimes in milliseconds since 1970, or none",
    ),
    "interrupted": (
        "nothing, or it shows records twice",
        "--repair finishes the repair or undoes it",
    ),
    "lost": ("nothing: it does not know of them", "see the reason; the rest of the run is as it should be"),
    "killed": ("nothing: all that was recorded until then is there", "nothing, or resume the run"),
    "trainings": (
        "of several logs it shows the last one, of one log all trainings as one curve",
        "give each training a directory of its own; --repair does not merge them",
    ),
    "superseded": (
        "it shows them too: curves go back to where the run was resumed",
        "nothing: VizKit shows them when asked (superseded=True)",
    ),
    "starting over": (
        "it draws them in the order of writing: the curve goes back and forth",
        "pass a step that counts on, not that of the epoch; all records are kept, sorted by step",
    ),
    "being written": (
        "if it starts at this moment, it may fail",
        "nothing: it is looked at again when the run has ended",
    ),
}
_NOTES = {"being written", "killed", "lost", "starting over", "superseded", "trainings"}
_FOR_PEOPLE = {"display name", "unreadable", "environment", "walltime"}


class Finding(NamedTuple):
    """A problem with the files of a run, or a note on them.

    Attributes:
        run: the run's name.
        path: the file or directory.
        kind: ``hidden``, ``torn``, ``damaged``, ``undecodable``, ``empty``, ``hiding`` (an empty file
            that hides the others), ``no log``, ``copy``, ``mixed``, ``tag``, ``hparams`` (NaN
            or infinite), ``display name``, ``unreadable``, ``environment``, ``walltime``, ``interrupted``
            (a repair), and as notes ``lost`` (records that could not be written), ``killed``, ``trainings``,
            ``superseded``, ``starting over`` and ``being written``.
        what: a description.
        stock: the effect on stock VisualDL.
        todo: the remedy.
    """

    run: str
    path: str
    kind: str
    what: str
    stock: str
    todo: str

    @property
    def is_problem(self) -> bool:
        """True for a problem, False for a note."""
        return self.kind not in _NOTES

    @property
    def repairable(self) -> bool:
        """True if `vizkit.repair.repair` repairs it."""
        return self.is_problem and self.kind not in _FOR_PEOPLE and "://" not in self.path


def check(logdir: str | os.PathLike[str] = "log") -> list[Finding]:
    """Check the logs under a directory, of VizKit or of VisualDL, run by run.

    Args:
        logdir: as for `vizkit.load`. In a remote directory, only logs are checked.

    Raises:
        LogNotFoundError: no such directory or file.
    """
    runs = load(logdir)
    found = [finding for run in runs if run.logs.is_last for finding in check_run(run)]
    return [
        *found,
        *_same_names([run for run in runs if run.logs.is_last]),
        *_closed_directories(os.path.expanduser(logdir)),
    ]


def check_run(run: Run) -> list[Finding]:
    """Check the files of one run."""
    problems = run.problems
    files = inventory(run.directory, run.logs.files, problems)
    busy = being_written(run)
    found = _of_files(run.name, files, trainings=len(run.logs.earlier) + 1)
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
    if not busy:
        what = "a repair that was interrupted has left it"
        found += [_finding(run.name, left, "interrupted", what) for left in leftovers(run.directory)]
    found += _of_sessions(run)
    if run.status == "killed":
        found.append(_finding(run.name, run.directory, "killed", "the run's process was killed"))
    return found


def _finding(run: str, path: str, kind: str, what: str) -> Finding:
    return Finding(run, path, kind, what, *_MEANING[kind])


def _of_sessions(run: Run) -> list[Finding]:
    found = []
    if earlier := run.logs.earlier:
        names = ", ".join(f"{run.name}@{number}" for number in range(1, len(earlier) + 1))
        what = f"it holds {len(earlier) + 1} trainings; the earlier ones are the runs {names}"
        found.append(_finding(run.name, run.directory, "trainings", what))
    if superseded := run.superseded:
        what = f"later sessions supersede {sum(superseded.values()):,} records of {len(superseded)} tags"
        found.append(_finding(run.name, run.directory, "superseded", what))
    if odd := run.logs.odd_walltimes:
        what = (
            f"{sum(odd.values()):,} records of {len(odd)} tags, such as {next(iter(odd))!r}, "
            "have walltimes that are not milliseconds of a time"
        )
        found.append(_finding(run.name, run.directory, "walltime", what))
    if again := run.logs.starting_over:
        what = f"the steps of {len(again)} tags start over within a session, such as {again[0]!r}"
        found.append(_finding(run.name, run.directory, "starting over", what))
    return found


def _of_files(run: str, files: Inventory, trainings: int) -> list[Finding]:
    found = []
    for path in files.empty:
        kind = "hiding" if path == files.last and files.logs else "empty"
        found.append(_finding(run, path, kind, "the file is empty"))
    found += [_finding(run, path, "no log", f"{_described(path)}, and no log") for path in files.foreign]
    for path, original in files.copies.items():
        what = f"it is a copy of {os.path.basename(original)}, or of its beginning"
        found.append(_finding(run, path, "copy", what))
    for path in files.logs[:-1] if trainings == 1 else []:
        what = f"an older log lies beside {os.path.basename(files.logs[-1])}"
        found.append(_finding(run, path, "hidden", what))
    return found


def _of_problem(run: Run, problem: Problem, busy: str) -> Finding:
    kind = problem.kind
    if problem.path not in run.logs.files:
        kind = "environment"
    elif kind == "torn" and busy:
        kind = "being written"
    # The finding has the path already.
    what = problem.message.removeprefix(f"{problem.path}: ").removeprefix(problem.path).strip()
    return _finding(run.name, problem.path, kind, what)


def _described(path: str) -> str:
    if not os.path.isfile(path):  # opening a pipe would wait
        return "it is a pipe, a device or a broken link"
    try:
        with open(path, "rb") as file:
            start = file.read(4)
    except (OSError, ValueError):
        start = b""
    if start.startswith((b"\x1f\x8b", b"PK", b"BZh", b"\xfd7zX", b"\x28\xb5\x2f\xfd")):
        return "it is a packed file"
    return "it holds no whole record"


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
