"""Exit handlers of processes that `multiprocessing` has started."""

from __future__ import annotations

import multiprocessing
import multiprocessing.util
import os
from collections.abc import Callable

__all__ = ["at_exit_of_child"]

_finalizers: dict[tuple[int, Callable[[], None]], multiprocessing.util.Finalize] = {}


def at_exit_of_child(function: Callable[[], None]) -> None:
    """Call a function once when this process ends, if `multiprocessing` has started it.

    Such a process, as of ``paddle.distributed.spawn``, ends without running `atexit` handlers.
    """
    key = (os.getpid(), function)
    if key not in _finalizers and multiprocessing.parent_process() is not None:
        _finalizers[key] = multiprocessing.util.Finalize(None, function, exitpriority=0)
