"""Notebook cells that raise: IPython goes on, and the run whose training ended there has failed.

A cell is a tracker's if it made the tracker or recorded by it, or, before the first record of all, if a
function or statement that the error passed through refers to it.
"""

from __future__ import annotations

import sys
import weakref
from contextlib import suppress
from traceback import walk_tb
from types import FrameType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult

__all__ = ["follow_cells"]


class FollowedRun(Protocol):
    """A run that cells record.

    Attributes:
        _rests: True from ``_rest``, at the begin of a cell, to the next record.
        _is_empty: True before the first record.
    """

    @property
    def _rests(self) -> bool: ...
    @property
    def _is_empty(self) -> bool: ...
    def _rest(self) -> None: ...
    def _fail_in_cell(self, error: BaseException) -> None: ...


_followed: weakref.WeakSet[FollowedRun] = weakref.WeakSet()
_shells: weakref.WeakSet[object] = weakref.WeakSet()
_last_error: object = None


def follow_cells(recording: FollowedRun) -> None:
    """Mark a recording as failed, until its next record, when a cell of its own raises.

    Without IPython, do nothing.
    """
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None:
        return
    _followed.add(recording)
    if shell not in _shells:
        _shells.add(shell)
        _keep_last_error()
        shell.events.register("pre_run_cell", _before)
        shell.events.register("post_run_cell", _after)


def _keep_last_error() -> None:
    global _last_error
    _last_error = getattr(sys, "last_value", None)


def _before(info: object) -> None:
    _keep_last_error()
    for recording in list(_followed):
        recording._rest()


def _after(result: ExecutionResult) -> None:
    error = getattr(result, "error_in_exec", None)
    if error is None:  # that of a cell under %%time is shown, and does not leave it
        error = getattr(sys, "last_value", None)
        if error is _last_error:
            return
    if not isinstance(error, BaseException):
        return
    for recording in list(_followed):
        with suppress(Exception):
            if not recording._rests or (recording._is_empty and _passed_through(error, recording)):
                recording._fail_in_cell(error)


def _passed_through(error: BaseException, recording: FollowedRun) -> bool:
    return any(_refers_to(frame, recording) for frame, _ in walk_tb(error.__traceback__))


def _refers_to(frame: FrameType, recording: FollowedRun) -> bool:
    """True if a frame has a recording in a variable that its code uses, or in an attribute of one."""
    found = [frame.f_globals.get(name) for name in frame.f_code.co_names]
    if frame.f_locals is not frame.f_globals:
        found += frame.f_locals.values()
    return any(
        value is recording or any(inner is recording for inner in getattr(value, "__dict__", {}).values())
        for value in found
    )
