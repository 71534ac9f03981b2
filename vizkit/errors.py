"""Every error and warning that VizKit raises, as one tree.

VizKitError
 +-- DataError (ValueError)              a value, image, curve ... that cannot be recorded
 +-- TagError (ValueError)               a tag that VisualDL could not serve
 +-- ClosedError (RuntimeError)          a write after close
 +-- RunExistsError (FileExistsError)    the run directory already holds records
 +-- MissingDependencyError (ImportError) an extra that is not installed
 +-- LogNotFoundError (FileNotFoundError) a log directory or file that is not there
 +-- UnknownNameError (KeyError)         a run, tag or hyper-parameter that is not there
 +-- QueryError (ValueError)             a question about runs that has no answer
 +-- ServeError (OSError)                a host or port that cannot be listened on
VizKitWarning (UserWarning)              something was changed or left out, and training goes on
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from types import FrameType

__all__ = [
    "ClosedError",
    "DataError",
    "LogNotFoundError",
    "MissingDependencyError",
    "QueryError",
    "RunExistsError",
    "ServeError",
    "TagError",
    "UnknownNameError",
    "VizKitError",
    "VizKitWarning",
    "count_lost",
    "warn",
]


class VizKitError(Exception):
    """The root of all errors that VizKit raises."""


class DataError(VizKitError, ValueError):
    """A value that cannot be recorded; the message names it and the way out."""


class TagError(VizKitError, ValueError):
    """A tag that stock VisualDL could not read or serve."""


class ClosedError(VizKitError, RuntimeError):
    """Something was recorded after ``close``."""


class RunExistsError(VizKitError, FileExistsError):
    """The run directory already holds records and ``if_exists="fail"`` was asked for."""


class MissingDependencyError(VizKitError, ImportError):
    """An optional package is missing; the message holds the ``pip install`` line."""


class LogNotFoundError(VizKitError, FileNotFoundError):
    """There is no such log directory or file."""


class UnknownNameError(VizKitError, KeyError):
    """A run, tag or hyper-parameter that is not there; the message names the closest ones."""

    __str__ = Exception.__str__  # KeyError's shows its argument quoted and escaped


class QueryError(VizKitError, ValueError):
    """A filter, comparison or statistic that these runs have no answer to; the message says why."""


class ServeError(VizKitError, OSError):
    """A host or port that cannot be listened on; the message says who has it, where that is known."""


class VizKitWarning(UserWarning):
    """Something was changed or left out so that training could go on."""


def warn(message: str) -> None:
    """Warns with a `VizKitWarning` that points to the line outside of VizKit that led here."""
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and _is_ours(frame.f_globals.get("__name__")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, VizKitWarning, stacklevel=level)


def count_lost(lost: Counter[str], tag: str, reason: object) -> None:
    """Counts what was not recorded; the first of each tag is warned about.

    Args:
        lost: tag -> how often.
        tag: whose record it was, or another name for what is missing.
        reason: an error, or a text. Errors of VizKit and of files speak for themselves.
    """
    lost[tag] += 1
    if lost[tag] == 1:
        foreign = isinstance(reason, Exception) and not isinstance(reason, (VizKitError, OSError))
        kind = f"{type(reason).__name__}: " if foreign else ""
        warn(f"{tag}: not recorded: {kind}{reason}")


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.partition(".")[0] in ("vizkit", "contextlib")
