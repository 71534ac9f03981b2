"""The columns of a training's scalars, made when they are asked for."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from vizkit.columns.packed import Column, pack
from vizkit.columns.pyramid import SHORT, Pyramid
from vizkit.columns.series import LONG
from vizkit.metrics.arrays import AnyArray, Floats, Ints
from vizkit.reading.parts import Parts, columns_of_parts, columns_of_tags

__all__ = ["Recorded", "ScalarColumns", "Scalars"]

_FEW = 512  # records of a tag that is sorted together with others
_LEAST, _MOST = 16, 256  # tags that are


class Scalars(NamedTuple):
    """Columns of one scalar tag, in the order of writing.

    They are read-only, and do not change when more is read.

    Attributes:
        steps: (n,) int64, or float64 if any step is a fraction.
        walltimes: (n,) int64 as recorded; see `vizkit.format.walltime.milliseconds`.
        values: (n,) float64.
    """

    steps: AnyArray
    walltimes: Ints
    values: Floats


class Recorded(NamedTuple):
    """The columns of one scalar tag as they are kept, for readers that need parts of them.

    Attributes:
        steps, walltimes, values: (n,) as in `Scalars`, read by slices and places.
        pyramid: the extremes of the values; None for a short column.
        ascends: True if no step is below the one before.
    """

    steps: Column
    walltimes: Column
    values: Column
    pyramid: Pyramid | None
    ascends: bool


class ScalarColumns:
    """The columns of a training's scalars and members of groups.

    With few records of many tags, the cost is that of the tags. So the columns of tags that follow are made
    together with those that are asked for: at most one tag ahead for each call.

    Args:
        kinds: tag -> kind of its records.
        parts: tag -> name within the group, or empty -> the records in each log.
        before: the columns of fewer of these records.
    """

    def __init__(
        self,
        kinds: dict[str, str],
        parts: dict[str, dict[str, Parts]],
        before: ScalarColumns | None = None,
    ) -> None:
        self._kinds = kinds
        self._parts = parts
        self._known: dict[tuple[str, str, bool], Scalars] = {}
        self._recorded: dict[tuple[str, str], tuple[Parts, Recorded]] = before._recorded if before else {}
        self._asked = self._made = 0  # columns of tags

    def of(self, tag: str, member: str, superseded: bool) -> Scalars:
        """The columns of a scalar tag, or of a member of a group.

        Raises:
            KeyError: there is no such tag or member.
        """
        key = tag, member, superseded
        self._asked += 1
        known = self._known.get(key)
        if known is not None:
            return known
        parts = self._parts[tag][member]
        some = self._together(tag, member, superseded) if _is_short(parts) else [key]
        if len(some) > 1:
            self._made += len(some)
            columns = columns_of_tags([self._parts[tag][member] for tag, member, _ in some], superseded)
            self._known.update((each, Scalars(*one)) for each, one in zip(some, columns, strict=True))
            return self._known[key]
        found = Scalars(*columns_of_parts(parts, superseded))
        if not _is_packed(parts):
            self._made += 1
            self._known[key] = found
        return found

    def _together(self, tag: str, member: str, superseded: bool) -> list[tuple[str, str, bool]]:
        """A tag, or a member, and those that follow it and are short, too, and not known."""
        most = min(2 * self._asked - self._made, _MOST)
        if most < _LEAST:
            return [(tag, member, superseded)]
        first = self._places[tag, member]
        return [
            (tag, member, superseded)
            for tag, member in self._order[first : first + most]
            if (tag, member, superseded) not in self._known and _is_short(self._parts[tag][member])
        ]

    @cached_property
    def _order(self) -> list[tuple[str, str]]:
        return [
            (tag, member)
            for tag, members in self._parts.items()
            if self._kinds[tag] in ("scalar", "scalars")
            for member in members
        ]

    @cached_property
    def _places(self) -> dict[tuple[str, str], int]:
        return {key: place for place, key in enumerate(self._order)}

    def recorded(self, tag: str, member: str = "") -> Recorded:
        """The columns of a scalar tag, or of a member of a group, without a copy where that is possible.

        Raises:
            KeyError: there is no such tag or member.
        """
        parts = self._parts[tag][member]
        series = parts[0].series
        is_whole = len(parts) == len(parts[0].begins) == 1 and parts[0].end - parts[0].start == series.count
        if is_whole and series.ascends:
            pyramid = series.pyramid if series.count > SHORT else None
            return Recorded(series.column(0), series.column(1), series.column(2), pyramid, True)
        made_of, known = self._recorded.get((tag, member), ([], None))
        if known is not None and made_of == parts:
            return known
        columns = self.of(tag, member, False)
        pyramid = None
        if len(columns.values) > SHORT:
            pyramid = (known.pyramid if known is not None and _goes_on(known, columns) else None) or Pyramid()
            pyramid.extend(columns.values)
        steps, walltimes, values = (pack(column) if len(column) >= LONG else column for column in columns)
        ascends = bool((columns.steps[1:] >= columns.steps[:-1]).all())
        found = Recorded(steps, walltimes, values, pyramid, ascends)
        self._recorded[tag, member] = parts, found
        return found


def _is_short(parts: Parts) -> bool:
    """True for few records of several sessions: those of one are most often in order, and no work."""
    if len(parts) == len(parts[0].begins) == 1 or _is_packed(parts):
        return False
    return sum(part.end - part.start for part in parts) <= _FEW


def _is_packed(parts: Parts) -> bool:
    return bool(parts[0].series.packed) or (len(parts) > 1 and any(part.series.packed for part in parts))


def _goes_on(known: Recorded, columns: Scalars) -> bool:
    """True if columns begin with those that are known."""
    count = len(known.values)
    return count <= len(columns.values) and all(
        np.array_equal(old[:count], new[:count], equal_nan=True)
        for old, new in zip(known[:3], columns, strict=True)
    )
