"""``vizkit check``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from vizkit._language import tr, trn
from vizkit.cli._options import DIRECTORY, Json, Logdir, Place, load_all, none_found
from vizkit.cli._output import for_people, print_json, print_lines, print_rows, say
from vizkit.repair import Finding, RepairResult, check, repair
from vizkit.runs.formatting import clean

__all__ = ["check_logs"]

Repair = Annotated[
    bool, typer.Option("--repair", help=tr("Repair what can be repaired; a copy of every file is kept."))
]


def check_logs(
    place: Place = None, logdir: Logdir = DIRECTORY, mend: Repair = False, as_json: Json = False
) -> None:
    """Check logs for problems, and repair them.

    Each problem comes with what it means for stock VisualDL, and what to do. A run that is being written
    is checked, but not repaired. The exit code is 1 if there are problems.

    Example: vizkit check log --repair
    """
    directory = place or logdir
    mended = repair(directory) if mend else []
    # A log that was named alone may have been moved aside.
    found = [] if mended and not os.path.exists(os.path.expanduser(directory)) else check(directory)
    problems = [finding for finding in found if finding.is_problem]
    changes = [line for one in mended for line in _words(one)]
    if as_json:
        about = [{**finding._asdict(), "is_problem": finding.is_problem} for finding in found]
        print_json({"logdir": directory, "findings": about, "repaired": [one._asdict() for one in mended]})
    elif for_people():
        print_lines(changes)
        print_lines([line for finding in found for line in _lines(finding)])
    else:
        rows = [(f.run, f.kind, f.path, f.what, f.stock, f.todo) for f in found]
        print_rows(["run", "kind", "path", "what", "stock VisualDL", "to do"] if rows else [], rows)
        for line in changes:
            print(line, file=sys.stderr)
    if not found and not mended and not len(load_all(directory)):
        raise none_found(directory)
    say(_summary(len(problems), bool(mended), directory))
    if problems:
        raise typer.Exit(1)


def _summary(problems: int, mended: bool, directory: str) -> str:
    if not problems:
        return tr(
            "no problems left in {directory}" if mended else "no problems in {directory}", directory=directory
        )
    if mended:
        return trn(
            "{n} problem left in {directory}",
            "{n} problems left in {directory}",
            problems,
            directory=directory,
        )
    return trn("{n} problem in {directory}", "{n} problems in {directory}", problems, directory=directory)


def _lines(finding: Finding) -> list[str]:
    return [
        f"{clean(finding.run, None)}: {clean(finding.what, None)}",
        f"    {clean(finding.path, None)}",
        "    " + tr("stock VisualDL: {effect}", effect=finding.stock),
        "    " + tr("to do: {remedy}", remedy=finding.todo),
    ]


def _words(result: RepairResult) -> list[str]:
    run = clean(result.run, None)
    if result.left:
        return [tr("{run}: left alone: {reason}", run=run, reason=clean(result.left, None))]
    done = "; ".join(clean(text, None) for text in result.done)
    return [f"{run}: {done}", *("    " + tr("kept: {path}", path=clean(path, None)) for path in result.kept)]
