"""Colours of runs: each run's for good, by its name, and different among the runs that were loaded.

A run that is new takes a colour that is free, so that no older run changes its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from vizkit.media.palette import places

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["places_of_groups", "places_of_runs"]


def places_of_runs(runs: Sequence[Run]) -> list[int]:
    """The place of each run in the palette, among these runs; the oldest choose first."""
    return _in_order([(run.logs.created, run.name) for run in runs])


def places_of_groups(groups: dict[str, list[Run]]) -> dict[str, int]:
    """The place of each group in the palette; that of the oldest run chooses first."""
    oldest = [(min(run.logs.created for run in some), name) for name, some in groups.items()]
    return dict(zip(groups, _in_order(oldest), strict=True))


def _in_order(ages: Iterable[tuple[int, str]]) -> list[int]:
    ranked = sorted(enumerate(ages), key=lambda item: item[1])
    found = places(tuple(name for _, (_, name) in ranked))
    return [place for _, place in sorted(zip((index for index, _ in ranked), found, strict=True))]
