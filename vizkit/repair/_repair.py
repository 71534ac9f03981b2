"""Repair logs so that stock VisualDL reads every whole record in them; the original files are kept.

A repaired log is written beside the old one, under its lock, and takes its place at once: a program that
opens it meanwhile waits, and then appends to the new one. If a repair is killed, no record is lost, and the
next repair completes it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from vizkit._atomic_writes import free_name, keep_beside, rewrite
from vizkit._files import mapped
from vizkit._language import reason_of, tr
from vizkit._locks import lock_exclusive
from vizkit.errors import DataError
from vizkit.format.encode import encode_meta_data
from vizkit.format.file_names import LOG_WORD
from vizkit.format.frames import read_frames
from vizkit.format.tags import META_DATA
from vizkit.format.types import SessionMark
from vizkit.reading import Problem, RunReader
from vizkit.repair._check import check_run
from vizkit.repair._interrupted import finish_merge, merging, part_name
from vizkit.repair._inventory import being_written, inventory
from vizkit.repair._renames import Renames
from vizkit.runs import Run, load

__all__ = ["RepairResult", "repair", "repair_run"]

_PIECE = 1 << 22
_BROKEN = ("torn", "damaged", "undecodable")


class RepairResult(NamedTuple):
    """The repair of one run.

    Attributes:
        run: the name of the run.
        done: the changes made, as texts.
        kept: the original files, under names that VisualDL does not take for logs.
        left: the reason why nothing was done; empty if something was.
    """

    run: str
    done: list[str]
    kept: list[str]
    left: str


def repair(logdir: str | os.PathLike[str] = "log") -> list[RepairResult]:
    """Repair all runs under a directory, but for those that are being written.

    Args:
        logdir: as for `vizkit.load`, on a local disk.

    Raises:
        DataError: a remote directory.
        LogNotFoundError: no such directory or file.
    """
    if "://" in os.fspath(logdir):
        raise DataError(
            "{logdir} is remote: logs are repaired on a local disk only; repair a copy", logdir=logdir
        )
    return [result for run in load(logdir) if run.logs.is_last and (result := repair_run(run))]


def repair_run(run: Run) -> RepairResult | None:
    """Repair one run: cut torn tails, close gaps, rename tags, merge logs, move other files aside.

    Returns:
        The changes, or the reason why there are none; None if there is nothing to repair.
    """
    if not any(finding.repairable for finding in check_run(run)):
        return None
    if reason := being_written(run):
        return RepairResult(run.name, [], [], reason)
    try:
        with _locked(run.logs.files) as ours:
            if not ours:
                return RepairResult(run.name, [], [], tr("a program has its log open"))
            return _repaired(run.name, run.directory)
    except OSError as error:
        return RepairResult(run.name, [], [], f"{error.filename or run.directory}: {reason_of(error)}")
    finally:
        run.refresh()


@contextlib.contextmanager
def _locked(paths: Iterable[str]) -> Iterator[bool]:
    with contextlib.ExitStack() as stack:
        ours = True
        for path in paths:
            file = stack.enter_context(open(path, "rb"))
            ours = ours and lock_exclusive(file.fileno()) is not False
        yield ours


def _repaired(name: str, directory: str) -> RepairResult:
    done, kept = finish_merge(directory, _moved)
    logs = RunReader(directory)  # as they are now that nobody writes
    files = inventory(directory, logs.files, logs.problems)
    for path in (*files.empty, *files.foreign, *files.copies):
        kept.append(_moved(path))
        done.append(tr("moved {name} aside", name=os.path.basename(path)))
    # Trainings of their own are merged only by moving them together.
    parts = [[path] for path in files.logs] if logs.earlier else [files.logs]
    originals = {path: _kept_path(path) for path in files.logs}
    logs.check()
    words = [word for paths in parts if paths for word in _rewritten(logs, paths, originals, anew=False)]
    # Where a gap is closed, damaged bytes before it may claim others behind it: then there is another gap.
    while words:
        done += words
        words = _closed_again(RunReader(directory), [paths[-1] for paths in parts if paths], originals)
    kept += [path for path in originals.values() if os.path.exists(path)]
    return RepairResult(name, done, kept, "")


def _rewritten(logs: RunReader, paths: list[str], originals: dict[str, str], *, anew: bool) -> list[str]:
    """Rewrite the last of some logs of a run if that is needed, with the content of all.

    Args:
        logs: the run, whose records' contents are checked.
        paths: the logs.
        originals: log -> the path that its original gets.
        anew: True if all but gaps was repaired before.

    Returns:
        The changes; none if nothing was to be done.
    """
    problems = [problem for problem in logs.problems if problem.path in paths]
    broken = [problem for problem in problems if problem.kind in _BROKEN]
    texts = [problem for problem in problems if problem.kind == "text"]
    renames = Renames(logs.kinds)
    rename = renames.wanted or texts or logs.hparams.bare or any(p.kind == "mixed" for p in problems)
    *older, last = paths
    if not (broken or older or (rename and not anew)):
        return []
    parts: list[Iterable[bytes]] = []
    for path in paths:
        if parts:  # in one log, only a mark tells where a session begins
            parts.append([encode_meta_data(META_DATA, logs.display_name, 0, 0, SessionMark.BEGINS)])
        parts.append(_content(path, [p for p in broken if p.path == path], renames if rename else None))
    if not os.path.exists(originals[last]):
        keep_beside(last, os.path.basename(originals[last]))
    with merging(last, older):
        rewrite(last, chain.from_iterable(parts), part_name(last))
        done = [_words(problem) for problem in [*broken, *texts]] + renames.done
        for path in older:
            os.rename(path, originals[path])
            name, other = os.path.basename(path), os.path.basename(last)
            done.append(tr("merged {name} into {other}", name=name, other=other))
    return done


def _closed_again(logs: RunReader, paths: list[str], originals: dict[str, str]) -> list[str]:
    logs.check()
    return [word for path in paths for word in _rewritten(logs, [path], originals, anew=True)]


def _words(problem: Problem) -> str:
    n, name = problem.end - problem.start, os.path.basename(problem.path)
    if problem.kind == "torn":
        return tr("cut off the last {n:,} bytes of {name}", n=n, name=name)
    if problem.kind == "text":
        start = problem.start
        return tr("wrote a text at byte {start:,} of {name} anew, as UTF-8", start=start, name=name)
    return tr("took out {n:,} bytes at byte {start:,} of {name}", n=n, start=problem.start, name=name)


def _content(source: str, broken: Iterable[Problem], renames: Renames | None) -> Iterator[bytes]:
    """The whole records of a log, in pieces of its bytes."""
    with mapped(source) as data:
        start = 0
        ends = [(problem.start, problem.end) for problem in sorted(broken, key=lambda p: p.start)]
        for stop, after in [*ends, (len(data), len(data))]:
            if renames is not None:
                yield from map(renames.renamed, read_frames(data[start:stop]))
            else:
                yield from (data[at : min(at + _PIECE, stop)] for at in range(start, stop, _PIECE))
            start = after


def _kept_path(path: str) -> str:
    """A free path beside a log that VisualDL does not take for one."""
    directory, name = os.path.split(path)
    return os.path.join(directory, free_name(directory, name.replace(LOG_WORD, "kept") + ".bak"))


def _moved(path: str) -> str:
    kept = _kept_path(path)
    os.rename(path, kept)
    return kept
