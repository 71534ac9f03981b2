"""Walltimes of records: one rule for which numbers are times, and in which unit."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import numpy as np

from vizkit._checks import describe, is_number
from vizkit._protocols import WalltimeLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import Ints, to_float

__all__ = [
    "NO_TIME",
    "are_milliseconds",
    "count_odd",
    "is_time",
    "milliseconds",
    "plain_walltime",
    "time_list",
]

NO_TIME = -(2**63)
"""Stands for a walltime that cannot be a time, among milliseconds."""

_LAST = 253_402_300_799_999  # the end of the year 9999, in milliseconds: neither Python nor pandas go further
_YOUNGEST, _OLDEST = 1_000_000_000, 2_000_000_000  # seconds: September 2001 and May 2033


def milliseconds(walltimes: Ints) -> Ints:
    """Convert walltimes to milliseconds since 1970.

    Numbers from 1,000,000,000 up to but not including 2,000,000,000 are seconds: as such they lie between
    2001 and 2033, as milliseconds within January 1970. Early versions of VisualDL wrote them, and callers
    that pass ``time.time()`` do. Microseconds and nanoseconds (``time.time_ns()``) of the same years are
    converted too. Every other number is in milliseconds already, also a small one: some scripts count from
    their own start. Negative numbers and milliseconds after the year 9999 are no times.

    Args:
        walltimes: (n,) as recorded.

    Returns:
        (n,) milliseconds, `NO_TIME` where there is no time; ``walltimes`` itself if nothing changes.
    """
    if not len(walltimes) or are_milliseconds(int(walltimes.min()), int(walltimes.max())):
        return walltimes
    found = walltimes
    for unit in (1_000_000, 1_000):
        low, high = _YOUNGEST * 1_000 * unit, _OLDEST * 1_000 * unit
        if (finer := (walltimes >= low) & (walltimes < high)).any():
            found = np.where(finer, walltimes // unit, found)
    if (seconds := (walltimes >= _YOUNGEST) & (walltimes < _OLDEST)).any():
        found = np.where(seconds, walltimes * 1_000, found)
    if (wrong := (found < 0) | (found > _LAST)).any():
        found = np.where(wrong, NO_TIME, found)
    return found


def are_milliseconds(least: int, most: int) -> bool:
    """True if all walltimes between two ones are times in milliseconds."""
    return least >= _OLDEST and most <= _LAST


def time_list(walltimes: Ints) -> list[int | None]:
    """`milliseconds` as Python's numbers; None where there is no time."""
    times: list[int | None] = milliseconds(walltimes).tolist()
    return [None if time == NO_TIME else time for time in times] if NO_TIME in times else times


def is_time(value: object) -> bool:
    """True for a whole number of milliseconds from 1970 to the year 9999."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LAST


def count_odd(walltimes: Ints) -> int:
    """The number of walltimes that are neither seconds nor milliseconds of a time."""
    return int(((walltimes < 0) | (walltimes > _LAST)).sum())


def plain_walltime(walltime: WalltimeLike) -> int:
    """Convert a walltime that a caller gives to milliseconds since 1970, by the rule of `milliseconds`.

    Args:
        walltime: a number of milliseconds; of seconds, as ``time.time()`` gives, in the range of
            `milliseconds`; an array or tensor of one; a ``datetime`` or ``pandas.Timestamp``, or an ISO 8601
            text such as ``2026-05-01T12:00:00+08:00``, in local time if it names no zone; or a
            ``np.datetime64``, which is in UTC.

    Raises:
        DataError: anything else, or not a finite time.
    """
    try:
        given: object = walltime
        if isinstance(given, np.ndarray) and given.dtype.kind == "M" and given.size == 1:
            given = given.reshape(-1)[0]
        elif hasattr(given, "dtype") and not isinstance(given, np.generic):  # an array or tensor of one
            given = to_float(cast("float", given))
        if isinstance(given, str):
            given = _moment_of(given)
        if isinstance(given, np.datetime64) and not np.isnat(given):
            return int(given.astype("datetime64[ms]").astype(np.int64))
        if isinstance(given, datetime) and given == given:  # unlike pandas' NaT
            # A Timestamp's own timestamp() takes UTC where a datetime's takes local time.
            return round(datetime.timestamp(given) * 1000)
        if is_number(given):
            number = cast("float", given)
            return int(number * 1_000 if _YOUNGEST <= number < _OLDEST else number)
    except (OverflowError, OSError, ValueError):
        pass
    raise DataError(
        "walltime must be milliseconds or seconds since 1970, a datetime or an ISO 8601 text, got {walltime}",
        walltime=describe(walltime),
    )


def _moment_of(text: str) -> datetime:
    """The time of an ISO 8601 text.

    Raises:
        ValueError: it is none.
    """
    text = text.strip()
    return datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in ("Z", "z") else text)
