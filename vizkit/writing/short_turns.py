"""Short turns of the interpreter while a worker works beside the training.

A thread that wants the interpreter waits up to `sys.getswitchinterval`, 5 ms, for one that computes in
Python. A training wants it again after each operation of its network: a worker's job of 10 ms took 3 to 6 ms
of it, though most of a step does not need the interpreter. With short turns it takes 1 to 2 ms, and the
worker no longer.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock

__all__ = ["ShortTurns"]

_SECONDS = 5e-5


class ShortTurns:
    """Short turns while any thread is within this context; the interval is the process's.

    One that somebody else sets meanwhile, or that was shorter before, stays.
    """

    def __init__(self) -> None:
        self._before = self._ours = 0.0  # the intervals, as the interpreter gives them; 0: ours is not set
        self.reset()

    def reset(self) -> None:
        """Begin anew, in a forked child: the threads that were within are not there."""
        self._lock = allocate_lock()
        self._within = 0
        self._restore()

    def __enter__(self) -> None:
        with self._lock:
            self._within += 1
            if self._within == 1 and sys.getswitchinterval() > _SECONDS:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(_SECONDS)
                self._ours = sys.getswitchinterval()

    def __exit__(self, *exc_info: object) -> None:
        with self._lock:
            self._within -= 1
            if not self._within:
                self._restore()

    def _restore(self) -> None:
        if self._ours and sys.getswitchinterval() == self._ours:
            sys.setswitchinterval(self._before)
        self._ours = 0.0
