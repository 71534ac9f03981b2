"""Colours of runs: each run's for good, by its name, and different among the runs that were loaded.

A run that is new takes a colour that is free, so that no older run changes its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vizkit.media.palette import places

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["places_of_groups", "places_of_runs"]


def places_of_runs(runs: Sequence[Run]) -> list[int]:
    """The place of each run in the palette, among these runs; the oldest choose first."""
    ranked = sorted(range(len(runs)), key=lambda at: (runs[at].logs.created, runs[at].name))
    found = places(tuple(runs[at].name for at in ranked))
    return [place for _, place in sorted(zip(ranked, found, strict=True))]


def places_of_groups(groups: dict[str, list[Run]]) -> dict[str, int]:
    """The place of each group in the palette, the oldest first: few have hues that differ most."""
    oldest = {name: min(run.logs.created for run in some) for name, some in groups.items()}
    ranked = sorted(groups, key=lambda name: (oldest[name], name))
    return dict(zip(ranked, range(len(ranked)), strict=True))
