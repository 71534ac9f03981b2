"""Check logs: each finding says what it means for stock VisualDL, and what to do.

`vizkit.repair._repair` repairs them.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable
from typing import NamedTuple

from vizkit._language import Message, mark, reason_of, tr
from vizkit.format.file_names import LOG_WORD
from vizkit.format.tags import RESERVED
from vizkit.reading import Problem
from vizkit.repair._interrupted import leftovers
from vizkit.repair._inventory import Inventory, being_written, inventory
from vizkit.repair._renames import is_bad_tag
from vizkit.runs import Run, load

__all__ = ["Finding", "check", "check_run"]

_STOPS = mark("its server does not start, for any run")
_TAKES = mark(
    "it takes every file with 'vdlrecords' in its name for a log: its server does not start, or this "
    "hides the log"
)
_MEANING = {
    "hidden": (
        mark("it reads only the log whose name sorts last, and does not show this one"),
        mark("--repair merges a run's logs into that one"),
    ),
    "torn": (
        mark("unless it is a few bytes, its server does not start, for any run"),
        mark("--repair cuts the tail off"),
    ),
    "damaged": (_STOPS, mark("--repair closes the gap: all whole records around it stay")),
    "undecodable": (_STOPS, mark("--repair takes it out")),
    "text": (_STOPS, mark("--repair writes U+FFFD for the bytes, as VizKit shows them")),
    "empty": (mark("it shows a run without data"), mark("--repair moves it aside")),
    "hiding": (
        mark("it reads this file, whose name sorts last, and shows nothing of the run"),
        mark("--repair moves it aside"),
    ),
    "no log": (
        _TAKES,
        mark("--repair gives it another name"),
    ),
    "no run": (_TAKES, mark("move the file away")),
    "copy": (
        mark("it reads whichever of the two has the name that sorts last"),
        mark("--repair gives the copy another name"),
    ),
    "mixed": (_STOPS, mark("--repair renames the tag of the later kind; use a tag for each in the training")),
    "tag": (
        mark("it takes '%' for '/', and answers a tag that begins with '/' with another run's data"),
        mark("--repair renames it; use another tag in the training"),
    ),
    "hparams": (
        mark("its page of hyper-parameters stays empty, for all runs"),
        mark("--repair writes it as text, which VizKit reads as the number"),
    ),
    "display name": (
        mark("it shows one of these runs under the name, for all of them"),
        mark("give each run a display name of its own, or none"),
    ),
    "unreadable": (
        mark("it cannot read it either"),
        mark("see to the permissions of the file and its directory"),
    ),
    "environment": (mark("nothing: it does not read this file"), mark("move the file away")),
    "table": (
        mark("nothing: it shows the first rows, which are in the log"),
        mark("move the file away: the run's other tables and records are as they should be"),
    ),
    "table gone": (
        mark("nothing: it shows the first rows, which are in the log"),
        mark("nothing, or put the file back"),
    ),
    "left over": (
        mark("nothing: it does not read this file"),
        mark("nothing, or delete it: a process that was killed has left it, or another copy of the run"),
    ),
    "walltime": (
        mark("it draws these records far from all others on a time axis"),
        mark("pass walltimes in milliseconds since 1970, or none"),
    ),
    "interrupted": (
        mark("nothing, or it shows records twice"),
        mark("--repair finishes the repair or undoes it"),
    ),
    "lost": (
        mark("nothing: it does not know of them"),
        mark("see the reason; the rest of the run is as it should be"),
    ),
    "killed": (
        mark("nothing: all that was recorded until then is there"),
        mark("nothing, or resume the run"),
    ),
    "trainings": (
        mark("of several logs it shows the last one, of one log all trainings as one curve"),
        mark("give each training a directory of its own; --repair does not merge them"),
    ),
    "superseded": (
        mark("it shows them too: curves go back to where the run was resumed"),
        mark("nothing: VizKit shows them when asked (superseded=True)"),
    ),
    "starting over": (
        mark("it draws them in the order of writing: the curve goes back and forth"),
        mark("pass a step that counts on, not that of the epoch; all records are kept, sorted by step"),
    ),
    "being written": (
        mark("if it starts at this moment, it may fail"),
        mark("nothing: it is looked at again when the run has ended"),
    ),
}
_NOTES = {
    "being written",
    "killed",
    "left over",
    "lost",
    "starting over",
    "superseded",
    "table gone",
    "trainings",
}
_FOR_PEOPLE = {"display name", "no run", "unreadable", "environment", "table", "walltime"}


class Finding(NamedTuple):
    """A problem with the files of a run, or a note on them.

    Attributes:
        run: the run's name.
        path: the file or directory.
        kind: ``hidden``, ``torn``, ``damaged``, ``undecodable``, ``text`` (not UTF-8), ``empty``,
            ``hiding`` (an empty file that hides the others), ``no log``, ``no run`` (the same, where there is
            no log at all), ``copy``, ``mixed``, ``tag``, ``hparams`` (NaN or infinite), ``display name``,
            ``unreadable``, ``environment``, ``table``, ``walltime``, ``interrupted`` (a repair), and as notes
            ``lost`` (records that could not be written), ``killed``, ``trainings``, ``superseded``,
            ``starting over``, ``table gone``, ``left over`` (a table without a record) and ``being written``.
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
        *_outside_of_runs(os.path.expanduser(logdir), {os.path.normpath(run.directory) for run in runs}),
    ]


