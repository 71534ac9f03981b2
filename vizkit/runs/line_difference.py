"""Two texts side by side: lines that are the same, differ, or are in one of them alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal, NamedTuple

__all__ = ["LinePair", "entry_difference", "line_difference"]

_Kind = Literal["same", "changed", "removed", "added", "skipped"]

_Places = tuple[int | None, int | None]

_CONTEXT = 3  # same lines that are kept around each difference


class LinePair(NamedTuple):
    """A row of two texts side by side.

    Attributes:
        kind: ``removed`` is in the first text alone, ``added`` in the second; ``skipped`` stands for lines
            that are the same in both.
        line_a, line_b: numbers of the lines, from 1; None where that text has none.
        text_a, text_b: the lines.
        skipped: number of lines that were left out.
    """

    kind: _Kind
    line_a: int | None = None
    text_a: str | None = None
    line_b: int | None = None
    text_b: str | None = None
    skipped: int = 0


def line_difference(a: Sequence[str], b: Sequence[str]) -> list[LinePair]:
    """Lay two texts, as lines, side by side; empty if they are the same.

    It takes up to the product of their lengths: a second for two texts of 1,000 lines.
    """
    before = _same(a, b)
    if before == len(a) == len(b):
        return []
    after = _same(a[before:][::-1], b[before:][::-1])
    inner = SequenceMatcher(None, a[before : len(a) - after], b[before : len(b) - after])
    pairs: list[_Places] = [(at, at) for at in range(before)]
    for _, i, j, k, m in inner.get_opcodes():
        pairs += zip_longest(range(before + i, before + j), range(before + k, before + m))
    pairs += zip(range(len(a) - after, len(a)), range(len(b) - after, len(b)), strict=True)
    return list(_shortened([_pair(a, b, *places) for places in pairs]))


def entry_difference(a: Mapping[str, str], b: Mapping[str, str]) -> list[LinePair]:
    """Lay two texts side by side whose lines have names, in their order; empty if they are the same."""
    if a == b:
        return []
    names = sorted({*a, *b})
    lines = [[side[name] for name in names if name in side] for side in (a, b)]
    counts = [itertools.count(), itertools.count()]
    pairs = [
        tuple(next(count) if name in side else None for side, count in zip((a, b), counts, strict=True))
        for name in names
    ]
    return list(_shortened([_pair(lines[0], lines[1], left, right) for left, right in pairs]))


def _same(a: Sequence[str], b: Sequence[str]) -> int:
    """Number of lines that both begin with."""
    return next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _pair(a: Sequence[str], b: Sequence[str], left: int | None, right: int | None) -> LinePair:
    kind: _Kind = "removed" if right is None else "added"
    if left is not None and right is not None:
        kind = "same" if a[left] == b[right] else "changed"
    return LinePair(
        kind,
        None if left is None else left + 1,
        None if left is None else a[left],
        None if right is None else right + 1,
        None if right is None else b[right],
    )


def _shortened(rows: Sequence[LinePair]) -> Iterator[LinePair]:
    """The rows with long stretches of the same lines left out, but for those around a difference."""
    at = 0
    for alike, some in itertools.groupby(rows, lambda row: row.kind == "same"):
        stretch = list(some)
        head = 0 if at == 0 else _CONTEXT
        at += len(stretch)
        tail = 0 if at == len(rows) else _CONTEXT
        skipped = len(stretch) - head - tail
        if not alike or skipped <= 1:  # a row that says so would take as much room
            yield from stretch
            continue
        yield from stretch[:head]
        yield LinePair("skipped", skipped=skipped)
        yield from stretch[len(stretch) - tail :]
