"""The arguments of plots: runs, groups of runs, tags and steps."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from vizkit._checks import describe
from vizkit._language import tr
from vizkit.curves.expressions import is_expression
from vizkit.errors import DataError, UnknownNameError, VizKitError
from vizkit.runs import Media, Run, Runs
from vizkit.runs.formatting import exact_text, setting_texts
from vizkit.runs.lookup import unknown
from vizkit.runs.palette_places import places_of_groups, places_of_runs
from vizkit.runs.scalar_tags import in_order

if TYPE_CHECKING:
    from typing_extensions import TypeIs

__all__ = [
    "RunSource",
    "as_runs",
    "chosen_tags",
    "class_tags",
    "entry_at",
    "group_positions",
    "is_run_source",
    "labelled_groups",
    "one_run",
    "positions",
]

RunSource = Run | Sequence[Run]
"""A run, `Runs` or a sequence of runs."""

_Content = TypeVar("_Content")


def is_run_source(source: object) -> TypeIs[RunSource]:
    """Return True for a run, `Runs` or a sequence of runs."""
    if isinstance(source, (Run, Runs)):
        return True
    return isinstance(source, Sequence) and bool(source) and all(isinstance(run, Run) for run in source)


def as_runs(source: RunSource) -> list[Run]:
    """The runs of a run, of `Runs` or of a sequence of runs.

    Raises:
        DataError: something else, or no run at all.
    """
    if isinstance(source, Run):
        return [source]
    if isinstance(source, Runs) and not len(source):
        raise DataError("there is no run to draw")
    if not is_run_source(source):
        raise DataError("expected runs, as vizkit.load gives them, got {source}", source=describe(source))
    return list(source)


def one_run(source: RunSource) -> Run:
    """The only run of ``source``.

    Raises:
        DataError: there are several, or none.
    """
    runs = as_runs(source)
    if len(runs) > 1:
        raise DataError(
            "this plot shows one run, got {n}: choose one, as in runs[{name!r}]",
            n=len(runs),
            name=runs[0].name,
        )
    return runs[0]


def chosen_tags(runs: Sequence[Run], tags: str | Sequence[str]) -> list[str]:
    """The scalar tags that are named, or that fit patterns such as ``*/loss``, and expressions, in order.

    Raises:
        UnknownNameError: no tag fits a pattern.
        DataError: no tag is named.
    """
    chosen: list[str] = []
    for name in [tags] if isinstance(tags, str) else tags:
        found = [name]
        if set(name) & set("*?[") and not is_expression(name):
            known = in_order(tag for run in runs for tag in run.scalar_tags)
            found = found if name in known else [tag for tag in known if fnmatchcase(tag, name)]
            if not found:
                raise unknown(tr("scalar tag that fits"), name, known)
        chosen += found
    if not chosen:
        raise DataError("name a scalar tag, or several")
    return list(dict.fromkeys(chosen))


def positions(runs: Sequence[Run]) -> list[int]:
    """The place of each run in the palette, among all runs that were loaded.

    If runs of several `vizkit.load` share one, their places among these runs count instead.
    """
    loaded = [run.position for run in runs]
    return loaded if len(set(loaded)) == len(loaded) else places_of_runs(runs)


def group_positions(source: RunSource, by: str | Sequence[str]) -> dict[str, int]:
    """The place of each group in the palette, among the groups of all runs that were loaded."""
    every = source.loaded if isinstance(source, Runs) else as_runs(source)
    try:
        return places_of_groups(labelled_groups(every, by))
    except VizKitError:  # of a run that was not chosen
        return places_of_groups(labelled_groups(as_runs(source), by))


def labelled_groups(runs: Sequence[Run], by: str | Sequence[str]) -> dict[str, list[Run]]:
    """Runs by the values of hyper-parameters: ``batch size = 32`` -> runs, in the order of the values."""
    groups = Runs(runs).group_by(by)
    labels = [groups.label(key) for key in groups]
    texts = {name: setting_texts([label[name] for label in labels]) for name in (labels[0] if labels else ())}
    return {
        ", ".join(f"{name} = {each[place]}" for name, each in texts.items()): list(group)
        for place, group in enumerate(groups.values())
    }


def class_tags(run: Run, kind: str, tag: str) -> list[str]:
    """``tag`` itself if the run has it, or else all tags of that kind right below it (``tag/...``)."""
    tags = run.tags.get(kind, [])
    return [tag] if tag in tags else [other for other in tags if other.startswith(f"{tag}/")]


def entry_at(entries: Media[_Content], step: float | None, what: str = "") -> int:
    """The index of the record at a step; of the last one if no step is given.

    Raises:
        DataError: there is no record at that step.
        UnknownNameError: there is no record at all.
    """
    if not len(entries):
        raise UnknownNameError("{what} is empty", what=what or entries.tag)
    if step is None:
        return len(entries) - 1
    found = np.flatnonzero(entries.steps == step)
    if not len(found):
        nearest = entries.steps[np.argsort(np.abs(entries.steps - step), kind="stable")[:3]]
        shown = ", ".join(exact_text(near) for near in np.sort(nearest).tolist())
        raise DataError(
            "{what} has no record at step {step}; the nearest are {shown}",
            what=what or entries.tag,
            step=step,
            shown=shown,
        )
    return int(found[-1])
