"""Walltimes of records: one rule for which numbers are seconds."""

from __future__ import annotations

import numpy as np

from vizkit.metrics.arrays import Ints

__all__ = ["milliseconds"]

_SECONDS = (1_000_000_000, 2_000_000_000)


def milliseconds(walltimes: Ints) -> Ints:
    """Convert walltimes to milliseconds since 1970.

    Numbers from 1,000,000,000 up to but not including 2,000,000,000 are seconds: as such they lie between
    2001 and 2033, as milliseconds within January 1970. Early versions of VisualDL wrote them, and callers
    that pass ``time.time()`` do. Every other number is in milliseconds already, also a small one: some
    scripts count from their own start.

    Args:
        walltimes: (n,) as recorded.

    Returns:
        (n,) milliseconds; ``walltimes`` itself if none is in seconds.
    """
    seconds = (walltimes >= _SECONDS[0]) & (walltimes < _SECONDS[1])
    return np.where(seconds, walltimes * 1000, walltimes) if seconds.any() else walltimes
