"""Which directory a run gets: a free one, or one that holds records already."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from vizkit._ranks import rank
from vizkit._warnings import warn
from vizkit.errors import RunExistsError
from vizkit.writing import run_directory
from vizkit.writing.log_writer import LogWriter

__all__ = ["IfExists", "open_run", "open_run_of_rank"]

IfExists = Literal["new", "resume", "replace", "fail"]


def open_run(
    logdir: str, if_exists: IfExists, make: Callable[[str], LogWriter], *, ranks: bool = False
) -> LogWriter:
    """The writer of a run that is taken from here on, also from other processes.

    Args:
        logdir: the directory that is asked for, or a remote one, which is taken as it is.
        if_exists: what to do when it holds records, as for `vizkit.Tracker`.
        make: makes the writer of a directory.
        ranks: whether directories of other ranks beside it count, too.

    Raises:
        RunExistsError: it holds records, and ``if_exists`` is ``"fail"``.
    """
    if "://" in logdir:  # no locks there: the caller names directories of its own
        return make(logdir)
    attempt = 1
    while True:
        directory = Path(logdir if attempt == 1 else f"{logdir.rstrip('/')}-{attempt}")
        with run_directory.claimed(directory) as free:
            others = run_directory.rank_directories(directory) if ranks else []
            free = free and not any(map(run_directory.log_files, others))
            if not free and if_exists == "fail":
                raise RunExistsError(
                    f"{directory} holds records already; name another directory, or pass "
                    "if_exists='new', 'resume' or 'replace'"
                )
            if not free and if_exists == "replace":
                for name in [directory, *others]:
                    run_directory.remove_logs(name)
            if free or if_exists != "new":
                opened = make(os.fspath(directory))
                opened.begin()
                break
        attempt += 1
    if attempt > 1:
        warn(
            f"{logdir} holds records already: recording to {directory} "
            "(if_exists='resume' appends, 'replace' starts over)"
        )
    return opened


def open_run_of_rank(logdir: str, if_exists: IfExists, make: Callable[[str, str], LogWriter]) -> LogWriter:
    """The same for each of several ranks: rank 0 takes a directory, and the others theirs beside it.

    All ranks have to call it.

    Args:
        logdir: as for `open_run`.
        if_exists: as for `open_run`.
        make: makes the writer of a directory, given also what tells this rank's name from rank 0's.

    Raises:
        RunExistsError: as of `open_run`.
        VizKitError: there is no process group yet.
    """
    from vizkit import hooks

    taken: list[LogWriter] = []

    def take() -> str:
        taken.append(open_run(logdir, if_exists, lambda directory: make(directory, ""), ranks=True))
        return taken[0].logdir

    directory = hooks.from_rank_0(take)
    if taken:
        return taken[0]
    suffix = f"-rank{rank()}"
    return open_run(directory + suffix, if_exists, lambda name: make(name, suffix))
