"""Finding what is meant by a name, and saying what is there when nothing is."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from vizkit.errors import UnknownNameError
from vizkit.format.tags import SECONDS

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["closest", "find_name", "in_order", "is_pattern", "like_name", "matching", "unknown", "with_tag"]

_MOST = 5


def in_order(tags: Iterable[str]) -> list[str]:
    """Tags once each, as they come; those that are sampled beside the training last."""
    return sorted(dict.fromkeys(tags), key=lambda tag: tag.startswith(SECONDS))


def closest(name: str, names: Iterable[str]) -> list[str]:
    """The up to five of ``names`` that look most like ``name``."""
    every = list(dict.fromkeys(names))
    lower = {other.lower(): other for other in reversed(every)}
    found = [other for other in every if name and name.lower() in other.lower()][:_MOST]
    for key in difflib.get_close_matches(name.lower(), lower, n=_MOST, cutoff=0.5):
        if lower[key] not in found:
            found.append(lower[key])
    return found[:_MOST]


def unknown(what: str, name: object, names: Iterable[str]) -> UnknownNameError:
    """The error for a ``what`` (``"run"``, ``"scalar tag of run1"``) that is not among ``names``."""
    every = list(dict.fromkeys(names))
    if not every:
        return UnknownNameError(f"there is no {what} {name!r}: there is none at all")
    if shown := closest(str(name), every):
        return UnknownNameError(f"there is no {what} {name!r}; closest: {', '.join(map(repr, shown))}")
    more = " ..." if len(every) > _MOST else ""
    return UnknownNameError(
        f"there is no {what} {name!r}; there are: {', '.join(map(repr, every[:_MOST]))}{more}"
    )


def with_tag(runs: Iterable[Run], tag: str) -> list[Run]:
    """The runs that have a scalar tag.

    Raises:
        UnknownNameError: none has.
    """
    every = list(runs)
    found = [run for run in every if tag in run.scalar_tags]
    if not found:
        raise unknown("scalar tag", tag, in_order(other for run in every for other in run.scalar_tags))
    return found


def is_pattern(name: str) -> bool:
    """Whether a name is a pattern as of the shell's."""
    return any(character in name for character in "*?[")


def like_name(text: str) -> bool:
    """Whether a text that is neither was more likely meant as a name than as an expression."""
    return not set(text) & set(" <>=`()")


def matching(pattern: str, names: Sequence[str]) -> list[int]:
    """Positions of the names that a pattern of ``*``, ``?`` and ``[...]`` fits; ``*`` takes ``/`` too."""
    return [index for index, name in enumerate(names) if fnmatch.fnmatchcase(name, pattern)]


def find_name(name: str, names: Sequence[str], aliases: Sequence[str] = ()) -> int:
    """The position of the one name that is meant.

    It is looked for, in this order, as the whole name, as an alias (by position), as the last parts
    of a path (``run1`` of ``lenet/run1``) and as its beginning. What fits several is not guessed.

    Raises:
        UnknownNameError: it fits none, or several.
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
                f"{name!r} fits {len(found)} runs, {', '.join(map(repr, shown))}"
                f"{' ...' if len(found) > len(shown) else ''}: name one of them, or all of them with a '*'"
            )
    raise unknown("run", name, names)
