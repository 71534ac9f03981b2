"""`load`: from a log directory to `Runs`."""

from __future__ import annotations

import os

from vizkit.errors import LogNotFoundError
from vizkit.reading import LogRoot
from vizkit.runs.runs import Runs

__all__ = ["load"]


def load(logdir: str | os.PathLike[str] = "log") -> Runs:
    """Load all runs under a directory, written by VizKit or by VisualDL.

    Args:
        logdir: a directory of runs, at any depth; one run's directory; one log file; or a remote
            directory with a scheme (``s3://``).

    Returns:
        The runs in natural order, named by their paths below ``logdir``; empty if it holds no log.

    Raises:
        LogNotFoundError: no such directory or file.
    """
    try:
        return Runs.of(LogRoot(logdir))
    except FileNotFoundError as error:
        path = os.fspath(logdir)
        raise LogNotFoundError(
            f"{path!r} is not there{'' if '://' in path else f' (looked in {os.getcwd()})'}: "
            "name the directory that training writes its logs to"
        ) from error
