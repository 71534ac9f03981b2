"""Parameters and layers picked by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from vizkit._checks import describe
from vizkit.errors import DataError

__all__ = ["Patterns"]

Names = Iterable[Sequence[str]]


class Patterns:
    """Picks things by shell-like patterns (``*``, ``?``, ``[abc]``), whatever the case.

    ``fc.*`` and ``fc/*`` are the same: names hold dots in Paddle and slashes in tags.

    Args:
        wanted: True for all, False for none, a pattern, or a list of patterns.
        argument: the argument's name, for the error.
        names: the names of each thing that is there now; a thing may have several.

    Raises:
        DataError: ``wanted`` is none of these, or a pattern that nothing matches.
    """

    def __init__(self, wanted: Any, argument: str, names: Names) -> None:
        self._all = wanted is True
        self._patterns: list[str] = []
        if isinstance(wanted, bool):
            return
        patterns = [wanted] if isinstance(wanted, str) else wanted
        if (
            not isinstance(patterns, (list, tuple))
            or not patterns
            or not all(isinstance(p, str) for p in patterns)
        ):
            raise DataError(
                f"{argument} must be True, False, a pattern such as '*.weight', or a list of patterns; "
                f"got {describe(wanted)}"
            )
        self._patterns = [_plain(pattern) for pattern in patterns]
        there = list(names)
        for given, pattern in zip(patterns, self._patterns, strict=True):
            if not any(fnmatchcase(_plain(name), pattern) for several in there for name in several):
                raise DataError(f"{argument}: {given!r} matches nothing{_hint(given, there)}")

    def __bool__(self) -> bool:
        return self._all or bool(self._patterns)

    def match(self, *names: str) -> bool:
        """Whether a thing of these names is picked."""
        return self._all or any(
            fnmatchcase(_plain(name), pattern) for name in names for pattern in self._patterns
        )


def _plain(name: str) -> str:
    return name.replace("/", ".").lower()


def _hint(given: str, there: list[Sequence[str]]) -> str:
    """The names that come closest, or some that there are."""
    names = list(dict.fromkeys(name for several in there for name in several if name))
    plain = {_plain(name): name for name in names}
    close = difflib.get_close_matches(_plain(given).strip("*"), plain, 3, cutoff=0.4)
    if close:
        return f"; the closest names are {', '.join(repr(plain[name]) for name in close)}"
    return f"; there are {', '.join(map(repr, names[:5]))}{' ...' if len(names) > 5 else ''}"
