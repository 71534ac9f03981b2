"""Tags in place of those that VisualDL could not serve."""

from __future__ import annotations

from collections.abc import Callable

from vizkit._warnings import warn
from vizkit.errors import TagError
from vizkit.format.tags import clean_tag

__all__ = ["RenamedTags"]


class RenamedTags(dict[tuple[str, object], str]):
    """The tag in place of each (kind, tag) that was refused."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()  # what was warned about: a kind, or "" for what names hold

    def rename(self, kind: str, tag: object, error: TagError, kind_of: Callable[[str], str | None]) -> str:
        """Return the tag in place of a refused one.

        The first tag that is refused for what it holds is warned about, and the first of each kind that
        is refused because it has records of another: an evaluation may have hundreds.

        Args:
            kind_of: returns the kind of data that a tag holds, None for a new one.
        """
        better = self.get((kind, tag))
        if better is None:
            better = clean_tag(tag)
            reason = kind if better == tag else ""
            if reason:  # it was refused for other records, under it or under a tag below it
                better += f"/{kind}"
            while kind_of(better) not in (None, kind):
                better += f"/{kind}"
            self[kind, tag] = better
            if reason not in self._told:
                self._told.add(reason)
                warn("{error}; recorded as {better!r}, and others likewise", error=error, better=better)
        return better
