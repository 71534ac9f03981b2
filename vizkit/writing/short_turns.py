"""Short turns at the interpreter for jobs that run beside a training.

Of threads that compute in Python one runs at a time, for 5 ms if others wait (`sys.getswitchinterval`). A
training's thread gives its turn up in each of Paddle's operators, and needs another one after it. Beside a
job of 5 ms turns it waits 0.3 ms for each millisecond of the job, of 0.2 ms turns a seventh of that.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock

__all__ = ["begin", "end", "reset"]

_SECONDS = 0.0002

_lock = allocate_lock()  # of threads that run jobs, the main one never takes it
_jobs = 0  # that run
_usual: float | None = None  # seconds of a turn, while it is short


def begin() -> None:
    """Shorten turns, on the thread that begins a job; they stay as they are if they are shorter."""
    global _jobs, _usual
    with _lock:
        _jobs += 1
        usual = sys.getswitchinterval()
        if _usual is None and usual > _SECONDS:
            _usual = usual
            sys.setswitchinterval(_SECONDS)


def end() -> None:
    """End a job; after the last one turns are as before, unless somebody else has set them meanwhile."""
    global _jobs
    with _lock:
        _jobs -= 1
        if not _jobs:
            _restore()


def reset() -> None:
    """In a forked child: forget the jobs, whose threads are not there."""
    global _lock, _jobs
    _lock, _jobs = allocate_lock(), 0
    _restore()


def _restore() -> None:
    global _usual
    usual, _usual = _usual, None
    if usual is not None and abs(sys.getswitchinterval() - _SECONDS) < 1e-6:
        sys.setswitchinterval(usual)
