"""The scalar tags of runs: their order, the runs that have one, and those shown first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from vizkit._language import tr
from vizkit.errors import UnknownNameError
from vizkit.format.tags import SECONDS, WATCHED
from vizkit.runs.lookup import unknown

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["in_order", "shown_metrics", "with_tag"]


def in_order(tags: Iterable[str]) -> list[str]:
    """Unique tags in the order given; then those of a network's tensors, and of the machine and the pace."""
    return sorted(dict.fromkeys(tags), key=lambda tag: 2 * tag.startswith(SECONDS) + tag.startswith(WATCHED))


def with_tag(runs: Iterable[Run], tag: str) -> list[Run]:
    """The runs that have a scalar tag.

    Raises:
        UnknownNameError: no run has it, or there is no run.
    """
    every = list(runs)
    if not every:
        raise UnknownNameError("there is no run to look for {tag!r} in", tag=tag)
    found = [run for run in every if tag in run.scalar_tags]
    if not found:
        raise unknown(tr("scalar tag"), tag, in_order(other for run in every for other in run.scalar_tags))
    return found


def shown_metrics(runs: Sequence[Run]) -> list[str]:
    """The recorded metrics that runs name, or else all scalar tags, in order.

    Tags of the machine and of the pace are left out, unless they are named or are the only ones.
    """
    named = dict.fromkeys(tag for run in runs for tag in run.metrics)
    recorded = in_order(tag for run in runs for tag in run.scalar_tags)
    trained = [tag for tag in recorded if not tag.startswith(SECONDS)]
    known = set(recorded)
    return [tag for tag in named if tag in known] or trained or recorded
