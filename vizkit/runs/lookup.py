"""Find runs by name, and name the closest ones when there is no match."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from vizkit._language import tr
from vizkit.errors import UnknownNameError

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["closest", "find_name", "find_runs", "like_name", "newest", "unknown"]

_MOST = 5
_COMPARED = 200  # characters: the cost of comparing texts grows with the square of their length


def closest(name: str, names: Iterable[str]) -> list[str]:
    """Up to five of ``names`` that look most like ``name``."""
    every = list(dict.fromkeys(names))
    lower = {other[:_COMPARED].lower(): other for other in reversed(every)}
    found = [other for other in every if name and name.lower() in other.lower()][:_MOST]
    for key in difflib.get_close_matches(name[:_COMPARED].lower(), lower, n=_MOST, cutoff=0.5):
        if lower[key] not in found:
            found.append(lower[key])
    return found[:_MOST]


def unknown(what: str, name: object, names: Iterable[str]) -> UnknownNameError:
    """The error for a ``what`` (``"run"``, ``"scalar tag of run1"``) that is not among ``names``."""
    every = list(dict.fromkeys(names))
    if not every:
        return UnknownNameError("there is no {what} {name!r}: there is none at all", what=what, name=name)
    if shown := closest(str(name), every):
        return UnknownNameError(
            "there is no {what} {name!r}; closest: {names}",
            what=what,
            name=name,
            names=", ".join(map(repr, shown)),
        )
    more = " ..." if len(every) > _MOST else ""
    return UnknownNameError(
        "there is no {what} {name!r}; there are: {names}{more}",
        what=what,
        name=name,
        names=", ".join(map(repr, every[:_MOST])),
        more=more,
    )


def like_name(text: str) -> bool:
    """Return True if a text looks like a name rather than like an expression."""
    return not set(text) & set(" <>=`()")


def find_name(name: str, names: Sequence[str], aliases: Sequence[str] = ()) -> int:
    """The position of the one name that matches.

    Matches are tried in this order: the whole name, an alias (by position), the last parts of a path
    (``run1`` of ``lenet/run1``), its beginning.

    Raises:
        UnknownNameError: it matches none, or several.
    """
    wanted = name.strip("/")
    ways = (
        [index for index, other in enumerate(names) if other == name],
        [index for index, other in enumerate(aliases) if name and other == name],
        [index for index, other in enumerate(names) if wanted and other.endswith("/" + wanted)],
        [index for index, other in enumerate(names) if wanted and other.startswith(wanted)],
    )
    for found in ways:
        if len(found) == 1:
            return found[0]
        if found:
            shown = [names[index] for index in found[:_MOST]]
            raise UnknownNameError(
                "{name!r} fits {n} runs, {names}{more}: name one of them, or all of them with a '*'",
                name=name,
                n=len(found),
                names=", ".join(map(repr, shown)),
                more=" ..." if len(found) > len(shown) else "",
            )
    raise unknown(tr("run"), name, names)


def find_runs(name: str, runs: Sequence[Run]) -> Run | list[Run]:
    """The run of a name, as by `find_name`, or all runs that fit a pattern with ``*``, ``?`` or ``[...]``.

    A path of a run's directory, as a shell completes it, is that run unless it is another one's name.

    Raises:
        UnknownNameError: there is none, or several have a name that is no pattern.
    """
    names = [run.name for run in runs]
    if name in names or not set(name) & set("*?["):
        try:
            return runs[find_name(name, names, [run.display_name for run in runs])]
        except UnknownNameError:
            if (at := _place_of(name, runs)) is None:
                raise
            return runs[at]
    found = [run for run in runs if fnmatchcase(run.name, name)]  # "*" matches "/" too
    if not found:
        raise unknown(tr("run that fits"), name, names)
    return found


def _place_of(path: str, runs: Sequence[Run]) -> int | None:
    """The position of the run in a directory, if there is such a directory."""
    path = os.path.expanduser(path)
    if not os.path.isdir(path):
        return None
    directory = os.path.realpath(path)
    return next((at for at, run in enumerate(runs) if os.path.realpath(run.directory) == directory), None)


def newest(runs: Sequence[Run]) -> Run:
    """The run that was started or resumed last.

    Raises:
        UnknownNameError: there is no run.
    """
    if not runs:
        raise UnknownNameError("there is no run")

    def started(run: Run) -> float:
        known = run.environment.get("started")
        if isinstance(known, int):
            return known / 1000
        return 0.0 if run.started is None else run.started.timestamp()

    return max(reversed(runs), key=started)