def check_run(run: Run) -> list[Finding]:
    """Check the files of one run."""
    run.logs.check()
    if "://" not in run.directory:
        run.logs.tables.check()
    problems = run.problems
    files = inventory(run.directory, run.logs.files, problems)
    busy = being_written(run)
    found = _of_files(run.name, files, trainings=len(run.logs.earlier) + 1)
    aside = {*files.foreign, *files.copies}
    found += [_of_problem(run, problem, busy) for problem in problems if problem.path not in aside]
    path = files.logs[-1] if files.logs else run.directory
    for tag, kind in run.logs.kinds.items():
        if RESERVED.get(tag, kind) != kind:
            what = tr(
                "{kind} records have the tag {tag!r}, which VisualDL uses for its own {own}",
                kind=kind,
                tag=tag,
                own=RESERVED[tag],
            )
            found.append(_finding(run.name, path, "mixed", what))
        elif is_bad_tag(tag):
            found.append(
                _finding(run.name, path, "tag", tr("VisualDL cannot serve the tag {tag!r}", tag=tag))
            )
    for name in dict.fromkeys(run.logs.hparams.bare):
        value = run.hparams.get(name)
        what = tr("the hyper-parameter {name!r} is {value}, written as a number", name=name, value=value)
        found.append(_finding(run.name, path, "hparams", what))
    if not busy:
        what = tr("a repair that was interrupted has left it")
        found += [_finding(run.name, left, "interrupted", what) for left in leftovers(run.directory)]
    if not busy:
        what = tr("no record tells of it")
        found += [_finding(run.name, left, "left over", what) for left in run.logs.tables.unnamed()]
    found += _of_sessions(run)
    if run.status == "killed":
        found.append(_finding(run.name, run.directory, "killed", tr("the run's process was killed")))
    return found


def _finding(run: str, path: str, kind: str, what: str) -> Finding:
    return Finding(run, path, kind, what, *map(tr, _MEANING[kind]))


