"""Parameters and layers selected by name patterns."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from vizkit._checks import describe
from vizkit._language import tr
from vizkit.errors import DataError

__all__ = ["NamePatterns"]


class NamePatterns:
    """Shell-like patterns (``*``, ``?``, ``[abc]``) that select things by name, ignoring case.

    ``fc.*`` and ``fc/*`` are the same: names have dots in Paddle and slashes in tags.

    Args:
        wanted: True for all, False for none, a pattern, or a list of patterns.
        argument: the argument's name, for the error.
        names: the names of each thing to choose from now; a thing may have several.

    Raises:
        DataError: ``wanted`` is none of these, or a pattern matches nothing.
    """

    def __init__(
        self, wanted: bool | str | Sequence[str], argument: str, names: Iterable[Sequence[str]]
    ) -> None:
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
                "{argument} must be True, False, a pattern such as '*.weight', or a list of "
                "patterns; got {wanted}",
                argument=argument,
                wanted=describe(wanted),
            )
        self._patterns = [_plain(pattern) for pattern in patterns]
        known = list(names)
        for given, pattern in zip(patterns, self._patterns, strict=True):
            if not any(fnmatchcase(_plain(name), pattern) for several in known for name in several):
                raise DataError(
                    "{argument}: {given!r} matches nothing{hint}",
                    argument=argument,
                    given=given,
                    hint=_hint(given, known),
                )

    def __bool__(self) -> bool:
        return self._all or bool(self._patterns)

    def match(self, *names: str) -> bool:
        """True if a thing with these names is selected."""
        return self._all or any(
            fnmatchcase(_plain(name), pattern) for name in names for pattern in self._patterns
        )


def _plain(name: str) -> str:
    return name.replace("/", ".").lower()


def _hint(given: str, known: list[Sequence[str]]) -> str:
    """The closest names, or else the first few."""
    names = list(dict.fromkeys(name for several in known for name in several if name))
    plain = {_plain(name): name for name in names}
    close = difflib.get_close_matches(_plain(given).strip("*"), plain, 3, cutoff=0.4)
    if close:
        return tr("; the closest names are {names}", names=", ".join(repr(plain[name]) for name in close))
    more = " ..." if len(names) > 5 else ""
    return tr("; there are {names}{more}", names=", ".join(map(repr, names[:5])), more=more)