def _of_sessions(run: Run) -> list[Finding]:
    found = []
    if earlier := run.logs.earlier:
        names = ", ".join(f"{run.name}@{number}" for number in range(1, len(earlier) + 1))
        what = tr(
            "it holds {n} trainings; the earlier ones are the runs {names}", n=len(earlier) + 1, names=names
        )
        found.append(_finding(run.name, run.directory, "trainings", what))
    if superseded := run.superseded:
        what = tr(
            "later sessions supersede {records:,} records of {tags} tags",
            records=sum(superseded.values()),
            tags=len(superseded),
        )
        found.append(_finding(run.name, run.directory, "superseded", what))
    if odd := run.logs.odd_walltimes:
        what = tr(
            "{records:,} records of {tags} tags, such as {tag!r}, have walltimes that are not milliseconds "
            "of a time",
            records=sum(odd.values()),
            tags=len(odd),
            tag=next(iter(odd)),
        )
        found.append(_finding(run.name, run.directory, "walltime", what))
    if again := run.logs.starting_over:
        what = tr(
            "the steps of {n} tags start over within a session, such as {tag!r}", n=len(again), tag=again[0]
        )
        found.append(_finding(run.name, run.directory, "starting over", what))
    return found


def _of_files(run: str, files: Inventory, trainings: int) -> list[Finding]:
    found = []
    for path in files.empty:
        kind = "hiding" if path == files.last and files.logs else "empty"
        found.append(_finding(run, path, kind, tr("the file is empty")))
    found += [
        _finding(run, path, "no log", tr("{what}, and no log", what=_described(path)))
        for path in files.foreign
    ]
    for path, original in files.copies.items():
        what = tr("it is a copy of {name}, or of its beginning", name=os.path.basename(original))
        found.append(_finding(run, path, "copy", what))
    for path in files.logs[:-1] if trainings == 1 else []:
        what = tr("an older log lies beside {name}", name=os.path.basename(files.logs[-1]))
        found.append(_finding(run, path, "hidden", what))
    return found


def _of_problem(run: Run, problem: Problem, busy: str) -> Finding:
    kind = problem.kind
    if kind in ("table", "table gone"):
        pass
    elif problem.path not in run.logs.files:
        kind = "environment"
    elif kind == "torn" and busy:
        kind = "being written"
    # The finding has the path already.
    what = problem.message
    if isinstance(what, Message) and what.values.get("path") == problem.path and "what" in what.values:
        what = str(what.values["what"])
    else:
        what = what.removeprefix(f"{problem.path}: ").removeprefix(problem.path).strip()
    return _finding(run.name, problem.path, kind, what)


def _described(path: str) -> str:
    if not os.path.isfile(path):  # opening a pipe would wait
        return tr("it is a pipe, a device or a broken link")
    try:
        with open(path, "rb") as file:
            start = file.read(4)
    except (OSError, ValueError):
        start = b""
    if start.startswith((b"\x1f\x8b", b"PK", b"BZh", b"\xfd7zX", b"\x28\xb5\x2f\xfd")):
        return tr("it is a packed file")
    return tr("it holds no whole record")


def _same_names(runs: Iterable[Run]) -> list[Finding]:
    """Runs that stock VisualDL would show under one name."""
    shown: dict[str, list[Run]] = {}
    for run in runs:
        shown.setdefault(run.display_name, []).append(run)
    found = []
    for name, some in shown.items():
        if len(some) > 1:
            names = ", ".join(run.name for run in some)
            what = tr("{n} runs are called {name!r}: {names}", n=len(some), name=name, names=names)
            named = [run for run in some if run.logs.display_name]
            found += [_finding(run.name, run.directory, "display name", what) for run in named]
    return found


def _outside_of_runs(logdir: str, runs: Container[str]) -> list[Finding]:
    """Directories that cannot be listed, and files with a log's name where there is no run."""
    found: list[Finding] = []
    if "://" in logdir or not os.path.isdir(logdir):  # or a log alone
        return found

    def note(error: OSError) -> None:
        path = str(error.filename)
        what = tr("the directory cannot be listed: {error}", error=reason_of(error))
        found.append(_finding(os.path.relpath(path, logdir), path, "unreadable", what))

    for directory, _, names in os.walk(logdir, onerror=note):
        for path in (os.path.join(directory, name) for name in sorted(names) if LOG_WORD in name):
            if os.path.normpath(directory) not in runs and not os.path.isfile(path):
                name = os.path.relpath(directory, logdir)
                what = tr("{what}, and no log", what=_described(path))
                found.append(_finding(name, path, "no run", what))
    return found
